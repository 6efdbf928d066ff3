// A calendar of the bank: days that override the published ones, and days with a mark. The members are those of the public
// holiday-cn files, so that one of those can be taken over as it is.

import { z } from 'zod'
import { date, description, line, timeZone, word } from './words.ts'

const twice = (list: readonly { readonly date: string }[]) =>
  new Set(list.map((day) => day.date)).size === list.length

export const CalendarSpec = z.strictObject({
  description: description.optional(),
  timeZone: timeZone.default('Asia/Shanghai'),
  /** Years that are complete: days that are not listed are ordinary. */
  completeYears: z.array(z.number().int().min(1970).max(2105)).max(136).default([]),
  days: z
    .array(z.strictObject({ date, name: line, isOffDay: z.boolean() }))
    .max(5000)
    .refine(twice, 'names a date twice')
    .default([]),
  /** Days that mean something beside being worked or not: payroll, campaign, settlement. */
  marks: z
    .array(z.strictObject({ date, mark: word, name: line.optional() }))
    .max(5000)
    .default([]),
})
export type CalendarSpec = z.output<typeof CalendarSpec>
