// The three ways to send OTLP traces, HTTP with protobuf, HTTP with JSON, gRPC, are one door with three handles: the
// same spans give the same trace, the same mistakes the same answers, and neighbours are stored.

import { connect } from 'node:http2'
import { connect as connectPlain } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { ExportResultCode } from '@opentelemetry/core'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IngestStatusReply, ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import {
  EXPORT_TRACES,
  grpcFrame,
  openGrpcClient,
  openRawCall,
  retryInfo,
  type GrpcClient,
} from '../support/grpc.ts'
import { field, fixed64, integerField, traceRequest, type SpanInput } from '../support/otlp.ts'
import { protobufReader } from '../support/protobuf.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const BODY_MAX = 700_000
const LINGER_MS = 150
let surety: TestSurety
let grpc: GrpcClient
let zipped: GrpcClient

beforeAll(async () => {
  surety = await startSurety({
    SURETY_OTLP_BODY_BYTES_MAX: String(BODY_MAX),
    SURETY_PENDING_BYTES_MAX: String(1024 * 1024),
    SURETY_LINGER_MS: String(LINGER_MS),
  })
  grpc = openGrpcClient(surety.otlpGrpcUrl)
  zipped = openGrpcClient(surety.otlpGrpcUrl, { gzip: true })
})
afterAll(async () => {
  grpc.close()
  zipped.close()
  await surety.stop()
})

let sequence = 0
function span(overrides: Partial<SpanInput> = {}): SpanInput {
  sequence += 1
  const traceId = Buffer.alloc(16, 0xe7)
  traceId.writeUInt32BE(sequence, 0)
  const startNs = BigInt(Date.now() - 20_000) * 1_000_000n
  return { traceId, spanId: Buffer.alloc(8, 1), name: 'op', startNs, endNs: startNs + 1000n, ...overrides }
}
const requestOf = (service: string, spans: readonly SpanInput[]) =>
  traceRequest([{ attributes: { 'service.name': service }, spans }])

async function requestsOf(service: string): Promise<number> {
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  return items.filter((item) => item.service === service).reduce((sum, item) => sum + item.requests, 0)
}
const letters = async () => (await surety.get<IngestStatusReply>('/api/v1/ingest/status')).deadLetters

const JSON_HEADERS = { 'content-type': 'application/json' }
async function sendJson(body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const text = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const reply = await fetch(`${surety.otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...headers },
    body: text,
  })
  return {
    status: reply.status,
    type: reply.headers.get('content-type'),
    retryAfter: reply.headers.get('retry-after'),
    json: JSON.parse(await reply.text()) as Record<string, unknown>,
  }
}
const jsonSpans = (...spans: readonly unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })

/** Does something between two good requests in the same batch window, one through each of the other doors. */
async function expectAmongNeighbours<T>(hostile: () => Promise<T>): Promise<T> {
  sequence += 1
  const service = `neighbour-${sequence}`
  const [before, outcome, after] = await Promise.all([
    surety.send(requestOf(service, [span(), span()])),
    hostile(),
    grpc.call(requestOf(service, [span()])),
  ])
  expect([before.status, after.code]).toEqual([200, 'OK'])
  expect(await requestsOf(service)).toBe(3)
  return outcome
}

const partialSuccess = protobufReader(`
  syntax = "proto3";
  message Response { Partial partial_success = 1; }
  message Partial { int64 rejected_spans = 1; string error_message = 2; }
`)

describe('the same spans of the real SDK', () => {
  /** What a program recorded: once, to be exported several times under other trace ids. */
  function record(): ReadableSpan[] {
    const kept = new InMemorySpanExporter()
    const provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': 'doors',
        'service.version': '7.0',
        'bank.site': 'sh-a',
      }),
      spanProcessors: [new SimpleSpanProcessor({ exporter: kept })],
    })
    const tracer = provider.getTracer('bank', '1.0')
    const startTime = Date.now() - 1000
    const parent = tracer.startSpan('POST /转账', {
      startTime,
      kind: SpanKind.SERVER,
      attributes: {
        'bank.channel': 'mobile',
        amount: 12.5,
        count: 3,
        big: 2 ** 40,
        flag: true,
        tags: ['a', 'b'],
      },
    })
    const child = tracer.startSpan(
      'INSERT',
      { kind: SpanKind.CLIENT, startTime: startTime + 1 },
      trace.setSpan(context.active(), parent),
    )
    child.recordException(new Error('no such account'))
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'no such account\n\n;' })
    child.end()
    parent.addEvent('checked', { rule: 'limit' })
    parent.end()
    return kept.getFinishedSpans()
  }

  function underTrace(spans: readonly ReadableSpan[], traceId: string): ReadableSpan[] {
    return spans.map((recorded) => {
      const copy = Object.create(recorded) as { -readonly [Key in keyof ReadableSpan]: ReadableSpan[Key] }
      const parent = recorded.parentSpanContext
      Object.defineProperty(copy, 'spanContext', { value: () => ({ ...recorded.spanContext(), traceId }) })
      Object.defineProperty(copy, 'parentSpanContext', { value: parent && { ...parent, traceId } })
      return copy
    })
  }

  async function exported(exporter: SpanExporter, spans: ReadableSpan[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    exporter.export(spans, ({ code, error }) =>
      code === ExportResultCode.SUCCESS ? resolve() : reject(error ?? new Error(`the exporter says ${code}`)),
    )
    await promise
    await exporter.shutdown()
  }

  test('give the same trace through every door', async () => {
    const url = `${surety.otlpHttpUrl}/v1/traces`
    const gzip = { compression: CompressionAlgorithm.GZIP }
    const exporters = [
      new ProtobufExporter({ url }),
      new ProtobufExporter({ url, ...gzip }),
      new JsonExporter({ url }),
      new JsonExporter({ url, ...gzip }),
      new GrpcExporter({ url: surety.otlpGrpcUrl }),
      new GrpcExporter({ url: surety.otlpGrpcUrl, ...gzip }),
    ]
    const recorded = record()
    const traceIds = exporters.map((_, index) => `${index}5b8efff798038103d269b633813fc6`.padStart(32, 'a'))
    await Promise.all(
      exporters.map((exporter, index) => exported(exporter, underTrace(recorded, traceIds[index] ?? ''))),
    )
    const traces = await Promise.all(
      traceIds.map((traceId) => surety.get<TraceReply>(`/api/v1/traces/${traceId}`)),
    )
    expect(traces[0]?.spans.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'SERVER POST /转账',
      'CLIENT INSERT',
    ])
    expect(traces[0]?.spans[0]).toMatchObject({
      service: 'doors',
      version: '7.0',
      attributes: {
        'bank.channel': 'mobile',
        amount: '12.5',
        count: '3',
        big: String(2 ** 40),
        flag: 'true',
      },
      events: [{ name: 'checked', attributes: { rule: 'limit' } }],
    })
    for (const { spans } of traces) expect(spans).toEqual(traces[0]?.spans)
    expect(await requestsOf('doors')).toBe(exporters.length)
  })
})

describe('gRPC: the sender sees what is wrong', () => {
  const good = requestOf('victim', [span(), span()])

  test.each([
    {
      name: 'a truncated message',
      body: good.subarray(0, good.length - 5),
      code: 'INVALID_ARGUMENT',
      text: /not an ExportTraceServiceRequest: byte \d+: .* is cut short/,
    },
    {
      name: 'text instead of protobuf',
      body: Buffer.from('hello, is this the bank?'),
      code: 'INVALID_ARGUMENT',
      text: /not an ExportTraceServiceRequest: byte \d+/,
    },
    {
      name: 'JSON',
      body: Buffer.from('{"resourceSpans":[]}'),
      code: 'INVALID_ARGUMENT',
      text: /byte \d+/,
    },
    {
      name: 'what only the engine finds',
      body: field(1, field(2, field(2, Buffer.concat([fixed64(7, span().startNs), integerField(5, 7)])))),
      code: 'INVALID_ARGUMENT',
      text: /^The store cannot read the body: /,
    },
    {
      name: 'a message over the limit',
      body: Buffer.alloc(BODY_MAX + 1),
      code: 'RESOURCE_EXHAUSTED',
      text: /over 700000 bytes \(SURETY_OTLP_BODY_BYTES_MAX, inflated\); send smaller batches/,
    },
  ])('$name: $code', async ({ body, code, text }) => {
    const answer = await expectAmongNeighbours(() => grpc.call(body))
    expect(answer).toMatchObject({ code, retryAfterSeconds: undefined })
    expect(answer.details).toMatch(text)
  })

  test('a gzip bomb: RESOURCE_EXHAUSTED, not to be sent again', async () => {
    const answer = await expectAmongNeighbours(() => zipped.call(Buffer.alloc(BODY_MAX * 20)))
    expect(answer).toMatchObject({ code: 'RESOURCE_EXHAUSTED', retryAfterSeconds: undefined })
    expect(answer.details).toMatch(/SURETY_OTLP_BODY_BYTES_MAX/)
  })

  test('gzip is taken', async () => {
    expect(await expectAmongNeighbours(() => zipped.call(requestOf('zipped', [span()])))).toMatchObject({
      code: 'OK',
    })
    expect(await requestsOf('zipped')).toBe(1)
  })

  test.each([
    { name: 'that is no gzip', bytes: good },
    { name: 'cut short', bytes: gzipSync(good).subarray(0, 20) },
  ])('gzip $name: INTERNAL, not to be sent again', async ({ bytes }) => {
    const answer = await expectAmongNeighbours(async () => {
      const call = await openRawCall(surety.otlpGrpcUrl, { 'grpc-encoding': 'gzip' })
      call.stream.end(grpcFrame(bytes, true))
      return call.answered.finally(call.close)
    })
    expect(answer).toEqual({ status: 'INTERNAL', message: 'Failed to decompress message' })
  })

  test.each([
    '/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export',
    '/opentelemetry.proto.collector.trace.v1.TraceService/Import',
    '/grpc.health.v1.Health/Check',
  ])('%s: UNIMPLEMENTED, with what there is', async (path) => {
    const answer = await expectAmongNeighbours(() => grpc.call(good, path))
    expect(answer.code).toBe('UNIMPLEMENTED')
    expect(answer.details).toContain(`There is no ${path} here; there are ${EXPORT_TRACES.slice(1)}, `)
  })

  test('an empty message is an empty request, which OTLP allows', async () => {
    expect(await expectAmongNeighbours(() => grpc.call(Buffer.alloc(0)))).toMatchObject({
      code: 'OK',
      bytes: Buffer.alloc(0),
    })
  })

  test('a span whose time cannot be stored is told by partial success', async () => {
    const answer = await grpc.call(requestOf('times', [span(), span({ startNs: 0n })]))
    expect(answer.code).toBe('OK')
    expect(partialSuccess('Response', answer.bytes ?? Buffer.alloc(0))).toMatchObject({
      partialSuccess: {
        rejectedSpans: '1',
        errorMessage: expect.stringMatching(/check start_time_unix_nano/) as string,
      },
    })
  })
})

describe('gRPC: connections that mean harm', () => {
  test('HTTP/1.1, noise and silence cost nobody anything', async () => {
    const { hostname, port } = new URL(surety.otlpGrpcUrl)
    await expectAmongNeighbours(async () => {
      const sockets = ['POST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n', '\0'.repeat(500), ''].map((text) => {
        const socket = connectPlain(Number(port), hostname)
        socket.on('error', () => undefined)
        socket.write(text)
        return socket
      })
      await sleep(50)
      for (const socket of sockets) socket.destroy()
    })
  })

  test('a sender that goes away in the middle of its message costs nobody anything', async () => {
    await expectAmongNeighbours(async () => {
      const call = await openRawCall(surety.otlpGrpcUrl)
      call.stream.write(grpcFrame(good()).subarray(0, 30))
      await sleep(20)
      call.close()
    })
  })

  test('one that only pings is closed', async () => {
    const session = connect(surety.otlpGrpcUrl)
    session.on('error', () => undefined)
    const goaway = new Promise<string>((resolve) => {
      session.on('goaway', (code, _, data) => resolve(`${code} ${String(data)}`))
    })
    await new Promise((resolve) => session.once('connect', resolve))
    await expectAmongNeighbours(async () => {
      while (!session.destroyed) {
        await new Promise((resolve) => {
          session.ping(resolve)
        }).catch(() => undefined)
      }
    })
    // 11 is ENHANCE_YOUR_CALM.
    expect(await goaway).toBe('11 too_many_pings')
  })

  const good = () => requestOf('victim', [span()])
})

describe('JSON: the sender sees what is wrong, in JSON', () => {
  const place = 'resourceSpans[0].scopeSpans[0].spans'
  test.each([
    {
      name: 'an id that is none',
      body: jsonSpans({}, {}, { traceId: 'abc' }),
      status: 400,
      code: 3,
      text: `The body is not an ExportTraceServiceRequest: ${place}[2].traceId: must be 32 hexadecimal digits`,
    },
    {
      name: 'a time in words',
      body: jsonSpans({ startTimeUnixNano: 'now' }),
      status: 400,
      code: 3,
      text: `The body is not an ExportTraceServiceRequest: ${place}[0].startTimeUnixNano: must be a whole number from 0 to 18446744073709551615`,
    },
    {
      name: 'JSON cut short',
      body: '{"resourceSpans":[',
      status: 400,
      code: 3,
      text: /^The body is not an ExportTraceServiceRequest: it is not JSON: /,
    },
    {
      name: 'a hundred thousand brackets',
      body: '['.repeat(100_000),
      status: 400,
      code: 3,
      text: /nested deeper than 64 levels/,
    },
    { name: 'protobuf', body: requestOf('x', [span()]), status: 400, code: 3, text: /it is not/ },
    { name: 'nothing', body: '', status: 400, code: 3, text: /it is empty/ },
    {
      name: 'a body over the limit',
      body: Buffer.alloc(BODY_MAX + 1, ' '),
      status: 413,
      code: 8,
      text: /SURETY_OTLP_BODY_BYTES_MAX/,
    },
    {
      name: 'a gzip bomb',
      body: gzipSync(Buffer.alloc(BODY_MAX * 20, ' ')),
      headers: { 'content-encoding': 'gzip' },
      status: 413,
      code: 8,
      text: /SURETY_OTLP_BODY_BYTES_MAX/,
    },
    {
      name: 'another encoding',
      body: '{}',
      headers: { 'content-encoding': 'br' },
      status: 415,
      code: 3,
      text: /Content-Encoding br is not taken/,
    },
    {
      name: 'a foreign page',
      body: '{}',
      headers: { origin: 'https://evil.example' },
      status: 403,
      code: 7,
      text: /Origin/,
    },
  ])('$name: $status', async ({ body, headers, status, code, text }) => {
    const answer = await expectAmongNeighbours(() => sendJson(body, headers))
    expect(answer).toMatchObject({
      status,
      type: expect.stringMatching(/^application\/json/) as string,
      json: { code },
    })
    const { message } = answer.json as { message: string }
    if (typeof text === 'string') expect(message).toBe(text)
    else expect(message).toMatch(text)
  })

  test('what is not one is kept as it came', async () => {
    const before = await letters()
    const body = `{"resourceSpans": 5, "seen": ${sequence}}`
    expect(await sendJson(body)).toMatchObject({ status: 400 })
    const after = await letters()
    expect(after.total).toBe(before.total + 1)
    expect(after.newest[0]).toMatchObject({
      origin: 'otlp/http',
      bytes: body.length,
      reason: 'malformed: resourceSpans: must be an array',
    })
  })

  test('everything stored is an empty object; partial success says the count as text', async () => {
    const startTimeUnixNano = `${Date.now() - 1000}000000`
    expect(await sendJson(jsonSpans({ name: 'a', startTimeUnixNano }))).toMatchObject({
      status: 200,
      json: {},
    })
    const partial = await sendJson(jsonSpans({ name: 'b', startTimeUnixNano }, { name: 'c' }))
    expect(partial).toMatchObject({
      status: 200,
      json: {
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage: expect.stringMatching(/check start_time_unix_nano/) as string,
        },
      },
    })
  })

  test('gzip and a charset are taken', async () => {
    const answer = await sendJson(gzipSync('{}'), {
      'content-encoding': 'gzip',
      'content-type': 'application/json; charset=utf-8',
    })
    expect(answer).toMatchObject({ status: 200, json: {} })
  })
})

describe('SQL in every string field is text', () => {
  const sql = "\n\nDROP TABLE spans;\n\n'); DROP TABLE spans; --\\"
  const text = { stringValue: sql }
  const startNs = BigInt(Date.now() - 5000) * 1_000_000n

  async function expectText(traceId: string): Promise<void> {
    const reply = await surety.get<TraceReply>(`/api/v1/traces/${traceId}`)
    expect(reply.spans[0]).toMatchObject({
      name: sql,
      service: sql,
      version: sql,
      statusMessage: sql,
      attributes: { [sql]: sql, 'bank.channel': sql },
      resource: { [sql]: sql },
      events: [{ name: sql, attributes: { [sql]: sql } }],
    })
  }
  const keys = ['service.name', 'service.version', 'bank.system', 'bank.site', 'k8s.cluster.name', sql]

  test('through gRPC', async () => {
    const body = traceRequest([
      {
        attributes: Object.fromEntries(keys.map((key) => [key, sql])),
        scope: { name: sql, version: sql },
        spans: [
          span({
            traceId: Buffer.alloc(16, 0x5a),
            startNs,
            name: sql,
            traceState: sql,
            statusMessage: sql,
            statusCode: 2,
            attributes: { [sql]: sql, 'bank.channel': sql, list: [sql] },
            events: [{ atNs: 1n, name: sql, attributes: { [sql]: sql } }],
          }),
        ],
      },
    ])
    expect(await expectAmongNeighbours(() => grpc.call(body))).toMatchObject({ code: 'OK' })
    await expectText('5a'.repeat(16))
  })

  test('through JSON', async () => {
    const attribute = (key: string) => ({ key, value: text })
    const json = {
      [sql]: sql,
      resourceSpans: [
        {
          resource: { attributes: keys.map(attribute) },
          schemaUrl: sql,
          scopeSpans: [
            {
              schemaUrl: sql,
              scope: { name: sql, version: sql, attributes: [attribute(sql)] },
              spans: [
                {
                  traceId: '5B'.repeat(16),
                  spanId: '01'.repeat(8),
                  traceState: sql,
                  name: sql,
                  kind: 2,
                  startTimeUnixNano: String(startNs),
                  endTimeUnixNano: String(startNs + 1n),
                  attributes: [
                    ...[sql, 'bank.channel'].map(attribute),
                    { key: 'list', value: { arrayValue: { values: [text] } } },
                    { key: 'map', value: { kvlistValue: { values: [attribute(sql)] } } },
                  ],
                  events: [{ timeUnixNano: '1', name: sql, attributes: [attribute(sql)] }],
                  links: [{ traceState: sql }],
                  status: { code: 2, message: sql },
                },
              ],
            },
          ],
        },
      ],
    }
    expect(await expectAmongNeighbours(() => sendJson(json))).toMatchObject({ status: 200, json: {} })
    await expectText('5b'.repeat(16))
    // A name where a number belongs is told with its place alone.
    const answer = await sendJson(jsonSpans({ traceId: sql, kind: sql }))
    expect(JSON.stringify(answer.json)).not.toContain('DROP')
  })
})

test('a pipeline that is full says so at every door, with when to come again, and has lost nothing', async () => {
  sequence += 1
  const service = `full-${sequence}`
  const padded = () => requestOf(service, [span({ attributes: { padding: 'x'.repeat(600_000) } })])
  const filling = Promise.all([grpc.call(padded()), grpc.call(padded())])
  const pending = async () => {
    const text = await (await fetch(`${surety.url}/metrics`)).text()
    return Number(/^surety_ingest_pending_bytes (\d+)$/m.exec(text)?.[1])
  }
  while ((await pending()) < 1024 * 1024) await sleep(1)
  const [viaGrpc, viaJson, viaProtobuf] = await Promise.all([
    grpc.call(requestOf(service, [span()])),
    sendJson(jsonSpans({ name: 'a' })),
    fetch(`${surety.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: requestOf(service, [span()]) as Uint8Array<ArrayBuffer>,
    }),
  ])
  const sentence = /^Surety holds \d+ bytes that are not stored yet; send again in 2 s$/
  expect(viaGrpc).toMatchObject({ code: 'UNAVAILABLE', retryAfterSeconds: 2 })
  expect(viaGrpc.details).toMatch(sentence)
  expect(viaJson).toMatchObject({
    status: 503,
    retryAfter: '2',
    json: {
      code: 14,
      message: expect.stringMatching(sentence) as string,
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }],
    },
  })
  expect(viaProtobuf.status).toBe(503)
  expect(retryInfo(await viaProtobuf.bytes())).toBe(2)
  expect((await filling).map(({ code }) => code)).toEqual(['OK', 'OK'])
  expect(await grpc.call(requestOf(service, [span()]))).toMatchObject({ code: 'OK' })
  expect(await requestsOf(service)).toBe(3)
})

test('refusals are counted by door', async () => {
  const text = await (await fetch(`${surety.url}/metrics`)).text()
  for (const status of ['INVALID_ARGUMENT', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED', 'UNAVAILABLE'])
    expect(text).toContain(`surety_ingest_refused_requests_total{door="otlp/grpc",status="${status}"}`)
  expect(text).toMatch(/surety_ingest_bytes_total\{door="otlp\/grpc"\} \d+/)
})

test('a stop answers what was taken, sends away what is still coming, and does not wait for those who stay', async () => {
  const coming = await openRawCall(surety.otlpGrpcUrl)
  coming.stream.write(grpcFrame(requestOf('late', [span()])).subarray(0, 30))
  const idle = await openRawCall(surety.otlpGrpcUrl)
  const taken = grpc.call(requestOf('stopping', [span()]))
  await eventually(
    async () => (await fetch(`${surety.url}/metrics`)).text(),
    (text) => /^surety_ingest_pending_bytes [1-9]/m.test(text),
  )
  const startedAt = performance.now()
  const stopped = surety.lifecycle.stop()
  expect(await coming.answered).toEqual({ status: 'UNAVAILABLE', message: 'Surety is stopping; send again' })
  expect(await taken).toMatchObject({ code: 'OK', details: '' })
  await stopped
  expect(performance.now() - startedAt).toBeLessThan(5000)
  coming.close()
  idle.close()
})
