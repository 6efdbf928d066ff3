// From an SLI to what is measured. Sources of the type Surety must be right; queries of Prometheus are taken where they are in the
// part that is executed; what others measure is good OpenSLO, kept, and told as not measured.

import type { Indicator, Operator } from '../slo/model.ts'
import { ratioIndicator, readEvents, readRatio, readSelector, readThreshold } from './metric-query.ts'
import {
  forbidMeasure,
  parsed,
  parseSource,
  prometheusEvents,
  queryOf,
  taken,
  tellOther,
  type Place,
} from './place.ts'
import type { Path, Tell } from './problem.ts'
import { fasterThan, goodOf, goodOfBad, probeOf, requestsOf } from './requests.ts'
import type { MetricSourceV1, SliSpecV1 } from './schema-v1.ts'
import { BadRequests, GoodRequests, MetricPart } from './source-shapes.ts'
import { sourceTypeOf } from './source-words.ts'

/** What an objective compares a threshold metric with. */
export type Comparison = {
  readonly op: Operator
  readonly value: number
  /** Where the objective stands. */
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
