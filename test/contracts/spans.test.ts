// What an OTLP span becomes in the store: every column, every attribute type, every outcome.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ServiceSeriesReply, ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import { traceRequest, type Attributes, type SpanInput } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { writeFileSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let surety: TestSurety
const startNs = BigInt(Date.now() - 60_000) * 1_000_000n

beforeAll(async () => {
  const map = join(mkdtempSync(join(tmpdir(), 'surety-codes-')), 'codes.json')
  writeFileSync(map, JSON.stringify({ LIM0021: 'business_reject', 'LIM*': 'business_error', OK: 'ok' }))
  surety = await startSurety({ SURETY_RETURN_CODE_MAP: map })
})
afterAll(() => surety.stop())

let ids = 0
function ownIds(): { traceId: Buffer; spanId: Buffer; hex: string } {
  ids += 1
  const traceId = Buffer.alloc(16)
  traceId.writeUInt32BE(ids, 12)
  traceId.writeUInt8(0xab, 0)
  const spanId = Buffer.alloc(8)
  spanId.writeUInt32BE(ids, 4)
  return { traceId, spanId, hex: traceId.toString('hex') }
}

async function store(span: Partial<SpanInput>, resource: Attributes = { 'service.name': 'shop' }) {
  const { traceId, spanId, hex } = ownIds()
  const request = traceRequest([
    {
      attributes: resource,
      spans: [{ traceId, spanId, name: 'op', startNs, endNs: startNs + 5_000_000n, ...span }],
    },
  ])
  expect(await surety.send(request)).toEqual({ status: 200, retryAfter: null, text: '' })
  const trace = await surety.get<TraceReply>(`/api/v1/traces/${hex}`)
  const [stored] = trace.spans
  if (stored === undefined || trace.spans.length !== 1) throw new Error('one span was sent')
  return stored
}

test('a span comes back as it was sent', async () => {
  const stored = await store(
    {
      name: 'POST /transfers',
      kind: 2,
      parentSpanId: Buffer.from('0102030405060708', 'hex'),
      traceState: 'ot=th:8',
      statusCode: 2,
      statusMessage: 'limit says no',
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/transfers',
        'http.response.status_code': 503,
        'server.address': 'limit.bank',
        'bank.channel': 'counter',
        'bank.branch': '0531-02',
        'bank.region': 'east',
        'bank.teller': 'T00871',
        'bank.txn.code': 'transfer.intra',
        'bank.txn.id': 'tx-1',
        'bank.return.code': 'SYS0001',
        'a.text': '转账 «quoted» \\ \' "',
        'a.zero': 0,
        'a.negative': -42,
        'a.large': 2n ** 62n,
        'a.double': 2.5,
        'a.true': true,
        'a.false': false,
        'a.list': ['x', 'y'],
        'a.numbers': [1, 2],
        'a.bytes': { bytes: Buffer.from([0, 255]) },
        'a.empty': '',
      },
      events: [
        { atNs: startNs + 7n, name: 'exception', attributes: { 'exception.type': 'LimitError', code: 21 } },
      ],
    },
    {
      'service.name': 'transfer',
      'service.namespace': 'core',
      'service.version': '2.14.0',
      'bank.system': 'core-payment',
      'bank.site': 'sh-a',
      'cloud.availability_zone': 'sh-a-1',
      'k8s.cluster.name': 'sh-a-03',
    },
  )
  expect(stored).toEqual({
    spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    parentSpanId: '0102030405060708',
    service: 'transfer',
    version: '2.14.0',
    site: 'sh-a',
    name: 'POST /transfers',
    kind: 'SERVER',
    startAt: `${new Date(Number(startNs / 1_000_000n)).toISOString().slice(0, 19)}.${String(startNs % 1_000_000_000n).padStart(9, '0')}Z`,
    durationMs: 5,
    outcome: 'system_error',
    statusCode: 'ERROR',
    statusMessage: 'limit says no',
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/transfers',
      'http.response.status_code': '503',
      'server.address': 'limit.bank',
      'bank.channel': 'counter',
      'bank.branch': '0531-02',
      'bank.region': 'east',
      'bank.teller': 'T00871',
      'bank.txn.code': 'transfer.intra',
      'bank.txn.id': 'tx-1',
      'bank.return.code': 'SYS0001',
      'a.text': '转账 «quoted» \\ \' "',
      'a.zero': '0',
      'a.negative': '-42',
      'a.large': String(2n ** 62n),
      'a.double': '2.5',
      'a.true': 'true',
      'a.false': 'false',
      'a.list': '["x","y"]',
      'a.numbers': '["1","2"]',
      'a.bytes': 'AP8=',
      'a.empty': '',
    },
    resource: {
      'service.name': 'transfer',
      'service.namespace': 'core',
      'service.version': '2.14.0',
      'bank.system': 'core-payment',
      'bank.site': 'sh-a',
      'cloud.availability_zone': 'sh-a-1',
      'k8s.cluster.name': 'sh-a-03',
    },
    events: [
      {
        at: expect.stringMatching(/\d{9}Z$/) as string,
        name: 'exception',
        attributes: { 'exception.type': 'LimitError', code: '21' },
      },
    ],
  })
})

describe('outcome: return code first, then HTTP or RPC code, then span status', () => {
  test.each([
    { name: 'nothing said', attributes: {}, want: 'ok' },
    { name: 'status ERROR without a code', attributes: {}, statusCode: 2, want: 'system_error' },
    { name: 'HTTP 200', attributes: { 'http.response.status_code': 200 }, want: 'ok' },
    {
      name: 'HTTP 404 on a span that says ERROR',
      attributes: { 'http.response.status_code': 404 },
      statusCode: 2,
      want: 'business_reject',
    },
    { name: 'HTTP 408', attributes: { 'http.response.status_code': 408 }, want: 'system_error' },
    { name: 'HTTP 425', attributes: { 'http.response.status_code': 425 }, want: 'shed' },
    { name: 'HTTP 429', attributes: { 'http.response.status_code': 429 }, want: 'shed' },
    {
      name: 'HTTP 500 under the older attribute name',
      attributes: { 'http.status_code': 500 },
      want: 'system_error',
    },
    { name: 'HTTP 503', attributes: { 'http.response.status_code': 503 }, want: 'system_error' },
    { name: 'gRPC 0', attributes: { 'rpc.grpc.status_code': 0 }, want: 'ok' },
    {
      name: 'gRPC 5, not found',
      attributes: { 'rpc.grpc.status_code': 5 },
      statusCode: 2,
      want: 'business_reject',
    },
    { name: 'gRPC 8, resource exhausted', attributes: { 'rpc.grpc.status_code': 8 }, want: 'shed' },
    { name: 'gRPC 14, unavailable', attributes: { 'rpc.grpc.status_code': 14 }, want: 'system_error' },
    {
      name: 'gRPC by name',
      attributes: { 'rpc.response.status_code': 'DEADLINE_EXCEEDED' },
      want: 'system_error',
    },
    {
      name: 'a mapped return code beats HTTP 500',
      attributes: { 'bank.return.code': 'LIM0021', 'http.response.status_code': 500 },
      want: 'business_reject',
    },
    {
      name: 'a prefix of return codes beats HTTP 200',
      attributes: { 'bank.return.code': 'LIM0099', 'http.response.status_code': 200 },
      want: 'business_error',
    },
    {
      name: 'an unmapped return code decides nothing',
      attributes: { 'bank.return.code': 'X1', 'http.response.status_code': 200 },
      want: 'ok',
    },
  ])('$name: $want', async ({ attributes, statusCode, want }) => {
    const stored = await store({
      attributes,
      ...(statusCode === undefined ? {} : { statusCode }),
    })
    expect(stored.outcome).toBe(want)
  })
})

test('a span attribute beats the resource; what the span leaves open the resource says', async () => {
  const own = await store(
    { attributes: { 'bank.channel': 'mobile' } },
    { 'service.name': 's', 'bank.channel': 'atm', 'bank.region': 'north' },
  )
  expect(own.attributes).toMatchObject({ 'bank.channel': 'mobile', 'bank.region': 'north' })
})

test('a service that does not name itself is kept under OpenTelemetry’s own word', async () => {
  expect((await store({}, {})).service).toBe('unknown_service')
})

test('an end before the start is no negative duration', async () => {
  expect((await store({ endNs: startNs - 1n })).durationMs).toBe(0)
})

test('requests are SERVER and CONSUMER spans, counted by service, version and outcome, with latency', async () => {
  const resource = { 'service.name': 'counted', 'service.version': '1.0.0' }
  const spans = [1, 2, 3, 4, 5, 2, 2].map((kind, index) => ({
    ...ownIds(),
    name: 'op',
    kind,
    startNs,
    endNs: startNs + BigInt(index + 1) * 10_000_000n,
    attributes: { 'http.response.status_code': index === 6 ? 500 : 200 },
  }))
  await surety.send(traceRequest([{ attributes: resource, spans }]))
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  const item = items.find(({ service }) => service === 'counted')
  expect(item).toMatchObject({
    version: '1.0.0',
    requests: 4,
    errorRatio: 0.25,
    outcomes: { ok: 3, business_reject: 0, business_error: 0, shed: 0, system_error: 1 },
  })
  expect(item?.p50Ms).toBeGreaterThan(45)
  expect(item?.p99Ms).toBeLessThanOrEqual(70.3)
})

test('stress traffic is kept apart from live traffic', async () => {
  await store({ attributes: { 'bank.traffic': 'stress' } }, { 'service.name': 'stressed' })
  const live = await surety.get<ServicesReply>('/api/v1/services')
  const stress = await surety.get<ServicesReply>('/api/v1/services?traffic=stress')
  expect(live.items.map(({ service }) => service)).not.toContain('stressed')
  expect(stress.items.map(({ service }) => service)).toEqual(['stressed'])
})

describe('a sampled span counts for what it stands for', () => {
  test.each([
    { name: 'a threshold of one half', span: { traceState: 'ot=th:8' }, requests: 2 },
    {
      name: 'a threshold of three quarters, as others write it',
      span: { traceState: 'a=b,ot=rv:1;th:c,x=y' },
      requests: 4,
    },
    { name: 'zeros at the end left out or not', span: { traceState: 'ot=th:c0000000000000' }, requests: 4 },
    { name: 'one in a thousand', span: { traceState: 'ot=th:ffbe76c8b43958' }, requests: 1000 },
    { name: 'nothing rejected', span: { traceState: 'ot=th:0' }, requests: 1 },
    {
      name: 'everything rejected, bounded',
      span: { traceState: 'ot=th:ffffffffffffff' },
      requests: 1_000_000,
    },
    { name: 'a threshold that is none', span: { traceState: 'ot=th:xyz' }, requests: 1 },
    { name: 'a threshold with fifteen digits', span: { traceState: 'ot=th:800000000000000' }, requests: 1 },
    { name: 'another vendor’s th', span: { traceState: 'zz=th:8' }, requests: 1 },
    { name: 'a probability', span: { attributes: { 'sampling.probability': 0.25 } }, requests: 4 },
    { name: 'a probability as text', span: { attributes: { 'sampling.probability': '0.5' } }, requests: 2 },
    {
      name: 'tracestate before the attribute',
      span: { traceState: 'ot=th:8', attributes: { 'sampling.probability': 0.1 } },
      requests: 2,
    },
    { name: 'a probability above one', span: { attributes: { 'sampling.probability': 7 } }, requests: 1 },
    { name: 'a probability of zero', span: { attributes: { 'sampling.probability': 0 } }, requests: 1 },
    { name: 'a negative probability', span: { attributes: { 'sampling.probability': -0.5 } }, requests: 1 },
    { name: 'no number at all', span: { attributes: { 'sampling.probability': 'NaN' } }, requests: 1 },
    { name: 'a hostile tracestate', span: { traceState: `ot=th:8'\n\nDROP TABLE spans` }, requests: 1 },
  ])('$name: $requests', async ({ name, span, requests }) => {
    await store(span, { 'service.name': `sampled ${name}` })
    const { items } = await surety.get<ServicesReply>('/api/v1/services')
    const item = items.find(({ service }) => service === `sampled ${name}`)
    expect(item).toMatchObject({ requests, sampled: requests !== 1, outcomes: { ok: requests } })
    expect(item?.ratePerSecond).toBeGreaterThan(requests / 961)
  })

  test('rates of services and of points over time add up', async () => {
    const resource = { 'service.name': 'mixed' }
    await store({ traceState: 'ot=th:8' }, resource)
    await store({ traceState: 'ot=th:c', attributes: { 'http.response.status_code': 500 } }, resource)
    await store({}, resource)
    const { items } = await surety.get<ServicesReply>('/api/v1/services')
    const item = items.find(({ service }) => service === 'mixed')
    expect(item).toMatchObject({ requests: 7, sampled: true, outcomes: { ok: 3, system_error: 4 } })
    expect(item?.errorRatio).toBeCloseTo(4 / 7, 9)
    const { versions } = await surety.get<ServiceSeriesReply>('/api/v1/services/mixed/series')
    expect(versions[0]?.points).toEqual([expect.objectContaining({ requests: 7, bad: 4 })])
  })
})
