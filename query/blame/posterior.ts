// From evidence to an answer: priors, posterior, verdict. «No rollout» has half of the prior, because half of a bank's incidents
// are not caused by changes (SCWarn, 50.4 %).

import type { BlameVerdict, HYPOTHESES } from '../http/fault-schemas.ts'

const NO_ROLLOUT_PRIOR = 0.5

/** Shares of the no-rollout prior; what there is no sign of gives its share to nobody. */
const PRIORS: Readonly<Record<(typeof HYPOTHESES)[number], number>> = {
  site: 0.05,
  cluster: 0.05,
  zone: 0.1,
  node: 0.1,
  'client-version': 0.03,
  caller: 0.03,
  'external-dependency': 0.12,
  load: 0.08,
  database: 0.1,
  schedule: 0.05,
  unknown: 0.29,
}

export type Weighed = { readonly id: string; readonly llr: number; readonly isOut: boolean }

/** Posteriors in the order given; they add up to 1. What is out (vetoed) has none. */
export function posteriors(
  releases: readonly Weighed[],
  causes: readonly { readonly kind: (typeof HYPOTHESES)[number]; readonly llr: number }[],
): { readonly releases: readonly number[]; readonly causes: readonly number[] } {
  const each = (1 - NO_ROLLOUT_PRIOR) / Math.max(1, releases.length)
  const logs = [
    ...releases.map(({ llr, isOut }) => (isOut ? -Infinity : Math.log(each) + llr)),
    ...causes.map(({ kind, llr }) => Math.log(NO_ROLLOUT_PRIOR * PRIORS[kind]) + llr),
  ]
  const most = Math.max(...logs)
  if (!Number.isFinite(most)) return { releases: releases.map(() => 0), causes: causes.map(() => 0) }
  const weights = logs.map((log) => Math.exp(log - most))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const all = weights.map((weight) => weight / sum)
  return { releases: all.slice(0, releases.length), causes: all.slice(releases.length) }
}

export type Standing = {
  /** Posterior of the answer: of the first release, or of the set that cannot be told apart. */
  readonly posterior: number
  /** Of the best that is not in the answer. */
  readonly second: number
  /** A contrast that crossed the boundary with z ≥ 4, recovery after rollback, or a new error on the new version alone. */
  readonly isProved: boolean
  readonly noRollout: number
  /** The best cause that is no rollout, when there is a sign of it. */
  readonly isCauseNamed: boolean
  /** Every release is vetoed or exonerated with power. */
  readonly isEveryoneOut: boolean
  /** So soon after the alarm that what has just begun may not be seen. */
  readonly isEarly: boolean
  /** So little is known from before the alarm that nothing can be told from what was usual. */
  readonly isShort: boolean
  /** Requests that met some release are clearly worse, though that does not explain the whole: something else is mixed in, and may pass. */
  readonly isContrastOpen: boolean
}

export function verdictOf(standing: Standing): BlameVerdict {
  const {
    posterior,
    second,
    isProved,
    noRollout,
    isCauseNamed,
    isEveryoneOut,
    isEarly,
    isShort,
    isContrastOpen,
  } = standing
  if (posterior >= 0.9 && posterior >= 3 * second && isProved) return 'blamed'
  // Of so short a past nobody is suspected either: what is usual is not known.
  if (isShort) return 'inconclusive'
  if (posterior >= 0.5) return 'suspect'
  if (!isCauseNamed && (isContrastOpen || isEarly)) return 'inconclusive'
  if (noRollout >= 0.9 || (noRollout >= 0.5 && (isCauseNamed || isEveryoneOut))) return 'not-a-rollout'
  return 'inconclusive'
}
