// What late data means for what was already said. History is not rewritten: an alert that would not have fired on the
// figures known now stays as it was, and its incident gets a note.

import type { JudgedWindow } from './judge-window.ts'
import type { Transition } from './slo-state.ts'

export type FiredPair = Extract<Transition, { subject: 'pair' }>

export type PastNote = {
  readonly kind: 'would-not-have-fired'
  readonly firedAtMs: number
  readonly pairId: string
  readonly noticedAtMs: number
  /** Error ratios then and now. */
  readonly long: { readonly atFiring: number; readonly now: number }
  readonly short: { readonly atFiring: number; readonly now: number }
  readonly thresholdRatio: number
}

/** Whether a slice that changed lies in the windows a pair fired on. */
export function touchesEvidence(fired: FiredPair, sliceStartMs: number): boolean {
  return (
    fired.evidence !== undefined &&
    sliceStartMs < fired.atMs &&
    sliceStartMs >= fired.atMs - fired.evidence.longWindowMs
  )
}

/**
 * Judges again the instant at which a pair fired.
 * @param long,short  its windows at that instant, from the slices as they are now
 * @returns a note when the pair would not have fired; undefined when it would have, or when that cannot be told
 */
export function reviewFired(
  fired: FiredPair,
  long: JudgedWindow,
  short: JudgedWindow,
  noticedAtMs: number,
): PastNote | undefined {
  const { evidence } = fired
  if (evidence === undefined || long.kind !== 'known' || short.kind !== 'known') return undefined
  const { thresholdRatio } = evidence
  if (long.errorRatio > thresholdRatio && short.errorRatio > thresholdRatio) return undefined
  const ratio = (window: JudgedWindow) => (window.kind === 'known' ? window.errorRatio : 0)
  return {
    kind: 'would-not-have-fired',
    firedAtMs: fired.atMs,
    pairId: fired.id,
    noticedAtMs,
    long: { atFiring: ratio(evidence.long), now: long.errorRatio },
    short: { atFiring: ratio(evidence.short), now: short.errorRatio },
    thresholdRatio,
  }
}
