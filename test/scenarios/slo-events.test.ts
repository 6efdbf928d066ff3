// Transitions of SLOs on their way to a bank's platforms: a real registry on PostgreSQL, a real broker, and a publisher that is killed.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import kafkajs, { type Consumer } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CloudEvent } from '../../alerts/publish/event-feed.ts'
import { faultEvents, INCIDENT_DETECTED, toldOf } from '../../alerts/publish/fault-event.ts'
import { verdictEvents } from '../../alerts/publish/release-event.ts'
import type { SloEvent } from '../../alerts/publish/slo-event.ts'
import { buildTransitionFeed } from '../../alerts/publish/transition-feed.ts'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import { explain } from '../../query/blame/explain.ts'
import { buildFaultBook } from '../../query/faults/fault-book.ts'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { releaseVerdict } from '../../query/verdicts/release-verdict.ts'
import { keepVerdict } from '../../query/verdicts/verdict-store.ts'
import { madeCase, ONSET } from '../support/fault-cases.ts'
import { openPostgres, type PostgresServer } from '../support/postgres.ts'
import { eventually } from '../support/surety.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'
import { play } from '../support/verdict-traffic.ts'

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
type Message = {
  readonly partition: number
  readonly key: string
  readonly text: string
  readonly type: string
}
const read: Message[] = []
/** CDEvents of faults and verdicts, apart. */
const told: Message[] = []
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
      const isOfSlo = (JSON.parse(String(value)) as CloudEvent).type.startsWith('io.surety.slo.')
      const list = isOfSlo ? read : told
      list.push({ partition, key: String(key), text: String(value), type })
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

test('a blamed release and a verdict come on the same topic as they were kept, once each and in order', async () => {
  // Of an hour ahead: the loop of this process has nothing to explain yet, and the decision is made here.
  const alarmAtMs = Date.now() + 3_600_000
  const book = buildFaultBook(database, () => Promise.resolve(new Set()))
  const releases = [
    { id: 'culprit', service: 'payment', share: 0.2, release: { artifact: 'pkg:oci/payment@2.14.0' } },
    { id: 'innocent', service: 'ledger', share: 0.3 },
  ]
  const seen = madeCase(releases, ({ minute, touch }) => (minute >= ONSET && touch[0] === 2 ? 0.4 : 0.003))
  const taken = await book.take(
    {
      ...seen.fault,
      key: 'told-by-kafka',
      series: 'told-by-kafka',
      place: { ...seen.fault.place, service: 'gateway' },
      system: undefined,
      atMs: alarmAtMs,
    },
    alarmAtMs,
  )
  if (taken.kind === 'refused') throw new Error('nothing is open')
  const [due] = await book.due(alarmAtMs, 1)
  if (due === undefined) throw new Error('it is due when it rings')
  const explanation = { ...explain(seen), fault: taken.fault }
  const known = seen.candidates.map(({ release }) => release)
  const events = faultEvents(due.fault, explanation, known, 1)
  const telling = { told: toldOf(explanation), events }
  expect(
    await book.keep(due, { explanation, caseDigest: '', decidedAtMs: alarmAtMs, telling }, alarmAtMs),
  ).toBe(true)

  const traffic = play({ minutes: 15, added: { system: 0.05 } })
  const worse = releaseVerdict(traffic)
  const owner = { system: undefined, team: undefined, vendor: undefined }
  const { release } = traffic
  const judged = { ...owner, release, effect: undefined, nextAtMs: undefined }
  const toldOfRelease: object[] = []
  for (const verdict of [worse, { ...worse, verdict: 'not-worse' as const, fault: null }])
    await keepVerdict(database, { ...judged, verdict }, (was, number) => {
      const made = verdictEvents(release, verdict, was, number)
      toldOfRelease.push(...made)
      return made
    })

  await eventually(
    () => Promise.resolve(told.length),
    (count) => count >= events.length + toldOfRelease.length,
  )
  const of = (key: string) => told.filter((one) => one.key === key)
  expect(of(taken.fault).map(({ text }) => text)).toEqual(events.map((event) => JSON.stringify(event)))
  expect(of(release.id).map(({ text }) => text)).toEqual(toldOfRelease.map((event) => JSON.stringify(event)))
  const all = told.map(({ text }) => JSON.parse(text) as CloudEvent)
  expect(all.map(({ type }) => type).toSorted()).toEqual([
    'dev.cdevents.incident.detected.0.3.0',
    'dev.cdeventsx.surety-rollback.suggested.0.1.0',
    'dev.cdeventsx.surety-verdict.changed.0.1.0',
    'dev.cdeventsx.surety-verdict.changed.0.1.0',
  ])
  expect(all.find(({ type }) => type === INCIDENT_DETECTED)?.data).toMatchObject({
    subject: { id: taken.fault, content: { artifactId: 'pkg:oci/payment@2.14.0' } },
    customData: { verdict: 'blamed', cause: { service: 'payment', versionTo: '2.14.0' } },
  })
  expect(new Set(told.map(({ type }) => type))).toEqual(
    new Set(['application/cloudevents+json; charset=UTF-8']),
  )
  for (const list of Map.groupBy(told, ({ key }) => key).values())
    expect(new Set(list.map(({ partition }) => partition)).size).toBe(1)
})

test('a broker that is away delays events; health and metrics say so, and then they come', async () => {
  await broker.stop()
  await insert(10)
  const readiness = async () => (await fetch(`${url}/readyz`)).text()
  await eventually(readiness, (text) => /10 events wait for the topic surety_events/.test(text))
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
