// Calendar files of the bank: special days that override the published ones, and marks. The shape is that of the public
// holiday-cn files (`year`, `days` of name, date, isOffDay), so that one of those can be put in place as it is.

import { z } from 'zod'
import type { Mark, SpecialDay } from './bank-calendar.ts'
import { civilDate } from './zoned-time.ts'

const date = z.string().refine((text) => civilDate(text) !== undefined, 'is no date; write it as 2026-10-01')

const calendarFile = z.object({
  /** The file is complete for this year: days it does not list are ordinary. */
  year: z.int().min(1970).max(2105).optional(),
  /** Where the days come from; kept for readers. */
  papers: z.array(z.string()).optional(),
  days: z.array(z.object({ name: z.string(), date, isOffDay: z.boolean() })).default([]),
  marks: z
    .array(z.object({ date, mark: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/), name: z.string().default('') }))
    .default([]),
})

export type CalendarFile = {
  readonly days: readonly SpecialDay[]
  readonly marks: readonly Mark[]
  readonly completeYears: readonly number[]
}

/**
 * One file's content, parsed from JSON or YAML before.
 * @returns the file, or what is wrong, place by place
 */
export function parseCalendarFile(content: unknown): CalendarFile | { readonly problems: readonly string[] } {
  const parsed = calendarFile.safeParse(content)
  if (!parsed.success)
    return { problems: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) }
  const { year, days, marks } = parsed.data
  // A file that names its year and lists no day is one whose notice is not out yet.
  return { days, marks, completeYears: year !== undefined && days.length > 0 ? [year] : [] }
}

/** Several files as one; for a date in two of them the later file holds. */
export function mergeCalendarFiles(files: readonly CalendarFile[]): CalendarFile {
  return {
    days: files.flatMap((file) => file.days),
    marks: files.flatMap((file) => file.marks),
    completeYears: [...new Set(files.flatMap((file) => file.completeYears))],
  }
}
