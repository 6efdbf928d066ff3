// Takes the answer to a fetch apart into record batches and records. Every length is checked against what is there, so
// that a batch that cannot be unpacked (wrong magic bytes, a codec's damage, lengths that lie) is one record of its own
// instead of the end of the consumer: kafkajs would throw the whole answer away and ask for it again for ever, or count
// headers that are not there until the memory is gone. Format: https://kafka.apache.org/documentation/#recordbatch

import { createRequire } from 'node:module'
import kafkajs from 'kafkajs'

/** A batch that could not be unpacked. The record that stands for it has its last offset and its bytes as value. */
export type Unreadable = {
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly reason: string
}

/** A record as the rest of kafkajs wants it. */
export type DecodedRecord = {
  readonly magicByte: number
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>
  readonly isControlRecord: boolean
  readonly batchContext: BatchContext
}

type BatchContext = {
  readonly firstOffset: string
  readonly lastOffsetDelta: number
  readonly firstTimestamp: string
  readonly maxTimestamp: string
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly partitionLeaderEpoch: number
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly timestampType: number
  readonly magicByte: number
}

// Where things stand in a batch, bytes from its start.
const LENGTH_AT = 8
const COUNTED_FROM = 12
const LEADER_EPOCH_AT = 12
const MAGIC_AT = 16
const ATTRIBUTES_AT = 21
const LAST_OFFSET_DELTA_AT = 23
const FIRST_TIMESTAMP_AT = 27
const MAX_TIMESTAMP_AT = 35
const PRODUCER_ID_AT = 43
const PRODUCER_EPOCH_AT = 51
const FIRST_SEQUENCE_AT = 53
const COUNT_AT = 57
const HEADER_BYTES = 61
const MAGIC = 2
const CODEC_MASK = 0x07
const LOG_APPEND_TIME_FLAG = 0x08
const TRANSACTIONAL_FLAG = 0x10
const CONTROL_FLAG = 0x20

const CODEC_NAMES: Readonly<Record<number, string>> = { 1: 'gzip', 2: 'snappy', 3: 'lz4', 4: 'zstd' }

const unreadable = new WeakMap<Buffer, Unreadable>()

/** @param value of a record that the consumer got @returns what it stands for when its batch could not be unpacked */
export function unreadableOf(value: Buffer | null): Unreadable | undefined {
  return value === null ? undefined : unreadable.get(value)
}

/** @returns all records of an answer's share of one partition; a batch cut short at its end is left for the next answer */
export async function decodeRecordBatches(bytes: Buffer): Promise<DecodedRecord[]> {
  const found: DecodedRecord[] = []
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const end = at + COUNTED_FROM + bytes.readInt32BE(at + LENGTH_AT)
    if (end > bytes.length || end < at + HEADER_BYTES) break
    const batch = bytes.subarray(at, end)
    at = end
    const context = contextOf(batch)
    try {
      for (const record of decodeRecords(await unpacked(batch), batch.readInt32BE(COUNT_AT), context))
        found.push(record)
    } catch (error) {
      found.push(standIn(batch, context, error))
    }
  }
  return found
}

function contextOf(batch: Buffer): BatchContext {
  const attributes = batch.readInt16BE(ATTRIBUTES_AT)
  return {
    firstOffset: String(batch.readBigInt64BE(0)),
    lastOffsetDelta: batch.readInt32BE(LAST_OFFSET_DELTA_AT),
    firstTimestamp: String(batch.readBigInt64BE(FIRST_TIMESTAMP_AT)),
    maxTimestamp: String(batch.readBigInt64BE(MAX_TIMESTAMP_AT)),
    producerId: String(batch.readBigInt64BE(PRODUCER_ID_AT)),
    producerEpoch: batch.readInt16BE(PRODUCER_EPOCH_AT),
    firstSequence: batch.readInt32BE(FIRST_SEQUENCE_AT),
    partitionLeaderEpoch: batch.readInt32BE(LEADER_EPOCH_AT),
    inTransaction: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControlBatch: (attributes & CONTROL_FLAG) !== 0,
    timestampType: (attributes & LOG_APPEND_TIME_FLAG) === 0 ? 0 : 1,
    magicByte: MAGIC,
  }
}

/** The records' bytes. @throws Error when the codec cannot read them */
async function unpacked(batch: Buffer): Promise<Buffer> {
  if (batch[MAGIC_AT] !== MAGIC) throw new Error(`its magic byte is ${batch[MAGIC_AT] ?? 0}`)
  const packed = batch.subarray(HEADER_BYTES)
  const type = batch.readInt16BE(ATTRIBUTES_AT) & CODEC_MASK
  if (type === 0) return packed
  const name = CODEC_NAMES[type]
  if (name === undefined) throw new Error(`there is no codec ${type}`)
  if (packed.length === 0) return packed
  try {
    const codecs = kafkajs.CompressionCodecs as Readonly<Record<number, () => Codec>>
    return await (codecs[type]?.() ?? noCodec(name)).decompress(packed)
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

function noCodec(name: string): never {
  throw new Error(`the codec ${name} is not there`)
}

type Codec = { decompress(packed: Buffer): Promise<Buffer> }

function decodeRecords(bytes: Buffer, count: number, context: BatchContext): DecodedRecord[] {
  const reader = new RecordReader(bytes)
  const records: DecodedRecord[] = []
  while (records.length < count) records.push(reader.record(context))
  return records
}

class RecordReader {
  private at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  record(context: BatchContext): DecodedRecord {
    const length = this.varint(this.bytes.length)
    const end = this.at + length
    if (length < 0 || end > this.bytes.length) throw this.lies('a record', length, this.bytes.length)
    const attributes = this.byte(end)
    const timestampDelta = this.varlong(end)
    const offsetDelta = this.varint(end)
    const key = this.field(end, 'a key')
    const value = this.field(end, 'a value')
    const headers = this.headers(end)
    if (this.at !== end) throw new Error(`a record is longer than its fields at byte ${this.at}`)
    const { firstOffset, firstTimestamp, maxTimestamp, timestampType, isControlBatch, magicByte } = context
    return {
      magicByte,
      attributes,
      timestamp: timestampType === 1 ? maxTimestamp : String(BigInt(firstTimestamp) + timestampDelta),
      offset: String(BigInt(firstOffset) + BigInt(offsetDelta)),
      key,
      value,
      headers,
      isControlRecord: isControlBatch,
      batchContext: context,
    }
  }

  private headers(end: number): Record<string, Buffer | Buffer[]> {
    const count = this.varint(end)
    const headers: Record<string, Buffer | Buffer[]> = {}
    for (let index = 0; index < count; index += 1) {
      const name = this.field(end, 'the name of a header')?.toString() ?? ''
      const value = this.field(end, 'a header') ?? Buffer.alloc(0)
      const known = Object.hasOwn(headers, name) ? headers[name] : undefined
      // A header may be named __proto__.
      Object.defineProperty(headers, name, {
        value: known === undefined ? value : [known, value].flat(),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    return headers
  }

  /** A length and as many bytes; −1 stands for null. */
  private field(end: number, name: string): Buffer | null {
    const length = this.varint(end)
    if (length === -1) return null
    if (length < 0 || length > end - this.at) throw this.lies(name, length, end)
    const from = this.at
    this.at += length
    return this.bytes.subarray(from, this.at)
  }

  private byte(end: number): number {
    if (this.at >= end) throw new Error(`the records end at byte ${this.at}`)
    const byte = this.bytes[this.at] ?? 0
    this.at += 1
    return byte
  }

  private varint(end: number): number {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.byte(end)
      value |= (byte & 127) << shift
      if (byte < 128) return (value >>> 1) ^ -(value & 1)
    }
    throw new Error(`a number is longer than 5 bytes at byte ${this.at}`)
  }

  private varlong(end: number): bigint {
    let value = 0n
    for (let shift = 0n; shift <= 63n; shift += 7n) {
      const byte = this.byte(end)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return (value >> 1n) ^ -(value & 1n)
    }
    throw new Error(`a number is longer than 10 bytes at byte ${this.at}`)
  }

  private lies(name: string, length: number, end: number): Error {
    return new Error(`${name} is ${length} bytes long at byte ${this.at}, ${end - this.at} are left`)
  }
}

function standIn(batch: Buffer, context: BatchContext, error: unknown): DecodedRecord {
  const firstOffset = BigInt(context.firstOffset)
  const lastOffset = firstOffset + BigInt(Math.max(0, context.lastOffsetDelta))
  const value = Buffer.from(batch)
  const reason = error instanceof Error ? error.message : String(error)
  unreadable.set(value, { firstOffset, lastOffset, reason })
  return {
    magicByte: MAGIC,
    attributes: 0,
    timestamp: context.maxTimestamp,
    offset: String(lastOffset),
    key: null,
    value,
    headers: {},
    isControlRecord: false,
    // What was aborted is not known any more, and it is not stored either.
    batchContext: { ...context, inTransaction: false, isControlBatch: false },
  }
}

type KafkajsDecoder = {
  readInt32(): number
  readBytes(size: number): Buffer
  canReadBytes(size: number): boolean
}

let isInstalled = false

/** Puts our way of taking answers apart in the place of kafkajs's own; once a process, before the first fetch. */
export function installRecordBatches(): void {
  if (isInstalled) return
  isInstalled = true
  const load = createRequire(import.meta.url)
  const path = load.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
  const decodeOldMessages = load(path) as (decoder: KafkajsDecoder) => Promise<unknown[]>
  const Decoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => KafkajsDecoder
  const module = load.cache[path]
  if (module === undefined) throw new Error(`kafkajs is not where it was: ${path}`)
  module.exports = async (decoder: KafkajsDecoder): Promise<unknown[]> => {
    const size = decoder.readInt32()
    if (size <= 0 || !decoder.canReadBytes(size)) return []
    const bytes = decoder.readBytes(size)
    // 0 and 1 are message sets, as brokers before 0.11 wrote them.
    if ((bytes[MAGIC_AT] ?? MAGIC) >= MAGIC) return decodeRecordBatches(bytes)
    const framed = Buffer.alloc(4 + size)
    framed.writeInt32BE(size)
    bytes.copy(framed, 4)
    return decodeOldMessages(new Decoder(framed))
  }
}
