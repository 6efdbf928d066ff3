import { describe, expect, test } from 'vitest'
import { field, random, type Attributes } from '../../test/support/otlp.ts'
import { metricRequest, type MetricInput } from '../../test/support/otlp-metrics.ts'
import { prepareMetrics } from './prepare-metrics.ts'
import { buildSeriesRegister } from './series-register.ts'
import { walkMetrics } from './walk-metrics.ts'

const DAY_MS = 86_400_000
let nowMs = Date.UTC(2026, 10, 20, 12)
const clock = { now: () => nowMs }
const BOUNDS = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
const ns = (ms: number) => BigInt(ms) * 1_000_000n
const RANGE = { fromMs: 0, toMs: nowMs + 10 * DAY_MS }

const registerOf = (given: Partial<{ perMetricMax: number; seriesMax: number; namesMax: number }> = {}) =>
  buildSeriesRegister({ perMetricMax: 100, seriesMax: 1000, namesMax: 10, ...given }, clock, 1)
const prepare = (bytes: Uint8Array, register = registerOf()) =>
  prepareMetrics(bytes, 'otlp/http', nowMs, BOUNDS, register)
const gauge = (name: string, ids: readonly string[], given: { atMs?: number } = {}): MetricInput => ({
  name,
  gauge: ids.map((id) => ({ atNs: ns(given.atMs ?? nowMs), value: 1n, attributes: { id } })),
})
const requestOf = (...metrics: MetricInput[]) => metricRequest({ 'service.name': 's' }, metrics)
const counted = (bytes: Uint8Array) => walkMetrics(bytes, RANGE)

test('a message that can be stored whole joins a batch byte for byte, uncopied', () => {
  const bytes = requestOf(gauge('g', ['a', 'b']))
  const prepared = prepare(bytes)
  expect(prepared.bytes).toBe(bytes)
  expect(prepared).toMatchObject({
    rows: 2,
    rejectedRows: 0,
    rejection: '',
    deadLetters: [],
    foldedPoints: 0,
  })
  expect(prepared.unstored).toHaveLength(2)
})

test('points out of range are cut out: expired ones are counted, impossible ones become a dead letter', () => {
  const prepared = prepare(
    requestOf(
      gauge('good', ['a']),
      gauge('old', ['a', 'b'], { atMs: nowMs - 8 * DAY_MS }),
      gauge('mad', ['a'], { atMs: 5 }),
    ),
  )
  expect(prepared).toMatchObject({ rows: 1, rejectedRows: 3, expiredRows: 2 })
  expect(counted(prepared.bytes)).toMatchObject({ points: 1, metrics: [{ name: 'good' }] })
  const [letter] = prepared.deadLetters
  expect(letter).toMatchObject({ reason: 'time-out-of-range', format: 'otlp_proto metrics' })
  expect(counted(letter?.payload ?? Buffer.alloc(0))).toMatchObject({ points: 1, metrics: [{ name: 'mad' }] })
})

test('a malformed message is kept whole, with the byte', () => {
  const bytes = requestOf(gauge('g', ['a'])).subarray(0, 20)
  expect(prepare(bytes)).toMatchObject({
    rows: 0,
    deadLetters: [
      { reason: 'malformed', payload: bytes, detail: expect.stringMatching(/^byte \d+/) as string },
    ],
  })
})

test('lists whose inside is damaged are malformed too, not a crash', () => {
  const broken = field(5, Buffer.from([0xff, 0xff]))
  const point = Buffer.concat([field(7, Buffer.concat([field(1, 'k'), field(2, broken)]))])
  const bytes = field(1, field(2, field(2, field(5, field(1, point)))))
  expect(['malformed', 'time-out-of-range']).toContain(prepare(bytes).deadLetters[0]?.reason)
})

describe('the bound on series', () => {
  test('per metric: known series go on, further ones are folded into one', () => {
    const register = registerOf({ perMetricMax: 2 })
    prepare(requestOf(gauge('g', ['a', 'b']), gauge('other', ['a'])), register)
    const prepared = prepare(requestOf(gauge('g', ['b', 'c', 'a', 'd']), gauge('other', ['z'])), register)
    expect(prepared).toMatchObject({ rows: 5, rejectedRows: 0, foldedPoints: 2 })
    const found = counted(prepared.bytes)
    expect(found).toMatchObject({ points: 5 })
    if (found.kind !== 'walked') throw new Error('walked')
    expect(new Set(found.marks).size).toBe(4)
    expect(prepared.rejection).toMatch(/^2 data points of g are beyond the bound on series/)
    expect(Buffer.from(prepared.bytes).toString('latin1')).toContain('otel.metric.overflow')
  })

  test('a new day begins anew', () => {
    const register = registerOf({ perMetricMax: 1 })
    prepare(requestOf(gauge('g', ['a'])), register)
    nowMs += DAY_MS
    expect(prepare(requestOf(gauge('g', ['b'])), register)).toMatchObject({ foldedPoints: 0 })
    nowMs -= DAY_MS
  })

  test('in all', () => {
    const register = registerOf({ seriesMax: 3 })
    const prepared = prepare(requestOf(gauge('g', ['a', 'b']), gauge('h', ['a', 'b'])), register)
    expect(prepared).toMatchObject({ rows: 4, foldedPoints: 1 })
    expect(register.size()).toBe(3)
  })

  test('too many names are not stored at all, and told', () => {
    const register = registerOf({ namesMax: 2 })
    const prepared = prepare(
      requestOf(gauge('a', ['x']), gauge('b', ['x']), gauge('c', ['x', 'y'])),
      register,
    )
    expect(prepared).toMatchObject({ rows: 2, rejectedRows: 2, foldedPoints: 0 })
    expect(prepared.rejection).toMatch(/2 data points of c were not stored: too many metric names today/)
  })
})

test('what is written down is asked for once', () => {
  const register = registerOf()
  const bytes = requestOf(gauge('g', ['a']))
  const { unstored } = prepare(bytes, register)
  expect(register.hasUnstored(unstored)).toBe(true)
  register.stored(unstored)
  expect(register.hasUnstored(unstored)).toBe(false)
  expect(prepare(bytes, register).unstored).toEqual([])
})

test('random damage is prepared or set aside, never a crash', () => {
  const next = random(9)
  const attributes: Attributes = { list: ['a', 1, true, 2.5], deep: [['x'], { bytes: Buffer.from('y') }] }
  const good = requestOf(
    { name: 'g', gauge: [{ atNs: ns(nowMs), value: 1n, attributes }] },
    gauge('h', ['a']),
  )
  const register = registerOf({ perMetricMax: 3 })
  for (let round = 0; round < 5000; round += 1) {
    const body = Buffer.from(good)
    for (let flip = 0; flip < 3; flip += 1) body[Math.floor(next() * body.length)] = Math.floor(next() * 256)
    const { rows, bytes } = prepare(body, register)
    const found = counted(bytes)
    expect(found).toMatchObject({ kind: 'walked', points: rows })
  }
})
