// Where the peer of `ingest-metrics` stores: the tables that the OpenTelemetry Collector's ClickHouse exporter makes for
// sums, gauges and histograms (contrib, Apache-2.0, exporter/clickhouseexporter/internal/sqltemplates, as of 2026), written
// down here column by column. Resource and attributes stand as maps on every row.

export type MetricTableName = 'otel_metrics_sum' | 'otel_metrics_gauge' | 'otel_metrics_histogram'
export const METRIC_TABLE_NAMES: readonly MetricTableName[] = [
  'otel_metrics_sum',
  'otel_metrics_gauge',
  'otel_metrics_histogram',
]

type Column = readonly [name: string, type: string, codec?: string]

const MAP = 'Map(LowCardinality(String), String)'
const NAME = 'LowCardinality(String)'
const SHARED: readonly Column[] = [
  ['ResourceAttributes', MAP],
  ['ResourceSchemaUrl', 'String'],
  ['ScopeName', 'String'],
  ['ScopeVersion', 'String'],
  ['ScopeAttributes', MAP],
  ['ScopeDroppedAttrCount', 'UInt32'],
  ['ScopeSchemaUrl', 'String'],
  ['ServiceName', NAME],
  ['MetricName', NAME],
  ['MetricDescription', 'String'],
  ['MetricUnit', 'String'],
  ['Attributes', MAP],
  ['StartTimeUnix', 'DateTime', 'Delta'],
  ['TimeUnix', 'DateTime', 'Delta'],
]
const VALUE: readonly Column[] = [
  ['Value', 'Float64'],
  ['Flags', 'UInt32'],
]
const EXEMPLARS: Column = [
  'Exemplars',
  `Nested(FilteredAttributes ${MAP}, TimeUnix DateTime, Value Float64, SpanId String, TraceId String)`,
]
const TEMPORALITY: Column = ['AggregationTemporality', 'Int32']
const COLUMNS: Readonly<Record<MetricTableName, readonly Column[]>> = {
  otel_metrics_sum: [...SHARED, ...VALUE, EXEMPLARS, TEMPORALITY, ['IsMonotonic', 'Boolean', 'Delta']],
  otel_metrics_gauge: [...SHARED, ...VALUE, EXEMPLARS],
  otel_metrics_histogram: [
    ...SHARED,
    ['Count', 'UInt64', 'Delta'],
    ['Sum', 'Float64'],
    ['BucketCounts', 'Array(UInt64)'],
    ['ExplicitBounds', 'Array(Float64)'],
    EXEMPLARS,
    ['Flags', 'UInt32'],
    ['Min', 'Float64'],
    ['Max', 'Float64'],
    TEMPORALITY,
  ],
}
const MAPS_INDEXED = ['ResourceAttributes', 'ScopeAttributes', 'Attributes']

export function metricTable(name: MetricTableName): string {
  const lines = [
    ...COLUMNS[name].map(
      ([column, type, codec]) => `${column} ${type} CODEC(${codec === undefined ? '' : `${codec}, `}ZSTD(1))`,
    ),
    ...MAPS_INDEXED.flatMap((map) => [
      `INDEX idx_${map}_key mapKeys(${map}) TYPE bloom_filter(0.01) GRANULARITY 1`,
      `INDEX idx_${map}_value mapValues(${map}) TYPE bloom_filter(0.01) GRANULARITY 1`,
    ]),
    'INDEX idx_time_minmax TimeUnix TYPE minmax GRANULARITY 1',
  ]
  return `CREATE TABLE IF NOT EXISTS ${name} (${lines.join(',\n')})
ENGINE = MergeTree PARTITION BY toDate(TimeUnix)
ORDER BY (ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`
}

/** What the rows of JSON hold; the other columns keep their defaults. */
export function metricColumns(name: MetricTableName): { readonly names: string; readonly structure: string } {
  const columns = COLUMNS[name].filter(([column]) => column !== 'Exemplars')
  return {
    names: columns.map(([column]) => column).join(', '),
    structure: columns.map(([column, type]) => `${column} ${type === NAME ? 'String' : type}`).join(', '),
  }
}
