import { expect, test } from 'vitest'
import { nextDecisionMs, retryMs } from './schedule.ts'

const ALARM = Date.UTC(2026, 9, 1, 4)
const HOUR = 3_600_000

function schedule(): number[] {
  const instants: number[] = []
  for (let at: number | undefined = ALARM; at !== undefined; at = nextDecisionMs(ALARM, at))
    instants.push(at - ALARM)
  return instants
}

test('at once, every 15 s for two minutes, every minute for an hour, at three hours and a day, and then never', () => {
  const instants = schedule()
  expect(instants.slice(0, 9)).toEqual([0, 15, 30, 45, 60, 75, 90, 105, 120].map((s) => s * 1000))
  expect(instants.slice(9, 11)).toEqual([180_000, 240_000])
  expect(instants.slice(-3)).toEqual([HOUR, 3 * HOUR, 24 * HOUR])
  expect(instants).toHaveLength(9 + 58 + 2)
})

test('what a pause left out is not caught up with', () => {
  expect(nextDecisionMs(ALARM, ALARM + 20 * 60_000 + 1)).toBe(ALARM + 21 * 60_000)
  expect(nextDecisionMs(ALARM, ALARM + 2 * HOUR)).toBe(ALARM + 3 * HOUR)
  expect(nextDecisionMs(ALARM, ALARM + 23 * HOUR)).toBe(ALARM + 24 * HOUR)
  expect(nextDecisionMs(ALARM, ALARM + 24 * HOUR)).toBeUndefined()
})

test('an alarm of the future is explained when it is there', () => {
  expect(nextDecisionMs(ALARM, ALARM - 5000)).toBe(ALARM)
})

test('what failed is tried again, later and later', () => {
  expect([0, 1, 2, 20].map((failures) => retryMs(ALARM, failures) - ALARM)).toEqual([
    5000, 10_000, 20_000, 300_000,
  ])
})
