// The main path at a bank: recorded OTLP on a Kafka topic, through the consumer into the store, asked by API. The
// broker is real; it also goes away and comes back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import type {
  EventsReply,
  IngestStatusReply,
  MetricQueryReply,
  ReleaseEventsReply,
  ServicesReply,
} from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { conformanceEvents, type ConformanceEvent } from '../support/cdevents.ts'
import { openKafkaProducer, type KafkaProducer } from '../support/kafka-producer.ts'
import { logRequest } from '../support/otlp-logs.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const TOPIC = 'otlp_spans'
const SPANS_PER_REQUEST = 64
let folder: string
let broker: Broker
let producer: KafkaProducer
let surety: TestSurety
let produced = 0

async function restart(): Promise<void> {
  surety = await startSurety({
    KAFKA_BROKERS: broker.brokers.join(','),
    SURETY_DATA_DIR: join(folder, 'data'),
    SURETY_LINGER_MS: '100',
  })
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surety-kafka-'))
  broker = await openBroker({ directory: join(folder, 'broker'), topics: [{ topic: TOPIC, partitions: 2 }] })
  producer = await openKafkaProducer(broker.brokers)
  await restart()
})

afterAll(async () => {
  await surety.stop()
  await producer.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

function requests(seed: number, count: number): Buffer[] {
  return bankRequests({
    seed,
    requests: count,
    spansPerRequest: SPANS_PER_REQUEST,
    startNs: BigInt(Date.now() - 60_000) * 1_000_000n,
  })
}

async function produce(values: readonly (Buffer | null)[], good = values.length): Promise<void> {
  for (const partition of [0, 1]) {
    const own = values.filter((_, index) => index % 2 === partition)
    await producer.send(
      TOPIC,
      partition,
      own.map((value) => ({ value })),
    )
  }
  produced += good * SPANS_PER_REQUEST
}

const status = () => surety.get<IngestStatusReply>('/api/v1/ingest/status')
const stored = () => eventually(status, ({ spans }) => spans.rows >= produced)

async function requestsCounted(): Promise<number> {
  const { items } = await surety.get<ServicesReply>('/api/v1/services')
  return items.reduce((sum, item) => sum + item.requests, 0)
}

/** Everything that was produced is in the store exactly once, and the rollups agree. */
async function expectAllStoredOnce(): Promise<void> {
  await stored()
  await eventually(
    status,
    ({ kafka }) => (kafka?.length ?? 0) >= 2 && kafka?.every(({ lagMessages }) => lagMessages === 0) === true,
  )
  expect((await status()).spans.rows).toBe(produced)
  // Views of a block are written after its spans, so the rollups follow within the same insert.
  const counted = await eventually(requestsCounted, (count) => count >= produced / 2)
  expect(counted).toBe(produced / 2)
}

test('values of the Collector’s Kafka exporter are stored and answered', async () => {
  await produce(requests(1, 40))
  await expectAllStoredOnce()
})

test('a bad value becomes a dead letter that names its place; its neighbours are stored', async () => {
  const values: (Buffer | null)[] = requests(2, 20)
  const cut = (values[0] ?? Buffer.alloc(0)).subarray(0, 100)
  const sql = Buffer.from('\n\nDROP TABLE spans;\n\n')
  await produce([...values, cut, sql, Buffer.alloc(0), null], values.length)
  await expectAllStoredOnce()
  const { deadLetters } = await eventually(status, (reply) => reply.deadLetters.total === 2)
  expect(deadLetters.newest.map(({ origin }) => origin).sort()).toEqual([
    expect.stringMatching(/^kafka otlp_spans\/0@\d+$/),
    expect.stringMatching(/^kafka otlp_spans\/1@\d+$/),
  ])
  expect(deadLetters.newest.map(({ reason }) => reason)).toEqual([
    expect.stringMatching(/^malformed: byte \d+/),
    expect.stringMatching(/^malformed: byte \d+/),
  ])
})

test('metrics have a topic of their own, which may come later; without it the door is ready', async () => {
  expect((await fetch(`${surety.url}/readyz`)).status).toBe(200)
  await producer.createTopic('otlp_metrics')
  const atNs = BigInt(Date.now() - 30_000) * 1_000_000n
  const value = (name: string) =>
    metricRequest({ 'service.name': 'ledger' }, [
      { name: 'postings', temporality: 1, sum: [{ atNs, value: 21n, attributes: { name } }] },
    ])
  await producer.send('otlp_metrics', 0, [value('a'), Buffer.from('\n\nDROP TABLE series;\n\n'), value('b')])
  const ask = () =>
    surety.get<MetricQueryReply>('/api/v1/metrics/query?metric=postings&function=increase&stepSeconds=3600')
  const reply = await eventually(ask, ({ series }) => series[0]?.points[0]?.value === 42)
  expect(reply.series).toHaveLength(1)
  const { deadLetters } = await eventually(status, (now) => now.deadLetters.total === 3)
  expect(deadLetters.newest[0]?.origin).toBe('kafka otlp_metrics/0@1')
})

test('named events have a topic of their own; plain log records on it are passed over', async () => {
  await producer.createTopic('otlp_logs')
  const atNs = BigInt(Date.now() - 30_000) * 1_000_000n
  const value = (eventName: string) =>
    logRequest({ 'service.name': 'ledger' }, [
      { atNs, eventName },
      { atNs, body: 'a line of a log' },
    ])
  await producer.send('otlp_logs', 0, [
    value('failover'),
    Buffer.from('\n\nDROP TABLE events;\n\n'),
    value('evicted'),
  ])
  const ask = () => surety.get<EventsReply>('/api/v1/events?service=ledger')
  const { items } = await eventually(ask, (reply) => reply.items.length === 2)
  expect(items.map(({ kind }) => kind).sort()).toEqual(['eviction', 'self_healing'])
  const { deadLetters } = await eventually(status, (now) => now.deadLetters.total === 4)
  expect(deadLetters.newest[0]?.origin).toBe('kafka otlp_logs/0@1')
})

test('release events come as CloudEvents, binary and structured, each once; what is none is set aside', async () => {
  await producer.createTopic('surety_releases')
  const at = new Date(Date.now() - 5000).toISOString()
  const type = 'dev.cdevents.service.deployed.0.2.0'
  const subject = (id: string) => ({
    id,
    source: '/cd',
    type: 'service',
    content: { environment: { id: 'prod' }, artifactId: `pkg:oci/${id}@sha256%3Aabc?tag=2.14.0` },
  })
  const context = (id: string) => ({ version: '0.4.1', id, source: '/cd', type, timestamp: at })
  const data = (id: string) => ({ context: context(id), subject: subject('transfer') })
  const binary = (id: string) => ({
    value: JSON.stringify(data(id)),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: '/cd',
      ce_type: type,
      ce_time: at,
    },
  })
  const structured = (id: string) => ({
    value: JSON.stringify({ specversion: '1.0', id, source: '/cd', type, time: at, data: data(id) }),
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
  })
  await producer.send('surety_releases', 0, [
    binary('r-1'),
    structured('r-2'),
    { value: 'DROP TABLE release_events', headers: {} },
    { value: null },
    binary('r-1'),
    structured('r-3'),
  ])
  const ask = () => surety.get<ReleaseEventsReply>('/api/v1/releases/events?from=-1h')
  const { items } = await eventually(ask, (reply) => reply.items.some(({ id }) => id === 'r-3'))
  expect(items.map(({ id }) => id).sort()).toEqual(['r-1', 'r-2', 'r-3'])
  expect(items[0]).toMatchObject({ source: '/cd', type, service: 'transfer', environment: 'prod' })
  const { deadLetters } = await eventually(status, (now) => now.deadLetters.total === 5)
  expect(deadLetters.newest[0]?.origin).toBe('kafka surety_releases/0@2')
  // The commit is the last step: a start after it does not read them again, and if it did, each would be stored once.
  await eventually(
    status,
    ({ kafka }) =>
      kafka?.some(({ topic, lagMessages }) => topic === 'surety_releases' && lagMessages === 0) === true,
  )
})

test('all conformance files of CDEvents come by the topic, each once, and those of releases become steps', async () => {
  const deadBefore = (await status()).deadLetters.total
  const all = conformanceEvents('/conformance/kafka', Date.now() - 5000)
  const structured = ({ name, source, type, event }: ConformanceEvent) => ({
    value: JSON.stringify({ specversion: '1.0', id: name, source, type, data: event }),
    headers: { 'content-type': 'application/cloudevents+json' },
  })
  const binary = ({ name, source, type, event }: ConformanceEvent) => ({
    value: JSON.stringify(event),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: name,
      ce_source: source,
      ce_type: type,
    },
  })
  // Each in one mode, then in the other: the second is a repeat.
  await producer.send(
    'surety_releases',
    0,
    all.map((each, n) => (n % 2 === 0 ? structured(each) : binary(each))),
  )
  await producer.send(
    'surety_releases',
    0,
    all.map((each, n) => (n % 2 === 0 ? binary(each) : structured(each))),
  )
  const end = { name: 'end', source: '/conformance/end', type: 'com.example.end', event: { context: {} } }
  await producer.send('surety_releases', 0, [structured(end)])
  const count = async (sql: string) => Number((await surety.store().rows(sql))[0]?.['n'])
  await eventually(
    () => count(`SELECT count() AS n FROM release_events WHERE source = '/conformance/end'`),
    (found) => found === 1,
  )
  expect((await status()).deadLetters.total).toBe(deadBefore)
  const where = `WHERE source = '/conformance/kafka'`
  expect(await count(`SELECT count() AS n FROM release_events ${where}`)).toBe(92)
  expect(await count(`SELECT count() AS n FROM release_steps ${where}`)).toBe(46)
  expect(
    await count(
      `SELECT count() AS n FROM release_steps ${where} AND kind = 'ready' AND service = 'mySubject123'`,
    ),
  ).toBe(6)
})

test('a stop and a start lose nothing and repeat nothing', async () => {
  await produce(requests(3, 100))
  await surety.stop()
  await produce(requests(4, 30))
  await restart()
  await expectAllStoredOnce()
})

test('a broker that goes away and comes back is waited for', async () => {
  await broker.stop()
  const notReady = await eventually(
    async () => (await fetch(`${surety.url}/readyz`)).status,
    (code) => code === 503,
  )
  expect(notReady).toBe(503)
  broker = await openBroker({ directory: join(folder, 'broker'), port: broker.port })
  await produce(requests(5, 20))
  await expectAllStoredOnce()
})
