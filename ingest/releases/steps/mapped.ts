// Webhooks of any other tool (Jenkins, a bank's own 投产 platform), by a mapping: where in the JSON each fact stands, what the tool's
// words for states mean, and what is always the same. Mappings come from a file (hooks/hook-mappings.ts).

import type { ReleaseStep } from '../../records/release-step.ts'
import { instantOf } from '../event-fields.ts'
import { changeType, parametersOf, stepKind, withoutAbsent } from './custom-data.ts'
import { contentId, headerOf, storable, type HookAnswer, type HookRequest } from './hook-event.ts'
import { valueAt, type JsonPlace } from './json-place.ts'
import { scopeOf } from './scope.ts'
import { buildStep, type StepDraft, type StepEvent } from './step-draft.ts'

export const MAPPED_TYPE = 'dev.surety.hook.'

/** Facts that are texts. `kind` and `changeType` are words that a value map, or our own list of words, translates. */
export const MAPPED_TEXTS = [
  'kind',
  'changeType',
  'service',
  'target',
  'system',
  'environment',
  'versionFrom',
  'versionTo',
  'artifact',
  'configHash',
  'vcsRevision',
  'pipeline',
  'actor',
  'ticket',
  'releaseKey',
  'orderId',
  'description',
] as const
export const MAPPED_NUMBERS = [
  'batchNo',
  'batchTotal',
  'replicasNew',
  'replicasTotal',
  'weightPercent',
] as const
/** `at`: RFC 3339, or seconds or milliseconds since 1970. `scope`, `parameters`: objects. `isReversible`: true or false. */
export const MAPPED_OTHERS = ['at', 'scope', 'parameters', 'isReversible'] as const
export const MAPPED_FIELDS = [...MAPPED_TEXTS, ...MAPPED_NUMBERS, ...MAPPED_OTHERS] as const
export type MappedField = (typeof MAPPED_FIELDS)[number]

export type HookMapping = {
  readonly name: string
  /** Header with an id that a repeat shares. */
  readonly idHeader: string | undefined
  /** Places that together name an event; empty: its bytes do. */
  readonly id: readonly JsonPlace[]
  /** Per field the places that may hold it; the first that does counts. */
  readonly fields: Readonly<Partial<Record<MappedField, readonly JsonPlace[]>>>
  /** The tool's words → ours, by field; `*` for every other. */
  readonly values: Readonly<Partial<Record<MappedField, Readonly<Record<string, string>>>>>
  /** What is told where no place holds a value. */
  readonly constants: Readonly<Partial<Record<MappedField, string>>>
}

export function mappedEvent({ headers, value, text }: HookRequest, mapping: HookMapping): HookAnswer {
  const byHeader = mapping.idHeader === undefined ? '' : headerOf(headers, mapping.idHeader)
  const parts = mapping.id.map((place) => textOf(valueAt(value, place)))
  const isNamed = parts.length > 0 && parts.every((part) => part !== '')
  return {
    kind: 'event',
    identity: {
      source: `/hooks/${mapping.name}`,
      id: byHeader !== '' ? byHeader : isNamed ? parts.join('/') : contentId(text),
      type: MAPPED_TYPE + mapping.name,
      at: instantIn(fieldOf(value, mapping, 'at')),
      subject: textOf(fieldOf(value, mapping, 'service')) || textOf(fieldOf(value, mapping, 'target')),
    },
  }
}

/** @returns undefined when the state is none of a release, or neither service nor target is told */
export function mappedStep(event: StepEvent, value: unknown, mapping: HookMapping): ReleaseStep | undefined {
  const text = (field: MappedField) => textOf(fieldOf(value, mapping, field))
  const kind = stepKind(text('kind'))
  if (kind === undefined || (text('service') === '' && text('target') === '')) return undefined
  const texts = Object.fromEntries(
    MAPPED_TEXTS.filter((field) => field !== 'kind' && field !== 'changeType').map((field) => [
      field,
      text(field),
    ]),
  ) as Partial<StepDraft>
  const number = (field: MappedField) => {
    const told = text(field)
    return told === '' || !Number.isFinite(Number(told)) ? undefined : Number(told)
  }
  const scope = scopeOf(fieldOf(value, mapping, 'scope'))
  const weightPercent = number('weightPercent') ?? scope.weightPercent
  const isReversible = text('isReversible')
  return buildStep(event, {
    ...withoutAbsent(texts),
    changeType: changeType(text('changeType')),
    at: storable(instantIn(fieldOf(value, mapping, 'at'))),
    batchNo: number('batchNo'),
    batchTotal: number('batchTotal'),
    replicasNew: number('replicasNew'),
    replicasTotal: number('replicasTotal'),
    scope: { selectors: scope.selectors, weightPercent },
    parameters: parametersOf(fieldOf(value, mapping, 'parameters')),
    isReversible: isReversible === '' ? undefined : isReversible === 'true',
    tool: 'generic',
    kind,
  })
}

function fieldOf(value: unknown, { fields, values, constants }: HookMapping, field: MappedField): unknown {
  const found = (fields[field] ?? [])
    .map((place) => valueAt(value, place))
    .find((each) => each != null && each !== '')
  if (found === undefined) return constants[field]
  const words = values[field]
  if (words === undefined) return found
  const word = textOf(found)
  return Object.hasOwn(words, word) ? words[word] : (words['*'] ?? found)
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : ''
}

// Seconds stay below this until the year 5138, milliseconds have been above it since 1973.
const SECONDS_MAX = 100_000_000_000

function instantIn(value: unknown): number | undefined {
  const text = textOf(value)
  if (!/^\d{1,15}(?:\.\d+)?$/.test(text)) return instantOf(text)
  const number = Number(text)
  return Math.floor(number < SECONDS_MAX ? number * 1000 : number)
}
