// From an SLI to what is measured. Sources of the type Surety must be right; queries of Prometheus are taken where they are in the
// part that is executed; what others measure is good OpenSLO, kept, and told as not measured.

import type { z } from 'zod'
import type { Indicator, Operator } from '../slo/model.ts'
import { toldOf } from './issues.ts'
import {
  ratioIndicator,
  readEvents,
  readRatio,
  readSelector,
  readThreshold,
  type Read,
} from './metric-query.ts'
import { shown, type Path, type Tell } from './problem.ts'
import { fasterThan, goodOf, goodOfBad, probeOf, requestsOf } from './requests.ts'
import type { MetricSourceV1, SliSpecV1 } from './schema-v1.ts'
import {
  BadRequests,
  GoodRequests,
  MetricPart,
  SIGNALS,
  SOURCES,
  type Signal,
  type WrittenRequests,
} from './source-shapes.ts'
import { SOURCE_TYPE, sourceTypeOf, type SourceType } from './source-words.ts'

/** What an objective compares a threshold metric with. */
export type Comparison = {
  readonly op: Operator
  readonly value: number
  /** Where the objective stands. */
  readonly path: Path
}

type Place = {
  readonly source: MetricSourceV1
  readonly type: SourceType
  /** Of the metric source. */
  readonly path: Path
}

/**
 * @param compared  of thresholds; undefined for an SLI that is looked at by itself
 * @param typeOfRef  type of a data source by its name
 * @returns undefined when it cannot be measured, which is told, or when there is nothing to compare with
 */
export function indicatorOf(
  spec: SliSpecV1,
  compared: Comparison | undefined,
  typeOfRef: (name: string) => string | undefined,
  path: Path,
  tell: Tell,
): Indicator | undefined {
  const placeOf = (source: MetricSourceV1, at: Path): Place => ({
    source,
    type: sourceTypeOf(
      source.type ?? (source.metricSourceRef === undefined ? undefined : typeOfRef(source.metricSourceRef)),
    ),
    path: [...path, ...at, 'metricSource'],
  })
  const { thresholdMetric, ratioMetric } = spec
  if (thresholdMetric !== undefined)
    return ofThreshold(placeOf(thresholdMetric.metricSource, ['thresholdMetric']), compared, tell)
  if (ratioMetric === undefined) return undefined
  const { raw, rawType, good, bad, total, counter = false } = ratioMetric
  if (raw !== undefined)
    return ofRaw(placeOf(raw.metricSource, ['ratioMetric', 'raw']), rawType === 'failure', counter, tell)
  const partIs = good === undefined ? 'bad' : 'good'
  const part = good ?? bad
  if (part === undefined || total === undefined) return undefined
  return ofRatio(
    placeOf(part.metricSource, ['ratioMetric', partIs]),
    placeOf(total.metricSource, ['ratioMetric', 'total']),
    partIs,
    counter,
    tell,
  )
}

function ofRatio(
  part: Place,
  total: Place,
  partIs: 'good' | 'bad',
  isCounter: boolean,
  tell: Tell,
): Indicator | undefined {
  if (part.type !== total.type) {
    tell('error', 'source', part.path, 'is of another type than total', 'measure both in the same way')
    return undefined
  }
  if (total.type === 'other') return tellOther(total, tell)
  if (total.type === 'prometheus') {
    const [some, all] = [part, total].map((place) => prometheusEvents(place, isCounter, tell))
    if (some === undefined || all === undefined) return undefined
    return taken(ratioIndicator(some, all, partIs), part, tell)
  }
  const written = parseSource(total, ['requests', 'journey', 'metric'], tell)
  if (written === undefined) return undefined
  if (written.signal === 'metric') return ofMetrics(part, total, written.selector, partIs, isCounter, tell)
  forbidMeasure(written, total, tell)
  const shape = partIs === 'good' ? GoodRequests : BadRequests
  const said = parsed(shape, part.source.spec, [...part.path, 'spec'], tell)
  const requests = taken(requestsOf(written), total, tell)
  if (said === undefined || requests === undefined) return undefined
  if ('exceptReturnCodes' in said && said.exceptReturnCodes !== undefined && said.returnCodes !== undefined)
    tell(
      'error',
      'one-of',
      [...part.path, 'spec'],
      'has returnCodes and exceptReturnCodes',
      'keep exactly one of returnCodes, exceptReturnCodes',
    )
  return { ...requests, good: 'overMs' in said || partIs === 'bad' ? goodOfBad(said) : goodOf(said) }
}

function ofMetrics(
  part: Place,
  total: Place,
  selector: string,
  partIs: 'good' | 'bad',
  isCounter: boolean,
  tell: Tell,
) {
  const said = parsed(MetricPart, part.source.spec, [...part.path, 'spec'], tell)
  if (said === undefined) return undefined
  const some = taken(readSelector(said.selector), { ...part, field: 'selector' }, tell)
  const all = taken(readSelector(selector), { ...total, field: 'selector' }, tell)
  if (some === undefined || all === undefined) return undefined
  const counted = isCounter ? 'increase' : 'sum'
  return { kind: 'metric-ratio', total: { ...all, counted }, part: { ...some, counted }, partIs } as const
}

function ofThreshold(place: Place, compared: Comparison | undefined, tell: Tell): Indicator | undefined {
  if (place.type === 'other') return tellOther(place, tell)
  if (place.type === 'prometheus') {
    const query = queryOf(place, tell)
    const read = query === undefined ? undefined : taken(readThreshold(query), place, tell, 'warning')
    if (read === undefined || compared === undefined) return undefined
    return { kind: 'metric-threshold', query: read, op: compared.op, value: compared.value }
  }
  const written = parseSource(place, ['requests', 'journey', 'metric'], tell)
  if (written === undefined) return undefined
  if (written.signal === 'metric') {
    const read = taken(readSelector(written.selector), { ...place, field: 'selector' }, tell)
    if (read === undefined || compared === undefined) return undefined
    return {
      kind: 'metric-threshold',
      query: { ...read, function: written.function ?? 'avg' },
      op: compared.op,
      value: compared.value,
    }
  }
  if (written.measure === undefined)
    tell(
      'error',
      'source',
      [...place.path, 'spec'],
      'does not say what of a request is compared',
      'say measure: latency; the value is in milliseconds',
    )
  const requests = taken(requestsOf(written), place, tell)
  if (compared === undefined || requests === undefined) return undefined
  if (compared.op === 'gt' || compared.op === 'gte' || !(compared.value > 0)) {
    const isSlow = compared.value > 0
    tell(
      'error',
      'threshold',
      [...compared.path, isSlow ? 'op' : 'value'],
      isSlow ? `«${compared.op}» makes slow requests good` : 'must be above 0 ms',
      isSlow ? `did you mean «${compared.op === 'gt' ? 'lt' : 'lte'}»?` : 'give milliseconds',
    )
    return undefined
  }
  if (compared.value < 1)
    tell(
      'warning',
      'threshold',
      [...compared.path, 'value'],
      'is less than a millisecond',
      'latency is in milliseconds: 0.5 s is 500',
    )
  return { ...requests, good: fasterThan(compared.value, compared.op === 'lte') }
}

function ofRaw(place: Place, isFailure: boolean, isCounter: boolean, tell: Tell): Indicator | undefined {
  if (place.type === 'other') return tellOther(place, tell)
  if (place.type === 'prometheus') {
    const query = queryOf(place, tell)
    const ratio = query === undefined ? undefined : taken(readRatio(query, isCounter), place, tell, 'warning')
    if (ratio === undefined) return undefined
    const [some, all] = [ratio.part, ratio.total].map((text) => readEvents(text, isCounter))
    if (some === undefined || all === undefined || 'reason' in some || 'reason' in all) return undefined
    return taken(
      ratioIndicator(some.value, all.value, isFailure === ratio.isInverted ? 'good' : 'bad'),
      place,
      tell,
      'warning',
    )
  }
  const written = parseSource(place, ['probe', 'slo'], tell)
  if (written === undefined) return undefined
  if (isFailure)
    tell(
      'error',
      'source',
      [...place.path, 'spec', 'signal'],
      `«${written.signal}» tells successes`,
      'say rawType: success',
    )
  if (written.signal === 'slo') return { kind: 'slo', slo: written.slo }
  return taken(probeOf(written), place, tell)
}

/** Its shape by its signal; what the SLI has no use for is told. */
function parseSource<Some extends Signal>(
  place: Place,
  fitting: readonly Some[],
  tell: Tell,
): z.infer<(typeof SOURCES)[Some]> | undefined {
  const { signal } = place.source.spec
  const path = [...place.path, 'spec']
  const known = fitting.find((one) => one === signal)
  if (known === undefined) {
    const message =
      signal === undefined
        ? 'is required'
        : `is ${shown(signal)}, which is ${SIGNALS.includes(signal as Signal) ? 'not for this' : 'none'}`
    tell(
      'error',
      signal === undefined ? 'required' : 'source',
      [...path, 'signal'],
      message,
      `take ${fitting.join(', ')}`,
    )
    return undefined
  }
  return parsed(
    SOURCES[known] as unknown as z.ZodType<z.infer<(typeof SOURCES)[Some]>>,
    place.source.spec,
    path,
    tell,
  )
}

function parsed<Shape extends z.ZodType>(
  shape: Shape,
  value: unknown,
  path: Path,
  tell: Tell,
): z.infer<Shape> | undefined {
  const result = shape.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  for (const told of toldOf(result.error.issues, shape))
    tell('error', told.code, [...path, ...told.path], told.message, told.remedy)
  return undefined
}

/** The value, or its reason told. A query of Prometheus that is not executed is good OpenSLO: a warning. */
function taken<Value>(
  read: Read<Value>,
  { path, field, type }: Place & { readonly field?: string },
  tell: Tell,
  severity: 'error' | 'warning' = type === 'surety' ? 'error' : 'warning',
): Value | undefined {
  if ('value' in read) return read.value
  const at = [...path, 'spec', field ?? (type === 'surety' ? 'selector' : 'query')]
  const remedy =
    type === 'surety'
      ? 'write METRIC{label="value"}'
      : `it is kept and not measured; write sum(rate(METRIC{label="value"}[{{.window}}])), or take a source of the type ${SOURCE_TYPE}`
  tell(severity, 'query', at, read.reason, remedy)
  return undefined
}

function prometheusEvents(place: Place, isCounter: boolean, tell: Tell) {
  const query = queryOf(place, tell)
  const events = query === undefined ? undefined : taken(readEvents(query, isCounter), place, tell)
  if (events?.notes.includes('range-ignored') === true)
    tell(
      'warning',
      'query',
      [...place.path, 'spec', 'query'],
      'has a range of its own; each slice is counted whole instead',
      'write [{{.window}}]',
    )
  return events
}

function queryOf(place: Place, tell: Tell): string | undefined {
  const { query } = place.source.spec
  if (typeof query === 'string') return query
  tell('warning', 'not-measured', [...place.path, 'spec'], 'has no query', 'say query: with PromQL')
  return undefined
}

function tellOther({ source, path }: Place, tell: Tell): undefined {
  const what = source.type ?? source.metricSourceRef
  const message = what === undefined ? 'has no type' : `asks «${what}», which Surety does not measure`
  tell(
    'warning',
    'not-measured',
    path,
    message,
    `take a source of the type ${SOURCE_TYPE}, or queries of Prometheus; it is kept as it is`,
  )
  return undefined
}

function forbidMeasure({ measure }: WrittenRequests, { path }: Place, tell: Tell): void {
  if (measure !== undefined)
    tell(
      'error',
      'source',
      [...path, 'spec', 'measure'],
      'is for thresholdMetric',
      'say withinMs of good, or overMs of bad',
    )
}
