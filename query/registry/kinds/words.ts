// Words that the shapes of several kinds share.

import { z } from 'zod'
import type { Kind } from '../object.ts'

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/
const NAME_TEXT =
  'must be 1 to 128 letters, digits, «.», «_», «-», beginning and ending with a letter or digit'
const USER_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/
const USER_NAME_TEXT =
  'must be 1 to 64 lower case letters, digits, «.», «_», «-», beginning and ending with a letter or digit'

/** The name of an object as another one says it. */
export const name = z.string().regex(NAME, NAME_TEXT)

/** Names stand in addresses, in files and beside ours in the audit; for people there is the display name. */
export const objectName = (kind: Kind) =>
  kind === 'user' ? z.string().regex(USER_NAME, USER_NAME_TEXT) : name

// Line breaks and tabs are text; other control characters, and those that turn text around, deceive those who read it.
const isPlain = (text: string) =>
  !Array.from(text, (letter) => letter.codePointAt(0) ?? 0).some(
    (code) =>
      (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) ||
      code === 0x7f ||
      (code >= 0x202a && code <= 0x202e) ||
      (code >= 0x2066 && code <= 0x2069),
  )

const plain = (max: number) =>
  z
    .string()
    .max(max, `has more than ${max} characters`)
    .refine(isPlain, 'holds control characters; leave them out')

export const displayName = plain(200).refine((text) => text.trim() !== '', 'is empty; leave it out')
export const description = plain(2000)
/** A short word that is counted and filtered by: `core`, `payment`. */
export const word = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/,
    'must be lower case letters, digits and hyphens, 64 at most',
  )
export const line = plain(500).refine((text) => text.trim() !== '', 'is empty')

/** Names without one of them twice. */
export const names = (max: number) =>
  z
    .array(name)
    .max(max, `names more than ${max}`)
    .refine((list) => new Set(list).size === list.length, 'names one of them twice')

export const timeZone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'is no zone that is known here; write it as Asia/Shanghai')

export const instant = z.iso.datetime({
  offset: true,
  error: 'must be RFC 3339 with a zone, such as 2027-01-31T00:00:00+08:00',
})

/** A day that exists, `2026-10-01`. */
export const date = z.iso.date({ error: 'is no date; write it as 2026-10-01' })

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
