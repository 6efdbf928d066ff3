// Slices in the store: written once a measuring, read by whoever judges or draws.

import { z } from 'zod'
import { sqlMillisecond, statement, type Columns, type Store } from '../../ingest/store/store.ts'
import type { MeasuredSlice } from './measured-slice.ts'

const COLUMNS: Columns = {
  series: 'String',
  step: 'UInt16',
  slo_group: 'String',
  start: 'UInt32',
  good: 'UInt64',
  total: 'UInt64',
  is_known: 'Bool',
  revision: 'UInt32',
  measured_at: "DateTime64(3, 'UTC')",
}

export type StoredSlice = {
  readonly series: string
  readonly group: string
  readonly startSecond: number
  readonly good: number
  readonly total: number
  readonly isKnown: boolean
  readonly revision: number
}

const range = {
  series: z.array(z.string()),
  step: z.number().int(),
  from: z.number().int(),
  to: z.number().int(),
}
const counted = z.coerce.number()

const stored = statement(
  new URL('./slices.sql', import.meta.url),
  z.object(range),
  z.object({
    series: z.string(),
    slo_group: z.string(),
    at: counted,
    good: counted,
    total: counted,
    is_known: z.union([z.boolean(), z.number()]),
    revision: counted,
  }),
)
const sums = statement(
  new URL('./slice-sums.sql', import.meta.url),
  z.object({
    ...range,
    excluded_from: z.array(z.string()),
    excluded_to: z.array(z.string()),
  }),
  z.object({
    series: z.string(),
    slo_group: z.string(),
    good: counted,
    total: counted,
    known: counted,
    empty: counted,
    excluded_good: counted,
    excluded_total: counted,
    excluded_known: counted,
    excluded_empty: counted,
    first: counted,
  }),
)

/** s since 2020: what a measuring at an instant has as its revision. */
export const revisionAt = (ms: number): number => Math.floor((ms - Date.UTC(2020)) / 1000)

/**
 * @param token  names these slices; a repeat of it changes nothing
 * @throws StoreError
 */
export async function writeSlices(
  store: Pick<Store, 'insertRows'>,
  slices: readonly MeasuredSlice[],
  measuredAtMs: number,
  token: string,
): Promise<void> {
  if (slices.length === 0) return
  const measured_at = sqlMillisecond(measuredAtMs)
  const revision = revisionAt(measuredAtMs)
  await store.insertRows(
    'sli_slices',
    COLUMNS,
    slices.map((slice) => ({
      series: slice.series,
      step: slice.stepSeconds,
      slo_group: slice.group,
      start: slice.startSecond,
      good: slice.good,
      total: slice.total,
      is_known: slice.isKnown,
      revision,
      measured_at,
    })),
    token,
  )
}

export type SeriesRange = {
  readonly series: readonly string[]
  readonly stepSeconds: number
  /** s since epoch; slices that begin in between */
  readonly fromSecond: number
  readonly toSecond: number
}

const parametersOf = ({ series, stepSeconds, fromSecond, toSecond }: SeriesRange) => ({
  series: [...series],
  step: stepSeconds,
  from: fromSecond,
  to: toSecond,
})

/** The newest revision of each slice, in order of series, group and time. @throws StoreError */
export async function readSlices(store: Pick<Store, 'ask'>, wanted: SeriesRange): Promise<StoredSlice[]> {
  if (wanted.series.length === 0 || wanted.toSecond <= wanted.fromSecond) return []
  const rows = await store.ask(stored, parametersOf(wanted), { lane: 'heavy', secondsMax: 60 })
  return rows.map((row) => ({
    series: row.series,
    group: row.slo_group,
    startSecond: row.at,
    good: row.good,
    total: row.total,
    isKnown: Boolean(row.is_known),
    revision: row.revision,
  }))
}

export type SumsRow = {
  readonly series: string
  readonly group: string
  readonly all: SliceSums
  readonly excluded: SliceSums
  /** First known slice, s since epoch. */
  readonly firstSecond: number
}
type SliceSums = {
  readonly good: number
  readonly total: number
  readonly known: number
  readonly empty: number
}

/** Sums by series and group. @param excluded  stretches [from, to), s since epoch, apart from one another @throws StoreError */
export async function sumSlices(
  store: Pick<Store, 'ask'>,
  wanted: SeriesRange,
  excluded: readonly { readonly from: number; readonly to: number }[] = [],
): Promise<SumsRow[]> {
  if (wanted.series.length === 0 || wanted.toSecond <= wanted.fromSecond) return []
  const rows = await store.ask(
    sums,
    {
      ...parametersOf(wanted),
      excluded_from: excluded.map(({ from }) => String(from)),
      excluded_to: excluded.map(({ to }) => String(to)),
    },
    { lane: 'heavy', secondsMax: 120 },
  )
  return rows.map((row) => ({
    series: row.series,
    group: row.slo_group,
    all: { good: row.good, total: row.total, known: row.known, empty: row.empty },
    excluded: {
      good: row.excluded_good,
      total: row.excluded_total,
      known: row.excluded_known,
      empty: row.excluded_empty,
    },
    firstSecond: row.first,
  }))
}
