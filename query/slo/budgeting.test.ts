import { describe, expect, test } from 'vitest'
import type { Budgeting } from './budgeting.ts'
import { checkBudgeting } from './budgeting.ts'
import { countWindow } from './count-window.ts'
import { burnRate } from './burn-rate.ts'
import { EMPTY, emptyColumns, goodAndTotal, MEASURED, type SliceColumns } from './slices.ts'

const minute = 60_000
const timeslices = (timeSliceTarget: number, timeSliceMs = minute): Budgeting => ({
  method: 'Timeslices',
  timeSliceMs,
  timeSliceTarget,
  emptySlices: 'good',
})
const ratioTimeslices: Budgeting = { method: 'RatioTimeslices', timeSliceMs: minute }
const occurrences: Budgeting = { method: 'Occurrences' }

function columns(counts: readonly (readonly [number, number])[]): SliceColumns {
  const made = emptyColumns(minute, 0, counts.length)
  for (const [index, [good, total]] of counts.entries()) {
    made.good[index] = good
    made.total[index] = total
    made.state[index] = total === 0 ? EMPTY : MEASURED
  }
  return made
}

function sli(slices: SliceColumns, budgeting: Budgeting): number {
  const { net } = countWindow(slices, budgeting, { from: 0, to: slices.total.length })
  return net.good / net.total
}

// OpenSLO's example: two weeks, 99 % normally, objective 95 %, minutes of 100 requests; during the attack 1 % succeed.
const MINUTES = 20_160
function attack(badMinutes: number, attackTotal = 100): SliceColumns {
  return columns(
    Array.from({ length: MINUTES }, (_, index) =>
      index < badMinutes ? [attackTotal / 100, attackTotal] : [99, 100],
    ),
  )
}

describe('1.8 the same data by three methods', () => {
  test('Timeslices: 1,008 bad minutes (16 h 48 min) spend the budget exactly', () => {
    expect(burnRate(MINUTES - MINUTES * sli(attack(1008), timeslices(0.9)), MINUTES, 0.95)).toBeCloseTo(1, 12)
    expect(sli(attack(1008), timeslices(0.9))).toBe(0.95)
    expect(sli(attack(1009), timeslices(0.9))).toBeLessThan(0.95)
  })

  test('RatioTimeslices: it takes 822.86 minutes', () => {
    expect((0.04 / 0.98) * MINUTES).toBeCloseTo(822.857, 3)
    expect(sli(attack(822), ratioTimeslices)).toBeGreaterThan(0.95)
    expect(sli(attack(823), ratioTimeslices)).toBeLessThan(0.95)
    expect(sli(attack(822), ratioTimeslices)).toBeCloseTo(0.99 - (822 * 0.98) / MINUTES, 9)
  })

  test('Occurrences: 5 % of 336,000 requests are 16,800, however few minutes bring them', () => {
    const even = columns(Array.from({ length: MINUTES }, (_, index) => (index % 3 === 0 ? [50, 50] : [0, 0])))
    expect(countWindow(even, occurrences, { from: 0, to: MINUTES }).net.total).toBe(336_000)
    const failed = (count: number) => {
      const made = columns(
        Array.from({ length: MINUTES }, (_, index) => (index % 3 === 0 ? [50, 50] : [0, 0])),
      )
      let left = count
      for (let index = 0; left > 0; index += 3) {
        made.good[index] = 50 - Math.min(50, left)
        left -= Math.min(50, left)
      }
      return sli(made, occurrences)
    }
    expect(failed(16_800)).toBe(0.95)
    expect(failed(16_801)).toBeLessThan(0.95)
  })

  test('a flood of ten times the traffic spends by its requests only with Occurrences', () => {
    expect(sli(attack(10, 1000), timeslices(0.9))).toBe(sli(attack(10), timeslices(0.9)))
    expect(sli(attack(10, 1000), ratioTimeslices)).toBe(sli(attack(10), ratioTimeslices))
    expect(sli(attack(10, 1000), occurrences)).toBeLessThan(sli(attack(10), occurrences))
  })

  test('low traffic counts as much as any: a week at 99.95 % allows 5.04 bad minutes', () => {
    const quietNight = (bad: number) =>
      columns(Array.from({ length: 10_080 }, (_, index) => (index < bad ? [0, 1] : [1000, 1000])))
    expect(10_080 * 0.0005).toBeCloseTo(5.04, 12)
    expect(sli(quietNight(5), timeslices(0.95))).toBeGreaterThan(0.9995)
    expect(sli(quietNight(6), timeslices(0.95))).toBeLessThan(0.9995)
    expect(sli(quietNight(6), occurrences)).toBeGreaterThan(0.9999)
  })
})

test('a time slice of five minutes is judged by all of its steps', () => {
  const five = timeslices(0.9, 5 * minute)
  const slices = columns([
    [10, 10],
    [10, 10],
    [10, 10],
    [10, 10],
    [4, 10],
    [10, 10],
    [10, 10],
    [10, 10],
    [10, 10],
    [6, 10],
  ])
  expect(countWindow(slices, five, { from: 0, to: 10 }).net).toEqual({
    good: 1,
    total: 2,
    known: 2,
    empty: 0,
    expected: 2,
  })
})

test('a time slice is known only when nearly all of it is, and an empty one failed nobody', () => {
  const slices = columns(Array.from({ length: 10 }, () => [0, 0]))
  slices.state[3] = 0
  const by = (budgeting: Budgeting) => countWindow(slices, budgeting, { from: 0, to: 10 }).net
  expect(by(timeslices(0.9, 5 * minute))).toEqual({ good: 1, total: 1, known: 1, empty: 1, expected: 2 })
  expect(by({ ...timeslices(0.9, 5 * minute), emptySlices: 'ignore' } as Budgeting)).toMatchObject({
    total: 0,
    known: 1,
  })
  expect(by({ method: 'RatioTimeslices', timeSliceMs: 5 * minute })).toMatchObject({
    total: 0,
    known: 1,
    empty: 1,
  })
})

test('1.10 good of all, bad of all, and single ratios of success or failure say the same', () => {
  expect(goodAndTotal({ good: 995, total: 1000 })).toEqual({ good: 995, total: 1000 })
  expect(goodAndTotal({ bad: 5, total: 1000 })).toEqual({ good: 995, total: 1000 })
  expect(goodAndTotal({ rawSum: 2.985, samples: 3, rawType: 'success' })).toEqual({ good: 2985, total: 3000 })
  expect(goodAndTotal({ rawSum: 0.015, samples: 3, rawType: 'failure' })).toEqual({ good: 2985, total: 3000 })
})

test('time slices that do not fit are named', () => {
  expect(checkBudgeting(timeslices(0, 90_000), minute).map(({ place }) => place)).toEqual([
    'budgeting.timeSliceMs',
    'budgeting.timeSliceTarget',
  ])
  expect(checkBudgeting(timeslices(1), minute)).toEqual([])
})
