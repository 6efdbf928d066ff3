// A release that a person enters. The entry is strict, since a mistyped member would say nothing; who entered it is known by the
// request and never told by it.

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { CHANGE_TYPES, STEP_KINDS, type ReleaseStep } from '../../records/release-step.ts'
import { member } from '../../pipeline/json-text.ts'
import { eventTime, LABEL_CHARS_MAX, NAME_CHARS_MAX, problemsOf, type Problem } from '../event-fields.ts'
import { withoutAbsent } from './custom-data.ts'
import type { HookIdentity } from './hook-event.ts'
import {
  buildStep,
  PARAMETERS_MAX,
  SELECTOR_VALUES_MAX,
  SELECTORS_MAX,
  type StepEvent,
} from './step-draft.ts'

export const MANUAL_TYPE = 'dev.surety.release.manual'
export const MANUAL_SOURCE = '/surety/manual'

const label = z.string().max(LABEL_CHARS_MAX)
const name = z.string().max(NAME_CHARS_MAX)
const count = z.int().min(0).max(1_000_000)

const Scope = z.strictObject({
  selectors: z
    .array(
      z.strictObject({
        attribute: label.min(1),
        match: z.enum(['exact', 'prefix', 'regex']).default('exact'),
        values: z.array(label.min(1)).min(1).max(SELECTOR_VALUES_MAX),
      }),
    )
    .max(SELECTORS_MAX)
    .default([]),
  weightPercent: z.number().min(0).max(100).optional(),
})

export const ManualEntry = z
  .strictObject({
    /** Names the entry, so that the same request again adds nothing; a random one otherwise. */
    id: name.min(1).optional(),
    kind: z.enum(STEP_KINDS, { error: `must be one of ${STEP_KINDS.join(', ')}` }),
    changeType: z.enum(CHANGE_TYPES, { error: `must be one of ${CHANGE_TYPES.join(', ')}` }).default('code'),
    /** RFC 3339; now when not given. */
    at: eventTime.optional(),
    service: label.optional(),
    target: label.optional(),
    system: label.optional(),
    environment: label.optional(),
    versionFrom: label.optional(),
    versionTo: label.optional(),
    artifact: name.optional(),
    configHash: label.optional(),
    vcsRevision: label.optional(),
    pipeline: name.optional(),
    ticket: label.optional(),
    releaseKey: name.optional(),
    orderId: label.optional(),
    batchNo: count.optional(),
    batchTotal: count.optional(),
    replicasNew: count.optional(),
    replicasTotal: count.optional(),
    scope: Scope.optional(),
    parameters: z
      .record(label.min(1), name)
      .refine((parameters) => Object.keys(parameters).length <= PARAMETERS_MAX, {
        error: `takes at most ${PARAMETERS_MAX} parameters`,
      })
      .optional(),
    isReversible: z.boolean().optional(),
    description: name.optional(),
  })
  .refine(({ service, target }) => (service ?? '') !== '' || (target ?? '') !== '', {
    path: ['service'],
    error: 'name the service, or in target what else changes (a host, a table, a client application)',
  })

export type ManualEntry = z.output<typeof ManualEntry>

export type ParsedManual =
  | { readonly kind: 'entry'; readonly identity: HookIdentity; readonly body: string }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/**
 * @param value  the request's JSON
 * @param text   the same as it came
 * @param actor  who sends it; empty when nobody was asked
 */
export function parseManual(value: unknown, text: string, actor: string): ParsedManual {
  const parsed = ManualEntry.safeParse(value)
  if (!parsed.success) return { kind: 'refused', problems: problemsOf(parsed.error, '') }
  const { id, at, service, target } = parsed.data
  return {
    kind: 'entry',
    identity: {
      source: MANUAL_SOURCE,
      id: id ?? randomUUID(),
      type: MANUAL_TYPE,
      at,
      subject: service ?? target ?? '',
    },
    body: `{"actor":${JSON.stringify(actor)},"entry":${text}}`,
  }
}

export function manualStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const parsed = ManualEntry.safeParse(member(value, 'entry'))
  if (!parsed.success) return undefined
  const { id: _, at, scope, ...entry } = parsed.data
  const actor = member(value, 'actor')
  return buildStep(event, {
    ...withoutAbsent(entry),
    at: at ?? event.at,
    scope:
      scope === undefined ? undefined : { selectors: scope.selectors, weightPercent: scope.weightPercent },
    actor: typeof actor === 'string' ? actor : '',
    tool: 'manual',
    kind: entry.kind,
  })
}
