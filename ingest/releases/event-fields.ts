// Fields that CloudEvents and CDEvents share, as zod shapes: bounded text, a URI-reference, an RFC 3339
// timestamp. Their messages are read by whoever sent the event, so each says what to do.

import { z } from 'zod'
import { RELEASE_EVENT_AT_MAX_MS, RELEASE_EVENT_AT_MIN_MS } from '../records/release-event.ts'

/** Characters of id, source, type and subject. */
export const NAME_CHARS_MAX = 1024
/** Characters of service, version and environment. */
export const LABEL_CHARS_MAX = 256

/** What is wrong, and where: a member path such as `[3].data.context.id`, or a header. */
export type Problem = { readonly place: string; readonly message: string }

/** @param remedy what the sender should do when the field is missing */
export function boundedText(max: number, remedy: string) {
  return z
    .string({ error: (issue) => `${issue.input == null ? 'is missing' : 'must be a string'}; ${remedy}` })
    .min(1, { error: `must not be empty; ${remedy}` })
    .max(max, { error: (issue) => tooLong(typeof issue.input === 'string' ? issue.input.length : 0, max) })
    .refine((text) => text.isWellFormed(), { error: 'holds half a surrogate pair; send whole characters' })
}

export const tooLong = (length: number, max: number): string =>
  `has ${length} characters; at most ${max} are accepted`

export const eventId = boundedText(NAME_CHARS_MAX, 'give every event an id that is unique within its source')

export const eventType = boundedText(
  NAME_CHARS_MAX,
  'name the kind of event, e.g. dev.cdevents.service.deployed.0.3.0',
)

export const eventSource = boundedText(
  NAME_CHARS_MAX,
  'name the sender as a URI-reference, e.g. /ci/release-train',
).refine(isUriReference, {
  error: (issue) =>
    `is ${quote(issue.input)}, which is not a URI-reference (RFC 3986); percent-encode spaces, control and non-ASCII characters`,
})

/** RFC 3339 in, ms since 1970 out. */
export const eventTime = z
  .string({ error: (issue) => `${issue.input == null ? 'is missing' : 'must be a string'}; ${TIME_REMEDY}` })
  .transform((text, context) => {
    const at = instantOf(text)
    if (at === undefined) {
      context.addIssue({ code: 'custom', message: `is ${quote(text)}, not an RFC 3339 time; ${TIME_REMEDY}` })
      return z.NEVER
    }
    if (at < RELEASE_EVENT_AT_MIN_MS || at > RELEASE_EVENT_AT_MAX_MS) {
      const bounds = [RELEASE_EVENT_AT_MIN_MS, RELEASE_EVENT_AT_MAX_MS].map((ms) =>
        new Date(ms).toISOString(),
      )
      context.addIssue({
        code: 'custom',
        message: `is ${quote(text)}; only ${bounds.join(' to ')} can be stored, so check the sender's clock`,
      })
      return z.NEVER
    }
    return at
  })

const TIME_REMEDY = 'send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00'

/** The sender's own value in a message: JSON, so that control characters show, and cut short. */
export function quote(value: unknown): string {
  const text = JSON.stringify(typeof value === 'string' ? value : typeof value)
  return text.length <= 60 ? text : `${text.slice(0, 59).toWellFormed()}…"`
}

/** Places of a failed parse under a prefix: `[3].data` and `context.id` make `[3].data.context.id`. */
export function problemsOf(error: z.ZodError, prefix: string): Problem[] {
  return error.issues.map((issue) => ({
    place: join(prefix, issue.path.map(String).join('.')) || 'body',
    message: issue.message,
  }))
}

export const join = (prefix: string, place: string): string =>
  prefix === '' || place === '' ? prefix + place : `${prefix}.${place}`

/** The characters and the scheme of RFC 3986; that brackets belong to a host is not checked. */
function isUriReference(text: string): boolean {
  if (text === '') return true // valid as such; that a source must not be empty is told by its length
  if (!/^(?:[\w\-.~:/?#[\]@!$&'()*+,;=]|%[0-9a-f]{2})+$/i.test(text)) return false
  if (text.indexOf('#') !== text.lastIndexOf('#')) return false
  const head = /^[^/?#]*/.exec(text)?.[0] ?? ''
  return !head.includes(':') || /^[a-z][a-z0-9+.-]*:/i.test(head)
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/**
 * An RFC 3339 date-time in ms since 1970, cut to whole milliseconds. A leap second counts as the second
 * after it. `Date.parse` is no help: it takes 30 February for 2 March and refuses leap seconds.
 */
export function instantOf(text: string): number | undefined {
  if (text.length > 64) return undefined
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const offsetHour = Number(match[9] ?? 0)
  const offsetMinute = Number(match[10] ?? 0)
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return undefined
  // Without setUTCFullYear, the years 0 to 99 would mean 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const milliseconds = Number((match[7] ?? '.').slice(1, 4).padEnd(3, '0'))
  const offsetMinutes = (offsetHour * 60 + offsetMinute) * (match[8] === '-' ? -1 : 1)
  return date.getTime() + ((hour * 60 + minute - offsetMinutes) * 60 + second) * 1000 + milliseconds
}
