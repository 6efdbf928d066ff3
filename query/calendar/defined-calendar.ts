// A bank calendar of what the registry defines: published days, overridden by calendars one after another.

import type { CalendarSpec } from '../registry/kinds/calendar.ts'
import { buildBankCalendar, type BankCalendar } from './bank-calendar.ts'
import { mergeCalendarFiles } from './calendar-file.ts'
import { chineseHolidays } from './chinese-holidays.ts'

export const DEFAULT_TIME_ZONE = 'Asia/Shanghai'

/**
 * @param specs     for a date in two of them the later one holds
 * @param timeZone  by default that of the last
 */
export function definedCalendar(specs: readonly CalendarSpec[], timeZone?: string): BankCalendar {
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
