import { describe, expect, test } from 'vitest'
import {
  checkExclusion,
  excludedSlices,
  expandExclusions,
  stretchDates,
  type Exclusion,
} from './exclusion.ts'

const HOUR = 3_600_000
const about = { id: 'core-patch', reason: 'patching', approver: 'li', ticket: 'CHG-1042', enteredAtMs: 0 }
const weekly = (given: Partial<Extract<Exclusion, { kind: 'recurring' }>> = {}): Exclusion => ({
  ...about,
  kind: 'recurring',
  rrule: 'FREQ=WEEKLY;BYDAY=SU',
  start: '2026-01-04 01:00:00',
  timeZone: 'Asia/Shanghai',
  durationMs: 2 * HOUR,
  ...given,
})
const isos = (exclusion: Exclusion, from: string, to: string) =>
  expandExclusions([exclusion], Date.parse(from), Date.parse(to)).stretches.map(
    ({ fromMs, toMs }) => `${new Date(fromMs).toISOString()} ${(toMs - fromMs) / HOUR} h`,
  )

test('a rule without end is expanded no further than asked, and a stretch that reaches in is among it', () => {
  expect(isos(weekly(), '2026-07-04T18:30:00Z', '2026-07-13T00:00:00Z')).toEqual([
    '2026-07-04T17:00:00.000Z 2 h',
    '2026-07-11T17:00:00.000Z 2 h',
  ])
  expect(isos(weekly(), '2026-07-04T19:00:00Z', '2026-07-11T17:00:00Z')).toEqual([])
})

test('nothing happens before the first time, nor after the last', () => {
  expect(isos(weekly(), '2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).toEqual([])
  expect(
    isos(weekly({ rrule: 'FREQ=DAILY;COUNT=2' }), '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'),
  ).toHaveLength(2)
})

test('local times stay what they are when the clocks change', () => {
  const nightly = weekly({ rrule: 'FREQ=DAILY', start: '2026-01-04 01:00:00', timeZone: 'America/New_York' })
  expect(isos(nightly, '2026-03-07T12:00:00Z', '2026-03-10T00:00:00Z')).toEqual([
    '2026-03-08T06:00:00.000Z 2 h',
    '2026-03-09T05:00:00.000Z 2 h',
  ])
})

test('even a century of days is bounded, and it is said which exclusion was cut', () => {
  const { stretches, cut } = expandExclusions(
    [weekly({ rrule: 'FREQ=DAILY' })],
    Date.UTC(2026, 0, 1),
    Date.UTC(2126, 0, 1),
  )
  expect(stretches).toHaveLength(800)
  expect(cut).toEqual(['core-patch'])
})

test('slices that a stretch touches are excluded whole; stretches that overlap are one', () => {
  const once = (id: string, fromMs: number, toMs: number): Exclusion => ({
    ...about,
    id,
    kind: 'once',
    fromMs,
    toMs,
  })
  const { stretches } = expandExclusions([once('b', 150_000, 190_000), once('a', 90_000, 160_000)], 0, HOUR)
  expect(stretches.map(({ id }) => id)).toEqual(['a', 'b'])
  expect(excludedSlices(stretches, 60_000)).toEqual([{ from: 1, to: 4 }])
  expect(expandExclusions([once('c', 0, 60_000)], 60_000, HOUR).stretches).toEqual([])
})

test('a stretch is listed under its local dates', () => {
  const stretch = {
    id: 'a',
    fromMs: Date.parse('2026-07-04T15:00:00Z'),
    toMs: Date.parse('2026-07-04T16:00:00Z'),
  }
  expect(stretchDates(stretch, 'Asia/Shanghai')).toEqual({ first: '2026-07-04', last: '2026-07-04' })
})

describe('exclusions that cannot be are named with the remedy', () => {
  test.each([
    ['no end', { ...about, kind: 'once', fromMs: 5, toMs: 5 }, 'exclusion.to'],
    ['an unknown zone', weekly({ timeZone: 'Beijing' }), 'exclusion.timeZone'],
    ['a start that is no date', weekly({ start: '2026-02-30 01:00:00' }), 'exclusion.start'],
    ['longer than a month', weekly({ durationMs: 32 * 24 * HOUR }), 'exclusion.duration'],
    ['every minute', weekly({ rrule: 'FREQ=MINUTELY' }), 'exclusion.rrule'],
    ['an unknown part', weekly({ rrule: 'FREQ=DAILY;FOO=1' }), 'exclusion.rrule'],
    ['a part of the prototype', weekly({ rrule: 'FREQ=DAILY;constructor=1' }), 'exclusion.rrule'],
    ['a part twice', weekly({ rrule: 'FREQ=DAILY;FREQ=WEEKLY' }), 'exclusion.rrule'],
    ['no frequency', weekly({ rrule: 'BYDAY=SU' }), 'exclusion.rrule'],
    ['a day that is none', weekly({ rrule: 'FREQ=WEEKLY;BYDAY=XX' }), 'exclusion.rrule'],
    ['a month that is none', weekly({ rrule: 'FREQ=YEARLY;BYMONTH=13' }), 'exclusion.rrule'],
    ['never: 30 February', weekly({ rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30' }), 'exclusion.rrule'],
    [
      'never: over before it begins',
      weekly({ rrule: 'FREQ=DAILY;UNTIL=20200101T000000Z' }),
      'exclusion.rrule',
    ],
    ['another line', weekly({ rrule: 'FREQ=DAILY\nEXDATE:20260101' }), 'exclusion.rrule'],
  ] as const)('%s', (_name, wrong, place) => {
    const problems = checkExclusion(wrong)
    expect(problems.map((problem) => problem.place)).toEqual([place])
    expect(problems[0]?.message.length).toBeGreaterThan(10)
  })

  test('and a good one is not', () => {
    expect(checkExclusion(weekly())).toEqual([])
    expect(checkExclusion(weekly({ rrule: 'FREQ=MONTHLY;BYDAY=-1SU' }))).toEqual([])
  })
})
