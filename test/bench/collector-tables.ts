// The peer of `storage`: the tables that the OpenTelemetry Collector's ClickHouse exporter makes by default (contrib,
// Apache-2.0, exporter/clickhouseexporter/internal/sqltemplates, as of 2026), written down here column by column: types,
// codecs, keys, indexes. Two forms: with full-text indexes, which the exporter chooses on an engine that has them, and
// with bloom filters, which it chooses otherwise and which are smaller. Rows are what its exporter would write of the same
// OTLP bytes, read by the engine itself.

import type { InsertJob } from '../../ingest/store/store.ts'

export type IndexForm = 'bloom' | 'text'

export const LOOK_UP = 'otel_traces_trace_id_ts'
export const tableOf = (form: IndexForm) => `otel_traces_${form}`

const MAP = 'Map(LowCardinality(String), String)'
const NAME = 'LowCardinality(String)'
// Column, type, codec before ZSTD(1).
const COLUMNS: readonly (readonly [name: string, type: string, codec?: string])[] = [
  ['Timestamp', 'DateTime64(9)', 'Delta(8)'],
  ['TraceId', 'String'],
  ['SpanId', 'String'],
  ['ParentSpanId', 'String'],
  ['TraceState', 'String'],
  ['SpanName', NAME],
  ['SpanKind', NAME],
  ['ServiceName', NAME],
  ['ResourceAttributes', MAP],
  ['ScopeName', 'String'],
  ['ScopeVersion', 'String'],
  ['SpanAttributes', MAP],
  ['Duration', 'UInt64', 'T64'],
  ['StatusCode', NAME],
  ['StatusMessage', 'String'],
  ['Events', `Nested(Timestamp DateTime64(9), Name ${NAME}, Attributes ${MAP})`],
  ['Links', `Nested(TraceId String, SpanId String, TraceState String, Attributes ${MAP})`],
]

const items = (map: string) =>
  `arrayMap(kv -> concat(kv.1, '=', kv.2), CAST(${map}, 'Array(Tuple(String, String))'))`
const TEXT = `TYPE text(tokenizer = 'array')`
const bloom = (rate: number) => `TYPE bloom_filter(${rate}) GRANULARITY 1`
const INDEXES: Readonly<Record<IndexForm, readonly string[]>> = {
  text: [
    `idx_trace_id TraceId ${TEXT}`,
    ...['Resource', 'Span'].flatMap((level) => [
      `idx_${level}_key mapKeys(${level}Attributes) ${TEXT}`,
      `idx_${level}_items ${level}AttributeItems ${TEXT}`,
    ]),
  ],
  bloom: [
    `idx_trace_id TraceId ${bloom(0.001)}`,
    ...['Resource', 'Span'].flatMap((level) => [
      `idx_${level}_key mapKeys(${level}Attributes) ${bloom(0.01)}`,
      `idx_${level}_value mapValues(${level}Attributes) ${bloom(0.01)}`,
    ]),
  ],
}

/** Statements that make the spans' table; its look-up of trace ids is made by `lookUpTables`. */
export function spansTable(form: IndexForm): string {
  const lines = [
    ...COLUMNS.map(
      ([name, type, codec]) => `${name} ${type} CODEC(${codec === undefined ? '' : `${codec}, `}ZSTD(1))`,
    ),
    ...['Resource', 'Span'].map(
      (level) => `${level}AttributeItems Array(String) ALIAS ${items(`${level}Attributes`)}`,
    ),
    ...INDEXES[form].map((index) => `INDEX ${index}`),
    'INDEX idx_duration Duration TYPE minmax GRANULARITY 1',
    'INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8',
  ]
  return `CREATE TABLE ${tableOf(form)} (${lines.join(',\n')})
ENGINE = MergeTree PARTITION BY toDate(Timestamp)
PRIMARY KEY (ServiceName, SpanName, toDateTime(Timestamp))
ORDER BY (ServiceName, SpanName, toDateTime(Timestamp), Timestamp)
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`
}

/** Trace id to first and last second, filled by a view over the table of that form. */
export function lookUpTables(form: IndexForm): string[] {
  return [
    `CREATE TABLE ${LOOK_UP} (
TraceId String CODEC(ZSTD(1)),
Start SimpleAggregateFunction(min, DateTime) CODEC(ZSTD(1)),
End SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1)))
ENGINE = AggregatingMergeTree PARTITION BY toStartOfWeek(Start) ORDER BY TraceId
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1`,
    `CREATE MATERIALIZED VIEW ${LOOK_UP}_mv TO ${LOOK_UP} AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End FROM ${tableOf(form)} WHERE TraceId != '' GROUP BY TraceId`,
  ]
}

const VALUE =
  'Tuple(string_value String, int_value Nullable(Int64), bool_value Nullable(Bool), double_value Nullable(Float64))'
const ATTRIBUTES = `Array(Tuple(key ${NAME}, value ${VALUE}))`
const SPAN = `Tuple(trace_id String, span_id String, trace_state String, parent_span_id String, name ${NAME}, kind Int32, start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes ${ATTRIBUTES}, status Tuple(message String, code Int32))`
const ENVELOPE = `resource Tuple(attributes ${ATTRIBUTES}), scope_spans Array(Tuple(scope Tuple(name String), spans Array(${SPAN})))`

const mapOf = (list: string) =>
  `CAST((${list}.key, arrayMap(v -> multiIf(isNotNull(v.int_value), toString(v.int_value), isNotNull(v.bool_value), toString(v.bool_value), isNotNull(v.double_value), toString(v.double_value), v.string_value), ${list}.value)), '${MAP}')`

/** Envelopes as Surety's own path makes them, into the table of that form. */
export function insertJob(
  body: InsertJob['body'],
  form: IndexForm,
  schema: NonNullable<InsertJob['schema']>,
  token: string,
): InsertJob {
  const names = COLUMNS.map(([name]) => name).filter((name) => name !== 'Events' && name !== 'Links')
  const sql = (source: (structure: string) => string) => `INSERT INTO ${tableOf(form)} (${names.join(', ')})
SELECT fromUnixTimestamp64Nano(toInt64(s.start_time_unix_nano)), lower(hex(s.trace_id)), lower(hex(s.span_id)), lower(hex(s.parent_span_id)), s.trace_state, s.name,
  ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'][s.kind + 1],
  ResourceAttributes['service.name'], ${mapOf('resource.attributes')} AS ResourceAttributes, ss.scope.name, '1', ${mapOf('s.attributes')},
  s.end_time_unix_nano - s.start_time_unix_nano, ['Unset', 'Ok', 'Error'][s.status.code + 1], s.status.message
FROM (SELECT * FROM ${source(ENVELOPE)}) ARRAY JOIN scope_spans AS ss ARRAY JOIN ss.spans AS s`
  return { body, format: 'ProtobufList', statements: [{ sql, token }], schema }
}
