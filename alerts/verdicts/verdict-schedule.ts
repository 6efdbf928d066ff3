// When a release is judged next: often while it is young, rarely when it is old, never when it is settled. Pure.

import type { ReleaseVerdict } from '../../query/http/release-schemas.ts'
import type { Release } from '../../query/releases/release.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** After this nothing is said any more that was not. */
export const JUDGED_MAX_MS = 3 * DAY_MS

/** Since it served, or since its scope changed last. */
export function ageMs(release: Release, nowMs: number): number {
  const last = release.stages.findLast(({ kind }) => kind === 'step')?.atMs ?? 0
  return nowMs - Math.max(release.readyAtMs ?? release.startedAtMs, Math.min(last, nowMs))
}

/** @returns undefined when it is settled */
export function nextJudgement(
  release: Release,
  verdict: Pick<ReleaseVerdict, 'verdict'>,
  nowMs: number,
): number | undefined {
  const age = ageMs(release, nowMs)
  if (age < HOUR_MS) return nowMs + 30_000
  if (age < 6 * HOUR_MS) return nowMs + 5 * MINUTE_MS
  if (age < DAY_MS) return nowMs + 15 * MINUTE_MS
  // What could not be told in a day may be told of the rare requests of three.
  const isOpen = verdict.verdict === 'cannot-tell' && release.endedAtMs === undefined
  return isOpen && age < JUDGED_MAX_MS ? nowMs + HOUR_MS : undefined
}
