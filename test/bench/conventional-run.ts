// What the conventional pipelines of the benches share beside what they are measured by: a consumer with a batch on its
// way for each partition, the store, and a status that the bench watches. kafkajs' consumer as its documentation has it,
// large fetches, offsets committed after the insert.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildKafkaClient } from '../../ingest/kafka/kafkajs-client.ts'
import { buildAccumulator, buildMemoryBudget } from '../../ingest/pipeline/accumulator.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLifecycle, untilSignal } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { ingestStatus } from '../../query/reports/ingest-status.ts'

const PENDING_BYTES_MAX = 512 * 1024 * 1024
const LINGER_MS = 5000
const BATCH_BOUNDS = { rowsDue: 100_000, rowsMax: 100_000, bytesMax: 256 * 1024 * 1024 }
const FETCH_BYTES_MAX = 64 * 1024 * 1024
const PARTITION_FETCH_BYTES_MAX = 16 * 1024 * 1024

/** One Kafka value as rows of JSON. */
export type ConventionalItem = { readonly bytes: Uint8Array; readonly rows: number }

export type ConventionalParts<Item extends ConventionalItem> = {
  readonly itemOf: (value: Buffer) => Item
  /** Inserts a batch; its token names exactly its content. */
  readonly write: (batch: readonly Item[], token: string) => Promise<void>
}

/** Runs the program that the bench starts, until a signal ends it. Its arguments are those below. */
export async function runConventional<Item extends ConventionalItem>(
  partsOf: (
    store: Store,
    options: { readonly returnCodes: string | undefined },
  ) => ConventionalParts<Item> | Promise<ConventionalParts<Item>>,
): Promise<never> {
  const { values: options } = parseArgs({
    options: {
      'data-dir': { type: 'string' },
      brokers: { type: 'string' },
      topic: { type: 'string' },
      group: { type: 'string' },
      'return-codes': { type: 'string' },
      /** Records beyond this offset are left alone, in every partition. */
      'offset-end': { type: 'string' },
    },
  })
  const { 'data-dir': dataDir = '', brokers = '', topic = '', group = '' } = options
  const offsetEnd = BigInt(options['offset-end'] ?? '0')

  const logger = buildLogger('error', 'conventional-pipeline')
  const lifecycle = buildLifecycle(logger)
  const signal = untilSignal()
  const store = await openEmbeddedStore(dataDir)
  lifecycle.add('store', () => store.close())

  const { itemOf, write } = await partsOf(store, { returnCodes: options['return-codes'] })
  const budget = buildMemoryBudget(PENDING_BYTES_MAX, { set: () => undefined })
  const { kafka } = buildKafkaClient({
    brokers: brokers.split(','),
    clientId: 'conventional-pipeline',
    logger,
  })
  const consumer = kafka.consumer({
    groupId: group,
    maxBytes: FETCH_BYTES_MAX,
    maxBytesPerPartition: PARTITION_FETCH_BYTES_MAX,
  })

  const lanes = new Map<number, ReturnType<typeof openLane>>()
  function openLane(partition: number) {
    return buildAccumulator<Item & { readonly offset: string }>(
      async (batch) => {
        const [first, last] = [batch[0]?.offset ?? '', batch.at(-1)?.offset ?? '']
        await write(batch, `${topic}/${partition}/${first}-${last}`)
        await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(last) + 1n) }])
        return batch.map(() => ({ kind: 'stored' }))
      },
      budget,
      systemClock,
      LINGER_MS,
      BATCH_BOUNDS,
    )
  }

  const status = createServer((_, response) => {
    ingestStatus(store, Date.now(), null).then(
      (reply) => response.setHeader('content-type', 'application/json').end(JSON.stringify(reply)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => status.listen(0, '127.0.0.1', resolve))
  lifecycle.add('status', () => void status.close())

  await consumer.connect()
  lifecycle.add('consumer', () => consumer.disconnect())
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  console.log(
    `The conventional pipeline is ready: http://127.0.0.1:${(status.address() as AddressInfo).port}`,
  )
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 2,
    async eachBatch(payload) {
      const { partition, messages } = payload.batch
      const lane = lanes.get(partition) ?? openLane(partition)
      lanes.set(partition, lane)
      for (const { offset, value } of messages) {
        if (!payload.isRunning() || payload.isStale()) return
        if (BigInt(offset) >= offsetEnd) {
          consumer.pause([{ topic, partitions: [partition] }])
          break
        }
        const settled = lane.add({ ...itemOf(value ?? Buffer.alloc(0)), offset })
        settled.then(
          (result) => result.kind === 'given-up' && fail(result.error),
          (error: unknown) => fail(error),
        )
        payload.resolveOffset(offset)
        // Answers of the engine and of the broker get their turn between two messages.
        await turn()
        if (budget.used() >= budget.bytesMax) await settled
        await payload.heartbeat()
      }
      // At the end of the topic nothing more would come to fill the batch.
      const next = BigInt(payload.batch.lastOffset()) + 1n
      if (next >= offsetEnd || String(next) === payload.batch.highWatermark) void lane.flush()
    },
  })

  function fail(error: unknown): void {
    console.error('The conventional pipeline failed:', error)
    process.exit(1)
  }

  await signal
  await lifecycle.stop()
  process.exit(0)
}
