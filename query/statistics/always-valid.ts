// Looking every minute without fooling oneself: mixture sequential probability ratio tests and confidence sequences, valid at every
// look at once. The chance that a harmless change ever crosses the boundary is at most α, however often one looks.
// Sources: Robbins 1970; Johari, Pekelis and Walsh 2015; Lindon et al. 2022.

/** Spread of effects that the mixture expects, as a standard deviation in log-odds: faulty releases multiply odds by ten rather than by two. */
export const LOG_ODDS_SPREAD = 2

/**
 * ln of the mixture likelihood ratio of an estimate with its variance against no effect; effects ~ N(0, spread²).
 * At least ln(1/α): the null is rejected at level α, at any time.
 */
export function mixtureLogRatio(estimate: number, variance: number, spread = LOG_ODDS_SPREAD): number {
  if (!(variance > 0) || !Number.isFinite(variance)) return 0
  const s = spread * spread
  return (
    0.5 * Math.log(variance / (variance + s)) + (s * estimate * estimate) / (2 * variance * (variance + s))
  )
}

/** Whether the boundary is crossed at level α. */
export function crosses(
  estimate: number,
  variance: number,
  alpha: number,
  spread = LOG_ODDS_SPREAD,
): boolean {
  return mixtureLogRatio(estimate, variance, spread) >= Math.log(1 / alpha)
}

/** Always-valid p-value: never below the chance of ever seeing this much without an effect. */
export function sequentialP(estimate: number, variance: number, spread = LOG_ODDS_SPREAD): number {
  return Math.min(1, Math.exp(-mixtureLogRatio(estimate, variance, spread)))
}

/** Interval that holds the true effect at all looks at once with chance 1 − α. Infinite while there is no variance yet. */
export function confidenceSequence(
  estimate: number,
  variance: number,
  alpha: number,
  spread = LOG_ODDS_SPREAD,
): { readonly low: number; readonly high: number } {
  if (!(variance > 0) || !Number.isFinite(variance)) return { low: -Infinity, high: Infinity }
  const s = spread * spread
  const half = Math.sqrt(
    ((variance * (variance + s)) / s) * (2 * Math.log(1 / alpha) + Math.log((variance + s) / variance)),
  )
  return { low: estimate - half, high: estimate + half }
}

/**
 * Difference of two ratios, exposed − control, with its interval at all looks. The variance takes half a bad request more on each side, so that
 * «none of 12» is not certainty. `spread` is a standard deviation in ratios.
 */
export function ratioDifference(
  sides: {
    readonly exposedBad: number
    readonly exposed: number
    readonly controlBad: number
    readonly control: number
  },
  alpha: number,
  options: { readonly phi?: number; readonly spread?: number } = {},
): {
  readonly difference: number
  readonly variance: number
  readonly low: number
  readonly high: number
  readonly logRatio: number
} {
  if (sides.exposed <= 0 || sides.control <= 0)
    return { difference: 0, variance: Infinity, low: -1, high: 1, logRatio: 0 }
  const spread = options.spread ?? 0.02
  const difference = sides.exposedBad / sides.exposed - sides.controlBad / sides.control
  const variance =
    Math.max(1, options.phi ?? 1) *
    (bernoulliVariance(sides.exposedBad, sides.exposed) + bernoulliVariance(sides.controlBad, sides.control))
  const { low, high } = confidenceSequence(difference, variance, alpha, spread)
  return {
    difference,
    variance,
    low: Math.max(-1, low),
    high: Math.min(1, high),
    logRatio: mixtureLogRatio(difference, variance, spread),
  }
}

function bernoulliVariance(bad: number, all: number): number {
  const p = (bad + 0.5) / (all + 1)
  return (p * (1 - p)) / all
}

/** z that the boundary at level α amounts to, at a given variance. */
export function boundaryZ(variance: number, alpha: number, spread = LOG_ODDS_SPREAD): number {
  const s = spread * spread
  return Math.sqrt(((variance + s) / s) * (2 * Math.log(1 / alpha) + Math.log((variance + s) / variance)))
}
