import { expect, test } from 'vitest'
import {
  checkComposite,
  compositeBurnRate,
  compositeRatio,
  compositeSlices,
  compositeWindow,
} from './composite.ts'
import { EMPTY, emptyColumns, MEASURED, UNMEASURED } from './slices.ts'

test('1.9 RatioTimeslices: 0.95 and 0.95 make 0.90, and half the weight loses half as much', () => {
  expect(
    compositeRatio([
      { weight: 1, ratio: 0.95 },
      { weight: 1, ratio: 0.95 },
    ]),
  ).toBeCloseTo(0.9, 12)
  expect(
    compositeRatio([
      { weight: 1, ratio: 0.95 },
      { weight: 0.5, ratio: 0.95 },
    ]),
  ).toBeCloseTo(0.925, 12)
})

test('1.9 Occurrences: burn rates add up by weight', () => {
  expect(
    compositeBurnRate([
      { weight: 1, burnRate: 2 },
      { weight: 0.5, burnRate: 3 },
    ]),
  ).toBe(3.5)
  expect(
    compositeBurnRate([
      { weight: 1, burnRate: 2 },
      { weight: 1, burnRate: undefined },
    ]),
  ).toBeUndefined()
})

test('1.9 Timeslices: a slice is bad when it is bad for any part', () => {
  const part = (codes: string) => {
    const made = emptyColumns(60_000, 100, codes.length)
    for (const [index, code] of codes.split('').entries()) {
      made.state[index] = code === '?' ? UNMEASURED : code === 'e' ? EMPTY : MEASURED
      made.total[index] = code === '?' || code === 'e' ? 0 : 1
      made.good[index] = code === 'g' ? 1 : 0
    }
    return made
  }
  const whole = compositeSlices([part('ggb?b?e'), part('gbb?gge')])
  expect([...whole.good]).toEqual([1, 0, 0, 0, 0, 0, 0])
  expect([...whole.total]).toEqual([1, 1, 1, 0, 1, 0, 0])
  expect([...whole.state]).toEqual([MEASURED, MEASURED, MEASURED, UNMEASURED, MEASURED, UNMEASURED, EMPTY])
  expect(() => compositeSlices([part('gg'), part('g')])).toThrow('same slices')
  expect(() => compositeSlices([])).toThrow('at least one part')
})

test('1.9 parts of different methods are refused', () => {
  const parts = [
    { method: 'Occurrences', weight: 1 },
    { method: 'Timeslices', weight: 0 },
  ]
  expect(checkComposite(parts).map(({ place }) => place)).toEqual(['objectives', 'objectives[1].weight'])
  expect(checkComposite(parts)[0]?.message).toContain('Occurrences and Timeslices')
})

test('a window of a composite burns as its parts do together, and is known only when they are', () => {
  const known = (errorRatio: number, coverage = 1) =>
    ({ kind: 'known', errorRatio, bad: 10, total: 100, coverage }) as const
  const parts = [
    { weight: 1, budgetRatio: 0.001, judged: known(0.002) },
    { weight: 0.5, budgetRatio: 0.01, judged: known(0.02, 0.95) },
  ]
  // 2 + 0.5 × 2 = 3 times the budget.
  expect(compositeWindow(parts, 0.001, 'Occurrences')).toEqual({
    kind: 'known',
    errorRatio: 0.003,
    bad: 20,
    total: 200,
    coverage: 0.95,
  })
  const silent = { weight: 1, budgetRatio: 0.001, judged: { kind: 'no-data', coverage: 0.2 } as const }
  expect(compositeWindow([...parts, silent], 0.001, 'Occurrences')).toEqual({
    kind: 'no-data',
    coverage: 0.2,
  })
  const excluded = { weight: 1, budgetRatio: 0.001, judged: { kind: 'excluded' } as const }
  expect(compositeWindow([excluded], 0.001, 'Occurrences')).toEqual({ kind: 'excluded' })
})

test('1.9 a window of RatioTimeslices loses what its parts lost by weight, whatever they were allowed', () => {
  const known = (errorRatio: number) =>
    ({ kind: 'known', errorRatio, bad: 5, total: 100, coverage: 1 }) as const
  const parts = [
    { weight: 1, budgetRatio: 0.01, judged: known(0.05) },
    { weight: 1, budgetRatio: 0.1, judged: known(0.05) },
  ]
  expect(compositeWindow(parts, 0.05, 'RatioTimeslices')).toMatchObject({ errorRatio: 0.1 })
  expect(
    compositeWindow([{ ...parts[0], weight: 0.5 } as (typeof parts)[0]], 0.05, 'RatioTimeslices'),
  ).toMatchObject({ errorRatio: 0.025 })
})
