// How one SLO is judged: all that the evaluation needs to know of it. Where it is defined and stored (registry), and what
// is counted (indicators) never lives here.

import { checkBudgeting, unitMs, WINDOW_UNITS_MAX, type Budgeting } from './budgeting.ts'
import { burnFactor, checkProfile, thresholdRatio, type BurnProfile, type Severity } from './burn-profile.ts'
import { checkObjective, errorBudgetRatio } from './error-budget.ts'
import { COVERAGE_FLOOR, type MissingData } from './judge-window.ts'
import type { OutageRule } from './outage-rule.ts'
import type { Problem } from './problem.ts'
import { checkWindow, windowLengthMs, type SloWindow } from './slo-window.ts'

/** Too little evidence to wake anybody: a pair that burns does not fire below these. */
export type Guards = {
  /** Events in the long window. */
  readonly minTotal: number
  /** Bad events in both windows. */
  readonly minBad: number
}

export const EVENT_GUARDS: Guards = { minTotal: 20, minBad: 3 }
/** Time slices are few by nature; one bad slice of them is evidence. */
export const SLICE_GUARDS: Guards = { minTotal: 1, minBad: 0 }

export type SloPolicy = {
  /** Ratio from 0 to below 1. */
  readonly objective: number
  readonly window: SloWindow
  /** 10,000 for critical tiers, else 60,000. */
  readonly stepMs: number
  readonly budgeting: Budgeting
  readonly missingData: MissingData
  /** Known part of a window from which it is judged, 0–1. */
  readonly coverageFloor: number
  readonly burn: BurnProfile
  readonly guards: Guards
  readonly outage: OutageRule | undefined
  /** Unmeasured slices in a row from which the SLO is silent. */
  readonly silentSlices: number
  /** Failed measurings in a row from which that is an alert of its own. */
  readonly failuresMax: number
}

type Chosen = Pick<SloPolicy, 'objective' | 'window' | 'burn'> & Partial<SloPolicy>

/** A policy with everything that was not chosen at its default. */
export function sloPolicy(chosen: Chosen): SloPolicy {
  const budgeting = chosen.budgeting ?? { method: 'Occurrences' }
  return {
    stepMs: 60_000,
    missingData: 'freeze',
    coverageFloor: COVERAGE_FLOOR,
    guards: budgeting.method === 'Occurrences' ? EVENT_GUARDS : SLICE_GUARDS,
    outage: undefined,
    silentSlices: 3,
    failuresMax: 3,
    ...chosen,
    budgeting,
  }
}

export type CompiledPair = {
  readonly id: string
  readonly severity: Severity
  readonly factor: number
  /** Error ratio above which both windows must lie. */
  readonly thresholdRatio: number
  readonly longWindowMs: number
  readonly shortWindowMs: number
  /** Places in `windows`. */
  readonly long: number
  readonly short: number
}

export type CompiledPolicy = {
  readonly policy: SloPolicy
  readonly budgetRatio: number
  /** What WindowSums is to keep: the SLO window first, then each length of the pairs once. */
  readonly windows: readonly SloWindow[]
  readonly pairs: readonly CompiledPair[]
  /** Place of the shortest window: what «now» is. */
  readonly shortest: number
}

/** Everything that can be worked out once. The policy must have passed `checkPolicy`. */
export function compilePolicy(policy: SloPolicy): CompiledPolicy {
  const { burn, objective, window } = policy
  const lengths = [...new Set(burn.pairs.flatMap((pair) => [pair.shortWindowMs, pair.longWindowMs]))].sort(
    (a, b) => a - b,
  )
  const own = window.kind === 'rolling' ? window.durationMs : undefined
  const others = lengths.filter((length) => length !== own)
  const place = (length: number) => (length === own ? 0 : 1 + others.indexOf(length))
  return {
    policy,
    budgetRatio: errorBudgetRatio(objective),
    windows: [window, ...others.map((durationMs) => ({ kind: 'rolling', durationMs }) as const)],
    pairs: burn.pairs.map((pair) => ({
      id: pair.id,
      severity: pair.severity,
      factor: burnFactor(pair, burn.periodMs),
      thresholdRatio: thresholdRatio(pair, burn.periodMs, objective),
      longWindowMs: pair.longWindowMs,
      shortWindowMs: pair.shortWindowMs,
      long: place(pair.longWindowMs),
      short: place(pair.shortWindowMs),
    })),
    shortest: lengths[0] === undefined ? 0 : place(lengths[0]),
  }
}

/** Everything that is wrong with a policy; an empty list when nothing is. */
export function checkPolicy(policy: SloPolicy): readonly Problem[] {
  const { objective, window, stepMs, budgeting, burn, coverageFloor, guards } = policy
  const unit = unitMs(budgeting, stepMs)
  const problems = [
    ...checkObjective(objective),
    ...checkBudgeting(budgeting, stepMs),
    ...checkWindow(window, unit),
    ...(checkObjective(objective).length > 0 ? [] : checkProfile(burn, { objective, unitMs: unit })),
  ]
  const say = (place: string, message: string) => problems.push({ place, message })
  if (!(coverageFloor > 0 && coverageFloor <= 1)) say('coverageFloor', 'must be a ratio above 0 and up to 1')
  for (const field of ['minTotal', 'minBad'] as const)
    if (!(guards[field] >= 0)) say(`guards.${field}`, 'must be 0 or more')
  if (problems.length === 0 && windowLengthMs(window, 0) / unit > WINDOW_UNITS_MAX)
    say('window', `holds more than ${WINDOW_UNITS_MAX} slices; take a longer slice or a shorter window`)
  return problems
}
