// The part of PromQL that Surety executes: `sum`, `rate` and `increase` of one selector with label matchers, over the window that is
// asked (`{{.window}}`) or one that is written; parentheses, `or vector(0)`, and for raw ratios one division. Everything else is
// refused with the reason. Documented in deploy/slos/README.md.

import type { MetricEvents, MetricFunction, MetricRatioIndicator, MetricSelector } from '../slo/model.ts'
import { parsePromQl, PromSyntaxError, type PromNode, type PromSelector } from './promql.ts'

export type Refused = { readonly reason: string }
export type Read<Value> = { readonly value: Value } | Refused
export type Note = 'range-ignored'

type Events = {
  readonly events: MetricEvents
  readonly by: 'rate' | 'increase' | 'none'
  readonly notes: readonly Note[]
}

/**
 * A query that counts events.
 * @param isCounter  what OpenSLO says of a metric without a function: its samples grow
 */
export function readEvents(text: string, isCounter: boolean): Read<Events> {
  return reading(text, (node) => eventsOf(node, isCounter))
}

/** An error or success ratio as one division: `a / b`, or `1 - a / b`, each side a query that counts events. */
export function readRatio(
  text: string,
  isCounter: boolean,
): Read<{ readonly part: string; readonly total: string; readonly isInverted: boolean }> {
  return reading(text, (node) => {
    if (node.kind === 'binary' && node.op === '-' && node.left.kind === 'number' && node.left.value === 1)
      return { ...divisionOf(node.right, text, isCounter), isInverted: true }
    return { ...divisionOf(node, text, isCounter), isInverted: false }
  })
}

/**
 * Bad events told as all but the good ones: `all - good`, the customary form of latency by buckets.
 * @returns both sides as written
 */
export function readDifference(text: string): Read<{ readonly all: string; readonly less: string }> {
  return reading(text, (node) => {
    if (node.kind !== 'binary' || node.op !== '-') return refuse('is no difference of two counts')
    return {
      all: text.slice(node.left.start, node.left.end),
      less: text.slice(node.right.start, node.right.end),
    }
  })
}

/** A query whose value is compared with a threshold. */
export function readThreshold(text: string): Read<MetricSelector & { readonly function: MetricFunction }> {
  return reading(text, (node) => {
    const { metric, matchers, fn } = functionOf(node)
    return { metric, matchers, function: fn }
  })
}

/** A selector alone: `http_requests_total{code=~"2.."}`, `{"http.server.requests", code="200"}`. */
export function readSelector(text: string): Read<MetricSelector> {
  return reading(text, (node) => {
    if (node.kind !== 'selector') return refuse('is more than one selector')
    if (node.range !== undefined) return refuse('has a range; a selector stands alone here')
    return selected(node)
  })
}

/** Both sides of a ratio must grow by the same function. */
export function ratioIndicator(
  part: Events,
  total: Events,
  partIs: MetricRatioIndicator['partIs'],
): Read<MetricRatioIndicator> {
  if (part.by !== total.by) return { reason: `divides ${wordOf(part.by)} by ${wordOf(total.by)}` }
  return { value: { kind: 'metric-ratio', total: total.events, part: part.events, partIs } }
}

const wordOf = (by: Events['by']) => (by === 'none' ? 'plain samples' : by)

function refuse(reason: string): never {
  throw new PromSyntaxError(reason)
}

function reading<Value>(text: string, of: (node: PromNode) => Value): Read<Value> {
  try {
    return { value: of(parsePromQl(text)) }
  } catch (failure) {
    if (failure instanceof PromSyntaxError) return { reason: failure.message }
    throw failure
  }
}

function eventsOf(given: PromNode, isCounter: boolean): Events {
  const node = withoutSum(orZero(given))
  if (node.kind === 'call' && (node.name === 'rate' || node.name === 'increase')) {
    const selector = rangeSelector(node)
    const notes = selector.range === 'window' ? [] : (['range-ignored'] as const)
    return { events: { ...selected(selector), counted: 'increase' }, by: node.name, notes }
  }
  if (node.kind === 'selector') {
    if (node.range !== undefined)
      refuse(`has a range «${node.range}» and no function of it; write rate or increase`)
    return { events: { ...selected(node), counted: isCounter ? 'increase' : 'sum' }, by: 'none', notes: [] }
  }
  return refuseNode(node)
}

/** `x or vector(0)`: nothing counted is nothing, which a missing series is here anyway. */
function orZero(node: PromNode): PromNode {
  if (node.kind !== 'binary' || node.op !== 'or') return node
  const { right } = node
  const [zero] = right.kind === 'call' && right.name === 'vector' ? right.args : [right]
  return zero?.kind === 'number' && zero.value === 0 ? node.left : node
}

function withoutSum(node: PromNode): PromNode {
  if (node.kind !== 'call' || node.name !== 'sum') return node
  if (node.grouping !== undefined)
    return refuse(`groups ${node.grouping}; groups are said with groupBy of a source of the type Surety`)
  const [argument] = node.args
  if (argument === undefined || node.args.length > 1) return refuse('has a sum of not exactly one expression')
  return withoutSum(orZero(argument))
}

function rangeSelector(node: PromNode & { kind: 'call' }): PromSelector {
  const [argument] = node.args
  if (node.args.length !== 1 || argument?.kind !== 'selector')
    return refuse(`has ${node.name} of more than one selector`)
  if (argument.range === undefined) return refuse(`has ${node.name} without a range; write [{{.window}}]`)
  return argument
}

function refuseNode(node: PromNode): never {
  if (node.kind === 'binary') return refuse(`combines two expressions by «${node.op}»`)
  if (node.kind === 'call') return refuse(`has the function ${node.name}`)
  if (node.kind === 'number') return refuse('is a number and no metric')
  return refuse('is no metric')
}

const selected = ({ metric, matchers }: PromSelector): MetricSelector => ({
  metric,
  matchers: matchers.toSorted((a, b) =>
    a.label === b.label ? order(a.value, b.value) : order(a.label, b.label),
  ),
})
const order = (a: string, b: string) => (a < b ? -1 : Number(a > b))

function divisionOf(node: PromNode, text: string, isCounter: boolean): { part: string; total: string } {
  if (node.kind !== 'binary' || node.op !== '/')
    return node.kind === 'binary' ? refuseNode(node) : refuse('is no division of two counts')
  // Read for the reason alone, should there be one.
  eventsOf(node.left, isCounter)
  eventsOf(node.right, isCounter)
  const slice = ({ start, end }: PromNode) => text.slice(start, end)
  return { part: slice(node.left), total: slice(node.right) }
}

const AGGREGATIONS = ['sum', 'avg', 'min', 'max'] as const
type Aggregation = (typeof AGGREGATIONS)[number]

function functionOf(node: PromNode): MetricSelector & { readonly fn: MetricFunction } {
  if (node.kind === 'selector') {
    if (node.range !== undefined) return refuse(`has a range «${node.range}» and no function of it`)
    return { ...selected(node), fn: 'last' }
  }
  if (node.kind !== 'call') return refuseNode(node)
  const across = AGGREGATIONS.find((one) => one === node.name)
  if (across !== undefined) {
    if (node.grouping !== undefined) return refuse(`groups ${node.grouping}`)
    const [argument] = node.args
    if (argument === undefined || node.args.length > 1)
      return refuse(`has ${across} of not exactly one expression`)
    return acrossSeries(across, functionOf(argument))
  }
  const over = /^(?<fn>avg|min|max|last)_over_time$|^(?<growth>rate|increase)$/.exec(node.name)?.groups
  const fn = (over?.['fn'] ?? over?.['growth']) as MetricFunction | undefined
  return fn === undefined ? refuseNode(node) : { ...selected(rangeSelector(node)), fn }
}

/** Over time and across series there is one function; what cannot be said by one is refused. */
function acrossSeries(across: Aggregation, of: ReturnType<typeof functionOf>): ReturnType<typeof functionOf> {
  if (of.fn === 'last') return { ...of, fn: across }
  if (across === of.fn || (across === 'sum' && (of.fn === 'rate' || of.fn === 'increase'))) return of
  return refuse(`has ${across} across series of ${of.fn} over time`)
}
