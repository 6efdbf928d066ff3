import { describe, expect, test } from 'vitest'
import { NIGHT_SHARE, counterShare, dayShare, shanghaiHour } from './day-curve.ts'

const at = (clock: string): number => Date.parse(`2026-03-04T${clock}:00+08:00`)

describe('the day of the bank', () => {
  test.each([
    { name: 'ten in the morning is the peak', clock: '10:00', least: 0.99, most: 1 },
    { name: 'the afternoon is nearly as busy', clock: '14:30', least: 0.9, most: 0.97 },
    { name: 'noon dips between the two', clock: '12:15', least: 0.5, most: 0.8 },
    { name: 'the night is quiet and alive', clock: '03:30', least: NIGHT_SHARE, most: 0.42 },
  ])('$name', ({ clock, least, most }) => {
    expect(dayShare(at(clock))).toBeGreaterThanOrEqual(least)
    expect(dayShare(at(clock))).toBeLessThanOrEqual(most)
  })

  test('never leaves its bounds in any minute of a day', () => {
    const shares = Array.from({ length: 1440 }, (_, minute) => dayShare(at('00:00') + minute * 60_000))
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(NIGHT_SHARE)
    expect(Math.max(...shares)).toBeLessThanOrEqual(1)
  })

  test('is continuous over midnight', () => {
    expect(Math.abs(dayShare(at('23:59')) - dayShare(at('23:59') + 60_000))).toBeLessThan(0.01)
  })

  test('reads Shanghai time from UTC, before 1970 too', () => {
    expect(shanghaiHour(Date.parse('2026-03-04T16:30:00Z'))).toBe(0.5)
    expect(shanghaiHour(-1)).toBeCloseTo(8, 3)
  })

  test('counters do more of the work while branches are open', () => {
    expect(counterShare(at('11:00'))).toBeGreaterThan(counterShare(at('22:00')))
  })
})
