// The consumer loop: partitions in, batches out, offsets committed after the rows are in.
//
// States of a partition's lane:
//   assigned → recovering (an intent was found: its records are collected until its last offset, then written)
//            → reading (records go to the accumulator; each batch is intent → insert → commit)
//            → closed (revoked, stale or given up: what waits is dropped, Kafka delivers it again)
// Nothing here knows a Kafka client; the port does.

import { setTimeout as sleep } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import {
  buildAccumulator,
  type Accumulator,
  type MemoryBudget,
  type Settled,
} from '../pipeline/accumulator.ts'
import { REPEAT_WINDOW_MS } from '../pipeline/journal.ts'
import { NOTHING, type Prepared } from '../pipeline/prepared.ts'
import { buildRecentDigests, type RecentDigests } from '../pipeline/recent-digests.ts'
import { prepareEither, type SignalPath } from '../pipeline/signal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { NO_TRACES, type OwnTraces } from '../runtime/own-traces.ts'
import { readIntent, SKIPPED_MAX, writeIntent, type Intent } from './intent.ts'
import {
  KafkaError,
  type AssignedPartition,
  type KafkaBatch,
  type KafkaPort,
  type KafkaRecord,
} from './kafka-port.ts'
import { DIGEST_HEADER } from './produce.ts'

export const KAFKA_DOOR = 'kafka'

export type ConsumerParts = {
  readonly port: KafkaPort
  /** What the values of a topic are. */
  readonly signals: Readonly<Record<string, SignalPath>>
  /** Topics whose few records are stored one by one, each safe to store again. Throws StoreError when it must wait. */
  readonly handlers?: Readonly<Record<string, (record: KafkaRecord) => Promise<void>>>
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  readonly lingerMs: number
  readonly traces?: OwnTraces
}

export interface TelemetryConsumer {
  start(): void
  close(): Promise<void>
}

type Item = Prepared & {
  readonly offset: bigint
  readonly value: Uint8Array
  /** A gateway wrote the same request before: its offset counts, its content does not. */
  readonly isRepeat: boolean
}

type Lane = {
  readonly partition: AssignedPartition
  readonly accumulator: Accumulator<Item>
  /** When the record read last was written, ms since epoch; what comes after it is not older. */
  readTo: number | undefined
  /** Records of an intent that was found at assignment, until its last offset has come. */
  recovering: { readonly intent: Intent; readonly items: Item[] } | undefined
  /** Batches in a row that failed for a reason that nobody expected. */
  failures: number
  closed: boolean
}

const EMPTY = new Uint8Array()
// The largest body that the doors can be set to take; what a Collector sends stays far below.
const VALUE_BYTES_MAX = 64 * 1024 * 1024
const BACK_OFF_MS = [100, 250, 500, 1000, 2000]
const backOff = (tries: number) => BACK_OFF_MS[Math.min(tries, BACK_OFF_MS.length - 1)]
const STATUS_EVERY_MS = 2000
// Of one partition, about 20 MB; ten minutes of a gateway's requests at 160 a second and partition.
const DIGESTS_MAX = 100_000
// Reading goes on when half of the memory is free again: stopping and starting at one mark would flutter.
const RESUME_BELOW = 0.5

export function buildTelemetryConsumer(parts: ConsumerParts): TelemetryConsumer {
  const { port, signals, handlers = {}, budget, clock, metrics, lingerMs, traces = NO_TRACES } = parts
  const logger = parts.logger.child({ part: KAFKA_DOOR })
  const lanes = new Map<string, Lane>()
  // By partition, and kept when it is handed on: it may come back.
  const digests = new Map<string, RecentDigests<bigint>>()
  let status: NodeJS.Timeout | undefined
  let paused = false
  let isClosing = false

  const key = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`

  function signalOf({ topic }: { topic: string }): SignalPath {
    const signal = signals[topic]
    if (signal === undefined) throw new Error(`no signal is read from the topic ${topic}`)
    return signal
  }

  function openLane(partition: AssignedPartition, intent: Intent | undefined, failures = 0): Lane {
    const lane: Lane = {
      partition,
      accumulator: buildAccumulator<Item>((batch) => writeBatch(lane, batch), budget, clock, lingerMs),
      readTo: undefined,
      recovering: intent === undefined ? undefined : { intent, items: [] },
      failures,
      closed: false,
    }
    return lane
  }

  async function writeBatch(lane: Lane, batch: readonly Item[]): Promise<Settled[]> {
    const settled: Settled[] = []
    for (const part of partsBySkips(batch)) {
      const outcome = await intendInsertCommit(lane, part)
      settled.push(...part.map(() => outcome))
    }
    relieve()
    return settled
  }

  /** The three steps of a batch. Any failure closes the lane, because later offsets must not overtake these. */
  async function intendInsertCommit(lane: Lane, batch: readonly Item[]): Promise<Settled> {
    const [head, tail] = [batch[0], batch.at(-1)]
    if (head === undefined || tail === undefined) return { kind: 'stored' }
    if (lane.closed) return { kind: 'given-up', error: new Error('the partition was handed on') }
    const skipped = batch.filter(({ isRepeat }) => isRepeat).map(({ offset }) => offset)
    const intent = lane.recovering?.intent ?? { first: head.offset, last: tail.offset, skipped }
    try {
      const facts = {
        'messaging.system': 'kafka',
        'messaging.destination.name': lane.partition.topic,
        'messaging.destination.partition.id': String(lane.partition.partition),
        'messaging.batch.message_count': batch.length,
      }
      const work = () => insertBetweenCommits(lane, batch, intent, skipped.length)
      await traces.batch(`take ${lane.partition.topic}`, facts, batch, work)
      lane.failures = 0
      return { kind: 'stored' }
    } catch (error) {
      lane.closed = true
      const failure = error instanceof Error ? error : new Error(String(error))
      const expected =
        failure instanceof KafkaError &&
        (failure.code === 'SURETY_KAFKA_STALE' || failure.code === 'SURETY_KAFKA_CLOSED')
      const fields = {
        partition: key(lane.partition),
        first: String(intent.first),
        last: String(intent.last),
        reason: failure.message,
      }
      if (expected) logger.info(fields, 'a batch was left to the next owner of its partition')
      else logger.error(fields, 'a batch was not finished; its partition is read again from its first record')
      if (!expected) await sleep(backOff(lane.failures))
      if (!expected && !isClosing && lanes.get(key(lane.partition)) === lane) {
        lanes.set(key(lane.partition), openLane(lane.partition, intent, lane.failures + 1))
        port.seek(lane.partition, intent.first)
      }
      return { kind: 'given-up', error: failure }
    }
  }

  /** @throws KafkaError stale or closed; StoreError when the batch was given up */
  async function insertBetweenCommits(
    lane: Lane,
    batch: readonly Item[],
    intent: Intent,
    skipped: number,
  ): Promise<void> {
    await traces.step('commit intent', {}, () => commit(lane, intent.first, writeIntent(intent)))
    const identity = {
      token: token(lane.partition, intent, batch),
      door: KAFKA_DOOR,
      patienceMs: Number.POSITIVE_INFINITY,
    }
    const { writer } = signalOf(lane.partition)
    const isRecovery = lane.recovering !== undefined
    const written = await (isRecovery ? writer.finish(batch, identity) : writer.write(batch, identity))
    if (written.kind === 'given-up') throw written.error
    const stored = batch.length - written.refused.size - skipped
    metrics.messages.inc({ door: KAFKA_DOOR, result: 'refused' }, written.refused.size)
    metrics.messages.inc({ door: KAFKA_DOOR, result: 'repeated' }, skipped)
    metrics.messages.inc({ door: KAFKA_DOOR, result: 'stored' }, stored)
    await traces.step('commit offset', {}, () => commit(lane, intent.last + 1n, ''))
  }

  /** Waits out a broker that is away. @throws KafkaError stale or closed */
  async function commit(lane: Lane, offset: bigint, metadata: string): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await port.commit(lane.partition, offset, metadata)
        return
      } catch (error) {
        if (!(error instanceof KafkaError) || !error.retryable) throw error
        await sleep(backOff(tries))
      }
    }
  }

  /**
   * Whether an earlier record of this partition, at most ten minutes older, carries the same digest. Judged by what the
   * log says (offset, time), so that reading it again comes to the same as long as the memory of digests holds.
   */
  function repeatsEarlier(record: KafkaRecord): boolean {
    const digest = record.headers[DIGEST_HEADER]?.toString('latin1')
    if (digest === undefined || !DIGEST.test(digest)) return false
    let recent = digests.get(key(record))
    if (recent === undefined) {
      recent = buildRecentDigests(REPEAT_WINDOW_MS, DIGESTS_MAX)
      digests.set(key(record), recent)
    }
    const earlier = recent.find(digest, record.timestampMs)
    if (earlier !== undefined && earlier < record.offset) return true
    recent.note(digest, record.offset, record.timestampMs)
    return false
  }

  function prepare(record: KafkaRecord, intent: Intent | undefined): Item {
    const origin = `kafka ${record.topic}/${record.partition}@${record.offset}`
    const { offset } = record
    const value = record.value ?? EMPTY
    metrics.bytes.inc({ door: KAFKA_DOOR }, value.length)
    const repeats = repeatsEarlier(record)
    // What an intent says was decided when its batch was begun.
    const isSkipped =
      intent !== undefined && offset <= intent.last ? intent.skipped.includes(offset) : repeats
    const prepared = isSkipped
      ? { ...NOTHING, origin }
      : (setAside(record, value, origin) ?? prepareEither(signalOf(record), value, origin))
    return { ...prepared, offset, value, isRepeat: isSkipped }
  }

  async function take(lane: Lane, record: KafkaRecord): Promise<void> {
    const { recovering } = lane
    const item = prepare(record, recovering?.intent)
    lane.readTo = record.timestampMs
    if (recovering === undefined) {
      void lane.accumulator.add(item)
      return
    }
    const { intent, items } = recovering
    if (item.offset <= intent.last) items.push(item)
    if (item.offset < intent.last) return
    if (items.length > 0) await finishIntent(lane, intent, items)
    else
      logger.error(
        { partition: key(lane.partition), first: String(intent.first), last: String(intent.last) },
        'the records of an unfinished batch are no longer in Kafka; its rows may be missing: keep topics longer than an outage',
      )
    lane.recovering = undefined
    if (item.offset > intent.last && !lane.closed) void lane.accumulator.add(item)
  }

  async function finishIntent(lane: Lane, intent: Intent, items: readonly Item[]): Promise<void> {
    logger.info(
      { partition: key(lane.partition), first: String(intent.first), last: String(intent.last) },
      'finishing a batch that was begun before',
    )
    const settled = await intendInsertCommit(lane, items)
    if (settled.kind === 'given-up') throw settled.error
  }

  /** One record after the other, then one commit; what is left when the partition goes comes to its next owner. */
  async function handleEach(
    batch: KafkaBatch,
    handler: (record: KafkaRecord) => Promise<void>,
  ): Promise<void> {
    const lane = lanes.get(key(batch))
    let last: bigint | undefined
    for (const record of batch.records) {
      if (lane === undefined || lane.closed || isClosing || batch.isStale()) break
      if (!(await isHandled(lane, record, handler))) break
      lane.readTo = record.timestampMs
      last = record.offset
    }
    if (lane !== undefined && last !== undefined && !lane.closed) await commit(lane, last + 1n, '')
  }

  async function isHandled(
    lane: Lane,
    record: KafkaRecord,
    handler: (record: KafkaRecord) => Promise<void>,
  ): Promise<boolean> {
    for (let tries = 0; ; tries += 1) {
      try {
        await handler(record)
        return true
      } catch (error) {
        if ((error as { readonly retryable?: boolean }).retryable !== true) throw error
        if (tries === 0)
          logger.warn(
            { partition: key(record), offset: String(record.offset), reason: (error as Error).message },
            'the store does not take a record; waiting, nothing is lost',
          )
        if (isClosing || lane.closed) return false
        await sleep(backOff(tries))
      }
    }
  }

  function relieve(): void {
    if (!paused || budget.used() > budget.bytesMax * RESUME_BELOW) return
    paused = false
    port.resume(port.paused())
    publish()
  }

  function publish(): void {
    metrics.kafkaPaused.set(port.paused().length)
    for (const { topic, partition, highWatermark, position } of port.lag()) {
      metrics.kafkaLag.set({ topic, partition }, Number(highWatermark - position))
      const readTo = lanes.get(key({ topic, partition }))?.readTo
      const isBehind = highWatermark > position && readTo !== undefined
      metrics.kafkaOldestUnread.set(
        { topic, partition },
        isBehind ? Math.max(0, clock.now() - readTo) / 1000 : 0,
      )
    }
  }

  return {
    start() {
      status = setInterval(() => {
        relieve()
        publish()
      }, STATUS_EVERY_MS)
      port.run({
        async onAssigned(partitions) {
          const committed = await port.committed(partitions)
          partitions.forEach((partition, index) => {
            lanes.set(key(partition), openLane(partition, readIntent(committed[index]?.metadata ?? '')))
          })
          paused = false
        },
        async onRevoked(partitions) {
          await Promise.all(
            partitions.map(async (partition) => {
              const lane = lanes.get(key(partition))
              if (lane === undefined) return
              lanes.delete(key(partition))
              // The batch under way is finished and committed; what only waits is left to the next owner.
              await lane.accumulator.discard()
              lane.closed = true
            }),
          )
          metrics.kafkaLag.reset()
          metrics.kafkaOldestUnread.reset()
        },
        async onBatch(batch: KafkaBatch) {
          const laneKey = key(batch)
          const handler = handlers[batch.topic]
          if (handler !== undefined) {
            await handleEach(batch, handler)
            return
          }
          for (const record of batch.records) {
            const lane = lanes.get(laneKey)
            if (lane === undefined || lane.closed || batch.isStale()) return
            await take(lane, record)
          }
          if (budget.used() >= budget.bytesMax) {
            paused = true
            port.pause([...lanes.values()].map((lane) => lane.partition))
            publish()
          }
        },
      })
    },
    async close() {
      isClosing = true
      clearInterval(status)
      await port.close()
    },
  }
}

const DIGEST = /^[0-9a-f]{64}$/

/** A batch in parts whose skipped values one intent can name; nearly always one part. */
function partsBySkips(batch: readonly Item[]): readonly (readonly Item[])[] {
  const parts: Item[][] = [[]]
  let skipped = 0
  for (const item of batch) {
    if (item.isRepeat && skipped === SKIPPED_MAX) {
      parts.push([])
      skipped = 0
    }
    if (item.isRepeat) skipped += 1
    parts.at(-1)?.push(item)
  }
  return parts
}

/** What is not even looked at: a batch that Kafka's format could not be read from, a value beyond any bound. */
function setAside(
  { unreadable, topic }: KafkaRecord,
  payload: Uint8Array,
  origin: string,
): Prepared | undefined {
  if (unreadable !== undefined) {
    const { firstOffset, lastOffset, reason } = unreadable
    const detail = `the batch of records ${firstOffset} to ${lastOffset} cannot be unpacked (${reason}); look at its producer's compression and at the broker's disk`
    const letter = { reason: 'malformed', detail, origin, format: 'kafka record batch', payload } as const
    return { ...NOTHING, origin, deadLetters: [letter], rejection: detail }
  }
  if (payload.length > VALUE_BYTES_MAX) {
    const detail = `the value is ${payload.length} bytes long, at most ${VALUE_BYTES_MAX} are taken; send smaller batches to ${topic}`
    const letter = { reason: 'too-big', detail, origin, format: 'kafka value', payload } as const
    return { ...NOTHING, origin, deadLetters: [letter], rejection: detail }
  }
  return undefined
}

/** Topic, partition, offsets and content: a topic made anew may use the same offsets for other records. */
function token(
  { topic, partition }: AssignedPartition,
  { first, last }: Intent,
  batch: readonly Item[],
): string {
  const digest = batch.reduce((crc, item) => crc32(item.value, crc), 0)
  return `kafka/${topic}/${partition}/${first}-${last}/${digest.toString(16)}`
}
