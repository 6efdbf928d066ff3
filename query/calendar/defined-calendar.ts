// A bank calendar of what the registry defines: published days, overridden by calendars one after another.

import { buildBankCalendar, type BankCalendar, type Mark, type SpecialDay } from './bank-calendar.ts'
import { mergeCalendarFiles } from './calendar-file.ts'
import { chineseHolidays } from './chinese-holidays.ts'

export const DEFAULT_TIME_ZONE = 'Asia/Shanghai'

/** As the registry keeps one. */
export type DefinedCalendar = {
  readonly timeZone: string
  readonly completeYears: readonly number[]
  readonly days: readonly SpecialDay[]
  readonly marks: readonly (Omit<Mark, 'name'> & { readonly name?: string | undefined })[]
}

/**
 * @param specs     for a date in two of them the later one holds
 * @param timeZone  by default that of the last
 */
export function definedCalendar(specs: readonly DefinedCalendar[], timeZone?: string): BankCalendar {
  const { days, marks, completeYears } = mergeCalendarFiles(
    specs.map((spec) => ({
      days: spec.days,
      marks: spec.marks.map(({ date, mark, name }) => ({ date, mark, name: name ?? '' })),
      completeYears: spec.completeYears,
    })),
  )
  return buildBankCalendar({
    holidays: chineseHolidays,
    overrides: days,
    completeYears,
    marks,
    timeZone: timeZone ?? specs.at(-1)?.timeZone ?? DEFAULT_TIME_ZONE,
  })
}
