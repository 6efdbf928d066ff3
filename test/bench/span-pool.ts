// Millions of distinct spans from a few hundred encoded requests: each copy gets other trace and span ids, another
// transaction number and another time, written in place. Encoding every span anew would take longer than the
// bench. Pure; where the copies go is decided in span-topic.ts.

import { messageFields, type Field } from '../../ingest/pipeline/wire-reader.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { random } from '../support/otlp.ts'

const SPANS_PER_REQUEST = 512
const TXN_ID_KEY = Buffer.from('bank.txn.id')
const TXN_SEQUENCE_DIGITS = 12
const SERVER = 2
const CONSUMER = 5

export type PooledRequest = {
  readonly bytes: Buffer
  readonly spans: number
  /** Spans that count as requests in the rollups. */
  readonly requests: number
  /** Where the parts of each span are that a copy changes. */
  readonly places: readonly SpanPlaces[]
}

type SpanPlaces = {
  readonly traceId: number
  readonly spanId: number
  /** -1: a root */
  readonly parentId: number
  readonly startAt: number
  readonly endAt: number
  /** The last 12 digits of the transaction number; -1 when there is none. */
  readonly txnSequence: number
}

/** @returns requests of 512 spans whose starts lie within `spreadMs` after the epoch */
export function buildSpanPool(options: {
  readonly seed: number
  readonly requests: number
  readonly spreadMs: number
}): PooledRequest[] {
  return bankRequests({ ...options, spansPerRequest: SPANS_PER_REQUEST, startNs: 0n }).map((bytes) => {
    const spans = spanFields(bytes).map((fields) => ({ fields, kind: kindOf(bytes, fields) }))
    return {
      bytes,
      spans: spans.length,
      requests: spans.filter(({ kind }) => kind === SERVER || kind === CONSUMER).length,
      places: spans.map(({ fields }) => placesOf(bytes, fields)),
    }
  })
}

/**
 * A copy with ids of its own.
 *
 * @param copy     number of the copy: the same number gives the same ids
 * @param shiftMs  added to every start and end
 */
export function restamp({ bytes, places }: PooledRequest, copy: number, shiftMs: number): Buffer {
  const stamped = Buffer.from(bytes)
  const next = random(0x5eed ^ Math.imul(copy + 1, 0x9e3779b1))
  const mask = Array.from({ length: 6 }, () => Math.floor(next() * 2 ** 32))
  const shift = BigInt(Math.round(shiftMs)) * 1_000_000n
  const [shiftLow, shiftHigh] = [Number(shift & 0xffffffffn), Number(shift >> 32n)]
  for (const { traceId, spanId, parentId, startAt, endAt, txnSequence } of places) {
    // The same mask for a whole copy keeps parents with their children and traces together.
    for (let word = 0; word < 4; word += 1) xorWord(stamped, traceId + word * 4, mask[word] ?? 0)
    for (let word = 0; word < 2; word += 1) xorWord(stamped, spanId + word * 4, mask[word + 4] ?? 0)
    if (parentId >= 0) {
      for (let word = 0; word < 2; word += 1) xorWord(stamped, parentId + word * 4, mask[word + 4] ?? 0)
    }
    addTo64(stamped, startAt, shiftLow, shiftHigh)
    addTo64(stamped, endAt, shiftLow, shiftHigh)
    if (txnSequence >= 0) {
      writeDigits(stamped, txnSequence, stamped.readUInt32LE(traceId) % 1_000_000)
      writeDigits(stamped, txnSequence + 6, stamped.readUInt32LE(traceId + 4) % 1_000_000)
    }
  }
  return stamped
}

function spanFields(bytes: Uint8Array): Field[][] {
  const inside = (fields: readonly Field[], number: number) =>
    fields
      .filter((field) => field.number === number)
      .map((field) => messageFields(bytes, field.valueAt, field.end))
  return inside(messageFields(bytes, 0, bytes.length), 1)
    .flatMap((resourceSpans) => inside(resourceSpans, 2))
    .flatMap((scopeSpans) => inside(scopeSpans, 2))
}

function kindOf(bytes: Uint8Array, fields: readonly Field[]): number {
  const kind = fields.find(({ number }) => number === 6)
  return kind === undefined ? 0 : (bytes[kind.valueAt] ?? 0)
}

function placesOf(bytes: Buffer, fields: readonly Field[]): SpanPlaces {
  const at = (wanted: number) => fields.find(({ number }) => number === wanted)?.valueAt ?? -1
  const txn = fields.find(
    ({ number, valueAt, end }) => number === 9 && bytes.subarray(valueAt, end).includes(TXN_ID_KEY),
  )
  return {
    traceId: at(1),
    spanId: at(2),
    parentId: at(4),
    startAt: at(7),
    endAt: at(8),
    txnSequence: txn === undefined ? -1 : txn.end - TXN_SEQUENCE_DIGITS,
  }
}

function xorWord(bytes: Buffer, at: number, mask: number): void {
  bytes.writeUInt32LE((bytes.readUInt32LE(at) ^ mask) >>> 0, at)
}

function addTo64(bytes: Buffer, at: number, low: number, high: number): void {
  const sum = bytes.readUInt32LE(at) + low
  bytes.writeUInt32LE(sum >>> 0, at)
  bytes.writeUInt32LE((bytes.readUInt32LE(at + 4) + high + (sum > 0xffffffff ? 1 : 0)) >>> 0, at + 4)
}

function writeDigits(bytes: Buffer, at: number, value: number): void {
  let rest = value
  for (let place = 5; place >= 0; place -= 1) {
    bytes[at + place] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
}
