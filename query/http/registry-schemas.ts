// The API contract of definitions and people, beside schemas.ts. No behaviour lives here.

import { z } from 'zod'
import { MetadataShape } from '../registry/kinds.ts'
import { KINDS } from '../registry/object.ts'
import { ROLES } from '../registry/kinds/people.ts'
import { PERMISSIONS, TOKEN_SCOPES } from '../people/permissions.ts'
import { Instant, Problem } from './schemas.ts'

// The database takes no zero character in a text.
const plain = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0]*$/u, 'holds a zero character')
const Name = plain(128).min(1)
export const Cursor = z
  .string()
  .max(4096)
  .optional()
  .describe('`next` of the page before; good for the same filters only')
const limit = (fallback: number) => z.coerce.number().int().min(1).max(1000).default(fallback)

export const NameParams = z.object({ name: Name })
export const IdParams = z.object({ id: plain(64).min(1) })

export const Definition = z.object({
  kind: z.enum(KINDS),
  name: z.string(),
  metadata: MetadataShape.loose(),
  spec: z.record(z.string(), z.unknown()),
  revision: z.number().int().describe('counts changes; also the ETag'),
  generation: z.number().int().describe('of an SLO: counts questions; a new target keeps it'),
  bundle: z.string().describe('the set of files it was last applied from; empty: by hand'),
  owner: z.string().nullable().describe('team that owns it, through service and system if need be'),
  system: z.string().nullable().describe('system it is part of'),
  createdAt: z.string(),
  changedAt: z.string(),
})
export type Definition = z.infer<typeof Definition>

export const DefinitionsQuery = z.object({
  text: plain(200).optional().describe('part of the name or the display name'),
  team: Name.optional().describe('owned by this team'),
  system: Name.optional().describe('part of this system'),
  label: z
    .union([plain(600), z.array(plain(600)).max(10)])
    .optional()
    .describe('`key=value`; several: all of them'),
  limit: limit(100),
  cursor: Cursor,
})
export const DefinitionsReply = z.object({
  items: z.array(Definition),
  next: z.string().nullable().describe('cursor of the next page; null: this is the last'),
})

export const WriteQuery = z.object({
  reason: plain(500).default('').describe('why, for the audit: a change ticket, a sentence'),
})

export const ChangeItem = z.object({
  action: z.enum(['create', 'update', 'delete']),
  kind: z.enum(KINDS),
  name: z.string(),
  differences: z.array(
    z.object({
      path: z.string(),
      before: z.unknown().describe('null: not there'),
      after: z.unknown().describe('null: not there'),
    }),
  ),
})
export type ChangeItem = z.infer<typeof ChangeItem>

/** What came between: both versions, or what would be done without consent. */
export const Conflict = Problem.extend({
  current: Definition.nullable().optional().describe('what is there now; null: nothing'),
  yours: z.record(z.string(), z.unknown()).optional(),
  plan: z.string().optional(),
  changes: z.array(ChangeItem).optional(),
})

const Files = z
  .array(z.object({ file: plain(1000).describe('its name, for messages'), text: z.string() }))
  .min(1)
  .max(10_000)
export const DocumentsBody = z.object({ files: Files.describe('YAML of one or several documents, or JSON') })

const word = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')
export const ApplyQuery = WriteQuery.extend({
  bundle: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,126}$/, 'must be 1 to 127 letters, digits, «.», «_», «/», «-»')
    .default('default')
    .describe('names the set of files'),
  prune: word.describe('delete what the set held before and does not hold now; only with `plan`'),
  dryRun: word.describe('tell what would change, and change nothing'),
  plan: plain(64).optional().describe('`plan` of the dry run that was looked at; anything else is not done'),
})
const Warning = z.object({ file: z.string(), line: z.number().int(), path: z.string(), message: z.string() })
export const ApplyReply = z.object({
  plan: z.string(),
  changes: z.array(ChangeItem),
  unchanged: z.number().int(),
  warnings: z.array(Warning),
})
export type ApplyReply = z.infer<typeof ApplyReply>
export const ValidateReply = z.object({ objects: z.number().int(), warnings: z.array(Warning) })
export const ExportQuery = z.object({
  kinds: z.string().max(500).optional().describe('comma-separated; by default all that you may read'),
  bundle: plain(128).optional(),
})
export const ExportReply = z.object({ documents: z.array(z.record(z.string(), z.unknown())) })
export type ExportReply = z.infer<typeof ExportReply>

export const SignInBody = z.strictObject({ user: plain(128).min(1), password: z.string().min(1).max(1024) })
export const Who = z.object({
  kind: z.enum(['user', 'file-token', 'local', 'visitor']),
  name: z.string(),
  displayName: z.string(),
  via: z.string(),
  role: z.enum(ROLES),
  teams: z.array(z.string()),
  systems: z.array(z.string()).nullable().describe('what it may read; null: everything'),
  permissions: z.array(z.enum(PERMISSIONS)),
  mustChangePassword: z.boolean().describe('the password was told once and has to be replaced'),
  endsAt: z.string().nullable().describe('when the session ends at the latest'),
})
export type Who = z.infer<typeof Who>
export const PasswordBody = z.strictObject({
  current: z.string().min(1).max(1024),
  next: z.string().min(1).max(1024),
})
export const SessionItem = z.object({
  id: z.string(),
  user: z.string(),
  provider: z.string(),
  origin: z.string(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  endsAt: z.string(),
  isThis: z.boolean(),
})
export const OwnersQuery = z.object({
  user: Name.optional().describe('of another user, or `*` of all: for those who administer'),
})
export const SessionsReply = z.object({ items: z.array(SessionItem) })
export const TokenItem = z.object({
  id: z.string(),
  user: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(TOKEN_SCOPES)),
  createdAt: z.string(),
  endsAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
export const TokensReply = z.object({ items: z.array(TokenItem) })
export const TokenBody = z.strictObject({
  name: z.string().max(64),
  scopes: z.array(z.enum(TOKEN_SCOPES)).min(1),
  endsAt: z.iso
    .datetime({ offset: true, error: 'must be RFC 3339 with a zone' })
    .optional()
    .describe('the first instant at which it is no longer good'),
  user: Name.optional().describe('for another user: for those who administer'),
})
export const TokenMade = z.object({
  id: z.string(),
  token: z.string().describe('told once; Surety keeps its hash'),
})
export const PasswordMade = z.object({ password: z.string().describe('told once; good for one sign-in') })

export const AuditQuery = z.object({
  from: Instant.default('-7d'),
  to: Instant.default('now'),
  actor: plain(200).optional(),
  kind: plain(64).optional(),
  name: plain(200).optional(),
  action: z.enum(['create', 'update', 'delete', 'refuse']).optional(),
  request: plain(100).optional().describe('all changes of one request'),
  limit: limit(100),
  cursor: Cursor,
})
export const AuditItem = z.object({
  id: z.number().int(),
  at: z.string(),
  actor: z.string(),
  via: z.string(),
  origin: z.string(),
  reason: z.string(),
  request: z.string(),
  action: z.enum(['create', 'update', 'delete', 'refuse']),
  kind: z.string(),
  name: z.string(),
  before: z.unknown(),
  after: z.unknown(),
})
export const AuditReply = z.object({ items: z.array(AuditItem), next: z.string().nullable() })
