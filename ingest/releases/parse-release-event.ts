// From one request to release events, or to a list of what is wrong with it. Pure: no clock, no store, no
// HTTP server; any transport that has headers and bytes can use it. The four forms:
//   structured  application/cloudevents+json        one CloudEvent as JSON
//   batch       application/cloudevents-batch+json  an array of them, all or nothing
//   binary      application/json and ce-… headers   attributes in headers, data as the body
//   plain       application/json                    a bare CDEvent, or a structured CloudEvent
// Source: CloudEvents 1.0.2 with its JSON format and HTTP binding; cdevents/spec, cloudevents-binding.md.

import { z } from 'zod'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import { isCdEventType, parseCdEvent, releaseAction, shortText, type CdEvent } from './cd-event.ts'
import {
  boundedText,
  eventId,
  eventSource,
  eventTime,
  eventType,
  join,
  NAME_CHARS_MAX,
  problemsOf,
  quote,
  type Problem,
} from './event-fields.ts'
import { elementTexts, isObject, member, readJson } from '../pipeline/json-text.ts'

export type { Problem }

export const STRUCTURED_TYPE = 'application/cloudevents+json'
export const BATCH_TYPE = 'application/cloudevents-batch+json'
export const JSON_TYPE = 'application/json'
export const ACCEPTED_MEDIA_TYPES: readonly string[] = [STRUCTURED_TYPE, BATCH_TYPE, JSON_TYPE]

/** Events in one batch. */
export const BATCH_EVENTS_MAX = 1000
/** Problems told in one reply; the sender of a broken batch has seen enough by then. */
export const PROBLEMS_MAX = 100

export type ReleaseEventRequest = {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
  /** ms since 1970 by our clock */
  readonly receivedAt: number
}

export type ParsedReleaseEvent =
  | { readonly kind: 'record'; readonly records: readonly ReleaseEventRecord[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/**
 * Parses one request. A batch gives its records in order, twins of one (`source`, `id`) included.
 *
 * @returns the records, or every problem found (at most 100), each with its place and its remedy
 */
export function parseReleaseEvent({ headers, body, receivedAt }: ReleaseEventRequest): ParsedReleaseEvent {
  const contentType = header(headers, 'content-type') ?? ''
  const [media = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice('charset='.length)
  if (charset !== undefined && !['utf-8', 'utf8'].includes(charset.replaceAll('"', '')))
    return refused([{ place: 'content-type', message: `has charset ${quote(charset)}; send UTF-8` }])
  if (
    !media.startsWith('application/cloudevents') &&
    BINARY_HEADERS.some((name) => headers[name] !== undefined)
  )
    return parseBinary(headers, media, body, receivedAt)
  if (media !== '' && !ACCEPTED_MEDIA_TYPES.includes(media))
    return refused([{ place: 'content-type', message: `must be ${ACCEPTED_MEDIA_TYPES.join(', ')}` }])

  const json = readJson(body)
  if (json.kind === 'refused') return refused([{ place: 'body', message: json.message }])
  if (media === BATCH_TYPE) return parseBatch(json.value, json.text, receivedAt)
  return parseSingle(json.value, json.text, receivedAt, media === STRUCTURED_TYPE ? 'cloud-event' : 'either')
}

function parseBatch(value: unknown, text: string, receivedAt: number): ParsedReleaseEvent {
  if (!Array.isArray(value))
    return refused([
      { place: 'body', message: `must be an array of CloudEvents; send a single one as ${STRUCTURED_TYPE}` },
    ])
  if (value.length > BATCH_EVENTS_MAX)
    return refused([
      {
        place: 'body',
        message: `has ${value.length} events; at most ${BATCH_EVENTS_MAX} are accepted, so split the batch`,
      },
    ])
  const texts = elementTexts(text)
  const events = value.map((event: unknown, index) =>
    parseCloudEvent(event, texts[index] ?? '', receivedAt, `[${index}]`),
  )
  const problems = events.flatMap((event) => (event.kind === 'refused' ? event.problems : []))
  if (problems.length > 0) return refused(problems)
  return {
    kind: 'record',
    records: events.flatMap((event) => (event.kind === 'record' ? event.records : [])),
  }
}

function parseSingle(
  value: unknown,
  text: string,
  receivedAt: number,
  form: 'cloud-event' | 'either',
): ParsedReleaseEvent {
  if (Array.isArray(value))
    return refused([{ place: 'body', message: `is an array; send several CloudEvents as ${BATCH_TYPE}` }])
  if (!isObject(value))
    return refused([{ place: 'body', message: 'must be a JSON object, a CloudEvent or a CDEvent' }])
  if (form === 'cloud-event' || Object.hasOwn(value, 'specversion'))
    return parseCloudEvent(value, text, receivedAt, '')
  if (Object.hasOwn(value, 'context')) return parseBareCdEvent(value, text, receivedAt)
  if (['id', 'source', 'type'].some((name) => Object.hasOwn(value, name)))
    return parseCloudEvent(value, text, receivedAt, '')
  return refused([
    {
      place: 'body',
      message:
        'is neither a CDEvent (an object with context and subject) nor a CloudEvent (with specversion, id, source and type)',
    },
  ])
}

function parseBareCdEvent(value: unknown, text: string, receivedAt: number): ParsedReleaseEvent {
  const parsed = parseCdEvent(value, '')
  if (parsed.kind === 'refused') return refused(parsed.problems)
  const { event } = parsed
  return record({ ...event, receivedAt, action: releaseAction(event.type), body: text })
}

const CloudEvent = z.object({
  specversion: z.literal('1.0', {
    error: (issue) =>
      issue.input == null
        ? 'is missing; a CloudEvent says "1.0"'
        : `is ${quote(issue.input)}; only CloudEvents "1.0" is accepted`,
  }),
  id: eventId,
  source: eventSource,
  type: eventType,
  // Null means absent, says the JSON format.
  time: eventTime.nullish(),
  subject: boundedText(NAME_CHARS_MAX, 'leave it out, or name what the event is about').nullish(),
})

// A CDEvent inside a CloudEvent has two ids and two sources. Identity is the CloudEvent's own source and id:
// they are what every CloudEvents intermediary deduplicates by, and a sender that wraps one CDEvent anew on
// every retry breaks the CloudEvents rules, not ours. Its time and subject come first too; what the envelope
// leaves out is taken from within.
function parseCloudEvent(
  value: unknown,
  text: string,
  receivedAt: number,
  prefix: string,
): ParsedReleaseEvent {
  const place = prefix === '' ? 'body' : prefix
  if (!isObject(value)) return refused([{ place, message: 'must be a CloudEvent, a JSON object' }])
  if (!Object.hasOwn(value, 'specversion') && isObject(member(value, 'context')))
    return refused([
      { place, message: `is a bare CDEvent; send it alone as ${JSON_TYPE}, or as the data of a CloudEvent` },
    ])
  const attributes = CloudEvent.safeParse(value)
  const data = readData(value, prefix)
  const type = member(value, 'type')
  // A type of CDEvents promises a CDEvent; under any other type whatever the data are is kept.
  const promised = typeof type === 'string' && isCdEventType(type)
  const content = data.kind === 'refused' ? undefined : parseCdEvent(data.value, join(prefix, 'data'))
  const problems = [
    ...(attributes.success ? [] : problemsOf(attributes.error, prefix)),
    ...(data.kind === 'refused' ? data.problems : []),
    ...(promised && content?.kind === 'refused' ? content.problems : []),
  ]
  if (!attributes.success || data.kind === 'refused' || problems.length > 0) return refused(problems)
  const { time, subject, ...identity } = attributes.data
  const inner: Partial<CdEvent> = content?.kind === 'cd-event' ? content.event : {}
  return record({
    ...identity,
    at: time ?? inner.at ?? receivedAt,
    receivedAt,
    service: inner.service ?? '',
    version: inner.version ?? '',
    environment: inner.environment ?? '',
    action: releaseAction(promised ? identity.type : (inner.type ?? '')),
    description: inner.description ?? descriptionOf(data.value),
    subject: subject ?? inner.subject ?? '',
    body: text,
  })
}

type Data =
  | { readonly kind: 'data'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }

/** `data` as it stands, or the JSON within `data_base64`; other binary data stay unread. */
function readData(event: Readonly<Record<string, unknown>>, prefix: string): Data {
  const base64 = member(event, 'data_base64')
  if (base64 == null) return { kind: 'data', value: member(event, 'data') }
  const wrong = (message: string): Data => ({
    kind: 'refused',
    problems: [{ place: join(prefix, 'data_base64'), message }],
  })
  if (member(event, 'data') != null) return wrong('stands beside data; send only one of the two')
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    return wrong('must be a string in base64 (RFC 4648, padded)')
  const json = readJson(Buffer.from(base64, 'base64'))
  return { kind: 'data', value: json.kind === 'json' ? json.value : undefined }
}

/** Of an event that is no CDEvent. */
function descriptionOf(data: unknown): string {
  const text = member(data, 'description')
  return typeof text === 'string' ? shortText(text) : ''
}

const BINARY_HEADERS = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'] as const

// The event is put together as its structured twin and then goes the same way. The twin's text is also what
// is kept, with the data exactly as received, so that extension attributes survive and every stored body
// can be read by one reader.
function parseBinary(
  headers: ReleaseEventRequest['headers'],
  media: string,
  body: Uint8Array,
  receivedAt: number,
): ParsedReleaseEvent {
  const empty = body.length === 0
  if (media !== JSON_TYPE && !(media === '' && empty))
    return refused([{ place: 'content-type', message: `must be ${JSON_TYPE} beside ce- headers` }])
  const problems: Problem[] = []
  const attributes = new Map<string, string>()
  for (const name of Object.keys(headers)) {
    const attribute = /^ce-([a-z0-9]+)$/.exec(name)?.[1]
    const value = header(headers, name)
    if (attribute === undefined || value === undefined || ['data', 'datacontenttype'].includes(attribute))
      continue
    const text = headerText(value)
    if (text === undefined) problems.push({ place: name, message: 'is not UTF-8 in percent-encoding' })
    else attributes.set(attribute, text)
  }
  const json = empty ? undefined : readJson(body)
  if (json?.kind === 'refused') problems.push({ place: 'body', message: json.message })
  if (problems.length > 0 || json?.kind === 'refused') return refused(problems)

  if (!empty) attributes.set('datacontenttype', JSON_TYPE)
  const envelope = Object.fromEntries(attributes)
  if (json === undefined)
    return fromHeaders(parseCloudEvent(envelope, JSON.stringify(envelope), receivedAt, ''))
  const text = `${JSON.stringify(envelope).slice(0, -1)},"data":${json.text}}`
  return fromHeaders(parseCloudEvent({ ...envelope, data: json.value }, text, receivedAt, ''))
}

/** Names the places where the sender of a binary event put things: `ce-id`, not `id`; the body, not `data`. */
function fromHeaders(parsed: ParsedReleaseEvent): ParsedReleaseEvent {
  if (parsed.kind === 'record') return parsed
  return refused(
    parsed.problems.map(({ place, message }) => ({
      place: place.startsWith('data') ? place.replace(/^data(?:\.|$)/, '') || 'body' : `ce-${place}`,
      message,
    })),
  )
}

function header(headers: ReleaseEventRequest['headers'], name: string): string | undefined {
  const value = headers[name]
  return value === undefined || typeof value === 'string' ? value : value.join(', ')
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A header's characters are bytes; the HTTP binding has them quoted at most once and percent-encoded. */
function headerText(value: string): string | undefined {
  const unquoted = /^"(.*)"$/s.exec(value)?.[1]?.replaceAll(/\\(.)/gs, '$1') ?? value
  const bytes = unquoted.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  )
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

const record = (event: ReleaseEventRecord): ParsedReleaseEvent => ({ kind: 'record', records: [event] })

function refused(problems: readonly Problem[]): ParsedReleaseEvent {
  if (problems.length <= PROBLEMS_MAX) return { kind: 'refused', problems }
  const left = problems.length - PROBLEMS_MAX + 1
  const more = { place: 'body', message: `has ${left} more problems; mend these first` }
  return { kind: 'refused', problems: [...problems.slice(0, PROBLEMS_MAX - 1), more] }
}
