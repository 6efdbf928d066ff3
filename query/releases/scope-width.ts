// How wide a gray scope is: tellers, then branches, then regions, then the whole bank.

import type { ReleaseScope } from '../../ingest/records/release-step.ts'

export const EVERYBODY: ReleaseScope = { selectors: [], weightPercent: undefined }

const WIDTHS: Readonly<Record<string, number>> = {
  teller: 1,
  branch: 3,
  channel: 4,
  zone: 4,
  cluster: 4,
  site: 5,
  region: 6,
}
const WIDTH_OF_OTHERS = 2
const WIDTH_OF_ALL = 10

/** @returns false: for everybody, or the tool does not say */
export const isLimited = ({ selectors, weightPercent }: ReleaseScope): boolean =>
  selectors.length > 0 || (weightPercent !== undefined && weightPercent < 100)

/** Rank of what a scope selects by; every selector must match, so the narrowest counts. */
export const levelOf = ({ selectors }: ReleaseScope): number =>
  Math.min(WIDTH_OF_ALL, ...selectors.map(({ attribute }) => WIDTHS[attribute] ?? WIDTH_OF_OTHERS))

/** @returns below 0 when `a` is the narrower one */
export function compareWidth(a: ReleaseScope, b: ReleaseScope): number {
  const values = ({ selectors }: ReleaseScope) => selectors.reduce((sum, one) => sum + one.values.length, 0)
  return (
    levelOf(a) - levelOf(b) || values(a) - values(b) || (a.weightPercent ?? 100) - (b.weightPercent ?? 100)
  )
}

/** @returns the widest of those that limit; the last one's when it says 100 %; everybody when none does */
export function widestScope(told: readonly ReleaseScope[], isComplete: boolean): ReleaseScope {
  const limits = told.filter((scope) => isLimited(scope) || scope.weightPercent !== undefined)
  const widest = limits.toSorted(compareWidth).at(-1)
  if (widest === undefined) return EVERYBODY
  // Completed weights are all of it, though few tools say so.
  return isComplete && widest.selectors.length === 0 ? EVERYBODY : widest
}
