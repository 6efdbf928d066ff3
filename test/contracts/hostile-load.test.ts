// Senders that mean harm by size, number or slowness, at every OTLP door: what they are told, and that others are served
// meanwhile and lose nothing.

import { once } from 'node:events'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { IngestStatusReply, ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import { openGrpcClient, openRawCall, grpcFrame, type GrpcClient } from '../support/grpc.ts'
import { field, traceRequest, varint, type SpanInput } from '../support/otlp.ts'
import { eventually, startSurety, type Sent, type TestSurety } from '../support/surety.ts'

const BODY_MAX = 16 * 1024 * 1024
const HUNDRED_MB = 100_000_000
const TOO_LARGE = `The body is over ${BODY_MAX} bytes (SURETY_OTLP_BODY_BYTES_MAX, inflated); send smaller batches`
let surety: TestSurety
let grpc: GrpcClient

beforeAll(async () => {
  surety = await startSurety({ SURETY_LINGER_MS: '100' })
  grpc = openGrpcClient(surety.otlpGrpcUrl)
})
afterAll(async () => {
  grpc.close()
  await surety.stop()
})

let sequence = 0
function span(overrides: Partial<SpanInput> = {}): SpanInput {
  sequence += 1
  const traceId = Buffer.alloc(16, 0xf1)
  traceId.writeUInt32BE(sequence, 0)
  const startNs = BigInt(Date.now() - 20_000) * 1_000_000n
  return { traceId, spanId: Buffer.alloc(8, 1), name: 'op', startNs, endNs: startNs + 1000n, ...overrides }
}
const requestOf = (service: string, spans: readonly SpanInput[]) =>
  traceRequest([{ attributes: { 'service.name': service }, spans }])

const jsonOf = (service: string) => {
  sequence += 1
  const attributes = [{ key: 'service.name', value: { stringValue: service } }]
  const one = {
    traceId: sequence.toString(16).padStart(32, '0'),
    spanId: '00f067aa0ba902b7',
    name: 'op',
    kind: 2,
    startTimeUnixNano: `${Date.now() - 20_000}000000`,
    endTimeUnixNano: `${Date.now() - 19_990}000000`,
  }
  return Buffer.from(
    JSON.stringify({ resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [one] }] }] }),
  )
}
const JSON_TYPE = { 'content-type': 'application/json' }

async function requestsOf(service: string): Promise<number> {
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  return items.filter((item) => item.service === service).reduce((sum, item) => sum + item.requests, 0)
}
const status = () => surety.get<IngestStatusReply>('/api/v1/ingest/status')

/** As exporters do: the same bytes again when it is told to come again. */
async function untilTaken(send: () => Promise<string>): Promise<void> {
  await eventually(send, (answer) => {
    expect(['taken', 'again']).toContain(answer)
    return answer === 'taken'
  })
}
const heardOverHttp = ({ status: code, retryAfter }: Sent) =>
  code === 200 ? 'taken' : code === 503 && retryAfter !== null ? 'again' : String(code)
const heardOverGrpc = ({ code, retryAfterSeconds }: Awaited<ReturnType<GrpcClient['call']>>) =>
  code === 'OK' ? 'taken' : code === 'UNAVAILABLE' && retryAfterSeconds !== undefined ? 'again' : code

/** Does something between good requests through every door, and counts those. */
async function amongNeighbours<T>(hostile: () => Promise<T>): Promise<T> {
  sequence += 1
  const service = `neighbour-${sequence}`
  const bodies = [
    requestOf(service, [span(), span()]),
    jsonOf(service),
    requestOf(service, [span()]),
  ] as const
  const [, outcome] = await Promise.all([
    untilTaken(async () => heardOverHttp(await surety.send(bodies[0]))),
    hostile(),
    untilTaken(async () => heardOverHttp(await surety.send(bodies[1], JSON_TYPE))),
    untilTaken(async () => heardOverGrpc(await grpc.call(bodies[2]))),
  ])
  expect(await requestsOf(service)).toBe(4)
  return outcome
}

describe('a message of 100 MB', () => {
  const zeros = Buffer.alloc(HUNDRED_MB)
  const zipped = gzipSync(zeros)

  test.each([
    { name: 'protobuf', headers: {}, body: zeros },
    { name: 'JSON', headers: JSON_TYPE, body: zeros },
    { name: 'protobuf, gzip', headers: { 'content-encoding': 'gzip' }, body: zipped },
    { name: 'JSON, gzip', headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body: zipped },
  ])('over HTTP, $name: 413 and why', async ({ headers, body }) => {
    const sent = await amongNeighbours(() => surety.send(body, headers))
    expect(sent.status).toBe(413)
    expect(sent.text).toContain(TOO_LARGE)
  })

  test('over HTTP without saying how long it is: 413 as soon as it is too much', async () => {
    const sent = await amongNeighbours(
      () =>
        new Promise<{ status: number; text: string; taken: number }>((resolve, reject) => {
          let taken = 0
          const url = new URL('/v1/traces', surety.otlpHttpUrl)
          const request = httpRequest(
            url,
            { method: 'POST', headers: { 'content-type': 'application/x-protobuf' } },
            (reply) => {
              const parts: Buffer[] = []
              const takenAtAnswer = taken
              reply.on('data', (part: Buffer) => parts.push(part))
              reply.on('end', () => {
                resolve({
                  status: reply.statusCode ?? 0,
                  text: Buffer.concat(parts).toString(),
                  taken: takenAtAnswer,
                })
                request.destroy()
              })
            },
          )
          request.on('error', reject)
          const chunk = Buffer.alloc(1_000_000)
          const more = () => {
            taken += chunk.length
            if (taken <= HUNDRED_MB && !request.destroyed) request.write(chunk, () => setImmediate(more))
          }
          more()
        }),
    )
    expect(sent.status).toBe(413)
    expect(sent.text).toContain(TOO_LARGE)
    expect(sent.taken).toBeLessThan(HUNDRED_MB)
  })

  test('over gRPC: RESOURCE_EXHAUSTED and why', async () => {
    const sent = await amongNeighbours(() => grpc.call(zeros))
    expect(sent).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: TOO_LARGE })
  })
})

describe('values within values', () => {
  /** An AnyValue of lists within lists, or maps within maps, written from the inside out. */
  function nested(depth: number, kind: 'list' | 'map'): Buffer {
    const pieces: Buffer[] = [field(1, 'deep')]
    let length = pieces[0]?.length ?? 0
    const wrap = (tag: number, extra: Buffer = Buffer.alloc(0)) => {
      const prefix = Buffer.concat([extra, varint((tag << 3) | 2), varint(length)])
      pieces.push(prefix)
      length += prefix.length
    }
    for (let level = 0; level < depth; level += 1) {
      if (kind === 'list') wrap(1)
      else {
        wrap(2, field(1, 'k'))
        wrap(1)
      }
      wrap(kind === 'list' ? 5 : 6)
    }
    return Buffer.concat(pieces.toReversed())
  }

  test.each([
    { kind: 'list', depth: 5 },
    { kind: 'list', depth: 1000 },
    { kind: 'list', depth: 100_000 },
    { kind: 'map', depth: 1000 },
    { kind: 'map', depth: 100_000 },
  ] as const)(
    'a $kind $depth deep is stored as a text, or refused by name; the engine stays',
    async ({ kind, depth }) => {
      const one = span()
      const keyValue = Buffer.concat([field(1, 'nest'), field(2, nested(depth, kind))])
      const [spans] = [Buffer.concat([spanOf(one), field(9, keyValue)])]
      const resource = field(
        1,
        field(1, Buffer.concat([field(1, 'service.name'), field(2, field(1, 'nested'))])),
      )
      const body = field(1, Buffer.concat([resource, field(2, field(2, spans))]))
      const [http, rpc] = await amongNeighbours(() => Promise.all([surety.send(body), grpc.call(body)]))
      expect(http.status).toBe(200)
      expect(rpc.code).toBe('OK')
      const { spans: found } = await surety.get<TraceReply>(
        `/api/v1/traces/${Buffer.from(one.traceId).toString('hex')}`,
      )
      // The same bytes through two doors are one request.
      expect(found).toHaveLength(1)
      expect(Object.keys(found[0]?.attributes ?? {})).toContain('nest')
    },
  )

  test('in JSON: refused with what to do', async () => {
    const depth = 100_000
    const value = `${'{"arrayValue":{"values":['.repeat(depth)}{"stringValue":"deep"}${']}}'.repeat(depth)}`
    const text = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"nest","value":${value}}]}]}]}]}`
    const sent = await amongNeighbours(() => surety.send(Buffer.from(text), JSON_TYPE))
    expect(sent.status).toBe(400)
    expect(sent.text).toMatch(/nest|deep/)
  })
})

test('a million distinct attribute keys are stored, found, and make no answer large', async () => {
  const PER_SPAN = 2500
  const SPANS = 100
  const bodies = [0, 1, 2, 3].map((part) =>
    requestOf(
      'million-keys',
      Array.from({ length: SPANS }, (_, index) =>
        span({
          attributes: Object.fromEntries(
            Array.from({ length: PER_SPAN }, (__, key) => [`k${part}.${index}.${key}`, 'v']),
          ),
        }),
      ),
    ),
  )
  await amongNeighbours(() =>
    Promise.all(bodies.map((body) => untilTaken(async () => heardOverHttp(await surety.send(body))))),
  )
  expect(await requestsOf('million-keys')).toBe(4 * SPANS)
  const trace = await surety.get<{ items: { traceId: string }[] }>(
    '/api/v1/traces?service=million-keys&limit=1',
  )
  const { spans } = await surety.get<TraceReply>(`/api/v1/traces/${trace.items[0]?.traceId}`)
  expect(Object.keys(spans[0]?.attributes ?? {})).toHaveLength(PER_SPAN)
  const keys = await fetch(`${surety.url}/api/v1/attributes`)
  expect(keys.status).toBe(200)
  expect((await keys.text()).length).toBeLessThan(100_000)
})

describe('identities that are none', () => {
  test.each([
    { name: 'empty', traceId: Buffer.alloc(0), spanId: Buffer.alloc(0) },
    { name: 'zeros', traceId: Buffer.alloc(16), spanId: Buffer.alloc(8) },
    { name: 'too short', traceId: Buffer.from([0xaa]), spanId: Buffer.from([0xbb]) },
    { name: 'too long', traceId: Buffer.alloc(40, 0xcc), spanId: Buffer.alloc(40, 0xdd) },
  ])('$name: the span counts as a request all the same', async ({ name, traceId, spanId }) => {
    const service = `ids ${name}`
    const [http, rpc] = await amongNeighbours(() =>
      Promise.all([
        surety.send(requestOf(service, [span({ traceId, spanId }), span()])),
        grpc.call(requestOf(service, [span({ traceId, spanId, name: 'other' })])),
      ]),
    )
    expect([http.status, rpc.code]).toEqual([200, 'OK'])
    expect(await requestsOf(service)).toBe(3)
  })

  test('empty in JSON', async () => {
    const text = jsonOf('ids json')
      .toString()
      .replace(/"traceId":"[0-9a-f]+","spanId":"[0-9a-f]+"/, '"traceId":"","spanId":""')
    const sent = await amongNeighbours(() => surety.send(Buffer.from(text), JSON_TYPE))
    expect(sent.status).toBe(200)
    expect(await requestsOf('ids json')).toBe(1)
  })
})

describe('a thousand senders at once', () => {
  const SENDERS = 1000

  test.each([
    {
      name: 'HTTP, protobuf',
      type: 'application/x-protobuf',
      body: () => requestOf('crowd HTTP, protobuf', [span()]),
    },
    { name: 'HTTP, JSON', type: 'application/json', body: () => jsonOf('crowd HTTP, JSON') },
  ])(
    'over $name, a connection each: all are stored once',
    async ({ name, type, body }) => {
      const agent = new Agent({ keepAlive: false, maxSockets: SENDERS })
      const url = new URL('/v1/traces', surety.otlpHttpUrl)
      const bodies = Array.from({ length: SENDERS }, body)
      const post = (bytes: Buffer) =>
        new Promise<string>((resolve, reject) => {
          const request = httpRequest(
            url,
            { method: 'POST', agent, headers: { 'content-type': type } },
            (reply) => {
              reply.resume()
              const again = reply.statusCode === 503 && reply.headers['retry-after'] !== undefined
              resolve(reply.statusCode === 200 ? 'taken' : again ? 'again' : String(reply.statusCode))
            },
          )
          request.on('error', reject)
          request.end(bytes)
        })
      await Promise.all(bodies.map((bytes) => untilTaken(() => post(bytes))))
      agent.destroy()
      expect(await requestsOf(`crowd ${name}`)).toBe(SENDERS)
    },
    120_000,
  )

  test('over gRPC, two hundred connections: all are stored once', async () => {
    const clients = Array.from({ length: 200 }, () => openGrpcClient(surety.otlpGrpcUrl))
    const bodies = Array.from({ length: SENDERS }, () => requestOf('crowd gRPC', [span()]))
    try {
      await Promise.all(
        bodies.map((bytes, index) =>
          untilTaken(async () =>
            heardOverGrpc(await (clients[index % clients.length] as GrpcClient).call(bytes)),
          ),
        ),
      )
    } finally {
      for (const client of clients) client.close()
    }
    expect(await requestsOf('crowd gRPC')).toBe(SENDERS)
  })
})

describe('senders that hardly send', () => {
  async function open(url: string, bytes: Buffer): Promise<{ socket: Socket; heard: Promise<string> }> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(bytes)
    const heard = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (part: Buffer) => (text += part.toString('latin1')))
      socket.on('close', () => resolve(text))
    })
    return { socket, heard }
  }

  test('are told so and cut off; meanwhile others are served, and their slots are free again', async () => {
    const head = 'POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n'
    const many = (count: number, url: string, bytes: string) =>
      Promise.all(Array.from({ length: count }, () => open(url, Buffer.from(bytes, 'latin1'))))
    const [heads, bodies, silent, calls] = await Promise.all([
      many(200, surety.otlpHttpUrl, head),
      many(100, surety.otlpHttpUrl, `${head}Transfer-Encoding: chunked\r\n\r\n1\r\n\x0a\r\n`),
      many(50, surety.otlpGrpcUrl, ''),
      Promise.all(Array.from({ length: 20 }, () => openRawCall(surety.otlpGrpcUrl))),
    ])
    for (const { stream } of calls) stream.write(grpcFrame(Buffer.alloc(1000)).subarray(0, 100))

    const state = { isOver: false }
    const over = Promise.all([...heads, ...bodies, ...silent].map(({ heard }) => heard)).finally(
      () => (state.isOver = true),
    )
    let rounds = 0
    while (!state.isOver) {
      await amongNeighbours(async () => undefined)
      rounds += 1
    }
    expect(rounds).toBeGreaterThan(1)
    const heard = await over
    for (const text of heard.slice(0, 200)) {
      expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/)
      expect(text).toContain('The request did not come in time: its head within 10 s')
    }
    for (const text of heard.slice(200, 300)) {
      expect(text).toMatch(/^HTTP\/1\.1 408 /)
      expect(text).toContain('The body stopped coming for 10 s; send it again')
    }
    const metrics = await (await fetch(`${surety.url}/metrics`)).text()
    expect(metrics).toMatch(/surety_ingest_refused_requests_total\{door="otlp\/http",status="408"\} 300\n/)
    for (const call of calls) call.close()
    expect((await status()).spans.rows).toBeGreaterThan(0)
  })

  test.each([
    {
      name: 'gRPC on the HTTP port',
      bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      want: /400[\s\S]*gRPC is spoken on SURETY_OTLP_GRPC_PORT/,
    },
    {
      name: 'TLS on a plain port',
      bytes: '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
      want: /400[\s\S]*connect without TLS/,
    },
    {
      name: 'a head without end',
      bytes: `POST / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}`,
      want: /431[\s\S]*over 16 KiB/,
    },
    { name: 'noise', bytes: '\x00\x01\x02\x03\r\n\r\n', want: /400[\s\S]*not an HTTP request/ },
  ])('$name is told what this is', async ({ bytes, want }) => {
    const { heard } = await amongNeighbours(() => open(surety.otlpHttpUrl, Buffer.from(bytes, 'latin1')))
    expect(await heard).toMatch(want)
  })
})

function spanOf({ traceId, spanId, name, startNs }: SpanInput): Buffer {
  const start = Buffer.alloc(9)
  start[0] = (7 << 3) | 1
  start.writeBigUInt64LE(startNs, 1)
  return Buffer.concat([field(1, traceId), field(2, spanId), field(5, name), Buffer.from([0x30, 2]), start])
}
