// Compressed batches of records. Node knows gzip (kafkajs's own has no bound) and zstd; lz4 and snappy come from small libraries in plain
// JavaScript, because nothing here may compile at installation. What a batch inflates to is bounded.

import { promisify } from 'node:util'
import { gunzip, gzip, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'
import snappy from 'snappyjs'

const zip = promisify(gzip)
const unzip = promisify(gunzip)

/** What one batch of records may inflate to. */
const INFLATED_BYTES_MAX = 256 * 1024 * 1024

// Java's snappy stream, which Kafka's clients write: a header, then blocks with their length in front.
const SNAPPY_STREAM_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const SNAPPY_STREAM_HEADER_BYTES = 16

type Codec = {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(buffer: Buffer): Promise<Buffer>
}

function codec(
  compress: (plain: Buffer) => Uint8Array,
  decompress: (packed: Buffer) => Uint8Array,
): () => Codec {
  const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return () => ({
    compress: async ({ buffer }) => asBuffer(compress(buffer)),
    decompress: async (buffer) => asBuffer(decompress(buffer)),
  })
}

export function registerCodecs(): void {
  const { CompressionCodecs: codecs, CompressionTypes: types } = kafkajs
  codecs[types.GZIP] = (): Codec => ({
    compress: ({ buffer }) => zip(buffer),
    decompress: (packed) => unzip(packed, { maxOutputLength: INFLATED_BYTES_MAX }),
  })
  codecs[types.ZSTD] = codec(zstdCompressSync, (packed) =>
    zstdDecompressSync(packed, { maxOutputLength: INFLATED_BYTES_MAX }),
  )
  codecs[types.LZ4] = codec((plain) => lz4.compress(plain), inflateLz4)
  codecs[types.Snappy] = codec((plain) => snappy.compress(plain), inflateSnappy)
}

/** @throws Error for bytes that are no LZ4 frame, or one that would inflate beyond the bound */
export function inflateLz4(packed: Buffer): Uint8Array {
  const bound = lz4.decompressBound(packed)
  if (bound > INFLATED_BYTES_MAX)
    throw new Error(`an lz4 batch would inflate to ${bound} bytes, at most ${INFLATED_BYTES_MAX} are taken`)
  return lz4.decompress(packed, bound)
}

/** @throws Error for bytes that are no snappy block or stream, or that would inflate beyond the bound */
export function inflateSnappy(packed: Buffer): Uint8Array {
  if (!packed.subarray(0, SNAPPY_STREAM_MAGIC.length).equals(SNAPPY_STREAM_MAGIC)) {
    return snappy.uncompress(packed, INFLATED_BYTES_MAX)
  }
  const blocks: Uint8Array[] = []
  let inflated = 0
  for (let at = SNAPPY_STREAM_HEADER_BYTES; at < packed.length;) {
    if (at + 4 > packed.length) throw new Error('a snappy batch is cut short in front of a block')
    const length = packed.readInt32BE(at)
    const end = at + 4 + length
    if (length < 0 || end > packed.length)
      throw new Error(
        `a snappy batch is cut short: a block of ${length} bytes, ${packed.length - at - 4} left`,
      )
    const block = snappy.uncompress(packed.subarray(at + 4, end), INFLATED_BYTES_MAX - inflated)
    inflated += block.length
    blocks.push(block)
    at = end
  }
  return Buffer.concat(blocks)
}
