// How fast an SLO spends its error budget. Pure arithmetic lives here; where counts come from and who is woken never do.

import { exact, over, times, toNumber } from './exact-decimal.ts'
import { exactBudget } from './error-budget.ts'

/**
 * Burn rate of one SLO over one lookback window.
 *
 * @param bad        bad events in the window, 0 ≤ bad ≤ valid
 * @param valid      all events that count towards the SLI
 * @param objective  target SLI, a ratio in [0, 1), e.g. 0.999
 * @returns multiples of the sustainable rate; undefined without traffic, because no evidence is not good evidence
 * @throws RangeError when the objective lies outside [0, 1)
 * Source: Google SRE Workbook, "Alerting on SLOs".
 */
export function burnRate(bad: number, valid: number, objective: number): number | undefined {
  const budget = toNumber(exactBudget(objective))
  return valid > 0 ? bad / valid / budget : undefined
}

/** The burn rate of a total outage: 1 ÷ (1 − objective). A threshold at or above it can never be exceeded. */
export function burnRateMax(objective: number): number {
  return toNumber(over(exact(1), exactBudget(objective)))
}

/** Error ratio that a burn rate stands for: 14.4 at 99.9 % is exactly 0.0144. */
export function errorRatioAt(factor: number, objective: number): number {
  return toNumber(times(exact(factor), exactBudget(objective)))
}
