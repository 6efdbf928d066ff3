// The Kafka side of the benches: a broker, a topic filled before anything is measured, and when a consumer
// group has joined. Nothing of this is counted on either side.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import kafkajs, { type Kafka } from 'kafkajs'
import { openBroker } from '../../deploy/kafka/broker.ts'
import { buildKafkaClient } from '../../ingest/kafka/kafkajs-client.ts'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { BenchFailure } from './bench-definition.ts'
import { restamp, type PooledRequest } from './span-pool.ts'

const JARS = fileURLToPath(new URL('../../.cache/kafka', import.meta.url))
// Four requests of 230 KB stay below the 1 MB that a broker takes by default.
const REQUESTS_PER_SEND = 4
const SAY_EVERY_MS = 5000
const JOIN_TIMEOUT_MS = 60_000
const JOIN_POLL_MS = 25
const DRAINED_TIMEOUT_MS = 60_000
const DRAINED_POLL_MS = 200

export const PARTITIONS = 2

export type SpanTopic = {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly signal: 'spans' | 'metrics'
  readonly kafkaVersion: string
  readonly kafka: Kafka
  /** Stops a broker that was started for the topic; else nothing. The end of the bench does it too. */
  readonly close: () => Promise<void>
}

/**
 * A topic of two partitions, empty. KAFKA_BROKERS names brokers to use; a topic made there is removed at the
 * end. Without it a broker is started in the folder.
 *
 * @param signal  for metrics an empty topic of spans, which Surety waits for, is made beside it: `besideSpans`
 */
export async function openSpanTopic(
  folder: string,
  lifecycle: Lifecycle,
  signal: 'spans' | 'metrics' = 'spans',
): Promise<SpanTopic> {
  const given = process.env['KAFKA_BROKERS'] ?? ''
  const named = (topic: string) => (signal === 'spans' ? [topic] : [topic, besideSpans(topic)])
  if (given === '') {
    const topic = `otlp_${signal}`
    const broker = await openBroker({
      directory: join(folder, 'kafka'),
      topics: named(topic).map((name) => ({ topic: name, partitions: PARTITIONS })),
    })
    lifecycle.add('broker', () => broker.stop())
    return {
      brokers: broker.brokers,
      topic,
      signal,
      kafkaVersion: installedKafka(),
      kafka: client(broker.brokers),
      close: () => broker.stop(),
    }
  }
  const brokers = given.split(',').map((word) => word.trim())
  const kafka = client(brokers)
  const topic = `surety-bench-${process.pid}-${Date.now()}`
  const admin = kafka.admin()
  await admin.connect()
  lifecycle.add('topic', async () => {
    await admin.deleteTopics({ topics: named(topic) })
    await admin.disconnect()
  })
  const topics = named(topic).map((name) => ({ topic: name, numPartitions: PARTITIONS }))
  await admin.createTopics({ topics, waitForLeaders: true })
  return {
    brokers,
    topic,
    signal,
    kafkaVersion: `at ${brokers.join(',')}`,
    kafka,
    close: () => Promise.resolve(),
  }
}

export const besideSpans = (topic: string) => `${topic}-spans`

/** Writes records number 0 to `requests` − 1, even ones to the first partition, odd ones to the second, each in order. */
export async function fillTopic(
  { kafka, topic }: Pick<SpanTopic, 'kafka' | 'topic'>,
  options: {
    readonly requests: number
    /** Called once for each record, those of one partition in order. */
    readonly valueOf: (copy: number) => Buffer
    readonly say: (text: string) => void
  },
): Promise<void> {
  const { requests } = options
  let saidAt = Date.now()
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let done = 0
  const lane = async (partition: number) => {
    for (let first = partition; first < requests; first += REQUESTS_PER_SEND * PARTITIONS) {
      const messages = []
      for (let copy = first; copy < requests && messages.length < REQUESTS_PER_SEND; copy += PARTITIONS)
        messages.push({ value: options.valueOf(copy), partition })
      await producer.send({ topic, acks: 1, messages })
      done += messages.length
      if (Date.now() - saidAt < SAY_EVERY_MS) continue
      saidAt = Date.now()
      options.say(`${done} of ${requests} records are in Kafka`)
    }
  }
  try {
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => lane(partition)))
  } finally {
    await producer.disconnect()
  }
}

type Times = { readonly requests: number; readonly fromMs: number; readonly toMs: number }

/** Copies of a pool whose spans' times run evenly from `fromMs` to `toMs`. */
export function spansOver(pool: readonly PooledRequest[], times: Times): (copy: number) => Buffer {
  return (copy) => restamp(pool[copy % pool.length] as PooledRequest, copy, shiftOf(copy, times))
}

/** What `restamp` adds to the times of a copy: copies run evenly from `fromMs` to `toMs`. */
export function shiftOf(copy: number, { requests, fromMs, toMs }: Times): number {
  return fromMs + ((toMs - fromMs) * copy) / requests
}

/** Resolves when the group has its one member and its partitions: from here records flow. */
export async function untilJoined({ kafka }: SpanTopic, group: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const deadline = Date.now() + JOIN_TIMEOUT_MS
    while (Date.now() < deadline) {
      const { groups } = await admin.describeGroups([group])
      if (groups[0]?.state === 'Stable') return
      await sleep(JOIN_POLL_MS)
    }
  } finally {
    await admin.disconnect()
  }
  throw new BenchFailure(`The consumer group ${group} was not joined within ${JOIN_TIMEOUT_MS / 1000} s.`)
}

/** Resolves when the group has committed the end of every partition. */
export async function untilDrained({ kafka, topic }: SpanTopic, group: string): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const ends = await admin.fetchTopicOffsets(topic)
    const deadline = Date.now() + DRAINED_TIMEOUT_MS
    while (Date.now() < deadline) {
      const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      const offsetOf = new Map(committed?.partitions.map(({ partition, offset }) => [partition, offset]))
      if (ends.every(({ partition, high }) => offsetOf.get(partition) === high)) return
      await sleep(DRAINED_POLL_MS)
    }
  } finally {
    await admin.disconnect()
  }
  throw new BenchFailure(
    `The group ${group} has not read its topic to the end within ${DRAINED_TIMEOUT_MS / 1000} s.`,
  )
}

function client(brokers: readonly string[]): Kafka {
  return buildKafkaClient({ brokers, clientId: 'surety-bench', logger: buildLogger('silent') }).kafka
}

function installedKafka(): string {
  const jar = readdirSync(JARS).find((name) => /^kafka_[\d.]+-[\d.]+\.jar$/.test(name))
  return /-([\d.]+)\.jar$/.exec(jar ?? '')?.[1] ?? 'unknown'
}
