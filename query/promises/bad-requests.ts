// Which requests spent an SLO's budget, as conditions on rollups or on spans.

import { literal } from '../../ingest/store/literal.ts'
import { goodSql, isInRollups, listOf, selectionSql, subjectSql } from '../measure/request-sql.ts'
import type { RequestIndicator } from '../slo/model.ts'
import type { TimeRange } from '../time-range.ts'

export type BadRequests = {
  readonly indicator: RequestIndicator
  /** Of the group-by subjects, in their order; undefined: of all groups. */
  readonly values: readonly string[] | undefined
  readonly range: TimeRange
  /** Stretches that do not count, ms since epoch, apart from one another. */
  readonly excluded: readonly TimeRange[]
}

export type BadRequestsTable = {
  readonly table: 'requests_1m' | 'spans'
  readonly time: string
  readonly minute: string
  readonly weight: string
}

const ROLLUP = { table: 'requests_1m', time: 'bucket', minute: 'bucket', weight: 'weighted' } as const
const SPANS = { table: 'spans', time: 'ts', minute: 'toStartOfMinute(ts)', weight: 'weight' } as const

/** Rollups where they hold what is asked. */
export const tableOf = ({ indicator }: BadRequests): BadRequestsTable =>
  isInRollups(indicator) ? ROLLUP : SPANS
export const SPANS_OF_REQUESTS: BadRequestsTable = SPANS

/** The same requests from either table: a rollup's minute counts when it begins within. */
export function conditionsOf(requests: BadRequests, { table, time }: BadRequestsTable): string {
  const { indicator, values, range, excluded } = requests
  const unitMs = isInRollups(indicator) ? 60_000 : 1000
  const second = (ms: number) => (Math.ceil(ms / unitMs) * unitMs) / 1000
  const at = (ms: number) => `toDateTime(${second(ms)}, 'UTC')`
  const [starts, ends] = [
    excluded.map(({ fromMs }) => second(fromMs)),
    excluded.map(({ toMs }) => second(toMs)),
  ]
  return [
    `${time} >= ${at(range.fromMs)}`,
    `${time} < ${at(range.toMs)}`,
    `traffic IN (${listOf(indicator.traffic)})`,
    ...(table === 'spans' ? ['kind IN (2, 5)', 'NOT is_ahead'] : []),
    ...(indicator.isEntry ? [`parent_id = toFixedString('', 8)`] : []),
    ...indicator.where.map(selectionSql),
    ...(values === undefined
      ? []
      : indicator.groupBy.map(
          (subject, place) => `${subjectSql(subject)} = ${literal(values[place] ?? '')}`,
        )),
    ...(excluded.length === 0
      ? []
      : [
          `NOT arrayExists((a, b) -> toUnixTimestamp(${time}) >= a AND toUnixTimestamp(${time}) < b, [${starts.join()}], [${ends.join()}])`,
        ]),
    `NOT (${goodSql(indicator.good)})`,
  ].join(' AND ')
}
