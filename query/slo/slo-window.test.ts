import { describe, expect, test } from 'vitest'
import {
  checkWindow,
  elapsedRatio,
  windowAt,
  windowWarnings,
  type CalendarWindow,
  type SloWindow,
} from './slo-window.ts'

const HOUR = 3_600_000
const calendar = (
  unit: CalendarWindow['unit'],
  timeZone: string,
  start?: string,
  count = 1,
): CalendarWindow => ({
  kind: 'calendar',
  unit,
  count,
  timeZone,
  start,
})
const at = (window: SloWindow, iso: string) => {
  const { fromMs, toMs } = windowAt(window, Date.parse(iso))
  return [new Date(fromMs).toISOString(), new Date(toMs).toISOString()]
}

test('a rolling window ends at the instant', () => {
  expect(at({ kind: 'rolling', durationMs: 30 * 24 * HOUR }, '2026-07-31T00:00:00Z')).toEqual([
    '2026-07-01T00:00:00.000Z',
    '2026-07-31T00:00:00.000Z',
  ])
})

describe('1.5 calendar windows', () => {
  test.each([
    ['day', '2026-07-04T16:00:00.000Z', '2026-07-05T16:00:00.000Z'],
    ['week', '2026-06-28T16:00:00.000Z', '2026-07-05T16:00:00.000Z'],
    ['month', '2026-06-30T16:00:00.000Z', '2026-07-31T16:00:00.000Z'],
    ['quarter', '2026-06-30T16:00:00.000Z', '2026-09-30T16:00:00.000Z'],
    ['year', '2025-12-31T16:00:00.000Z', '2026-12-31T16:00:00.000Z'],
  ] as const)('the %s in Shanghai that holds Sunday, 5 July 2026, 10:00', (unit, from, to) => {
    expect(at(calendar(unit, 'Asia/Shanghai'), '2026-07-05T02:00:00Z')).toEqual([from, to])
  })

  test('the first instant of a window belongs to it, the last one does not', () => {
    const july = calendar('month', 'Asia/Shanghai')
    expect(at(july, '2026-06-30T16:00:00Z')[0]).toBe('2026-06-30T16:00:00.000Z')
    expect(at(july, '2026-06-30T15:59:59.999Z')[1]).toBe('2026-06-30T16:00:00.000Z')
  })

  test('a start on the 31st rolls to the 29th of February and back to the 31st', () => {
    const window = calendar('month', 'Asia/Shanghai', '2024-01-31 12:30:00')
    expect(at(window, '2024-02-01T00:00:00Z')).toEqual([
      '2024-01-31T04:30:00.000Z',
      '2024-02-29T04:30:00.000Z',
    ])
    expect(at(window, '2024-03-01T00:00:00Z')).toEqual([
      '2024-02-29T04:30:00.000Z',
      '2024-03-31T04:30:00.000Z',
    ])
    expect(at(window, '2024-02-29T04:30:00Z')[0]).toBe('2024-02-29T04:30:00.000Z')
  })

  test('windows before the start are told as well, and several units make one', () => {
    const window = calendar('month', 'UTC', '2026-01-01', 2)
    expect(at(window, '2025-12-15T00:00:00Z')).toEqual([
      '2025-11-01T00:00:00.000Z',
      '2026-01-01T00:00:00.000Z',
    ])
    expect(at(window, '2026-02-15T00:00:00Z')).toEqual([
      '2026-01-01T00:00:00.000Z',
      '2026-03-01T00:00:00.000Z',
    ])
  })
})

describe('1.6 a change of the clocks', () => {
  test.each([
    ['2026-03-08T18:00:00Z', 23],
    ['2026-11-01T18:00:00Z', 25],
    ['2026-07-01T18:00:00Z', 24],
  ])('the day in New York around %s has %s hours, and as many slices', (iso, hours) => {
    const { fromMs, toMs } = windowAt(calendar('day', 'America/New_York'), Date.parse(iso))
    expect((toMs - fromMs) / HOUR).toBe(hours)
    expect((toMs - fromMs) / 60_000).toBe(hours * 60)
  })

  test('days follow one another without gap or overlap through a year', () => {
    const window = calendar('day', 'America/New_York')
    let fromMs = windowAt(window, Date.parse('2026-01-01T12:00:00Z')).fromMs
    for (let day = 0; day < 366; day++) {
      const bounds = windowAt(window, fromMs)
      expect(bounds.fromMs).toBe(fromMs)
      fromMs = bounds.toMs
    }
  })

  test('a local start that the change skips is moved on by it', () => {
    const window = calendar('day', 'America/New_York', '2026-01-01 02:30:00')
    expect(at(window, '2026-03-08T12:00:00Z')).toEqual([
      '2026-03-08T07:30:00.000Z',
      '2026-03-09T06:30:00.000Z',
    ])
  })
})

test('the part that has passed is 1 for a rolling window', () => {
  const bounds = { fromMs: 0, toMs: 100 }
  expect(elapsedRatio({ kind: 'rolling', durationMs: 100 }, bounds, 25)).toBe(1)
  expect(elapsedRatio(calendar('day', 'UTC'), bounds, 25)).toBe(0.25)
})

test('1.7 a window no longer than its time slice asks whether a month was meant', () => {
  expect(windowWarnings('1m', 60_000, 60_000)[0]).toContain('did you mean M («1M», months)?')
  expect(windowWarnings('1h', HOUR, HOUR)[0]).not.toContain('did you mean')
  expect(windowWarnings('1M', 31 * 24 * HOUR, 60_000)).toEqual([])
})

test('windows that cannot be are named with the remedy', () => {
  const places = (window: SloWindow) => checkWindow(window, 60_000).map(({ place }) => place)
  expect(places({ kind: 'rolling', durationMs: 90_000 })).toEqual(['window.durationMs'])
  expect(places({ kind: 'rolling', durationMs: 401 * 24 * HOUR })).toEqual(['window.durationMs'])
  expect(places(calendar('month', 'Asia/Shangai'))).toEqual(['window.timeZone'])
  expect(places(calendar('month', 'UTC', '2026-02-30 00:00:00', 0))).toEqual(['window.count', 'window.start'])
  expect(places(calendar('year', 'UTC', undefined, 2))).toEqual(['window.count'])
  expect(places(calendar('year', 'Asia/Shanghai'))).toEqual([])
})
