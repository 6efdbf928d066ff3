// Slices that come late, again or too early: which are taken, which need a person's approval. Within the allowance a newer
// measuring replaces the slice; older ones become corrections that change nothing until someone approves them.

import { isNewer, MEASURED, stateOf, type SliceRow } from './slices.ts'

export type Allowance = {
  /** How long after its end a slice is still measured anew as a matter of course. */
  readonly remeasureMs: number
}

export type StoredSlice = Pick<SliceRow, 'startMs' | 'good' | 'total' | 'revision' | 'isKnown'>

/** A change of the settled past, kept for good with who decided. */
export type Correction = {
  readonly startMs: number
  readonly before: StoredSlice | undefined
  readonly after: StoredSlice
  readonly noticedAtMs: number
  readonly decision: 'open' | 'approved' | 'rejected'
  readonly decidedBy: string | undefined
  readonly decidedAtMs: number | undefined
}

export type Admission =
  | { readonly kind: 'taken' }
  /** Nothing new: an older measuring, or the same once more. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'correction'; readonly correction: Correction }
  /** The slice has not begun: the clock of the source runs ahead. Nothing is counted. */
  | { readonly kind: 'ahead'; readonly aheadMs: number }

/**
 * @param stored  the newest measuring of that slice so far
 * @param stepMs  length of a slice
 */
export function admit(
  row: SliceRow,
  stored: StoredSlice | undefined,
  nowMs: number,
  stepMs: number,
  allowance: Allowance,
): Admission {
  if (row.startMs > nowMs) return { kind: 'ahead', aheadMs: row.startMs - nowMs }
  if (stored !== undefined && !replaces(row, stored)) return { kind: 'outdated' }
  if (row.startMs + stepMs + allowance.remeasureMs >= nowMs) return { kind: 'taken' }
  if (stored !== undefined && sameCounts(row, stored)) return { kind: 'outdated' }
  return {
    kind: 'correction',
    correction: {
      startMs: row.startMs,
      before: stored,
      after: row,
      noticedAtMs: nowMs,
      decision: 'open',
      decidedBy: undefined,
      decidedAtMs: undefined,
    },
  }
}

/**
 * Decides an open correction.
 * @returns the decided entry, and the slice to store when it was approved
 * @throws RangeError when it was decided before
 */
export function decideCorrection(
  correction: Correction,
  decision: 'approved' | 'rejected',
  decidedBy: string,
  decidedAtMs: number,
): { readonly correction: Correction; readonly slice: SliceRow | undefined } {
  if (correction.decision !== 'open')
    throw new RangeError(`the correction was ${correction.decision} by ${correction.decidedBy ?? 'someone'}`)
  const revision = Math.max(correction.after.revision, (correction.before?.revision ?? 0) + 1)
  return {
    correction: { ...correction, decision, decidedBy, decidedAtMs },
    slice: decision === 'approved' ? { ...correction.after, revision } : undefined,
  }
}

/** How far a source's clock runs ahead of ours, milliseconds; 0 when it does not. */
export function clockAheadMs(newestEventMs: number, receivedAtMs: number): number {
  return Math.max(0, newestEventMs - receivedAtMs)
}

function replaces(row: SliceRow, stored: StoredSlice): boolean {
  return isNewer(
    row.revision,
    stateOf(row),
    row.good,
    row.total,
    stored.revision,
    stateOf(stored),
    stored.good,
    stored.total,
  )
}

function sameCounts(row: SliceRow, stored: StoredSlice): boolean {
  if (stateOf(row) !== stateOf(stored)) return false
  return stateOf(row) !== MEASURED || (row.good === stored.good && row.total === stored.total)
}
