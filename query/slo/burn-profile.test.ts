import { describe, expect, test } from 'vitest'
import { burnFactor, checkProfile, fitProfile, thresholdRatio, type BurnProfile } from './burn-profile.ts'
import { burnProfiles, profileForPeriod, sevenDays, workbook28d, workbook30d } from './burn-profiles.ts'
import { burnRateMax, errorRatioAt } from './burn-rate.ts'

const DAY = 86_400_000
const factors = (profile: BurnProfile) => profile.pairs.map((pair) => burnFactor(pair, profile.periodMs))

describe('2.1 factors follow from the budget a long window may spend', () => {
  test.each([
    [workbook30d, [14.4, 6, 3, 1]],
    [workbook28d, [13.44, 5.6, 2.8, 14 / 15]],
    [sevenDays, [13.44, 3.5, 1.4, 0.98]],
  ])('$name, to the last bit', (profile, want) => {
    expect(factors(profile)).toEqual(want)
  })

  test('every profile names its source and has its pairs apart', () => {
    for (const profile of burnProfiles) {
      expect(profile.source.length).toBeGreaterThan(20)
      expect(checkProfile(profile, { objective: 0.999, unitMs: 60_000 })).toEqual([])
      for (const pair of profile.pairs.slice(0, 2)) expect(pair.shortWindowMs * 12).toBe(pair.longWindowMs)
    }
  })

  test('other periods take the percentages, without windows as long as the period', () => {
    expect(profileForPeriod(30 * DAY)).toBe(workbook30d)
    expect(factors(profileForPeriod(90 * DAY))).toEqual([43.2, 18, 9, 3])
    expect(profileForPeriod(DAY).pairs.map(({ id }) => id)).toEqual(['page-1h', 'page-6h'])
  })
})

describe('2.6 a threshold that can never be exceeded', () => {
  test('14.4 at 90 % is refused with the most it can burn', () => {
    const problems = checkProfile(workbook30d, { objective: 0.9, unitMs: 60_000 })
    expect(problems).toHaveLength(1)
    expect(problems[0]?.place).toBe('burn.pairs[0].budgetPercent')
    expect(problems[0]?.message).toContain('max burn rate is 10')
  })

  test('also when it is exactly the most, for nothing is above a total outage', () => {
    const profile: BurnProfile = {
      ...workbook30d,
      pairs: [
        { id: 'a', severity: 'page', longWindowMs: 3_600_000, shortWindowMs: 300_000, factor: 10 },
        { id: 'b', severity: 'page', longWindowMs: 3_600_000, shortWindowMs: 300_000, factor: 9.999 },
      ],
    }
    expect(checkProfile(profile, { objective: 0.9, unitMs: 60_000 }).map(({ place }) => place)).toEqual([
      'burn.pairs[0].factor',
    ])
    expect(burnRateMax(0.9)).toBe(10)
  })

  test('a profile of ours is fitted instead, and what was left out is told', () => {
    const { profile, left } = fitProfile(workbook30d, 0.9)
    expect(profile.pairs.map(({ id }) => id)).toEqual(['page-6h', 'ticket-1d', 'ticket-3d'])
    expect(left.map(({ id }) => id)).toEqual(['page-1h'])
  })
})

test('thresholds are the nearest number to the decimal that is meant', () => {
  expect(workbook30d.pairs.map((pair) => thresholdRatio(pair, workbook30d.periodMs, 0.999))).toEqual([
    0.0144, 0.006, 0.003, 0.001,
  ])
  expect(errorRatioAt(14.4, 0.999)).toBe(0.0144)
})

test('windows that do not fit the slices, the wrong way round or twice the same are named', () => {
  const profile: BurnProfile = {
    ...workbook30d,
    pairs: [
      { id: 'a', severity: 'page', longWindowMs: 300_000, shortWindowMs: 300_000, budgetPercent: 2 },
      { id: 'a', severity: 'page', longWindowMs: 3_600_000, shortWindowMs: 90_000, budgetPercent: 0 },
    ],
  }
  expect(checkProfile(profile, { objective: 0.999, unitMs: 60_000 }).map(({ place }) => place)).toEqual([
    'burn.pairs[0].shortWindowMs',
    'burn.pairs[1].id',
    'burn.pairs[1].shortWindowMs',
    'burn.pairs[1].budgetPercent',
  ])
})
