// Wires the role `ingest`: doors, pipeline, writer. Opened in order, closed in reverse: first the doors take
// nothing new, then what was accepted is written, then the store may close.

import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { IngestConfig, ingestProblems } from './config.ts'
import { backupRoutes } from './backup/backup-routes.ts'
import { deadLetterRoutes } from './dead-letters/dead-letter-routes.ts'
import { buildKeptLetters } from './dead-letters/kept-letters.ts'
import { buildReplay } from './dead-letters/replay.ts'
import { buildDiskWatch } from './disk-watch.ts'
import { openGateway, UNBOUNDED_REGISTER } from './gateway.ts'
import { buildTelemetryConsumer } from './kafka/consumer.ts'
import type { KafkaPort } from './kafka/kafka-port.ts'
import { buildReleaseTopic } from './kafka/release-topic.ts'
import { openKafkajsPort } from './kafka/kafkajs-port.ts'
import { kafkaSecurity } from './kafka/security.ts'
import { buildGrpcDoor } from './otlp/grpc-door.ts'
import { buildHttpDoor } from './otlp/http-door.ts'
import { buildTake, type DoorItem } from './otlp/take.ts'
import { buildAccumulator, buildMemoryBudget, type Settled } from './pipeline/accumulator.ts'
import { buildDeadLetterBox } from './pipeline/dead-letter-box.ts'
import { buildGate } from './pipeline/gate.ts'
import { openJournal, type JournalBatch } from './pipeline/journal.ts'
import { logsFromJson, metricsFromJson, tracesFromJson } from './pipeline/json-to-proto.ts'
import { buildBatchWriter, type Written } from './pipeline/batch-writer.ts'
import { buildLogSignal } from './pipeline/log-signal.ts'
import { buildMetricSignal } from './pipeline/metric-signal.ts'
import { prepareTraces } from './pipeline/prepare.ts'
import { prepareLogs } from './pipeline/prepare-logs.ts'
import { prepareMetrics } from './pipeline/prepare-metrics.ts'
import type { Prepared } from './pipeline/prepared.ts'
import { buildSeriesRegister } from './pipeline/series-register.ts'
import { SIGNAL_NAMES, SIGNAL_WORDS, type SignalName, type SignalPath } from './pipeline/signal.ts'
import { buildTraceSignal } from './pipeline/trace-signal.ts'
import type { ReleaseEventStore } from './releases/release-event-store.ts'
import type { RefusedRelease } from './releases/door-replies.ts'
import { hookRoutes } from './releases/hooks/hook-routes.ts'
import { readHooks } from './releases/hooks/open-hooks.ts'
import type { StepEvent } from './releases/steps/step-draft.ts'
import { stepOfEvent } from './releases/steps/step-of-event.ts'
import { releaseRoutes } from './releases/release-routes.ts'
import { buildReleaseEventStore } from './releases/stored-release-events.ts'
import { runAlone, runProcess, type ProcessParts } from './process.ts'
import { buildDeriver } from './derived/deriver.ts'
import { checkMasking, readMasking } from './masking.ts'
import { readReturnCodes } from './return-codes.ts'
import { readConfig } from './runtime/config.ts'
import { NO_TOKEN } from './runtime/tokens.ts'
import type { ReturnCodeRule } from './store/insert-spans.ts'
import { lockDataDir } from './store/data-dir-lock.ts'

export type IngestRole = {
  /** Where OTLP/HTTP listens, with the port that the system chose when 0 was asked for. */
  readonly otlpHttpUrl: string
  /** The same for OTLP/gRPC. */
  readonly otlpGrpcUrl: string
  /** Partitions that this process reads; null when no broker is configured. */
  readonly kafkaStatus: () => readonly PartitionStatus[] | null
  /** What every door hands its messages to, for senders inside this process. */
  readonly paths: Readonly<Record<SignalName, SignalPath>>
  readonly releases: ReleaseEventStore
  readonly rules: readonly ReturnCodeRule[]
}

export type PartitionStatus = {
  readonly topic: string
  readonly partition: number
  readonly lagMessages: number
  readonly paused: boolean
}

const DAY_MS = 86_400_000
// One lane for both OTLP doors: larger batches. Metrics of batches carry its name, those of requests their door's.
const OTLP_LANE = 'otlp'
// How far ahead of our clock a span may start: beyond a day no clock is believed.
const AHEAD_MS = DAY_MS
// Names of metrics in a day: far above any bank, far below what random names would make.
const METRIC_NAMES_MAX = 20_000

export async function start(config: IngestConfig, parts: ProcessParts): Promise<IngestRole> {
  const { store, app, lifecycle, health, metrics, clock, quiet, traces: ownTraces } = parts
  const logger = parts.logger.child({ role: 'ingest' })
  const rules = readReturnCodes(config.SURETY_RETURN_CODE_MAP)
  const masking = readMasking(config.SURETY_MASKING)
  await checkMasking(masking, store)
  const timeBounds = { retentionMs: config.SURETY_RETENTION_SPANS_DAYS * DAY_MS, aheadMs: AHEAD_MS }
  const budget = buildMemoryBudget(config.SURETY_PENDING_BYTES_MAX, metrics.pendingBytes)
  const keepBytes = config.SURETY_DEAD_LETTERS_KEEP_BYTES
  const deadLetters = buildDeadLetterBox(store, metrics, logger, clock, keepBytes)
  const writerParts = { store, deadLetters, metrics, logger, clock, gate: buildGate(), traces: ownTraces }
  const searchKeys = config.SURETY_SEARCH_KEYS
  const traces: SignalPath = {
    name: 'traces',
    words: SIGNAL_WORDS.traces,
    prepare: (bytes, origin) => prepareTraces(bytes, origin, clock.now(), timeBounds),
    fromJson: tracesFromJson,
    writer: buildBatchWriter({
      ...writerParts,
      signal: buildTraceSignal({ rules, masking, searchKeys, metrics, clock }),
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
    prepare: (bytes, origin) => prepareMetrics(bytes, origin, clock.now(), metricTimes, register, masking),
    fromJson: metricsFromJson,
    writer: buildBatchWriter({
      ...writerParts,
      signal: buildMetricSignal(register, metrics, clock, masking),
    }),
  }
  const eventTimes = { ...timeBounds, retentionMs: config.SURETY_RETENTION_EVENTS_DAYS * DAY_MS }
  const logs: SignalPath = {
    name: 'logs',
    words: SIGNAL_WORDS.logs,
    prepare: (bytes, origin) => prepareLogs(bytes, origin, clock.now(), eventTimes),
    fromJson: logsFromJson,
    writer: buildBatchWriter({ ...writerParts, signal: buildLogSignal(clock, masking) }),
  }
  const paths: Readonly<Record<SignalName, SignalPath>> = { traces, metrics: metricPath, logs }

  if (store.place.kind !== 'embedded') {
    // The embedded store has the directory to itself already.
    lifecycle.add('data directory', lockDataDir(config.SURETY_DATA_DIR))
    // What a server forbids (a grant, a statement's length) is said now, and not when batches wait for it.
    for (const name of SIGNAL_NAMES) await paths[name].writer.probe()
  }
  const journal = await openJournal(join(config.SURETY_DATA_DIR, 'journal'), clock)
  lifecycle.add('journal', () => journal.close())
  await completeDoorBatches()

  // A request carries no identity that outlives this process, so a batch is named by this start and a number.
  const startId = crypto.randomUUID()
  let sequence = 0
  let isJournalOut = false
  const laneOf = (path: SignalPath) =>
    buildAccumulator<DoorItem>((items) => writeDoorBatch(path, items), budget, clock, config.SURETY_LINGER_MS)
  const lanes = { traces: laneOf(paths.traces), metrics: laneOf(paths.metrics), logs: laneOf(paths.logs) }
  const flush = () => Promise.all(SIGNAL_NAMES.map((name) => lanes[name].flush()))
  lifecycle.add('writer', () => SIGNAL_NAMES.forEach((name) => paths[name].writer.hurry()))
  lifecycle.add('door batches', async () => void (await flush()))

  const hooks = readHooks(config)
  const stepOf = (event: StepEvent) => stepOfEvent(event, hooks.mappings)
  const releases = buildReleaseEventStore(store, stepOf)
  completeReleaseSteps()
  await app.register(releaseRoutes, {
    store: releases,
    clock,
    onRefused: countRefusal,
  })
  await app.register(hookRoutes, { ...hooks, store: releases, clock, stepOf, onRefused: countRefusal })
  const still = <T>(work: () => Promise<T>) => writerParts.gate.alone(work)
  const bytesMax = config.SURETY_STORE_BYTES_MAX
  const diskWatch = buildDiskWatch({ store, still, clock, metrics, logger, bytesMax })
  lifecycle.add('disk watch', () => diskWatch.close())
  diskWatch.start()

  const letters = buildKeptLetters(store, clock)
  const replay = buildReplay({ letters, paths, lanes })
  await app.register(deadLetterRoutes, { letters, replay })
  await app.register(backupRoutes, {
    store,
    place: store.place,
    dataDir: config.SURETY_DATA_DIR,
    still: (work) => still(() => quiet.run(work)),
    clock,
    logger,
  })
  health.register('ingest pipeline', () =>
    budget.used() < budget.bytesMax
      ? undefined
      : `${budget.used()} bytes wait for the store (SURETY_PENDING_BYTES_MAX)`,
  )

  const host = config.SURETY_HOST
  const doorParts = {
    takes:
      config.SURETY_GATEWAY === 'off'
        ? { traces: takerOf('traces'), metrics: takerOf('metrics'), logs: takerOf('logs') }
        : openGateway({ ...parts, config, paths: gatewayPaths(), budget, logger }),
    budget,
    metrics,
    logger,
    bodyBytesMax: config.SURETY_OTLP_BODY_BYTES_MAX,
    guard: parts.guard,
    tls: parts.tls,
  }
  const httpDoor = buildHttpDoor({ ...doorParts, allowedHosts: config.SURETY_ALLOWED_HOSTS })
  const grpcDoor = buildGrpcDoor(doorParts)
  // Closing waits for answers, answers wait for their batch: flush while the doors close. Both at once, since a
  // flush does not end while the other door goes on.
  lifecycle.add('OTLP doors', async () => {
    const closed = Promise.all([httpDoor.close(), grpcDoor.close()])
    await flush()
    await closed
  })
  const otlpHttpUrl = await httpDoor.listen({ host, port: config.SURETY_OTLP_HTTP_PORT })
  const otlpGrpcUrl = await grpcDoor.listen({ host, port: config.SURETY_OTLP_GRPC_PORT })
  logger.info({ otlpHttpUrl, otlpGrpcUrl }, 'OTLP doors are open')
  if (config.SURETY_TRACES_ENDPOINT === 'self') {
    const url = `${otlpHttpUrl}/v1/traces`
    await ownTraces.open({ url, ratio: config.SURETY_TRACES_RATIO, logger })
    // What waits is sent while the door is still open.
    lifecycle.add('own traces', () => ownTraces.close())
  }

  const deriver = buildDeriver({
    store,
    clock,
    logger,
    beside: (work) => writerParts.gate.shared(work),
    requests1mDays: config.SURETY_RETENTION_1M_DAYS,
    traces: ownTraces,
  })
  deriver.start()
  lifecycle.add('derived tables', () => deriver.close())

  const reads = config.KAFKA_BROKERS.length > 0 && config.SURETY_GATEWAY !== 'only'
  const kafka = reads ? openKafka() : undefined
  return {
    otlpHttpUrl,
    otlpGrpcUrl,
    kafkaStatus: () => (kafka === undefined ? null : partitionStatus(kafka)),
    paths,
    releases,
    rules,
  }

  function countRefusal({ door, status }: RefusedRelease): void {
    metrics.refusedRequests.inc({ door, status })
    if (status === 401) metrics.doorRefusals.inc({ door, token: NO_TOKEN, reason: 'signature' })
  }

  /** Beside everything else: only events from before there were steps, or of a call that broke off, wait for it. */
  function completeReleaseSteps(): void {
    let isOpen = true
    const done = releases
      .completeSteps(() => isOpen)
      .then(
        (made) => void (made > 0 && logger.info({ made }, 'release steps were made of stored events')),
        (error: unknown) =>
          logger.warn(
            { err: error },
            'release steps of stored events are missing; the next start makes them',
          ),
      )
    lifecycle.add('release steps', async () => {
      isOpen = false
      await done
    })
  }

  function takerOf(name: SignalName) {
    return buildTake({ accumulator: lanes[name], journal, deadLetters, clock, metrics, signal: paths[name] })
  }

  function gatewayPaths() {
    const prepare: SignalPath['prepare'] = (bytes, origin) =>
      prepareMetrics(bytes, origin, clock.now(), metricTimes, UNBOUNDED_REGISTER)
    return { ...paths, metrics: { ...metricPath, prepare } }
  }

  /** On disk first, then into the store: from the first step on the batch is stored, whatever happens. */
  async function writeDoorBatch(path: SignalPath, items: readonly DoorItem[]): Promise<Settled[]> {
    sequence += 1
    const batch = { token: `doors/${startId}/${sequence}`, signal: path.name, items }
    await begin(batch)
    const written = await path.writer.write(items, doorIdentity(batch.token))
    if (written.kind === 'stored') await journal.end(batch)
    return items.map((item) => settle(written, item))
  }

  /** Says once that the disk takes nothing, and once that it does again. @throws JournalError */
  async function begin(batch: JournalBatch): Promise<void> {
    try {
      await journal.begin(batch)
      if (isJournalOut) logger.info('the doors keep batches on disk again')
      isJournalOut = false
    } catch (error) {
      if (!isJournalOut) {
        const reason = (error as Error).message
        logger.warn({ reason }, 'the doors cannot keep a batch on disk; senders are told to come again')
      }
      isJournalOut = true
      throw error
    }
  }

  /** What an earlier process had begun: verified against the rows and completed before the doors open. */
  async function completeDoorBatches(): Promise<void> {
    for (const batch of journal.unfinished()) {
      const path = paths[batch.signal ?? 'traces']
      const items = batch.items.map(({ body, origin }) => path.prepare(body, origin))
      const written = await path.writer.finish(items, doorIdentity(batch.token))
      if (written.kind === 'stored') await journal.end(batch)
    }
  }

  function openKafka(): KafkaPort {
    // Who sends no metrics or events over Kafka has no topics for them.
    const releaseTopic = config.SURETY_KAFKA_TOPIC_RELEASES
    const handlers = {
      [releaseTopic]: buildReleaseTopic({ events: releases, deadLetters, clock, metrics }),
    }
    const optional = [
      [config.SURETY_KAFKA_TOPIC_METRICS, metricPath],
      [config.SURETY_KAFKA_TOPIC_LOGS, logs],
    ] as const
    const topics = {
      ...Object.fromEntries(optional.filter(([topic]) => topic !== 'none')),
      [config.SURETY_KAFKA_TOPIC_SPANS]: traces,
    }
    const port = openKafkajsPort({
      brokers: config.KAFKA_BROKERS,
      clientId: 'surety',
      groupId: config.SURETY_KAFKA_GROUP,
      topics: [...Object.keys(topics), ...(releaseTopic === 'none' ? [] : [releaseTopic])],
      optionalTopics: [...optional.map(([topic]) => topic), releaseTopic],
      sessionTimeoutMs: config.SURETY_KAFKA_SESSION_TIMEOUT_MS,
      ...kafkaSecurity(config),
      logger,
    })
    const consumer = buildTelemetryConsumer({
      port,
      signals: topics,
      handlers,
      budget,
      clock,
      metrics,
      logger,
      lingerMs: config.SURETY_LINGER_MS,
      traces: ownTraces,
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

const doorIdentity = (token: string) => ({ token, door: OTLP_LANE, patienceMs: Number.POSITIVE_INFINITY })

function settle(written: Written, item: Prepared): Settled {
  if (written.kind === 'given-up') return written
  const refusal = written.refused.get(item)
  return refusal === undefined ? { kind: 'stored' } : { kind: 'stored', refusal }
}

if (import.meta.main) {
  process.exitCode = await runAlone(() => {
    const config = readConfig(IngestConfig, process.env, undefined, ingestProblems)
    return runProcess(config, (parts) => start(config, parts))
  })
}
