// OTLP/JSON to the protobuf bytes that every other step knows, driven by the tables in otlp-messages.ts. Pure.
// Rules of OTLP over those of protobuf's JSON: field names in lowerCamelCase only, ids hexadecimal in either case,
// unknown fields ignored, null is absent. Enum names are taken although OTLP asks for numbers.
// Source: opentelemetry.io/docs/specs/otlp, "JSON Protobuf Encoding"; protobuf.dev, "ProtoJSON Format".

import { isObject, readJson } from './json-text.ts'
import {
  LOG_MESSAGES,
  METRIC_MESSAGES,
  TRACE_MESSAGES,
  type FieldRow,
  type MessageTable,
  type Scalar,
  type Tables,
} from './otlp-messages.ts'

export type Transcoded =
  | { readonly kind: 'proto'; readonly bytes: Uint8Array }
  /** `reason` begins with the place, as in `resourceSpans[0].scopeSpans[0].spans[2].traceId: must be …`. */
  | { readonly kind: 'refused'; readonly reason: string }

/** @returns a function from the JSON of one `root` message to its protobuf bytes */
export function buildJsonToProto<Names extends Tables>(tables: Names, root: keyof Names & string) {
  const messages = compile(tables)
  const rootMessage = messages.get(root)
  if (rootMessage === undefined) throw new Error(`${root} is not among the tables`)

  return (json: Uint8Array): Transcoded => {
    const read = readJson(json, true)
    if (read.kind === 'refused') return { kind: 'refused', reason: `it ${read.message}` }
    if (!isObject(read.value)) return { kind: 'refused', reason: 'it must be a JSON object' }
    const writer = new Writer(json.length)
    try {
      writer.fields(rootMessage, read.value)
    } catch (error) {
      if (error instanceof Misfit) return { kind: 'refused', reason: `${writer.place()}: ${error.message}` }
      throw error
    }
    return { kind: 'proto', bytes: writer.written() }
  }
}

type Field = {
  readonly name: string
  readonly tag: number
  readonly repeated: boolean
  /** Numbers of a repeated field stand in one run of bytes. */
  readonly packed: boolean
  readonly write: (writer: Writer, value: unknown) => void
}
/** Filled in two steps, since messages contain one another. */
type Message = { fields: readonly Field[]; readonly isOneof: boolean }

const VARINT = 0
const FIXED64 = 1
const DELIMITED = 2
const FIXED32 = 5

const SCALARS: Readonly<
  Record<Scalar, { readonly wire: number; readonly write: (writer: Writer, value: unknown) => void }>
> = {
  string: { wire: DELIMITED, write: (writer, value) => writer.text(value) },
  bytes: { wire: DELIMITED, write: (writer, value) => writer.base64(value) },
  id16: { wire: DELIMITED, write: (writer, value) => writer.hex(value, 16) },
  id8: { wire: DELIMITED, write: (writer, value) => writer.hex(value, 8) },
  bool: { wire: VARINT, write: (writer, value) => writer.bool(value) },
  int32: { wire: VARINT, write: (writer, value) => writer.integer(value, INT32) },
  sint32: { wire: VARINT, write: (writer, value) => writer.zigzag(value, INT32) },
  uint32: { wire: VARINT, write: (writer, value) => writer.integer(value, UINT32) },
  int64: { wire: VARINT, write: (writer, value) => writer.integer(value, INT64) },
  uint64: { wire: VARINT, write: (writer, value) => writer.integer(value, UINT64) },
  fixed32: { wire: FIXED32, write: (writer, value) => writer.fixed32(value) },
  fixed64: { wire: FIXED64, write: (writer, value) => writer.fixed64(value, UINT64) },
  sfixed64: { wire: FIXED64, write: (writer, value) => writer.fixed64(value, INT64) },
  double: { wire: FIXED64, write: (writer, value) => writer.double(value) },
}

function compile(tables: Tables): Map<string, Message> {
  const messages = new Map<string, Message>()
  const rows: { readonly message: Message; readonly table: MessageTable }[] = []
  for (const [name, table] of Object.entries(tables)) {
    if ('names' in table) continue
    const message: Message = { fields: [], isOneof: table.oneof === true }
    messages.set(name, message)
    rows.push({ message, table })
  }
  for (const { message, table } of rows) {
    message.fields = Object.entries(table.fields).map(([name, row]) =>
      compileField(name, row, tables, messages),
    )
  }
  return messages
}

function compileField(
  name: string,
  [number, kind, repeated]: FieldRow,
  tables: Tables,
  messages: ReadonlyMap<string, Message>,
): Field {
  const shared = { name, repeated: repeated !== undefined }
  const message = messages.get(kind)
  if (message !== undefined) {
    const write = (writer: Writer, value: unknown) => writer.message(message, value)
    return { ...shared, tag: (number << 3) | DELIMITED, packed: false, write }
  }
  const table = tables[kind]
  if (table !== undefined && 'names' in table) {
    const { names } = table
    const write = (writer: Writer, value: unknown) => writer.choice(value, names)
    return { ...shared, tag: (number << 3) | VARINT, packed: shared.repeated, write }
  }
  const scalar = SCALARS[kind as Scalar] as (typeof SCALARS)[Scalar] | undefined
  if (scalar === undefined) throw new Error(`${name} is of kind ${kind}, which is no scalar and has no table`)
  const packed = shared.repeated && scalar.wire !== DELIMITED
  const tag = (number << 3) | (packed ? DELIMITED : scalar.wire)
  return { ...shared, tag, packed, write: scalar.write }
}

/** The value does not fit its field; the place is where the writer stands. */
class Misfit extends Error {}

type Range = { readonly from: bigint; readonly to: bigint }
const INT32: Range = { from: -(2n ** 31n), to: 2n ** 31n - 1n }
const UINT32: Range = { from: 0n, to: 2n ** 32n - 1n }
const INT64: Range = { from: -(2n ** 63n), to: 2n ** 63n - 1n }
const UINT64: Range = { from: 0n, to: 2n ** 64n - 1n }

const DIGITS = /^-?\d{1,20}$/
const DECIMAL = /^-?\d{1,400}(\.\d{1,400})?([eE][+-]?\d{1,4})?$/
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/
const HEXADECIMAL = /^[0-9A-Fa-f]*$/

class Writer {
  private buffer: Buffer
  private at = 0
  private readonly path: (string | number)[] = []

  /** @param bytesExpected protobuf is rarely longer than its JSON */
  constructor(bytesExpected: number) {
    this.buffer = Buffer.allocUnsafe(bytesExpected + 64)
  }

  /** A copy of its own size: what waits for its batch should not hold the room it was written in. */
  written(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.buffer, 0, this.at)
  }

  /** Where it stands, as a path from the request. */
  place(): string {
    return this.path
      .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
      .join('')
      .slice(1)
  }

  fields(message: Message, object: Readonly<Record<string, unknown>>): void {
    let chosen: string | undefined
    for (const field of message.fields) {
      const { name } = field
      if (!Object.hasOwn(object, name)) continue
      const value = object[name]
      if (value === null) continue
      if (message.isOneof) {
        if (chosen !== undefined) throw new Misfit(`has both ${chosen} and ${name}; send one of them`)
        chosen = name
      }
      this.path.push(name)
      if (field.repeated) this.repeated(field, value)
      else this.single(field, value)
      this.path.pop()
    }
  }

  private single(field: Field, value: unknown): void {
    this.varint(field.tag)
    field.write(this, value)
  }

  private repeated(field: Field, value: unknown): void {
    if (!Array.isArray(value)) throw new Misfit('must be an array')
    if (field.packed) {
      if (value.length === 0) return
      this.varint(field.tag)
      this.delimited(() => this.elements(value, (item) => field.write(this, item)))
    } else this.elements(value, (item) => this.single(field, item))
  }

  private elements(values: readonly unknown[], write: (item: unknown) => void): void {
    for (let index = 0; index < values.length; index += 1) {
      this.path.push(index)
      write(values[index])
      this.path.pop()
    }
  }

  message(message: Message, value: unknown): void {
    if (!isObject(value)) throw new Misfit('must be an object')
    this.delimited(() => this.fields(message, value))
  }

  /** The length is known afterwards: one byte is left for it, and the content moves when that is too few. */
  private delimited(write: () => void): void {
    this.room(1)
    const lengthAt = this.at
    this.at += 1
    write()
    this.putLength(lengthAt)
  }

  private putLength(lengthAt: number): void {
    const length = this.at - lengthAt - 1
    if (length < 128) {
      this.buffer[lengthAt] = length
      return
    }
    const extra = varintBytes(length) - 1
    this.room(extra)
    this.buffer.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.at)
    const end = this.at + extra
    this.at = lengthAt
    this.varint(length)
    this.at = end
  }

  text(value: unknown): void {
    if (typeof value !== 'string') throw new Misfit('must be a string')
    // A UTF-16 unit is three bytes of UTF-8 at most.
    this.room(value.length * 3 + 1)
    const lengthAt = this.at
    this.at += 1
    this.at += this.buffer.write(value, this.at, 'utf8')
    this.putLength(lengthAt)
  }

  hex(value: unknown, bytes: number): void {
    const fits =
      typeof value === 'string' &&
      (value.length === bytes * 2 || value.length === 0) &&
      HEXADECIMAL.test(value)
    if (!fits) throw new Misfit(`must be ${bytes * 2} hexadecimal digits`)
    this.raw(Buffer.from(value, 'hex'))
  }

  base64(value: unknown): void {
    const isBase64 =
      typeof value === 'string' && BASE64.test(value) && value.replace(/=+$/, '').length % 4 !== 1
    if (!isBase64) throw new Misfit('must be base64')
    this.raw(Buffer.from(value, 'base64'))
  }

  bool(value: unknown): void {
    if (typeof value !== 'boolean') throw new Misfit('must be true or false')
    this.varint(value ? 1 : 0)
  }

  integer(value: unknown, range: Range): void {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= range.to) {
      this.varint(value)
      return
    }
    this.bigVarint(BigInt.asUintN(64, wholeNumber(value, range)))
  }

  /** sint32: small numbers of either sign are short. */
  zigzag(value: unknown, range: Range): void {
    const number = wholeNumber(value, range)
    this.bigVarint(number < 0n ? -2n * number - 1n : 2n * number)
  }

  choice(value: unknown, names: readonly string[]): void {
    if (typeof value !== 'string' || DIGITS.test(value)) {
      this.integer(value, INT32)
      return
    }
    const number = names.indexOf(value)
    if (number < 0) throw new Misfit(`must be a number or one of ${names.join(', ')}`)
    this.varint(number)
  }

  fixed32(value: unknown): void {
    const number = Number(wholeNumber(value, UINT32))
    this.room(4)
    this.at = this.buffer.writeUInt32LE(number, this.at)
  }

  fixed64(value: unknown, range: Range): void {
    const number = BigInt.asUintN(64, wholeNumber(value, range))
    this.room(8)
    this.at = this.buffer.writeBigUInt64LE(number, this.at)
  }

  double(value: unknown): void {
    const number = doubleOf(value)
    this.room(8)
    this.at = this.buffer.writeDoubleLE(number, this.at)
  }

  private raw(bytes: Buffer): void {
    this.varint(bytes.length)
    this.room(bytes.length)
    this.at += bytes.copy(this.buffer, this.at)
  }

  /** @param value a whole number from 0 to 2^53 */
  private varint(value: number): void {
    this.room(10)
    let rest = value
    while (rest > 127) {
      this.buffer[this.at] = (rest % 128) | 128
      this.at += 1
      rest = Math.floor(rest / 128)
    }
    this.buffer[this.at] = rest
    this.at += 1
  }

  private bigVarint(value: bigint): void {
    this.room(10)
    let rest = value
    while (rest > 127n) {
      this.buffer[this.at] = Number(rest & 127n) | 128
      this.at += 1
      rest >>= 7n
    }
    this.buffer[this.at] = Number(rest)
    this.at += 1
  }

  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}

/** A number, or its digits in a string. @throws Misfit */
function wholeNumber(value: unknown, { from, to }: Range): bigint {
  const number = bigintOf(value)
  if (number === undefined || number < from || number > to)
    throw new Misfit(`must be a whole number from ${from} to ${to}`)
  return number
}

function bigintOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && DIGITS.test(value) ? BigInt(value) : undefined
}

/** A number, its digits in a string, or one of the three words that JSON has no number for. @throws Misfit */
function doubleOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value)
  if (typeof value === 'string' && DECIMAL.test(value)) return Number(value)
  throw new Misfit('must be a number, "NaN", "Infinity" or "-Infinity"')
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

/** One `ExportLogsServiceRequest` as JSON, UTF-8. */
export const logsFromJson = buildJsonToProto(LOG_MESSAGES, 'ExportLogsServiceRequest')

/** One `ExportMetricsServiceRequest` as JSON, UTF-8. */
export const metricsFromJson = buildJsonToProto(METRIC_MESSAGES, 'ExportMetricsServiceRequest')

/** One `ExportTraceServiceRequest` as JSON, UTF-8. */
export const tracesFromJson = buildJsonToProto(TRACE_MESSAGES, 'ExportTraceServiceRequest')
