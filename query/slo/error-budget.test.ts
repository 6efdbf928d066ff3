import { describe, expect, test } from 'vitest'
import { sloPolicy } from './slo-policy.ts'
import { SloPlay } from '../../test/support/slo-play.ts'
import { burnRate } from './burn-rate.ts'
import { workbook30d } from './burn-profiles.ts'
import {
  budgetFigures,
  checkObjective,
  errorBudgetRatio,
  objectiveFromPercent,
  timeToExhaustionMs,
} from './error-budget.ts'
import { EMPTY } from './slices.ts'

const DAY = 86_400_000

describe('1.4 objectives are decimals', () => {
  test.each([
    [99.9, 0.999, 0.001],
    [99.99, 0.9999, 0.0001],
    [99.95, 0.9995, 0.0005],
    [99.999, 0.99999, 0.00001],
    [95, 0.95, 0.05],
    [0, 0, 1],
  ])('%s %% and %s leave the same budget, %s to the last bit', (percent, ratio, budget) => {
    expect(objectiveFromPercent(percent)).toBe(ratio)
    expect(errorBudgetRatio(objectiveFromPercent(percent))).toBe(budget)
    expect(errorBudgetRatio(ratio)).toBe(budget)
  })
})

test('1.3 an objective of 1 is refused, 0 is accepted', () => {
  expect(checkObjective(1)[0]?.message).toContain('leaves no budget')
  expect(checkObjective(0)).toEqual([])
  for (const wrong of [-0.1, 1.5, 99.9, Number.NaN]) expect(checkObjective(wrong)).toHaveLength(1)
  expect(() => errorBudgetRatio(1)).toThrow(RangeError)
})

describe('budget', () => {
  test('2.10 an overspent budget is negative, never clamped', () => {
    const judged = { kind: 'known', errorRatio: 0.001756, bad: 1756, total: 1_000_000, coverage: 1 } as const
    const budget = budgetFigures(judged, 0.999, 1, undefined)
    expect(budget?.remainingRatio).toBeCloseTo(-0.756, 12)
    expect(budget).toMatchObject({ unit: 'events', allowed: 1000, spent: 1756, remaining: -756 })
  })

  test('2.10 time to exhaustion is never when nothing burns, 0 when nothing is left', () => {
    expect(timeToExhaustionMs(0.5, 0, 30 * DAY)).toBe('never')
    expect(timeToExhaustionMs(0.5, -1, 30 * DAY)).toBe('never')
    expect(timeToExhaustionMs(-0.756, 3, 30 * DAY)).toBe(0)
    expect(timeToExhaustionMs(0.5, undefined, 30 * DAY)).toBeUndefined()
    // What is left counts, not the whole budget.
    expect(timeToExhaustionMs(1, 1, 30 * DAY)).toBe(30 * DAY)
    expect(timeToExhaustionMs(0.5, 14.4, 30 * DAY)).toBeCloseTo((0.5 * 30 * DAY) / 14.4, 6)
  })

  test('a calendar window that runs is measured against the whole of it', () => {
    const judged = { kind: 'known', errorRatio: 0.002, bad: 20, total: 10_000, coverage: 1 } as const
    const budget = budgetFigures(judged, 0.999, 0.25, undefined)
    expect(budget).toMatchObject({ allowed: 40, spent: 20, remainingRatio: 0.5, isEstimate: true })
  })
})

describe('1.5 budgets of a calendar month by time slices of a minute', () => {
  test.each([
    ['2024-02-01', 29, 41.76],
    ['2023-02-01', 28, 40.32],
  ])('February from %s has %s days: 99.9 %% allow %s bad minutes', (start, days, minutes) => {
    const policy = sloPolicy({
      objective: 0.999,
      window: { kind: 'calendar', unit: 'month', count: 1, timeZone: 'Asia/Shanghai', start: undefined },
      budgeting: { method: 'Timeslices', timeSliceMs: 60_000, timeSliceTarget: 0.95, emptySlices: 'good' },
      burn: workbook30d,
    })
    const play = new SloPlay(policy, Date.parse(`${start}T00:00:00+08:00`))
    play.step({ good: 10, total: 10 })
    const { budget, window } = play.status()
    expect(((window?.endMs ?? 0) - (window?.fromMs ?? 0)) / DAY).toBe(days)
    expect(budget).toMatchObject({ unit: 'slices', allowed: minutes, spent: 0, isEstimate: false })
  })
})

test('2.7 an hour without traffic leaves the budget as it was, and every figure finite', () => {
  const policy = sloPolicy({
    objective: 0.999,
    window: { kind: 'rolling', durationMs: 30 * DAY },
    burn: workbook30d,
  })
  const play = new SloPlay(policy, Date.UTC(2026, 6, 1))
  play.history(29 * 1440, (index) => ({ good: index % 500 === 0 ? 9 : 10, total: 10 }))
  play.judge()
  const before = play.status()
  play.steps(60, 'empty')
  const after = play.status()
  expect(before.budget?.remainingRatio).toBeGreaterThan(0)
  expect(after.budget?.remainingRatio).toBe(before.budget?.remainingRatio)
  expect(after.condition).toBe('no-traffic')
  const numbers = JSON.stringify(after, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? 'not finite' : value,
  )
  expect(numbers).not.toContain('not finite')
  expect(play.sums.slice(play.sums.head - 1)?.state).toBe(EMPTY)
})

test.each([
  { name: 'no traffic has no burn rate', bad: 0, valid: 0, objective: 0.999, want: undefined },
  { name: 'spending exactly the budget burns at 1', bad: 1, valid: 1000, objective: 0.999, want: 1 },
  { name: 'a total outage burns at the most', bad: 10, valid: 10, objective: 0.9, want: 10 },
])('$name', ({ bad, valid, objective, want }) => {
  expect(burnRate(bad, valid, objective)).toBe(want)
})
