// The words and number formats of one language: texts with their gaps filled, ratios, rates, durations and time
// stamps by locale. Which language to use is decided here too. Touches no page.

import { en, type TextKey, type Texts } from './en.ts'
import { zhCN } from './zh-CN.ts'

export type Language = 'zh-CN' | 'en'

export const texts: Readonly<Record<Language, Texts>> = { 'zh-CN': zhCN, en }

/** Written where a figure does not exist. A rate without traffic is neither 0 % nor 100 %. */
export const absent = '–'

export type Words = {
  readonly language: Language
  text(key: TextKey, values?: Readonly<Record<string, string>>): string
  /** @param ratio 0–1; a bad share is never rounded away to 0 %, nor a partial one up to 100 % */
  ratio(ratio: number | null): string
  /** @param ratio good ÷ all, or a target; as many digits as the bad share needs, cut off, never rounded up */
  sli(ratio: number | null): string
  /** @param ratio of a budget: signed, rounded as the sentences round it */
  left(ratio: number): string
  /** A burn rate: «14.4×». */
  times(rate: number | null): string
  /** Minutes of a length in seconds, without unit. */
  minutes(seconds: number): string
  count(value: number): string
  /** A count that may be negative or of parts: one digit while it is small. */
  signed(value: number): string
  /** Short form with k, M, G for axes and totals. */
  short(value: number): string
  ratePerSecond(value: number): string
  milliseconds(value: number | null): string
  /** @param seconds length of a step or an age */
  seconds(seconds: number): string
  bytes(value: number): string
  /** Local time of day; with the date when it is not the day of `nowMs`. */
  time(atMs: number, nowMs: number): string
  clock(atMs: number): string
  day(atMs: number): string
  ago(atMs: number, nowMs: number): string
  list(items: readonly string[], most: number): string
}

/**
 * The language of the page: what the URL says, else what was chosen before, else the first of the browser's
 * languages we speak, else English.
 */
export function chooseLanguage(
  asked: string | undefined,
  kept: string | undefined,
  browser: readonly string[],
): Language {
  for (const wish of [asked, kept, ...browser]) {
    if (wish === undefined) continue
    if (/^zh\b/i.test(wish)) return 'zh-CN'
    if (/^en\b/i.test(wish)) return 'en'
  }
  return 'en'
}

export function buildWords(language: Language): Words {
  const dictionary = texts[language]
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(language, options)
  const whole = number({ maximumFractionDigits: 0 })
  const oneDigit = number({ maximumFractionDigits: 1 })
  const fiveDigits = number({ maximumFractionDigits: 5 })
  const threeDigits = number({ maximumSignificantDigits: 3 })
  const twoDigits = number({ maximumSignificantDigits: 2 })
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'always', style: 'short' })
  const timeOfDay = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  })
  const hourMinute = new Intl.DateTimeFormat(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const monthDay = new Intl.DateTimeFormat(language, { month: 'short', day: 'numeric' })
  const text: Words['text'] = (key, values = {}) => fill(dictionary[key], values)
  // Axes use k, M, G in both languages; Intl's compact form would say 万 in Chinese.
  const short = (value: number) => {
    for (const [unit, size] of [
      ['G', 1e9],
      ['M', 1e6],
      ['k', 1e3],
    ] as const)
      if (Math.abs(value) >= size) return `${threeDigits.format(value / size)}${unit}`
    return threeDigits.format(value)
  }
  const seconds = (value: number) => {
    if (value < 60) return `${oneDigit.format(value)} s`
    if (value < 3600) return `${oneDigit.format(value / 60)} min`
    if (value < 48 * 3600) return `${oneDigit.format(value / 3600)} h`
    return `${oneDigit.format(value / 86_400)} d`
  }
  return {
    language,
    text,
    short,
    seconds,
    ratio(ratio) {
      if (ratio === null) return absent
      const percent = ratio * 100
      if (percent > 0 && percent < 0.01) return '<0.01%'
      if (percent < 100 && percent > 99.95) return '>99.9%'
      return `${(percent < 1 ? twoDigits : oneDigit).format(percent)}%`
    },
    sli(ratio) {
      if (ratio === null) return absent
      const percent = ratio * 100
      const bad = 100 - percent
      const digits = bad >= 1 || bad <= 0 ? 1 : Math.min(5, 1 - Math.floor(Math.log10(bad)))
      return `${fiveDigits.format(cutOff(percent, digits))}%`
    },
    left(ratio) {
      const percent = ratio * 100
      if (percent > 0 && percent < 0.1) return '<0.1%'
      if (percent < 100 && percent >= 99.95) return '>99.9%'
      if (percent < 0 && percent > -0.1) return '−0.1%'
      return `${oneDigit.format(percent).replace('-', '−')}%`
    },
    times(rate) {
      if (rate === null) return absent
      const value = rate > 0 && rate < 0.01 ? '<0.01' : (rate < 1 ? twoDigits : threeDigits).format(rate)
      return text('timesRate', { value })
    },
    minutes: (value) => oneDigit.format(value / 60),
    count: (value) => whole.format(value),
    signed: (value) => (Math.abs(value) < 100 ? oneDigit : whole).format(value).replace('-', '−'),
    ratePerSecond: (value) => (value >= 1000 ? short(value) : threeDigits.format(value)),
    milliseconds(value) {
      if (value === null) return absent
      if (value < 1000) return `${threeDigits.format(value)} ms`
      if (value < 60_000) return `${threeDigits.format(value / 1000)} s`
      return seconds(value / 1000)
    },
    bytes(value) {
      for (const [unit, size] of [
        ['GB', 1e9],
        ['MB', 1e6],
        ['kB', 1e3],
      ] as const)
        if (value >= size) return `${threeDigits.format(value / size)} ${unit}`
      return text('bytes', { value: whole.format(value) })
    },
    time(atMs, nowMs) {
      const clock = timeOfDay.format(atMs)
      const sameDay = new Date(atMs).toDateString() === new Date(nowMs).toDateString()
      return sameDay ? clock : `${monthDay.format(atMs)} ${clock}`
    },
    clock: (atMs) => hourMinute.format(atMs),
    day: (atMs) => monthDay.format(atMs),
    ago(atMs, nowMs) {
      // A sender's clock may run ahead of ours; «in 2 s» would read as a forecast.
      const age = Math.max(0, Math.round((nowMs - atMs) / 1000))
      if (age < 60) return relative.format(-age, 'second')
      if (age < 3600) return relative.format(-Math.floor(age / 60), 'minute')
      if (age < 48 * 3600) return relative.format(-Math.floor(age / 3600), 'hour')
      return relative.format(-Math.floor(age / 86_400), 'day')
    },
    list(items, most) {
      const shown = items.slice(0, most).join(dictionary.listSeparator)
      return items.length <= most
        ? shown
        : text('andMore', { list: shown, count: whole.format(items.length - most) })
    },
  }
}

/** Towards less, but for what binary fractions add: 99.9 stays 99.9. */
function cutOff(value: number, digits: number): number {
  const size = 10 ** digits
  return Math.floor(value * size + 1e-6) / size
}

/** Values go in as they are, in one pass: a value that itself holds braces is not filled again. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (gap, name: string) => values[name] ?? gap)
}
