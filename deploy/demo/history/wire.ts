// Protobuf as the history writes it: fragments that are made once, and a buffer that takes fragments and numbers.
// Field numbers are opentelemetry-proto's; they stand where they are used.

import { varint } from '../../../ingest/pipeline/varint.ts'

/** A length-delimited field. */
export function field(number: number, body: Uint8Array | string): Buffer {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

export const integer = (number: number, value: number): Buffer =>
  Buffer.concat([varint(number * 8), varint(value)])

/** A KeyValue as field `number`. */
export function attribute(number: number, key: string, value: string | number): Buffer {
  const any = typeof value === 'string' ? field(1, value) : integer(3, value)
  return field(number, Buffer.concat([field(1, key), field(2, any)]))
}

export const attributes = (number: number, of: Readonly<Record<string, string | number>>): Buffer =>
  Buffer.concat(Object.entries(of).map(([key, value]) => attribute(number, key, value)))

const FIRST_BYTES = 65_536
const WORD = 2 ** 32

/** Bytes that grow at their end. */
export class Bytes {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES)
  #length = 0
  #at: readonly [number, number] = [0, 0]

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
  }

  /** The bytes so far; valid until the next one is written. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Room for so many more bytes; everything below writes without looking. */
  reserve(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + count))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }

  byte(value: number): void {
    this.#buffer[this.#length] = value
    this.#length += 1
  }

  put(fragment: Uint8Array): void {
    this.#buffer.set(fragment, this.#length)
    this.#length += fragment.length
  }

  /** 32 bits in network order, as ids are written. */
  word(value: number): void {
    this.#length = this.#buffer.writeUInt32BE(value, this.#length)
  }

  double(value: number): void {
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
  }

  /** A whole number of up to 53 bits as an sfixed64. */
  whole(value: number): void {
    this.#length = this.#buffer.writeUInt32LE(value % WORD, this.#length)
    this.#length = this.#buffer.writeUInt32LE(Math.floor(value / WORD), this.#length)
  }

  /** Sets what `instant` counts from. */
  origin(ms: number): void {
    const ns = BigInt(ms) * 1_000_000n
    this.#at = [Number(ns >> 32n), Number(ns & 0xffffffffn)]
  }

  /** The origin and so many nanoseconds as a fixed64. */
  instant(afterNs: number): void {
    const low = this.#at[1] + (afterNs % WORD)
    const carry = low >= WORD ? 1 : 0
    this.#length = this.#buffer.writeUInt32LE(low - carry * WORD, this.#length)
    this.#length = this.#buffer.writeUInt32LE(this.#at[0] + Math.floor(afterNs / WORD) + carry, this.#length)
  }

  /** A fixed number of digits. */
  digits(value: number, count: number): void {
    let rest = value
    for (let place = this.#length + count - 1; place >= this.#length; place -= 1) {
      this.#buffer[place] = 48 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    this.#length += count
  }

  /** Leaves room for a length of up to 16,383. @returns its place for `closeLength` */
  openLength(): number {
    this.#length += 2
    return this.#length
  }

  /** Two bytes even where one would do: a varint may be longer than it must. */
  closeLength(place: number): void {
    const length = this.#length - place
    this.#buffer[place - 2] = (length & 127) | 128
    this.#buffer[place - 1] = length >> 7
  }
}
