// What OTLP metrics become in the store, and what the API answers from them: every kind, through the OTLP/HTTP door.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  IngestStatusReply,
  MetricExemplarsReply,
  MetricQueryReply,
  MetricSeriesReply,
  MetricsReply,
  MetricsStatusReply,
} from '../../query/http/schemas.ts'
import { field, type Attributes } from '../support/otlp.ts'
import { metricRequest, numberPoint, type MetricInput } from '../support/otlp-metrics.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

let surety: TestSurety
beforeAll(async () => {
  surety = await startSurety({ SURETY_SERIES_MAX_PER_METRIC: '50' })
})
afterAll(() => surety.stop())

const MINUTE_MS = 60_000
// Ten whole minutes that are over.
const baseMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - 10 * MINUTE_MS
const ns = (ms: number) => BigInt(ms) * 1_000_000n
const minute = (index: number) => ns(baseMs + index * MINUTE_MS)
const SHOP: Attributes = { 'service.name': 'shop', 'service.version': '1.0', 'bank.site': 'sh-a' }

async function send(metrics: readonly MetricInput[], resource: Attributes = SHOP): Promise<void> {
  expect(await surety.sendMetrics(metricRequest(resource, metrics))).toEqual({
    status: 200,
    retryAfter: null,
    text: '',
  })
}

type Asked = {
  readonly fn: string
  readonly step?: number
  readonly more?: string
  readonly fromMinute?: number
}
async function ask(metric: string, { fn, step = 60, more = '', fromMinute = 0 }: Asked) {
  const from = new Date(baseMs + fromMinute * MINUTE_MS).toISOString()
  const to = new Date(baseMs + 10 * MINUTE_MS).toISOString()
  const path = `/api/v1/metrics/query?metric=${encodeURIComponent(metric)}&function=${fn}&from=${from}&to=${to}&stepSeconds=${step}${more}`
  return surety.get<MetricQueryReply>(path)
}
/** Minute → value of the only group. */
async function points(metric: string, asked: Asked) {
  const reply = await ask(metric, asked)
  expect(reply.series.length).toBeLessThanOrEqual(1)
  return Object.fromEntries(
    (reply.series[0]?.points ?? []).map(({ at, value }) => [(Date.parse(at) - baseMs) / MINUTE_MS, value]),
  )
}

describe('gauges', () => {
  test('average, smallest, largest and newest sample of a step; integers and floats together', async () => {
    await send([
      {
        name: 'pool.size',
        unit: '{connection}',
        description: 'open connections',
        gauge: [
          { atNs: minute(1), value: 4n },
          { atNs: minute(1) + 1_000_000_000n, value: 2.5 },
          { atNs: minute(2), value: -3n },
        ],
      },
    ])
    expect(await points('pool.size', { fn: 'avg' })).toEqual({ 1: 3.25, 2: -3 })
    expect(await points('pool.size', { fn: 'min' })).toEqual({ 1: 2.5, 2: -3 })
    expect(await points('pool.size', { fn: 'max' })).toEqual({ 1: 4, 2: -3 })
    expect(await points('pool.size', { fn: 'last' })).toEqual({ 1: 2.5, 2: -3 })
  })

  test('the sum over series takes the newest of each; groups by label, filters by label', async () => {
    await send([
      {
        name: 'heap',
        gauge: ['a', 'b', 'c'].flatMap((pool, index) => [
          { atNs: minute(1), value: BigInt(index), attributes: { pool, area: index < 2 ? 'young' : 'old' } },
          {
            atNs: minute(1) + 5n * 1_000_000_000n,
            value: BigInt(10 * index),
            attributes: { pool, area: index < 2 ? 'young' : 'old' },
          },
        ]),
      },
    ])
    expect(await points('heap', { fn: 'sum' })).toEqual({ 1: 30 })
    expect(await points('heap', { fn: 'sum', more: '&label=area%3Dyoung' })).toEqual({ 1: 10 })
    const grouped = await ask('heap', { fn: 'sum', more: '&by=area&by=service.name' })
    expect(
      grouped.series.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    ).toMatchObject([
      { labels: { area: 'old', 'service.name': 'shop' }, points: [{ value: 20 }] },
      { labels: { area: 'young', 'service.name': 'shop' }, points: [{ value: 10 }] },
    ])
  })

  test('integers keep all 64 bits and stay apart from floats', async () => {
    await send([
      {
        name: 'wide',
        gauge: [
          { atNs: minute(1), value: 2n ** 62n + 1n },
          { atNs: minute(2), value: 0.1 },
        ],
      },
    ])
    expect(await points('wide', { fn: 'last' })).toEqual({ 1: 2 ** 62, 2: 0.1 })
    const { tables } = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
    expect(tables.map(({ table }) => table)).toEqual(expect.arrayContaining(['samples_int', 'samples_float']))
  })

  test('a point without a value and NaN are gaps; infinity is kept and answered as null', async () => {
    await send([
      {
        name: 'gappy',
        gauge: [
          { atNs: minute(1), flags: 1 },
          { atNs: minute(2), value: Number.NaN },
          { atNs: minute(3), value: Number.POSITIVE_INFINITY },
          { atNs: minute(4), value: 1.5 },
        ],
      },
    ])
    expect(await points('gappy', { fn: 'last' })).toEqual({ 3: null, 4: 1.5 })
  })

  test('a rate of a gauge is refused with what is possible', async () => {
    await send([{ name: 'level', gauge: [{ atNs: minute(1), value: 1n }] }])
    const problem = await surety.get<{ errors: { place: string; message: string }[] }>(
      '/api/v1/metrics/query?metric=level&function=rate',
      400,
    )
    expect(problem.errors).toEqual([
      {
        place: 'querystring.function',
        message: 'is not known of a gauge; possible: avg, min, max, last, sum',
      },
    ])
  })
})

describe('sums', () => {
  const counter = (name: string, values: readonly (number | bigint)[], startNs?: bigint) => ({
    name,
    temporality: 2 as const,
    sum: values.map((value, index) => ({
      atNs: minute(index),
      value,
      ...(startNs === undefined ? {} : { startNs }),
    })),
  })

  test.each([
    { name: 'integers', values: [100n, 160n, 190n] },
    { name: 'floats', values: [100.5, 160.5, 190.5] },
  ])(
    'a cumulative counter of $name grows by what it has more; the first sample has no before',
    async ({ name, values }) => {
      await send([counter(`requests.${name}`, values)])
      expect(await points(`requests.${name}`, { fn: 'increase' })).toEqual({ 0: 0, 1: 60, 2: 30 })
      expect(await points(`requests.${name}`, { fn: 'rate' })).toEqual({ 0: 0, 1: 1, 2: 0.5 })
    },
  )

  test('a smaller value is a reset and counts whole', async () => {
    await send([counter('resets', [100n, 130n, 20n, 25n])])
    expect(await points('resets', { fn: 'increase' })).toEqual({ 0: 0, 1: 30, 2: 20, 3: 5 })
  })

  test('a new start is a reset even when the value is larger', async () => {
    await send([
      {
        name: 'restarted',
        temporality: 2,
        sum: [
          { atNs: minute(1), startNs: minute(0), value: 10n },
          { atNs: minute(2), startNs: minute(1) + 1_000_000_000n, value: 50n },
        ],
      },
    ])
    // The first sample counts whole too: its start lies within what is read.
    expect(await points('restarted', { fn: 'increase' })).toEqual({ 1: 10, 2: 50 })
  })

  test('a step grows from the sample before the range', async () => {
    await send([counter('before', [100n, 160n, 190n])])
    expect(await points('before', { fn: 'increase', fromMinute: 2 })).toEqual({ 2: 30 })
  })

  test('delta sums add up; the difference between both kinds is kept', async () => {
    await send([
      {
        name: 'deltas',
        temporality: 1,
        sum: [5n, 7n, 3n].map((value, index) => ({ atNs: minute(index), value })),
      },
    ])
    expect(await points('deltas', { fn: 'increase' })).toEqual({ 0: 5, 1: 7, 2: 3 })
    expect(await points('deltas', { fn: 'sum' })).toEqual({ 0: 5, 1: 7, 2: 3 })
    const { items } = await surety.get<MetricsReply>('/api/v1/metrics?prefix=deltas')
    expect(items).toMatchObject([{ name: 'deltas', kind: 'sum', temporality: 'delta', isMonotonic: true }])
  })

  test('a sum that may fall is no counter: it falls without a reset', async () => {
    await send([{ ...counter('queue', [10n, 4n]), isMonotonic: false }])
    expect(await points('queue', { fn: 'increase' })).toEqual({ 0: 0, 1: -6 })
  })

  test('rates of several series add up, each with its own resets', async () => {
    const series = (pod: string, values: readonly bigint[]) =>
      values.map((value, index) => ({ atNs: minute(index), value, attributes: { pod } }))
    await send([
      { name: 'two', temporality: 2, sum: [...series('a', [0n, 60n]), ...series('b', [90n, 30n])] },
    ])
    expect(await points('two', { fn: 'rate' })).toEqual({ 0: 0, 1: 1.5 })
  })

  test('the same point twice in one batch counts once', async () => {
    const twice = { atNs: minute(1), value: 7n }
    await send([{ name: 'twice', temporality: 1, sum: [twice, twice] }])
    expect(await points('twice', { fn: 'increase' })).toEqual({ 1: 7 })
  })
})

describe('histograms', () => {
  const bounds = [10, 20, 40]
  test('explicit bounds: rate, mean, quantiles, smallest and largest of what came in the step', async () => {
    await send([
      {
        name: 'latency',
        unit: 'ms',
        temporality: 2,
        histogram: [
          { atNs: minute(0), count: 4, sum: 60, bounds, buckets: [1, 1, 1, 1] },
          { atNs: minute(1), count: 14, sum: 210, bounds, buckets: [1, 11, 1, 1], min: 3, max: 55 },
        ],
      },
    ])
    expect(await points('latency', { fn: 'increase' })).toEqual({ 0: 0, 1: 10 })
    expect(await points('latency', { fn: 'avg' })).toEqual({ 0: null, 1: 15 })
    expect(await points('latency', { fn: 'p50' })).toEqual({ 0: null, 1: 15 })
    expect(await points('latency', { fn: 'p95' })).toEqual({ 0: null, 1: 19.5 })
    expect(await points('latency', { fn: 'max' })).toEqual({ 0: null, 1: 55 })
  })

  test('a reset and other bounds count whole; delta histograms add up', async () => {
    await send([
      {
        name: 'reset',
        temporality: 2,
        histogram: [
          { atNs: minute(0), count: 4, bounds, buckets: [1, 1, 1, 1] },
          { atNs: minute(1), count: 2, bounds, buckets: [0, 2, 0, 0] },
          { atNs: minute(2), count: 6, bounds: [5], buckets: [6, 0] },
        ],
      },
      {
        name: 'delta.latency',
        temporality: 1,
        histogram: [
          { atNs: minute(0), count: 4, sum: 8, bounds, buckets: [4, 0, 0, 0] },
          { atNs: minute(0) + 1n, count: 4, sum: 8, bounds, buckets: [0, 0, 4, 0], attributes: { a: 'b' } },
        ],
      },
    ])
    expect(await points('reset', { fn: 'increase' })).toEqual({ 0: 0, 1: 2, 2: 6 })
    expect(await points('delta.latency', { fn: 'increase' })).toEqual({ 0: 8 })
    expect(await points('delta.latency', { fn: 'p50' })).toEqual({ 0: 10 })
  })

  test('exponential: quantiles within the base, resets, zeros and negative values', async () => {
    const point = (index: number, counts: readonly number[], count: number) => ({
      atNs: minute(index),
      count,
      sum: count * 10,
      scale: 3,
      zeroCount: 0,
      positive: { offset: 24, counts },
    })
    await send([
      {
        name: 'exp',
        temporality: 2,
        expHistogram: [point(0, [1], 1), point(1, [1, 100], 101), point(2, [2], 2)],
      },
      {
        name: 'exp.delta',
        temporality: 1,
        expHistogram: [
          { atNs: minute(1), count: 4, scale: 0, zeroCount: 1, negative: { offset: 0, counts: [3] } },
        ],
      },
    ])
    expect(await points('exp', { fn: 'increase' })).toEqual({ 1: 100, 2: 2 })
    const p50 = (await points('exp', { fn: 'p50' }))['1'] ?? 0
    expect(p50).toBeGreaterThan(2 ** (25 / 8))
    expect(p50).toBeLessThan(2 ** (26 / 8))
    expect((await points('exp.delta', { fn: 'p50' }))['1']).toBeLessThan(-1)
    expect((await points('exp.delta', { fn: 'p99' }))['1']).toBe(0)
  })

  test('summaries: count with resets, and the quantiles that their sender computed', async () => {
    await send([
      {
        name: 'gc',
        summary: [
          {
            atNs: minute(0),
            count: 5,
            sum: 10,
            quantiles: [
              [0.5, 1.5],
              [0.99, 9],
            ],
          },
          {
            atNs: minute(1),
            count: 8,
            sum: 20,
            quantiles: [
              [0.5, 2.5],
              [0.99, 8],
            ],
          },
        ],
      },
    ])
    expect(await points('gc', { fn: 'increase' })).toEqual({ 0: 0, 1: 3 })
    expect(await points('gc', { fn: 'p99' })).toEqual({ 0: 9, 1: 8 })
  })
})

test('exemplars stand beside their series and name their trace', async () => {
  const traceId = Buffer.from('0af7651916cd43dd8448eb211c80319c', 'hex')
  await send([
    {
      name: 'with.exemplars',
      temporality: 2,
      histogram: [
        {
          atNs: minute(1),
          count: 1,
          bounds: [1],
          buckets: [0, 1],
          exemplars: [
            { atNs: minute(1), value: 2.5, traceId, spanId: Buffer.alloc(8, 7), attributes: { user: 'u1' } },
            { atNs: 0n, value: 3n },
          ],
        },
      ],
    },
  ])
  const from = new Date(baseMs).toISOString()
  const { items } = await surety.get<MetricExemplarsReply>(
    `/api/v1/metrics/with.exemplars/exemplars?from=${from}`,
  )
  expect(items).toHaveLength(2)
  expect(items).toContainEqual(
    expect.objectContaining({
      value: 2.5,
      traceId: traceId.toString('hex'),
      spanId: '0707070707070707',
      attributes: { user: 'u1' },
    }),
  )
  const { items: series } = await surety.get<MetricSeriesReply>('/api/v1/metrics/with.exemplars/series')
  expect(items.map((item) => item.series)).toEqual([series[0]?.id, series[0]?.id])
})

test('names and series are listed with their labels; lists and maps among attributes become text', async () => {
  await send([
    {
      name: 'listed.one',
      unit: 'By',
      description: 'how much',
      gauge: [
        {
          atNs: minute(1),
          value: 1n,
          attributes: { list: ['x', 2], zero: 0, off: false, raw: { bytes: Buffer.from([255]) } },
        },
      ],
    },
  ])
  const { items } = await surety.get<MetricsReply>('/api/v1/metrics?prefix=listed.')
  expect(items).toMatchObject([
    { name: 'listed.one', kind: 'gauge', unit: 'By', description: 'how much', series: 1, hasOverflow: false },
  ])
  const one = await surety.get<MetricSeriesReply>(
    '/api/v1/metrics/listed.one/series?label=service.name%3Dshop',
  )
  expect(one.items[0]?.labels).toEqual({
    'service.name': 'shop',
    'service.version': '1.0',
    'bank.site': 'sh-a',
    'otel.scope.name': 'test',
    list: '["x","2"]',
    zero: '0',
    off: 'false',
    raw: '/w==',
  })
  const none = await surety.get<MetricSeriesReply>(
    '/api/v1/metrics/listed.one/series?label=service.name%3Dother',
  )
  expect(none.items).toEqual([])
})

test('series beyond the bound are folded into one, named, and told to the sender; the others go on', async () => {
  const many = (count: number, value: number) =>
    Array.from({ length: count }, (_, index) => ({
      atNs: minute(value),
      value: 1n,
      attributes: { id: String(index) },
    }))
  await send([{ name: 'exploding', temporality: 1, sum: many(50, 0) }])
  const sent = await surety.sendMetrics(
    metricRequest(SHOP, [{ name: 'exploding', temporality: 1, sum: many(80, 1) }]),
  )
  expect(sent.status).toBe(200)
  expect(sent.text).toMatch(/30 data points of exploding are beyond the bound on series/)
  const { items } = await surety.get<MetricSeriesReply>('/api/v1/metrics/exploding/series')
  expect(items).toHaveLength(51)
  expect(
    items.filter(({ isOverflow }) => isOverflow).map(({ labels }) => labels['otel.metric.overflow']),
  ).toEqual(['true'])
  expect(await points('exploding', { fn: 'increase' })).toEqual({ 0: 50, 1: 80 })
  expect((await surety.get<MetricsStatusReply>('/api/v1/metrics/status')).overflow).toContainEqual({
    metric: 'exploding',
    points: 30,
  })
  expect(await (await fetch(`${surety.url}/metrics`)).text()).toMatch(
    /surety_ingest_folded_points_total\{door="otlp"\} 30/,
  )
})

describe('what cannot be stored', () => {
  const letters = async () => (await surety.get<IngestStatusReply>('/api/v1/ingest/status')).deadLetters

  test('impossible times are set aside, expired points are told, the rest is stored', async () => {
    const before = await letters()
    const sent = await surety.sendMetrics(
      metricRequest(SHOP, [
        {
          name: 'times',
          gauge: [
            { atNs: 0n, value: 1n },
            { atNs: ns(Date.now() - 40 * 86_400_000), value: 2n },
            { atNs: minute(1), value: 3n },
          ],
        },
      ]),
    )
    expect(sent.status).toBe(200)
    expect(sent.text).toMatch(
      /1 data points lie outside .* 1 data points lie before .* older than the retention/s,
    )
    expect(await points('times', { fn: 'last' })).toEqual({ 1: 3 })
    expect((await letters()).total).toBe(before.total + 1)
  })

  test.each([
    {
      name: 'a truncated request',
      body: metricRequest(SHOP, []).subarray(0, 9),
      text: /not an ExportMetricsServiceRequest: byte \d+/,
    },
    {
      name: 'text',
      body: Buffer.from('hello, is this the bank?'),
      text: /not an ExportMetricsServiceRequest/,
    },
    {
      name: 'a value that the engine cannot read',
      body: field(
        1,
        field(
          2,
          field(
            2,
            Buffer.concat([
              field(1, 'bad'),
              field(5, field(1, Buffer.concat([numberPoint({ atNs: minute(1) }), field(6, 'x')]))),
            ]),
          ),
        ),
      ),
      text: /The store cannot read the body/,
    },
  ])('$name is refused and leaves nothing', async ({ body, text }) => {
    const [hostile, good] = await Promise.all([
      surety.sendMetrics(body),
      surety.sendMetrics(
        metricRequest(SHOP, [{ name: 'neighbour', gauge: [{ atNs: minute(1), value: 1n }] }]),
      ),
    ])
    expect(hostile.status).toBe(400)
    expect(hostile.text).toMatch(text)
    expect(good.status).toBe(200)
    expect(await points('bad', { fn: 'last' })).toEqual({})
  })

  test('SQL in every text is text, in the store and in the questions', async () => {
    const sql = "\n\nDROP TABLE samples_int;\n\n'); DROP TABLE series; --\\"
    await send(
      [
        {
          name: sql,
          unit: sql,
          description: sql,
          gauge: [
            {
              atNs: minute(1),
              value: 5n,
              attributes: { [sql]: sql, list: [sql] },
              exemplars: [{ atNs: minute(1), value: 1, attributes: { [sql]: sql } }],
            },
          ],
        },
      ],
      { 'service.name': sql, [sql]: sql },
    )
    const label = `&label=${encodeURIComponent('service.name')}%3D${encodeURIComponent(sql)}&by=${encodeURIComponent(sql)}`
    const reply = await ask(sql, { fn: 'last', more: label })
    expect(reply.series).toMatchObject([{ labels: { [sql]: sql }, points: [{ value: 5 }] }])
    expect(reply.unit).toBe(sql)
    await surety.get(`/api/v1/metrics?prefix=${encodeURIComponent(sql)}`)
    await surety.get(`/api/v1/metrics/${encodeURIComponent(sql)}/series`)
    await surety.get(`/api/v1/metrics/${encodeURIComponent(sql)}/exemplars`)
    expect(await points('pool.size', { fn: 'last' })).toEqual({ 1: 2.5, 2: -3 })
  })
})

test('a request that is repeated byte for byte is stored once', async () => {
  const body = metricRequest(SHOP, [
    { name: 'repeated', temporality: 1, sum: [{ atNs: minute(1), value: 5n }] },
  ])
  await surety.sendMetrics(body)
  await surety.sendMetrics(body)
  expect(await points('repeated', { fn: 'increase' })).toEqual({ 1: 5 })
})
