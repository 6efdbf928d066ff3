// The API contract of business transactions, beside schemas.ts. No behaviour lives here.

import { z } from 'zod'
import { Instant } from './schemas.ts'
import { Cursor } from './registry-schemas.ts'

const JourneyRange = z.object({
  from: Instant.default('-1h').describe('start of the range, inclusive; default -1h; at most 31 days'),
  to: Instant.default('now').describe('end of the range, exclusive; default now'),
  traffic: z.string().max(64).default('live').describe('bank.traffic; default live'),
})

const Figures = {
  requests: z
    .number()
    .describe('entry spans: SERVER or CONSUMER, without parent; sampled ones for what they stand for'),
  lost: z.number().describe('of them those that ended neither ok nor business_reject'),
  lossRatio: z.number().nullable().describe('lost ÷ requests; null without requests'),
  p95Ms: z.number().nullable().describe('of the entry spans; null without requests'),
}

export const JourneysQuery = JourneyRange.extend({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: Cursor,
})
export const JourneyItem = z.object({ txnCode: z.string().describe('bank.txn.code'), ...Figures })
export type JourneyItem = z.infer<typeof JourneyItem>
export const JourneysReply = z.object({
  from: z.string(),
  to: z.string(),
  items: z.array(JourneyItem).describe('most lost first'),
  next: z
    .string()
    .nullable()
    .describe('cursor of the next page, over the same instants; null: this is the last'),
})

export const JourneyParams = z.object({ txnCode: z.string().min(1).max(512) })
export const JourneyQuery = JourneyRange

const Share = {
  lost: z.number().describe('requests that were lost here, to the thousandth'),
  share: z.number().describe('of what was looked at, 0–1'),
}
export const LossItem = z.object({
  kind: z
    .enum(['span', 'unknown', 'hidden'])
    .describe(
      'span: the deepest span that failed itself while none below it did; unknown: spans of the trace are missing; hidden: of systems that the caller may not read',
    ),
  reason: z
    .enum(['gap', 'too-large'])
    .nullable()
    .describe(
      'why it is unknown: a span names a parent that is not stored, or the trace has over 2,000 spans',
    ),
  service: z.string().nullable(),
  version: z.string().nullable(),
  operation: z.string().nullable(),
  system: z.string().nullable().describe('of the registry, else of the span; empty: none'),
  peer: z.string().nullable().describe('the far side of a call that no span answered; empty: none'),
  isRegistered: z.boolean().describe('the registry knows the service'),
  team: z.string().nullable().describe('that owns it, by the registry'),
  ...Share,
  entries: z.number().int().describe('entry spans'),
  exampleTraceIds: z.array(z.string()).max(3),
})
export type LossItem = z.infer<typeof LossItem>

export const JourneyReply = z.object({
  txnCode: z.string(),
  from: z.string().describe('later than asked where spans are no longer kept'),
  to: z.string(),
  ...Figures,
  lostEntries: z.number().int().describe('entry spans that were lost'),
  entries: z
    .number()
    .int()
    .describe('of them those that were looked at: all, or a sample by hash of the trace id'),
  attributed: z.number().describe('what the items add up to, exactly'),
  attributedRatio: z
    .number()
    .nullable()
    .describe(
      'attributed ÷ lost; below 1 the items are of a sample and not scaled; null when nothing was lost',
    ),
  items: z.array(LossItem).describe('largest first'),
  owners: z
    .array(
      z.object({
        kind: z.enum(['team', 'nobody', 'unknown', 'hidden']).describe('nobody: no team owns the service'),
        team: z.string().nullable(),
        ...Share,
      }),
    )
    .describe('the same by team, largest first; they add up to `attributed`'),
})
export type JourneyReply = z.infer<typeof JourneyReply>
