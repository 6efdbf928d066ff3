// What comes later than the allowance: time that was not known is filled, time that was known is not changed. A difference is noted as a
// correction; one that somebody approved becomes the slice's newest revision.

import type { Store } from '../../ingest/store/store.ts'
import type { MeasuredSlice } from '../../query/measure/measured-slice.ts'
import { measureSlices } from '../../query/measure/measure.ts'
import type { SliceQuestion } from '../../query/measure/question.ts'
import { readSlices, writeSlices } from '../../query/measure/slice-store.ts'
import {
  approvedCorrections,
  markApplied,
  noteCorrections,
  type Noticed,
} from '../../query/promises/corrections.ts'
import type { Database } from '../../query/registry/database.ts'

const APPROVED_MAX = 10_000

/**
 * @param range  s since epoch, edges of slices; all of it settled
 * @returns series whose unknown time was filled
 * @throws StoreError
 */
export async function reviewSettled(
  store: Store,
  database: Database,
  questions: readonly SliceQuestion[],
  range: { readonly from: number; readonly to: number; readonly stepSeconds: number },
  knownGroups: (series: string) => Iterable<string>,
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const { slices } = await measureSlices(store, questions, range.from, range.to, knownGroups)
  const kept = new Map(
    (
      await readSlices(store, {
        series: questions.map(({ series }) => series),
        stepSeconds: range.stepSeconds,
        fromSecond: range.from,
        toSecond: range.to,
      })
    ).map((one) => [`${one.series}/${one.group}/${one.startSecond}`, one]),
  )
  const fills: MeasuredSlice[] = []
  const noticed: Noticed[] = []
  for (const slice of slices) {
    if (!slice.isKnown) continue
    const { series, group, startSecond, stepSeconds, good, total } = slice
    const before = kept.get(`${series}/${group}/${startSecond}`)
    if (before?.isKnown !== true) fills.push(slice)
    else if (before.good !== good || before.total !== total)
      noticed.push({
        series,
        stepSeconds,
        group,
        startSecond,
        before: { good: before.good, total: before.total, isKnown: true },
        after: { good, total, isKnown: true },
      })
  }
  await writeSlices(store, fills, nowMs, `settled:${range.stepSeconds}:${range.from}-${range.to}:${nowMs}`)
  await noteCorrections(database, noticed, nowMs)
  return new Set(fills.map(({ series }) => series))
}

/** @returns series whose slices changed @throws StoreError */
export async function applyApproved(
  store: Store,
  database: Database,
  nowMs: number,
): Promise<ReadonlySet<string>> {
  const approved = await approvedCorrections(database, APPROVED_MAX)
  if (approved.length === 0) return new Set()
  const slices = approved.map(({ series, stepSeconds, group, startSecond, after }) => ({
    series,
    stepSeconds,
    group,
    startSecond,
    ...after,
  }))
  const ids = approved.map(({ id }) => id)
  await writeSlices(store, slices, nowMs, `approved:${ids.join(',')}`)
  await markApplied(database, ids, nowMs)
  return new Set(slices.map(({ series }) => series))
}
