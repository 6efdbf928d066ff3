// The API contract of SLOs: how they stand, how they stood, who spent their budgets. Shapes only.

import { z } from 'zod'
import { Instant, RangeQuery } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')
const ratio = z.number().nullable()

export const CONDITIONS = [
  'outage',
  'burning-fast',
  'burning-slow',
  'error',
  'no-data',
  'excluded',
  'exhausted',
  'insufficient-events',
  'no-traffic',
  'healthy',
] as const
export const Condition = z.enum(CONDITIONS)
export type Condition = z.infer<typeof Condition>

const Side = z.object({
  sliRatio: ratio.describe('good ÷ all, 0–1; null when it is not known'),
  burnRate: ratio.describe(
    '1 spends the whole budget in one SLO window; null when it is not known, never 0 for want of data',
  ),
  coverage: ratio.describe('known part of the window, 0–1; null when all of it is excluded'),
  kind: z.enum(['known', 'no-data', 'no-traffic', 'excluded']),
  good: z.number(),
  total: z.number(),
})
export type SloSide = z.infer<typeof Side>

const Window = z.object({
  from: instant,
  to: instant.describe('end of the newest counted slice'),
  end: instant.describe('end of the whole window; later than to for a calendar window that runs'),
  net: Side.describe('exclusions applied: what is judged'),
  gross: Side.describe('as if there were none'),
})

const Budget = z.object({
  unit: z.enum(['events', 'slices']),
  allowed: z.number().describe('bad units that the whole window allows'),
  spent: z.number(),
  remaining: z.number().describe('signed'),
  remainingRatio: z.number().describe('1 − spent ÷ allowed, signed'),
  isEstimate: z.boolean().describe('of a calendar window that runs, from its pace so far'),
})

const Pair = z.object({
  id: z.string(),
  severity: z.enum(['page', 'ticket']),
  factor: z.number().describe('burn rate that both windows must exceed'),
  longWindowSeconds: z.number(),
  shortWindowSeconds: z.number(),
  phase: z.enum(['inactive', 'firing']),
  since: instant,
  hold: z
    .enum(['none', 'no-data', 'no-traffic', 'excluded', 'error', 'insufficient-events'])
    .describe('why it could not be judged and stays as it is'),
  by: z.enum(['traffic', 'probe']),
  longBurnRate: ratio,
  shortBurnRate: ratio,
})

export const SloItem = z.object({
  slo: z.string(),
  objective: z.number().int().describe('place in the document'),
  objectiveName: z.string(),
  group: z
    .record(z.string(), z.string())
    .nullable()
    .describe('values of the group-by subjects; null without'),
  groupKey: z.string().describe('names the group in other questions'),
  displayName: z.string(),
  description: z.string(),
  service: z.string(),
  system: z.string().nullable(),
  tier: z.enum(['critical', 'general', 'office']).nullable(),
  owner: z.string().nullable().describe('team'),
  target: z.number(),
  budgetingMethod: z.enum(['Occurrences', 'Timeslices', 'RatioTimeslices']),
  sliKinds: z
    .array(z.string())
    .describe('availability, latency, journey, return-code, probe, metric-ratio, metric-threshold'),
  isComposite: z.boolean(),
  windowText: z.string().describe('30d, or 1 month Asia/Shanghai'),
  stepSeconds: z.number(),
  generation: z.number().int(),
  condition: Condition,
  since: instant,
  isFrozen: z.boolean().describe('what fires could not be judged and stays as it was'),
  sentences: z.object({ en: z.string(), 'zh-CN': z.string() }),
  window: Window.nullable(),
  budget: Budget.nullable(),
  budgetGross: Budget.nullable(),
  burnRates: z.array(z.object({ windowSeconds: z.number(), net: Side.nullable(), gross: Side.nullable() })),
  pairs: z.array(Pair),
  pace: z
    .object({
      windowSeconds: z.number(),
      burnRate: z.number(),
      exhaustedInSeconds: z.number().nullable().describe('null: never at this pace'),
    })
    .nullable(),
  outage: z.object({ phase: z.enum(['inactive', 'firing']), since: instant }),
  silence: z.object({ phase: z.enum(['never-heard', 'heard', 'silent']), since: instant }),
  failures: z.object({ count: z.number(), since: instant, message: z.string().nullable() }),
  lastGood: z.object({ at: instant, sliRatio: z.number(), remainingRatio: z.number() }).nullable(),
  knownFrom: instant.nullable().describe('first slice that is known'),
  backfill: z.object({ reachesTo: instant, doneRatio: z.number() }).nullable(),
  isMissing: z.boolean().describe('a group that stopped coming while others go on'),
  hint: z.enum(['unmatched', 'too-many-groups', 'waiting']).nullable(),
  groups: z.number().nullable().describe('with too-many-groups: how many there are'),
  judgedAt: instant.nullable().describe('the newest judged instant'),
  toldAt: instant.nullable().describe('when it was judged'),
})
export type SloItem = z.infer<typeof SloItem>

export const SlosQuery = z.object({
  service: z.string().max(512).optional(),
  system: z.string().max(512).optional(),
  condition: Condition.optional(),
  text: z.string().max(200).optional().describe('part of the name or the display name'),
  timeZone: z.string().max(64).default('UTC').describe('of clock times in sentences'),
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  cursor: z.string().max(4096).optional(),
})
export const SlosReply = z.object({
  items: z.array(SloItem),
  counts: z.partialRecord(Condition, z.number()).describe('of all that fit, by condition'),
  unmeasured: z
    .array(z.object({ slo: z.string(), reasons: z.array(z.string()) }))
    .describe('good OpenSLO that others measure, or that cannot be judged here, and why'),
  next: z.string().nullable(),
})
export type SlosReply = z.infer<typeof SlosReply>

export const SloParams = z.object({ slo: z.string().min(1).max(253) })
export const SloQuery = z.object({ timeZone: z.string().max(64).default('UTC') })

const ExclusionItem = z.object({
  name: z.string(),
  reason: z.string(),
  approver: z.string(),
  ticket: z.string(),
  enteredAt: instant,
  isRetroactive: z.boolean(),
  stretches: z
    .array(z.object({ from: instant, to: instant }))
    .describe('in the SLO window and two days ahead'),
})
export const SloReply = z.object({
  items: z.array(SloItem),
  exclusions: z.array(ExclusionItem),
  definition: z.unknown().describe('as it is executed: every default filled in'),
  questions: z.array(z.object({ series: z.string(), sql: z.string().nullable(), text: z.string() })),
  burnProfile: z.object({ name: z.string(), source: z.string() }).nullable(),
})
export type SloReply = z.infer<typeof SloReply>

const Which = z.object({
  objective: z.coerce.number().int().min(0).max(1000).default(0),
  group: z.string().max(2000).default('').describe('groupKey of the item; in a ledger empty: all groups'),
})
export const SloHistoryQuery = RangeQuery.extend(Which.shape).extend({
  points: z.coerce.number().int().min(10).max(2000).default(300),
})
const TransitionItem = z.object({
  id: z.number(),
  at: instant.describe('the instant it is true for'),
  judgedAt: instant,
  subject: z.enum(['condition', 'pair', 'outage', 'silence', 'measuring', 'budget']),
  pair: z.string().nullable(),
  from: z.string(),
  to: z.string(),
})
export type TransitionItem = z.infer<typeof TransitionItem>
export const SloHistoryReply = z.object({
  from: instant,
  to: instant,
  points: z.array(
    z.object({
      at: instant,
      condition: z.string(),
      sliRatio: ratio,
      sliRatioGross: ratio,
      remainingRatio: ratio,
      burnRate: ratio,
      coverage: ratio,
    }),
  ),
  transitions: z.array(TransitionItem),
  isCut: z.boolean().describe('there are more transitions; take a shorter range'),
})
export type SloHistoryReply = z.infer<typeof SloHistoryReply>

export const SloBurnQuery = RangeQuery.extend(Which.shape).extend({
  windows: z
    .string()
    .max(100)
    .regex(/^\d{1,4}[mhd](,\d{1,4}[mhd]){0,7}$/, 'windows such as 5m,1h,6h')
    .default('5m,1h,6h'),
  points: z.coerce.number().int().min(10).max(2000).default(300),
})
export const SloBurnReply = z.object({
  from: instant,
  to: instant,
  stepSeconds: z.number(),
  target: z.number(),
  windows: z.array(
    z.object({
      windowSeconds: z.number(),
      points: z.array(
        z.object({
          at: instant.describe('end of the window'),
          burnRate: ratio,
          burnRateGross: ratio,
          coverage: ratio,
        }),
      ),
    }),
  ),
  thresholds: z.array(
    z.object({ pair: z.string(), severity: z.enum(['page', 'ticket']), factor: z.number() }),
  ),
})
export type SloBurnReply = z.infer<typeof SloBurnReply>

export const CorrectionItem = z.object({
  id: z.number(),
  group: z.string(),
  start: instant,
  stepSeconds: z.number(),
  before: z.object({ good: z.number(), total: z.number() }),
  after: z.object({ good: z.number(), total: z.number() }),
  noticedAt: instant,
  decision: z.enum(['open', 'approved', 'rejected']),
  decidedBy: z.string().nullable(),
  decidedAt: instant.nullable(),
  isApplied: z.boolean(),
})
export type CorrectionItem = z.infer<typeof CorrectionItem>
export const CorrectionsQuery = z.object({
  before: z.coerce.number().int().min(1).optional().describe('ids below it'),
  limit: z.coerce.number().int().min(1).max(500).default(100),
})
export const CorrectionsReply = z.object({ items: z.array(CorrectionItem) })
export const CorrectionParams = SloParams.extend({ id: z.coerce.number().int().min(1) })
export const CorrectionDecision = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  reason: z.string().min(1, 'is required: it stands in the audit').max(1000),
})

export const SloLedgerQuery = z.object({
  ...Which.shape,
  from: Instant.optional().describe(
    'start of the range, inclusive; default: that of the SLO window that to lies in',
  ),
  to: RangeQuery.shape.to,
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
export const SloLedgerReply = z.object({
  from: instant,
  to: instant,
  spent: z.number().describe('bad events in the range'),
  spentRatio: z.number().nullable().describe('of the budget of the whole window'),
  badMinutes: z.number().describe('minutes in which something was spent'),
  attributedRatio: ratio.describe(
    'part of what was spent whose traces were looked at for dependencies, 0–1: at most 500 spans, of the newest day that had any; null when nothing was spent',
  ),
  items: z.array(
    z.object({
      service: z.string(),
      operation: z.string(),
      version: z.string(),
      dependency: z
        .string()
        .describe(
          'service and version of the deepest failing call that explains most of it, or the far side that did not answer; empty: the operation itself, or not known',
        ),
      dependencyRatio: ratio.describe(
        'part of what was looked at of the row that the dependency explains, 0–1; null without one',
      ),
      bad: z.number(),
      share: z.number().describe('of what was spent, 0–1'),
      budgetShare: z.number().nullable().describe('of the whole budget'),
      minutes: z.number(),
      firstAt: instant,
      lastAt: instant,
    }),
  ),
})
export type SloLedgerReply = z.infer<typeof SloLedgerReply>

export const SloStreamQuery = z.object({
  service: z.string().max(512).optional(),
  system: z.string().max(512).optional(),
  slo: z.string().max(253).optional(),
  timeZone: z.string().max(64).default('UTC').describe('of clock times in sentences'),
})
export const SloStreamHeaders = z.object({
  'last-event-id': z
    .string()
    .regex(/^\d{1,15}$/, 'is the id of a transition; leave it out to begin now')
    .optional()
    .describe('the last transition that was received: what was missed since is sent, up to 1,000'),
})
/** Data of an event `transition`. */
export const StreamTransition = TransitionItem.extend({
  slo: z.string(),
  objective: z.number().int(),
  groupKey: z.string(),
})
export type StreamTransition = z.infer<typeof StreamTransition>
