// Which table answers: 10 seconds and minutes for what happened lately, minutes for what ended over a day ago, hours for
// ranges over two days. Hours that are not derived yet, and the part of an hour at the end of a range, come from minutes.
// Questions that name no site, channel or region read whole minutes from a table that has services and versions alone.

import type { Statement } from '../../ingest/store/store.ts'
import { floorTo, type TimeRange } from '../time-range.ts'

export type Granularity = 'fine' | 'minute' | 'hour'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const FINE_MS_MAX = 48 * HOUR_MS
// What ended longer ago is looked at by the minute: tens of seconds are not kept as long.
const LIST_BY_MINUTE_MS = 10 * MINUTE_MS
const FINE_AGO_MS_MAX = 24 * HOUR_MS

/** @returns what a range is answered from, and the range from the edge of its first bucket, whole minutes when it is long ago */
export function granularityOf(
  range: TimeRange,
  nowMs: number,
): { granularity: Granularity; range: TimeRange } {
  if (range.toMs - range.fromMs <= FINE_MS_MAX) {
    if (nowMs - range.toMs <= FINE_AGO_MS_MAX) return { granularity: 'fine', range }
    const fromMs = floorTo(range.fromMs, MINUTE_MS)
    return {
      granularity: 'minute',
      range: { fromMs, toMs: Math.max(fromMs + MINUTE_MS, floorTo(range.toMs, MINUTE_MS)) },
    }
  }
  return { granularity: 'hour', range: { fromMs: floorTo(range.fromMs, HOUR_MS), toMs: range.toMs } }
}

/** What a list over a range is answered from: one figure for ten minutes needs no tens of seconds at its ends. */
export function listGranularityOf(
  range: TimeRange,
  nowMs: number,
): { granularity: Granularity; range: TimeRange } {
  const asked = granularityOf(range, nowMs)
  if (asked.granularity !== 'fine' || range.toMs - range.fromMs < LIST_BY_MINUTE_MS) return asked
  // The minute that is not over holds nothing that is later than now.
  const endsNow = range.toMs >= floorTo(nowMs, MINUTE_MS)
  const toMs = endsNow ? range.toMs : floorTo(range.toMs, MINUTE_MS)
  return { granularity: 'minute', range: { fromMs: floorTo(range.fromMs, MINUTE_MS), toMs } }
}

const DIMENSIONS =
  'service, operation, version, system, site, zone, cluster, channel, region, traffic, outcome'
const COLUMNS = `${DIMENSIONS}, bucket, requests, weighted, latency`
// The end of what hours hold: the newest derived one, but only whole hours of the range.
const SEAM = `least(toStartOfHour({to:DateTime('UTC')}), (SELECT if(count() = 0, {from:DateTime('UTC')}, max(bucket) + INTERVAL 1 HOUR) FROM derivations WHERE name = 'requests_1h'))`
const BY_HOUR = `(
  SELECT ${COLUMNS}, bucket + INTERVAL 1 HOUR AS ends
  FROM requests_1h
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < ${SEAM}
    AND (bucket, derivation) IN (SELECT bucket, max(derivation) FROM derivations
      WHERE name = 'requests_1h' AND bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')} GROUP BY bucket)
  UNION ALL
  SELECT ${COLUMNS}, bucket + INTERVAL 1 MINUTE AS ends
  FROM requests_1m
  WHERE bucket >= greatest({from:DateTime('UTC')}, ${SEAM}) AND bucket < {to:DateTime('UTC')}
) AS by_hour`

// Constant, so that conditions on them cost nothing.
const UNSCOPED = `'' AS site, '' AS channel, '' AS region`
const BY_SERVICE = `(
  SELECT service, version, system, traffic, outcome, bucket, requests, weighted, last_at AS ends, ${UNSCOPED}
  FROM service_requests_1m
  WHERE bucket >= toStartOfMinute({from:DateTime('UTC')} + 59) AND bucket < toStartOfMinute({to:DateTime('UTC')})
  UNION ALL
  SELECT service, version, system, traffic, outcome, bucket, requests, weighted, bucket + INTERVAL 10 SECOND AS ends, ${UNSCOPED}
  FROM requests_10s
  WHERE bucket >= {from:DateTime('UTC')} AND bucket < {to:DateTime('UTC')}
    AND (bucket < toStartOfMinute({from:DateTime('UTC')} + 59) OR bucket >= toStartOfMinute({to:DateTime('UTC')}))
) AS by_service`
const BY_WHOLE_MINUTE = `(
  SELECT service, version, system, traffic, outcome, bucket, requests, weighted, last_at AS ends, ${UNSCOPED}
  FROM service_requests_1m
) AS by_service`
const LATENCY_BY_SERVICE = `(SELECT service, version, traffic, bucket, latency, ${UNSCOPED} FROM service_requests_1m) AS by_service`

/** A question of services and versions as wholes, over `requests_10s` or `requests_1m`, with `from` and `to`: not by the hour. */
export function byService<Parameters, Row>(
  question: Statement<Parameters, Row>,
  granularity: 'fine' | 'minute',
): Statement<Parameters, Row> {
  const counts = granularity === 'fine' ? BY_SERVICE : BY_WHOLE_MINUTE
  const sql = question.sql
    .replace(/\bFROM requests_10s\b/, () => `FROM ${counts}`)
    .replace(/\bFROM requests_1m\b/, () => `FROM ${LATENCY_BY_SERVICE}`)
    .replace('max(bucket)) + 10', 'max(ends))')
  return { ...question, sql }
}

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
