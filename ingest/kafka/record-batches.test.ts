import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { random, varint } from '../../test/support/otlp.ts'
import { registerCodecs } from './codecs.ts'
import { decodeRecordBatches, unreadableOf } from './record-batches.ts'

beforeAll(registerCodecs)

const zigzag = (value: number) => varint(value < 0 ? -2 * value - 1 : 2 * value)
const sized = (bytes: Buffer | null) =>
  bytes === null ? zigzag(-1) : Buffer.concat([zigzag(bytes.length), bytes])

type RecordInput = {
  readonly key?: Buffer
  readonly value: Buffer | null
  readonly headers?: readonly (readonly [string, string])[]
}

function record({ key, value, headers = [] }: RecordInput, index: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    zigzag(index * 7),
    zigzag(index),
    sized(key ?? null),
    sized(value),
    zigzag(headers.length),
    ...headers.flatMap(([name, text]) => [sized(Buffer.from(name)), sized(Buffer.from(text))]),
  ])
  return Buffer.concat([zigzag(body.length), body])
}

/** A batch as a broker hands it out. */
function batch(firstOffset: bigint, count: number, records: Buffer, codec = 0): Buffer {
  const bytes = Buffer.alloc(61 + records.length)
  bytes.writeBigInt64BE(firstOffset, 0)
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes[16] = 2
  bytes.writeInt16BE(codec, 21)
  bytes.writeInt32BE(count - 1, 23)
  bytes.writeBigInt64BE(1000n, 27)
  bytes.writeBigInt64BE(2000n, 35)
  bytes.writeBigInt64BE(-1n, 43)
  bytes.writeInt16BE(-1, 51)
  bytes.writeInt32BE(-1, 53)
  bytes.writeInt32BE(count, 57)
  records.copy(bytes, 61)
  return bytes
}
const batchOf = (firstOffset: bigint, inputs: readonly RecordInput[], codec = 0) => {
  const records = Buffer.concat(inputs.map(record))
  return batch(firstOffset, inputs.length, codec === 1 ? gzipSync(records) : records, codec)
}

const inputs: readonly RecordInput[] = [
  {
    key: Buffer.from('k'),
    value: Buffer.from('a'),
    headers: [
      ['h', '1'],
      ['h', '2'],
      ['__proto__', 'x'],
    ],
  },
  { value: null },
  { value: Buffer.alloc(0) },
  { value: Buffer.alloc(300, 7) },
]

test.each([0, 1])('records are what kafkajs makes of them, codec %i', async (codec) => {
  const bytes = batchOf(40n, inputs, codec)
  const load = createRequire(import.meta.url)
  const Decoder = load('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown
  const theirs = load('kafkajs/src/protocol/recordBatch/v0/decoder') as (
    decoder: unknown,
  ) => Promise<{ records: Record<string, unknown>[] }>
  const { records } = await theirs(new Decoder(bytes))
  const ours = await decodeRecordBatches(Buffer.concat([bytes, bytes.subarray(0, 100)]))
  expect(ours).toHaveLength(inputs.length)
  const plain = ({ headers: _headers, ...rest }: Record<string, unknown>) => rest
  expect(ours.map(plain)).toEqual(records.map(plain))
  expect(ours[0]?.headers['h']).toEqual([Buffer.from('1'), Buffer.from('2')])
  expect(Object.keys(ours[0]?.headers ?? {})).toEqual(['h', '__proto__'])
  expect(ours.map(({ value }) => unreadableOf(value))).toEqual(inputs.map(() => undefined))
})

describe('a batch that cannot be unpacked is one record at its last offset, and those around it are read', () => {
  const good = batchOf(0n, inputs)
  test.each([
    {
      name: 'no gzip',
      bytes: batch(4n, 3, Buffer.from('not gzip'), 1),
      said: /^gzip: incorrect header check/,
    },
    { name: 'no lz4', bytes: batch(4n, 3, Buffer.from('not lz4 at all'), 3), said: /^lz4: / },
    { name: 'no snappy', bytes: batch(4n, 3, Buffer.alloc(20, 0xff), 2), said: /^snappy: / },
    { name: 'no zstd', bytes: batch(4n, 3, Buffer.from('not zstd at all'), 4), said: /^zstd: / },
    { name: 'a codec that does not exist', bytes: batch(4n, 3, Buffer.alloc(9), 6), said: /no codec 6/ },
    { name: 'fewer records than said', bytes: batch(4n, 3, record({ value: null }, 0)), said: /end at byte/ },
    {
      name: 'a length beyond the batch',
      bytes: batch(4n, 3, Buffer.from([0x7e, 1, 2])),
      said: /a record is 63 bytes long/,
    },
    {
      name: 'a length below zero',
      bytes: batch(4n, 3, Buffer.from([0x03, 1, 2])),
      said: /a record is -2 bytes long/,
    },
    {
      name: 'a value longer than its record',
      bytes: batch(4n, 3, Buffer.concat([zigzag(6), Buffer.from([0, 0, 0, 1, 0x40, 0])])),
      said: /a value is 32 bytes long/,
    },
    {
      name: 'two billion headers',
      bytes: batch(4n, 3, Buffer.concat([zigzag(10), Buffer.from([0, 0, 0, 1, 1]), zigzag(2 ** 31 - 1)])),
      said: /end at byte/,
    },
  ])('$name', async ({ bytes, said }) => {
    const found = await decodeRecordBatches(Buffer.concat([good, bytes, batchOf(7n, inputs)]))
    expect(found.map(({ offset }) => offset)).toEqual(['0', '1', '2', '3', '6', '7', '8', '9', '10'])
    const { value } = found[4] ?? { value: null }
    expect(unreadableOf(value)).toMatchObject({ firstOffset: 4n, lastOffset: 6n })
    expect(unreadableOf(value)?.reason).toMatch(said)
    expect(value).toEqual(bytes)
  })
})

test('three hundred thousand tombstones are no matter', async () => {
  const records = Buffer.concat(Array.from({ length: 300_000 }, (_, index) => record({ value: null }, index)))
  expect(await decodeRecordBatches(batch(0n, 300_000, records))).toHaveLength(300_000)
})

test('random damage is read or told, and never hangs', async () => {
  const next = random(5)
  const good = batchOf(0n, inputs)
  for (let round = 0; round < 2000; round += 1) {
    const damaged = Buffer.from(good)
    const flips = 1 + Math.floor(next() * 4)
    for (let flip = 0; flip < flips; flip += 1)
      damaged[61 + Math.floor(next() * (good.length - 61))] = Math.floor(next() * 256)
    const found = await decodeRecordBatches(damaged)
    expect([1, inputs.length]).toContain(found.length)
  }
})
