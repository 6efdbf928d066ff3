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
  if (problems.length > 0) return problems
  if (/[\r\n:]/.test(time.rrule))
    say('rrule', 'is one rule without DTSTART or RRULE:, as FREQ=WEEKLY;BYDAY=SU; its start stands in start')
  else if (!/(?:^|;)FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)/i.test(time.rrule))
    say('rrule', 'needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY')
  else if (/(?:^|;)BY(?:HOUR|MINUTE|SECOND)=[^;]*,/i.test(time.rrule))
    say('rrule', 'recurs at most once a day; give each time of day an exclusion of its own')
  else {
    try {
      buildRule(time)
    } catch (error) {
      say(
        'rrule',
        `is not a recurrence rule of RFC 5545: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  return problems
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
