// The API contract of the bank calendar. No behaviour lives here.

import { z } from 'zod'
import { Instant } from './schemas.ts'

const Day = z.union([
  Instant,
  z.string().regex(/^\d{4}-\d\d-\d\d$/, 'must be a day, 2026-10-01, or an instant'),
])
const CalendarName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^\0]*$/u, 'holds a zero character')

export const CalendarQuery = z.object({
  from: Day.default('now').describe('first day, or an instant in it; default today'),
  to: Day.optional().describe(
    'day after the last one, or the instant at which the range ends; default 31 days after from',
  ),
  calendar: z
    .union([CalendarName, z.array(CalendarName).max(8)])
    .optional()
    .describe('calendars of the registry over the published days, repeatable: the later one holds'),
  timeZone: z
    .string()
    .max(64)
    .optional()
    .describe('IANA zone by which instants are days; default that of the last calendar, else Asia/Shanghai'),
})

export const CalendarReply = z.object({
  timeZone: z.string(),
  calendars: z.array(z.string()),
  provisionalYears: z
    .array(z.number().int())
    .describe('whose holidays are not published: kind is by weekday and the days the law fixes'),
  days: z.array(
    z.object({
      date: z.string(),
      kind: z
        .enum(['workday', 'weekend', 'holiday', 'make-up-workday'])
        .describe('make-up-workday (调休): a weekend day that is worked'),
      isWorked: z.boolean(),
      name: z.string().describe('of the holiday that the day belongs to; empty for ordinary days'),
      isProvisional: z.boolean(),
      marks: z
        .array(z.string())
        .describe('month-end, quarter-end, year-end, last-workday-of-month, and those of the calendars'),
    }),
  ),
})
