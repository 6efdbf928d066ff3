// CDEvents 0.4.x and 0.5.x: what must be there, and the facts that we lift out. How an event travelled
// (bare, or as the data of a CloudEvent) is not known here.
// Source: cdevents/spec v0.4.1 and v0.5.1, spec.md and schemas/.

import { z } from 'zod'
import { RELEASE_ACTIONS, type ReleaseAction } from '../records/release-event.ts'
import {
  boundedText,
  eventId,
  eventSource,
  eventTime,
  eventType,
  join,
  LABEL_CHARS_MAX,
  NAME_CHARS_MAX,
  problemsOf,
  tooLong,
  type Problem,
} from './event-fields.ts'
import { isObject, member } from '../pipeline/json-text.ts'
import { purlVersion } from './purl.ts'

export const DESCRIPTION_CHARS_MAX = 200

export type CdEvent = {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly specversion: string
  /** ms since 1970 */
  readonly at: number
  readonly subject: string
  readonly service: string
  readonly version: string
  readonly environment: string
  readonly description: string
}

export type ParsedCdEvent =
  | { readonly kind: 'cd-event'; readonly event: CdEvent }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** Standard types and custom ones (`dev.cdeventsx.<tool>-<subject>.<predicate>`). */
export const isCdEventType = (type: string): boolean => /^dev\.cdeventsx?\./.test(type)

/** The number at the end of a type is the type's own version; every version of a predicate means the same. */
export function releaseAction(type: string): ReleaseAction {
  const predicate = servicePredicate(type)
  return RELEASE_ACTIONS.find((action) => action === predicate) ?? 'other'
}

/**
 * @param value  parsed JSON
 * @param prefix where the event stands, for the places of problems; empty when it is the whole body
 */
export function parseCdEvent(value: unknown, prefix: string): ParsedCdEvent {
  const place = prefix === '' ? 'body' : prefix
  if (!isObject(value))
    return refused([{ place, message: 'must be a CDEvent, a JSON object with context and subject' }])
  const type = member(value, 'context', 'type')
  const ofService = typeof type === 'string' && servicePredicate(type) !== undefined
  const parsed = (ofService ? ServiceEvent : AnyEvent).safeParse(withSpecversion(value))
  const lifted = {
    service: serviceOf(value, ofService),
    version: versionOf(value),
    environment: first(value, 'subject.content.environment.id'),
  }
  const problems = [
    ...(parsed.success ? [] : problemsOf(parsed.error, prefix)),
    ...Object.entries(lifted)
      .filter(([, fact]) => fact.text.length > LABEL_CHARS_MAX && !(ofService && fact.place === 'subject.id'))
      .map(([name, fact]) => ({
        place: join(prefix, fact.place),
        message: `gives the ${name}, and ${tooLong(fact.text.length, LABEL_CHARS_MAX)}`,
      })),
  ]
  if (!parsed.success || problems.length > 0) return refused(problems)
  const { context, subject } = parsed.data
  return {
    kind: 'cd-event',
    event: {
      id: context.id,
      source: context.source,
      type: context.type,
      specversion: context.specversion,
      at: context.timestamp,
      subject: subject.id ?? '',
      service: lifted.service.text,
      version: lifted.version.text,
      environment: lifted.environment.text,
      description: descriptionOf(value),
    },
  }
}

/** Cuts at 200 characters, never through one. */
export function shortText(text: string): string {
  const whole = text.toWellFormed()
  return whole.length <= DESCRIPTION_CHARS_MAX
    ? whole
    : `${whole.slice(0, DESCRIPTION_CHARS_MAX - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}

const Context = z.object(
  {
    id: eventId,
    source: eventSource,
    type: eventType,
    timestamp: eventTime,
    specversion: boundedText(
      LABEL_CHARS_MAX,
      'name the CDEvents version, e.g. "0.5.1" (0.4 and older call the member version)',
    ),
  },
  { error: 'must be an object with id, source, type, timestamp and specversion' },
)

const SUBJECT_ERROR = 'must be an object with an id and content'
const AnyEvent = z.object({
  context: Context,
  subject: z.object(
    { id: boundedText(NAME_CHARS_MAX, 'name what the event is about').nullish() },
    { error: SUBJECT_ERROR },
  ),
})
const ServiceEvent = z.object({
  context: Context,
  subject: z.object(
    { id: boundedText(LABEL_CHARS_MAX, 'name the service as its telemetry does in service.name') },
    { error: SUBJECT_ERROR },
  ),
})

const refused = (problems: readonly Problem[]): ParsedCdEvent => ({ kind: 'refused', problems })

const servicePredicate = (type: string): string | undefined =>
  /^dev\.cdevents\.service\.([a-z]+)(?:\.|$)/.exec(type)?.[1]

/** 0.4.x calls it `context.version`, 0.5.x `context.specversion`. */
function withSpecversion(value: Readonly<Record<string, unknown>>): unknown {
  const context = member(value, 'context')
  if (!isObject(context) || context['specversion'] !== undefined || !Object.hasOwn(context, 'version'))
    return value
  return { ...value, context: { ...context, specversion: context['version'] } }
}

type Fact = { readonly text: string; readonly place: string }

/** The first place that holds a text which is not empty. */
function first(value: unknown, ...places: readonly string[]): Fact {
  for (const place of places) {
    const found = member(value, ...place.split('.'))
    if (typeof found === 'string' && found !== '') return { text: found.toWellFormed(), place }
  }
  return { text: '', place: '' }
}

// A service event is about its subject, whose id is taken as it is, so senders should use the name that
// stands in service.name. The source (of the subject or the event) may say a namespace, but nothing fixes
// its form; it stays in the body. Other events name a service in their content, as incidents do.
function serviceOf(value: unknown, ofService: boolean): Fact {
  return ofService ? first(value, 'subject.id') : first(value, 'subject.content.service.id')
}

// Telemetry says 2.4.1 and not sha256:0b31…, so a digest is the last resort.
function versionOf(value: unknown): Fact {
  const artifact = first(value, 'subject.content.artifactId')
  const { readable, digest } = purlVersion(artifact.text)
  if (readable !== '') return { text: readable.toWellFormed(), place: artifact.place }
  const told = first(value, 'customData.version', 'subject.content.version')
  return told.text !== '' ? told : { text: digest, place: artifact.place }
}

/** What the sender says in words, and the scope of a gray release: `new limits · 0531-01, 0531-02 · 20 %`. */
function descriptionOf(value: unknown): string {
  const words = first(value, 'customData.description', 'subject.content.description').text
  const scope = scopeText(
    member(value, 'customData', 'scope') ?? member(value, 'customData', 'exposure', 'scope'),
  )
  return shortText([words, scope].filter((part) => part !== '').join(' · '))
}

// The values alone, because a marker is read in two languages; `kind` says nothing that they do not.
function scopeText(scope: unknown): string {
  if (!isObject(scope)) return scalarText(scope)
  return Object.entries(scope)
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => (name === 'percent' ? `${scalarText(value)} %` : scalarText(value)))
    .filter((text) => text !== '' && text !== ' %')
    .join(' · ')
}

function scalarText(value: unknown): string {
  if (Array.isArray(value))
    return value
      .map(scalarText)
      .filter((text) => text !== '')
      .join(', ')
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
