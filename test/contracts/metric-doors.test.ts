// Metrics over the doors beside OTLP/HTTP protobuf: the same points come to the same answers by gRPC and as JSON, and
// what is wrong is told with its place.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { SIGNAL_WORDS } from '../../ingest/pipeline/signal.ts'
import type { IngestStatusReply, MetricQueryReply } from '../../query/http/schemas.ts'
import { openGrpcClient, type GrpcClient } from '../support/grpc.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const EXPORT_METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'
const atNs = BigInt(Date.now() - 60_000) * 1_000_000n

let surety: TestSurety
let grpc: GrpcClient
beforeAll(async () => {
  surety = await startSurety()
  grpc = openGrpcClient(surety.otlpGrpcUrl)
})
afterAll(async () => {
  grpc.close()
  await surety.stop()
})

async function sendJson(body: unknown) {
  const reply = await fetch(`${surety.otlpHttpUrl}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: reply.status, json: (await reply.json()) as Record<string, unknown> }
}

async function value(metric: string, ask: string): Promise<number | null | undefined> {
  const path = `/api/v1/metrics/query?metric=${metric}&function=${ask}&stepSeconds=3600`
  const { series } = await surety.get<MetricQueryReply>(path)
  return series[0]?.points.find((point) => point.value !== null)?.value
}

test('gRPC: points are stored and answered', async () => {
  const request = metricRequest({ 'service.name': 'ledger' }, [
    { name: 'by.grpc', sum: [{ atNs, value: 7n }], temporality: 1 },
  ])
  expect(await grpc.call(request, EXPORT_METRICS)).toMatchObject({ code: 'OK', bytes: Buffer.alloc(0) })
  expect(await value('by.grpc', 'increase')).toBe(7)
})

test('gRPC: what is no request is refused with its place, its neighbours are stored', async () => {
  const good = (name: string) =>
    metricRequest({ 'service.name': 'ledger' }, [{ name, gauge: [{ atNs, value: 1 }] }])
  const answers = await Promise.all([
    grpc.call(good('beside.a'), EXPORT_METRICS),
    grpc.call(Buffer.from('\n\nDROP TABLE series;\n\n'), EXPORT_METRICS),
    grpc.call(good('beside.b'), EXPORT_METRICS),
  ])
  expect(answers.map(({ code }) => code)).toEqual(['OK', 'INVALID_ARGUMENT', 'OK'])
  expect(answers[1]?.details).toMatch(/is not an ExportMetricsServiceRequest: byte \d+/)
  expect(await value('beside.a', 'last')).toBe(1)
  expect(await value('beside.b', 'last')).toBe(1)
})

const timeUnixNano = String(atNs)
// As the OTLP specification writes its example (examples/metrics.json of opentelemetry-proto): numbers of 64 bits as
// text, enums as numbers, doubles as numbers.
const metrics = [
  {
    name: 'json.counter',
    unit: '1',
    sum: {
      aggregationTemporality: 1,
      isMonotonic: true,
      dataPoints: [{ asDouble: 5, timeUnixNano, attributes: [{ key: 'a', value: { stringValue: 'b' } }] }],
    },
  },
  { name: 'json.gauge', gauge: { dataPoints: [{ asInt: '-9007199254740991', timeUnixNano }] } },
  { name: 'json.zero', gauge: { dataPoints: [{ asInt: '0', timeUnixNano }] } },
  {
    name: 'json.histogram',
    histogram: {
      aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA',
      dataPoints: [
        { timeUnixNano, count: '3', sum: 6, bucketCounts: ['1', 2], explicitBounds: [1], min: 1, max: 3 },
      ],
    },
  },
  {
    name: 'json.exponential',
    exponentialHistogram: {
      aggregationTemporality: 1,
      dataPoints: [
        {
          timeUnixNano,
          count: 3,
          sum: 10,
          scale: -1,
          zeroCount: '1',
          positive: { offset: -2, bucketCounts: [0, 2] },
        },
      ],
    },
  },
  {
    name: 'json.summary',
    summary: {
      dataPoints: [{ timeUnixNano, count: '4', sum: 8, quantileValues: [{ quantile: 0.5, value: 2.5 }] }],
    },
  },
]
const requestOf = (list: unknown) => ({
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'ledger' } }] },
      scopeMetrics: [{ scope: { name: 'test' }, metrics: list }],
    },
  ],
})

test('JSON: every kind of data is stored as its protobuf would be', async () => {
  expect(await sendJson(requestOf(metrics))).toEqual({ status: 200, json: {} })
  expect(await value('json.counter', 'increase')).toBe(5)
  expect(await value('json.gauge', 'last')).toBe(-9007199254740991)
  expect(await value('json.zero', 'last')).toBe(0)
  expect(await value('json.histogram', 'sum')).toBe(6)
  expect(await value('json.histogram', 'increase')).toBe(3)
  expect(await value('json.exponential', 'sum')).toBe(10)
  // Buckets of base 4 from offset -2: the second, (1/4, 1], holds both.
  expect(await value('json.exponential', 'p95')).toBeLessThanOrEqual(1)
  expect(await value('json.exponential', 'p95')).toBeGreaterThan(0.25)
  expect(await value('json.summary', 'p50')).toBe(2.5)
})

test.each([
  { body: '{"resourceMetrics": 5}', text: 'resourceMetrics: must be an array' },
  {
    body: requestOf([{ name: 'x', gauge: { dataPoints: [{ asInt: '1.5', timeUnixNano }] } }]),
    text: 'resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].asInt: must be a whole number',
  },
  {
    body: requestOf([
      { name: 'x', exponentialHistogram: { dataPoints: [{ timeUnixNano, scale: 2 ** 31 }] } },
    ]),
    text: 'exponentialHistogram.dataPoints[0].scale: must be a whole number from -2147483648 to 2147483647',
  },
])('JSON: $text', async ({ body, text }) => {
  const answer = await sendJson(body)
  expect(answer).toMatchObject({ status: 400, json: { code: 3 } })
  expect(answer.json['message']).toContain(SIGNAL_WORDS.metrics.request)
  expect(answer.json['message']).toContain(text)
})

test('JSON: partial success says the number of data points as text', async () => {
  const old = String(BigInt(Date.now() - 400 * 86_400_000) * 1_000_000n)
  const answer = await sendJson(
    requestOf([
      {
        name: 'partial',
        gauge: {
          dataPoints: [
            { asInt: 1, timeUnixNano: old },
            { asInt: 2, timeUnixNano },
          ],
        },
      },
    ]),
  )
  expect(answer).toMatchObject({
    status: 200,
    json: {
      partialSuccess: {
        rejectedDataPoints: '1',
        errorMessage: expect.stringContaining('older than the retention of samples') as string,
      },
    },
  })
  expect(await value('partial', 'last')).toBe(2)
})

test('the ingest status knows no spans of all this', async () => {
  const { spans } = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
  expect(spans.rows).toBe(0)
})
