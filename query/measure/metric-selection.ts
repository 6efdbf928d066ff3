// Which stored series a selector of PromQL means: names as they were written, else as OpenTelemetry keeps what Prometheus calls
// so; labels by all four kinds of matchers.

import type { Store } from '../../ingest/store/store.ts'
import type { MetricSeries } from '../http/schemas.ts'
import type { MetricMatcher, MetricSelector } from '../slo/model.ts'
import { metricSeries } from '../reports/metrics.ts'

export type MetricSelection = {
  /** As it is stored. */
  readonly metric: string
  readonly isAsked: (series: MetricSeries) => boolean
}

// OpenTelemetry keeps counters without the suffix, and counts of histograms and summaries with their distribution.
const SUFFIXES = /_(?:total|count)$/

/** @throws SyntaxError for a pattern that cannot be read; StoreError */
export async function selectMetric(
  store: Store,
  { metric, matchers }: MetricSelector,
  fromMs: number,
): Promise<MetricSelection> {
  const tests = matchers.map(matcherTest)
  const isAsked = (series: MetricSeries) => tests.every((test) => test(series.labels))
  const plain = metric.replace(SUFFIXES, '')
  const names = [...new Set([metric, plain, plain.replaceAll('_', '.')])]
  for (const name of names)
    if ((await metricSeries(store, name, {}, fromMs, 1)).length > 0) return { metric: name, isAsked }
  return { metric, isAsked }
}

function matcherTest({
  label,
  op,
  value,
}: MetricMatcher): (labels: Readonly<Record<string, string>>) => boolean {
  const of = (labels: Readonly<Record<string, string>>) =>
    labels[label] ?? labels[label.replaceAll('_', '.')] ?? ''
  if (op === '=') return (labels) => of(labels) === value
  if (op === '!=') return (labels) => of(labels) !== value
  const pattern = new RegExp(`^(?:${value})$`, 'su')
  return op === '=~' ? (labels) => pattern.test(of(labels)) : (labels) => !pattern.test(of(labels))
}
