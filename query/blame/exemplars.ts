// Traces to look at, by candidate: failing ones that met what is new, and healthy ones that did not, where there are any. Pure.

import type { Release } from '../releases/release.ts'
import { isVisible, needles } from './release-touch.ts'

const EACH_MAX = 3

type Trace = { readonly trace: string; readonly failed: number; readonly path: string }

/** @param traces  newest first */
export function exemplarsOf(
  traces: readonly Trace[],
  candidates: readonly Release[],
): { readonly failing: readonly string[]; readonly healthy: readonly string[] }[] {
  return candidates.map((release) => {
    const { newIn, oldIn } = needles(release)
    const met = isVisible(release) ? newIn : oldIn
    const pick = (failed: boolean, wants: (path: string) => boolean) =>
      traces
        .filter((trace) => trace.failed > 0 === failed && wants(trace.path))
        .slice(0, EACH_MAX)
        .map(({ trace }) => trace)
    const unexposed = pick(false, (path) => !path.includes(met))
    return {
      failing: pick(true, (path) => path.includes(met)),
      healthy: unexposed.length > 0 ? unexposed : pick(false, () => true),
    }
  })
}
