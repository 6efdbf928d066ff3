// Surety as a gateway: OTLP at its doors, Kafka behind them, its consumer, the API. The broker is real; it also goes away
// and comes back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import { openKafkajsProduce } from '../../ingest/kafka/kafkajs-produce.ts'
import { requestDigest } from '../../ingest/otlp/take.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { IngestStatusReply, MetricQueryReply, ServicesReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { openGrpcClient } from '../support/grpc.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { random } from '../support/otlp.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const SPANS_PER_REQUEST = 16
let folder: string
let broker: Broker
let surety: TestSurety
let acknowledged = 0

async function restart(): Promise<void> {
  surety = await startSurety({
    KAFKA_BROKERS: broker.brokers.join(','),
    SURETY_DATA_DIR: join(folder, 'data'),
    SURETY_GATEWAY: '1',
    SURETY_LINGER_MS: '100',
  })
  await isReady()
}

const ready = async () => (await fetch(`${surety.url}/readyz`)).status
const isReady = () => eventually(ready, (code) => code === 200)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surety-gateway-'))
  broker = await openBroker({
    directory: join(folder, 'broker'),
    topics: [{ topic: 'otlp_spans', partitions: 3 }],
  })
  const admin = new kafkajs.Kafka({
    brokers: [...broker.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  }).admin()
  await admin.connect()
  const configEntries = [{ name: 'max.message.bytes', value: '100000' }]
  await admin.createTopics({ topics: [{ topic: 'otlp_metrics', numPartitions: 1, configEntries }] })
  await admin.disconnect()
  await restart()
})

afterAll(async () => {
  await surety.stop()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

const requests = (seed: number, count: number): Buffer[] =>
  bankRequests({
    seed,
    requests: count,
    spansPerRequest: SPANS_PER_REQUEST,
    startNs: BigInt(Date.now() - 60_000) * 1_000_000n,
  })

async function send(bodies: readonly Buffer[]): Promise<void> {
  for (const { status, text } of await Promise.all(bodies.map((body) => surety.send(body)))) {
    expect([status, text]).toEqual([200, ''])
  }
  acknowledged += bodies.length * SPANS_PER_REQUEST
}

const status = () => surety.get<IngestStatusReply>('/api/v1/ingest/status')

async function messages(result: string): Promise<number> {
  const text = await (await fetch(`${surety.url}/metrics`)).text()
  const found = new RegExp(`surety_ingest_messages_total\\{door="kafka",result="${result}"\\} (\\d+)`).exec(
    text,
  )
  return Number(found?.[1] ?? 0)
}

async function requestsCounted(): Promise<number> {
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  return items.reduce((sum, item) => sum + item.requests, 0)
}

/** Every span that was acknowledged is in the store once, nothing else is, and nothing waits in Kafka. */
async function expectAllStoredOnce(): Promise<void> {
  await eventually(status, ({ spans }) => spans.rows >= acknowledged)
  await eventually(status, ({ kafka }) => kafka?.every(({ lagMessages }) => lagMessages === 0) === true)
  expect((await status()).spans.rows).toBe(acknowledged)
  // Views of a block are written after its spans.
  expect(await eventually(requestsCounted, (count) => count >= acknowledged / 2)).toBe(acknowledged / 2)
}

test('requests over HTTP and gRPC go through Kafka, every span once', async () => {
  await send(requests(1, 60))
  const client = openGrpcClient(surety.otlpGrpcUrl)
  for (const body of requests(2, 5)) expect((await client.call(body)).code).toBe('OK')
  client.close()
  acknowledged += 5 * SPANS_PER_REQUEST
  await expectAllStoredOnce()
  expect(
    await eventually(
      () => messages('stored'),
      (count) => count >= 65,
    ),
  ).toBe(65)
  const { kafka } = await status()
  expect(kafka?.filter(({ topic }) => topic === 'otlp_spans')).toHaveLength(3)
})

test('metrics have their topic', async () => {
  const atNs = BigInt(Date.now() - 30_000) * 1_000_000n
  const body = metricRequest({ 'service.name': 'ledger' }, [
    { name: 'postings', temporality: 1, sum: [{ atNs, value: 21n, attributes: {} }] },
  ])
  expect((await surety.sendMetrics(body)).status).toBe(200)
  const ask = () =>
    surety.get<MetricQueryReply>('/api/v1/metrics/query?metric=postings&function=increase&stepSeconds=3600')
  await eventually(ask, ({ series }) => series[0]?.points[0]?.value === 21)
})

test('what is malformed is refused by the door and never produced', async () => {
  const before = await messages('stored')
  const refused = await surety.send(Buffer.from('\n\nDROP TABLE spans;\n\n'))
  expect(refused.status).toBe(400)
  expect(refused.text).toMatch(/byte \d+/)
  await send(requests(3, 1))
  await expectAllStoredOnce()
  const count = () => messages('stored')
  expect(await eventually(count, (now) => now > before)).toBe(before + 1)
  expect((await status()).deadLetters.total).toBe(0)
})

test('a repeated request is stored once: by this gateway’s memory, by its digest when another gateway sends it', async () => {
  const [body = Buffer.alloc(0)] = requests(4, 1)
  await send([body])
  expect((await surety.send(body)).status).toBe(200)
  const other = openKafkajsProduce({
    brokers: broker.brokers,
    clientId: 'another-gateway',
    topics: ['otlp_spans'],
    logger: buildLogger('silent'),
    probeMs: 100,
  })
  await eventually(
    async () => other.notReadyReason(),
    (reason) => reason === undefined,
  )
  const digest = requestDigest('traces', '', body)
  const record = { topic: 'otlp_spans', key: digest, value: body, headers: { 'surety-digest': digest } }
  expect(await other.send(record)).toEqual({ kind: 'acknowledged' })
  await other.close()
  await eventually(
    () => messages('repeated'),
    (count) => count === 1,
  )
  await expectAllStoredOnce()
})

test('a request that the topic does not take is refused for good; its neighbours are taken', async () => {
  const next = random(5)
  // Random letters do not compress.
  const noisy = (length: number) => {
    const noise = Array.from({ length }, () => 33 + Math.floor(next() * 90))
    return metricRequest({ noise: Buffer.from(noise).toString('latin1') }, [{ name: 'noise', gauge: [] }])
  }
  // Together they are over the topic's limit, so all of them have to be sent one by one.
  const bodies = [40_000, 40_000, 150_000, 40_000].map(noisy)
  const answers = await Promise.all(bodies.map((body) => surety.sendMetrics(body)))
  expect(answers.map(({ status: code }) => code)).toEqual([200, 200, 400, 200])
  expect(answers[2]?.text).toContain('max.message.bytes')
  await send(requests(6, 3))
  await expectAllStoredOnce()
})

test('while the broker is away senders are asked to come again; afterwards nothing is missing or twice', async () => {
  const bodies = requests(7, 40)
  await send(bodies.slice(0, 10))
  await broker.kill()
  const [during] = bodies.slice(10)
  const turnedAway = await surety.send(during ?? Buffer.alloc(0))
  expect(turnedAway.status).toBe(503)
  expect(turnedAway.retryAfter).not.toBeNull()
  await eventually(ready, (code) => code === 503)
  const { parts } = (await (await fetch(`${surety.url}/readyz`)).json()) as {
    parts: { part: string; ready: boolean }[]
  }
  expect(parts.find(({ part }) => part === 'gateway to kafka')?.ready).toBe(false)
  broker = await openBroker({ directory: join(folder, 'broker'), port: broker.port })
  await isReady()
  await send(bodies.slice(10))
  await expectAllStoredOnce()
}, 180_000)

test('a stop and a start lose nothing and repeat nothing', async () => {
  await send(requests(8, 30))
  await surety.stop()
  await restart()
  await send(requests(9, 10))
  await expectAllStoredOnce()
})
