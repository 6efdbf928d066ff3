// The two windows a burn pair is judged by: the traffic's, or a probe's where there is too little traffic.

import { trafficOrProbe, type JudgedWindow } from './judge-window.ts'
import type { CompiledPair } from './slo-policy.ts'

/** The figures a pair was judged by. */
export type Evidence = {
  readonly thresholdRatio: number
  readonly longWindowMs: number
  readonly shortWindowMs: number
  readonly long: JudgedWindow
  readonly short: JudgedWindow
  readonly by: 'traffic' | 'probe'
}

/** @param windows,probe  by the places of the compiled policy's windows */
export function pairEvidence(
  pair: CompiledPair,
  windows: readonly JudgedWindow[],
  probe: readonly JudgedWindow[] | undefined,
  minTotal: number,
): Evidence {
  const { thresholdRatio, longWindowMs, shortWindowMs } = pair
  // The long window decides for both: a pair of different measures would say nothing.
  const { judged: long, by } = trafficOrProbe(judgedAt(windows, pair.long), probe?.[pair.long], minTotal)
  const short = judgedAt((by === 'probe' ? probe : undefined) ?? windows, pair.short)
  return { thresholdRatio, longWindowMs, shortWindowMs, long, short, by }
}

export function judgedAt(windows: readonly JudgedWindow[], place: number): JudgedWindow {
  return windows[place] ?? { kind: 'no-data', coverage: 0 }
}
