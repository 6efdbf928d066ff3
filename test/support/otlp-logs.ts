// Writes OTLP log requests as bytes, the way an exporter would, from plain objects.

import { field, fixed64, integerField, keyValue, type Attributes } from './otlp.ts'

export type LogInput = {
  readonly atNs?: bigint
  readonly observedNs?: bigint
  readonly eventName?: string
  readonly severity?: number
  readonly body?: string
  /** An AnyValue's bytes, for bodies that are no text. */
  readonly bodyBytes?: Uint8Array
  readonly attributes?: Attributes
  readonly traceId?: Uint8Array
  readonly spanId?: Uint8Array
}

export function logRequest(resource: Attributes, records: readonly LogInput[]): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => field(1, keyValue(key, value)))
  const scopeLogs = Buffer.concat([
    field(1, field(1, Buffer.from('test'))),
    ...records.map((record) => field(2, recordBytes(record))),
  ])
  return field(1, Buffer.concat([field(1, Buffer.concat(attributes)), field(2, scopeLogs)]))
}

function recordBytes(record: LogInput): Buffer {
  const { atNs, observedNs, eventName, severity, body, bodyBytes, attributes = {}, traceId, spanId } = record
  const value = bodyBytes ?? (body === undefined ? undefined : field(1, Buffer.from(body)))
  return Buffer.concat([
    atNs === undefined ? Buffer.alloc(0) : fixed64(1, atNs),
    severity === undefined ? Buffer.alloc(0) : integerField(2, severity),
    value === undefined ? Buffer.alloc(0) : field(5, value),
    ...Object.entries(attributes).map(([key, of]) => field(6, keyValue(key, of))),
    traceId === undefined ? Buffer.alloc(0) : field(9, traceId),
    spanId === undefined ? Buffer.alloc(0) : field(10, spanId),
    observedNs === undefined ? Buffer.alloc(0) : fixed64(11, observedNs),
    eventName === undefined ? Buffer.alloc(0) : field(12, Buffer.from(eventName)),
  ])
}
