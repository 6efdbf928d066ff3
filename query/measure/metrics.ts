// Measures slices of metrics: what counters grew by, steps that compare, results of probes. A step without a sample was not
// measured; one in which nothing grew was, and is empty.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { metricQuery } from '../reports/metric-query.ts'
import type {
  MetricEvents,
  MetricFunction,
  MetricRatioIndicator,
  MetricThresholdIndicator,
  Operator,
  ProbeIndicator,
} from '../slo/model.ts'
import type { MeasuredSlice } from './measured-slice.ts'
import { selectMetric } from './metric-selection.ts'
import { EVENT_SCALE, type SliceQuestion } from './question.ts'

export type MetricQuestion = SliceQuestion<MetricRatioIndicator | MetricThresholdIndicator | ProbeIndicator>

const probes = statement(
  new URL('./probe-samples.sql', import.meta.url),
  z.object({
    metric: z.string(),
    ids: z.array(z.string()),
    from: z.number().int(),
    to: z.number().int(),
    step: z.number().int(),
  }),
  z.object({ at: z.coerce.number(), good: z.coerce.number(), total: z.coerce.number() }),
)

/** A question that cannot be answered as it stands; the message says why. */
export class UnmeasurableError extends Error {}

type Steps = ReadonlyMap<number, number | null>

/**
 * @param fromSecond, toSecond  s since epoch; slices that lie in between as a whole are measured
 * @throws UnmeasurableError, StoreError
 */
export async function measureMetric(
  store: Store,
  question: MetricQuestion,
  fromSecond: number,
  toSecond: number,
): Promise<MeasuredSlice[]> {
  const { series, stepSeconds, indicator } = question
  const from = Math.ceil(fromSecond / stepSeconds) * stepSeconds
  const to = Math.floor(toSecond / stepSeconds) * stepSeconds
  if (to <= from) return []
  const counted = await countsOf(store, indicator, from, to, stepSeconds)
  const slices: MeasuredSlice[] = []
  for (let at = from; at < to; at += stepSeconds) {
    const counts = counted.get(at)
    slices.push({
      series,
      group: '',
      startSecond: at,
      stepSeconds,
      good: counts?.good ?? 0,
      total: counts?.total ?? 0,
      isKnown: counts !== undefined,
    })
  }
  return slices
}

type Counts = { readonly good: number; readonly total: number }

async function countsOf(
  store: Store,
  indicator: MetricQuestion['indicator'],
  from: number,
  to: number,
  step: number,
): Promise<ReadonlyMap<number, Counts>> {
  if (indicator.kind === 'probe') return probeCounts(store, indicator, from, to, step)
  if (indicator.kind === 'metric-threshold') {
    const { query, op, value } = indicator
    const steps = await stepsOf(store, query, query.function, from, to, step)
    return countsBy(steps, (found) => ({
      good: compares(found, op, value) ? EVENT_SCALE : 0,
      total: EVENT_SCALE,
    }))
  }
  const { total, part, partIs } = indicator
  const eventsOf = (events: MetricEvents) =>
    stepsOf(store, events, events.counted === 'sum' ? 'sum' : 'increase', from, to, step)
  const [all, some] = [await eventsOf(total), await eventsOf(part)]
  return countsBy(all, (grown, at) => {
    const whole = scaled(grown)
    // A series of failures appears with the first failure.
    const counted = Math.min(whole, scaled(some.get(at) ?? 0))
    return { good: partIs === 'good' ? counted : whole - counted, total: whole }
  })
}

const scaled = (events: number) => Math.max(0, Math.round(events * EVENT_SCALE))

function countsBy(steps: Steps, counts: (value: number, at: number) => Counts): Map<number, Counts> {
  const found = new Map<number, Counts>()
  for (const [at, value] of steps) if (value !== null) found.set(at, counts(value, at))
  return found
}

async function stepsOf(
  store: Store,
  selector: Parameters<typeof selectMetric>[1],
  fn: MetricFunction,
  from: number,
  to: number,
  step: number,
): Promise<Steps> {
  const { metric, ids } = await selectMetric(store, selector, from * 1000)
  if (ids.size === 0) return new Map()
  const answer = await metricQuery(store, {
    metric,
    range: { fromMs: from * 1000, toMs: to * 1000 },
    stepMs: step * 1000,
    labels: {},
    isAsked: ({ id }) => ids.has(id),
    by: [],
    fn,
  })
  if ('message' in answer) throw new UnmeasurableError(`${selector.metric}: ${answer.message}`)
  return new Map(answer.series[0]?.points.map(({ at, value }) => [Date.parse(at) / 1000, value]) ?? [])
}

function compares(value: number, op: Operator, other: number): boolean {
  switch (op) {
    case 'lt':
      return value < other
    case 'lte':
      return value <= other
    case 'gt':
      return value > other
    case 'gte':
      return value >= other
    default:
      return op
  }
}

async function probeCounts(
  store: Store,
  indicator: ProbeIndicator,
  from: number,
  to: number,
  step: number,
): Promise<ReadonlyMap<number, Counts>> {
  const { metric, ids } = await selectMetric(store, indicator, from * 1000)
  if (ids.size === 0) return new Map()
  const rows = await store.ask(
    probes,
    { metric, ids: [...ids], from: from * 1000, to: to * 1000, step: step * 1000 },
    { lane: 'heavy' },
  )
  return new Map(
    rows.map(({ at, good, total }) => [at / 1000, { good: good * EVENT_SCALE, total: total * EVENT_SCALE }]),
  )
}
