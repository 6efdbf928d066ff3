// The questions of traces by minute, as texts: asked straight for minutes that are not derived yet, and kept by the deriver. Both
// use these, so that a minute says the same either way.

import { readFileSync } from 'node:fs'

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8').trim()
const withoutComments = (sql: string) => sql.replaceAll(/^ *--.*\n?/gm, '').trim()
const part = (name: string) => withoutComments(read(name))

const FAILED = `outcome IN ('business_error', 'shed', 'system_error')`
const IN_MINUTE = `ts >= toDateTime({from:UInt32}, 'UTC') AND ts < toDateTime({from:UInt32}, 'UTC') + INTERVAL 60 SECOND`
const FAILED_TRACES = `trace_id IN (SELECT trace_id FROM spans WHERE ${IN_MINUTE} AND kind IN (2, 5) AND ${FAILED})`

const entries = part('./entries.sql')
const parts: Readonly<Record<string, string>> = {
  FAILED_TRACES,
  NODES: part('./nodes.sql'),
  SIGNATURE_OF_EXCEPTION: part('./exception-signature.sql'),
}
const PLACES = new RegExp(`\\b(?:${Object.keys(parts).join('|')})\\b`, 'g')
const composed = (name: string, narrow = '') =>
  part(name)
    .replace('ENTRIES_OF_MINUTE', () => entries)
    .replaceAll(/\bAND (?:ENTRIES|SERVICES)\b/g, () => narrow)
    .replaceAll(PLACES, (place) => parts[place] ?? '')

/**
 * SELECTs with the parameters from (s since epoch, start of the minute), slice and slices; their rows have the columns of the table
 * but for `slice` and `derivation`, and `histogram` beside.
 */
export const MINUTE_QUESTIONS = {
  trace_paths_1m: composed('./trace-paths.sql'),
  trace_failures_1m: composed('./trace-failures.sql'),
  instance_requests_1m: composed('./instance-requests.sql'),
} as const
export type MinuteTable = keyof typeof MINUTE_QUESTIONS

/**
 * Of a minute that is not derived yet: live traffic of some entries alone (entries: service 1F operation 1F code each), places of some
 * services alone (services: exactly).
 */
const OF_ENTRIES = `AND traffic = 'live' AND has({entries:Array(String)}, concat(service, '\\x1F', operation, '\\x1F', txn_code))`
export const OPEN_QUESTIONS = {
  trace_paths_1m: composed('./trace-paths.sql', OF_ENTRIES),
  trace_failures_1m: composed('./trace-failures.sql', OF_ENTRIES),
  instance_requests_1m: composed('./instance-requests.sql', 'AND service IN {services:Array(String)}'),
} as const

/** Columns of each table as the question gives them, in the order of the table. */
export const MINUTE_COLUMNS: Readonly<Record<MinuteTable, readonly string[]>> = {
  trace_paths_1m:
    'bucket traffic service operation txn_code environment channel site region branch teller client_version caller path requests weighted system_error business_error shed business_reject latency_buckets latency_weights'.split(
      ' ',
    ),
  trace_failures_1m:
    'bucket traffic service operation txn_code environment channel site region branch teller path origin_service origin_version origin_operation origin_peer origin_site origin_zone origin_cluster origin_node signature requests weighted example_trace'.split(
      ' ',
    ),
  instance_requests_1m:
    'bucket service version environment system site zone cluster node requests weighted bad first_s last_s own_buckets own_weights'.split(
      ' ',
    ),
}

/** The statement that keeps one slice of a minute. */
export function keepMinute(table: MinuteTable): string {
  const columns = MINUTE_COLUMNS[table].join(', ')
  return `INSERT INTO ${table} (${columns}, slice, derivation)
SETTINGS async_insert = 0, max_threads = 1, max_insert_threads = 1
SELECT ${columns}, {slice:UInt16} AS slice, {derivation:UInt64} AS derivation
FROM (
${MINUTE_QUESTIONS[table]}
)`
}
