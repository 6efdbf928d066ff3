// The window of a promise: rolling by a fixed length, or of the calendar in a zone. Pure; the instant is an argument.

import { instantOf, isTimeZone, nthStart, type CivilUnit } from '../calendar/zoned-time.ts'
import type { Problem } from './problem.ts'

export type RollingWindow = { readonly kind: 'rolling'; readonly durationMs: number }

export type CalendarWindow = {
  readonly kind: 'calendar'
  readonly unit: CivilUnit
  /** Units per window, 1 or more. */
  readonly count: number
  /** IANA name, e.g. `Asia/Shanghai`. */
  readonly timeZone: string
  /**
   * Local start of one window, `2024-01-31 12:30:00`; the others follow from it, clamped to the last day of a month that
   * is too short. Undefined: 1 January 2000 at midnight, a Monday for weeks.
   */
  readonly start: string | undefined
}

export type SloWindow = RollingWindow | CalendarWindow

/** [fromMs, toMs); of a calendar window toMs lies ahead while it runs. */
export type WindowBounds = { readonly fromMs: number; readonly toMs: number }

// 3 January 2000 was a Monday, 1 January 2000 begins a month, a quarter and a year.
const EPOCHS: Readonly<Record<CivilUnit, string>> = {
  day: '2000-01-01',
  week: '2000-01-03',
  month: '2000-01-01',
  quarter: '2000-01-01',
  year: '2000-01-01',
}

const TYPICAL_MS: Readonly<Record<CivilUnit, number>> = {
  day: 86_400_000,
  week: 7 * 86_400_000,
  month: 30.436875 * 86_400_000,
  quarter: 91.310625 * 86_400_000,
  year: 365.2425 * 86_400_000,
}

/** The window that an instant lies in. A rolling one ends at the instant. */
export function windowAt(window: SloWindow, atMs: number): WindowBounds {
  if (window.kind === 'rolling') return { fromMs: atMs - window.durationMs, toMs: atMs }
  const { unit, count, timeZone, start = EPOCHS[unit] } = window
  const startMs = (n: number) => nthStart(start, timeZone, unit, n * count)
  let n = Math.floor((atMs - startMs(0)) / (TYPICAL_MS[unit] * count))
  while (startMs(n) > atMs) n--
  while (startMs(n + 1) <= atMs) n++
  return { fromMs: startMs(n), toMs: startMs(n + 1) }
}

/** Length of a window as its burn rate means it: what lasts that long at burn rate 1. */
export function windowLengthMs(window: SloWindow, atMs: number): number {
  if (window.kind === 'rolling') return window.durationMs
  const { fromMs, toMs } = windowAt(window, atMs)
  return toMs - fromMs
}

/** Part of the window that has passed: 1 for a rolling one, 0–1 for one of the calendar. */
export function elapsedRatio(window: SloWindow, bounds: WindowBounds, atMs: number): number {
  if (window.kind === 'rolling') return 1
  return Math.min(1, Math.max(0, (atMs - bounds.fromMs) / (bounds.toMs - bounds.fromMs)))
}

const WINDOW_DAYS_MAX = 400

/** What is wrong with a window for slices of a length; an empty list when nothing is. */
export function checkWindow(window: SloWindow, unitMs: number, place = 'window'): readonly Problem[] {
  const problems: Problem[] = []
  const say = (field: string, message: string) => problems.push({ place: place + field, message })
  if (window.kind === 'rolling') {
    if (!(
      Number.isSafeInteger(window.durationMs) &&
      window.durationMs > 0 &&
      window.durationMs % unitMs === 0
    ))
      say('.durationMs', `must be a multiple of the slice of ${unitMs / 1000} s`)
    if (window.durationMs > WINDOW_DAYS_MAX * 86_400_000)
      say('.durationMs', `slices are kept for ${WINDOW_DAYS_MAX} days; a window is at most as long`)
    return problems
  }
  if (!isTimeZone(window.timeZone))
    say('.timeZone', `«${window.timeZone}» is no zone that is known here; write it as Asia/Shanghai`)
  if (!(Number.isSafeInteger(window.count) && window.count >= 1))
    say('.count', 'must be a whole number from 1')
  else if (TYPICAL_MS[window.unit] * window.count > (WINDOW_DAYS_MAX + 1) * 86_400_000)
    say('.count', `slices are kept for ${WINDOW_DAYS_MAX} days; a window is at most as long`)
  if (window.start !== undefined && instantOf(window.start, 'UTC') === undefined)
    say('.start', `«${window.start}» is no local time; write it as 2026-07-01 00:00:00`)
  return problems
}

/**
 * What may be meant otherwise. A window no longer than its time slice holds one slice: «1m» is a minute, «1M» a month.
 *
 * @param durationText  the duration as it was written, e.g. `1m`
 */
export function windowWarnings(
  durationText: string,
  windowMs: number,
  timeSliceMs: number,
): readonly string[] {
  if (windowMs > timeSliceMs) return []
  const month = durationText.replace(/m$/, 'M')
  const hint = month === durationText ? '' : `; did you mean M («${month}», months)?`
  return [`a window of «${durationText}» is no longer than its time slice of ${timeSliceMs / 1000} s${hint}`]
}
