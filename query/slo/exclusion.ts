// Time that was agreed not to count: planned work, once or recurring, also told afterwards. Exclusions never change
// slices; they are applied when windows are read, and figures with and without them are both kept.

import { RRuleTemporal } from 'rrule-temporal'
import { dateOf, instantOf, isTimeZone, zonedText } from '../calendar/zoned-time.ts'
import type { Problem } from './problem.ts'
import { mergeRanges, type SliceRange } from './slice-ranges.ts'

export type Exclusion = {
  readonly id: string
  readonly reason: string
  readonly approver: string
  /** Number of the change ticket. */
  readonly ticket: string
  /** When it was entered; later than its time when it is retroactive. */
  readonly enteredAtMs: number
} & ExclusionTime

export type ExclusionTime =
  | { readonly kind: 'once'; readonly fromMs: number; readonly toMs: number }
  | {
      readonly kind: 'recurring'
      /** RFC 5545 recurrence rule, `FREQ=WEEKLY;BYDAY=SU`; daily at most often. */
      readonly rrule: string
      /** Local time of the first one, `2026-07-05 01:00:00`. */
      readonly start: string
      readonly timeZone: string
      readonly durationMs: number
    }

/** One stretch of excluded time, [fromMs, toMs). */
export type ExcludedStretch = { readonly id: string; readonly fromMs: number; readonly toMs: number }

export type Expansion = {
  /** Oldest first; overlapping ones both listed. */
  readonly stretches: readonly ExcludedStretch[]
  /** Exclusions that recur more often than the bound: none of their stretches after it is listed. */
  readonly cut: readonly string[]
}

/** Most stretches one exclusion has in one expansion: 400 days of one a day, doubled. */
const OCCURRENCES_MAX = 800
const DURATION_MAX_MS = 31 * 86_400_000

/** All excluded time that touches [fromMs, toMs). A rule without end is expanded no further. */
export function expandExclusions(exclusions: readonly Exclusion[], fromMs: number, toMs: number): Expansion {
  const stretches: ExcludedStretch[] = []
  const cut: string[] = []
  for (const exclusion of exclusions) {
    if (exclusion.kind === 'once') {
      if (exclusion.fromMs < toMs && exclusion.toMs > fromMs)
        stretches.push({ id: exclusion.id, fromMs: exclusion.fromMs, toMs: exclusion.toMs })
      continue
    }
    const { id, durationMs } = exclusion
    const rule = buildRule(exclusion)
    let cursor = fromMs - durationMs
    let found = 0
    for (;;) {
      const next = rule.next(new Date(cursor), false)?.epochMilliseconds
      if (next === undefined || next >= toMs) break
      if (found === OCCURRENCES_MAX) {
        cut.push(id)
        break
      }
      found++
      cursor = next
      if (next + durationMs > fromMs) stretches.push({ id, fromMs: next, toMs: next + durationMs })
    }
  }
  return { stretches: stretches.toSorted((a, b) => a.fromMs - b.fromMs), cut }
}

/** Stretches as ranges of slices: a slice that one touches is excluded whole. */
export function excludedSlices(stretches: readonly ExcludedStretch[], stepMs: number): readonly SliceRange[] {
  return mergeRanges(
    stretches.map(({ fromMs, toMs }) => ({
      from: Math.floor(fromMs / stepMs),
      to: Math.ceil(toMs / stepMs),
    })),
  )
}

/** What is wrong with an exclusion's time; an empty list when nothing is. */
export function checkExclusion(time: ExclusionTime, place = 'exclusion'): readonly Problem[] {
  if (time.kind === 'once') {
    if (!Number.isFinite(time.fromMs) || !Number.isFinite(time.toMs) || time.fromMs >= time.toMs)
      return [{ place: `${place}.to`, message: 'must be later than from' }]
    return []
  }
  const problems: Problem[] = []
  const say = (field: string, message: string) => problems.push({ place: `${place}.${field}`, message })
  if (!isTimeZone(time.timeZone))
    say('timeZone', `«${time.timeZone}» is no zone that is known here; write it as Asia/Shanghai`)
  if (instantOf(time.start, 'UTC') === undefined)
    say('start', `«${time.start}» is no local time; write it as 2026-07-05 01:00:00`)
  if (!(time.durationMs > 0 && time.durationMs <= DURATION_MAX_MS))
    say('duration', 'must be above 0 and at most 31 days')
  const fault = ruleFault(time.rrule)
  if (fault !== undefined) say('rrule', fault)
  if (problems.length > 0) return problems
  try {
    if (buildRule(time).next(new Date(0), true) === null)
      say('rrule', 'never happens: it ends before it begins')
  } catch (error) {
    say(
      'rrule',
      `never happens, or is no rule of RFC 5545: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return problems
}

// What the parts of a rule may hold. Finer frequencies, seconds, weeks of the year and days of the year are left out: planned
// work has no use for them, and the library takes what it does not know for nothing.
const RULE_PARTS: Readonly<Record<string, RegExp>> = {
  FREQ: /^(?:DAILY|WEEKLY|MONTHLY|YEARLY)$/,
  INTERVAL: /^[1-9]\d{0,3}$/,
  COUNT: /^[1-9]\d{0,3}$/,
  UNTIL: /^\d{8}(?:T\d{6}Z?)?$/,
  WKST: /^(?:MO|TU|WE|TH|FR|SA|SU)$/,
  BYDAY: /^(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:[+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU))*$/,
  BYMONTH: /^(?:[1-9]|1[0-2])(?:,(?:[1-9]|1[0-2]))*$/,
  BYMONTHDAY: /^-?(?:[1-9]|[12]\d|3[01])(?:,-?(?:[1-9]|[12]\d|3[01]))*$/,
  BYSETPOS: /^-?(?:[1-9]|[12]\d|3[01])(?:,-?(?:[1-9]|[12]\d|3[01]))*$/,
}

function ruleFault(rrule: string): string | undefined {
  const seen = new Set<string>()
  for (const part of rrule.split(';')) {
    const [name = '', value] = part.split('=', 2)
    const allowed = Object.hasOwn(RULE_PARTS, name) ? RULE_PARTS[name] : undefined
    if (allowed === undefined)
      return `«${part}» is not taken; parts are ${Object.keys(RULE_PARTS).join(', ')}, as in FREQ=WEEKLY;BYDAY=SU (the time of day stands in start)`
    if (seen.has(name)) return `${name} stands twice`
    seen.add(name)
    if (value === undefined || !allowed.test(value))
      return `${name}=${value ?? ''} is not taken; see RFC 5545, 3.3.10`
  }
  return seen.has('FREQ') ? undefined : 'needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY'
}

function buildRule({ rrule, start, timeZone }: Extract<ExclusionTime, { kind: 'recurring' }>): RRuleTemporal {
  return new RRuleTemporal({
    rruleString: `RRULE:${rrule}`,
    dtstart: zonedText(start, timeZone),
    strict: true,
  })
}

/** Local dates that a stretch touches, first and last: what reports list it under. */
export function stretchDates(stretch: ExcludedStretch, timeZone: string): { first: string; last: string } {
  return { first: dateOf(stretch.fromMs, timeZone), last: dateOf(stretch.toMs - 1, timeZone) }
}
