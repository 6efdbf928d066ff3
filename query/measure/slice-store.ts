// Slices in the store: written once a measurement, read by whoever judges or draws.

import { z } from 'zod'
import { sqlMillisecond, statement, type Columns, type Store } from '../../ingest/store/store.ts'
import type { MeasuredSlice } from './measure.ts'

const COLUMNS: Columns = {
  slo: 'String',
  generation: 'UInt32',
  slo_group: 'String',
  start: 'UInt32',
  step: 'UInt16',
  good: 'UInt64',
  total: 'UInt64',
  revision: 'UInt32',
  measured_at: "DateTime64(3, 'UTC')",
}

export type StoredSlice = {
  readonly slo: string
  readonly group: string
  readonly startSecond: number
  readonly stepSeconds: number
  readonly good: number
  readonly total: number
  readonly revision: number
  readonly measuredAtMs: number
}

const stored = statement(
  new URL('./slices.sql', import.meta.url),
  z.object({
    slos: z.array(z.string()),
    generation: z.number().int(),
    from: z.number().int(),
    to: z.number().int(),
  }),
  z.object({
    slo: z.string(),
    slo_group: z.string(),
    at: z.coerce.number(),
    step: z.number(),
    good: z.coerce.number(),
    total: z.coerce.number(),
    revision: z.number(),
    measured_ms: z.coerce.number(),
  }),
)

/**
 * @param revisionOf  of a slice: how often it was measured before
 * @param token       names these slices; a repeat of it changes nothing
 * @throws StoreError
 */
export async function writeSlices(
  store: Pick<Store, 'insertRows'>,
  slices: readonly MeasuredSlice[],
  revisionOf: (slice: MeasuredSlice) => number,
  measuredAtMs: number,
  token: string,
): Promise<void> {
  if (slices.length === 0) return
  const measured_at = sqlMillisecond(measuredAtMs)
  await store.insertRows(
    'slo_slices',
    COLUMNS,
    slices.map((slice) => ({
      slo: slice.slo,
      generation: slice.generation,
      slo_group: slice.group,
      start: slice.startSecond,
      step: slice.stepSeconds,
      good: slice.good,
      total: slice.total,
      revision: revisionOf(slice),
      measured_at,
    })),
    token,
  )
}

/**
 * The newest revision of each slice, in order of SLO, group and time.
 * @param fromSecond, toSecond  s since epoch; slices that begin in between
 */
export async function readSlices(
  store: Pick<Store, 'ask'>,
  slos: readonly string[],
  generation: number,
  fromSecond: number,
  toSecond: number,
): Promise<StoredSlice[]> {
  const rows = await store.ask(
    stored,
    { slos: [...slos], generation, from: fromSecond, to: toSecond },
    { lane: 'heavy' },
  )
  return rows.map((row) => ({
    slo: row.slo,
    group: row.slo_group,
    startSecond: row.at,
    stepSeconds: row.step,
    good: row.good,
    total: row.total,
    revision: row.revision,
    measuredAtMs: row.measured_ms,
  }))
}
