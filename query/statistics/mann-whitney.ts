// Whether one sample tends to be larger than another, whatever their distribution: Mann and Whitney's U with Hodges and Lehmann's
// shift and its interval, normal approximation with ties and continuity, as R's wilcox.test answers.

import { normalQuantile, normalTail } from './normal.ts'

export type MannWhitney = {
  /** Pairs in which x is larger than y; ties count half. */
  readonly u: number
  /** Two-sided. */
  readonly p: number
  /** Chance that an x is larger than a y: common-language effect size. */
  readonly superiority: number
  /** By how much x lies above y, and its interval. */
  readonly shift: number
  readonly low: number
  readonly high: number
}

/** @returns undefined when a sample is empty or all values are one. */
export function mannWhitney(
  x: readonly number[],
  y: readonly number[],
  confidence = 0.95,
): MannWhitney | undefined {
  const [m, n] = [x.length, y.length]
  if (m === 0 || n === 0) return undefined
  const at = uAt(x, y, 0)
  const sigma = Math.sqrt(((m * n) / 12) * (m + n + 1 - at.ties / ((m + n) * (m + n - 1))))
  if (!(sigma > 0)) return undefined
  const centred = at.u - (m * n) / 2
  const p = Math.min(1, 2 * normalTail((Math.abs(centred) - Math.min(0.5, Math.abs(centred))) / sigma))
  const z = normalQuantile(1 - (1 - confidence) / 2)
  return {
    u: at.u,
    p,
    superiority: at.u / (m * n),
    shift: rootShift(x, y, 0, 0),
    low: rootShift(x, y, z, 0.5),
    high: rootShift(x, y, -z, -0.5),
  }
}

/** U of x − shift against y, and Σ(t³ − t) of its ties. */
function uAt(
  x: readonly number[],
  y: readonly number[],
  shift: number,
): { readonly u: number; readonly ties: number } {
  const all = [
    ...x.map((value) => ({ value: value - shift, isX: true })),
    ...y.map((value) => ({ value, isX: false })),
  ].sort((a, b) => a.value - b.value)
  let [ranks, ties] = [0, 0]
  for (let start = 0; start < all.length;) {
    let end = start
    let xs = 0
    while (end < all.length && all[end]?.value === all[start]?.value) {
      if (all[end]?.isX === true) xs++
      end++
    }
    const count = end - start
    ranks += (xs * (start + 1 + end)) / 2
    ties += count ** 3 - count
    start = end
  }
  return { u: ranks - (x.length * (x.length + 1)) / 2, ties }
}

/** The shift at which the standardised U passes z: falls as the shift grows, so bisection finds it. */
function rootShift(x: readonly number[], y: readonly number[], z: number, correction: number): number {
  const [m, n] = [x.length, y.length]
  const standardised = (shift: number): number => {
    const { u, ties } = uAt(x, y, shift)
    const sigma = Math.sqrt(((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1))))
    return sigma > 0 ? (u - (m * n) / 2 - correction) / sigma - z : -z
  }
  let low = Math.min(...x) - Math.max(...y)
  let high = Math.max(...x) - Math.min(...y)
  if (standardised(low) <= 0) return low
  if (standardised(high) >= 0) return high
  for (let step = 0; step < 60 && high - low > 1e-9 * Math.max(1, Math.abs(low), Math.abs(high)); step++) {
    const middle = (low + high) / 2
    if (standardised(middle) > 0) low = middle
    else high = middle
  }
  return (low + high) / 2
}
