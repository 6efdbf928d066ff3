import { describe, expect, test } from 'vitest'
import { chooseStep } from './service-series.ts'

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400
const NOW_MS = Date.UTC(2026, 10, 20, 12)
const HORIZON = { nowMs: NOW_MS, minutesDays: 90 }
const lasting = (seconds: number) => ({ fromMs: NOW_MS - seconds * 1000, toMs: NOW_MS })

describe('without a wish the step gives about 120 points', () => {
  test.each([
    { range: '1 s', seconds: 1, want: 10 },
    { range: '15 min', seconds: 15 * MINUTE, want: 10 },
    { range: '30 min, the last at 10 s', seconds: 30 * MINUTE, want: 10 },
    { range: 'a second more', seconds: 30 * MINUTE + 1, want: 30 },
    { range: '1 h', seconds: HOUR, want: 30 },
    { range: '3 h', seconds: 3 * HOUR, want: MINUTE },
    { range: '6 h', seconds: 6 * HOUR, want: 300 },
    { range: '1 day', seconds: DAY, want: 600 },
    { range: '2 days, the last from 10 s', seconds: 2 * DAY, want: 1800 },
    { range: 'a second more: hours', seconds: 2 * DAY + 1, want: HOUR },
    { range: '7 days', seconds: 7 * DAY, want: HOUR },
    { range: '90 days', seconds: 90 * DAY, want: 21_600 * 4 },
    { range: '400 days, the longest that is answered', seconds: 400 * DAY, want: DAY },
  ])('$range: $want s', ({ seconds, want }) => {
    expect(chooseStep(lasting(seconds), undefined, HORIZON)).toBe(want)
  })

  test('any range up to 400 days has at most 400 points, and the step is a whole number of tens', () => {
    for (let seconds = 10; seconds <= 400 * DAY; seconds = Math.ceil(seconds * 1.07)) {
      const step = chooseStep(lasting(seconds), undefined, HORIZON)
      expect(seconds / step).toBeLessThanOrEqual(400)
      expect(step % 10).toBe(0)
    }
  })
})

describe('a wish is granted as long as it gives no more than 2,000 points', () => {
  test.each([
    { name: 'finer than ours', seconds: HOUR, wanted: 10, want: 10 },
    { name: 'coarser than ours', seconds: HOUR, wanted: 1800, want: 1800 },
    { name: 'a step that is none of ours', seconds: HOUR, wanted: 70, want: 70 },
    { name: 'a step beyond the range', seconds: MINUTE, wanted: DAY, want: DAY },
    { name: 'exactly 2,000 points', seconds: 20_000, wanted: 10, want: 10 },
    { name: 'a point more falls back to ours', seconds: 20_010, wanted: 10, want: 300 },
    { name: '10 s over 400 days falls back to ours', seconds: 400 * DAY, wanted: 10, want: DAY },
  ])('$name', ({ seconds, wanted, want }) => {
    expect(chooseStep(lasting(seconds), wanted, HORIZON)).toBe(want)
  })
})

test('what ended over a day ago has whole minutes at least', () => {
  const ago = (seconds: number) => ({
    fromMs: NOW_MS - 3 * DAY * 1000 - seconds * 1000,
    toMs: NOW_MS - 3 * DAY * 1000,
  })
  expect(chooseStep(ago(15 * MINUTE), undefined, HORIZON)).toBe(MINUTE)
  expect(chooseStep(ago(15 * MINUTE), 10, HORIZON)).toBe(10)
})
