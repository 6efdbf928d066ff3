// Errors that every release of a service brings while its instances start: known of earlier releases, gone within minutes, no sign of anything.
// They are set aside before anything is judged, or they would stand for the fault that happens to follow. Pure.

import type { Told } from '../http/fault-schemas.ts'
import { TOUCHED_NEW, type Candidate, type FailureRow, type FaultCase, type TraceRows } from './case.ts'
import { MINUTE_MS, at } from './case-columns.ts'
import { startUpWords, releaseName } from './words.ts'

/** A stage's instances start so long after it was told or seen; what lasts longer is no start. */
const START_MINUTES = 5
/** Tools' clocks and a minute's rounding. */
const SKEW_MINUTES = 2
/** Releases that must be known before anything is called usual, and the share of them that it came with. */
const RELEASES_MIN = 3
const SHARE_MIN = 0.5

export type WithoutStartUps = {
  readonly case: FaultCase
  /** What was set aside, a sentence for each release. */
  readonly notes: readonly Told[]
  /** Failed requests that were set aside. */
  readonly count: number
}

/** Whether an error came with earlier releases of its service as a rule. */
export const isUsualAtReleases = (past: {
  readonly releases: number
  readonly atReleases: number
}): boolean => past.releases >= RELEASES_MIN && past.atReleases / past.releases >= SHARE_MIN

/** @returns the case as it is when there is nothing to set aside, and always for latency */
export function withoutStartUps(faultCase: FaultCase): WithoutStartUps {
  const nothing = { case: faultCase, notes: [], count: 0 }
  if (faultCase.fault.measure === 'latency') return nothing
  const usual = new Set(
    faultCase.signaturePasts.filter(isUsualAtReleases).map((past) => `${past.service} ${past.signature}`),
  )
  if (usual.size === 0) return nothing
  const starting = faultCase.candidates.map((candidate) => startsOf(candidate))
  const isStart = ({ service, version, signature, minute }: Omit<FailureRow, 'count' | 'entry' | 'cell'>) =>
    usual.has(`${service} ${signature}`) &&
    faultCase.candidates.findIndex(
      ({ release }, index) =>
        release.service === service && release.versionTo === version && starting[index]?.(minute) === true,
    )
  const removed = new Map<number, FailureRow[]>()
  const failures = faultCase.failures.filter((row) => {
    const index = isStart(row)
    if (index === false || index < 0) return true
    removed.set(index, [...(removed.get(index) ?? []), row])
    return false
  })
  if (removed.size === 0) return nothing
  const rows = { ...faultCase.rows, systemErrors: faultCase.rows.systemErrors.slice() }
  const notes = [...removed].map(([index, gone]) => {
    takeOff(rows, faultCase, index, gone)
    const candidate = faultCase.candidates[index]
    const sum = gone.reduce((all, { count }) => all + count, 0)
    return startUpWords(candidate === undefined ? '' : releaseName(candidate), sum)
  })
  return {
    case: { ...faultCase, rows, failures },
    notes,
    count: [...removed.values()].flat().reduce((all, { count }) => all + count, 0),
  }
}

/** Minutes in which instances of a release may be starting. */
function startsOf({ release }: Candidate): (minute: number) => boolean {
  const starts = [
    ...(release.readyAtMs === undefined ? [] : [release.readyAtMs]),
    ...release.stages.filter(({ kind }) => kind === 'step' || kind === 'completed').map(({ atMs }) => atMs),
  ].map((ms) => Math.floor(ms / MINUTE_MS))
  return (minute) => starts.some((start) => minute >= start - SKEW_MINUTES && minute < start + START_MINUTES)
}

/** Takes failures off the rows that met what was new, in the same minute, entry and cell. */
function takeOff(rows: TraceRows, { touches }: FaultCase, index: number, gone: readonly FailureRow[]): void {
  const counts = new Map<string, number>()
  for (const { minute, entry, cell, count } of gone) {
    const key = `${String(minute)} ${String(entry)} ${String(cell)}`
    counts.set(key, (counts.get(key) ?? 0) + count)
  }
  for (let row = 0; row < rows.length; row += 1) {
    if (touches[at(rows.touch, row)]?.[index] !== TOUCHED_NEW) continue
    const key = `${String(at(rows.minute, row))} ${String(at(rows.entry, row))} ${String(at(rows.cell, row))}`
    const left = counts.get(key)
    if (left === undefined || left <= 0) continue
    const taken = Math.min(left, at(rows.systemErrors, row))
    rows.systemErrors[row] = at(rows.systemErrors, row) - taken
    counts.set(key, left - taken)
  }
}
