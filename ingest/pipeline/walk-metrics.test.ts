import { describe, expect, test } from 'vitest'
import { field, fixed64, integerField, random } from '../../test/support/otlp.ts'
import { metricRequest, numberPoint, type MetricInput } from '../../test/support/otlp-metrics.ts'
import { walkMetrics } from './walk-metrics.ts'

const NOW_MS = Date.UTC(2026, 10, 20)
const RANGE = { fromMs: NOW_MS - 7 * 86_400_000, toMs: NOW_MS + 86_400_000 }
const atNs = BigInt(NOW_MS) * 1_000_000n
const gauge = (name: string, ...ids: string[]): MetricInput => ({
  name,
  gauge: ids.map((id) => ({ atNs, value: 1n, attributes: { id } })),
})
const requestOf = (...metrics: MetricInput[]) => metricRequest({ 'service.name': 's' }, metrics)

function walked(bytes: Uint8Array) {
  const found = walkMetrics(bytes, RANGE, 5)
  if (found.kind === 'malformed') throw new Error(found.reason)
  return found
}

test('points are counted by the table they go to', () => {
  const { points, counts, metrics } = walked(
    requestOf(
      {
        name: 'g',
        gauge: [
          { atNs, value: 1n },
          { atNs, value: 1.5 },
          { atNs, flags: 1 },
        ],
      },
      { name: 's', temporality: 2, sum: [{ atNs, value: 2n, exemplars: [{ atNs, value: 1 }] }] },
      { name: 'h', temporality: 1, histogram: [{ atNs, count: 1, bounds: [1], buckets: [0, 1] }] },
      { name: 'e', temporality: 1, expHistogram: [{ atNs, count: 1, scale: 2 }] },
      { name: 'q', summary: [{ atNs, count: 1, sum: 1, quantiles: [[0.5, 1]] }] },
    ),
  )
  expect(points).toBe(7)
  expect(counts).toEqual({
    samples_int: 2,
    samples_float: 2,
    histograms: 1,
    exp_histograms: 1,
    summaries: 1,
    exemplars: 1,
  })
  expect(metrics.map(({ name, from, to }) => [name, from, to])).toEqual([
    ['g', 0, 3],
    ['s', 3, 4],
    ['h', 4, 5],
    ['e', 5, 6],
    ['q', 6, 7],
  ])
})

describe('marks of series', () => {
  const markOf = (bytes: Uint8Array) => walked(bytes).marks[0]
  const usual = requestOf(gauge('g', 'a'))

  test('are the same for the same series at another time and value', () => {
    const later = requestOf({ name: 'g', gauge: [{ atNs: atNs + 5n, value: 9.5, attributes: { id: 'a' } }] })
    expect(markOf(later)).toBe(markOf(usual))
  })

  test.each([
    { name: 'attributes', bytes: requestOf(gauge('g', 'b')) },
    { name: 'name', bytes: requestOf(gauge('f', 'a')) },
    { name: 'unit', bytes: requestOf({ ...gauge('g', 'a'), unit: 'ms' }) },
    { name: 'resource', bytes: metricRequest({ 'service.name': 't' }, [gauge('g', 'a')]) },
    { name: 'scope', bytes: metricRequest({ 'service.name': 's' }, [gauge('g', 'a')], { name: 'other' }) },
    {
      name: 'kind',
      bytes: requestOf({ name: 'g', temporality: 2, sum: [{ atNs, value: 1n, attributes: { id: 'a' } }] }),
    },
  ])('differ by $name', ({ bytes }) => {
    expect(markOf(bytes)).not.toBe(markOf(usual))
  })

  test('differ by temporality', () => {
    const sum = (temporality: 1 | 2) => requestOf({ name: 'g', temporality, sum: [{ atNs, value: 1n }] })
    expect(markOf(sum(1))).not.toBe(markOf(sum(2)))
  })

  test('do not depend on where a writer puts the resource and the name', () => {
    const [resource, scope, name] = [field(1, 'r'), field(1, field(1, 'x')), field(1, 'g')]
    const data = field(5, field(1, numberPoint({ atNs, value: 1n })))
    const first = field(
      1,
      Buffer.concat([field(1, ''), field(2, Buffer.concat([scope, field(2, Buffer.concat([name, data]))]))]),
    )
    const last = field(
      1,
      Buffer.concat([field(2, Buffer.concat([field(2, Buffer.concat([data, name])), scope])), field(1, '')]),
    )
    expect(resource.length).toBeGreaterThan(0)
    expect(markOf(last)).toBe(markOf(first))
  })

  test('hardly ever meet: a hundred thousand series have a hundred thousand marks', () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => String(index))
    expect(new Set(walked(requestOf(gauge('g', ...ids))).marks).size).toBe(ids.length)
  })
})

test.each([
  { name: 'zero', time: fixed64(3, 0n), outOfRange: 1 },
  { name: 'no time', time: Buffer.alloc(0), outOfRange: 1 },
  { name: 'the largest that 64 bits hold', time: fixed64(3, 2n ** 64n - 1n), outOfRange: 1 },
  { name: 'now', time: fixed64(3, atNs), outOfRange: 0 },
])('a time of $name: $outOfRange out of range', ({ time, outOfRange }) => {
  expect(walkMetrics(field(1, field(2, field(2, field(5, field(1, time))))), RANGE)).toMatchObject({
    points: 1,
    outOfRange,
  })
})

test.each([
  {
    name: 'a request cut in the middle',
    bytes: requestOf(gauge('g', 'a')).subarray(0, 30),
    reason: /is cut short/,
  },
  {
    name: 'a time of the wrong wire type',
    bytes: field(1, field(2, field(2, field(5, field(1, field(3, 'soon')))))),
    reason: /time_unix_nano has wire type 2, OTLP defines 1/,
  },
  {
    name: 'a hundred thousand buckets in a point',
    bytes: field(1, field(2, field(2, field(9, field(1, field(6, Buffer.alloc(800_000))))))),
    reason: /more than 80000 bytes of buckets in one data point/,
  },
  {
    name: 'data that is a number',
    bytes: field(1, field(2, field(2, integerField(5, 1)))),
    reason: /wire type 0/,
  },
])('$name is malformed', ({ bytes, reason }) => {
  const found = walkMetrics(bytes, RANGE)
  expect(found.kind === 'malformed' ? found.reason : '').toMatch(reason)
})

test('random damage is walked or malformed, never a crash', () => {
  const next = random(3)
  const good = requestOf(gauge('g', 'a', 'b'), {
    name: 'h',
    temporality: 1,
    histogram: [{ atNs, count: 1, bounds: [1], buckets: [0, 1] }],
  })
  for (let round = 0; round < 20_000; round += 1) {
    const body = Buffer.from(good)
    const at = Math.floor(next() * body.length)
    body[at] = Math.floor(next() * 256)
    expect(['walked', 'malformed']).toContain(walkMetrics(body, RANGE).kind)
  }
})
