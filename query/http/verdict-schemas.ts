// The API contract of what is asked about verdicts beside the verdict itself: accuracy against people, windows and their records.
// Shapes only.

import { z } from 'zod'
import { Told } from './fault-schemas.ts'
import { ReleaseVerdictWord } from './release-schemas.ts'
import { Instant } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')

export const VerdictParams = z.object({
  id: z
    .string()
    .min(1)
    .max(512)
    .describe('of the release, or SERVICE@VERSION for the newest release of that version'),
})
export const VerdictQuery = z.object({
  format: z
    .enum(['json', 'word'])
    .default('json')
    .describe('word: one line of text, worse, not-worse or cannot-tell; a person’s word goes before ours'),
})

export const OverrideHeaders = z.object({
  'if-match': z
    .string()
    .regex(/^(?:W\/)?"?\d{1,9}"?$/, 'must be the revision of the override that you saw, 0 for none')
    .optional(),
})

export const AccuracyQuery = z.object({
  from: Instant.default('-90d'),
  to: Instant.default('now'),
})
export const AccuracyReply = z.object({
  from: instant,
  to: instant,
  decided: z.number().int().describe('releases that a person decided about in the range'),
  agreed: z.number().int().describe('of those, said the same as we did then'),
  agreementRatio: z.number().nullable().describe('agreed ÷ decided; null without any'),
  definition: Told,
  pairs: z.array(z.object({ ours: ReleaseVerdictWord, theirs: ReleaseVerdictWord, count: z.number().int() })),
})
export type AccuracyReply = z.infer<typeof AccuracyReply>

export const WindowWord = z.enum(['go', 'watch', 'roll-back'])
export type WindowWord = z.infer<typeof WindowWord>

export const WindowLine = z.object({
  system: z.string().describe('empty: what belongs to none'),
  verdict: WindowWord,
  text: Told,
  releases: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      verdict: ReleaseVerdictWord.describe('a person’s before ours'),
      ours: ReleaseVerdictWord,
      fault: z.enum(['technical', 'business']).nullable(),
      isTakenBack: z.boolean(),
      orderId: z.string(),
      headline: Told,
      overrideReason: z.string().nullable(),
    }),
  ),
  missing: z
    .array(z.object({ order: z.string(), name: z.string() }))
    .describe('planned by a release order of the night, and not seen though its window is over'),
  extra: z
    .array(z.object({ order: z.string(), name: z.string(), release: z.string() }))
    .describe('seen in the window of a release order, of its systems, and planned by none'),
})
export type WindowLine = z.infer<typeof WindowLine>

export const WindowVerdict = z.object({
  id: z.string().describe('local date on which it begins, 2026-11-21'),
  from: instant,
  to: instant,
  timeZone: z.string(),
  /** The hour by which it is written down. */
  verdictAt: instant,
  verdict: WindowWord,
  reasons: z.array(Told),
  lines: z.array(WindowLine),
})
export type WindowVerdict = z.infer<typeof WindowVerdict>

export const WindowRecord = z.object({
  sequence: z.number().int(),
  window: z.string(),
  madeAt: instant,
  body: z.string().describe('canonical JSON: the bytes that are hashed and signed'),
  previousHash: z.string().describe('of the record before; 64 zeros for the first'),
  hash: z.string().describe('SHA-256 of body, hexadecimal'),
  signature: z.string().nullable().describe('Ed25519 over body, Base64; null: no key was configured'),
  publicKey: z.string().nullable().describe('SPKI, PEM; compare it with the one that you were given'),
})
export type WindowRecord = z.infer<typeof WindowRecord>

export const WindowsQuery = z.object({
  from: Instant.default('-14d'),
  to: Instant.default('now'),
})
export const WindowsReply = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      from: instant,
      to: instant,
      verdictAt: instant,
      verdict: WindowWord.describe('as it stands now'),
      releases: z.number().int(),
      records: z.number().int(),
    }),
  ),
})
export const WindowParams = z.object({
  id: z.string().regex(/^\d{4}-\d\d-\d\d$/, 'must be a date, 2026-11-21'),
})
export const WindowReply = WindowVerdict.extend({
  records: z.array(WindowRecord).describe('oldest first'),
})
export type WindowReply = z.infer<typeof WindowReply>

export const ChainQuery = z.object({
  after: z.coerce.number().int().min(0).default(0).describe('sequence'),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})
export const ChainReply = z.object({
  records: z.array(WindowRecord),
  isWhole: z.boolean().describe('of these: each holds the hash of the one before, and its own'),
  broken: z.number().int().nullable().describe('sequence of the first that does not'),
  recipe: z.array(z.string()).describe('commands that check it without us'),
})
export type ChainReply = z.infer<typeof ChainReply>
