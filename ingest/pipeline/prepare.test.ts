import { describe, expect, test } from 'vitest'
import { traceRequest, type SpanInput } from '../../test/support/otlp.ts'
import { prepareTraces, type PreparedTraces } from './prepare.ts'
import { tracesFromJson } from './json-to-proto.ts'
import { prepareEither } from './signal.ts'
import { walkTraces } from './walk.ts'

const DAY_MS = 86_400_000
const HOUR_MS = DAY_MS / 24
const NOW_MS = Date.UTC(2026, 10, 20, 12)
const BOUNDS = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
const FROM_MS = NOW_MS - BOUNDS.retentionMs + HOUR_MS
const TO_MS = NOW_MS + BOUNDS.aheadMs
const SANE_FROM_MS = Date.UTC(2000, 0, 1)

const span = (name: string, startMs: number): SpanInput => ({
  traceId: Buffer.alloc(16, 1),
  spanId: Buffer.alloc(8, 2),
  name,
  startNs: BigInt(startMs) * 1_000_000n,
  endNs: 0n,
})
const requestOf = (...starts: readonly (readonly [name: string, startMs: number])[]) =>
  traceRequest([
    { attributes: { 'service.name': 'shop' }, spans: starts.map(([name, startMs]) => span(name, startMs)) },
  ])
const prepare = (bytes: Uint8Array): PreparedTraces => prepareTraces(bytes, 'otlp/http', NOW_MS, BOUNDS)

test('a message whose spans can all be stored joins a batch byte for byte, uncopied', () => {
  const bytes = requestOf(['a', NOW_MS], ['b', NOW_MS - DAY_MS])
  const prepared = prepare(bytes)
  expect(prepared).toMatchObject({
    rows: 2,
    hasLists: false,
    keys: expect.any(Uint8Array) as Uint8Array,
    resources: [expect.stringContaining('service.name')],
    origin: 'otlp/http',
    deadLetters: [],
    rejectedRows: 0,
    rejection: '',
    expiredRows: 0,
  })
  expect(prepared.bytes).toBe(bytes)
})

test('the same resource has the same key in every message, another one another', () => {
  const [first] = prepare(requestOf(['a', NOW_MS])).resources
  const [same] = prepare(requestOf(['b', NOW_MS - 5])).resources
  const other = traceRequest([{ attributes: { 'service.name': 'ledger' }, spans: [span('c', NOW_MS)] }])
  expect(same).toBe(first)
  expect(prepare(other).resources).not.toContain(first)
})

test('a malformed message is one dead letter of all its bytes, and nothing of it is stored', () => {
  const bytes = requestOf(['a', NOW_MS]).subarray(0, 20)
  const prepared = prepare(bytes)
  expect(prepared).toMatchObject({ rows: 0, resources: [], rejectedRows: 0, expiredRows: 0 })
  expect(prepared.bytes).toHaveLength(0)
  expect(prepared.deadLetters).toEqual([
    {
      reason: 'malformed',
      detail: expect.stringMatching(/^byte \d+: .* cut short/) as string,
      origin: 'otlp/http',
      format: 'otlp_proto traces',
      payload: bytes,
    },
  ])
  expect(prepared.rejection).toBe(prepared.deadLetters[0]?.detail)
})

describe('a message in JSON', () => {
  const prepareJson = (text: string) =>
    prepareEither(
      {
        name: 'traces',
        fromJson: tracesFromJson,
        prepare: (bytes, origin) => prepareTraces(bytes, origin, NOW_MS, BOUNDS),
      },
      Buffer.from(text),
      'otlp/http',
    )
  const json = (startMs: number) =>
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
          scopeSpans: [{ spans: [{ name: 'a', startTimeUnixNano: `${startMs}000000` }] }],
        },
      ],
    })

  test('is prepared as the same message in protobuf', () => {
    const prepared = prepareJson(json(NOW_MS))
    expect(prepared).toMatchObject({ rows: 1, deadLetters: [] })
    expect(prepared.resources).toEqual(prepare(requestOf(['a', NOW_MS])).resources)
    expect(prepare(prepared.bytes)).toEqual(prepared)
  })

  test('that is not one is a dead letter of the JSON as it came', () => {
    const text = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "x"}]}]}]}'
    const detail = 'resourceSpans[0].scopeSpans[0].spans[0].traceId: must be 32 hexadecimal digits'
    const prepared = prepareJson(text)
    expect(prepared).toMatchObject({ rows: 0, rejection: detail })
    expect(prepared.deadLetters).toEqual([
      {
        reason: 'malformed',
        detail,
        origin: 'otlp/http',
        format: 'otlp_json traces',
        payload: Buffer.from(text),
      },
    ])
  })
})

describe('where a start time belongs', () => {
  test.each([
    { name: 'now', startMs: NOW_MS, want: 'stored' },
    { name: 'the oldest instant that is kept', startMs: FROM_MS, want: 'stored' },
    { name: 'a millisecond before it', startMs: FROM_MS - 1, want: 'expired' },
    { name: 'the first instant of 2000', startMs: SANE_FROM_MS, want: 'expired' },
    { name: 'a millisecond before 2000', startMs: SANE_FROM_MS - 1, want: 'set aside' },
    { name: 'zero', startMs: 0, want: 'set aside' },
    { name: 'as far ahead as a clock is believed', startMs: TO_MS, want: 'stored' },
    { name: 'a millisecond further', startMs: TO_MS + 1, want: 'set aside' },
  ])('$name: $want', ({ startMs, want }) => {
    const { rows, expiredRows, rejectedRows, deadLetters } = prepare(requestOf(['a', startMs]))
    expect({ rows, expiredRows, rejectedRows, letters: deadLetters.length }).toEqual({
      rows: want === 'stored' ? 1 : 0,
      expiredRows: want === 'expired' ? 1 : 0,
      rejectedRows: want === 'stored' ? 0 : 1,
      letters: want === 'set aside' ? 1 : 0,
    })
  })
})

describe('a message of good, expired and impossible spans', () => {
  const prepared = prepare(
    requestOf(
      ['good-1', NOW_MS],
      ['old-1', NOW_MS - 30 * DAY_MS],
      ['zero', 0],
      ['good-2', NOW_MS - 1000],
      ['ahead', NOW_MS + 3 * DAY_MS],
      ['old-2', NOW_MS - 8 * DAY_MS],
      ['old-3', SANE_FROM_MS],
    ),
  )

  test('stores the good ones, sets the impossible ones aside, counts the expired ones', () => {
    expect(prepared).toMatchObject({ rows: 2, expiredRows: 3, rejectedRows: 5 })
    expect(prepared.resources).toHaveLength(1)
    const range = { fromMs: FROM_MS, toMs: TO_MS }
    expect(walkTraces(prepared.bytes, range)).toMatchObject({ kind: 'walked', spans: 2, outOfRange: 0 })
    const text = Buffer.from(prepared.bytes).toString('latin1')
    for (const name of ['good-1', 'good-2', 'shop']) expect(text).toContain(name)
    for (const name of ['old-', 'zero', 'ahead']) expect(text).not.toContain(name)
  })

  test('the dead letter holds the impossible spans alone, as valid OTLP with their resource', () => {
    const [letter, ...others] = prepared.deadLetters
    expect(others).toEqual([])
    expect(letter).toMatchObject({
      reason: 'time-out-of-range',
      origin: 'otlp/http',
      format: 'otlp_proto traces',
    })
    expect(walkTraces(letter?.payload ?? new Uint8Array(), { fromMs: 0, toMs: 1 })).toMatchObject({
      spans: 2,
    })
    const text = Buffer.from(letter?.payload ?? []).toString('latin1')
    for (const name of ['zero', 'ahead', 'shop']) expect(text).toContain(name)
    for (const name of ['old-', 'good-']) expect(text).not.toContain(name)
  })

  test('the sender reads both sentences, with counts, instants and what to check', () => {
    expect(prepared.rejection).toBe(
      '2 spans start between 1970-01-01T00:00:00.000Z and 2026-11-23T12:00:00.000Z, ' +
        'outside 2000-01-01T00:00:00.000Z to 2026-11-21T12:00:00.000Z; ' +
        "check start_time_unix_nano and the sender's clock. " +
        '3 spans start before 2026-11-13T13:00:00.000Z, older than the retention of raw spans; they were not stored',
    )
  })
})

test('nothing but expired spans leaves nothing to store and no dead letter', () => {
  const prepared = prepare(requestOf(['old-1', NOW_MS - 30 * DAY_MS], ['old-2', NOW_MS - 31 * DAY_MS]))
  expect(prepared).toMatchObject({ rows: 0, deadLetters: [], rejectedRows: 2, expiredRows: 2 })
  expect(prepared.bytes).toHaveLength(0)
  expect(prepared.rejection).toMatch(/^2 spans start before /)
})

test('an instant that no calendar holds is told as a number', () => {
  const bytes = traceRequest([
    { attributes: {}, spans: [{ ...span('a', 0), startNs: 2n ** 64n - 1n }, span('b', NOW_MS)] },
  ])
  const prepared = prepare(bytes)
  expect(prepared).toMatchObject({ rows: 1, rejectedRows: 1 })
  expect(prepared.rejection).toMatch(/^1 spans start between 2554-07-21T23:34:33\.\d{3}Z and /)
})

test('a retention shorter than the past since 2000 never makes an hour of margin into years', () => {
  const short = prepareTraces(requestOf(['a', NOW_MS - 2 * HOUR_MS]), 'kafka', NOW_MS, {
    retentionMs: DAY_MS,
    aheadMs: DAY_MS,
  })
  expect(short).toMatchObject({ rows: 1, expiredRows: 0 })
})
