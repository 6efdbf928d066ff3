// The structural walk: reads an OTLP trace request just far enough to trust it to the engine. It checks every
// length down to the fields of a span, counts spans, finds start times out of range, and looks at the first
// byte of each attribute's value to learn whether it is a scalar. It decodes no attribute and allocates nothing
// per span. What to do with the finding is decided elsewhere.

import { KEY_SIGNATURES, keySignature } from './key-signature.ts'
import { mayBeSensitive, mayHoldNumber } from './number-run.ts'
import { fixed64Ms, Malformed, messageFields, WireReader } from './wire-reader.ts'

/** Bounds of one message. */
export type WalkLimits = {
  /** Spans in one message; a message of empty spans would otherwise be millions of rows. */
  readonly spansMax: number
  /** Fields in all spans of one message together, which bounds what the engine allocates for it. */
  readonly fieldsMax: number
}

export const DEFAULT_WALK_LIMITS: WalkLimits = { spansMax: 200_000, fieldsMax: 4_000_000 }

/** Start times that the store can hold and wants, ms since epoch; both ends inclusive. */
export type TimeRange = { readonly fromMs: number; readonly toMs: number }

export type Walked =
  | {
      readonly kind: 'walked'
      readonly spans: number
      /** Spans whose start lies outside the range; 0 for most messages. */
      readonly outOfRange: number
      /** Earliest and latest start within the range, ms since epoch; both 0 without such a span. */
      readonly earliestMs: number
      readonly latestMs: number
      /** Whether fields that the engine must not see stand beside the resource_spans (withoutStrangers). */
      readonly hasStrangers: boolean
      /** Whether an attribute of a span or of its events is more than a scalar (a list, bytes, a map). */
      readonly hasLists: boolean
      /** Whether a name, a value or a status message of a span may hold a sensitive number (number-run.ts). */
      readonly hasNumbers: boolean
      /** Marks of the attribute keys of spans (key-signature.ts). */
      readonly keys: Uint8Array
      /** Digest material for the resources: where each ResourceSpans' resource bytes are, [start, end) pairs. */
      readonly resources: readonly number[]
    }
  | { readonly kind: 'malformed'; readonly reason: string }

const RESOURCE_SPANS = 1 // ExportTraceServiceRequest.resource_spans
const RESOURCE = 1 // ResourceSpans.resource
const SCOPE_SPANS = 2 // ResourceSpans.scope_spans
const SPANS = 2 // ScopeSpans.spans
const NAME = 5 // Span.name
const START = 7 // Span.start_time_unix_nano
const ATTRIBUTES = 9 // Span.attributes
const EVENTS = 11 // Span.events
const STATUS = 15 // Span.status
const EVENT_ATTRIBUTES = 3 // Span.Event.attributes
const LIST_FROM = 5 // AnyValue: 1 to 4 are scalars, array_value and above are not
const ATTRIBUTE_TAG = (ATTRIBUTES << 3) | 2
const EVENT_TAG = (EVENTS << 3) | 2
const EVENT_ATTRIBUTE_TAG = (EVENT_ATTRIBUTES << 3) | 2
const KEY_TAG = (1 << 3) | 2 // KeyValue.key
const VALUE_TAG = (2 << 3) | 2 // KeyValue.value
const NAME_TAG = (NAME << 3) | 2
const STATUS_TAG = (STATUS << 3) | 2
const STATUS_MESSAGE_TAG = (2 << 3) | 2 // Status.message
const EVENT_NAME_TAG = (2 << 3) | 2 // Span.Event.name
const LIST_TAG_FROM = LIST_FROM << 3

/**
 * @param bytes  one `ExportTraceServiceRequest` (opentelemetry-proto 1.x), also the Collector's `otlp_proto`
 * @returns counts, or what is wrong and at which byte
 */
export function walkTraces(
  bytes: Uint8Array,
  range: TimeRange,
  limits: WalkLimits = DEFAULT_WALK_LIMITS,
): Walked {
  const walker = new Walker(bytes, range, limits)
  try {
    walker.request()
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', reason: error.message }
    throw error
  }
  const { spans, outOfRange, earliestMs, latestMs, hasStrangers, hasLists, hasNumbers, keys, resources } =
    walker
  const times = { outOfRange, earliestMs, latestMs }
  return { kind: 'walked', spans, ...times, hasStrangers, hasLists, hasNumbers, keys, resources }
}

/** Start time of a span, ms since epoch with fractions; 0 when the span does not say. */
export function spanStartMs(bytes: Uint8Array, from: number, to: number): number {
  let startMs = 0
  for (const field of messageFields(bytes, from, to)) {
    if (field.number === START && field.wireType === 1) startMs = fixed64Ms(bytes, field.valueAt)
  }
  return startMs
}

class Walker extends WireReader {
  spans = 0
  outOfRange = 0
  earliestMs = 0
  latestMs = 0
  hasStrangers = false
  hasLists = false
  hasNumbers = false
  readonly keys = new Uint8Array(KEY_SIGNATURES)
  readonly resources: number[] = []
  private fieldsSeen = 0
  private readonly range: TimeRange
  private readonly limits: WalkLimits

  constructor(bytes: Uint8Array, range: TimeRange, limits: WalkLimits) {
    super(bytes)
    this.range = range
    this.limits = limits
  }

  request(): void {
    const end = this.bytes.length
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === RESOURCE_SPANS) this.resourceSpans(this.delimited(tag, end, 'resource_spans'))
      else {
        this.hasStrangers = true
        this.skip(tag, end)
      }
    }
  }

  private resourceSpans(end: number): void {
    const known = this.resources.length
    while (this.at < end) {
      const tag = this.tag(end)
      const number = tag >>> 3
      if (number === SCOPE_SPANS) this.scopeSpans(this.delimited(tag, end, 'scope_spans'))
      else if (number === RESOURCE) {
        const resourceEnd = this.delimited(tag, end, 'resource')
        this.resources.push(this.at, resourceEnd)
        this.message(resourceEnd)
      } else this.skip(tag, end)
    }
    if (this.resources.length === known) this.resources.push(end, end)
  }

  private scopeSpans(end: number): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === SPANS) this.span(this.delimited(tag, end, 'spans'))
      else this.skip(tag, end)
    }
  }

  private span(end: number): void {
    let startMs = 0
    const before = this.fieldsSeen
    while (this.at < end) {
      const tag = this.tag(end)
      this.fieldsSeen += 1
      if (tag >>> 3 === START) {
        if ((tag & 7) !== 1) throw this.wrongType('start_time_unix_nano', tag, 1)
        if (this.at + 8 > end) throw this.cutShort('start_time_unix_nano', 8, end)
        startMs = fixed64Ms(this.bytes, this.at)
        this.at += 8
      } else if (tag === ATTRIBUTE_TAG) this.attribute(this.delimited(tag, end, 'attributes'))
      else if (tag === EVENT_TAG) this.event(this.delimited(tag, end, 'events'))
      else if (tag === NAME_TAG) this.text(this.delimited(tag, end, 'name'))
      else if (tag === STATUS_TAG) this.status(this.delimited(tag, end, 'status'))
      else this.skip(tag, end)
    }
    this.spans += 1
    if (startMs < this.range.fromMs || startMs > this.range.toMs) this.outOfRange += 1
    else {
      if (startMs < this.earliestMs || this.latestMs === 0) this.earliestMs = startMs
      if (startMs > this.latestMs) this.latestMs = startMs
    }
    if (this.spans > this.limits.spansMax) {
      throw new Malformed(`more than ${this.limits.spansMax} spans in one message; send smaller batches`)
    }
    if (this.fieldsSeen > this.limits.fieldsMax) {
      throw new Malformed(
        `more than ${this.limits.fieldsMax} fields in one message (${this.fieldsSeen - before} in the last span); send smaller batches`,
      )
    }
  }

  private event(end: number): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag === EVENT_ATTRIBUTE_TAG) this.attribute(this.delimited(tag, end, 'event attributes'))
      else if (tag === EVENT_NAME_TAG) this.text(this.delimited(tag, end, 'event name'))
      else this.skip(tag, end)
    }
  }

  private status(end: number): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag === STATUS_MESSAGE_TAG) this.text(this.delimited(tag, end, 'status message'))
      else this.skip(tag, end)
    }
  }

  /** Only whether a sensitive number may be in it. */
  private text(end: number): void {
    if (!this.hasNumbers && mayHoldNumber(this.bytes, this.at, end)) this.hasNumbers = true
    this.at = end
  }

  /** A KeyValue: only the shape of its key and the kind of its value are looked at. What is unusual counts as a list, to be on the safe side. */
  private attribute(end: number): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag === KEY_TAG) {
        const keyEnd = this.delimited(tag, end, 'attribute key')
        this.keys[keySignature(this.bytes, this.at, keyEnd)] = 1
        this.at = keyEnd
        continue
      }
      if (tag !== VALUE_TAG) {
        this.skip(tag, end)
        continue
      }
      const valueEnd = this.delimited(tag, end, 'attribute value')
      if (this.at < valueEnd && (this.bytes[this.at] ?? 0) >= LIST_TAG_FROM) this.hasLists = true
      if (!this.hasNumbers) this.hasNumbers = mayBeSensitive(this.bytes, this.at, valueEnd)
      this.at = valueEnd
    }
  }
}
