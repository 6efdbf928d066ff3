// The real side of the produce port, on kafkajs: an idempotent producer, one request to the broker at a time, what
// waits meanwhile goes together.
//
// States: away (looking for the broker) ⇄ ready → closed. A producer whose request failed is thrown away: kafkajs
// counts sequence numbers back then, and the broker, which may have written the failed request, would take the next
// one under the same numbers for its repeat and acknowledge it without writing it. A new producer has a new identity.

import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Producer } from 'kafkajs'
import { openKafkaAdmin } from './kafkajs-admin.ts'
import { buildKafkaClient, kafkaError, SHORT_RETRY, type KafkaClientOptions } from './kafkajs-client.ts'
import type { KafkaError } from './kafka-port.ts'
import type { Produced, ProducePort, ProduceRecord } from './produce.ts'

export type KafkajsProduceOptions = KafkaClientOptions & {
  /** Topics that must be there for the port to be ready. */
  readonly topics: readonly string[]
  /** What the log says of the sender: that it produces, and what happens while Kafka takes nothing. */
  readonly words?: { readonly ready: string; readonly away: string }
  /** How often the broker is looked at. Default 2 s. */
  readonly probeMs?: number
}

type Waiting = { readonly record: ProduceRecord; readonly settle: (produced: Produced) => void }
type Connection = { readonly producer: Producer; readonly cut: () => void }

// A group stays below the broker's default for one batch of records (message.max.bytes, 1,048,588) before
// compression, so that only a value that alone is larger depends on how well it compresses.
const GROUP_BYTES_MAX = 900_000
const GROUP_RECORDS_MAX = 1000
const GATEWAY_WORDS = {
  ready: 'the gateway produces',
  away: 'senders are asked to come again until Kafka takes what they send',
}
const ACK_TIMEOUT_MS = 10_000
const DISCONNECT_TIMEOUT_MS = 2_000
const REMINDER_INTERVAL_MS = 60_000

export function openKafkajsProduce(options: KafkajsProduceOptions): ProducePort {
  const { logger, topics, words = GATEWAY_WORDS, probeMs = 2_000 } = options
  const admin = openKafkaAdmin(options)
  const closing = new AbortController()
  let connection: Connection | undefined
  let notReady: string | undefined = 'not yet connected to Kafka'
  let toldAt = Number.NEGATIVE_INFINITY
  let waiting: Waiting[] = []
  let sending: Promise<void> | undefined
  const watching = watch()

  /** Looks after the connection: makes it, notices when the broker or a topic is gone, makes it again. */
  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const present = await admin.topics()
        connection ??= await connect()
        const missing = topics.filter((topic) => !present.has(topic))
        if (missing.length > 0) tell(`the Kafka topic ${missing.join(', ')} does not exist; create it`)
        else if (notReady !== undefined) {
          logger.info({ brokers: options.brokers }, `Kafka: ${words.ready}`)
          notReady = undefined
          toldAt = Number.NEGATIVE_INFINITY
        }
      } catch (error) {
        leave(kafkaError(error, 'reach the broker').message)
      }
      await sleep(probeMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }

  async function connect(): Promise<Connection> {
    const { kafka, cut } = buildKafkaClient(options)
    const producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: SHORT_RETRY,
    })
    try {
      await producer.connect()
    } catch (error) {
      cut()
      throw error
    }
    return { producer, cut }
  }

  /** The connection is no good: whatever waits is told so, a new one is made by `watch`. */
  function leave(reason: string): void {
    tell(reason)
    const left = connection
    connection = undefined
    if (left !== undefined) void drop(left)
    const turnedAway = waiting
    waiting = []
    for (const { settle } of turnedAway) settle({ kind: 'away', message: reason })
  }

  async function drop({ producer, cut }: Connection): Promise<void> {
    const disconnected = producer.disconnect().catch(() => undefined)
    await Promise.race([disconnected, sleep(DISCONNECT_TIMEOUT_MS, undefined, { ref: false })])
    cut()
  }

  function tell(reason: string): void {
    const now = Date.now()
    const isNews = now - toldAt >= REMINDER_INTERVAL_MS && !closing.signal.aborted
    notReady = reason
    if (!isNews) return
    toldAt = now
    logger.warn({ brokers: options.brokers }, `${reason}; ${words.away}`)
  }

  /** What waits for one topic, as far as it fits. */
  function takeGroup(): Waiting[] {
    const topic = waiting[0]?.record.topic
    const group: Waiting[] = []
    const rest: Waiting[] = []
    let bytes = 0
    for (const item of waiting) {
      const { length } = item.record.value
      const fits =
        group.length === 0 || (group.length < GROUP_RECORDS_MAX && bytes + length <= GROUP_BYTES_MAX)
      if (item.record.topic === topic && fits) {
        group.push(item)
        bytes += length
      } else rest.push(item)
    }
    waiting = rest
    return group
  }

  async function produce(producer: Producer, group: readonly Waiting[]): Promise<void> {
    await producer.send({
      topic: group[0]?.record.topic ?? '',
      acks: -1,
      timeout: ACK_TIMEOUT_MS,
      compression: kafkajs.CompressionTypes.ZSTD,
      messages: group.map(({ record: { key, value, headers } }) => ({
        key,
        value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        headers: { ...headers },
      })),
    })
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const current = connection
      if (current === undefined) {
        leave(notReady ?? 'Kafka: no broker answers')
        return
      }
      await sendGroup(current, takeGroup())
    }
  }

  async function sendGroup(current: Connection, group: readonly Waiting[]): Promise<void> {
    try {
      await produce(current.producer, group)
      for (const { settle } of group) settle({ kind: 'acknowledged' })
    } catch (error) {
      const failure = kafkaError(error, 'produce')
      if (failure.code === 'SURETY_KAFKA_TOO_LARGE' && group.length > 1) {
        // One of them, perhaps; what was written nevertheless is skipped by its digest.
        for (const item of group) {
          if (connection === current) await sendGroup(current, [item])
          else item.settle({ kind: 'away', message: notReady ?? failure.message })
        }
        return
      }
      for (const { settle, record } of group) settle(answerTo(failure, record))
      // These two say for certain that nothing was written.
      if (failure.code === 'SURETY_KAFKA_TOO_LARGE') return
      if (failure.code === 'SURETY_KAFKA_TOPIC_MISSING') return tell(failure.message)
      if (connection === current) leave(failure.message)
    }
  }

  return {
    send(record) {
      if (closing.signal.aborted) return Promise.resolve({ kind: 'away', message: 'Surety is stopping' })
      if (connection === undefined)
        return Promise.resolve({ kind: 'away', message: notReady ?? 'Kafka: no broker answers' })
      return new Promise((settle) => {
        waiting.push({ record, settle })
        // In the next turn, so that what came together goes together.
        sending ??= Promise.resolve()
          .then(sendAll)
          .finally(() => {
            sending = undefined
          })
      })
    },
    notReadyReason: () => notReady,
    async close() {
      closing.abort()
      await sending
      await watching
      notReady = 'Surety is stopping'
      if (connection !== undefined) await drop(connection)
      await admin.close()
    },
  }
}

function answerTo(failure: KafkaError, { topic, value }: ProduceRecord): Produced {
  if (failure.code !== 'SURETY_KAFKA_TOO_LARGE') return { kind: 'away', message: failure.message }
  return {
    kind: 'too-large',
    message: `The Kafka topic ${topic} does not take a value of ${value.length} bytes; send smaller batches or raise its max.message.bytes`,
  }
}
