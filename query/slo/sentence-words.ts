// Figures as the sentences write them: durations, shares, times and the name of a budget, by language. A small share is
// never rounded away to nothing.

import { civilDate, dateOf, startOfDate, type CivilUnit } from '../calendar/zoned-time.ts'
import { windowAt, type CalendarWindow, type SloWindow } from './slo-window.ts'
import { sentenceTexts, type SentenceKey, type SentenceLanguage } from './sentence-texts.ts'

export function fill(
  language: SentenceLanguage,
  key: SentenceKey,
  values: Readonly<Record<string, string>> = {},
): string {
  return sentenceTexts[language][key].replaceAll(/\{(\w+)\}/g, (gap, name: string) => values[name] ?? gap)
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The two largest units, cut off: «3 h 10 min», «2 天 4 小时». */
export function durationText(language: SentenceLanguage, ms: number): string {
  const units = [
    ['days', DAY],
    ['hours', HOUR],
    ['minutes', MINUTE],
    ['seconds', SECOND],
  ] as const
  const largest = units.findIndex(([, size]) => ms >= size)
  if (largest < 0) return fill(language, 'seconds', { count: '0' })
  const parts: string[] = []
  let rest = ms
  for (const [key, size] of units.slice(largest, largest + 2)) {
    const count = Math.floor(rest / size)
    rest -= count * size
    // Seconds beside hours or minutes are more than a forecast knows.
    if (count > 0 && !(key === 'seconds' && parts.length > 0))
      parts.push(fill(language, key, { count: String(count) }))
  }
  return parts.join(fill(language, 'durationGap'))
}

/** 0.756 → 75.6%; below a tenth of a percent «<0.1%», just below all «>99.9%». */
export function percentText(language: SentenceLanguage, ratio: number): string {
  const percent = ratio * 100
  if (percent > 0 && percent < 0.1) return '<0.1%'
  if (percent < 100 && percent >= 99.95) return '>99.9%'
  return `${percent.toLocaleString(language, { maximumFractionDigits: 1 })}%`
}

export function countText(language: SentenceLanguage, count: number): string {
  return count.toLocaleString(language, { maximumFractionDigits: count < 10 ? 1 : 0 })
}

/** Local time of day, with the date when it is not the day of `nowMs`. */
export function timeText(language: SentenceLanguage, atMs: number, nowMs: number, timeZone: string): string {
  const day = (ms: number) => new Intl.DateTimeFormat('en-CA', { timeZone }).format(ms)
  const isSameDay = day(atMs) === day(nowMs)
  return new Intl.DateTimeFormat(language, {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(isSameDay ? {} : { month: 'short', day: 'numeric' }),
  }).format(atMs)
}

/** «the July budget», «本周错误预算»: how a window's budget is called. @param atMs  within the window @param nowMs  of the reader */
export function budgetText(
  language: SentenceLanguage,
  window: SloWindow,
  atMs: number,
  nowMs: number = atMs,
): string {
  if (window.kind === 'rolling') return rollingText(language, window.durationMs)
  const { timeZone } = window
  const { fromMs, toMs } = windowAt(window, atMs)
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone }).format(fromMs)
  const year = format({ year: 'numeric' })
  const isThisYear = yearOf(fromMs, timeZone) === yearOf(nowMs, timeZone)
  const isNow = nowMs >= fromMs && nowMs < toMs
  // «七月» would be as right; figures are what reports write.
  const month = () =>
    format(
      isThisYear ? { month: language === 'en' ? 'long' : 'numeric' } : { month: 'long', year: 'numeric' },
    )
  const day = () => format({ month: 'short', day: 'numeric', ...(isThisYear ? {} : { year: 'numeric' }) })
  const whole = wholeUnit(window, fromMs)
  if (whole === undefined) {
    const date = format({ year: 'numeric', month: 'short', day: 'numeric' })
    return fill(language, 'budgetFrom', { date })
  }
  const quarter = String(Math.ceil(whole.month / 3))
  const names: Readonly<Record<CivilUnit, () => string>> = {
    day: () => (isNow ? fill(language, 'budgetDay') : fill(language, 'budgetOfDay', { day: day() })),
    week: () => (isNow ? fill(language, 'budgetWeek') : fill(language, 'budgetOfWeek', { day: day() })),
    month: () => fill(language, 'budgetMonth', { month: month() }),
    quarter: () =>
      isThisYear
        ? fill(language, 'budgetQuarter', { quarter })
        : fill(language, 'budgetQuarterOfYear', { quarter, year }),
    year: () => fill(language, 'budgetYear', { year }),
  }
  return names[whole.unit]()
}

function rollingText(language: SentenceLanguage, durationMs: number): string {
  const [key, size] =
    durationMs % DAY === 0
      ? (['lengthDays', DAY] as const)
      : durationMs % HOUR === 0
        ? (['lengthHours', HOUR] as const)
        : (['lengthMinutes', MINUTE] as const)
  const length = fill(language, key, { count: countText(language, durationMs / size) })
  return fill(language, 'budgetRolling', { length })
}

const yearOf = (ms: number, timeZone: string) => dateOf(ms, timeZone).slice(0, 4)
const MONTHS: Readonly<Partial<Record<CivilUnit, number>>> = { month: 1, quarter: 3, year: 12 }
const DAYS: Readonly<Partial<Record<CivilUnit, number>>> = { day: 1, week: 7 }

/** The unit of the calendar that a window is exactly one of, however it is written: three months from July are a quarter. */
function wholeUnit(
  { unit, count, timeZone }: CalendarWindow,
  fromMs: number,
): { readonly unit: CivilUnit; readonly month: number } | undefined {
  const date = dateOf(fromMs, timeZone)
  const civil = civilDate(date)
  if (civil === undefined || startOfDate(date, timeZone) !== fromMs) return undefined
  const { month, day, weekday } = civil
  const days = (DAYS[unit] ?? 0) * count
  if (days === 1) return { unit: 'day', month }
  if (days === 7 && weekday === 1) return { unit: 'week', month }
  if (days > 0 || day !== 1) return undefined
  const months = (MONTHS[unit] ?? 0) * count
  if (months === 1) return { unit: 'month', month }
  if (months === 3 && month % 3 === 1) return { unit: 'quarter', month }
  return months === 12 && month === 1 ? { unit: 'year', month } : undefined
}
