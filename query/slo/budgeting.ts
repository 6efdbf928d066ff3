// The three budgeting methods of OpenSLO as one idea: what counts is a unit with a good part. For Occurrences a unit of
// time brings its events; for the others it is one time slice, judged good or bad (Timeslices) or by its ratio
// (RatioTimeslices). Everything is whole numbers, so that sums kept for months stay exact.

import type { Problem } from './problem.ts'
import { EMPTY, UNMEASURED } from './slices.ts'

export type Budgeting =
  /** Σ good ÷ Σ total. */
  | { readonly method: 'Occurrences' }
  | {
      /** Good time slices ÷ time slices. */
      readonly method: 'Timeslices'
      readonly timeSliceMs: number
      /** A time slice is good from this ratio on. */
      readonly timeSliceTarget: number
      /** A time slice without events failed nobody: `good` (default), or it is left out. */
      readonly emptySlices: 'good' | 'ignore'
    }
  | {
      /** Mean of the ratios of time slices that had events. */
      readonly method: 'RatioTimeslices'
      readonly timeSliceMs: number
    }

/** Time that one unit covers: the step for Occurrences, else the time slice. */
export function unitMs(budgeting: Budgeting, stepMs: number): number {
  return budgeting.method === 'Occurrences' ? stepMs : budgeting.timeSliceMs
}

// Ratios are kept as multiples of 2^-32 and a window has at most 2^21 units: sums stay below 2^53. The rounding of one
// ratio is at most 1.2e-10, and so is that of their mean.
export const RATIO_SCALE = 2 ** 32
export const WINDOW_UNITS_MAX = 2 ** 21

/** A time slice is known when at least this part of its steps is. */
const TIME_SLICE_KNOWN_RATIO = 0.9

/** Parts of a unit in a scratch array. */
export const UNIT_GOOD = 0
export const UNIT_TOTAL = 1
export const UNIT_KNOWN = 2
export const UNIT_EMPTY = 3
/** How many there are. */
export const PARTS = 4
/** Where the parts of excluded units begin. */
export const EXCLUDED_PART = PARTS

export type ReadUnit = (
  good: Uint32Array,
  total: Uint32Array,
  state: Uint8Array,
  /** Place of the unit's first step, and places in all: columns may be a ring. */
  index: number,
  capacity: number,
  out: Float64Array,
) => void

/** How a unit is read from the columns of its steps. `out` gets good, total, known (0 or 1) and empty (0 or 1). */
export function unitReader(budgeting: Budgeting, stepMs: number): ReadUnit {
  if (budgeting.method === 'Occurrences') return readEvents
  const steps = budgeting.timeSliceMs / stepMs
  const knownMin = Math.ceil(TIME_SLICE_KNOWN_RATIO * steps)
  return (good, total, state, index, capacity, out) => {
    let goodSum = 0
    let totalSum = 0
    let known = 0
    for (let step = 0; step < steps; step++) {
      const place = (index + step) % capacity
      if (state[place] === UNMEASURED) continue
      known++
      goodSum += good[place] ?? 0
      totalSum += total[place] ?? 0
    }
    const isKnown = known >= knownMin
    out[UNIT_KNOWN] = Number(isKnown)
    out[UNIT_EMPTY] = Number(isKnown && totalSum === 0)
    out[UNIT_GOOD] = 0
    out[UNIT_TOTAL] = 0
    if (!isKnown) return
    if (budgeting.method === 'RatioTimeslices') {
      if (totalSum === 0) return
      out[UNIT_GOOD] = Math.round((goodSum / totalSum) * RATIO_SCALE)
      out[UNIT_TOTAL] = RATIO_SCALE
      return
    }
    if (totalSum === 0) {
      if (budgeting.emptySlices === 'ignore') return
      out[UNIT_GOOD] = 1
    } else out[UNIT_GOOD] = Number(goodSum / totalSum >= budgeting.timeSliceTarget)
    out[UNIT_TOTAL] = 1
  }
}

function readEvents(
  good: Uint32Array,
  total: Uint32Array,
  state: Uint8Array,
  index: number,
  _capacity: number,
  out: Float64Array,
): void {
  const kind = state[index]
  out[UNIT_GOOD] = good[index] ?? 0
  out[UNIT_TOTAL] = total[index] ?? 0
  out[UNIT_KNOWN] = kind === UNMEASURED ? 0 : 1
  out[UNIT_EMPTY] = kind === EMPTY ? 1 : 0
}

/** What is wrong with a method for slices of a step; an empty list when nothing is. */
export function checkBudgeting(
  budgeting: Budgeting,
  stepMs: number,
  place = 'budgeting',
): readonly Problem[] {
  if (budgeting.method === 'Occurrences') return []
  const problems: Problem[] = []
  const { timeSliceMs } = budgeting
  if (!(timeSliceMs >= stepMs && timeSliceMs % stepMs === 0))
    problems.push({
      place: `${place}.timeSliceMs`,
      message: `must be a multiple of the slice of ${stepMs / 1000} s`,
    })
  if (budgeting.method === 'Timeslices' && !(budgeting.timeSliceTarget > 0 && budgeting.timeSliceTarget <= 1))
    problems.push({ place: `${place}.timeSliceTarget`, message: 'must be a ratio above 0 and up to 1' })
  return problems
}
