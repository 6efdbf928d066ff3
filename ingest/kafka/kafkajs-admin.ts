// Questions to Kafka that need no group membership: which topics exist, what was committed, how far a
// partition reaches. One connection, made when first needed and made anew after a failure.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Admin } from 'kafkajs'
import { buildKafkaClient, kafkaError, type KafkaClientOptions } from './kafkajs-client.ts'
import { KafkaError, type Committed, type TopicPartition } from './kafka-port.ts'

const RETRY_INTERVAL_MS = 250
const CLOSE_TIMEOUT_MS = 2_000

/** low: the oldest offset still kept; high: the offset the next record will get */
export type Watermarks = { readonly low: bigint; readonly high: bigint }

export interface KafkaAdmin {
  topics(): Promise<ReadonlySet<string>>
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<(TopicPartition & Committed)[]>
  /** By partition number. */
  watermarks(topic: string): Promise<ReadonlyMap<number, Watermarks>>
  close(): Promise<void>
}

type Connection = { readonly admin: Admin; readonly ready: Promise<void>; readonly cut: () => void }

export function openKafkaAdmin(options: KafkaClientOptions): KafkaAdmin {
  let current: Connection | undefined
  let isClosed = false

  function connect(): Connection {
    const { kafka, cut } = buildKafkaClient(options)
    const admin = kafka.admin()
    return { admin, ready: admin.connect(), cut }
  }

  async function drop(connection: Connection): Promise<void> {
    if (current === connection) current = undefined
    const disconnected = connection.ready.then(() => connection.admin.disconnect()).catch(() => undefined)
    await Promise.race([disconnected, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    connection.cut()
  }

  async function ask<Answer>(doing: string, question: (admin: Admin) => Promise<Answer>): Promise<Answer> {
    if (isClosed) throw new KafkaError('SURETY_KAFKA_CLOSED', 'Kafka: the port is closed')
    const connection = (current ??= connect())
    try {
      await connection.ready
      return await question(connection.admin)
    } catch (error) {
      void drop(connection)
      throw kafkaError(error, doing)
    }
  }

  return {
    topics: () =>
      ask('list the topics', async (admin) => {
        try {
          return new Set(await admin.listTopics())
        } catch (error) {
          // kafkajs reads a field of nothing when every broker it knew is gone.
          if (!(error instanceof TypeError)) throw error
          throw new KafkaError('SURETY_KAFKA_UNREACHABLE', 'Kafka: no broker answers', { cause: error })
        }
      }),

    committed: (groupId, partitions) =>
      ask('read the committed offsets', async (admin) => {
        const topics = [...new Set(partitions.map(({ topic }) => topic))]
        const answers = await admin.fetchOffsets({ groupId, topics })
        return partitions.map(({ topic, partition }) => {
          const found = answers
            .find((answer) => answer.topic === topic)
            ?.partitions.find((answer) => answer.partition === partition)
          // −1 says that nothing was committed; −2 is what kafkajs leaves behind when it starts over.
          const offset = found === undefined ? -1n : BigInt(found.offset)
          // kafkajs reads an empty metadata as null.
          return {
            topic,
            partition,
            offset: offset < 0n ? undefined : offset,
            metadata: found?.metadata ?? '',
          }
        })
      }),

    watermarks: (topic) =>
      ask('read how far a topic reaches', async (admin) => {
        const answers = await admin.fetchTopicOffsets(topic)
        return new Map(
          answers.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]),
        )
      }),

    async close() {
      isClosed = true
      if (current !== undefined) await drop(current)
    },
  }
}

/**
 * Repeats what may work a little later, until it does or the time is over.
 *
 * @throws KafkaError of the last attempt, or at once when a repetition cannot help
 */
export async function retried<Answer>(
  timeoutMs: number,
  signal: AbortSignal,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const mayRetry = error instanceof KafkaError && error.retryable
      if (!mayRetry || signal.aborted || Date.now() >= deadline) throw error
      await sleep(RETRY_INTERVAL_MS)
    }
  }
}
