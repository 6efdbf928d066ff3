// The API contract of faults and their explanations: what `query/blame` answers, as it is kept, told and shown. Shapes only.

import { z } from 'zod'
import { FAULT_MEASURES } from '../blame/case.ts'
import { Instant } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')
const ratio = z.number().describe('0–1')

/** One sentence in both languages; plain text, to be escaped where it is shown. */
export const Told = z.object({ en: z.string(), zh: z.string() })
export type Told = z.infer<typeof Told>

export const BLAME_VERDICTS = ['blamed', 'suspect', 'not-a-rollout', 'inconclusive'] as const
export const BlameVerdict = z.enum(BLAME_VERDICTS)
export type BlameVerdict = z.infer<typeof BlameVerdict>

export const EVIDENCE_TERMS = ['E1', 'E2', 'E3', 'E4', 'E5', 'E6', 'E7'] as const

export const Evidence = z.object({
  term: z.enum(EVIDENCE_TERMS),
  llr: z.number().describe('log-likelihood ratio, natural logarithm, within ±8; −99 for a veto'),
  figures: z.record(z.string(), z.number()).describe('what the sentence was made of'),
  text: Told,
})
export type Evidence = z.infer<typeof Evidence>

/** Requests on both sides of a contrast. */
export const Contrast = z.object({
  exposed: z.object({ requests: z.number(), bad: z.number() }),
  control: z.object({ requests: z.number(), bad: z.number() }),
  method: z.enum(['concurrent', 'difference-in-differences', 'before-after']),
  logOdds: z.number(),
  z: z.number(),
})
export type Contrast = z.infer<typeof Contrast>

export const RankedCause = z.object({
  release: z.string().describe('id of the release'),
  service: z.string(),
  versionFrom: z.string(),
  versionTo: z.string(),
  changeType: z.string(),
  scope: z.string().describe('whom it serves, in short; empty for everybody'),
  readyAt: instant.nullable(),
  posterior: ratio,
  isExonerated: z.boolean(),
  /** Sentence that blames, suspects or exonerates it. */
  reason: Told,
  evidence: z.array(Evidence),
  contrast: Contrast.nullable(),
})
export type RankedCause = z.infer<typeof RankedCause>

export const HYPOTHESES = [
  'site',
  'cluster',
  'zone',
  'node',
  'client-version',
  'caller',
  'external-dependency',
  'load',
  'database',
  'schedule',
  'unknown',
] as const

export const Competing = z.object({
  kind: z.enum(HYPOTHESES),
  name: z.string().describe('which zone, peer, client version …; empty for load and unknown'),
  posterior: ratio,
  llr: z.number(),
  text: Told,
})
export type Competing = z.infer<typeof Competing>

export const RollbackStep = z.object({
  release: z.string(),
  action: z.enum(['withdraw-scope', 'revert-parameter', 'roll-back-version', 'none-irreversible']),
  toVersion: z.string(),
  text: Told,
})

export const Rollback = z.object({
  steps: z.array(RollbackStep).describe('in this order; the smallest set that is likely to help'),
  expectedReliefRatio: ratio.nullable().describe('exposed excess ÷ all excess'),
  warnings: z.array(Told),
  isUnderWay: z.boolean(),
})
export type Rollback = z.infer<typeof Rollback>

const Hit = z.object({ name: z.string(), requests: z.number(), bad: z.number() })
export const BlastRadius = z.object({
  badRequests: z.number(),
  excessRequests: z.number().describe('bad ones beyond what was usual'),
  channels: z.array(Hit),
  regions: z.array(Hit),
  branches: z.array(Hit),
  transactions: z.array(Hit),
})
export type BlastRadius = z.infer<typeof BlastRadius>

export const Explanation = z.object({
  fault: z.string(),
  decidedAt: instant,
  onset: z.object({ earliest: instant, at: instant, latest: instant }).nullable(),
  verdict: BlameVerdict,
  /** The answer in one sentence. */
  headline: Told,
  ranked: z.array(RankedCause).describe('likeliest first; of equals by id'),
  competing: z.array(Competing).describe('likeliest first'),
  /** Releases that the data cannot tell apart from the first. */
  set: z.array(z.string()),
  rollback: Rollback.nullable(),
  blastRadius: BlastRadius,
  callChain: z.array(
    z.object({
      service: z.string(),
      system: z.string(),
      bad: z.number(),
      isOrigin: z.boolean(),
    }),
  ),
  /** What would decide, when nothing is decided yet; null when it is. */
  wouldDecide: Told.nullable(),
  minutesMissing: z.number().nullable(),
  exemplars: z
    .object({ failing: z.array(z.string()), healthy: z.array(z.string()) })
    .describe('trace ids, three of each side at most'),
  notes: z.array(Told).default([]).describe('what was set aside or could not be looked at, a sentence each'),
  queries: z
    .array(z.object({ title: Told, sql: z.string() }))
    .describe('statements that give the same counts again'),
})
export type Explanation = z.infer<typeof Explanation>

export const FaultItem = z.object({
  id: z.string(),
  origin: z.enum(['slo', 'detector', 'external']),
  name: z.string(),
  measure: z.enum(FAULT_MEASURES),
  place: z.object({
    service: z.string(),
    operation: z.string(),
    txnCode: z.string(),
    channel: z.string(),
    site: z.string(),
    region: z.string(),
    branch: z.string(),
  }),
  alarmAt: instant,
  endedAt: instant.nullable(),
  verdict: BlameVerdict.nullable().describe('of the newest explanation; null before the first'),
  headline: Told.nullable(),
  topCause: z
    .object({ release: z.string(), service: z.string(), versionTo: z.string(), posterior: z.number() })
    .nullable(),
})
export type FaultItem = z.infer<typeof FaultItem>

export const FaultsQuery = z.object({
  from: Instant.default('-24h'),
  to: Instant.default('now'),
  service: z.string().max(256).optional(),
  release: z.string().max(256).optional().describe('only faults that it is blamed or suspected for'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const FaultsReply = z.object({ from: instant, to: instant, items: z.array(FaultItem) })
export type FaultsReply = z.infer<typeof FaultsReply>

export const FaultReply = FaultItem.extend({
  explanation: Explanation.nullable(),
  decisions: z
    .array(
      z.object({
        decidedAt: instant,
        verdict: BlameVerdict,
        top: z.string().nullable(),
        posterior: z.number().nullable(),
      }),
    )
    .describe('every decision so far, oldest first'),
})
export type FaultReply = z.infer<typeof FaultReply>

/** An outside alarm. */
export const ExternalFault = z.object({
  id: z.string().min(1).max(256).describe("the alert's own id; sent again it changes nothing"),
  name: z.string().max(256).default(''),
  measure: z.enum(FAULT_MEASURES).default('errors'),
  service: z.string().min(1).max(256),
  operation: z.string().max(256).default(''),
  at: Instant.describe('when it rang; at most a day back'),
})

export const FaultParams = z.object({ id: z.string().min(1).max(256) })

export const ExternalFaultReply = z.object({
  fault: z.string().describe('id of the fault that the alarm began or joined'),
  result: z.enum(['new', 'joined', 'known']),
})
export type ExternalFaultReply = z.infer<typeof ExternalFaultReply>
