// Calendar periods as reports name them: 2026-10, 2026-Q3, 2026, 2026-W45, in a zone.

import { addDays, civilDate, startOfDate } from './zoned-time.ts'

export type ReportPeriod = {
  readonly name: string
  readonly unit: 'week' | 'month' | 'quarter' | 'year'
  readonly timeZone: string
  /** [fromMs, toMs) */
  readonly fromMs: number
  readonly toMs: number
}

/** What a period looks like, for those who wrote something else. */
export const PERIOD_FORMS =
  'must be a month (2026-10), a quarter (2026-Q3), a year (2026) or an ISO week (2026-W45)'

const FORM = /^(20\d\d)(?:-(?:(0[1-9]|1[0-2])|Q([1-4])|W(0[1-9]|[1-4]\d|5[0-3])))?$/

/** @returns undefined when there is no such period: 2025 has no week 53 */
export function reportPeriod(name: string, timeZone: string): ReportPeriod | undefined {
  const [, year = '', month, quarter, week] = FORM.exec(name) ?? []
  if (year === '') return undefined
  const period = (unit: ReportPeriod['unit'], first: string, next: string): ReportPeriod => ({
    name,
    unit,
    timeZone,
    fromMs: startOfDate(first, timeZone),
    toMs: startOfDate(next, timeZone),
  })
  if (week !== undefined) {
    const first = weekStart(Number(year), Number(week))
    return civilDate(addDays(first, 3))?.year === Number(year)
      ? period('week', first, addDays(first, 7))
      : undefined
  }
  if (month !== undefined)
    return period('month', monthStart(year, Number(month)), monthStart(year, Number(month) + 1))
  if (quarter !== undefined) {
    const begins = 3 * Number(quarter) - 2
    return period('quarter', monthStart(year, begins), monthStart(year, begins + 3))
  }
  return period('year', monthStart(year, 1), monthStart(year, 13))
}

/** @param month  from 1; 13 is the next January */
function monthStart(year: string, month: number): string {
  const years = Number(year) + Math.floor((month - 1) / 12)
  return `${years}-${String(((month - 1) % 12) + 1).padStart(2, '0')}-01`
}

/** Monday of an ISO week; 4 January lies in the first. */
function weekStart(year: number, week: number): string {
  const fourth = `${year}-01-04`
  return addDays(fourth, 1 - (civilDate(fourth)?.weekday ?? 1) + 7 * (week - 1))
}
