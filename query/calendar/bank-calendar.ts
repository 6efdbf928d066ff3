// The bank calendar: what kind of day a civil date is. Published holidays and make-up workdays first come from the package,
// files of the bank override them day by day. One module for SLO windows, baselines, rotas, quiet and change windows.

import { addDays, civilDate, dateOf } from './zoned-time.ts'

export type DayKind =
  /** An ordinary Monday to Friday. */
  | 'workday'
  | 'weekend'
  /** 法定节假日, days off in lieu included. */
  | 'holiday'
  /** 调休: a weekend day that is worked. */
  | 'make-up-workday'

export type SpecialDay = { readonly date: string; readonly isOffDay: boolean; readonly name: string }

/** Days that mean something to the bank beside being worked or not: payroll, campaigns, settlement. */
export type Mark = { readonly date: string; readonly mark: string; readonly name: string }

export type CalendarDay = {
  /** Civil date, `2026-10-01`. */
  readonly date: string
  readonly kind: DayKind
  readonly isWorked: boolean
  /** Name of the holiday the day belongs to; empty for ordinary days. */
  readonly name: string
  /** The year's holidays are not published: kind is by weekday and the days the law fixes. */
  readonly isProvisional: boolean
  /** `month-end`, `quarter-end`, `year-end` (last civil day), `last-workday-of-month`, and the bank's own. */
  readonly marks: readonly string[]
}

/** Where special days come from: one year at a time. */
export type HolidaySource = (year: number) => {
  readonly days: readonly SpecialDay[]
  /** False while the year's holidays are not published. */
  readonly isPublished: boolean
}

export type BankCalendarOptions = {
  readonly holidays: HolidaySource
  /** Days of the bank's files; the last one for a date holds. */
  readonly overrides?: readonly SpecialDay[]
  /** Years that the files declare complete: they are not provisional, and the source is not asked for them. */
  readonly completeYears?: readonly number[]
  readonly marks?: readonly Mark[]
  /** Zone in which instants are turned into dates. */
  readonly timeZone: string
}

export type BankCalendar = {
  readonly timeZone: string
  /** @throws RangeError when the text is no civil date */
  day(date: string): CalendarDay
  /** The day an instant lies in. */
  dayAt(ms: number): CalendarDay
  /** Days from a date on, `count` of them, at most 4,000. */
  days(from: string, count: number): readonly CalendarDay[]
  /** The nth worked day after a date (n ≥ 1), or before it (n ≤ −1). */
  workday(date: string, n: number): CalendarDay
}

const DAYS_MAX = 4_000

export function buildBankCalendar(options: BankCalendarOptions): BankCalendar {
  const { holidays, overrides = [], completeYears = [], marks = [], timeZone } = options
  const own = new Map(overrides.map((special) => [special.date, special]))
  const complete = new Set(completeYears)
  const marked = Map.groupBy(marks, ({ date }) => date)
  const years = new Map<
    number,
    { readonly special: ReadonlyMap<string, SpecialDay>; readonly isPublished: boolean }
  >()

  function yearOf(year: number) {
    const kept = years.get(year)
    if (kept !== undefined) return kept
    const source = complete.has(year) ? { days: [], isPublished: true } : holidays(year)
    const made = {
      special: new Map(source.days.map((special) => [special.date, special])),
      isPublished: source.isPublished,
    }
    years.set(year, made)
    return made
  }

  function base(date: string) {
    const civil = civilDate(date)
    if (civil === undefined) throw new RangeError(`«${date}» is no date; write it as 2026-10-01`)
    const year = yearOf(civil.year)
    const special = own.get(date) ?? year.special.get(date)
    const isWeekend = civil.weekday >= 6
    const isOff = special?.isOffDay ?? isWeekend
    const offKind: DayKind = special === undefined ? 'weekend' : 'holiday'
    const workedKind: DayKind = isWeekend ? 'make-up-workday' : 'workday'
    return {
      civil,
      kind: isOff ? offKind : workedKind,
      isWorked: !isOff,
      name: special?.name ?? '',
      isProvisional: !year.isPublished && !own.has(date),
    }
  }

  function dayOf(date: string): CalendarDay {
    const { civil, kind, isWorked, name, isProvisional } = base(date)
    const found: string[] = []
    const isMonthEnd = civil.day === civil.daysInMonth
    if (isMonthEnd) found.push('month-end')
    if (isMonthEnd && civil.month % 3 === 0) found.push('quarter-end')
    if (isMonthEnd && civil.month === 12) found.push('year-end')
    if (isWorked && isLastWorked(date, civil.daysInMonth - civil.day)) found.push('last-workday-of-month')
    const ownMarks = (marked.get(date) ?? []).map(({ mark }) => mark)
    return { date, kind, isWorked, name, isProvisional, marks: [...found, ...ownMarks] }
  }

  function isLastWorked(date: string, daysLeft: number): boolean {
    for (let ahead = 1; ahead <= daysLeft; ahead++) if (base(addDays(date, ahead)).isWorked) return false
    return true
  }

  return {
    timeZone,
    day: dayOf,
    dayAt: (ms) => dayOf(dateOf(ms, timeZone)),
    days(from, count) {
      if (!(Number.isSafeInteger(count) && count >= 0 && count <= DAYS_MAX))
        throw new RangeError(`a list of days has 0 to ${DAYS_MAX}, not ${count}`)
      return Array.from({ length: count }, (_, ahead) => dayOf(addDays(from, ahead)))
    },
    workday(date, n) {
      if (!Number.isSafeInteger(n) || n === 0 || Math.abs(n) > DAYS_MAX)
        throw new RangeError(`the nth workday counts from 1 or −1 to ${DAYS_MAX}, not ${n}`)
      let left = Math.abs(n)
      let at = date
      while (left > 0) {
        at = addDays(at, Math.sign(n))
        if (base(at).isWorked) left--
      }
      return dayOf(at)
    },
  }
}
