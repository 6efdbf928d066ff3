// From what a mapping has found in an event to a whole ReleaseStep: identity and times of the event, empty texts where nothing
// was told, and bounds on everything a sender chooses. What a field means is decided by the mappings.

import { createHash } from 'node:crypto'
import type { ReleaseEventRecord } from '../../records/release-event.ts'
import type { ReleaseScope, ReleaseStep, ReleaseTool, StepKind } from '../../records/release-step.ts'
import { LABEL_CHARS_MAX, NAME_CHARS_MAX } from '../event-fields.ts'
import { shortText } from '../cd-event.ts'
import { member } from '../../pipeline/json-text.ts'

/** Parameters of one step; further ones stand in the event alone. */
export const PARAMETERS_MAX = 200
/** Selectors of one scope, and values of one selector: a bank has some thousand branches and never lists them all. */
export const SELECTORS_MAX = 50
export const SELECTOR_VALUES_MAX = 1000
const COUNT_MAX = 4_294_967_295

/** The event a step is made of. */
export type StepEvent = Pick<ReleaseEventRecord, 'source' | 'id' | 'type' | 'at' | 'receivedAt' | 'body'>

/** What a mapping has found: at least who told it and what kind of step it is. */
export type StepDraft = { readonly tool: ReleaseTool; readonly kind: StepKind } & {
  readonly [Key in Exclude<keyof ReleaseStep, 'source' | 'eventId' | 'tool' | 'kind' | 'receivedAt'>]?:
    ReleaseStep[Key] | undefined
}

export const WHOLE_SCOPE: ReleaseScope = { selectors: [], weightPercent: undefined }

/** @returns the step, every text well-formed and cut to its bound, every count within 32 bits */
export function buildStep(event: StepEvent, draft: StepDraft): ReleaseStep {
  const label = (text: string | undefined) => cut(text ?? '', LABEL_CHARS_MAX)
  const name = (text: string | undefined) => cut(text ?? '', NAME_CHARS_MAX)
  return {
    source: event.source,
    eventId: event.id,
    tool: draft.tool,
    kind: draft.kind,
    changeType: draft.changeType ?? 'code',
    at: draft.at ?? event.at,
    receivedAt: event.receivedAt,
    service: label(draft.service),
    target: label(draft.target),
    system: label(draft.system),
    environment: label(draft.environment),
    versionFrom: label(draft.versionFrom),
    versionTo: label(draft.versionTo),
    artifact: name(draft.artifact),
    configHash: label(draft.configHash),
    vcsRevision: label(draft.vcsRevision),
    pipeline: name(draft.pipeline),
    actor: label(draft.actor),
    ticket: label(draft.ticket),
    releaseKey: name(draft.releaseKey),
    orderId: label(draft.orderId),
    batchNo: count(draft.batchNo),
    batchTotal: count(draft.batchTotal),
    replicasNew: count(draft.replicasNew),
    replicasTotal: count(draft.replicasTotal),
    scope: boundedScope(draft.scope ?? WHOLE_SCOPE),
    parameters: boundedParameters(draft.parameters ?? {}),
    isReversible: draft.isReversible ?? draft.changeType !== 'schema',
    description: shortText(draft.description ?? ''),
  }
}

/** The first of these places that holds a text or a number; the places are paths into JSON such as `deployment.sha`. */
export function told(value: unknown, ...places: readonly string[]): string {
  for (const place of places) {
    const found = member(value, ...place.split('.'))
    if (typeof found === 'string' && found !== '') return found
    if (typeof found === 'number' && Number.isFinite(found)) return String(found)
  }
  return ''
}

/** The first of these places that holds a number, or a text that is one. */
export function toldNumber(value: unknown, ...places: readonly string[]): number | undefined {
  const text = told(value, ...places)
  const number = Number(text.trim().replace(/\s*%$/, ''))
  return text.trim() === '' || !Number.isFinite(number) ? undefined : number
}

export function cut(text: string, max: number): string {
  const whole = text.toWellFormed()
  return whole.length <= max ? whole : whole.slice(0, max).replace(/[\uD800-\uDBFF]$/, '')
}

const count = (value: number | undefined) =>
  value === undefined || !(value > 0) ? 0 : Math.min(COUNT_MAX, Math.floor(value))

function boundedScope({ selectors, weightPercent }: ReleaseScope): ReleaseScope {
  return {
    selectors: selectors
      .filter(({ attribute, values }) => attribute !== '' && values.length > 0)
      .slice(0, SELECTORS_MAX)
      .map(({ attribute, match, values }) => ({
        attribute: cut(attribute, LABEL_CHARS_MAX),
        match,
        values: [
          ...new Set(values.slice(0, SELECTOR_VALUES_MAX).map((value) => cut(value, LABEL_CHARS_MAX))),
        ],
      })),
    weightPercent:
      weightPercent === undefined || Number.isNaN(weightPercent)
        ? undefined
        : Math.min(100, Math.max(0, weightPercent)),
  }
}

function boundedParameters(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(parameters)
      .slice(0, PARAMETERS_MAX)
      .map(([key, value]) => [
        cut(key, LABEL_CHARS_MAX),
        value !== '' && SECRET_NAME.test(key) ? fingerprint(value) : cut(value, NAME_CHARS_MAX),
      ]),
  )
}

// What such a parameter holds is nobody's to read here; that it has changed is.
const SECRET_NAME = /passw|passphrase|secret|token|credential|api[-_.]?key|private[-_.]?key/i
const fingerprint = (value: string) =>
  `sha256:${createHash('sha256').update(value).digest('hex').slice(0, 12)}`
