import { expect, test } from 'vitest'
import { floorTo, parseRange, sqlSecond } from './time-range.ts'

const NOW_MS = Date.UTC(2026, 10, 20, 12)

test.each([
  { name: 'relative to now', from: '-15m', to: 'now', want: { fromMs: NOW_MS - 900_000, toMs: NOW_MS } },
  {
    name: 'days',
    from: '-7d',
    to: '-1d',
    want: { fromMs: NOW_MS - 7 * 86_400_000, toMs: NOW_MS - 86_400_000 },
  },
  {
    name: 'RFC 3339 with a zone',
    from: '2026-11-20T08:00:00+08:00',
    to: '2026-11-20T12:00:00Z',
    want: { fromMs: Date.UTC(2026, 10, 20), toMs: NOW_MS },
  },
  {
    name: 'a day that does not exist',
    from: '2026-13-01T00:00:00Z',
    to: 'now',
    want: { place: 'from', message: 'is not a date that exists' },
  },
  { name: 'backwards', from: 'now', to: '-1h', want: { place: 'from', message: 'must lie before to' } },
  {
    name: 'two years',
    from: '-730d',
    to: 'now',
    want: { place: 'from', message: 'a range covers at most 400 days' },
  },
])('$name', ({ from, to, want }) => {
  expect(parseRange(from, to, NOW_MS)).toEqual(want)
})

test('instants are cut to buckets and written for the engine', () => {
  expect(sqlSecond(floorTo(NOW_MS + 19_999, 10_000))).toBe('2026-11-20 12:00:10')
})
