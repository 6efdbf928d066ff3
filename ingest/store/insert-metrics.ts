// The statements that turn an envelope of OTLP metrics into rows: series that may be new, then the batch, which lands
// in `otlp_metrics` and is unnested into its tables by their views. The engine parses. Also what a recovery asks of
// these tables. Pure text building save for the two functions that say so.

import { fileURLToPath } from 'node:url'
import { lookUp, RESOURCE, resourcePairs, valueTexts } from './insert-spans.ts'
import { literal } from './literal.ts'
import { maskedValues, NO_MASKING, type Masking } from './masking.ts'
import { PROMOTED } from './promoted.ts'
import type { Store } from './store.ts'

/** How the engine reads the envelope. */
export const METRICS_SCHEMA = {
  path: fileURLToPath(new URL('./otlp-metrics.proto', import.meta.url)),
  message: 'ResourceMetrics',
} as const

/** The tables that points and exemplars go to. */
export const METRIC_TABLES = [
  'samples_int',
  'samples_float',
  'histograms',
  'exp_histograms',
  'summaries',
  'exemplars',
] as const
export type MetricTable = (typeof METRIC_TABLES)[number]

type Source = (structure: string) => string

const KEY_VALUES =
  'Array(Tuple(key LowCardinality(String), value Tuple(string_value String, int_value Nullable(Int64), bool_value Nullable(Bool), double_value Nullable(Float64))))'
const TIMES = 'start_time_unix_nano UInt64, time_unix_nano UInt64'
const EXEMPLARS = `exemplars Array(Tuple(filtered_attributes ${KEY_VALUES}, time_unix_nano UInt64, as_double Nullable(Float64), as_int Nullable(Int64), span_id String, trace_id String))`
const NUMBERS = `data_points Array(Tuple(attributes ${KEY_VALUES}, ${TIMES}, as_double Nullable(Float64), as_int Nullable(Int64), ${EXEMPLARS}))`
const HISTOGRAMS = `data_points Array(Tuple(attributes ${KEY_VALUES}, ${TIMES}, count UInt64, sum Nullable(Float64), bucket_counts Array(UInt64), explicit_bounds Array(Float64), ${EXEMPLARS}, flags UInt32, min Nullable(Float64), max Nullable(Float64)))`
const BUCKETS = 'Tuple(offset Int32, bucket_counts Array(UInt64))'
const EXP_HISTOGRAMS = `data_points Array(Tuple(attributes ${KEY_VALUES}, ${TIMES}, count UInt64, sum Nullable(Float64), scale Int32, zero_count UInt64, positive ${BUCKETS}, negative ${BUCKETS}, flags UInt32, ${EXEMPLARS}, min Nullable(Float64), max Nullable(Float64), zero_threshold Float64))`
const SUMMARIES = `data_points Array(Tuple(attributes ${KEY_VALUES}, ${TIMES}, count UInt64, sum Float64, quantile_values Array(Tuple(quantile Float64, value Float64)), flags UInt32))`
const SCOPE = 'scope Tuple(name LowCardinality(String), version LowCardinality(String))'

// As in schema/0019_otlp_metrics.sql.
const SCOPE_METRICS = `scope_metrics Array(Tuple(${SCOPE}, metrics Array(Tuple(name LowCardinality(String), gauge Tuple(${NUMBERS}), sum Tuple(${NUMBERS}, aggregation_temporality Int32, is_monotonic Bool), histogram Tuple(${HISTOGRAMS}, aggregation_temporality Int32), exponential_histogram Tuple(${EXP_HISTOGRAMS}, aggregation_temporality Int32), summary Tuple(${SUMMARIES})))))`

/**
 * `INSERT INTO otlp_metrics …` over an envelope; the views of the metric tables take their rows from the same block.
 * @param batch  SQL literal of the batch id, a UInt64
 */
export function insertMetrics(source: Source, batch: string, ofResource: Masking = NO_MASKING): string {
  return `INSERT INTO otlp_metrics (res_id, batch, scope_metrics)
SELECT sipHash64(toString(${resourcePairs(ofResource)})) AS res_id, ${batch} AS batch, scope_metrics FROM ${source(`${RESOURCE}, ${SCOPE_METRICS}`)}`
}

// What identifies a series must be the same here and in the views of the metric tables.
const POINTS = `data_points Array(Tuple(attributes ${KEY_VALUES}))`
const SERIES_METRICS = `scope_metrics Array(Tuple(${SCOPE}, metrics Array(Tuple(name LowCardinality(String), description LowCardinality(String), unit LowCardinality(String), gauge Tuple(${POINTS}), sum Tuple(${POINTS}, aggregation_temporality Int32, is_monotonic Bool), histogram Tuple(${POINTS}, aggregation_temporality Int32), exponential_histogram Tuple(${POINTS}, aggregation_temporality Int32), summary Tuple(${POINTS})))))`
const temporality = (of: string) => `if(${of} IN (1, 2), ${of}, 0)`
const KINDS = [
  {
    kind: 'if(notEmpty(m.sum.data_points), 2, 1)',
    temporality: `if(notEmpty(m.sum.data_points), ${temporality('m.sum.aggregation_temporality')}, 0)`,
    isMonotonic: 'notEmpty(m.sum.data_points) AND m.sum.is_monotonic',
    points: 'arrayConcat(m.gauge.data_points.attributes, m.sum.data_points.attributes)',
  },
  ...(['histogram', 'exponential_histogram'] as const).map((data, index) => ({
    kind: String(3 + index),
    temporality: temporality(`m.${data}.aggregation_temporality`),
    isMonotonic: 'false',
    points: `m.${data}.data_points.attributes`,
  })),
  { kind: '5', temporality: '2', isMonotonic: 'false', points: 'm.summary.data_points.attributes' },
]
const RESOURCE_COLUMNS = PROMOTED.filter(({ level }) => level === 'resource')

/**
 * `INSERT INTO series …` over an envelope: each series of it once. A series is told by its attributes as sent; what is
 * kept of them is masked.
 */
export function insertSeries(
  source: Source,
  ofResource: Masking = NO_MASKING,
  masking: Masking = NO_MASKING,
): string {
  const columns = RESOURCE_COLUMNS.map(
    ({ column, keys, fallback }) =>
      `toLowCardinality(substring(${lookUp(keys, { keys: 'res_k', values: 'res_v' }, literal(fallback ?? ''))}, 1, 256)) AS ${column}`,
  )
  const names = RESOURCE_COLUMNS.map(({ column }) => column).join(', ')
  const points = KINDS.map(
    ({ kind, temporality: of, isMonotonic, points: attributes }) =>
      `arrayMap(a -> (toInt8(${kind}), toInt8(${of}), toBool(${isMonotonic}), a), ${attributes})`,
  )
  // Kind and points are worked out before the points are unnested: after it the whole metric would be copied for each.
  return `INSERT INTO series (metric, series, kind, temporality, is_monotonic, is_overflow, unit, description, res_id, ${names}, scope, attr_k, attr_v, seen_at)
SELECT substring(name, 1, 256) AS metric,
  sipHash64(name, p.1, p.2, p.3, res_id, scope_name, scope_version, arraySort(arrayZip(p.4.key, ${valueTexts('p.4', false)})) AS pairs) AS series,
  p.1 AS kind, p.2 AS temporality, p.3 AS is_monotonic, has(pairs.1, 'otel.metric.overflow') AS is_overflow,
  substring(unit, 1, 64) AS unit, substring(description, 1, 1024) AS description, res_id, ${names},
  substring(scope_name, 1, 256) AS scope, pairs.1 AS attr_k, ${maskedValues('pairs.1', 'pairs.2', masking)} AS attr_v, now('UTC') AS seen_at
FROM (
  SELECT res_id, ${names}, sm.scope.name AS scope_name, sm.scope.version AS scope_version, m.name AS name, m.unit AS unit,
    m.description AS description, arrayConcat(${points.join(', ')}) AS points
  FROM (
    SELECT ${columns.join(', ')}, res_id, scope_metrics
    FROM (SELECT pairs.1 AS res_k, pairs.2 AS res_v, sipHash64(toString(pairs)) AS res_id, scope_metrics
      FROM (SELECT ${resourcePairs(ofResource)} AS pairs, scope_metrics FROM ${source(`${RESOURCE}, ${SERIES_METRICS}`)}))
  ) ARRAY JOIN scope_metrics AS sm ARRAY JOIN sm.metrics AS m
) ARRAY JOIN points AS p
LIMIT 1 BY metric, series`
}

type Access = Pick<Store, 'command' | 'rows'>
/** Times of a batch's points, ms since epoch, both ends inclusive. */
type TimeRange = { readonly fromMs: number; readonly toMs: number }

function within({ fromMs, toMs }: TimeRange): string {
  const ms = (at: number) => `fromUnixTimestamp64Milli(${at}, 'UTC')`
  return `ts >= ${ms(Math.floor(fromMs))} AND ts < ${ms(Math.floor(toMs) + 1)}`
}

/** Asks the store. @returns rows of the batch that are really there, by table */
export async function countMetricBatch(
  store: Access,
  batch: string,
  range: TimeRange,
): Promise<Record<MetricTable, number>> {
  const counts = METRIC_TABLES.map(
    (table) => `(SELECT count() FROM ${table} WHERE batch = ${batch} AND ${within(range)}) AS ${table}`,
  )
  const [row] = await store.rows(`SELECT ${counts.join(', ')}`)
  const count = (table: MetricTable): [MetricTable, number] => [table, Number(row?.[table] ?? 0)]
  return Object.fromEntries(METRIC_TABLES.map(count)) as Record<MetricTable, number>
}

/** Takes out of the store what is there of a batch. Resolves when it is gone. */
export async function deleteMetricBatch(store: Access, batch: string, range: TimeRange): Promise<void> {
  for (const table of METRIC_TABLES) {
    await store.command(
      `ALTER TABLE ${table} DELETE WHERE batch = ${batch} AND ${within(range)} SETTINGS mutations_sync = 2`,
    )
  }
}
