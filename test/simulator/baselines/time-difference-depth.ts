// How long ago, how much worse than the version before, how deep in the calls: what dashboards that overlay deployments suggest.

import type { Judge } from '../judge.ts'
import { byScore, sidesSince } from './contrast-sums.ts'

const TAU_MS = 60 * 60_000
const PER_CALL = 1.1

export const timeDifferenceDepth: Judge = {
  name: 'time-difference-depth',
  judge: (of) => {
    const sides = sidesSince(of, Math.floor(of.fault.alarmAtMs / 60_000) - 10)
    const depths = depthsOf(of.calls, of.fault.place.service)
    return byScore(
      of.candidates.map(({ release }, index) => {
        const { fresh, old, all } = sides[index] ?? { fresh: none, old: none, all: none }
        const ready = release.readyAtMs ?? Infinity
        if (ready > of.fault.alarmAtMs) return { release: release.id, score: 0 }
        const rate = ({ bad, requests }: { bad: number; requests: number }) => (bad + 0.5) / (requests + 50)
        const other = old.requests > 0 ? old : all
        const difference = Math.max(0, rate(fresh) - rate(other))
        const decay = Math.exp((ready - of.fault.alarmAtMs) / TAU_MS)
        return {
          release: release.id,
          score: (difference + 1e-6) * (0.1 + decay) * PER_CALL ** (depths.get(release.service) ?? 0),
        }
      }),
    )
  },
}

const none = { requests: 0, bad: 0 }

function depthsOf(calls: readonly (readonly [string, string])[], from: string): ReadonlyMap<string, number> {
  const depths = new Map([[from, 0]])
  for (const [service, depth] of depths)
    for (const [caller, callee] of calls)
      if (caller === service && !depths.has(callee)) depths.set(callee, depth + 1)
  return depths
}
