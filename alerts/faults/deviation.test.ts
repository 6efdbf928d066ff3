import { describe, expect, test } from 'vitest'
import { failsMore, isAsUsual, isSlower, usualRatio, type Lately } from './deviation.ts'

const hour = (requests: number, bad: number) => ({
  requests: Array.from({ length: 60 }, () => requests),
  bad: Array.from({ length: 60 }, () => bad),
})
const lately = (more: Partial<Lately>): Lately => ({
  nearRequests: 0,
  nearBad: 0,
  nearBuckets: 0,
  farRequests: 0,
  farBad: 0,
  farBuckets: 0,
  ...more,
})

describe('it fails more', () => {
  test('within a minute where much fails', () => {
    const now = lately({ nearRequests: 1200, nearBad: 60, nearBuckets: 6 })
    expect(failsMore(now, hour(600, 1))).toBe(true)
  })
  test('over five minutes where there is little traffic', () => {
    const now = lately({ farRequests: 40, farBad: 12, farBuckets: 9 })
    expect(failsMore(now, hour(8, 0))).toBe(true)
    expect(failsMore({ ...now, farBad: 4, farBuckets: 4 }, hour(8, 0))).toBe(false)
  })
  test('not when it always did, nor twice as much as hardly anything', () => {
    expect(failsMore(lately({ nearRequests: 1200, nearBad: 60, nearBuckets: 12 }), hour(600, 30))).toBe(false)
    expect(
      failsMore(lately({ nearRequests: 120_000, nearBad: 400, nearBuckets: 12 }), hour(60_000, 60)),
    ).toBe(false)
  })
  test('not for a blip of less than fifty seconds', () => {
    expect(failsMore(lately({ nearRequests: 1200, nearBad: 300, nearBuckets: 4 }), hour(600, 1))).toBe(false)
  })
  test('not when its past jumps about as much', () => {
    const bad = Array.from({ length: 60 }, (_, minute) => (minute % 10 === 0 ? 60 : 0))
    const jumpy = { requests: bad.map(() => 600), bad }
    expect(failsMore(lately({ nearRequests: 1200, nearBad: 60, nearBuckets: 12 }), jumpy)).toBe(false)
  })
  test('without a past one in a hundred is usual', () => {
    expect(usualRatio({ requests: [], bad: [] })).toBeCloseTo(0.01, 9)
    const nothing = { requests: [], bad: [] }
    expect(failsMore(lately({ nearRequests: 100, nearBad: 50, nearBuckets: 6 }), nothing)).toBe(true)
    expect(failsMore(lately({ nearRequests: 600, nearBad: 8, nearBuckets: 6 }), nothing)).toBe(false)
  })
})

test('as usual again is at most twice the usual', () => {
  expect(isAsUsual(lately({ farRequests: 1000, farBad: 20 }), 0.01)).toBe(true)
  expect(isAsUsual(lately({ farRequests: 1000, farBad: 21 }), 0.01)).toBe(false)
  expect(isAsUsual(lately({ farRequests: 1000, farBad: 5 }), 0)).toBe(true)
})

test('slower is half as long again in every minute, and by what somebody feels', () => {
  expect(isSlower([300e6, 200e6, 160e6], 100e6, 3)).toBe(true)
  expect(isSlower([300e6, 200e6, 140e6], 100e6, 3)).toBe(false)
  expect(isSlower([300e6, 200e6], 100e6, 3)).toBe(false)
  expect(isSlower([30e6, 30e6, 30e6], 15e6, 3)).toBe(false)
  expect(isSlower([300e6, 300e6, 300e6], 0, 3)).toBe(false)
})
