// Questions that name no site, channel or region are asked of the tables that have services and versions alone: a hundredth of the
// rows. Which granularity a range has stands in granularity.ts.

import { z } from 'zod'
import { statement, type Statement, type Store } from '../../ingest/store/store.ts'
import { sqlSecond, type TimeRange } from '../time-range.ts'
import { hoursThenMinutes, type Granularity } from './granularity.ts'

// Constant, so that conditions on them cost nothing.
const UNSCOPED = `'' AS site, '' AS channel, '' AS region`
const COUNTS = `service, version, system, traffic, outcome, bucket, requests, weighted, last_at AS ends, ${UNSCOPED}`
const LATENCY = `service, version, traffic, bucket, latency, ${UNSCOPED}`

// Whole minutes, and tens of seconds at the ragged ends.
const COUNTS_FINE = `(
  SELECT ${COUNTS}
  FROM service_requests_1m
  WHERE bucket >= toStartOfMinute({from:DateTime('UTC')} + 59) AND bucket < toStartOfMinute({to:DateTime('UTC')})
  UNION ALL
  SELECT service, version, system, traffic, outcome, bucket, requests, weighted, bucket + INTERVAL 10 SECOND AS ends, ${UNSCOPED}
  FROM requests_10s
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    AND (bucket < toStartOfMinute({from:DateTime('UTC')} + 59) OR bucket >= toStartOfMinute({to:DateTime('UTC')}))
) AS by_service`
const of = (columns: string) => `(SELECT ${columns} FROM service_requests_1m) AS by_service`
const byHour = (columns: string) =>
  hoursThenMinutes({ table: 'service_requests_1h', columns }, { table: 'service_requests_1m', columns })

const SOURCES = {
  fine: { counts: COUNTS_FINE, latency: of(LATENCY) },
  minute: { counts: of(COUNTS), latency: of(LATENCY) },
  hour: { counts: byHour(COUNTS), latency: byHour(LATENCY) },
} as const satisfies Record<Granularity, unknown>

/** A question of services and versions as wholes, over `requests_10s` for counts or `requests_1m` for latency, with `from` and `to`. */
export function ofWholes<Parameters, Row>(
  question: Statement<Parameters, Row>,
  granularity: Granularity,
): Statement<Parameters, Row> {
  const { counts, latency } = SOURCES[granularity]
  const sql = question.sql
    .replace(/\bFROM requests_10s\b/, () => `FROM ${counts}`)
    .replace(/\bFROM requests_1m\b/, () => `FROM ${latency}`)
    .replace('max(bucket)) + 10', 'max(ends))')
  return { ...question, sql }
}

const HOUR_MS = 3_600_000
const settled = statement(
  new URL('./settled-hours.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string() }),
  z.object({ hour: z.coerce.number(), derivation: z.string() }),
)

/** Hours of service_requests_1h that hold what their minutes hold, for `latencyWithHours`. */
export type SettledHours = { readonly hours: readonly string[]; readonly derivations: readonly string[] }

/**
 * The whole hours of a range that are derived and have not changed since: late rows, or a batch put right, take an hour out until it
 * is derived again, so that an answer is the same with hours and without.
 * @throws StoreError
 */
export async function settledHours(
  store: Pick<Store, 'ask'>,
  { fromMs, toMs }: TimeRange,
): Promise<SettledHours> {
  const [first, last] = [Math.ceil(fromMs / HOUR_MS) * HOUR_MS, Math.floor(toMs / HOUR_MS) * HOUR_MS]
  if (last <= first) return { hours: [], derivations: [] }
  const rows = await store.ask(settled, { from: sqlSecond(first), to: sqlSecond(last) })
  return {
    hours: rows.map(({ hour }) => sqlSecond(hour * 1000)),
    derivations: rows.map(({ derivation }) => derivation),
  }
}

const WITH_HOURS = `(
  SELECT ${LATENCY}
  FROM service_requests_1h
  WHERE (bucket, derivation) IN (SELECT hour, number FROM (SELECT {hours:Array(DateTime('UTC'))} AS hours, {derivations:Array(UInt64)} AS numbers)
    ARRAY JOIN hours AS hour, numbers AS number)
  UNION ALL
  SELECT ${LATENCY}
  FROM service_requests_1m
  WHERE NOT has({hours:Array(DateTime('UTC'))}, toStartOfHour(bucket))
) AS by_service`

/** A question of latency over `requests_1m` with `from` and `to`, asked of hours where they are given, of minutes elsewhere. */
export function latencyWithHours<Parameters, Row>(
  question: Statement<Parameters, Row>,
): Statement<Parameters & SettledHours, Row> {
  return {
    ...question,
    parameters: z.intersection(
      question.parameters,
      z.object({ hours: z.array(z.string()), derivations: z.array(z.string()) }),
    ),
    sql: question.sql.replace(/\bFROM requests_1m\b/, () => `FROM ${WITH_HOURS}`),
  }
}
