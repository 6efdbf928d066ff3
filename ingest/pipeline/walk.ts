// The structural walk: reads an OTLP trace request just far enough to trust it to the engine. It checks every
// length down to the fields of a span, counts spans, finds start times out of range, and looks at the first
// byte of each attribute's value to learn whether it is a scalar. It decodes no attribute and allocates nothing
// per span. What to do with the finding is decided elsewhere.

import { KEY_SIGNATURES, keySignature } from './key-signature.ts'
import { mayBeNumber, mayHoldNumber } from './number-run.ts'

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
// AnyValue: string_value, int_value, double_value
const STRING_TAG = (1 << 3) | 2
const INTEGER_TAG = 3 << 3
const DOUBLE_TAG = (4 << 3) | 1
// Numbers below 2^28 fit four bytes and hold fewer digits than any number looked for.
const LARGE_INTEGER_BYTES = 6
// Doubles from 2^33 on: their exponent begins with these bits.
const LARGE_DOUBLE = 0x42
const LIST_TAG_FROM = LIST_FROM << 3
const NANOSECONDS_PER_MS = 1e6
const TWO_32 = 4_294_967_296

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
  const { spans, outOfRange, earliestMs, latestMs, hasLists, hasNumbers, keys, resources } = walker
  return { kind: 'walked', spans, outOfRange, earliestMs, latestMs, hasLists, hasNumbers, keys, resources }
}

/** One field of a message, as found by `messageFields`. */
export type Field = {
  readonly number: number
  readonly wireType: number
  /** Where the field's tag begins. */
  readonly tagAt: number
  /** Where its value begins, and where it ends (exclusive). */
  readonly valueAt: number
  readonly end: number
}

/** The fields of a message that the walk has already accepted; for the rare steps that take messages apart. */
export function messageFields(bytes: Uint8Array, from: number, to: number): Field[] {
  const walker = new Walker(bytes, { fromMs: 0, toMs: 0 }, DEFAULT_WALK_LIMITS)
  return walker.fields(from, to)
}

/** Start time of a span, ms since epoch with fractions; 0 when the span does not say. */
export function spanStartMs(bytes: Uint8Array, from: number, to: number): number {
  let startMs = 0
  for (const field of messageFields(bytes, from, to)) {
    if (field.number === START && field.wireType === 1) startMs = fixed64Ms(bytes, field.valueAt)
  }
  return startMs
}

function fixed64Ms(bytes: Uint8Array, at: number): number {
  const low =
    ((bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)) >>>
    0
  const high =
    ((bytes[at + 4] ?? 0) |
      ((bytes[at + 5] ?? 0) << 8) |
      ((bytes[at + 6] ?? 0) << 16) |
      ((bytes[at + 7] ?? 0) << 24)) >>>
    0
  return (high * TWO_32 + low) / NANOSECONDS_PER_MS
}

class Malformed extends Error {}

class Walker {
  spans = 0
  outOfRange = 0
  earliestMs = 0
  latestMs = 0
  hasLists = false
  hasNumbers = false
  readonly keys = new Uint8Array(KEY_SIGNATURES)
  readonly resources: number[] = []
  private fieldsSeen = 0
  private at = 0
  private readonly bytes: Uint8Array
  private readonly range: TimeRange
  private readonly limits: WalkLimits

  constructor(bytes: Uint8Array, range: TimeRange, limits: WalkLimits) {
    this.bytes = bytes
    this.range = range
    this.limits = limits
  }

  request(): void {
    const end = this.bytes.length
    while (this.at < end) {
      const tag = this.varint(end)
      if (tag >>> 3 === RESOURCE_SPANS) this.resourceSpans(this.delimited(tag, end, 'resource_spans'))
      else this.skip(tag, end)
    }
  }

  private resourceSpans(end: number): void {
    const known = this.resources.length
    while (this.at < end) {
      const tag = this.varint(end)
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
      const tag = this.varint(end)
      if (tag >>> 3 === SPANS) this.span(this.delimited(tag, end, 'spans'))
      else this.skip(tag, end)
    }
  }

  private span(end: number): void {
    let startMs = 0
    const before = this.fieldsSeen
    while (this.at < end) {
      const tag = this.varint(end)
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
      const tag = this.varint(end)
      if (tag === EVENT_ATTRIBUTE_TAG) this.attribute(this.delimited(tag, end, 'event attributes'))
      else if (tag === EVENT_NAME_TAG) this.text(this.delimited(tag, end, 'event name'))
      else this.skip(tag, end)
    }
  }

  private status(end: number): void {
    while (this.at < end) {
      const tag = this.varint(end)
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
      const tag = this.varint(end)
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
      if (!this.hasNumbers) this.hasNumbers = this.isSuspect(valueEnd)
      this.at = valueEnd
    }
  }

  /** Whether the AnyValue here may be or hold a sensitive number; what is unusual may. */
  private isSuspect(end: number): boolean {
    const { bytes, at } = this
    if (end - at < LARGE_INTEGER_BYTES) return false
    const tag = bytes[at] ?? 0
    if (tag === STRING_TAG) {
      // The length stands before the text and must not be read as a part of it.
      let from = at + 1
      while (from < end && (bytes[from] ?? 0) > 127) from += 1
      return mayHoldNumber(bytes, from + 1, end)
    }
    if (tag === INTEGER_TAG) {
      let value = 0
      let scale = 1
      for (let place = at + 1; place < end; place += 1) {
        value += ((bytes[place] ?? 0) & 127) * scale
        scale *= 128
      }
      return mayBeNumber(value)
    }
    if (tag === DOUBLE_TAG) return ((bytes[at + 8] ?? 0) & 127) >= LARGE_DOUBLE
    return true
  }

  /** A message of fields that are only skipped. */
  private message(end: number): void {
    while (this.at < end) this.skip(this.varint(end), end)
  }

  fields(from: number, to: number): Field[] {
    const found: Field[] = []
    this.at = from
    while (this.at < to) {
      const tagAt = this.at
      const tag = this.varint(to)
      const start = this.at
      let valueAt = start
      if ((tag & 7) === 2) {
        const end = this.delimited(tag, to, 'field')
        valueAt = this.at
        this.at = end
      } else this.skip(tag, to)
      found.push({ number: tag >>> 3, wireType: tag & 7, tagAt, valueAt, end: this.at })
    }
    return found
  }

  /** Reads a length and returns where the value ends. */
  private delimited(tag: number, end: number, name: string): number {
    if ((tag & 7) !== 2) throw this.wrongType(name, tag, 2)
    const length = this.varint(end)
    if (length > end - this.at) throw this.cutShort(name, length, end)
    return this.at + length
  }

  private skip(tag: number, end: number): void {
    if (tag >>> 3 === 0) throw new Malformed(`byte ${this.at}: field number 0 does not exist in protobuf`)
    switch (tag & 7) {
      case 0:
        this.varint(end)
        return
      case 1:
        if (this.at + 8 > end) throw this.cutShort(`field ${tag >>> 3}`, 8, end)
        this.at += 8
        return
      case 2: {
        const length = this.varint(end)
        if (length > end - this.at) throw this.cutShort(`field ${tag >>> 3}`, length, end)
        this.at += length
        return
      }
      case 5:
        if (this.at + 4 > end) throw this.cutShort(`field ${tag >>> 3}`, 4, end)
        this.at += 4
        return
      default:
        throw new Malformed(
          `byte ${this.at}: field ${tag >>> 3} has wire type ${tag & 7}, which OTLP does not use`,
        )
    }
  }

  /** A varint as a number; beyond 2^53 only its being there matters, never its value. */
  private varint(end: number): number {
    const { bytes } = this
    if (this.at >= end) throw this.cutShort('a number', 1, end)
    let byte = bytes[this.at] ?? 0
    this.at += 1
    if (byte < 128) return byte
    let value = byte & 127
    let scale = 128
    for (let index = 1; index < 10; index += 1) {
      if (this.at >= end) throw this.cutShort('a number', 1, end)
      byte = bytes[this.at] ?? 0
      this.at += 1
      value += (byte & 127) * scale
      scale *= 128
      if (byte < 128) return value
    }
    throw new Malformed(`byte ${this.at}: a number is longer than 10 bytes`)
  }

  private wrongType(name: string, tag: number, wanted: number): Malformed {
    return new Malformed(`byte ${this.at}: ${name} has wire type ${tag & 7}, OTLP defines ${wanted}`)
  }

  private cutShort(name: string, wanted: number, end: number): Malformed {
    const left = Math.max(0, end - this.at)
    return new Malformed(`byte ${this.at}: ${name} is cut short: ${wanted} bytes announced, ${left} left`)
  }
}
