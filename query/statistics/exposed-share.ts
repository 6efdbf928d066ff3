// How much likelier a bad request is on the exposed side, from where the bad ones fell: of the m bad ones of a stratum each was
// exposed with probability w (the exposed share of its requests) when both sides are alike, and w·r ÷ (w·r + 1 − w) when the exposed
// side's risk is r times the other's. Exact for rare events at any count, and cautious for frequent ones, so that small shares and
// few bad ones need no normal approximation; mixed over r it is a test that may be looked at always.
// Sources: Robbins 1970 (mixtures); Przyborowski and Wilenski 1940 (the conditional test of two Poisson means).

import { logGamma } from './counts.ts'

/** ln of relative risks that are weighed, ±. Beyond it everything is called infinite. */
const LOG_RISK_MAX = 6
const STEP = 0.05
const GRID = Array.from({ length: (2 * LOG_RISK_MAX) / STEP + 1 }, (_, index) => index * STEP - LOG_RISK_MAX)
/** Spread of effects that the mixture expects, as a standard deviation of the log risk. */
const SPREAD = 1
const LOG_WEIGHTS = GRID.map((theta) => (-theta * theta) / (2 * SPREAD * SPREAD))

export type RiskInterval = { readonly estimate: number; readonly low: number; readonly high: number }

export class ExposedShare {
  /** ln likelihood at each point of the grid. */
  readonly #log = new Float64Array(GRID.length)
  /** Bad ones of the exposed, all bad ones, and those expected of the exposed when both sides are alike. */
  observed = 0
  bad = 0
  expected = 0

  /** @param share  exposed requests ÷ all requests of the stratum, 0–1 exclusive; others say nothing */
  add(exposedBad: number, bad: number, share: number): void {
    if (bad <= 0 || share <= 0 || share >= 1) return
    this.observed += exposedBad
    this.bad += bad
    this.expected += bad * share
    for (let at = 0; at < GRID.length; at++) {
      const theta = GRID[at] ?? 0
      this.#log[at] = (this.#log[at] ?? 0) + exposedBad * theta - bad * Math.log1p(share * Math.expm1(theta))
    }
  }

  /**
   * ln of the evidence that the log risk lies above `floor`, against it being `floor` or less; at least ln(1/α) rejects at level α
   * however often one looks.
   * @param dispersion  φ ≥ 1: bad ones that come in clusters count for less
   */
  logEvidenceAbove(floor = 0, dispersion = 1): number {
    const phi = Math.max(1, dispersion)
    // The likelihood is concave: below the floor it is highest at the floor, or where it peaks.
    const peak = this.#peak()
    const against = this.#at(Math.min(floor, peak)) / phi
    return (
      this.#mixture(Math.max(0, Math.floor((floor + LOG_RISK_MAX) / STEP + 1e-9) + 1), phi) -
      Math.max(against, this.#at(floor) / phi)
    )
  }

  /** The log risk with its interval at all looks at once, 1 − α. */
  interval(alpha: number, dispersion = 1): RiskInterval {
    const phi = Math.max(1, dispersion)
    const floor = this.#mixture(0, phi) - Math.log(1 / alpha)
    const inside = GRID.filter((_, at) => (this.#log[at] ?? 0) / phi >= floor)
    const first = inside[0] ?? this.#peak()
    const last = inside.at(-1) ?? first
    return {
      estimate: this.#peak(),
      low: first <= -LOG_RISK_MAX + STEP / 2 ? -Infinity : first - STEP,
      high: last >= LOG_RISK_MAX - STEP / 2 ? Infinity : last + STEP,
    }
  }

  #peak(): number {
    if (this.bad <= 0) return 0
    let best = 0
    for (let at = 1; at < GRID.length; at++) if ((this.#log[at] ?? 0) > (this.#log[best] ?? 0)) best = at
    const here = this.#log[best] ?? 0
    const before = this.#log[best - 1]
    const after = this.#log[best + 1]
    const theta = GRID[best] ?? 0
    if (before === undefined || after === undefined) return theta
    const curve = before - 2 * here + after
    return curve < 0 ? theta + (STEP * (before - after)) / (2 * curve) : theta
  }

  #at(theta: number): number {
    const place = (Math.min(LOG_RISK_MAX, Math.max(-LOG_RISK_MAX, theta)) + LOG_RISK_MAX) / STEP
    const below = Math.floor(place)
    const left = this.#log[below] ?? 0
    const right = this.#log[below + 1] ?? left
    return left + (right - left) * (place - below)
  }

  /** ln of the likelihood, mixed over the grid from a point on by what is expected there. */
  #mixture(from: number, phi: number): number {
    let most = -Infinity
    for (let at = from; at < GRID.length; at++)
      most = Math.max(most, (this.#log[at] ?? 0) / phi + (LOG_WEIGHTS[at] ?? 0))
    let mixed = 0
    let weights = 0
    for (let at = from; at < GRID.length; at++) {
      const weight = LOG_WEIGHTS[at] ?? 0
      mixed += Math.exp((this.#log[at] ?? 0) / phi + weight - most)
      weights += Math.exp(weight)
    }
    return weights === 0 ? -Infinity : most + Math.log(mixed) - Math.log(weights)
  }
}

/** Highest ratio that `bad` of `requests` leave possible at all looks at once, 1 − α: Robbins' mixture with a Beta(½, ½). */
export function ratioUpper(bad: number, requests: number, alpha: number, dispersion = 1): number {
  const phi = Math.max(1, dispersion)
  const n = Math.max(0, requests) / phi
  if (n === 0) return 1
  const a = Math.min(bad / phi, n)
  const mixed = logBeta(a + 0.5, n - a + 0.5) - logBeta(0.5, 0.5)
  const limit = Math.log(1 / alpha)
  let low = a / n
  let high = 1
  for (let round = 0; round < 60; round++) {
    const p = (low + high) / 2
    const evidence = mixed - (a > 0 ? a * Math.log(p) : 0) - (n > a ? (n - a) * Math.log1p(-p) : 0)
    if (evidence <= limit) low = p
    else high = p
  }
  return high
}

const logBeta = (a: number, b: number) => logGamma(a) + logGamma(b) - logGamma(a + b)
