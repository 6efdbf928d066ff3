// The control API's contract: what may be asked of the bank, within which bounds.

import { z } from 'zod'
import { FAULT_KINDS } from '../faults.ts'
import { BRANCHES, SERVICES, SITES } from '../topology.ts'

const LATENCY_MS_MAX = 10_000

const branchIds = BRANCHES.map((branch) => branch.id)
const word = (words: readonly string[]): string => `must be one of ${words.join(', ')}`

const Service = z.enum(SERVICES, { error: word(SERVICES) })

const Version = z
  .string({ error: 'must be a version such as 2.14.0' })
  .max(40, 'must be at most 40 characters')
  .regex(/^\d{1,5}\.\d{1,5}\.\d{1,5}(?:-[\dA-Za-z.-]+)?$/, 'must be a version such as 2.14.0 or 2.14.0-rc.1')

const Scope = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('whole') }),
    z.strictObject({
      kind: z.literal('weight'),
      percent: z
        .number({ error: 'must be a number from 1 to 99' })
        .min(1, 'must be from 1 to 99')
        .max(99, 'must be from 1 to 99; for all of it choose the kind whole'),
    }),
    z.strictObject({
      kind: z.literal('branch'),
      branches: z
        .array(z.enum(branchIds, { error: word(branchIds) }), { error: 'must be a list of branches' })
        .min(1, 'must name at least one branch')
        .max(branchIds.length, 'must name each branch once'),
    }),
  ],
  { error: 'must have a kind: whole, weight or branch' },
)

const ratio = z
  .number({ error: 'must be a number above 0, at most 1' })
  .gt(0, 'must be above 0')
  .max(1, 'must be at most 1, which is every request')

const FaultFields = z.strictObject({
  kind: z.enum(FAULT_KINDS, { error: word(FAULT_KINDS) }),
  ratio,
  latencyMs: z
    .number({ error: `must be a whole number from 1 to ${LATENCY_MS_MAX}` })
    .int('must be a whole number')
    .min(1, `must be from 1 to ${LATENCY_MS_MAX}`)
    .max(LATENCY_MS_MAX, `must be from 1 to ${LATENCY_MS_MAX}`)
    .optional(),
})

type LatencyFields = { kind: string; latencyMs?: number | undefined }
const latencyIsNamed = ({ kind, latencyMs }: LatencyFields): boolean =>
  (kind === 'latency') === (latencyMs !== undefined)
const LATENCY_RULE = { path: ['latencyMs'], error: 'is needed for the kind latency, and for no other kind' }

export const DeploymentBody = z.strictObject({
  service: Service,
  version: Version,
  scope: Scope,
  fault: FaultFields.refine(latencyIsNamed, LATENCY_RULE).optional(),
})

export const FaultBody = FaultFields.extend({
  service: Service,
  version: Version.optional(),
  site: z.enum(SITES, { error: word(SITES) }).optional(),
}).refine(latencyIsNamed, LATENCY_RULE)

export const SiteBody = z.strictObject({
  site: z.enum(SITES, { error: word(SITES) }),
  state: z.enum(['up', 'down'], { error: 'must be up or down' }),
})

const STRESS_MAX = 200
export const StressBody = z.strictObject({
  perSecond: z
    .number({ error: `must be a number from 0 to ${STRESS_MAX}` })
    .min(0, `must be from 0 to ${STRESS_MAX}; 0 ends it`)
    .max(STRESS_MAX, `must be from 0 to ${STRESS_MAX}`),
})

export const RollbackBody = z.strictObject({ service: Service })
