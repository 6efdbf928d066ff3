// The error budget: how much of it an objective allows, how much is spent, when it will be gone. Pure arithmetic;
// where counts come from (window sums) and who is woken (alerts) never lives here.

import { exact, minus, over, times, toNumber, type Exact } from './exact-decimal.ts'
import type { JudgedWindow } from './judge-window.ts'
import type { Problem } from './problem.ts'

/**
 * 1 − objective as the nearest double of the decimal that is meant: 0.001 for 0.999.
 *
 * @param objective  ratio in [0, 1)
 * @throws RangeError outside
 */
export function errorBudgetRatio(objective: number): number {
  return toNumber(exactBudget(objective))
}

export function exactBudget(objective: number): Exact {
  if (!(objective >= 0 && objective < 1))
    throw new RangeError(`an objective is a ratio from 0 to below 1: ${objective}`)
  return minus(exact(1), exact(objective))
}

/** 99.9 → 0.999, by decimals. */
export function objectiveFromPercent(percent: number): number {
  return toNumber(over(exact(percent), exact(100)))
}

/** What is wrong with an objective; an empty list when nothing is. */
export function checkObjective(objective: number, place = 'objective'): readonly Problem[] {
  if (objective >= 0 && objective < 1) return []
  const message =
    objective === 1
      ? 'an objective of 1 leaves no budget to spend; promise less, 0.9999 at most times'
      : 'must be a ratio from 0 to below 1; 99.9 % is written 0.999'
  return [{ place, message }]
}

export type BudgetFigures = {
  /** What is counted: events (Occurrences) or time slices. */
  readonly unit: 'events' | 'slices'
  /** Bad units that the whole SLO window allows. */
  readonly allowed: number
  /** Bad units so far. */
  readonly spent: number
  /** allowed − spent, signed. */
  readonly remaining: number
  /** 1 − spent ÷ allowed, signed; −0.756 is 75.6 % more than allowed. */
  readonly remainingRatio: number
  /** Events of a calendar window that has not ended are estimated from its pace so far. */
  readonly isEstimate: boolean
}

/**
 * The budget over the SLO window. A calendar window is measured against the whole of it, also while it runs: what the
 * first bad hour of a month spends is a share of the month's budget, not of the hour's.
 *
 * @param elapsedRatio  part of the window that has passed: 1 for a rolling one
 * @param wholeUnits    time slices in the whole window; undefined when events are counted
 * @returns undefined when the window is not known
 */
export function budgetFigures(
  judged: JudgedWindow,
  objective: number,
  elapsedRatio: number,
  wholeUnits: number | undefined,
): BudgetFigures | undefined {
  const budget = exactBudget(objective)
  const remainingRatio = remainingBudgetRatio(judged, toNumber(budget), elapsedRatio)
  if (remainingRatio === undefined || judged.kind !== 'known') return undefined
  const isEstimate = wholeUnits === undefined && elapsedRatio < 1
  const whole = wholeUnits ?? (isEstimate ? judged.total / elapsedRatio : judged.total)
  const allowed = toNumber(times(budget, exact(whole)))
  const spent = wholeUnits === undefined ? judged.bad : (1 - remainingRatio) * allowed
  return {
    unit: wholeUnits === undefined ? 'events' : 'slices',
    allowed,
    spent,
    remaining: allowed - spent,
    remainingRatio,
    isEstimate,
  }
}

/** Part of the whole budget that is left, signed; parameters as above, with 1 − objective. */
export function remainingBudgetRatio(
  judged: JudgedWindow,
  budgetRatio: number,
  elapsedRatio: number,
): number | undefined {
  if (judged.kind !== 'known' || elapsedRatio <= 0) return undefined
  return 1 - (judged.errorRatio / budgetRatio) * elapsedRatio
}

/**
 * How long what is left lasts at a pace.
 *
 * @param remainingRatio  part of the whole budget that is left, signed
 * @param burnRate        1 spends the whole budget in one window; undefined when the pace is not known
 * @returns milliseconds, 0 when nothing is left; `never` when nothing is being spent; undefined without a pace
 */
export function timeToExhaustionMs(
  remainingRatio: number,
  burnRate: number | undefined,
  windowMs: number,
): number | 'never' | undefined {
  if (remainingRatio <= 0) return 0
  if (burnRate === undefined) return undefined
  if (burnRate <= 0) return 'never'
  return (remainingRatio * windowMs) / burnRate
}
