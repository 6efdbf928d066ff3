// Transitions of SLOs on their way to a bank's platforms: a real registry on PostgreSQL, a real broker, and a publisher that is killed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Consumer } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SloEvent } from '../../alerts/publish/slo-event.ts'
import { buildTransitionFeed } from '../../alerts/publish/transition-feed.ts'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { openPostgres, type PostgresServer } from '../support/postgres.ts'
import { eventually } from '../support/surety.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'

const TOPIC = 'surety_events'
const folder = mkdtempSync(join(tmpdir(), 'surety-events-'))
const brokerOptions = { directory: join(folder, 'broker'), topics: [{ topic: TOPIC, partitions: 2 }] }
let postgres: PostgresServer
let database: Database
let broker: Broker
let consumer: Consumer
let env: Record<string, string>
let surety: SuretyProcess
let url: string
const read: {
  readonly partition: number
  readonly key: string
  readonly text: string
  readonly type: string
}[] = []
/** Those that tell of faults, apart. */
const ofFaults: string[] = []
let inserted = 0

beforeAll(async () => {
  postgres = await openPostgres()
  broker = await openBroker(brokerOptions)
  const target = await postgres.makeDatabase()
  database = await openDatabase({ kind: 'server', url: target })
  await migrateRegistry(database)
  const given = new URL(target)
  writeFileSync(join(folder, 'password'), decodeURIComponent(given.password))
  given.password = ''
  env = {
    SURETY_DATABASE_URL: given.href,
    SURETY_DATABASE_PASSWORD_FILE: join(folder, 'password'),
    SURETY_DATA_DIR: join(folder, 'data'),
    KAFKA_BROKERS: broker.brokers.join(','),
  }
  await begin()
  await listen()
})

afterAll(async () => {
  surety.kill()
  await surety.ended
  await consumer.disconnect()
  await database.close()
  await broker.stop()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function begin(): Promise<void> {
  surety = spawnSurety(['serve', '--roles', 'alerts'], env)
  ;({ url } = await surety.ready())
}

/** Everything on the topic, from its beginning. */
async function listen(): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers: [...broker.brokers], logLevel: kafkajs.logLevel.NOTHING })
  consumer = kafka.consumer({ groupId: 'a-platform', retry: { retries: 1000, maxRetryTime: 500 } })
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  await consumer.run({
    eachMessage: ({ partition, message: { key, value, headers } }) => {
      const type = String(headers?.['content-type'] ?? '')
      if (String(key).startsWith('f-')) ofFaults.push(`${String(key)} ${String(value)}`)
      else read.push({ partition, key: String(key), text: String(value), type })
      return Promise.resolve()
    },
  })
}

/** As the loop keeps them: some in each transaction. */
async function insert(count: number): Promise<void> {
  await database.rows(
    `INSERT INTO slo_transitions (at, judged_at, slo, objective, slo_group, system, generation, transition)
    SELECT now(), now(), 'slo-' || (n % 5), 0, '', 'core-payment', 1,
      jsonb_build_object('subject', 'condition', 'atMs', 1790000000000 + n, 'from', 'healthy', 'to', 'outage')
    FROM generate_series($1::integer, $2::integer) AS n ORDER BY n`,
    [inserted + 1, inserted + count],
  )
  inserted += count
}

const numberOf = (text: string) => Number((JSON.parse(text) as SloEvent).id.replace('transition-', ''))
const distinct = () => new Set(read.map(({ text }) => numberOf(text)))
const allRead = () =>
  eventually(
    () => Promise.resolve(distinct().size),
    (size) => size === inserted,
  )

function expectInOrder(): void {
  const known = new Map<number, string>()
  const newest = new Map<string, number>()
  for (const { key, text } of read) {
    const number = numberOf(text)
    // What is repeated is what was sent, under the same id.
    if (known.has(number)) expect(text).toBe(known.get(number))
    else expect(number).toBeGreaterThan(newest.get(key) ?? 0)
    known.set(number, text)
    newest.set(key, Math.max(number, newest.get(key) ?? 0))
  }
}

test('transitions come as CloudEvents in structured mode, those of one SLO in one partition and in order', async () => {
  await insert(20)
  await allRead()
  expectInOrder()
  expect(new Set(read.map(({ type }) => type))).toEqual(
    new Set(['application/cloudevents+json; charset=UTF-8']),
  )
  const first = read.find(({ key }) => key === 'slo-1')
  expect(JSON.parse(first?.text ?? '')).toMatchObject({
    specversion: '1.0',
    id: 'transition-1',
    source: '/surety/slo/slo-1',
    type: 'io.surety.slo.condition.changed.v1',
    time: new Date(1_790_000_000_001).toISOString(),
    data: {
      slo: 'slo-1',
      system: 'core-payment',
      from: 'healthy',
      to: 'outage',
      condition: 'outage',
      figures: null,
    },
  })
  for (const partitions of Map.groupBy(read, ({ key }) => key).values())
    expect(new Set(partitions.map(({ partition }) => partition)).size).toBe(1)
})

test('a publisher that is killed while it sends loses nothing, keeps the order and repeats under the same ids', async () => {
  for (let kill = 0; kill < 3; kill += 1) {
    const before = distinct().size
    for (let batch = 0; batch < 40; batch += 1) await insert(20)
    await eventually(
      () => Promise.resolve(distinct().size),
      (size) => size > before,
    )
    surety.kill('SIGKILL')
    await surety.ended
    await insert(20)
    await begin()
  }
  await allRead()
  expectInOrder()
})

test('what is told of faults comes on the same topic, once each, as it was kept', async () => {
  const event = (number: number) => ({
    specversion: '1.0',
    id: `f-1-${number}`,
    type: 'dev.cdevents.incident.detected.0.3.0',
    subject: 'f-1',
    data: { context: { id: `f-1-${number}` } },
  })
  for (const number of [1, 2])
    await database.rows('INSERT INTO fault_events (fault, kept_at, event) VALUES ($1, now(), $2::json)', [
      'f-1',
      JSON.stringify(event(number)),
    ])
  await eventually(
    () => Promise.resolve(ofFaults.length),
    (count) => count >= 2,
  )
  expect(ofFaults).toEqual([1, 2].map((number) => `f-1 ${JSON.stringify(event(number))}`))
})

test('a broker that is away delays events; health and metrics say so, and then they come', async () => {
  await broker.stop()
  await insert(10)
  const told = async () => (await fetch(`${url}/readyz`)).text()
  await eventually(told, (text) => /10 events wait for the topic surety_events/.test(text))
  expect((await fetch(`${url}/readyz`)).status).toBe(503)
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toMatch(/^surety_events_waiting 10$/m)
  broker = await openBroker(brokerOptions)
  await allRead()
  expectInOrder()
  await eventually(
    async () => (await fetch(`${url}/readyz`)).status,
    (status) => status === 200,
  )
})

test('a transition whose transaction is kept later than that of a newer one is not skipped', async () => {
  surety.kill()
  await surety.ended
  const feed = buildTransitionFeed(database, 'another platform')
  await feed.moveTo(inserted)
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { promise: written, resolve: isWritten } = Promise.withResolvers<void>()
  const one = `INSERT INTO slo_transitions (at, judged_at, slo, objective, slo_group, generation, transition)
    VALUES (now(), now(), 'slow', 0, '', 1, '{"subject": "budget", "atMs": 1, "from": "left", "to": "exhausted"}') RETURNING id`
  const slow = database.transaction(async (queries) => {
    const [row] = await queries.rows(one)
    isWritten()
    await held
    return Number(row?.['id'])
  })
  await written
  const [fast] = await database.rows(one)
  const next = feed.next(10)
  release()
  const older = await slow
  expect(older).toBeLessThan(Number(fast?.['id']))
  expect((await next).map(({ id }) => id)).toEqual([older, Number(fast?.['id'])])
  inserted += 2
  await begin()
  await allRead()
})
