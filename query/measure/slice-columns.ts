// Slices of many series at once, as columns: ten thousand series of seven hours are four million slices.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { SeriesRange } from './slice-store.ts'

/** Of one series and group, in order of time. */
export type ReadColumns = {
  /** s since epoch */
  readonly starts: readonly number[]
  /** Thousandths of events. */
  readonly goods: readonly number[]
  readonly totals: readonly number[]
  /** 1 where it is known. */
  readonly known: readonly number[]
  readonly revisions: readonly number[]
}

// Our own statement answers numbers; looking at four million of them one by one would take longer than reading them.
const numbers = z.custom<readonly number[]>((value) => Array.isArray(value))
const columns = statement(
  new URL('./slice-columns.sql', import.meta.url),
  z.object({
    series: z.array(z.string()),
    step: z.number().int(),
    from: z.number().int(),
    to: z.number().int(),
  }),
  z.object({
    series: z.string(),
    slo_group: z.string(),
    starts: numbers,
    goods: numbers,
    totals: numbers,
    known: numbers,
    revisions: numbers,
  }),
)

/** By `SERIES/GROUP`. @throws StoreError */
export async function readColumns(
  store: Pick<Store, 'ask'>,
  { series, stepSeconds, fromSecond, toSecond }: SeriesRange,
): Promise<ReadonlyMap<string, ReadColumns>> {
  if (series.length === 0 || toSecond <= fromSecond) return new Map()
  const rows = await store.ask(
    columns,
    { series: [...series], step: stepSeconds, from: fromSecond, to: toSecond },
    { lane: 'heavy', secondsMax: 120 },
  )
  return new Map(rows.map((row) => [`${row.series}/${row.slo_group}`, row]))
}
