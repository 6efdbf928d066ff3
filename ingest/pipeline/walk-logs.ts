// The structural walk of an OTLP log request: lengths down to the fields of a record, its time, and whether it is an
// event. It decodes no value. What is an event: `event_name` is set, or an attribute `event.name` or `k8s.event.reason`
// (the Collector's k8sevents receiver, older SDKs) is there.
// Source: opentelemetry.io/docs/specs/otel/logs/data-model, "Events"; opentelemetry-proto 1.x.

import { EVENT_NAME_KEYS } from '../store/event-kinds.ts'
import { mayBeSensitive } from './number-run.ts'
import { fixed64Ms, Malformed, messageFields, WireReader } from './wire-reader.ts'

/** Bounds of one message. */
export type LogLimits = {
  readonly recordsMax: number
  /** Fields in all records of one message together. */
  readonly fieldsMax: number
}
export const DEFAULT_LOG_LIMITS: LogLimits = { recordsMax: 200_000, fieldsMax: 4_000_000 }

export type LogRecord = {
  /** ms since epoch with fractions; 0 when neither time is set */
  readonly timeMs: number
  readonly isEvent: boolean
  /** Its body is more than a scalar or a list of scalars. */
  readonly hasDeepBody: boolean
}

export type WalkedLogs =
  | {
      readonly kind: 'walked'
      readonly records: readonly LogRecord[]
      /** Whether fields that the engine must not see stand beside the resource_logs (withoutStrangers). */
      readonly hasStrangers: boolean
      /** Whether a value may hold a number that is to be masked. */
      readonly hasNumbers: boolean
      readonly resources: readonly number[]
    }
  | { readonly kind: 'malformed'; readonly reason: string }

const TIME = 1
const BODY = 5
const ATTRIBUTES = 6
const OBSERVED = 11
const EVENT_NAME = 12
const KEY_TAG = (1 << 3) | 2
const VALUE_TAG = (2 << 3) | 2
const MAP_TAG = (6 << 3) | 2
const NAME_KEYS = EVENT_NAME_KEYS.map((key) => Buffer.from(key))

/** @param bytes one `ExportLogsServiceRequest`, also the Collector's `otlp_proto` */
export function walkLogs(bytes: Uint8Array, limits: LogLimits = DEFAULT_LOG_LIMITS): WalkedLogs {
  const walker = new LogWalker(bytes, limits)
  try {
    walker.request()
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', reason: error.message }
    throw error
  }
  const { records, hasStrangers, hasNumbers, resources } = walker
  return { kind: 'walked', records, hasStrangers, hasNumbers, resources }
}

class LogWalker extends WireReader {
  readonly records: LogRecord[] = []
  readonly resources: number[] = []
  hasNumbers = false
  hasStrangers = false
  private fieldsSeen = 0
  private readonly limits: LogLimits

  constructor(bytes: Uint8Array, limits: LogLimits) {
    super(bytes)
    this.limits = limits
  }

  request(): void {
    const end = this.bytes.length
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === 1) this.resourceLogs(this.delimited(tag, end, 'resource_logs'))
      else {
        this.hasStrangers = true
        this.skip(tag, end)
      }
    }
  }

  private resourceLogs(end: number): void {
    const known = this.resources.length
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === 1) {
        const resourceEnd = this.delimited(tag, end, 'resource')
        this.resources.push(this.at, resourceEnd)
        this.message(resourceEnd)
      } else if (tag >>> 3 === 2) {
        const scopeEnd = this.delimited(tag, end, 'scope_logs')
        this.each(scopeEnd, 2, 'log_records', (recordEnd) => this.record(recordEnd))
      } else this.skip(tag, end)
    }
    if (this.resources.length === known) this.resources.push(end, end)
  }

  private each(end: number, number: number, name: string, visit: (end: number) => void): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === number) visit(this.delimited(tag, end, name))
      else this.skip(tag, end)
    }
  }

  private record(end: number): void {
    let timeMs = 0
    let observedMs = 0
    let isEvent = false
    let hasDeepBody = false
    while (this.at < end) {
      const tag = this.tag(end)
      const number = tag >>> 3
      this.fieldsSeen += 1
      if (number === TIME || number === OBSERVED) {
        const name = number === TIME ? 'time_unix_nano' : 'observed_time_unix_nano'
        if ((tag & 7) !== 1) throw this.wrongType(name, tag, 1)
        if (this.at + 8 > end) throw this.cutShort(name, 8, end)
        if (number === TIME) timeMs = fixed64Ms(this.bytes, this.at)
        else observedMs = fixed64Ms(this.bytes, this.at)
        this.at += 8
      } else if (number === EVENT_NAME) {
        const nameEnd = this.delimited(tag, end, 'event_name')
        if (nameEnd > this.at) isEvent = true
        this.at = nameEnd
      } else if (number === ATTRIBUTES) {
        if (this.attribute(this.delimited(tag, end, 'attributes'))) isEvent = true
      } else if (number === BODY) {
        const bodyEnd = this.delimited(tag, end, 'body')
        hasDeepBody = this.bytes[this.at] === MAP_TAG && bodyEnd > this.at
        this.suspect(bodyEnd)
      } else this.skip(tag, end)
    }
    this.records.push({ timeMs: timeMs === 0 ? observedMs : timeMs, isEvent, hasDeepBody })
    if (this.records.length > this.limits.recordsMax)
      throw new Malformed(
        `more than ${this.limits.recordsMax} log records in one message; send smaller batches`,
      )
    if (this.fieldsSeen > this.limits.fieldsMax)
      throw new Malformed(`more than ${this.limits.fieldsMax} fields in one message; send smaller batches`)
  }

  /** @returns whether the KeyValue names an event */
  private attribute(end: number): boolean {
    let isName = false
    let isEmpty = true
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag === KEY_TAG) {
        const keyEnd = this.delimited(tag, end, 'attribute key')
        isName = NAME_KEYS.some((key) => this.isHere(key, keyEnd))
        this.at = keyEnd
      } else if (tag === VALUE_TAG) {
        const valueEnd = this.delimited(tag, end, 'attribute value')
        isEmpty = valueEnd - this.at <= 2
        this.suspect(valueEnd)
      } else this.skip(tag, end)
    }
    return isName && !isEmpty
  }

  private isHere(key: Buffer, end: number): boolean {
    return end - this.at === key.length && key.every((byte, index) => byte === this.bytes[this.at + index])
  }

  private suspect(end: number): void {
    if (!this.hasNumbers) this.hasNumbers = mayBeSensitive(this.bytes, this.at, end)
    // Lengths inside are checked too: the engine must be able to read what was accepted.
    messageFields(this.bytes, this.at, end)
    this.at = end
  }
}
