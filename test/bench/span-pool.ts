// Millions of distinct spans from a few hundred encoded requests: each copy gets other ids, transaction and customer
// numbers, times, durations and attribute values, written in place and of the same length, so that no copy repeats
// another. What repeats is what repeats in a bank: services, routes, resources, codes. Encoding every span anew would
// take longer than the bench. Pure; where the copies go is decided in span-topic.ts.

import { messageFields, type Field } from '../../ingest/pipeline/wire-reader.ts'
import { bankRequests, CUSTOMER_KEY } from '../support/bank-spans.ts'
import { random } from '../support/otlp.ts'

const SPANS_PER_REQUEST = 512
const TXN_SEQUENCE_DIGITS = 12
const RESOURCE_BYTES_MAX = 512
// Before the sequence: eight digits of the day, four of the system.
const TXN_DAY_AND_SYSTEM = 12
const CUSTOMER_PREFIX = 'C'
const CUSTOMER_DIGITS = 6
// Values of these are drawn anew: every digit (0 to 8, which keeps 8,000 branches), or one of two words of one length.
const DIGITS_DRAWN = new Set(['bank.branch', 'user.group', CUSTOMER_KEY])
const WORDS_DRAWN: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  'bank.channel': [
    ['counter', 'openapi'],
    ['atm', 'web'],
  ],
  'bank.region': [
    ['east', 'west'],
    ['north', 'south'],
  ],
}
const SERVER = 2
const CONSUMER = 5

export type PooledRequest = {
  readonly bytes: Buffer
  /** service.name of all its spans. */
  readonly service: string
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
  /** A byte below 128 that holds a number below 64; -1 when there is none. */
  readonly threadId: number
  /** Bytes that hold an ASCII digit each. */
  readonly digits: readonly number[]
  readonly words: readonly { readonly at: number; readonly choice: readonly [string, string] }[]
}

/**
 * @param options.customers  entry spans carry a `customer.id`, one of a million
 * @returns requests of 512 spans whose starts lie within `spreadMs` after the epoch
 */
export function buildSpanPool(options: {
  readonly seed: number
  readonly requests: number
  readonly spreadMs: number
  readonly customers?: boolean
}): PooledRequest[] {
  return bankRequests({ ...options, spansPerRequest: SPANS_PER_REQUEST, startNs: 0n }).map((bytes) => {
    const spans = spanFields(bytes).map((fields) => ({ fields, kind: kindOf(bytes, fields) }))
    return {
      bytes,
      service: /service-\d+/.exec(bytes.toString('latin1', 0, RESOURCE_BYTES_MAX))?.[0] ?? '',
      spans: spans.length,
      requests: spans.filter(({ kind }) => kind === SERVER || kind === CONSUMER).length,
      places: spans.map(({ fields }) => placesOf(bytes, fields)),
    }
  })
}

/**
 * A copy with ids and values of its own. Durations are log-uniform from 0.4 to 66 ms.
 *
 * @param copy     number of the copy: the same number gives the same bytes
 * @param shiftMs  added to every start, and to each up to a millisecond more
 */
export function restamp({ bytes, places }: PooledRequest, copy: number, shiftMs: number): Buffer {
  const stamped = Buffer.from(bytes)
  const next = random(0x5eed ^ Math.imul(copy + 1, 0x9e3779b1))
  const mask = Array.from({ length: 6 }, () => Math.floor(next() * 2 ** 32))
  const shift = BigInt(Math.round(shiftMs)) * 1_000_000n
  const [shiftLow, shiftHigh] = [Number(shift & 0xffffffffn), Number(shift >> 32n)]
  for (const place of places) {
    const { traceId, spanId, parentId, startAt, endAt, txnSequence } = place
    // The same mask for a whole copy keeps parents with their children and traces together.
    for (let word = 0; word < 4; word += 1) xorWord(stamped, traceId + word * 4, mask[word] ?? 0)
    for (let word = 0; word < 2; word += 1) xorWord(stamped, spanId + word * 4, mask[word + 4] ?? 0)
    if (parentId >= 0) {
      for (let word = 0; word < 2; word += 1) xorWord(stamped, parentId + word * 4, mask[word + 4] ?? 0)
    }
    addTo64(stamped, startAt, shiftLow, shiftHigh)
    addTo64(stamped, startAt, Math.floor(next() * 1e6), 0)
    stamped.copy(stamped, endAt, startAt, startAt + 8)
    addTo64(stamped, endAt, Math.floor(Math.exp(13 + next() * 5)), 0)
    if (txnSequence >= 0) {
      writeDigits(stamped, txnSequence, stamped.readUInt32LE(traceId) % 1_000_000)
      writeDigits(stamped, txnSequence + 6, stamped.readUInt32LE(traceId + 4) % 1_000_000)
    }
    if (place.threadId >= 0) stamped[place.threadId] = Math.floor(next() * 64)
    for (const at of place.digits) stamped[at] = 48 + Math.floor(next() * 9)
    for (const { at, choice } of place.words) stamped.write(choice[next() < 0.5 ? 0 : 1], at, 'latin1')
  }
  return stamped
}

/** What a span of a stamped copy can be found by. */
export function identityOf(
  stamped: Buffer,
  { traceId, txnSequence, digits }: SpanPlaces,
): { readonly traceId: string; readonly txnId: string; readonly customerId: string | undefined } {
  const customerAt = digits.find((at) => stamped.toString('latin1', at - 1, at) === CUSTOMER_PREFIX)
  return {
    traceId: stamped.toString('hex', traceId, traceId + 16),
    txnId: stamped.toString('latin1', txnSequence - TXN_DAY_AND_SYSTEM, txnSequence + TXN_SEQUENCE_DIGITS),
    customerId:
      customerAt === undefined
        ? undefined
        : stamped.toString('latin1', customerAt - 1, customerAt + CUSTOMER_DIGITS),
  }
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
  let [txnSequence, threadId] = [-1, -1]
  const digits: number[] = []
  const words: { at: number; choice: readonly [string, string] }[] = []
  for (const attribute of fields.filter(({ number }) => number === 9)) {
    // Tag, length, key; tag, length of the value's message, its tag, for texts a length: one byte each in the pool.
    const keyAt = attribute.valueAt + 2
    const valueAt = keyAt + (bytes[keyAt - 1] ?? 0) + 3
    const name = bytes.toString('latin1', keyAt, valueAt - 3)
    const text = bytes.toString('latin1', valueAt + 1, attribute.end)
    if (name === 'bank.txn.id') txnSequence = attribute.end - TXN_SEQUENCE_DIGITS
    if (name === 'thread.id') threadId = valueAt
    // Not the first character: a branch begins with 0, a group with g.
    if (DIGITS_DRAWN.has(name))
      for (let byte = valueAt + 2; byte < attribute.end; byte += 1)
        if (isDigit(bytes[byte] ?? 0)) digits.push(byte)
    const choice = WORDS_DRAWN[name]?.find((pair) => pair.includes(text))
    if (choice !== undefined) words.push({ at: valueAt + 1, choice })
  }
  return {
    traceId: at(1),
    spanId: at(2),
    parentId: at(4),
    startAt: at(7),
    endAt: at(8),
    txnSequence,
    threadId,
    digits,
    words,
  }
}

const isDigit = (byte: number) => byte >= 48 && byte <= 57

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
