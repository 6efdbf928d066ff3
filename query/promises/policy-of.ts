// From an SLO's definition to how each of its objectives is judged: defaults by the tier, thresholds in thousandths of events.

import { EVENT_SCALE } from '../measure/question.ts'
import { fitProfile, type BurnProfile } from '../slo/burn-profile.ts'
import { burnProfiles, calendarMonth, profileForPeriod } from '../slo/burn-profiles.ts'
import type { SloDefinition, SloObjective, Tier } from '../slo/model.ts'
import { OUTAGE_RULE } from '../slo/outage-rule.ts'
import {
  checkPolicy,
  EVENT_GUARDS,
  SLICE_GUARDS,
  sloPolicy,
  type Guards,
  type SloPolicy,
} from '../slo/slo-policy.ts'
import type { Problem } from '../slo/problem.ts'
import { windowLengthMs } from '../slo/slo-window.ts'

/** @param targetRatio  of a composite the whole's, else the objective's */
export function policyOf(
  definition: SloDefinition,
  { budgeting }: Pick<SloObjective, 'budgeting'>,
  targetRatio: number,
  stepMs: number,
  tier: Tier | undefined,
): SloPolicy {
  const { window, missingData, coverageFloor } = definition
  const isByEvents = budgeting.method === 'Occurrences'
  const scale = isByEvents ? EVENT_SCALE : 1
  // Where a probe stands in for little traffic, the SLO says what little is.
  const fallback = definition.indicators
    .flatMap((indicator) => (indicator.kind === 'requests' ? (indicator.fallback ?? []) : []))
    .at(0)
  const usual: Guards = isByEvents
    ? { ...EVENT_GUARDS, minTotal: fallback?.totalMin ?? EVENT_GUARDS.minTotal }
    : SLICE_GUARDS
  // Slow answers are no outage, unless the SLO says so.
  const isOfSpeed = definition.indicators.some(
    (indicator) => indicator.kind === 'requests' && indicator.good.withinMs !== undefined,
  )
  const usualOutage = (definition.tier ?? tier) === 'critical' && !isOfSpeed ? OUTAGE_RULE : undefined
  const outage = definition.outage === 'off' ? undefined : (definition.outage ?? usualOutage)
  const chosen = sloPolicy({
    objective: targetRatio,
    window,
    stepMs,
    budgeting,
    missingData,
    coverageFloor,
    burn: burnOf(definition, targetRatio),
    guards: {
      minTotal: (definition.minTotal ?? usual.minTotal) * scale,
      minBad: (definition.minBad ?? usual.minBad) * scale,
    },
    outage: outage && { ...outage, totalMin: outage.totalMin * EVENT_SCALE },
  })
  // Pairs shorter than a time slice cannot be judged by it.
  const unit = budgeting.method === 'Occurrences' ? stepMs : budgeting.timeSliceMs
  const pairs = chosen.burn.pairs.filter(
    (pair) => pair.shortWindowMs % unit === 0 && pair.longWindowMs % unit === 0,
  )
  return { ...chosen, burn: { ...chosen.burn, pairs } }
}

function burnOf({ window, burnProfile, severities }: SloDefinition, targetRatio: number): BurnProfile {
  const named = burnProfiles.find(({ name }) => name === burnProfile)
  const usual =
    window.kind === 'calendar' && window.unit === 'month'
      ? calendarMonth
      : profileForPeriod(windowLengthMs(window, Date.UTC(2026, 0, 15)))
  const { profile } = fitProfile(named ?? usual, targetRatio)
  return { ...profile, pairs: profile.pairs.filter(({ severity }) => severities.includes(severity)) }
}

/** What keeps an SLO from being judged; told where it is entered. */
export function policyProblems(definition: SloDefinition, stepMs: number): readonly Problem[] {
  return definition.objectives.flatMap((objective, index) =>
    checkPolicy(policyOf(definition, objective, objective.targetRatio, stepMs, definition.tier)).map(
      (one) => ({
        ...one,
        place: `spec.objectives[${index}].${one.place}`,
      }),
    ),
  )
}
