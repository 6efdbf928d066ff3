// Burn profiles: which pairs of windows warn how loudly. The profiles themselves are data in burn-profiles.ts; here are
// their shape, their arithmetic and what makes one useless.

import { burnRateMax } from './burn-rate.ts'
import { exactBudget } from './error-budget.ts'
import { compare, exact, over, times, toNumber, type Exact } from './exact-decimal.ts'
import type { Problem } from './problem.ts'

export type Severity = 'page' | 'ticket'

/** Both windows must burn faster than the factor. */
export type BurnPair = {
  /** Stable within its profile: states are kept by it. */
  readonly id: string
  readonly severity: Severity
  readonly longWindowMs: number
  readonly shortWindowMs: number
} & (
  | {
      /** Part of the period's budget that the long window may spend, percent. */ readonly budgetPercent: number
    }
  | { readonly factor: number }
)

export type BurnProfile = {
  readonly name: string
  /** The period whose budget the percentages mean. */
  readonly periodMs: number
  readonly pairs: readonly BurnPair[]
  /** Where the figures come from. */
  readonly source: string
}

/** The burn rate a pair waits for: percent × period ÷ (100 × long window). */
export function burnFactor(pair: BurnPair, periodMs: number): number {
  return toNumber(exactFactor(pair, periodMs))
}

/** The error ratio above which a window of the pair burns too fast, as the nearest double of the exact figure. */
export function thresholdRatio(pair: BurnPair, periodMs: number, objective: number): number {
  return toNumber(times(exactFactor(pair, periodMs), exactBudget(objective)))
}

function exactFactor(pair: BurnPair, periodMs: number): Exact {
  if ('factor' in pair) return exact(pair.factor)
  return over(times(exact(pair.budgetPercent), exact(periodMs)), times(exact(100), exact(pair.longWindowMs)))
}

/** What makes a pair impossible for an SLO, pair by pair; an empty list when all can work. */
export function checkProfile(
  profile: BurnProfile,
  slo: { readonly objective: number; readonly unitMs: number },
  place = 'burn',
): readonly Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  for (const [index, pair] of profile.pairs.entries()) {
    const here = `${place}.pairs[${index}]`
    const say = (field: string, message: string) => problems.push({ place: `${here}${field}`, message })
    if (seen.has(pair.id))
      say('.id', `«${pair.id}» occurs twice; states are kept by it, so give each its own`)
    seen.add(pair.id)
    if (!(pair.shortWindowMs < pair.longWindowMs))
      say('.shortWindowMs', 'must be shorter than the long window; a twelfth of it is customary')
    for (const field of ['shortWindowMs', 'longWindowMs'] as const) {
      if (!(pair[field] > 0 && pair[field] % slo.unitMs === 0))
        say(`.${field}`, `must be a multiple of the slice of ${slo.unitMs / 1000} s`)
    }
    const figure = 'factor' in pair ? pair.factor : pair.budgetPercent
    const figureField = 'factor' in pair ? '.factor' : '.budgetPercent'
    if (!(figure > 0 && Number.isFinite(figure))) {
      say(figureField, 'must be above 0')
      continue
    }
    if (!canFire(pair, profile.periodMs, slo.objective))
      say(
        figureField,
        `burn rate ${round(burnFactor(pair, profile.periodMs))} can never be exceeded at objective ${slo.objective}: ` +
          `max burn rate is ${round(burnRateMax(slo.objective))}; take a lower factor, or leave the pair out`,
      )
  }
  return problems
}

/**
 * A profile for an objective it may be too steep for: pairs that can never fire are left out, and said.
 * For profiles that were chosen by us; one that a person wrote is refused by `checkProfile`.
 */
export function fitProfile(
  profile: BurnProfile,
  objective: number,
): { readonly profile: BurnProfile; readonly left: readonly BurnPair[] } {
  const pairs = profile.pairs.filter((pair) => canFire(pair, profile.periodMs, objective))
  return { profile: { ...profile, pairs }, left: profile.pairs.filter((pair) => !pairs.includes(pair)) }
}

function canFire(pair: BurnPair, periodMs: number, objective: number): boolean {
  return compare(times(exactFactor(pair, periodMs), exactBudget(objective)), exact(1)) < 0
}

function round(value: number): string {
  return String(Number(value.toPrecision(6)))
}
