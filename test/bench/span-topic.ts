// The Kafka side of the span benches: a broker, a topic filled before anything is measured, and when a consumer
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
const JOIN_TIMEOUT_MS = 60_000
const JOIN_POLL_MS = 25

export const PARTITIONS = 2

export type SpanTopic = {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly kafkaVersion: string
  readonly kafka: Kafka
}

/**
 * A topic of two partitions, empty. KAFKA_BROKERS names brokers to use; a topic made there is removed at the
 * end. Without it a broker is started in the folder.
 */
export async function openSpanTopic(folder: string, lifecycle: Lifecycle): Promise<SpanTopic> {
  const given = process.env['KAFKA_BROKERS'] ?? ''
  if (given === '') {
    const topic = 'otlp_spans'
    const broker = await openBroker({
      directory: join(folder, 'kafka'),
      topics: [{ topic, partitions: PARTITIONS }],
    })
    lifecycle.add('broker', () => broker.stop())
    return { brokers: broker.brokers, topic, kafkaVersion: installedKafka(), kafka: client(broker.brokers) }
  }
  const brokers = given.split(',').map((word) => word.trim())
  const kafka = client(brokers)
  const topic = `surety-bench-${process.pid}-${Date.now()}`
  const admin = kafka.admin()
  await admin.connect()
  lifecycle.add('topic', async () => {
    await admin.deleteTopics({ topics: [topic] })
    await admin.disconnect()
  })
  await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true })
  return { brokers, topic, kafkaVersion: `at ${brokers.join(',')}`, kafka }
}

/**
 * Writes requests number 0 to `requests` − 1, even ones to the first partition, odd ones to the second. Their
 * spans' times run evenly from `fromMs` to `toMs`.
 */
export async function fillTopic(
  { kafka, topic }: SpanTopic,
  pool: readonly PooledRequest[],
  options: {
    readonly requests: number
    readonly fromMs: number
    readonly toMs: number
    readonly progress: (requestsDone: number) => void
  },
): Promise<void> {
  const { requests, fromMs, toMs } = options
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let done = 0
  const lane = async (partition: number) => {
    for (let first = partition; first < requests; first += REQUESTS_PER_SEND * PARTITIONS) {
      const messages = []
      for (let copy = first; copy < requests && messages.length < REQUESTS_PER_SEND; copy += PARTITIONS) {
        const request = pool[copy % pool.length] as PooledRequest
        const value = restamp(request, copy, fromMs + ((toMs - fromMs) * copy) / requests)
        messages.push({ value, partition })
      }
      await producer.send({ topic, acks: 1, messages })
      done += messages.length
      options.progress(done)
    }
  }
  try {
    await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => lane(partition)))
  } finally {
    await producer.disconnect()
  }
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

function client(brokers: readonly string[]): Kafka {
  return buildKafkaClient({ brokers, clientId: 'surety-bench', logger: buildLogger('silent') }).kafka
}

function installedKafka(): string {
  const jar = readdirSync(JARS).find((name) => /^kafka_[\d.]+-[\d.]+\.jar$/.test(name))
  return /-([\d.]+)\.jar$/.exec(jar ?? '')?.[1] ?? 'unknown'
}
