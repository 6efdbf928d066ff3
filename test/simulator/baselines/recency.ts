// Who came last did it.

import type { Judge } from '../judge.ts'

const TAU_MS = 30 * 60_000

/** Blames the release that became ready last before the alarm. */
export const recency: Judge = {
  name: 'recency',
  judge: ({ candidates, fault }) => {
    const weighed = candidates
      .flatMap(({ release }) =>
        release.readyAtMs === undefined || release.readyAtMs > fault.alarmAtMs
          ? []
          : [{ release: release.id, weight: Math.exp((release.readyAtMs - fault.alarmAtMs) / TAU_MS) }],
      )
      .toSorted((a, b) => b.weight - a.weight)
    const sum = weighed.reduce((total, { weight }) => total + weight, 1e-9)
    const ranked = weighed.map(({ release, weight }) => ({ release, posterior: weight / sum }))
    const [first] = ranked
    return {
      verdict: first === undefined ? 'inconclusive' : 'blamed',
      ranked,
      set: [],
      rollback: first === undefined ? undefined : [first.release],
    }
  },
}
