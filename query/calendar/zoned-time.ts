// Civil time in a zone: which instant a local time is, and which local day an instant lies in. The one place that uses
// Temporal (by the polyfill, until Node has it without a flag); milliseconds since 1970 everywhere else.

import { Temporal } from 'temporal-polyfill'

export type CivilUnit = 'day' | 'week' | 'month' | 'quarter' | 'year'

/** True for an IANA zone that this Node knows, e.g. `Asia/Shanghai`. */
export function isTimeZone(name: string): boolean {
  try {
    return !Number.isNaN(new Intl.DateTimeFormat('en', { timeZone: name }).format(0).length)
  } catch {
    return false
  }
}

const LOCAL = /^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?)?$/

/**
 * The instant of a local time, `2024-01-31 12:30:00` or `2024-01-31`. A time that a clock change skips is moved on by the
 * change, one that occurs twice is the first.
 * @returns undefined when no such day or time exists in the calendar
 */
export function instantOf(local: string, timeZone: string): number | undefined {
  const when = civil(local)
  return when?.toZonedDateTime(timeZone).epochMilliseconds
}

/** The `nth` repetition of a local start: start + n × count units, the last day of a month where the day does not exist. */
export function nthStart(start: string, timeZone: string, unit: CivilUnit, steps: number): number {
  const when = civil(start)
  if (when === undefined) throw new RangeError(`not a local time: ${start}`)
  // Always from the first start: 31 January, 29 February, 31 March, never «29 March» for having been short once.
  return when.add(DURATIONS[unit](steps)).toZonedDateTime(timeZone).epochMilliseconds
}

/** Civil date of an instant, `2026-07-01`. */
export function dateOf(ms: number, timeZone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(ms))
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString()
}

/** First instant of a civil date; not always 00:00. */
export function startOfDate(date: string, timeZone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds
}

/** A civil date some days on. */
export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString()
}

export type CivilDate = {
  readonly year: number
  /** 1–12 */
  readonly month: number
  readonly day: number
  readonly daysInMonth: number
  /** 1 Monday – 7 Sunday */
  readonly weekday: number
}

/** @returns undefined when the text is not a date of the calendar, `2026-02-30` included */
export function civilDate(date: string): CivilDate | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined
  try {
    const plain = Temporal.PlainDate.from(date, { overflow: 'reject' })
    return {
      year: plain.year,
      month: plain.month,
      day: plain.day,
      daysInMonth: plain.daysInMonth,
      weekday: plain.dayOfWeek,
    }
  } catch {
    return undefined
  }
}

/** A local time with its zone, `2026-07-05T01:00:00+08:00[Asia/Shanghai]`: what a recurrence rule starts from. */
export function zonedText(local: string, timeZone: string): { timeZoneId: string; toString(): string } {
  const when = civil(local)
  if (when === undefined) throw new RangeError(`not a local time: ${local}`)
  return when.toZonedDateTime(timeZone)
}

function civil(local: string): Temporal.PlainDateTime | undefined {
  if (!LOCAL.test(local)) return undefined
  try {
    return Temporal.PlainDateTime.from(local.replace(' ', 'T'), { overflow: 'reject' })
  } catch {
    return undefined
  }
}

const DURATIONS: Readonly<Record<CivilUnit, (count: number) => Temporal.DurationLike>> = {
  day: (days) => ({ days }),
  week: (weeks) => ({ weeks }),
  month: (months) => ({ months }),
  quarter: (count) => ({ months: 3 * count }),
  year: (years) => ({ years }),
}
