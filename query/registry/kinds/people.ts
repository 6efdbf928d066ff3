// Who there is: the tree of organisations, teams, users.

import { z } from 'zod'
import { description, line, name, names } from './words.ts'

export const OrganisationSpec = z.strictObject({
  description: description.optional(),
  /** Where it stands in the bank. */
  type: z.enum(['head-office', 'subsidiary', 'branch']),
  /** The organisation above it. */
  parent: name.optional(),
})
export type OrganisationSpec = z.output<typeof OrganisationSpec>

export const TeamSpec = z.strictObject({
  description: description.optional(),
  organisation: name.optional(),
  contacts: z
    .array(z.strictObject({ channel: z.enum(['mail', 'phone', 'sms', 'chat']), address: line }))
    .max(50)
    .default([]),
})
export type TeamSpec = z.output<typeof TeamSpec>

export const ROLES = ['viewer', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

export const UserSpec = z.strictObject({
  description: description.optional(),
  /** A program has tokens and cannot sign in with a password. */
  type: z.enum(['person', 'program']).default('person'),
  role: z.enum(ROLES),
  /** An operator changes what these teams own. */
  teams: names(100).default([]),
  mail: z.email('is no mail address').max(254).optional(),
  /** What the user may read; without it everything. Organisations with all below them. */
  scope: z
    .strictObject({ organisations: names(200).default([]), systems: names(1000).default([]) })
    .optional(),
  /** Keeps the name and what it did, and lets nobody in. */
  disabled: z.boolean().default(false),
})
export type UserSpec = z.output<typeof UserSpec>
