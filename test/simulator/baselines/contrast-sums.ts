// Sums that the baselines share: requests and bad ones of a candidate's new side and of the rest.

import { TOUCHED_NEW, TOUCHED_OLD, type FaultCase } from '../../../query/blame/case.ts'

export type SideSums = { requests: number; bad: number }

export function badColumn({ fault, rows }: FaultCase): Float64Array {
  if (fault.measure === 'latency') return rows.slow
  return rows.systemErrors.map(
    (count, row) => count + (rows.businessErrors[row] ?? 0) + (rows.shed[row] ?? 0),
  )
}

/** By candidate, of the minutes from one on: those on the new version, on the old one, and all. */
export function sidesSince(of: FaultCase, fromMinute: number) {
  const bad = badColumn(of)
  const byTouch = of.touches.map((): SideSums => ({ requests: 0, bad: 0 }))
  for (let row = 0; row < of.rows.length; row += 1) {
    if ((of.rows.minute[row] ?? 0) < fromMinute) continue
    const sums = byTouch[of.rows.touch[row] ?? 0]
    if (sums === undefined) continue
    sums.requests += of.rows.requests[row] ?? 0
    sums.bad += bad[row] ?? 0
  }
  return of.candidates.map((_, candidate) => {
    const fresh: SideSums = { requests: 0, bad: 0 }
    const old: SideSums = { requests: 0, bad: 0 }
    const all: SideSums = { requests: 0, bad: 0 }
    byTouch.forEach((sums, touch) => {
      const code = of.touches[touch]?.[candidate]
      for (const into of code === TOUCHED_NEW ? [fresh, all] : code === TOUCHED_OLD ? [old, all] : [all]) {
        into.requests += sums.requests
        into.bad += sums.bad
      }
    })
    return { fresh, old, all }
  })
}

/** What every baseline answers: the best score first, blamed when there is one. */
export function byScore(scores: readonly { readonly release: string; readonly score: number }[]) {
  const kept = scores
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || (a.release < b.release ? -1 : 1))
  const sum = kept.reduce((total, { score }) => total + score, 0)
  const ranked = kept.map(({ release, score }) => ({ release, posterior: score / sum }))
  const [first] = ranked
  return {
    verdict: first === undefined ? ('inconclusive' as const) : ('blamed' as const),
    ranked,
    set: [],
    rollback: first === undefined ? undefined : [first.release],
  }
}
