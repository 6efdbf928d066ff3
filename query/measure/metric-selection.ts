// Which stored series a selector of PromQL means: names as they were written, else as OpenTelemetry keeps what Prometheus calls
// so; labels by all four kinds of matchers. Patterns are RE2's and are matched by the engine, which speaks it.

import { z } from 'zod'
import { literal } from '../../ingest/store/literal.ts'
import type { Statement, Store } from '../../ingest/store/store.ts'
import type { MetricMatcher, MetricSelector } from '../slo/model.ts'
import { instant } from './families.ts'

export type MetricSelection = {
  /** As it is stored. */
  readonly metric: string
  readonly ids: ReadonlySet<string>
}

// OpenTelemetry keeps counters without the suffix, and counts of histograms and summaries with their distribution.
const SUFFIXES = /_(?:total|count)$/
/** More than an answer may read (reports/metric-query.ts), so that it says so. */
const SERIES_MAX = 2001
const Row = z.object({ metric: z.string(), id: z.string() })

/** @throws StoreError, for a pattern that cannot be read as well */
export async function selectMetric(
  store: Pick<Store, 'ask'>,
  { metric, matchers }: MetricSelector,
  fromMs: number,
): Promise<MetricSelection> {
  const plain = metric.replace(SUFFIXES, '')
  const names = [...new Set([metric, plain, plain.replaceAll('_', '.')])]
  const question: Statement<Record<string, never>, z.infer<typeof Row>> = {
    name: 'slo-metric-series',
    sql: `SELECT metric, toString(series) AS id,
  arrayConcat(['service.name', 'service.version', 'bank.system', 'deployment.environment.name', 'bank.site',
    'cloud.availability_zone', 'k8s.cluster.name', 'otel.scope.name'], attr_k) AS label_k,
  arrayConcat([service, version, system, environment, site, zone, cluster, scope], attr_v) AS label_v
FROM series FINAL
WHERE metric IN (${names.map((name) => literal(name)).join(', ')}) AND seen_at >= ${instant(fromMs / 1000)} - INTERVAL 25 HOUR
  ${matchers.map((matcher) => `AND ${matcherSql(matcher)}`).join('\n  ')}
ORDER BY metric, id LIMIT ${SERIES_MAX} BY metric`,
    parameters: z.object({}),
    row: Row,
  }
  const rows = await store.ask(question, {})
  // The first name that has something: a metric that is written as it is stored hides no other.
  const found = names.find((name) => rows.some((row) => row.metric === name)) ?? metric
  return {
    metric: found,
    ids: new Set(rows.filter((row) => row.metric === found).map(({ id }) => id)),
  }
}

function matcherSql({ label, op, value }: MetricMatcher): string {
  const of = (key: string) => `label_v[indexOf(label_k, ${literal(key)})]`
  const dotted = label.replaceAll('_', '.')
  const text =
    dotted === label ? of(label) : `if(has(label_k, ${literal(label)}), ${of(label)}, ${of(dotted)})`
  if (op === '=' || op === '!=') return `${text} ${op} ${literal(value)}`
  const matches = `match(${text}, ${literal(`^(?s:${value})$`)})`
  return op === '=~' ? matches : `NOT ${matches}`
}
