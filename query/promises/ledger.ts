// Who spent the budget: bad events of an SLO by service, operation and version, and in how many minutes. Counted from rollups
// where they hold what is asked, else from spans.

import { z } from 'zod'
import type { Store } from '../../ingest/store/store.ts'
import { EVENT_SCALE } from '../measure/question.ts'
import { iso, type TimeRange } from '../time-range.ts'
import { conditionsOf, tableOf, type BadRequests } from './bad-requests.ts'

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
  /** From the first bad minute to the end of the last; undefined when nothing was bad. */
  readonly within: TimeRange | undefined
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
const Whole = z.object({ bad: number, minutes: number, first: number, last: number })

/** @throws StoreError */
export async function ledgerOf(
  store: Pick<Store, 'ask'>,
  requests: BadRequests,
  limit: number,
): Promise<Ledger> {
  const from = tableOf(requests)
  const conditions = conditionsOf(requests, from)
  const facts = `sum(${from.weight}) AS bad, uniqExact(${from.minute}) AS minutes, toUnixTimestamp(min(${from.minute})) AS first, toUnixTimestamp(max(${from.minute})) AS last`
  const ask = <Shape>(row: z.ZodType<Shape>, sql: string) =>
    store.ask({ name: 'slo-ledger', sql, parameters: z.object({}), row }, {}, { lane: 'heavy' })
  const rows = await ask(
    Row,
    `SELECT service, operation, version, ${facts}
FROM ${from.table} WHERE ${conditions} GROUP BY service, operation, version ORDER BY bad DESC, service, operation, version LIMIT ${limit}`,
  )
  const [whole] = await ask(Whole, `SELECT ${facts} FROM ${from.table} WHERE ${conditions}`)
  return {
    rows: rows.map(({ first, last, bad, ...row }) => ({
      ...row,
      bad: bad / EVENT_SCALE,
      firstAt: iso(first * 1000),
      lastAt: iso(last * 1000),
    })),
    bad: (whole?.bad ?? 0) / EVENT_SCALE,
    badMinutes: whole?.minutes ?? 0,
    within:
      whole === undefined || whole.minutes === 0
        ? undefined
        : { fromMs: whole.first * 1000, toMs: whole.last * 1000 + 60_000 },
  }
}
