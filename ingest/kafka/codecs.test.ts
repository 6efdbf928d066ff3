import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import kafkajs from 'kafkajs'
import { random, randomBytes } from '../../test/support/otlp.ts'
import { inflateLz4, inflateSnappy, registerCodecs } from './codecs.ts'

registerCodecs()
// Of the fixtures' text; see their README.
const digest = '89c740aec4f635c41a160f59e4c6f7a86cbb901e19c6ea497f742d5d0c095ab8'
const { CompressionCodecs: codecs, CompressionTypes: types } = kafkajs
const next = random(3)
const plain = Buffer.concat(
  Array.from({ length: 3000 }, (_, index) =>
    Buffer.concat([Buffer.from(`service-${index % 20} `), randomBytes(next, 20)]),
  ),
)

describe.each([
  ['lz4', types.LZ4],
  ['snappy', types.Snappy],
  ['zstd', types.ZSTD],
] as const)('%s', (name, type) => {
  type Codec = {
    compress(encoder: { buffer: Buffer }): Promise<Buffer>
    decompress(buffer: Buffer): Promise<Buffer>
  }
  const codec = (codecs[type] as () => Codec)()

  test('gives back what it took', async () => {
    expect((await codec.decompress(await codec.compress({ buffer: plain }))).equals(plain)).toBe(true)
  })

  test('reads what Kafka’s own client writes', async () => {
    const packed = readFileSync(new URL(`../../test/fixtures/kafka/records.${name}`, import.meta.url))
    const inflated = await codec.decompress(packed)
    expect([inflated.length, hash('sha256', inflated)]).toEqual([79_499, digest])
  })

  test('bytes that are something else are refused or give nothing, and never hang', async () => {
    const packed = await codec.compress({ buffer: plain })
    for (let round = 0; round < 200; round += 1) {
      const damaged = Buffer.from(packed.subarray(0, Math.floor(next() * packed.length)))
      if (damaged.length > 0) damaged[Math.floor(next() * damaged.length)] = Math.floor(next() * 256)
      const inflated = await codec.decompress(damaged).catch(() => Buffer.alloc(0))
      expect(inflated.equals(plain)).toBe(false)
    }
  })
})

test('a stream of snappy blocks, as Java writes it', () => {
  const block = (text: string) => {
    const bytes = Buffer.from(text)
    // One literal: length of the whole, tag of the literal, bytes.
    const packed = Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes])
    const length = Buffer.alloc(4)
    length.writeInt32BE(packed.length)
    return Buffer.concat([length, packed])
  }
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])
  const stream = Buffer.concat([header, block('first '), block('second')])
  expect(Buffer.from(inflateSnappy(stream)).toString()).toBe('first second')
  expect(() => inflateSnappy(stream.subarray(0, stream.length - 1))).toThrow('cut short')
  expect(() => inflateSnappy(Buffer.concat([header, Buffer.from([0xff, 0xff, 0xff, 0xff])]))).toThrow(
    'cut short',
  )
})

test('a frame that would inflate beyond the bound is refused before it is inflated', () => {
  const bomb = Buffer.concat([
    Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x40, 0x70, 0]),
    ...Array.from({ length: 100 }, () => Buffer.from([1, 0, 0, 0, 0])),
    Buffer.alloc(4),
  ])
  expect(() => inflateLz4(bomb)).toThrow(/would inflate to \d+ bytes/)
})
