// Spans that come late, and spans that lie ahead of now: what is kept, what is told, what answers say.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type {
  IngestStatusReply,
  ServiceSeriesReply,
  ServicesReply,
  TraceReply,
  TraceSearchReply,
} from '../../query/http/schemas.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { traceRequest } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

let surety: TestSurety
beforeAll(async () => {
  surety = await startSurety()
})
afterAll(() => surety.stop())

let ids = 0
/** @param offsetMs of the start from now */
function request(service: string, offsets: readonly number[]) {
  const traceIds: string[] = []
  const spans = offsets.map((offsetMs) => {
    ids += 1
    const traceId = Buffer.alloc(16, 0xaa)
    traceId.writeUInt32BE(ids, 12)
    const spanId = Buffer.alloc(8, 0xbb)
    spanId.writeUInt32BE(ids, 4)
    traceIds.push(traceId.toString('hex'))
    const startNs = BigInt(Math.round(Date.now() + offsetMs)) * 1_000_000n
    return { traceId, spanId, name: 'op', kind: 2, startNs, endNs: startNs + 5_000_000n }
  })
  return { bytes: traceRequest([{ attributes: { 'service.name': service }, spans }]), traceIds }
}

const trace = async (id = '') => (await surety.get<TraceReply>(`/api/v1/traces/${id}`)).spans[0]
const requests = async (service: string, range: string) =>
  (await surety.get<ServicesReply>(`/api/v1/services?${range}`)).items.find(
    (item) => item.service === service,
  )?.requests

test('8.9 more than five minutes ahead: kept, flagged, counted, told; in no answer up to now', async () => {
  const { bytes, traceIds } = request('ahead', [-MINUTE_MS, 4 * MINUTE_MS, 6 * MINUTE_MS, 2 * HOUR_MS])
  const sent = await surety.send(bytes)
  expect(sent.status).toBe(200)
  expect(sent.text).toMatch(/2 spans start up to .* more than 5 minutes ahead of now .* they are stored/)

  expect(await Promise.all(traceIds.map(async (id) => (await trace(id))?.isAhead))).toEqual([
    undefined,
    undefined,
    true,
    true,
  ])
  const metrics = await (await fetch(`${surety.url}/metrics`)).text()
  expect(metrics).toContain('surety_ingest_ahead_rows_total{door="otlp",signal="traces"} 2')
  const status = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
  expect(status.spans).toMatchObject({ rows: 4, aheadOfNow: 2 })
  // A clock that is a little ahead is none that lags; one that is far ahead does not count.
  expect(status.lagSeconds).toBe(0)

  expect(await requests('ahead', 'from=-15m')).toBe(1)
  const found = await surety.get<TraceSearchReply>('/api/v1/traces?service=ahead')
  expect(found.items).toHaveLength(1)
  const series = await surety.get<ServiceSeriesReply>('/api/v1/services/ahead/series?from=-15m')
  const points = series.versions.flatMap((version) => version.points)
  expect(points.reduce((sum, point) => sum + point.requests, 0)).toBe(1)
})

test('data points ahead of now are kept, counted and told', async () => {
  const atNs = BigInt(Date.now() + HOUR_MS) * 1_000_000n
  const sent = await surety.sendMetrics(
    metricRequest({ 'service.name': 'ahead' }, [{ name: 'early', gauge: [{ atNs, value: 1 }] }]),
  )
  expect(sent.status).toBe(200)
  expect(sent.text).toMatch(/1 data points lie more than 5 minutes ahead of now/)
  const metrics = await (await fetch(`${surety.url}/metrics`)).text()
  expect(metrics).toContain('surety_ingest_ahead_rows_total{door="otlp",signal="metrics"} 1')
})

test('late by hours and days: answers of that time follow, as if they had been in time', async () => {
  const day = `from=${new Date(Date.now() - 3 * 24 * HOUR_MS).toISOString()}&to=${new Date(Date.now() - 2 * 24 * HOUR_MS).toISOString()}`
  const hours = `from=${new Date(Date.now() - 6 * HOUR_MS).toISOString()}&to=${new Date(Date.now() - 4 * HOUR_MS).toISOString()}`
  expect(await requests('late', day)).toBeUndefined()
  const { bytes, traceIds } = request('late', [-2.5 * 24 * HOUR_MS, -5 * HOUR_MS, -5 * HOUR_MS])
  expect(await surety.send(bytes)).toMatchObject({ status: 200, text: '' })
  expect(await requests('late', day)).toBe(1)
  expect(await requests('late', hours)).toBe(2)
  expect(await requests('late', 'from=-15m')).toBeUndefined()
  expect((await trace(traceIds[0]))?.service).toBe('late')
  // Once more, later still: the same hour grows.
  expect((await surety.send(request('late', [-5 * HOUR_MS]).bytes)).status).toBe(200)
  expect(await requests('late', hours)).toBe(3)
})

test('beyond what a clock can be: set aside, neighbours stored', async () => {
  const { bytes, traceIds } = request('beyond', [-MINUTE_MS, 25 * HOUR_MS])
  const sent = await surety.send(bytes)
  expect(sent.status).toBe(200)
  expect(sent.text).toContain('check start_time_unix_nano')
  expect((await trace(traceIds[0]))?.service).toBe('beyond')
  const { deadLetters } = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
  expect(deadLetters.newest[0]?.reason).toMatch(/^time-out-of-range: 1 spans/)
})
