// The API contract of releases: the ledger, verdicts, orders, windows. Shapes only.

import { z } from 'zod'
import { CHANGE_TYPES, STEP_KINDS } from '../../ingest/records/release-step.ts'
import { RELEASE_REMARKS, RELEASE_STATES } from '../releases/release.ts'
import { Contrast, Told } from './fault-schemas.ts'
import { Instant } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')

export const ReleaseVerdictWord = z.enum(['worse', 'not-worse', 'cannot-tell'])
export type ReleaseVerdictWord = z.infer<typeof ReleaseVerdictWord>

export const VERDICT_MEASURES = [
  'system_error',
  'business_error',
  'shed',
  'business_reject',
  'latency',
  'new_error_signatures',
  'requests_lost',
  'resource_per_request',
] as const

/** The reasons for «not flagged», as others state them (Datadog, faulty deployment detection), and our own. */
export const NOT_FLAGGED_REASONS = [
  'error-not-new',
  'few-and-transient',
  'too-few-earlier-releases',
  'not-significantly-higher',
  'usual-during-releases',
] as const

export const MeasureVerdict = z.object({
  measure: z.enum(VERDICT_MEASURES),
  verdict: ReleaseVerdictWord,
  contrast: Contrast.nullable(),
  /** Of the ratio (or of ms) exposed − control, 95 %, always valid. */
  difference: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  reasons: z.array(z.enum(NOT_FLAGGED_REASONS)),
  text: Told,
})
export type MeasureVerdict = z.infer<typeof MeasureVerdict>

export const ReleaseVerdict = z.object({
  release: z.string(),
  decidedAt: instant,
  verdict: ReleaseVerdictWord,
  fault: z
    .enum(['technical', 'business'])
    .nullable()
    .describe('系统故障: a machine may act on it; 业务故障: a person chooses; null unless worse'),
  headline: Told,
  errorRate: z.number().describe('of calling a harmless release worse, over all looks at it'),
  exposedRequests: z.number(),
  controlRequests: z.number(),
  requestsMissing: z.number().nullable().describe('until it can be told; null when it is'),
  minutesMissing: z.number().nullable(),
  measures: z.array(MeasureVerdict),
  override: z
    .object({ verdict: ReleaseVerdictWord, reason: z.string(), by: z.string(), at: instant })
    .nullable()
    .describe('a person decided otherwise; ours is kept beside it'),
})
export type ReleaseVerdict = z.infer<typeof ReleaseVerdict>

export const ScopeItem = z.object({
  selectors: z.array(
    z.object({
      attribute: z.string(),
      match: z.enum(['exact', 'prefix', 'regex']),
      values: z.array(z.string()),
    }),
  ),
  weightPercent: z.number().nullable(),
})

export const ReleaseItem = z.object({
  id: z.string(),
  changeType: z.enum(CHANGE_TYPES),
  service: z.string(),
  target: z.string(),
  toldService: z.string(),
  system: z.string(),
  environment: z.string(),
  versionFrom: z.string(),
  versionTo: z.string(),
  state: z.enum(RELEASE_STATES),
  isImplicit: z.boolean(),
  startedAt: instant,
  receivedAt: instant.nullable(),
  readyAt: instant.nullable(),
  readyFrom: z.enum(['traffic', 'event']),
  endedAt: instant.nullable(),
  scope: ScopeItem,
  orderId: z.string(),
  description: z.string(),
  remarks: z.array(z.enum(RELEASE_REMARKS)),
  verdict: ReleaseVerdictWord.nullable().describe('newest, a person’s before ours; null before the first'),
  headline: Told.nullable(),
})
export type ReleaseItem = z.infer<typeof ReleaseItem>

export const ReleasesQuery = z.object({
  from: Instant.default('-24h'),
  to: Instant.default('now'),
  service: z.string().max(256).optional(),
  system: z.string().max(256).optional(),
  order: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
})
export const ReleasesReply = z.object({ from: instant, to: instant, items: z.array(ReleaseItem) })
export type ReleasesReply = z.infer<typeof ReleasesReply>

export const ReleaseReply = ReleaseItem.extend({
  vcsRevision: z.string(),
  artifact: z.string(),
  configHash: z.string(),
  pipeline: z.string(),
  actor: z.string(),
  ticket: z.string(),
  isReversible: z.boolean(),
  parameterChanges: z.array(
    z.object({ name: z.string(), before: z.string().nullable(), after: z.string().nullable() }),
  ),
  stages: z.array(
    z.object({
      kind: z.enum(STEP_KINDS),
      at: instant,
      scope: ScopeItem,
      source: z.string(),
      eventId: z.string(),
      actor: z.string().optional().describe('who did it, as told'),
      description: z.string().optional().describe('what was said of it, such as what a gate did'),
      ticket: z.string().optional().describe('of what is noted: the ticket, change or approval'),
      pipeline: z.string().optional().describe('of what is noted: the run of a pipeline'),
    }),
  ),
})
export type ReleaseReply = z.infer<typeof ReleaseReply>

export const OverrideBody = z.object({
  verdict: ReleaseVerdictWord,
  reason: z.string().trim().min(1).max(2000),
})
