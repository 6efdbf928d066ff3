// Holidays and make-up workdays of mainland China, from the package `chinese-days` (the State Council's yearly notices).
// A year whose notice is not out yet has the days that the law fixes, and is said not to be published.

import * as bundle from 'chinese-days'
import type { HolidaySource, SpecialDay } from './bank-calendar.ts'
import { addDays, civilDate } from './zoned-time.ts'

// A CommonJS bundle in which Node sees no named exports; they are on its default.
const { getDayDetail, getSolarDateFromLunar, getSolarTermDate } = bundle.default

export const chineseHolidays: HolidaySource = (year) => {
  const days = publishedDays(year)
  return days.length > 0 ? { days, isPublished: true } : { days: statutoryDays(year), isPublished: false }
}

/** What the package knows of a year: days off that are no ordinary weekend, and weekends that are worked. */
function publishedDays(year: number): readonly SpecialDay[] {
  const days: SpecialDay[] = []
  for (let date = `${year}-01-01`; date.startsWith(String(year)); date = addDays(date, 1)) {
    const { work, name } = getDayDetail(date)
    // Ordinary days have an English weekday for a name, special ones «National Day,国庆节,3».
    const [, chinese] = name.split(',')
    if (chinese !== undefined) days.push({ date, isOffDay: !work, name: chinese })
  }
  return days
}

/** 全国年节及纪念日放假办法, as amended from 2025: 13 days, without what a notice moves. */
function statutoryDays(year: number): readonly SpecialDay[] {
  const springFestival = getSolarDateFromLunar(`${year}-01-01`).date
  return [
    { date: `${year}-01-01`, name: '元旦' },
    // New Year's Eve and the first three days.
    ...[-1, 0, 1, 2].map((ahead) => ({ date: addDays(springFestival, ahead), name: '春节' })),
    { date: getSolarTermDate(year, 4, 'pure_brightness'), name: '清明' },
    ...[`${year}-05-01`, `${year}-05-02`].map((date) => ({ date, name: '劳动节' })),
    { date: getSolarDateFromLunar(`${year}-05-05`).date, name: '端午' },
    { date: getSolarDateFromLunar(`${year}-08-15`).date, name: '中秋' },
    ...[`${year}-10-01`, `${year}-10-02`, `${year}-10-03`].map((date) => ({ date, name: '国庆节' })),
  ]
    .filter(({ date }) => civilDate(date) !== undefined)
    .map((day) => ({ ...day, isOffDay: true }))
}
