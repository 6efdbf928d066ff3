// Faults of a recording of which nobody rang: found as the loop finds them, every half minute of recorded time.

import { buildDeviations } from '../../alerts/faults/deviations.ts'
import { DETECTOR_SERIES } from '../../alerts/faults/finding.ts'
import type { Fault } from '../../query/blame/case.ts'
import { buildFaultBook, toFault } from '../../query/faults/fault-book.ts'
import { buildRelated } from '../../query/faults/lately-called.ts'
import { floorTo, iso } from '../../query/time-range.ts'
import type { Recording } from './recording.ts'
import type { ReplayStore } from './replay-store.ts'

const STEP_MS = 30_000
const TOLD_MS = 3_600_000
/** Buckets are judged once they are complete. */
const SETTLED_MS = 2000

/** @returns in the order in which they began */
export async function detectedFaults(
  { store, database }: ReplayStore,
  recording: Recording,
  tell: (text: string) => void,
): Promise<Fault[]> {
  let nowMs = floorTo(recording.fromMs, STEP_MS)
  const book = buildFaultBook(database, buildRelated(store, { now: () => nowMs }))
  const deviations = buildDeviations(store)
  for (; nowMs <= recording.toMs + STEP_MS; nowMs += STEP_MS) {
    const ringing = await book.ringing(DETECTOR_SERIES)
    const { begun, ended } = await deviations(nowMs + SETTLED_MS, ringing)
    for (const { series, atMs } of ended) await book.end(series, atMs)
    for (const alarm of begun) await book.take(alarm, nowMs)
    if (nowMs % TOLD_MS === 0) tell(`faults are looked for up to ${iso(nowMs)}`)
  }
  const rows = await database.rows('SELECT * FROM faults ORDER BY alarm_at, id')
  return rows.map(toFault)
}
