// Promises made of other promises: a journey of several steps, weighed. The rules are OpenSLO's; it defines no target for
// a composite, so burn rates and lost ratios are what adds up. Pure arithmetic.

import type { JudgedWindow } from './judge-window.ts'
import type { Problem } from './problem.ts'
import { EMPTY, emptyColumns, MEASURED, UNMEASURED, type SliceColumns } from './slices.ts'

export type WeighedBurn = {
  /** Above 0; 1 is OpenSLO's default. */
  readonly weight: number
  /** Undefined when nothing is known. */
  readonly burnRate: number | undefined
}

/** Occurrences: burn rates add up by weight; undefined as soon as one part is not known. */
export function compositeBurnRate(parts: readonly WeighedBurn[]): number | undefined {
  let sum = 0
  for (const { weight, burnRate } of parts) {
    if (burnRate === undefined) return undefined
    sum += weight * burnRate
  }
  return sum
}

/** RatioTimeslices: 1 − Σ weight × (1 − ratio). 0.95 and 0.95 give 0.90. */
export function compositeRatio(
  parts: readonly { readonly weight: number; readonly ratio: number }[],
): number {
  return 1 - parts.reduce((lost, { weight, ratio }) => lost + weight * (1 - ratio), 0)
}

/**
 * Timeslices: a slice is bad when it is bad for any part; weights mean nothing. Parts come as columns of judged time
 * slices (total 1, good 0 or 1). A slice that any part does not know is not known, unless another part is bad in it.
 * @throws RangeError when columns do not lie over the same slices
 */
export function compositeSlices(parts: readonly SliceColumns[]): SliceColumns {
  const [first] = parts
  if (first === undefined) throw new RangeError('a composite needs at least one part')
  const length = first.total.length
  for (const { stepMs, from, total } of parts)
    if (stepMs !== first.stepMs || from !== first.from || total.length !== length)
      throw new RangeError('the parts of a composite must lie over the same slices')
  const whole = emptyColumns(first.stepMs, first.from, length)
  for (let index = 0; index < length; index++) {
    const isBad = parts.some(({ good, total }) => (good[index] ?? 0) < (total[index] ?? 0))
    const isUnknown = parts.some(({ state }) => state[index] === UNMEASURED)
    const isEmpty = parts.every(({ state }) => state[index] === EMPTY)
    whole.revision[index] = Math.max(...parts.map(({ revision }) => revision[index] ?? 0))
    if (!isBad && (isUnknown || isEmpty)) {
      whole.state[index] = isUnknown ? UNMEASURED : EMPTY
      continue
    }
    whole.state[index] = MEASURED
    whole.total[index] = 1
    whole.good[index] = isBad ? 0 : 1
  }
  return whole
}

/**
 * A window of a composite as the evaluation takes it. Occurrences: its error ratio is the composite burn rate times the
 * budget of the objective the composite is judged by. RatioTimeslices: what the parts lost adds up by weight, whatever each of
 * them was allowed. Counts add up, for the guards. Composites of Timeslices have slices of their own (composite-timeslices.ts).
 */
export function compositeWindow(
  parts: readonly { readonly weight: number; readonly budgetRatio: number; readonly judged: JudgedWindow }[],
  budgetRatio: number,
  method: 'Occurrences' | 'RatioTimeslices',
): JudgedWindow {
  let burn = 0
  let lost = 0
  let bad = 0
  let total = 0
  let coverage = 1
  let isKnown = false
  for (const { weight, budgetRatio: partBudget, judged } of parts) {
    if (judged.kind === 'excluded') continue
    coverage = Math.min(coverage, judged.coverage)
    if (judged.kind === 'no-data') return { kind: 'no-data', coverage }
    if (judged.kind === 'no-traffic') continue
    isKnown = true
    burn += (weight * judged.errorRatio) / partBudget
    lost += weight * judged.errorRatio
    bad += judged.bad
    total += judged.total
  }
  if (!isKnown)
    return parts.every(({ judged }) => judged.kind === 'excluded')
      ? { kind: 'excluded' }
      : { kind: 'no-traffic', coverage }
  const errorRatio = method === 'RatioTimeslices' ? lost : burn * budgetRatio
  return { kind: 'known', errorRatio, bad, total, coverage }
}

/** What is wrong with a composite; an empty list when nothing is. */
export function checkComposite(
  parts: readonly { readonly method: string; readonly weight: number }[],
  place = 'objectives',
): readonly Problem[] {
  const problems: Problem[] = []
  const methods = [...new Set(parts.map(({ method }) => method))]
  if (methods.length > 1)
    problems.push({
      place,
      message: `all parts of a composite have one budgeting method; here are ${methods.join(' and ')}`,
    })
  for (const [index, { weight }] of parts.entries())
    if (!(weight > 0 && Number.isFinite(weight)))
      problems.push({ place: `${place}[${index}].weight`, message: 'must be above 0; 1 is customary' })
  return problems
}
