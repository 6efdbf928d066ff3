// Who spent the budget: bad events of an SLO by service, operation and version, and in how many minutes. Counted from rollups
// where they hold what is asked, else from spans.

import { z } from 'zod'
import { literal } from '../../ingest/store/literal.ts'
import type { Statement, Store } from '../../ingest/store/store.ts'
import { EVENT_SCALE } from '../measure/question.ts'
import { goodSql, isInRollups, listOf, selectionSql, subjectSql } from '../measure/request-sql.ts'
import type { RequestIndicator } from '../slo/model.ts'
import { iso, type TimeRange } from '../time-range.ts'

export type LedgerRow = {
  readonly service: string
  readonly operation: string
  readonly version: string
  readonly bad: number
  readonly minutes: number
  readonly firstAt: string
  readonly lastAt: string
}

export type Ledger = {
  readonly rows: readonly LedgerRow[]
  readonly bad: number
  readonly badMinutes: number
}

const number = z.coerce.number()
const Row = z.object({
  service: z.string(),
  operation: z.string(),
  version: z.string(),
  bad: number,
  minutes: number,
  first: number,
  last: number,
})
const Whole = z.object({ bad: number, minutes: number })

/**
 * @param values    of the group-by subjects, in their order; empty without
 * @param excluded  stretches that do not count, ms since epoch
 * @throws StoreError
 */
export async function ledgerOf(
  store: Pick<Store, 'ask'>,
  indicator: RequestIndicator,
  values: readonly string[],
  { fromMs, toMs }: TimeRange,
  excluded: readonly { readonly fromMs: number; readonly toMs: number }[],
  limit: number,
): Promise<Ledger> {
  const isRolled = isInRollups(indicator)
  const [time, table, weight] = isRolled ? ['bucket', 'requests_1m', 'weighted'] : ['ts', 'spans', 'weight']
  const at = (ms: number) => `toDateTime(${Math.floor(ms / 1000)}, 'UTC')`
  const conditions = [
    `${time} >= ${at(fromMs)}`,
    `${time} < ${at(toMs)}`,
    `traffic IN (${listOf(indicator.traffic)})`,
    ...(isRolled ? [] : ['kind IN (2, 5)', 'NOT is_ahead']),
    ...(indicator.isEntry ? [`parent_id = toFixedString('', 8)`] : []),
    ...indicator.where.map(selectionSql),
    ...indicator.groupBy.map((subject, place) => `${subjectSql(subject)} = ${literal(values[place] ?? '')}`),
    ...excluded.map((one) => `NOT (${time} >= ${at(one.fromMs)} AND ${time} < ${at(one.toMs)})`),
    `NOT (${goodSql(indicator.good)})`,
  ].join(' AND ')
  const minute = isRolled ? 'bucket' : 'toStartOfMinute(ts)'
  const facts = `sum(${weight}) AS bad, uniqExact(${minute}) AS minutes`
  const ask = <Shape>(row: z.ZodType<Shape>, sql: string) => {
    const question: Statement<Record<string, never>, Shape> = {
      name: 'slo-ledger',
      sql,
      parameters: z.object({}),
      row,
    }
    return store.ask(question, {}, { lane: 'heavy' })
  }
  const rows = await ask(
    Row,
    `SELECT service, operation, version, ${facts}, toUnixTimestamp(min(${minute})) AS first, toUnixTimestamp(max(${minute})) AS last
FROM ${table} WHERE ${conditions} GROUP BY service, operation, version ORDER BY bad DESC, service, operation, version LIMIT ${limit}`,
  )
  const [whole] = await ask(Whole, `SELECT ${facts} FROM ${table} WHERE ${conditions}`)
  return {
    rows: rows.map(({ first, last, bad, ...row }) => ({
      ...row,
      bad: bad / EVENT_SCALE,
      firstAt: iso(first * 1000),
      lastAt: iso(last * 1000),
    })),
    bad: (whole?.bad ?? 0) / EVENT_SCALE,
    badMinutes: whole?.minutes ?? 0,
  }
}
