// Right or wrong, by the truth.

import type { Answer, Outcome } from './run-incident.ts'

/** Blamed: the first, or the set it cannot be told apart from, of at most two, has a culprit. */
export function isRightBlame({ truth }: Outcome, { ranked, set }: Answer): boolean {
  const named = set.length > 0 && set.length <= 2 ? set : ranked.slice(0, 1)
  return named.some((key) => truth.culprits.includes(key))
}

/** The culprit is blamed, or nobody where nobody did it. */
export function isRight(outcome: Outcome, answer: Answer): boolean {
  const { verdict } = answer.judgement
  if (outcome.truth.culprits.length === 0) return verdict !== 'blamed'
  return verdict === 'blamed' && isRightBlame(outcome, answer)
}
