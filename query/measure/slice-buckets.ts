// Slices of one series added up by buckets of time: for charts, whose points are windows over them.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'

export type BucketCounts = {
  readonly good: number
  readonly total: number
  readonly known: number
  readonly empty: number
}
export type SliceBucket = {
  /** s since epoch */
  readonly startSecond: number
  /** Thousandths of events; `known` and `empty` are slices. */
  readonly all: BucketCounts
  readonly excluded: BucketCounts
}

const counted = z.coerce.number()
const buckets = statement(
  new URL('./slice-buckets.sql', import.meta.url),
  z.object({
    series: z.string(),
    step: z.number().int(),
    slo_group: z.string(),
    from: z.number().int(),
    to: z.number().int(),
    bucket: z.number().int(),
    excluded_from: z.array(z.string()),
    excluded_to: z.array(z.string()),
  }),
  z.object({
    at: counted,
    good: counted,
    total: counted,
    known: counted,
    empty: counted,
    excluded_good: counted,
    excluded_total: counted,
    excluded_known: counted,
    excluded_empty: counted,
  }),
)

/** @throws StoreError */
export async function sliceBuckets(
  store: Pick<Store, 'ask'>,
  which: {
    readonly series: string
    readonly stepSeconds: number
    readonly group: string
    readonly fromSecond: number
    readonly toSecond: number
    readonly bucketSeconds: number
  },
  excluded: readonly { readonly from: number; readonly to: number }[],
): Promise<SliceBucket[]> {
  const rows = await store.ask(
    buckets,
    {
      series: which.series,
      step: which.stepSeconds,
      slo_group: which.group,
      from: which.fromSecond,
      to: which.toSecond,
      bucket: which.bucketSeconds,
      excluded_from: excluded.map(({ from }) => String(from)),
      excluded_to: excluded.map(({ to }) => String(to)),
    },
    { lane: 'heavy' },
  )
  return rows.map((row) => ({
    startSecond: row.at,
    all: { good: row.good, total: row.total, known: row.known, empty: row.empty },
    excluded: {
      good: row.excluded_good,
      total: row.excluded_total,
      known: row.excluded_known,
      empty: row.excluded_empty,
    },
  }))
}
