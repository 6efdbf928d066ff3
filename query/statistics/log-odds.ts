// How much likelier a request is bad on one side than on the other: log-odds of 2 × 2 tables, pooled over strata, and differences
// of such differences. Pure arithmetic: what the sides are, callers know.

/** Requests of one stratum (minute × operation × cell) on both sides; bad ≤ requests. */
export type TwoByTwo = {
  readonly exposedBad: number
  readonly exposed: number
  readonly controlBad: number
  readonly control: number
}

/** ln of the odds ratio, and its variance. */
export type LogOdds = { readonly estimate: number; readonly variance: number }

/**
 * ln[(a+½)(d+½) ÷ ((b+½)(c+½))] with variance Σ 1/(·+½): Haldane's and Anscombe's ½ keeps empty fields finite.
 * a, b: exposed bad and good; c, d: control bad and good.
 */
export function logOdds(table: TwoByTwo): LogOdds {
  const a = table.exposedBad + 0.5
  const b = Math.max(0, table.exposed - table.exposedBad) + 0.5
  const c = table.controlBad + 0.5
  const d = Math.max(0, table.control - table.controlBad) + 0.5
  return { estimate: Math.log((a * d) / (b * c)), variance: 1 / a + 1 / b + 1 / c + 1 / d }
}

/** Log-odds of bad among `requests`: ln[(bad+½) ÷ (good+½)]. */
export function logit(bad: number, requests: number): LogOdds {
  const a = bad + 0.5
  const b = Math.max(0, requests - bad) + 0.5
  return { estimate: Math.log(a / b), variance: 1 / a + 1 / b }
}

/** Strata weighed by inverse variance; undefined without any. Many near-empty strata pull towards 0: see `mantelHaenszel`. */
export function pooled(parts: readonly LogOdds[]): LogOdds | undefined {
  let weights = 0
  let sum = 0
  for (const part of parts) {
    weights += 1 / part.variance
    sum += part.estimate / part.variance
  }
  return weights === 0 ? undefined : { estimate: sum / weights, variance: 1 / weights }
}

/**
 * Common log-odds over many sparse strata: Mantel and Haenszel's estimate with Robins, Breslow and Greenland's variance. Where
 * every stratum has a handful of requests, the ½ of each would drown the effect when they are pooled by inverse variance;
 * this sums first and needs one ½ in all. Undefined when no stratum has both sides.
 */
export function mantelHaenszel(tables: Iterable<TwoByTwo>): LogOdds | undefined {
  const sums = new MantelHaenszel()
  for (const table of tables) sums.add(table.exposedBad, table.exposed, table.controlBad, table.control)
  return sums.logOdds()
}

/** The same as a running sum, for passes over columns. */
export class MantelHaenszel {
  #r = 0
  #s = 0
  #pr = 0
  #psqr = 0
  #qs = 0
  #weight = 0
  /** Bad ones of the exposed, those expected of them if both sides were alike, and the hypergeometric variance (Cochran, Mantel, Haenszel). */
  observed = 0
  expected = 0
  variance = 0

  add(exposedBad: number, exposed: number, controlBad: number, control: number): void {
    if (exposed <= 0 || control <= 0) return
    const n = exposed + control
    const b = exposed - exposedBad
    const d = control - controlBad
    const p = (exposedBad + d) / n
    const q = (b + controlBad) / n
    const r = (exposedBad * d) / n
    const s = (b * controlBad) / n
    this.#r += r
    this.#s += s
    this.#pr += p * r
    this.#psqr += p * s + q * r
    this.#qs += q * s
    this.#weight += (exposed * control) / n
    const bad = exposedBad + controlBad
    this.observed += exposedBad
    this.expected += (exposed * bad) / n
    if (n > 1) this.variance += (exposed * control * bad * (n - bad)) / (n * n * (n - 1))
  }

  /** Strata weight Σ n₁n₀/n: the size of the smaller side, roughly. */
  get weight(): number {
    return this.#weight
  }

  /** z of the score test: (observed − expected) ÷ √variance; 0 without bad ones. */
  get z(): number {
    return this.variance > 0 ? (this.observed - this.expected) / Math.sqrt(this.variance) : 0
  }

  logOdds(): LogOdds | undefined {
    if (this.#weight === 0) return undefined
    // One bad request's half on each side, in the units of R and S.
    const half = 0.5
    const r = this.#r + half
    const s = this.#s + half
    const variance =
      (this.#pr + half) / (2 * r * r) + this.#psqr / (2 * r * s) + (this.#qs + half) / (2 * s * s)
    return { estimate: Math.log(r / s), variance }
  }
}

/**
 * Difference in differences of log-odds: (inside after − inside before) − (outside after − outside before). For scopes that are not
 * random: whoever is inside differs from the others, and what differed before as well is not the change's doing.
 */
export function differenceInDifferences(parts: {
  readonly insideAfter: LogOdds
  readonly insideBefore: LogOdds
  readonly outsideAfter: LogOdds
  readonly outsideBefore: LogOdds
}): LogOdds {
  const { insideAfter, insideBefore, outsideAfter, outsideBefore } = parts
  return {
    estimate: insideAfter.estimate - insideBefore.estimate - (outsideAfter.estimate - outsideBefore.estimate),
    variance: insideAfter.variance + insideBefore.variance + outsideAfter.variance + outsideBefore.variance,
  }
}

/**
 * Over-dispersion φ ≥ 1 of counts: Pearson's χ² of `bad` about its pooled ratio ÷ degrees of freedom. 1 with fewer than three parts
 * or without bad ones. Multiply variances by it.
 */
export function overDispersion(parts: Iterable<{ readonly bad: number; readonly requests: number }>): number {
  const kept = [...parts].filter((part) => part.requests > 0)
  const bad = kept.reduce((sum, part) => sum + part.bad, 0)
  const requests = kept.reduce((sum, part) => sum + part.requests, 0)
  if (kept.length < 3 || bad <= 0 || bad >= requests) return 1
  const ratio = bad / requests
  let chi = 0
  for (const part of kept)
    chi += (part.bad - part.requests * ratio) ** 2 / (part.requests * ratio * (1 - ratio))
  return Math.max(1, chi / (kept.length - 1))
}

/** z with the handbook's floor of 0.01 on the variance, so that huge counts do not make a trifle certain. */
export function flooredZ(effect: LogOdds, phi = 1): number {
  return effect.estimate / Math.sqrt(Math.max(1, phi) * effect.variance + 0.01)
}
