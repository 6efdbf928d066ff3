import { describe, expect, test } from 'vitest'
import { SloPlay } from '../../test/support/slo-play.ts'
import { workbook30d } from './burn-profiles.ts'
import { budgetFigures } from './error-budget.ts'
import { judgeWindow, trafficOrProbe, type MissingData } from './judge-window.ts'
import { sloPolicy } from './slo-policy.ts'

const MINUTE = 60_000

describe('8.3 two hours without data in a window of twenty', () => {
  // 1,080 known minutes of 10 requests, 54 of them failed; 120 minutes unknown.
  const counts = { good: 10_746, total: 10_800, known: 1080, empty: 0, expected: 1200 }
  test.each<[MissingData, number, number, number]>([
    ['freeze', 54, 10_800, 0.5],
    ['ignore', 54, 10_800, 0.5],
    ['bad', 54 + 1200, 12_000, -9.45],
    ['good', 54, 12_000, 0.55],
  ])('%s: %s bad of %s, %s of the budget left, coverage 0.9', (missingData, bad, total, left) => {
    const judged = judgeWindow(counts, missingData)
    expect(judged).toEqual({ kind: 'known', bad, total, errorRatio: bad / total, coverage: 0.9 })
    expect(budgetFigures(judged, 0.99, 1, undefined)?.remainingRatio).toBeCloseTo(left, 12)
  })

  test.each<[MissingData, number]>([
    ['freeze', 0.5],
    ['ignore', 0.5],
    ['bad', -9.45],
    ['good', 0.55],
  ])('%s, from slices: %s of the budget left', (missingData, left) => {
    const play = new SloPlay(
      sloPolicy({
        objective: 0.99,
        window: { kind: 'rolling', durationMs: 1200 * MINUTE },
        burn: { ...workbook30d, pairs: [] },
        missingData,
      }),
      0,
    )
    play.history(1200, (index) =>
      index >= 600 && index < 720 ? 'unmeasured' : { good: index < 54 ? 9 : 10, total: 10 },
    )
    play.judge()
    const { window, budget } = play.status()
    expect(window?.net.coverage).toBe(0.9)
    expect(window?.net.counts).toMatchObject({ good: 10_746, total: 10_800 })
    expect(budget?.remainingRatio).toBeCloseTo(left, 12)
  })

  test('a minute more is below the floor: freeze says nothing, ignore goes by what is known', () => {
    const less = { ...counts, known: 1079 }
    expect(judgeWindow(less, 'freeze')).toEqual({ kind: 'no-data', coverage: 1079 / 1200 })
    expect(judgeWindow(less, 'ignore').kind).toBe('known')
  })

  test('nothing known at all is what the choice says', () => {
    const nothing = { good: 0, total: 0, known: 0, empty: 0, expected: 10 }
    expect(judgeWindow(nothing, 'freeze')).toEqual({ kind: 'no-data', coverage: 0 })
    expect(judgeWindow(nothing, 'ignore')).toEqual({ kind: 'no-data', coverage: 0 })
    expect(judgeWindow(nothing, 'bad')).toMatchObject({ kind: 'known', errorRatio: 1 })
    expect(judgeWindow(nothing, 'good')).toMatchObject({ kind: 'known', errorRatio: 0 })
  })
})

test('8.5 a counter that stands still is no traffic, a counter that is not read is no data', () => {
  expect(judgeWindow({ good: 0, total: 0, known: 60, empty: 60, expected: 60 }, 'freeze').kind).toBe(
    'no-traffic',
  )
  expect(judgeWindow({ good: 0, total: 0, known: 0, empty: 0, expected: 60 }, 'freeze').kind).toBe('no-data')
  const policy = sloPolicy({
    objective: 0.99,
    window: { kind: 'rolling', durationMs: 120 * MINUTE },
    burn: { ...workbook30d, pairs: workbook30d.pairs.slice(0, 1) },
  })
  const flat = new SloPlay(policy, 0)
  const stopped = new SloPlay(policy, 0)
  for (const play of [flat, stopped]) {
    play.history(120, { good: 10, total: 10 })
    play.judge()
    expect(play.state.condition).toBe('healthy')
  }
  flat.steps(10, 'empty')
  stopped.steps(10, 'unmeasured')
  expect(flat.state.condition).toBe('no-traffic')
  expect(stopped.state.condition).toBe('no-data')
})

test('a window that is excluded whole says so', () => {
  expect(judgeWindow({ good: 0, total: 0, known: 0, empty: 0, expected: 0 }, 'bad')).toEqual({
    kind: 'excluded',
  })
})

test('a probe speaks where traffic is too thin, and only where it knows', () => {
  const known = (total: number) => ({ kind: 'known', errorRatio: 0, bad: 0, total, coverage: 1 }) as const
  expect(trafficOrProbe(known(20), known(5), 20).by).toBe('traffic')
  expect(trafficOrProbe(known(19), known(5), 20).by).toBe('probe')
  expect(trafficOrProbe({ kind: 'no-traffic', coverage: 1 }, known(5), 20).by).toBe('probe')
  expect(trafficOrProbe(known(19), { kind: 'no-data', coverage: 0 }, 20).by).toBe('traffic')
  expect(trafficOrProbe(known(19), undefined, 20).by).toBe('traffic')
})
