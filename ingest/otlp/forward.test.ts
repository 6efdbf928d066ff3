import { expect, test } from 'vitest'
import { field, random, randomBytes, traceRequest } from '../../test/support/otlp.ts'
import { openMemoryProduce } from '../kafka/memory-produce.ts'
import { buildMemoryBudget } from '../pipeline/accumulator.ts'
import { tracesFromJson } from '../pipeline/json-to-proto.ts'
import { prepareTraces } from '../pipeline/prepare.ts'
import { SIGNAL_WORDS } from '../pipeline/signal.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { buildForward } from './forward.ts'
import { requestDigest } from './take.ts'

function setUp() {
  const port = openMemoryProduce()
  const metrics = buildMetrics()
  const budget = buildMemoryBudget(1e6, metrics.pendingBytes)
  const clock = { at: Date.now(), now: () => clock.at }
  const bounds = { retentionMs: 7 * 86_400_000, aheadMs: 86_400_000 }
  const take = buildForward({
    signal: {
      name: 'traces',
      words: SIGNAL_WORDS.traces,
      prepare: (bytes, origin) => prepareTraces(bytes, origin, clock.now(), bounds),
      fromJson: tracesFromJson,
    },
    produce: (digest, value) => port.send({ topic: 'otlp_spans', key: digest, value, headers: {} }),
    budget,
    clock,
    metrics,
  })
  return { port, take, clock, budget }
}

function request(name: string): Buffer {
  const next = random(1)
  const startNs = BigInt(Date.now() - 1000) * 1_000_000n
  const span = { traceId: randomBytes(next, 16), spanId: randomBytes(next, 8), name, startNs, endNs: startNs }
  return traceRequest([{ attributes: { 'service.name': 'ledger' }, spans: [span] }])
}

const STORED = { kind: 'stored', rejectedRows: 0, message: '' }

test('a request is handed on as it came, under its digest', async () => {
  const { port, take } = setUp()
  const body = request('a')
  expect(await take(body, 'otlp/http', 'bank')).toEqual(STORED)
  expect(port.written.map(({ key, value }) => [key, value])).toEqual([
    [requestDigest('traces', 'bank', body), body],
  ])
})

test('a repeated request is handed on once in ten minutes, another sender’s is another request', async () => {
  const { port, take, clock } = setUp()
  const body = request('a')
  const release = port.hold()
  const both = Promise.all([take(body, 'otlp/http'), take(body, 'otlp/grpc')])
  release()
  expect(await both).toEqual([STORED, STORED])
  expect(await take(body, 'otlp/http')).toEqual(STORED)
  expect(port.written).toHaveLength(1)
  await take(body, 'otlp/http', 'bank')
  expect(port.written).toHaveLength(2)
  clock.at += 10 * 60_000 + 1
  await take(body, 'otlp/http')
  expect(port.written).toHaveLength(3)
})

test('JSON becomes protobuf', async () => {
  const { port, take } = setUp()
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'x' }
  const startTimeUnixNano = `${Date.now()}000000`
  const json = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, startTimeUnixNano }] }] }] }
  expect(await take(Buffer.from(JSON.stringify(json)), 'otlp/http', '', 'json')).toEqual(STORED)
  expect(port.written[0]?.value[0]).toBe(0x0a)
  const refused = await take(Buffer.from('{"resourceSpans": 3}'), 'otlp/http', '', 'json')
  expect(refused.kind).toBe('refused')
  expect(port.written).toHaveLength(1)
})

test('what is malformed is refused and not handed on', async () => {
  const { port, take } = setUp()
  const refused = await take(field(1, request('a').subarray(0, 40)), 'otlp/http')
  expect(refused).toEqual({
    kind: 'refused',
    message: expect.stringMatching(/^The body is not an ExportTraceServiceRequest: byte \d+/) as string,
  })
  expect(port.written).toHaveLength(0)
})

test('while Kafka is away the sender is asked to come again, twice, then it works; memory is given back', async () => {
  const { port, take, budget } = setUp()
  const away = { kind: 'away', message: 'Kafka: no broker answers' } as const
  port.answerNext(away, away)
  const body = request('a')
  const busy = { kind: 'busy', message: 'Kafka: no broker answers; send again' }
  expect(await take(body, 'otlp/http')).toEqual(busy)
  expect(await take(body, 'otlp/http')).toEqual(busy)
  expect(await take(body, 'otlp/http')).toEqual(STORED)
  expect(budget.used()).toBe(0)
  expect(port.written).toHaveLength(1)
})

test('what the topic never takes is refused for good', async () => {
  const { port, take } = setUp()
  port.answerNext({ kind: 'too-large', message: 'too large for the topic' })
  expect(await take(request('a'), 'otlp/http')).toEqual({
    kind: 'refused',
    message: 'too large for the topic',
  })
})
