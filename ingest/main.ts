// Wires the role `ingest`: doors, pipeline, writer. Opened in order, closed in reverse: first the doors take
// nothing new, then what was accepted is written, then the store may close.

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { IngestConfig } from './config.ts'
import { buildTelemetryConsumer } from './kafka/consumer.ts'
import type { KafkaPort } from './kafka/kafka-port.ts'
import { openKafkajsPort } from './kafka/kafkajs-port.ts'
import { buildHttpDoor, HTTP_DOOR } from './otlp/http-door.ts'
import { buildTake, type DoorItem } from './otlp/take-traces.ts'
import { buildAccumulator, buildMemoryBudget, type Settled } from './pipeline/accumulator.ts'
import { buildDeadLetterBox } from './pipeline/dead-letter-box.ts'
import { openJournal } from './pipeline/journal.ts'
import { buildBatchWriter, type Written } from './pipeline/batch-writer.ts'
import { buildMetricSignal } from './pipeline/metric-signal.ts'
import { prepareTraces } from './pipeline/prepare.ts'
import { prepareMetrics } from './pipeline/prepare-metrics.ts'
import type { Prepared } from './pipeline/prepared.ts'
import { buildSeriesRegister } from './pipeline/series-register.ts'
import { SIGNAL_WORDS, type SignalPath } from './pipeline/signal.ts'
import { buildTraceSignal } from './pipeline/trace-signal.ts'
import { releaseRoutes } from './releases/release-routes.ts'
import { buildReleaseEventStore } from './releases/stored-release-events.ts'
import { runAlone, runProcess, type ProcessParts } from './process.ts'
import { readReturnCodes } from './return-codes.ts'
import { readConfig } from './runtime/config.ts'

export type IngestRole = {
  /** Where OTLP/HTTP listens, with the port that the system chose when 0 was asked for. */
  readonly otlpHttpUrl: string
  /** Partitions that this process reads; null when no broker is configured. */
  readonly kafkaStatus: () => readonly PartitionStatus[] | null
}

export type PartitionStatus = {
  readonly topic: string
  readonly partition: number
  readonly lagMessages: number
  readonly paused: boolean
}

const DAY_MS = 86_400_000
// How far ahead of our clock a span may start: beyond a day no clock is believed.
const AHEAD_MS = DAY_MS
// Names of metrics in a day: far above any bank, far below what random names would make.
const METRIC_NAMES_MAX = 20_000

export async function start(config: IngestConfig, parts: ProcessParts): Promise<IngestRole> {
  const { store, app, lifecycle, health, metrics, clock } = parts
  const logger = parts.logger.child({ role: 'ingest' })
  const rules = readReturnCodes(config.SURETY_RETURN_CODE_MAP)
  const timeBounds = { retentionMs: config.SURETY_RETENTION_SPANS_DAYS * DAY_MS, aheadMs: AHEAD_MS }
  const budget = buildMemoryBudget(config.SURETY_PENDING_BYTES_MAX, metrics.pendingBytes)
  const deadLetters = buildDeadLetterBox(store, metrics, logger, clock)
  const traces: SignalPath = {
    name: 'traces',
    words: SIGNAL_WORDS.traces,
    prepare: (bytes, origin) => prepareTraces(bytes, origin, clock.now(), timeBounds),
    writer: buildBatchWriter({
      signal: buildTraceSignal(rules, clock),
      store,
      deadLetters,
      metrics,
      logger,
      clock,
    }),
  }

  const register = buildSeriesRegister(
    {
      perMetricMax: config.SURETY_SERIES_MAX_PER_METRIC,
      seriesMax: config.SURETY_SERIES_MAX,
      namesMax: METRIC_NAMES_MAX,
    },
    clock,
    randomInt(2 ** 31),
  )
  const metricTimes = { ...timeBounds, retentionMs: config.SURETY_RETENTION_METRICS_DAYS * DAY_MS }
  const metricPath: SignalPath = {
    name: 'metrics',
    words: SIGNAL_WORDS.metrics,
    prepare: (bytes, origin) => prepareMetrics(bytes, origin, clock.now(), metricTimes, register),
    writer: buildBatchWriter({
      signal: buildMetricSignal(register, metrics, clock),
      store,
      deadLetters,
      metrics,
      logger,
      clock,
    }),
  }
  const paths = [traces, metricPath]

  const journal = await openJournal(join(config.SURETY_DATA_DIR, 'journal'), clock)
  lifecycle.add('journal', () => journal.close())
  await completeDoorBatches()

  // A request carries no identity that outlives this process, so a batch is named by this start and a number.
  const startId = crypto.randomUUID()
  let sequence = 0
  const accumulators = new Map(
    paths.map((path) => [
      path,
      buildAccumulator<DoorItem>(
        (items) => writeDoorBatch(path, items),
        budget,
        clock,
        config.SURETY_LINGER_MS,
      ),
    ]),
  )
  const flush = () => Promise.all([...accumulators.values()].map((accumulator) => accumulator.flush()))
  lifecycle.add('writer', () => paths.forEach(({ writer }) => writer.hurry()))
  lifecycle.add('door batches', async () => void (await flush()))

  await app.register(releaseRoutes, {
    store: buildReleaseEventStore(store),
    clock,
    onRefused: ({ status }) => metrics.refusedRequests.inc({ door: 'releases', status }),
  })
  health.register('ingest pipeline', () =>
    budget.used() < budget.bytesMax
      ? undefined
      : `${budget.used()} bytes wait for the store (SURETY_PENDING_BYTES_MAX)`,
  )

  const door = buildHttpDoor({
    takeTraces: takerOf(traces),
    takeMetrics: takerOf(metricPath),
    budget,
    metrics,
    logger,
    allowedHosts: config.SURETY_ALLOWED_HOSTS,
    bodyBytesMax: config.SURETY_OTLP_BODY_BYTES_MAX,
  })
  const otlpHttpUrl = await door.listen({ host: config.SURETY_HOST, port: config.SURETY_OTLP_HTTP_PORT })
  // Closing waits for answers, answers wait for their batch: flush while the door closes.
  lifecycle.add('OTLP/HTTP door', async () => {
    const closed = door.close()
    await flush()
    await closed
  })
  logger.info({ otlpHttpUrl }, 'OTLP/HTTP door is open')

  const kafka = config.KAFKA_BROKERS.length === 0 ? undefined : openKafka()
  return { otlpHttpUrl, kafkaStatus: () => (kafka === undefined ? null : partitionStatus(kafka)) }

  function takerOf(signal: SignalPath) {
    const accumulator = accumulators.get(signal)
    if (accumulator === undefined) throw new Error(`no lane for ${signal.name}`)
    return buildTake({ accumulator, journal, deadLetters, clock, metrics, signal })
  }

  /** On disk first, then into the store: from the first step on the batch is stored, whatever happens. */
  async function writeDoorBatch(path: SignalPath, items: readonly DoorItem[]): Promise<Settled[]> {
    sequence += 1
    const batch = { token: `doors/${startId}/${sequence}`, signal: path.name, items }
    await journal.begin(batch)
    const written = await path.writer.write(items, doorIdentity(batch.token))
    if (written.kind === 'stored') await journal.end(batch)
    return items.map((item) => settle(written, item))
  }

  /** What an earlier process had begun: verified against the rows and completed before the doors open. */
  async function completeDoorBatches(): Promise<void> {
    for (const batch of journal.unfinished()) {
      const path = paths.find(({ name }) => name === (batch.signal ?? 'traces')) ?? traces
      const items = batch.items.map(({ body, origin }) => path.prepare(body, origin))
      const written = await path.writer.finish(items, doorIdentity(batch.token))
      if (written.kind === 'stored') await journal.end(batch)
    }
  }

  function openKafka(): KafkaPort {
    const topics = {
      ...(config.SURETY_KAFKA_TOPIC_METRICS === 'none'
        ? {}
        : { [config.SURETY_KAFKA_TOPIC_METRICS]: metricPath }),
      [config.SURETY_KAFKA_TOPIC_SPANS]: traces,
    }
    const port = openKafkajsPort({
      brokers: config.KAFKA_BROKERS,
      clientId: 'surety',
      groupId: config.SURETY_KAFKA_GROUP,
      topics: Object.keys(topics),
      // Who sends no metrics over Kafka has no topic for them.
      optionalTopics: [config.SURETY_KAFKA_TOPIC_METRICS],
      logger,
    })
    const consumer = buildTelemetryConsumer({
      port,
      signals: topics,
      budget,
      clock,
      metrics,
      logger,
      lingerMs: config.SURETY_LINGER_MS,
    })
    consumer.start()
    lifecycle.add('Kafka door', () => consumer.close())
    health.register('kafka', () => port.notReadyReason())
    logger.info({ brokers: config.KAFKA_BROKERS, topics: Object.keys(topics) }, 'Kafka door is open')
    return port
  }
}

function partitionStatus(port: KafkaPort): PartitionStatus[] {
  return port.lag().map(({ topic, partition, highWatermark, position, paused }) => ({
    topic,
    partition,
    lagMessages: Number(highWatermark - position),
    paused,
  }))
}

const doorIdentity = (token: string) => ({
  token,
  door: HTTP_DOOR,
  patienceMs: Number.POSITIVE_INFINITY,
})

function settle(written: Written, item: Prepared): Settled {
  if (written.kind === 'given-up') return written
  const refusal = written.refused.get(item)
  return refusal === undefined ? { kind: 'stored' } : { kind: 'stored', refusal }
}

if (import.meta.main) {
  process.exitCode = await runAlone(() => {
    const config = readConfig(IngestConfig, process.env)
    return runProcess(config, (parts) => start(config, parts))
  })
}
