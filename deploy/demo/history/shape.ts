// How busy a bank is: the day of ../day-curve.ts, quieter weekends, and the days at which wages come and months end.
// Pure; the zone is Asia/Shanghai, which has one offset and no daylight saving.

import { dayShare, shanghaiHour } from '../day-curve.ts'

export const DAY_MS = 86_400_000
const SHANGHAI_OFFSET_MS = 8 * 3_600_000
const WEEKEND_SHARE = 0.7
const MONTH_END_SHARE = 1.3
const OPENING_HOUR = 8.5
const CLOSING_HOUR = 17.5

/** Midnight in Shanghai at or before an instant, ms since 1970 in UTC. */
export const shanghaiMidnight = (atMs: number): number =>
  Math.floor((atMs + SHANGHAI_OFFSET_MS) / DAY_MS) * DAY_MS - SHANGHAI_OFFSET_MS

const calendar = (atMs: number): Date => new Date(atMs + SHANGHAI_OFFSET_MS)

export function isWeekend(atMs: number): boolean {
  const day = calendar(atMs).getUTCDay()
  return day === 0 || day === 6
}

/** The last day of a month and the first of the next. */
export function isMonthEnd(atMs: number): boolean {
  return calendar(atMs).getUTCDate() === 1 || calendar(atMs + DAY_MS).getUTCDate() === 1
}

/** Counters keep opening hours, Monday to Friday. */
export function isOpen(atMs: number): boolean {
  const hour = shanghaiHour(atMs)
  return !isWeekend(atMs) && hour >= OPENING_HOUR && hour < CLOSING_HOUR
}

/** Requests at an instant against the peak of an ordinary day, above 0, at most 1.3. */
export function trafficShare(atMs: number): number {
  const week = isWeekend(atMs) ? WEEKEND_SHARE : 1
  return dayShare(atMs) * week * (isMonthEnd(atMs) ? MONTH_END_SHARE : 1)
}
