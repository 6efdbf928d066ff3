// Bytes that mean harm, at the OTLP/HTTP door: what the sender sees, and that its neighbours arrived.

import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IngestStatusReply, ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { field, fixed64, integerField, random, traceRequest, type SpanInput } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

let surety: TestSurety
const BODY_MAX = 1_000_000

beforeAll(async () => {
  surety = await startSurety({ SURETY_OTLP_BODY_BYTES_MAX: String(BODY_MAX), SURETY_LINGER_MS: '200' })
})
afterAll(() => surety.stop())

let sequence = 0
function span(overrides: Partial<SpanInput> = {}): SpanInput {
  sequence += 1
  const traceId = Buffer.alloc(16, 0xee)
  traceId.writeUInt32BE(sequence, 0)
  const startNs = BigInt(Date.now() - 20_000) * 1_000_000n
  return {
    traceId,
    spanId: Buffer.alloc(8, sequence),
    name: 'op',
    startNs,
    endNs: startNs + 1000n,
    ...overrides,
  }
}

const requestOf = (service: string, spans: readonly SpanInput[]) =>
  traceRequest([{ attributes: { 'service.name': service }, spans }])

async function requestsOf(service: string): Promise<number> {
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  return items.filter((item) => item.service === service).reduce((sum, item) => sum + item.requests, 0)
}

const letters = async () => (await surety.get<IngestStatusReply>('/api/v1/ingest/status')).deadLetters

/** Sends the hostile body between two good ones, in the same batch window, and counts the good ones. */
async function amongNeighbours(body: Uint8Array, headers: Record<string, string> = {}) {
  sequence += 1
  const service = `neighbour-${sequence}`
  const [before, hostile, after] = await Promise.all([
    surety.send(requestOf(service, [span(), span()])),
    surety.send(body, headers),
    surety.send(requestOf(service, [span()])),
  ])
  expect([before.status, after.status]).toEqual([200, 200])
  expect(await requestsOf(service)).toBe(3)
  return hostile
}

const good = requestOf('victim', [span(), span()])
const gzip = { 'content-encoding': 'gzip' }

describe('the sender sees what is wrong', () => {
  test.each([
    {
      name: 'a truncated request',
      body: good.subarray(0, good.length - 5),
      status: 400,
      text: /not an ExportTraceServiceRequest: byte \d+: .* is cut short: \d+ bytes announced, \d+ left/,
    },
    {
      name: 'text instead of protobuf',
      body: Buffer.from('hello, is this the bank?'),
      status: 400,
      text: /not an ExportTraceServiceRequest: byte \d+/,
    },
    {
      name: 'JSON under a protobuf content type',
      body: Buffer.from('{"resourceSpans":[]}'),
      status: 400,
      text: /byte \d+/,
    },
    {
      name: 'a start time with the wrong wire type',
      body: field(1, field(2, field(2, field(7, 'soon')))),
      status: 400,
      text: /start_time_unix_nano has wire type 2, OTLP defines 1/,
    },
    {
      name: 'a name with the wrong wire type',
      body: requestWithRawSpan(integerField(5, 7)),
      status: 400,
      text: /The store cannot read the body/,
    },
    {
      name: 'attributes that are no messages',
      body: requestWithRawSpan(field(9, Buffer.from([0xff, 0xff, 0xff]))),
      status: 400,
      text: /byte \d+: a number is cut short/,
    },
    {
      name: 'gzip that is not gzip',
      body: good,
      headers: gzip,
      status: 400,
      text: /The body is not gzip .* although Content-Encoding says so/,
    },
    {
      name: 'gzip cut short',
      body: gzipSync(good).subarray(0, 20),
      headers: gzip,
      status: 400,
      text: /The body is not gzip/,
    },
    {
      name: 'a gzip bomb',
      body: gzipSync(Buffer.alloc(BODY_MAX * 20)),
      headers: gzip,
      status: 413,
      text: /over 1000000 bytes \(SURETY_OTLP_BODY_BYTES_MAX, inflated\); send smaller batches/,
    },
    {
      name: 'a body over the limit',
      body: Buffer.alloc(BODY_MAX + 1),
      status: 413,
      text: /over 1000000 bytes/,
    },
    {
      name: 'another content type',
      body: good,
      headers: { 'content-type': 'text/plain' },
      status: 415,
      text: /Content-Type text\/plain is not taken; send application\/x-protobuf/,
    },
    {
      name: 'another encoding',
      body: good,
      headers: { 'content-encoding': 'br' },
      status: 415,
      text: /Content-Encoding br is not taken/,
    },
  ])('$name: $status', async ({ body, headers, status, text }) => {
    const hostile = await amongNeighbours(body, headers)
    expect(hostile.status).toBe(status)
    expect(hostile.text).toMatch(text)
  })

  test('an empty body is an empty request, which OTLP allows', async () => {
    expect(await amongNeighbours(Buffer.alloc(0))).toMatchObject({ status: 200, text: '' })
  })

  test('a foreign host name is refused', async () => {
    expect(await amongNeighbours(good, { origin: 'https://evil.example' })).toMatchObject({ status: 403 })
  })
})

test('a message that the engine refuses is found among many, kept whole as a dead letter, and the rest is stored', async () => {
  const bad = requestWithRawSpan(integerField(5, 7))
  const before = await letters()
  sequence += 1
  const service = `batch-${sequence}`
  const bodies = Array.from({ length: 40 }, (_, index) => (index === 17 ? bad : requestOf(service, [span()])))
  const replies = await Promise.all(bodies.map((body) => surety.send(body)))
  expect(replies.map(({ status }) => status)).toEqual(bodies.map((body) => (body === bad ? 400 : 200)))
  expect(await requestsOf(service)).toBe(39)
  const after = await letters()
  expect(after.total).toBe(before.total + 1)
  expect(after.newest[0]).toMatchObject({
    origin: 'otlp/http',
    bytes: bad.length,
    reason: expect.stringMatching(/^engine-refused: /) as string,
  })
})

describe('absurd times', () => {
  test.each([
    { name: 'zero', startNs: 0n },
    { name: 'seconds sent as nanoseconds', startNs: BigInt(Math.floor(Date.now() / 1000)) },
    { name: 'the year 2150', startNs: BigInt(Date.UTC(2150, 0, 1)) * 1_000_000n },
    { name: 'the end of 64 bits', startNs: 2n ** 64n - 1n },
    { name: 'two days ahead', startNs: BigInt(Date.now() + 2 * 86_400_000) * 1_000_000n },
  ])('$name: the span is quarantined, its neighbours in the same message are stored', async ({ startNs }) => {
    const before = await letters()
    sequence += 1
    const service = `times-${sequence}`
    const sent = await surety.send(requestOf(service, [span(), span({ startNs }), span()]))
    expect(sent.status).toBe(200)
    expect(sent.text).toMatch(
      /1 spans start between .* outside .*; check start_time_unix_nano and the sender's clock/,
    )
    expect(await requestsOf(service)).toBe(2)
    const after = await letters()
    expect(after.total).toBe(before.total + 1)
    expect(after.newest[0]?.reason).toMatch(/^time-out-of-range: 1 spans/)
  })

  test('spans past the retention are told to the sender, counted, and no dead letter', async () => {
    const before = await letters()
    const startNs = BigInt(Date.now() - 30 * 86_400_000) * 1_000_000n
    const sent = await surety.send(requestOf('old', [span({ startNs })]))
    expect(sent.status).toBe(200)
    expect(sent.text).toMatch(
      /1 spans start before .*, older than the retention of raw spans; they were not stored/,
    )
    expect(await letters()).toEqual(before)
    const metrics = await (await fetch(`${surety.url}/metrics`)).text()
    expect(metrics).toMatch(/surety_ingest_expired_spans_total\{door="otlp"\} 1/)
  })
})

describe('fields beside the spans, as OTLP may add them, cost nothing: not their message, not what follows in the batch', () => {
  const sent = (service: string) => requestOf(service, [span(), span()])
  test.each([
    {
      name: 'behind them',
      body: (service: string) => Buffer.concat([sent(service), field(2, Buffer.alloc(300, 0x12))]),
    },
    { name: 'before them', body: (service: string) => Buffer.concat([field(7, 'new'), sent(service)]) },
    {
      name: 'between them',
      body: (service: string) =>
        Buffer.concat([requestOf(service, [span()]), integerField(3, 2 ** 40), requestOf(service, [span()])]),
    },
    {
      name: 'fixed numbers',
      body: (service: string) =>
        Buffer.concat([sent(service), fixed64(4, 5n), Buffer.from([0x2d, 1, 2, 3, 4])]),
    },
  ])('$name', async ({ body }) => {
    sequence += 1
    const service = `beside-${sequence}`
    const bytes = body(service)
    const hostile = await amongNeighbours(bytes)
    expect(hostile).toMatchObject({ status: 200, text: '' })
    expect(await requestsOf(service)).toBe(2)
  })

  test('metrics too', async () => {
    const atNs = BigInt(Date.now() - 20_000) * 1_000_000n
    const metric = (name: string) =>
      metricRequest({ 'service.name': 's' }, [{ name, gauge: [{ atNs, value: 1n }] }])
    const replies = await Promise.all([
      surety.sendMetrics(metric('beside_a')),
      surety.sendMetrics(
        Buffer.concat([field(9, 'new'), metric('beside_b'), field(2, Buffer.alloc(300, 0x12))]),
      ),
      surety.sendMetrics(metric('beside_c')),
    ])
    expect(replies.map(({ status, text }) => [status, text])).toEqual([
      [200, ''],
      [200, ''],
      [200, ''],
    ])
    for (const name of ['beside_a', 'beside_b', 'beside_c']) {
      const reply = await surety.get<{ series: readonly unknown[] }>(`/api/v1/metrics/query?metric=${name}`)
      expect(reply.series).toHaveLength(1)
    }
  })
})

test('invalid UTF-8 is kept and shown with replacement characters', async () => {
  const broken = Buffer.from([0x61, 0xff, 0xfe, 0x62])
  const fields = Buffer.concat([
    field(5, broken),
    field(9, Buffer.concat([field(1, 'k'), field(2, field(1, broken))])),
  ])
  const { body, hex } = rawSpan(fields)
  expect(await amongNeighbours(body)).toMatchObject({ status: 200 })
  const { spans } = await surety.get<TraceReply>(`/api/v1/traces/${hex}`)
  expect(spans[0]?.name).toMatch(/^a\ufffd+b$/)
  expect(spans[0]?.attributes['k']).toMatch(/^a\ufffd+b$/)
})

describe('SQL in every string field is text', () => {
  const sql = "\n\nDROP TABLE spans;\n\n'); DROP TABLE spans; --\\"
  test('and comes back as it was sent', async () => {
    const hostile = span({
      name: sql,
      traceState: sql,
      statusMessage: sql,
      statusCode: 2,
      attributes: {
        [sql]: sql,
        'bank.channel': sql,
        'bank.txn.id': sql,
        'http.response.status_code': sql,
        'rpc.grpc.status_code': sql,
        list: [sql],
      },
      events: [{ atNs: 1n, name: sql, attributes: { [sql]: sql } }],
    })
    const keys = ['service.name', 'service.version', 'bank.system', 'bank.site', 'k8s.cluster.name', sql]
    const body = traceRequest([
      {
        attributes: Object.fromEntries(keys.map((key) => [key, sql])),
        scope: { name: sql, version: sql },
        spans: [hostile],
      },
    ])
    expect(await amongNeighbours(body)).toMatchObject({ status: 200 })
    const trace = await surety.get<TraceReply>(
      `/api/v1/traces/${Buffer.from(hostile.traceId).toString('hex')}`,
    )
    expect(trace.spans[0]).toMatchObject({
      name: sql,
      service: sql,
      version: sql,
      statusMessage: sql,
      attributes: { [sql]: sql, 'bank.channel': sql, 'bank.txn.id': sql },
      resource: { [sql]: sql },
      events: [{ name: sql, attributes: { [sql]: sql } }],
    })
    const encoded = encodeURIComponent(sql)
    await surety.get(`/api/v1/services/${encoded}/series`)
    await surety.get(
      `/api/v1/services?site=${encoded}&channel=${encoded}&region=${encoded}&traffic=${encoded}`,
    )
    await surety.get(`/api/v1/releases/events?service=${encoded}`)
    const status = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
    expect(status.spans.rows).toBeGreaterThan(0)
  })
})

test('random damage never costs a neighbour and never an answer', async () => {
  const next = random(11)
  sequence += 1
  const service = `fuzz-${sequence}`
  let goodSent = 0
  for (let round = 0; round < 12; round += 1) {
    const bodies = Array.from({ length: 12 }, () => {
      const body = Buffer.from(requestOf('fuzzed', [span({ attributes: { a: 'b', n: 1, l: ['x'] } })]))
      const flips = 1 + Math.floor(next() * 3)
      for (let flip = 0; flip < flips; flip += 1) {
        const at = Math.floor(next() * body.length)
        body[at] = (body[at] ?? 0) ^ (1 << Math.floor(next() * 8))
      }
      return body
    })
    goodSent += 1
    const replies = await Promise.all([
      untilAnswered(requestOf(service, [span()])),
      ...bodies.map(untilAnswered),
    ])
    expect(replies[0]?.status).toBe(200)
    for (const { status } of replies) expect([200, 400]).toContain(status)
  }
  expect(await requestsOf(service)).toBe(goodSent)
})

/** As exporters do: the same bytes again while the store is busy, which a loaded machine makes it. */
async function untilAnswered(body: Uint8Array) {
  for (;;) {
    const reply = await surety.send(body)
    if (reply.status !== 503) return reply
  }
}

function requestWithRawSpan(extra: Buffer): Buffer {
  return rawSpan(extra).body
}

function rawSpan(extra: Buffer): { body: Buffer; hex: string } {
  sequence += 1
  const traceId = Buffer.alloc(16, 0xdd)
  traceId.writeUInt32BE(sequence, 0)
  const start = fixed64(7, BigInt(Date.now() - 20_000) * 1_000_000n)
  const bytes = Buffer.concat([
    field(1, traceId),
    field(2, Buffer.alloc(8, 1)),
    integerField(6, 2),
    start,
    extra,
  ])
  const resource = field(1, field(1, Buffer.concat([field(1, 'service.name'), field(2, field(1, 'raw'))])))
  return {
    body: field(1, Buffer.concat([resource, field(2, field(2, bytes))])),
    hex: traceId.toString('hex'),
  }
}
