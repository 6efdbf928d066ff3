// Figures as the sentences write them: durations, shares, times and the name of a budget, by language. A small share is
// never rounded away to nothing.

import type { CivilUnit } from '../calendar/zoned-time.ts'
import type { SloWindow } from './slo-window.ts'
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

/** «the July budget», «本周错误预算»: how a window's budget is called while the window lasts. */
export function budgetText(language: SentenceLanguage, window: SloWindow, fromMs: number): string {
  if (window.kind === 'rolling') {
    const { durationMs } = window
    const [key, size] =
      durationMs % DAY === 0
        ? (['lengthDays', DAY] as const)
        : durationMs % HOUR === 0
          ? (['lengthHours', HOUR] as const)
          : (['lengthMinutes', MINUTE] as const)
    const length = fill(language, key, { count: countText(language, durationMs / size) })
    return fill(language, 'budgetRolling', { length })
  }
  const { unit, timeZone } = window
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(language, { ...options, timeZone }).format(fromMs)
  if (window.count !== 1 || window.start !== undefined)
    return fill(language, 'budgetFrom', { date: format({ year: 'numeric', month: 'short', day: 'numeric' }) })
  const month = () => Number(new Intl.DateTimeFormat('en', { month: 'numeric', timeZone }).format(fromMs))
  // «七月» would be as right; figures are what reports write.
  const monthName = () => format({ month: language === 'en' ? 'long' : 'numeric' })
  const names: Readonly<Record<CivilUnit, () => string>> = {
    day: () => fill(language, 'budgetDay'),
    week: () => fill(language, 'budgetWeek'),
    month: () => fill(language, 'budgetMonth', { month: monthName() }),
    quarter: () => fill(language, 'budgetQuarter', { quarter: String(Math.ceil(month() / 3)) }),
    year: () => fill(language, 'budgetYear', { year: format({ year: 'numeric' }) }),
  }
  return names[unit]()
}
