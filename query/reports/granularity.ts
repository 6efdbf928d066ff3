// Which table answers: 10 seconds and minutes for what happened lately, hours for ranges over two days. Hours that are not
// derived yet, and the part of an hour at the end of a range, come from minutes.

import type { Statement } from '../../ingest/store/store.ts'
import { floorTo, type TimeRange } from '../time-range.ts'

export type Granularity = 'fine' | 'hour'

const HOUR_MS = 3_600_000
const FINE_MS_MAX = 48 * HOUR_MS

/** @returns what a range is answered from, and the range from the edge of its first bucket */
export function granularityOf(range: TimeRange): { granularity: Granularity; range: TimeRange } {
  if (range.toMs - range.fromMs <= FINE_MS_MAX) return { granularity: 'fine', range }
  return { granularity: 'hour', range: { fromMs: floorTo(range.fromMs, HOUR_MS), toMs: range.toMs } }
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

/** A question over `requests_10s` or `requests_1m`, with `from` and `to`, asked of the tables of a granularity. */
export function atGranularity<Parameters, Row>(
  question: Statement<Parameters, Row>,
  granularity: Granularity,
): Statement<Parameters, Row> {
  if (granularity === 'fine') return question
  const sql = question.sql
    .replace(/\bFROM requests_(?:10s|1m)\b/, () => `FROM ${BY_HOUR}`)
    .replace('max(bucket)) + 10', 'max(ends))')
  return { ...question, sql }
}
