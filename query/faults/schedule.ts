// When a fault is explained: at once and every fifteen seconds while people wait for an answer, every minute for an hour, then at
// three hours and at a day for effects that come late. Pure.

const QUICK_MS = 15_000
const QUICK_UNTIL_MS = 120_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** After the alarm. */
const LATE_MS = [3 * HOUR_MS, 24 * HOUR_MS] as const

/**
 * @returns the first instant of the schedule after one: what a pause left out is not caught up with, for only the newest says
 *          anything; undefined: none is left
 */
export function nextDecisionMs(alarmAtMs: number, afterMs: number): number | undefined {
  const passedMs = afterMs - alarmAtMs
  if (passedMs < 0) return alarmAtMs
  const following = (stepMs: number) => alarmAtMs + (Math.floor(passedMs / stepMs) + 1) * stepMs
  if (passedMs < QUICK_UNTIL_MS) return following(QUICK_MS)
  if (passedMs < HOUR_MS) return following(MINUTE_MS)
  const lateMs = LATE_MS.find((ms) => ms > passedMs)
  return lateMs === undefined ? undefined : alarmAtMs + lateMs
}

/** What failed is tried again, later and later. */
export const retryMs = (nowMs: number, failures: number) =>
  nowMs + Math.min(300_000, 5000 * 2 ** Math.min(failures, 10))
