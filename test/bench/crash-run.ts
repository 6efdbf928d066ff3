// Surety killed at random moments while spans flow from Kafka, and the books audited afterwards. Beside the kills:
// stalls longer than the group's patience, members that come and go, brokers that restart or are killed. The short
// form runs in `npm test`, the long one is the bench `exactly-once`.
//
// A life: started → assigned → reading for a random while → killed (SIGKILL). The last life reads to the end.

import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import { buildKafkaClient } from '../../ingest/kafka/kafkajs-client.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { IngestStatusReply } from '../../query/http/schemas.ts'
import { makeEmptyData } from '../support/empty-data.ts'
import { random } from '../support/otlp.ts'
import { spawnSurety, type SuretyProcess } from '../support/surety-process.ts'
import { BenchFailure } from './bench-definition.ts'
import { buildSpanPool } from './span-pool.ts'
import { fillTopic, PARTITIONS, spansOver } from './span-topic.ts'
import { auditStore, type Audit } from './store-audit.ts'
import { ingestStatusOf } from './surety-side.ts'

const TOPIC = 'otlp_spans'
const GROUP = 'surety-crash-run'
const SPANS_PER_REQUEST = 512
const POOL_REQUESTS = 64
// Short, so that a killed member's partitions are free again soon.
const SESSION_TIMEOUT_MS = 3000
const LIFE_MS_MAX = 2500
const ASSIGNED_TIMEOUT_MS = 60_000
const END_TIMEOUT_MS = 600_000

export type CrashRun = {
  readonly kills: number
  readonly spans: number
  readonly seed: number
  readonly folder: string
  readonly lifecycle: Lifecycle
  readonly say: (text: string) => void
}

export type CrashReport = Audit & {
  readonly kills: number
  /** Kills that came while rows were on the way: the group had records left to read. */
  readonly killsWhileReading: number
  readonly stalls: number
  readonly brokerRestarts: number
  readonly rebalances: number
  readonly spans: number
  readonly lost: number
  readonly duplicated: number
}

export async function crashRun({
  kills,
  spans,
  seed,
  folder,
  lifecycle,
  say,
}: CrashRun): Promise<CrashReport> {
  const next = random(seed)
  const dataDir = join(folder, 'data')
  await makeEmptyData(dataDir)
  const brokerOptions = {
    directory: join(folder, 'kafka'),
    topics: [{ topic: TOPIC, partitions: PARTITIONS }],
  }
  let broker: Broker = await openBroker(brokerOptions)
  lifecycle.add('broker', () => broker.stop())
  const { brokers } = broker
  const { kafka } = buildKafkaClient({ brokers, clientId: 'crash-run', logger: buildLogger('silent') })
  const requests = Math.ceil(spans / SPANS_PER_REQUEST / PARTITIONS) * PARTITIONS
  const sent = requests * SPANS_PER_REQUEST

  say(`producing ${sent} spans`)
  const pool = buildSpanPool({ seed, requests: POOL_REQUESTS, spreadMs: 2000 })
  const nowMs = Date.now()
  // Spans of half an hour, in order, so that every batch touches a few buckets of the rollups.
  const times = { fromMs: nowMs - 35 * 60_000, toMs: nowMs - 5 * 60_000 }
  const valueOf = spansOver(pool, { requests, ...times })
  await fillTopic({ topic: TOPIC, kafka }, { requests, valueOf, say: () => {} })

  const env = {
    SURETY_DATA_DIR: dataDir,
    SURETY_LINGER_MS: '100',
    KAFKA_BROKERS: brokers.join(','),
    SURETY_KAFKA_GROUP: GROUP,
    SURETY_KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
  }
  let life: SuretyProcess | undefined
  lifecycle.add('surety', async () => {
    life?.kill('SIGKILL')
    await life?.ended
  })
  const counts = { killsWhileReading: 0, stalls: 0, brokerRestarts: 0, rebalances: 0 }
  const saidAt = Date.now()
  for (let kill = 1; kill <= kills; kill += 1) {
    life = spawnSurety(['serve'], env)
    const { url } = await life.ready()
    const status = await untilAssigned(url)
    if (kill % 10 === 3) {
      counts.rebalances += 1
      await comeAndGo(brokers)
    }
    if (kill % 20 === 4) {
      counts.stalls += 1
      process.kill(life.pid, 'SIGSTOP')
      await sleep(SESSION_TIMEOUT_MS + 2000)
      process.kill(life.pid, 'SIGCONT')
    }
    if (kill % 25 === 15) {
      counts.brokerRestarts += 1
      await (next() < 0.5 ? broker.kill() : broker.stop())
      broker = await openBroker({ ...brokerOptions, port: broker.port })
    }
    await sleep(next() * LIFE_MS_MAX)
    life.kill('SIGKILL')
    await life.ended
    if (status.kafka?.some(({ lagMessages }) => lagMessages > 0) === true) counts.killsWhileReading += 1
    if (kill % 10 === 0 || kill === kills) {
      const minutes = ((Date.now() - saidAt) / 60_000).toFixed(1)
      say(
        `${kill} of ${kills} kills after ${minutes} min; ${status.spans.rows} of ${sent} spans were in at the last start`,
      )
    }
  }

  say('the last life reads to the end')
  life = spawnSurety(['serve'], env)
  const { url } = await life.ready()
  const deadline = Date.now() + END_TIMEOUT_MS
  for (;;) {
    const { kafka: partitions, spans: stored } = await ingestStatusOf(url)
    const isRead =
      partitions?.length === PARTITIONS && partitions.every(({ lagMessages }) => lagMessages === 0)
    if (isRead && (await isSteady(url, stored.rows))) break
    if (Date.now() > deadline)
      throw new BenchFailure(`${stored.rows} of ${sent} spans are in after ${END_TIMEOUT_MS / 60_000} min`)
    await sleep(500)
  }
  life.kill('SIGTERM')
  const { code, stderr } = await life.ended
  if (code !== 0) throw new BenchFailure(`Surety ended with ${code}:\n${stderr}`)
  life = undefined

  say('auditing the books')
  const audit = await auditStore(dataDir)
  return {
    ...audit,
    ...counts,
    kills,
    spans: sent,
    lost: sent - audit.distinct,
    duplicated: audit.rows - audit.distinct,
  }
}

async function untilAssigned(url: string): Promise<IngestStatusReply> {
  const deadline = Date.now() + ASSIGNED_TIMEOUT_MS
  for (;;) {
    const status = await ingestStatusOf(url)
    if (status.kafka?.length === PARTITIONS) return status
    if (Date.now() > deadline)
      throw new BenchFailure(`no partitions were assigned within ${ASSIGNED_TIMEOUT_MS / 1000} s`)
    await sleep(50)
  }
}

/** Rows stand still for longer than a batch takes. */
async function isSteady(url: string, rows: number): Promise<boolean> {
  await sleep(3000)
  return (await ingestStatusOf(url)).spans.rows === rows
}

/** Another member of the group joins, is handed partitions, commits nothing and leaves. */
async function comeAndGo(brokers: readonly string[]): Promise<void> {
  const { kafka } = buildKafkaClient({ brokers, clientId: 'passer-by', logger: buildLogger('silent') })
  const consumer = kafka.consumer({
    groupId: GROUP,
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: 300,
  })
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()))
  await consumer.connect()
  await consumer.subscribe({ topics: [TOPIC] })
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: () => Promise.resolve() })
  await Promise.race([joined, sleep(10_000)])
  await sleep(300)
  await consumer.disconnect()
}
