// Time that was agreed not to count: planned work, once or recurring, also told afterwards.

import { z } from 'zod'
import { description, instant, line, names, timeZone } from './words.ts'

const DURATION_SECONDS_MAX = 31 * 86_400

const Recurring = z.strictObject({
  /** One rule of RFC 5545 without DTSTART, daily at most often. */
  rrule: z
    .string()
    .max(500)
    .regex(
      /^(?:[A-Z]+=[A-Z0-9,+-]+)(?:;[A-Z]+=[A-Z0-9,+-]+)*$/i,
      'must be one rule such as FREQ=WEEKLY;BYDAY=SU',
    )
    .regex(
      /(?:^|;)FREQ=(?:DAILY|WEEKLY|MONTHLY|YEARLY)(?:;|$)/i,
      'needs FREQ=DAILY, WEEKLY, MONTHLY or YEARLY',
    )
    .refine(
      (text) => !/(?:^|;)BY(?:HOUR|MINUTE|SECOND)=/i.test(text),
      'recurs at most once a day; the time of day stands in start',
    ),
  /** Local date and time of the first one. */
  start: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'must be local time such as 2026-07-05 01:00:00')
    .refine((text) => isLocalTime(text), 'is no time that exists'),
  timeZone,
  durationSeconds: z.number().int().min(1).max(DURATION_SECONDS_MAX, 'is longer than 31 days'),
})

export const ExclusionSpec = z
  .strictObject({
    description: description.optional(),
    reason: line,
    approver: line,
    /** Number of the change ticket. */
    ticket: line,
    from: instant.optional(),
    to: instant.optional(),
    recurring: Recurring.optional(),
    appliesTo: z
      .strictObject({
        everything: z.boolean().default(false),
        systems: names(1000).default([]),
        services: names(1000).default([]),
        slos: names(1000).default([]),
      })
      .refine(
        ({ everything, systems, services, slos }) =>
          everything === (systems.length + services.length + slos.length === 0),
        'names systems, services or slos, or says everything: true',
      ),
  })
  .superRefine(({ from, to, recurring }, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    if (recurring !== undefined) {
      if (from !== undefined || to !== undefined) say('recurring', 'stands alone, without from and to')
      return
    }
    if (from === undefined) say('from', 'is required, or recurring')
    if (to === undefined) say('to', 'is required, or recurring')
    if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
      say('to', 'must be later than from')
  })
export type ExclusionSpec = z.output<typeof ExclusionSpec>

function isLocalTime(text: string): boolean {
  const ms = Date.parse(`${text.replace(' ', 'T')}Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.replace(' ', 'T')
}
