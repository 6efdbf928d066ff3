// What the figures of an SLO say in words: its window, its group, what is known of it, which burn rates are too high. Pure.

import type { SloItem } from '../../query/http/slo-schemas.ts'
import type { Words } from '../i18n/words.ts'

/** «rolling 30 d», «calendar: 1 month (Asia/Shanghai)»; a form we do not know stays as it was sent. */
export function windowWords(text: string, words: Words): string {
  const rolling = /^(\d+)([dhms])$/.exec(text)
  if (rolling !== null) {
    const size = { d: 86_400, h: 3600, m: 60, s: 1 }[rolling[2] as 'd']
    return words.text('windowRolling', { length: words.seconds(Number(rolling[1]) * size) })
  }
  const calendar = /^(\d+) (day|week|month|quarter|year) (\S+)$/.exec(text)
  if (calendar === null) return text
  const [, count = '', unit = 'day', zone = ''] = calendar
  const units = {
    day: 'unitDay',
    week: 'unitWeek',
    month: 'unitMonth',
    quarter: 'unitQuarter',
    year: 'unitYear',
  } as const
  return words.text('windowCalendar', { count, unit: words.text(units[unit as 'day']), zone })
}

/** «region=0531, channel=mobile»; empty without groups. */
export function groupWords({ group }: Pick<SloItem, 'group'>, words: Words): string {
  return Object.entries(group ?? {})
    .map(([name, value]) => `${name}=${value === '' ? words.text('groupNoValue') : value}`)
    .join(', ')
}

export type BurnFigure = {
  readonly windowSeconds: number
  readonly rate: number | null
  /** The lowest threshold of this window that the rate exceeds; undefined when it exceeds none. */
  readonly above: number | undefined
}

/** The burn rates as they are judged, shortest window first. */
export function burnFigures({ burnRates, pairs }: Pick<SloItem, 'burnRates' | 'pairs'>): BurnFigure[] {
  return burnRates
    .map(({ windowSeconds, net }) => {
      const rate = net?.burnRate ?? null
      const factors = pairs
        .filter((pair) => [pair.longWindowSeconds, pair.shortWindowSeconds].includes(windowSeconds))
        .map(({ factor }) => factor)
        .filter((factor) => rate !== null && rate > factor)
      return { windowSeconds, rate, above: factors.length === 0 ? undefined : Math.min(...factors) }
    })
    .toSorted((a, b) => a.windowSeconds - b.windowSeconds)
}

/** What a reader must know before he trusts the figures, besides the sentence. */
export function notes(item: SloItem, nowMs: number, words: Words): string[] {
  const said: string[] = []
  const time = (at: string) => words.time(Date.parse(at), nowMs)
  if (item.hint === 'unmatched') said.push(words.text('hintUnmatched'))
  if (item.hint === 'too-many-groups')
    said.push(words.text('hintTooManyGroups', { count: words.count(item.groups ?? 0) }))
  if (item.hint === 'waiting') said.push(words.text('hintWaiting'))
  if (item.isMissing) said.push(words.text('groupMissing'))
  if (item.backfill !== null && item.backfill.doneRatio < 1)
    said.push(
      words.text('backfilling', {
        done: words.left(item.backfill.doneRatio),
        time: time(item.backfill.reachesTo),
      }),
    )
  else if (isKnownInPart(item)) said.push(words.text('knownFrom', { time: time(item.knownFrom ?? '') }))
  return said
}

/** Whether the past before a date is not known, which a whole window would need. */
function isKnownInPart({ knownFrom, window, stepSeconds }: SloItem): boolean {
  if (knownFrom === null || window === null) return false
  return Date.parse(knownFrom) > Date.parse(window.from) + stepSeconds * 1000
}

const drawnMost = 6 * 3600
const drawnWindows = 4

/**
 * Windows to draw as the API takes them, shortest first: those that may wake somebody, and of which a reader sees something
 * within hours.
 */
export function chartWindows({
  pairs,
  burnRates,
  stepSeconds,
}: Pick<SloItem, 'pairs' | 'burnRates' | 'stepSeconds'>): string {
  const fitting = (seconds: readonly number[]) =>
    [...new Set(seconds)].filter((one) => one <= drawnMost && one % 60 === 0 && one > stepSeconds)
  const loud = fitting(
    pairs
      .filter(({ severity }) => severity === 'page')
      .flatMap(({ longWindowSeconds, shortWindowSeconds }) => [longWindowSeconds, shortWindowSeconds]),
  )
  const judged = loud.length > 0 ? loud : fitting(burnRates.map(({ windowSeconds }) => windowSeconds))
  const drawn = judged.length > 0 ? judged : [300, 3600, 21_600]
  return drawn
    .toSorted((a, b) => a - b)
    .slice(0, drawnWindows)
    .map((seconds) => (seconds % 3600 === 0 ? `${seconds / 3600}h` : `${seconds / 60}m`))
    .join(',')
}
