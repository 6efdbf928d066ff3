// Protobuf's wire format, read just far enough: tags, lengths, what can be skipped. Every length is checked against
// what is there; nothing is decoded and nothing copied. What the fields mean is known to the walks.

const NANOSECONDS_PER_MS = 1e6
const TWO_32 = 4_294_967_296

/** What is wrong with the bytes, and where. */
export class Malformed extends Error {}

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

/** The fields of a message that a walk has already accepted; for the rare steps that take messages apart. */
export function messageFields(bytes: Uint8Array, from: number, to: number): Field[] {
  return new WireReader(bytes).fields(from, to)
}

/**
 * A request with nothing but its first field: what OTLP may add beside it is not for the engine, which reads requests behind
 * one another as one message and, at a field there that it does not know, passes over what follows without a word.
 */
export function withoutStrangers(bytes: Uint8Array): Buffer {
  const known = messageFields(bytes, 0, bytes.length).filter(
    ({ number, wireType }) => number === 1 && wireType === 2,
  )
  return Buffer.concat(known.map(({ tagAt, end }) => bytes.subarray(tagAt, end)))
}

/** Nanoseconds since epoch at a byte, as ms with fractions. */
export function fixed64Ms(bytes: Uint8Array, at: number): number {
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

export class WireReader {
  protected at = 0
  protected readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** A message of fields that are only skipped. */
  protected message(end: number): void {
    while (this.at < end) this.skip(this.tag(end), end)
  }

  fields(from: number, to: number): Field[] {
    const found: Field[] = []
    this.at = from
    while (this.at < to) {
      const tagAt = this.at
      const tag = this.tag(to)
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
  protected delimited(tag: number, end: number, name: string): number {
    if ((tag & 7) !== 2) throw this.wrongType(name, tag, 2)
    const length = this.varint(end)
    if (length > end - this.at) throw this.cutShort(name, length, end)
    return this.at + length
  }

  protected skip(tag: number, end: number): void {
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

  /** A field's number and wire type; like every reader of protobuf, no more than 32 bits of them. */
  protected tag(end: number): number {
    const tag = this.varint(end)
    if (tag > 0xffffffff) throw new Malformed(`byte ${this.at}: a field's tag is longer than 32 bits`)
    return tag
  }

  /** A varint as a number; beyond 2^53 only its being there matters, never its value. */
  protected varint(end: number): number {
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

  protected wrongType(name: string, tag: number, wanted: number): Malformed {
    return new Malformed(`byte ${this.at}: ${name} has wire type ${tag & 7}, OTLP defines ${wanted}`)
  }

  protected cutShort(name: string, wanted: number, end: number): Malformed {
    const left = Math.max(0, end - this.at)
    return new Malformed(`byte ${this.at}: ${name} is cut short: ${wanted} bytes announced, ${left} left`)
  }
}
