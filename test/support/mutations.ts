// Damages bytes and texts the way senders, networks and enemies do; the same seed damages the same way.

import { varint } from './otlp.ts'

type Random = () => number
const below = (next: Random, bound: number) => Math.floor(next() * bound)
const pick = <Item>(next: Random, items: readonly Item[]): Item => items[below(next, items.length)] as Item

type Field = {
  readonly from: number
  readonly valueAt: number
  readonly to: number
  readonly wireType: number
}

/** Fields at a random depth, as far as they can be read; a reader of its own, which believes nothing. */
function fieldsOf(bytes: Buffer, from: number, to: number): Field[] {
  const found: Field[] = []
  let at = from
  const number = () => {
    let value = 0
    for (let shift = 0; shift < 35 && at < to; shift += 7) {
      const byte = bytes[at] ?? 0
      at += 1
      value += (byte & 127) * 2 ** shift
      if (byte < 128) return value
    }
    return -1
  }
  while (at < to) {
    const start = at
    const tag = number()
    const wireType = tag & 7
    let valueAt = at
    if (tag < 8) return found
    if (wireType === 0) number()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else if (wireType === 2) {
      const length = number()
      valueAt = at
      if (length < 0) return found
      at += length
    } else return found
    if (at > to) return found
    found.push({ from: start, valueAt, to: at, wireType })
  }
  return found
}

function randomField(next: Random, bytes: Buffer): Field | undefined {
  let [from, to] = [0, bytes.length]
  let chosen: Field | undefined
  for (let depth = 0; depth < 8; depth += 1) {
    const fields = fieldsOf(bytes, from, to)
    if (fields.length === 0) return chosen
    chosen = pick(next, fields)
    if (chosen.wireType !== 2 || next() < 0.25) return chosen
    from = chosen.valueAt
    to = chosen.to
  }
  return chosen
}

function spliced(bytes: Buffer, from: number, to: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), inserted, bytes.subarray(to)])
}

type Damage = (next: Random, bytes: Buffer, corpus: readonly Buffer[]) => Buffer

const DAMAGES: Readonly<Record<string, Damage>> = {
  'flipped bits': (next, bytes) => {
    const copy = Buffer.from(bytes)
    for (let flips = 1 + below(next, 4); flips > 0; flips -= 1) {
      const at = below(next, copy.length)
      copy[at] = (copy[at] ?? 0) ^ (1 << below(next, 8))
    }
    return copy
  },
  'cut short': (next, bytes) => bytes.subarray(0, below(next, bytes.length)),
  'a range taken out': (next, bytes) => {
    const from = below(next, bytes.length)
    return spliced(bytes, from, Math.min(bytes.length, from + 1 + below(next, 40)), Buffer.alloc(0))
  },
  'a length that lies': (next, bytes) => {
    const field = randomField(next, bytes)
    if (field === undefined || field.wireType !== 2) return bytes
    const length = pick(next, [
      0,
      1,
      field.to - field.valueAt + 1 + below(next, 300),
      2 ** 31,
      2 ** 32 + 5,
      2 ** 53,
    ])
    // The tag of every field we write is one or two bytes.
    const tagBytes = (bytes[field.from] ?? 0) < 128 ? 1 : 2
    return spliced(bytes, field.from + tagBytes, field.valueAt, varint(length))
  },
  'a field twice': (next, bytes) => {
    const field = randomField(next, bytes)
    return field === undefined
      ? bytes
      : spliced(bytes, field.to, field.to, bytes.subarray(field.from, field.to))
  },
  'a field of another message': (next, bytes, corpus) => {
    const other = pick(next, corpus)
    const [mine, theirs] = [randomField(next, bytes), randomField(next, other)]
    return mine === undefined || theirs === undefined
      ? bytes
      : spliced(bytes, mine.from, mine.to, other.subarray(theirs.from, theirs.to))
  },
  'two halves': (next, bytes, corpus) => {
    const other = pick(next, corpus)
    return Buffer.concat([
      bytes.subarray(0, below(next, bytes.length)),
      other.subarray(below(next, other.length)),
    ])
  },
  'a number without end': (next, bytes) => {
    const at = below(next, bytes.length)
    return spliced(bytes, at, at, Buffer.alloc(1 + below(next, 12), 0xff))
  },
  'another wire type': (next, bytes) => {
    const field = randomField(next, bytes)
    if (field === undefined) return bytes
    const copy = Buffer.from(bytes)
    copy[field.from] = ((copy[field.from] ?? 0) & ~7) | below(next, 8)
    return copy
  },
  'an unknown field': (next, bytes) => {
    const field = randomField(next, bytes)
    if (field === undefined) return bytes
    const unknown = Buffer.concat([
      varint(((100 + below(next, 1e6)) << 3) | 2),
      varint(3),
      Buffer.from('abc'),
    ])
    return spliced(bytes, field.from, field.from, unknown)
  },
  noise: (next, bytes) =>
    Buffer.from(Array.from({ length: 1 + below(next, 200) }, () => below(next, 256))).subarray(
      0,
      Math.max(1, bytes.length),
    ),
}

/** @returns the name of what was done (several, joined) and the bytes */
export function damageBytes(
  next: Random,
  corpus: readonly Buffer[],
): { readonly name: string; readonly bytes: Buffer } {
  let bytes = pick(next, corpus)
  const names: string[] = []
  for (let times = next() < 0.7 ? 1 : 2 + below(next, 3); times > 0 && bytes.length > 0; times -= 1) {
    const name = pick(next, Object.keys(DAMAGES))
    names.push(name)
    bytes = (DAMAGES[name] as Damage)(next, bytes, corpus)
  }
  return { name: names.join(', '), bytes }
}

const TOKENS = [
  'null',
  'true',
  '-1',
  '1e400',
  '18446744073709551616',
  '"NaN"',
  '"\\ud800"',
  '"\\u0000"',
  '[]',
  '{}',
  '[[[[[[',
  '""',
  '0x10',
  "'x'",
  '{"kvlistValue":{"values":[{"key":"a"}]}}',
  '"0af7651916cd43dd8448eb211c80319c"',
  '1763683200000000000',
  ',',
  '}',
  ':',
]

/** Replaces, takes out, doubles and cuts tokens of a JSON text. */
export function damageText(
  next: Random,
  corpus: readonly string[],
): { readonly name: string; readonly text: string } {
  let text = pick(next, corpus)
  const names: string[] = []
  for (let times = 1 + below(next, 3); times > 0; times -= 1) {
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[-+.\w]+|[^\s]/g) ?? ['']
    const at = below(next, tokens.length)
    const [name, changed] = pick<() => readonly [string, string[]]>(next, [
      () => ['a token replaced', tokens.with(at, pick(next, TOKENS))],
      () => ['a token taken out', tokens.toSpliced(at, 1)],
      () => ['tokens doubled', tokens.toSpliced(at, 0, ...tokens.slice(at, at + 1 + below(next, 12)))],
      () => ['cut short', tokens.slice(0, at)],
      () => [
        'tokens swapped',
        tokens
          .with(at, tokens[below(next, tokens.length)] ?? '')
          .with(below(next, tokens.length), tokens[at] ?? ''),
      ],
    ])()
    names.push(name)
    text = changed.join('')
  }
  return { name: names.join(', '), text }
}
