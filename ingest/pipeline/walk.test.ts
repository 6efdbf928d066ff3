import { describe, expect, test } from 'vitest'
import {
  field,
  fixed64,
  integerField,
  random,
  randomBytes,
  traceRequest,
  varint,
} from '../../test/support/otlp.ts'
import { bankRequests } from '../../test/support/bank-spans.ts'
import { walkTraces } from './walk.ts'

const NOW_MS = Date.UTC(2026, 10, 20)
const RANGE = { fromMs: NOW_MS - 7 * 86_400_000, toMs: NOW_MS + 86_400_000 }
const [request = Buffer.alloc(0)] = bankRequests({
  seed: 1,
  requests: 1,
  spansPerRequest: 20,
  startNs: BigInt(NOW_MS) * 1_000_000n,
})
const spanOf = (...fields: Buffer[]) => field(1, field(2, field(2, Buffer.concat(fields))))
const start = (ms: number) => fixed64(7, BigInt(ms) * 1_000_000n)

describe('the structural walk', () => {
  test('counts spans and finds the resource of a well-formed request', () => {
    const walked = walkTraces(request, RANGE)
    expect(walked).toMatchObject({ kind: 'walked', spans: 20, outOfRange: 0 })
    if (walked.kind === 'walked') {
      const [from, to] = walked.resources
      expect(request.subarray(from, to).toString('latin1')).toContain('service.name')
    }
  })

  test('concatenated requests are one request', () => {
    expect(walkTraces(Buffer.concat([request, request]), RANGE)).toMatchObject({ spans: 40 })
  })

  test('an empty message holds no spans', () => {
    expect(walkTraces(new Uint8Array(), RANGE)).toMatchObject({ kind: 'walked', spans: 0 })
  })

  test.each([
    { name: 'a start of zero', fields: [fixed64(7, 0n)], outOfRange: 1 },
    { name: 'no start at all', fields: [field(5, 'x')], outOfRange: 1 },
    { name: 'a start in 2150', fields: [start(Date.UTC(2150, 0, 1))], outOfRange: 1 },
    { name: 'the largest start that 64 bits hold', fields: [fixed64(7, 2n ** 64n - 1n)], outOfRange: 1 },
    { name: 'a start a minute ago', fields: [start(NOW_MS - 60_000)], outOfRange: 0 },
    { name: 'a start at the edge of the range', fields: [start(RANGE.fromMs)], outOfRange: 0 },
  ])('$name: $outOfRange out of range', ({ fields, outOfRange }) => {
    expect(walkTraces(spanOf(...fields), RANGE)).toMatchObject({ spans: 1, outOfRange })
  })

  test.each([
    {
      name: 'a request cut in the middle',
      bytes: request.subarray(0, request.length - 7),
      reason: /cut short: \d+ bytes announced, \d+ left/,
    },
    {
      name: 'resource_spans as a varint',
      bytes: integerField(1, 5),
      reason: /resource_spans has wire type 0, OTLP defines 2/,
    },
    {
      name: 'a start time as text',
      bytes: spanOf(field(7, 'now')),
      reason: /start_time_unix_nano has wire type 2, OTLP defines 1/,
    },
    {
      name: 'a start time of four bytes',
      bytes: spanOf(Buffer.from([0x39, 1, 2, 3, 4])),
      reason: /start_time_unix_nano is cut short/,
    },
    {
      name: 'a length that never ends',
      bytes: Buffer.from([0x0a, ...Array.from({ length: 11 }, () => 0xff)]),
      reason: /longer than 10 bytes/,
    },
    {
      name: 'a length of 2^60',
      bytes: Buffer.concat([Buffer.from([0x0a]), varint(2n ** 60n)]),
      reason: /cut short/,
    },
    {
      name: 'a group, which proto3 does not have',
      bytes: spanOf(Buffer.from([0x0b])),
      reason: /wire type 3, which OTLP does not use/,
    },
    {
      name: 'a tag over 32 bits, which other readers take for another field',
      bytes: Buffer.from([0x8a, 0x80, 0x80, 0x80, 0x10, 0x00]),
      reason: /tag is longer than 32 bits/,
    },
    { name: 'field number zero', bytes: Buffer.from([0x02, 0x00]), reason: /field number 0/ },
    { name: 'plain text', bytes: Buffer.from('{"resourceSpans":[]}'), reason: /byte \d+/ },
  ])('$name is refused with the place', ({ bytes, reason }) => {
    expect(walkTraces(bytes, RANGE)).toEqual({
      kind: 'malformed',
      reason: expect.stringMatching(reason) as string,
    })
  })

  test('every truncation is refused or holds whole spans only, and none throws', () => {
    for (let length = 0; length < request.length; length += 1) {
      const walked = walkTraces(request.subarray(0, length), RANGE)
      expect(walked.kind === 'walked' ? walked.spans : 0).toBe(0)
    }
  })

  test('no flipped bit makes it throw', () => {
    const next = random(7)
    for (let round = 0; round < 5000; round += 1) {
      const bytes = Buffer.from(request)
      const at = Math.floor(next() * bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(next() * 8))
      expect(['walked', 'malformed']).toContain(walkTraces(bytes, RANGE).kind)
    }
    for (let round = 0; round < 500; round += 1) {
      expect(['walked', 'malformed']).toContain(walkTraces(randomBytes(next, 200), RANGE).kind)
    }
  })

  test('a message of more spans than the bound is refused before the engine sees it', () => {
    const empty = field(2, Buffer.concat(Array.from({ length: 11 }, () => Buffer.from([0x12, 0x00]))))
    const limits = { spansMax: 10, fieldsMax: 1000 }
    expect(walkTraces(field(1, empty), RANGE, limits)).toMatchObject({
      reason: expect.stringContaining('more than 10 spans') as string,
    })
  })

  test('a span of more fields than the bound is refused', () => {
    const attributes = Array.from({ length: 20 }, () => field(9, ''))
    const limits = { spansMax: 10, fieldsMax: 19 }
    expect(walkTraces(spanOf(...attributes), RANGE, limits)).toMatchObject({
      reason: expect.stringContaining('more than 19 fields') as string,
    })
  })

  test('a request without a resource still names one, the empty one', () => {
    expect(walkTraces(spanOf(start(NOW_MS)), RANGE)).toMatchObject({
      resources: [expect.any(Number), expect.any(Number)],
    })
    expect(walkTraces(traceRequest([{ attributes: {}, spans: [] }]), RANGE)).toMatchObject({ kind: 'walked' })
  })
})
