// The statement that turns an envelope of OTLP log records that are events into rows, and what a recovery asks of their
// table. The engine parses; whoever calls has left out the records that carry no name.

import { fileURLToPath } from 'node:url'
import { EVENT_KIND_NAMES, EVENT_KINDS, EVENT_NAME_KEYS } from './event-kinds.ts'
import { lookUp, RESOURCE, resourcePairs, valueTexts } from './insert-spans.ts'
import { literal } from './literal.ts'
import { maskedValues, NO_MASKING, type Masking } from './masking.ts'
import { PROMOTED } from './promoted.ts'
import type { Store } from './store.ts'

/** How the engine reads the envelope. */
export const LOGS_SCHEMA = {
  path: fileURLToPath(new URL('./otlp-logs.proto', import.meta.url)),
  message: 'ResourceLogs',
} as const

type Source = (structure: string) => string

const VALUE =
  'string_value String, int_value Nullable(Int64), bool_value Nullable(Bool), double_value Nullable(Float64), bytes_value String, array_value Tuple(values Array(Tuple(string_value String, int_value Nullable(Int64), bool_value Nullable(Bool), double_value Nullable(Float64))))'
const RECORD = `time_unix_nano UInt64, observed_time_unix_nano UInt64, severity_number Int32, body Tuple(${VALUE}), attributes Array(Tuple(key LowCardinality(String), value Tuple(${VALUE}))), trace_id String, span_id String, event_name String`
const SCOPE_LOGS = `scope_logs Array(Tuple(scope Tuple(name LowCardinality(String)), log_records Array(Tuple(${RECORD}))))`

const RESOURCE_COLUMNS = PROMOTED.filter(({ level }) => level === 'resource')
const PLACES = [
  ['namespace', 'k8s.namespace.name'],
  ['node', 'k8s.node.name'],
  ['pod', 'k8s.pod.name'],
] as const

const listOf = (texts: readonly string[]) => texts.map(literal).join(', ')
const names = Object.entries(EVENT_KINDS).flatMap(([kind, words]) =>
  words.map((word) => [word, kind] as const),
)
const KIND = `transform(lower(name), [${listOf(names.map(([word]) => word))}], [${listOf(names.map(([, kind]) => kind))}], ${literal(EVENT_KIND_NAMES.at(-1) ?? '')})`

/**
 * `INSERT INTO events …` over an envelope.
 * @param batch       SQL expression of the batch id
 * @param ofResource  what is masked in resources: the same as for `insertResources`
 */
export function insertEvents(
  source: Source,
  batch: string,
  ofResource: Masking = NO_MASKING,
  masking: Masking = NO_MASKING,
): string {
  const columns = RESOURCE_COLUMNS.map(
    ({ column, keys, fallback }) =>
      `substring(${lookUp(keys, { keys: 'res_k', values: 'res_v' }, literal(fallback ?? ''))}, 1, 256) AS ${column}`,
  )
  const columnNames = RESOURCE_COLUMNS.map(({ column }) => column)
  const name = lookUp(EVENT_NAME_KEYS, { keys: 'k', values: 'raw' }, `''`)
  const places = PLACES.map(
    ([column, key]) =>
      `substring(${lookUp([key], { keys: 'k', values: 'raw' }, `res_v[indexOf(res_k, ${literal(key)})]`)}, 1, 256) AS ${column}`,
  )
  // The body goes through the same masks as the attributes, as one more value without a key.
  const values = maskedValues(`arrayPushBack(k, '')`, 'arrayPushBack(raw, body)', masking)
  return `INSERT INTO events (ts, name, kind, severity, body, ${columnNames.join(', ')}, ${PLACES.map(([column]) => column).join(', ')}, trace_id, span_id, res_id, batch, scope, attr_k, attr_v)
SELECT fromUnixTimestamp64Nano(toInt64(if(r.time_unix_nano = 0, r.observed_time_unix_nano, r.time_unix_nano)), 'UTC') AS ts,
  substring(if(r.event_name != '', r.event_name, ${name}), 1, 256) AS name, ${KIND} AS kind,
  toInt8(if(r.severity_number BETWEEN 1 AND 24, r.severity_number, 0)) AS severity, substring(texts[length(k) + 1], 1, 8192) AS body,
  ${columnNames.join(', ')}, ${places.join(', ')},
  toFixedString(substring(r.trace_id, 1, 16), 16) AS trace_id, toFixedString(substring(r.span_id, 1, 8), 8) AS span_id,
  res_id, ${batch} AS batch, substring(scope_name, 1, 256) AS scope, k AS attr_k, arraySlice(texts, 1, length(k)) AS attr_v
FROM (SELECT *, ${values} AS texts
FROM (SELECT ${columnNames.join(', ')}, res_k, res_v, res_id, sl.scope.name AS scope_name, r, r.attributes.key AS k,
    ${valueTexts('r.attributes', true)} AS raw, (${valueTexts('[tuple(r.body)]', true).replaceAll('[tuple(r.body)].value', '[r.body]')})[1] AS body
FROM (
  SELECT ${columns.join(', ')}, res_k, res_v, res_id, scope_logs
  FROM (SELECT pairs.1 AS res_k, pairs.2 AS res_v, sipHash64(toString(pairs)) AS res_id, scope_logs
    FROM (SELECT ${resourcePairs(ofResource)} AS pairs, scope_logs FROM ${source(`${RESOURCE}, ${SCOPE_LOGS}`)}))
) ARRAY JOIN scope_logs AS sl ARRAY JOIN sl.log_records AS r))`
}

type Access = Pick<Store, 'command' | 'rows'>
/** Times of a batch's events, ms since epoch, both ends inclusive. */
type TimeRange = { readonly fromMs: number; readonly toMs: number }

function within({ fromMs, toMs }: TimeRange): string {
  const ms = (at: number) => `fromUnixTimestamp64Milli(${at}, 'UTC')`
  return `ts >= ${ms(Math.floor(fromMs))} AND ts < ${ms(Math.floor(toMs) + 1)}`
}

/** Asks the store. @returns events of the batch that are really there */
export async function countEvents(store: Access, batch: string, range: TimeRange): Promise<number> {
  const [row] = await store.rows(
    `SELECT count() AS found FROM events WHERE batch = ${batch} AND ${within(range)}`,
  )
  return Number(row?.['found'] ?? 0)
}

/** Takes out of the store what is there of a batch. Resolves when it is gone. */
export async function deleteEvents(store: Access, batch: string, range: TimeRange): Promise<void> {
  await store.command(
    `ALTER TABLE events DELETE WHERE batch = ${batch} AND ${within(range)} SETTINGS mutations_sync = 2`,
  )
}
