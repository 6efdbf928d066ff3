// Which table answers: 10 seconds and minutes for what happened lately, minutes for what ended over a day ago, hours for
// ranges over two days and for what is older than the minutes that are kept. Hours that are not derived yet, and the part of an
// hour at the end of a range, come from minutes.

import type { Statement } from '../../ingest/store/store.ts'
import { floorTo, type TimeRange } from '../time-range.ts'

export type Granularity = 'fine' | 'minute' | 'hour'

/** How far back there are minutes. */
export type Horizon = {
  readonly nowMs: number
  /** SURETY_RETENTION_1M_DAYS */
  readonly minutesDays: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const FINE_MS_MAX = 48 * HOUR_MS
// What ended longer ago is looked at by the minute: tens of seconds are not kept as long.
const LIST_BY_MINUTE_MS = 10 * MINUTE_MS
const FINE_AGO_MS_MAX = 24 * HOUR_MS

/**
 * @returns what a range is answered from, and the range from the edge of its first bucket; whole minutes when it is long ago, whole
 *   hours where minutes are no longer kept
 */
export function granularityOf(
  range: TimeRange,
  { nowMs, minutesDays }: Horizon,
): { granularity: Granularity; range: TimeRange } {
  const oldestMinuteMs = nowMs - minutesDays * DAY_MS
  if (range.fromMs < oldestMinuteMs || range.toMs - range.fromMs > FINE_MS_MAX) {
    const toMs =
      range.toMs < oldestMinuteMs + HOUR_MS ? Math.ceil(range.toMs / HOUR_MS) * HOUR_MS : range.toMs
    return { granularity: 'hour', range: { fromMs: floorTo(range.fromMs, HOUR_MS), toMs } }
  }
  if (nowMs - range.toMs <= FINE_AGO_MS_MAX) return { granularity: 'fine', range }
  const fromMs = floorTo(range.fromMs, MINUTE_MS)
  return {
    granularity: 'minute',
    range: { fromMs, toMs: Math.max(fromMs + MINUTE_MS, floorTo(range.toMs, MINUTE_MS)) },
  }
}

/** What a list over a range is answered from: one figure for ten minutes needs no tens of seconds at its ends. */
export function listGranularityOf(
  range: TimeRange,
  horizon: Horizon,
): { granularity: Granularity; range: TimeRange } {
  const asked = granularityOf(range, horizon)
  if (asked.granularity !== 'fine' || range.toMs - range.fromMs < LIST_BY_MINUTE_MS) return asked
  // The minute that is not over holds nothing that is later than now.
  const endsNow = range.toMs >= floorTo(horizon.nowMs, MINUTE_MS)
  const toMs = endsNow ? range.toMs : floorTo(range.toMs, MINUTE_MS)
  return { granularity: 'minute', range: { fromMs: floorTo(range.fromMs, MINUTE_MS), toMs } }
}

// The end of what hours hold: the newest derived one, but only whole hours of the range.
const SEAM = `least(toStartOfHour({to:DateTime('UTC')}), (SELECT if(count() = 0, {from:DateTime('UTC')}, max(bucket) + INTERVAL 1 HOUR) FROM derivations WHERE name = 'requests_1h'))`

/**
 * SQL that stands after FROM: hours up to the newest derived one, minutes after it.
 * @param hours,minutes  what is read of each, by the same names
 */
export function hoursThenMinutes(
  hours: { readonly table: string; readonly columns: string },
  minutes: { readonly table: string; readonly columns: string },
): string {
  return `(
  SELECT ${hours.columns}
  FROM ${hours.table}
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < ${SEAM}
    AND (bucket, derivation) IN (SELECT bucket, max(derivation) FROM derivations
      WHERE name = 'requests_1h' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} GROUP BY bucket)
  UNION ALL
  SELECT ${minutes.columns}
  FROM ${minutes.table}
  WHERE bucket >= greatest({from:DateTime('UTC')}, ${SEAM}) AND bucket < {to:DateTime('UTC')}
) AS by_hour`
}

const COLUMNS =
  'service, operation, version, system, site, zone, cluster, channel, region, traffic, outcome, bucket, requests, weighted, latency'
const BY_HOUR = hoursThenMinutes(
  { table: 'requests_1h', columns: `${COLUMNS}, bucket + INTERVAL 1 HOUR AS ends` },
  { table: 'requests_1m', columns: `${COLUMNS}, bucket + INTERVAL 1 MINUTE AS ends` },
)

/** A question over `requests_10s` or `requests_1m`, with `from` and `to`, asked of the tables of a granularity. */
export function atGranularity<Parameters, Row>(
  question: Statement<Parameters, Row>,
  granularity: Granularity,
): Statement<Parameters, Row> {
  if (granularity === 'fine') return question
  if (granularity === 'minute') {
    const sql = question.sql
      .replace(/\bFROM requests_10s\b/, 'FROM requests_1m')
      .replace('max(bucket)) + 10', 'max(bucket)) + 60')
    return { ...question, sql }
  }
  const sql = question.sql
    .replace(/\bFROM requests_(?:10s|1m)\b/, () => `FROM ${BY_HOUR}`)
    .replace('max(bucket)) + 10', 'max(ends))')
  return { ...question, sql }
}
