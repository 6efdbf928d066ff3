import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { traceRequest } from '../../test/support/otlp.ts'
import { protobufReader } from '../../test/support/protobuf.ts'
import { buildJsonToProto, tracesFromJson } from './json-to-proto.ts'

// As documented: opentelemetry-proto v1.11, trace, resource and common.
const DOCUMENTED = `
  syntax = "proto3";
  message ArrayValue { repeated AnyValue values = 1; }
  message KeyValueList { repeated KeyValue values = 1; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3;
    double double_value = 4; ArrayValue array_value = 5; KeyValueList kvlist_value = 6; bytes bytes_value = 7; } }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message EntityRef { string schema_url = 1; string type = 2; repeated string id_keys = 3; repeated string description_keys = 4; }
  message Resource { repeated KeyValue attributes = 1; uint32 dropped_attributes_count = 2; repeated EntityRef entity_refs = 3; }
  message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
  message Event { fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4; }
  message Link { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
    uint32 dropped_attributes_count = 5; fixed32 flags = 6; }
  message Status { string message = 2; int32 code = 3; }
  message Span { bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; fixed32 flags = 16;
    string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10; repeated Event events = 11;
    uint32 dropped_events_count = 12; repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; string schema_url = 3; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; string schema_url = 3; }
  message Request { repeated ResourceSpans resource_spans = 1; }
  message Histogram { fixed64 count = 4; repeated fixed64 bucket_counts = 6; repeated double explicit_bounds = 7; }
`
const decode = protobufReader(DOCUMENTED)

const transcode = (json: unknown) =>
  tracesFromJson(Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)))

function bytesOf(json: unknown): Uint8Array {
  const transcoded = transcode(json)
  if (transcoded.kind === 'refused') throw new Error(transcoded.reason)
  return transcoded.bytes
}

function reasonOf(json: unknown): string {
  const transcoded = transcode(json)
  return transcoded.kind === 'refused' ? transcoded.reason : `taken: ${transcoded.bytes.length} bytes`
}

const withSpan = (span: unknown) => ({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
const withValue = (value: unknown) => withSpan({ attributes: [{ key: 'k', value }] })

/** The span as protobufjs reads it. */
function spanOf(json: unknown): Record<string, unknown> {
  const request = decode('Request', bytesOf(json)) as {
    resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[]
  }
  return request.resourceSpans[0]?.scopeSpans[0]?.spans[0] ?? {}
}
const valueOf = (value: unknown) => (spanOf(withValue(value))['attributes'] as { value: unknown }[])[0]?.value

test('the example of the specification says the same as protobuf', () => {
  const example = readFileSync(new URL('../../test/fixtures/otlp/trace.json', import.meta.url))
  const transcoded = tracesFromJson(example)
  expect(transcoded.kind === 'proto' && decode('Request', transcoded.bytes)).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'my.service' } }] },
        scopeSpans: [
          {
            scope: {
              name: 'my.library',
              version: '1.0.0',
              attributes: [{ key: 'my.scope.attribute', value: { stringValue: 'some scope attribute' } }],
            },
            spans: [
              {
                traceId: Buffer.from('5B8EFFF798038103D269B633813FC60C', 'hex'),
                spanId: Buffer.from('EEE19B7EC3C1B174', 'hex'),
                parentSpanId: Buffer.from('EEE19B7EC3C1B173', 'hex'),
                name: "I'm a server span",
                startTimeUnixNano: '1544712660000000000',
                endTimeUnixNano: '1544712661000000000',
                kind: 2,
                attributes: [{ key: 'my.span.attr', value: { stringValue: 'some value' } }],
              },
            ],
          },
        ],
      },
    ],
  })
})

test('every field is written byte for byte as an exporter of protobuf writes it', () => {
  const wanted = traceRequest([
    {
      attributes: { 'service.name': 'ledger', list: ['a', 1n, true], none: [] },
      scope: { name: 'lib', version: '2' },
      spans: [
        {
          traceId: Buffer.alloc(16, 0xab),
          spanId: Buffer.alloc(8, 0xcd),
          traceState: 'a=b',
          parentSpanId: Buffer.alloc(8, 0xef),
          name: '过账',
          kind: 3,
          startNs: 1_544_712_660_000_000_001n,
          endNs: 1_544_712_660_000_000_002n,
          attributes: {
            negative: -5n,
            double: 0.1,
            long: 'x'.repeat(300),
            bytes: { bytes: Buffer.from([0, 255]) },
          },
          events: [{ atNs: 7n, name: 'e', attributes: { k: 'v' } }],
          statusMessage: 'no',
          statusCode: 2,
        },
      ],
    },
  ])
  const array = (values: unknown[]) => ({ arrayValue: { values } })
  const json = {
    resourceSpans: [
      {
        // In another order than the fields' numbers.
        scopeSpans: [
          {
            spans: [
              {
                status: { code: 'STATUS_CODE_ERROR', message: 'no' },
                events: [
                  {
                    name: 'e',
                    timeUnixNano: '7',
                    attributes: [{ value: { stringValue: 'v' }, key: 'k' }],
                  },
                ],
                attributes: [
                  { key: 'negative', value: { intValue: '-5' } },
                  { key: 'double', value: { doubleValue: 0.1 } },
                  { key: 'long', value: { stringValue: 'x'.repeat(300) } },
                  { key: 'bytes', value: { bytesValue: 'AP8=' } },
                ],
                endTimeUnixNano: '1544712660000000002',
                startTimeUnixNano: '1544712660000000001',
                kind: 'SPAN_KIND_CLIENT',
                name: '过账',
                parentSpanId: 'ef'.repeat(8),
                traceState: 'a=b',
                spanId: 'CD'.repeat(8),
                traceId: 'aB'.repeat(16),
              },
            ],
            scope: { version: '2', name: 'lib' },
          },
        ],
        resource: {
          attributes: [
            { key: 'service.name', value: { stringValue: 'ledger' } },
            { key: 'list', value: array([{ stringValue: 'a' }, { intValue: 1 }, { boolValue: true }]) },
            { key: 'none', value: array([]) },
          ],
        },
      },
    ],
  }
  expect(Buffer.from(bytesOf(json)).toString('hex')).toBe(wanted.toString('hex'))
})

describe('numbers', () => {
  test.each([
    { name: 'a string', text: '"1544712660000000001"' },
    { name: 'a number, which a double could not hold', text: '1544712660000000001' },
  ])('nanoseconds as $name keep their last digit', ({ text }) => {
    const json = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":${text}}]}]}]}`
    expect(spanOf(json)).toEqual({ startTimeUnixNano: '1544712660000000001' })
  })

  test.each([
    { value: { intValue: 0 }, want: { intValue: '0' } },
    { value: { intValue: 127 }, want: { intValue: '127' } },
    { value: { intValue: 128 }, want: { intValue: '128' } },
    { value: { intValue: 2 ** 53 - 1 }, want: { intValue: '9007199254740991' } },
    { value: { intValue: '9223372036854775807' }, want: { intValue: '9223372036854775807' } },
    { value: { intValue: '-9223372036854775808' }, want: { intValue: '-9223372036854775808' } },
    { value: { intValue: -1 }, want: { intValue: '-1' } },
    { value: { doubleValue: 'NaN' }, want: { doubleValue: Number.NaN } },
    { value: { doubleValue: 'Infinity' }, want: { doubleValue: Infinity } },
    { value: { doubleValue: '-Infinity' }, want: { doubleValue: -Infinity } },
    { value: { doubleValue: '-1.5e3' }, want: { doubleValue: -1500 } },
    { value: { doubleValue: 3 }, want: { doubleValue: 3 } },
    { value: { boolValue: false }, want: { boolValue: false } },
    { value: { stringValue: '' }, want: { stringValue: '' } },
    { value: {}, want: {} },
    { value: { bytesValue: '_-8' }, want: { bytesValue: Buffer.from([255, 239]) } },
    { value: { stringValue: null, intValue: '5' }, want: { intValue: '5' } },
    {
      value: { kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{}] } } }] } },
      want: { kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{}] } } }] } },
    },
  ])('$value', ({ value, want }) => {
    expect(valueOf(value)).toEqual(want)
  })

  test('an enum may be its number, its number as text, its name, or a number we do not know', () => {
    const kinds = [2, '2', 'SPAN_KIND_SERVER', 77].map((kind) => spanOf(withSpan({ kind }))['kind'])
    expect(kinds).toEqual([2, 2, 2, 77])
  })
})

describe('what is left out', () => {
  test.each<{ name: string; json: unknown }>([
    { name: 'nothing', json: {} },
    { name: 'null', json: { resourceSpans: null } },
    { name: 'an empty list', json: { resourceSpans: [] } },
    { name: 'unknown fields of any shape', json: { spans: [{ deep: [{}] }], constructor: 1 } },
    { name: 'names as in protobuf, which OTLP does not allow', json: { resource_spans: [{}] } },
    { name: '__proto__', json: '{"__proto__":{"resourceSpans":[{}]}}' },
  ])('$name is an empty request', ({ json }) => {
    expect(bytesOf(json)).toHaveLength(0)
  })

  test('a span of nulls and of empty ids is an empty span', () => {
    const span = { traceId: null, spanId: '', parentSpanId: '', attributes: null, status: null, kind: null }
    const read = spanOf(withSpan(span))
    expect(Object.values(read).filter((value) => (value as Uint8Array).length !== 0)).toEqual([])
  })

  test('a byte order mark and white space around are no matter', () => {
    expect(bytesOf('\ufeff \n {"resourceSpans": [ ] } \n')).toHaveLength(0)
  })
})

const SPAN = 'resourceSpans[0].scopeSpans[0].spans[0]'
const HEX16 = 'must be 32 hexadecimal digits'
const INT64 = 'must be a whole number from -9223372036854775808 to 9223372036854775807'
const UINT64 = 'must be a whole number from 0 to 18446744073709551615'

describe('a misfit is told with its place', () => {
  test.each([
    { name: 'an id too short', span: { traceId: 'abc' }, want: `.traceId: ${HEX16}` },
    { name: 'an id in base64', span: { traceId: 'W47/95gDgQPSabYzgT/GDA==' }, want: `.traceId: ${HEX16}` },
    { name: 'an id that is no text', span: { traceId: 5 }, want: `.traceId: ${HEX16}` },
    {
      name: 'a link’s id',
      span: { links: [{}, { spanId: 'zz'.repeat(8) }] },
      want: '.links[1].spanId: must be 16 hexadecimal digits',
    },
    { name: 'a name that is a number', span: { name: 5 }, want: '.name: must be a string' },
    { name: 'a time before 1970', span: { startTimeUnixNano: '-1' }, want: `.startTimeUnixNano: ${UINT64}` },
    { name: 'a time with a fraction', span: { endTimeUnixNano: 1.5 }, want: `.endTimeUnixNano: ${UINT64}` },
    {
      name: 'a time in words',
      span: { endTimeUnixNano: '2026-11-20T10:00:00Z' },
      want: `.endTimeUnixNano: ${UINT64}`,
    },
    {
      name: 'a time over 64 bits',
      span: { endTimeUnixNano: '18446744073709551616' },
      want: `.endTimeUnixNano: ${UINT64}`,
    },
    {
      name: 'a kind that is none',
      span: { kind: 'server' },
      want: '.kind: must be a number or one of SPAN_KIND_UNSPECIFIED, SPAN_KIND_INTERNAL, SPAN_KIND_SERVER, SPAN_KIND_CLIENT, SPAN_KIND_PRODUCER, SPAN_KIND_CONSUMER',
    },
    { name: 'attributes as a map', span: { attributes: { a: 1 } }, want: '.attributes: must be an array' },
    {
      name: 'an attribute that is null',
      span: { attributes: [null] },
      want: '.attributes[0]: must be an object',
    },
    {
      name: 'a value without its type',
      span: { attributes: [{ key: 'a', value: 'b' }] },
      want: '.attributes[0].value: must be an object',
    },
    { name: 'a status that is text', span: { status: 'ERROR' }, want: '.status: must be an object' },
    {
      name: 'a count below zero',
      span: { droppedEventsCount: -1 },
      want: '.droppedEventsCount: must be a whole number from 0 to 4294967295',
    },
    {
      name: 'flags over 32 bits',
      span: { flags: 2 ** 32 },
      want: '.flags: must be a whole number from 0 to 4294967295',
    },
  ])('$name', ({ span, want }) => {
    expect(reasonOf(withSpan(span))).toBe(SPAN + want)
  })

  test.each([
    { value: { intValue: '9223372036854775808' }, want: `.intValue: ${INT64}` },
    { value: { intValue: 1.5 }, want: `.intValue: ${INT64}` },
    { value: { intValue: '' }, want: `.intValue: ${INT64}` },
    { value: { intValue: true }, want: `.intValue: ${INT64}` },
    {
      value: { doubleValue: 'many' },
      want: '.doubleValue: must be a number, "NaN", "Infinity" or "-Infinity"',
    },
    { value: { boolValue: 'true' }, want: '.boolValue: must be true or false' },
    { value: { bytesValue: 'no base64!' }, want: '.bytesValue: must be base64' },
    { value: { bytesValue: 'A' }, want: '.bytesValue: must be base64' },
    {
      value: { stringValue: 'a', intValue: 1 },
      want: ': has both stringValue and intValue; send one of them',
    },
    {
      value: { arrayValue: { values: [{}, { boolValue: 1 }] } },
      want: '.arrayValue.values[1].boolValue: must be true or false',
    },
  ])('$value', ({ value, want }) => {
    expect(reasonOf(withValue(value))).toBe(`${SPAN}.attributes[0].value${want}`)
  })

  test.each([
    { name: 'a request that is a list', json: '[]', want: /^it must be a JSON object$/ },
    { name: 'a request that is text', json: '"hello"', want: /^it must be a JSON object$/ },
    { name: 'an empty body', json: '', want: /^it is empty; / },
    { name: 'JSON cut short', json: '{"resourceSpans":[', want: /^it is not JSON: / },
    {
      name: 'a hundred thousand brackets',
      json: '['.repeat(100_000),
      want: /^it is nested deeper than 64 levels/,
    },
    {
      name: 'values within values a hundred thousand deep',
      json: `{"resourceSpans":[${'{"arrayValue":{"values":['.repeat(100_000)}`,
      want: /^it is nested deeper than 64 levels/,
    },
    {
      name: 'millions of empty objects',
      json: `{"x":[${'{},'.repeat(2_000_001)}{}]}`,
      want: /^it has more than 2000000 objects/,
    },
  ])('$name', ({ json, want }) => {
    expect(reasonOf(json)).toMatch(want)
  })

  test('other encodings than UTF-8 are told', () => {
    const transcoded = tracesFromJson(Buffer.from([0x7b, 0xff, 0x7d]))
    expect(transcoded).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/^it is not valid UTF-8/) as string,
    })
  })
})

test('half a character becomes the replacement character, not broken UTF-8', () => {
  expect(spanOf(String.raw`{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a\ud800b"}]}]}]}`)).toEqual({
    name: 'a\ufffdb',
  })
})

test('lengths around the edges of their own length are right', () => {
  for (const length of [126, 127, 128, 129, 16_383, 16_384, 70_000]) {
    for (const character of ['x', '账', '😀']) {
      const name = character.repeat(length)
      expect(spanOf(withSpan({ name }))['name']).toBe(name)
    }
  }
})

test('another signal is another table: repeated numbers are packed', () => {
  const toProto = buildJsonToProto(
    {
      Histogram: {
        fields: {
          count: [4, 'fixed64'],
          bucketCounts: [6, 'fixed64', 'repeated'],
          explicitBounds: [7, 'double', 'repeated'],
        },
      },
    },
    'Histogram',
  )
  const json = { count: '3', bucketCounts: ['1', 2, '0'], explicitBounds: [0.5, 'Infinity'] }
  const transcoded = toProto(Buffer.from(JSON.stringify(json)))
  expect(transcoded.kind === 'proto' && decode('Histogram', transcoded.bytes)).toEqual({
    count: '3',
    bucketCounts: ['1', '2', '0'],
    explicitBounds: [0.5, Infinity],
  })
  const empty = toProto(Buffer.from('{"bucketCounts":[],"explicitBounds":[]}'))
  expect(empty).toEqual({ kind: 'proto', bytes: Buffer.alloc(0) })
  expect(toProto(Buffer.from('{"bucketCounts":[1,"x"]}'))).toEqual({
    kind: 'refused',
    reason: `bucketCounts[1]: ${UINT64}`,
  })
})

test('a table that names no kind is refused when it is read', () => {
  expect(() => buildJsonToProto({ A: { fields: { b: [1, 'strnig'] } } }, 'A')).toThrow(
    'b is of kind strnig, which is no scalar and has no table',
  )
})
