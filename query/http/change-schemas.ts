// The API contract of the change effect ledger. Shapes only.

import { z } from 'zod'
import { Told } from './fault-schemas.ts'
import { ReleaseVerdictWord } from './release-schemas.ts'
import { Instant } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')
const Sides = z.object({ requests: z.number(), bad: z.number() })

export const ChangesQuery = z.object({
  from: Instant.default('-30d'),
  to: Instant.default('now'),
  system: z.string().max(512).optional(),
  team: z.string().max(253).optional(),
  lang: z.enum(['en', 'zh-CN']).default('en').describe('of csv'),
  format: z.enum(['json', 'csv']).default('json'),
})

export const ChangeItem = z.object({
  release: z.string(),
  name: z.string(),
  service: z.string(),
  version: z.string(),
  system: z.string().nullable(),
  team: z.string().nullable(),
  vendor: z.string().nullable(),
  changeType: z.string(),
  state: z.string(),
  readyAt: instant.nullable(),
  verdict: ReleaseVerdictWord.describe('a person’s before ours'),
  isFailure: z.boolean().describe('worse, or taken back'),
  counterfactual: z
    .enum(['concurrent', 'difference-in-differences', 'before-after'])
    .nullable()
    .describe('what lost requests and minutes are measured against; null: nothing served'),
  lostRequests: z.number().nullable().describe('bad requests beyond what was to be expected'),
  lostMinutes: z.number().int().nullable().describe('minutes in which more failed than is no harm'),
  worseSince: instant.nullable(),
  recoveredAt: instant.nullable(),
  recoverySeconds: z.number().nullable().describe('from the first bad minute to the end of the last'),
  leadTimeSeconds: z.number().nullable().describe('from the first thing told of its change to ready'),
  before: Sides.nullable().describe('requests of the service in the hour before, all versions'),
  after: Sides.nullable(),
})
export type ChangeItem = z.infer<typeof ChangeItem>

export const ChangeTotals = z.object({
  by: z.enum(['all', 'team', 'system', 'vendor']),
  name: z.string().describe('empty: of none'),
  releases: z.number().int(),
  perDay: z.number().describe('deployment frequency'),
  judged: z.number().int().describe('worse or not worse, or taken back'),
  failures: z.number().int(),
  changeFailureRatio: z.number().nullable().describe('failures ÷ judged; null without any'),
  leadTimeMedianSeconds: z.number().nullable(),
  leadTimeKnown: z.number().int().describe('releases that it is of'),
  recoveryMedianSeconds: z.number().nullable(),
  recoveryKnown: z.number().int().describe('failures that it is of'),
  lostRequests: z.number().describe('of failures'),
  lostMinutes: z.number().int().describe('of failures'),
})
export type ChangeTotals = z.infer<typeof ChangeTotals>

export const ChangesReply = z.object({
  from: instant,
  to: instant,
  days: z.number(),
  isComplete: z.boolean().describe('false: more releases than one reply holds'),
  totals: z.array(ChangeTotals),
  definitions: z.array(z.object({ name: z.string(), text: Told })),
  items: z.array(ChangeItem),
})
export type ChangesReply = z.infer<typeof ChangesReply>
