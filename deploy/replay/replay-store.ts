// A throw-away store and registry that a recording is played into, by the ordinary path: walk, batch writer, views, deriver. The clock
// comes from the data.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildDeriver } from '../../ingest/derived/deriver.ts'
import type { IngestConfig } from '../../ingest/config.ts'
import { checkMasking, readMasking } from '../../ingest/masking.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { buildGate } from '../../ingest/pipeline/gate.ts'
import { buildMetricSignal } from '../../ingest/pipeline/metric-signal.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { prepareMetrics } from '../../ingest/pipeline/prepare-metrics.ts'
import type { Prepared } from '../../ingest/pipeline/prepared.ts'
import { buildSeriesRegister } from '../../ingest/pipeline/series-register.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { buildReleaseEventStore } from '../../ingest/releases/stored-release-events.ts'
import { readReturnCodes } from '../../ingest/return-codes.ts'
import type { Clock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { buildRegistry, type Registry } from '../../query/registry/registry.ts'
import { openDelimited, type DelimitedFile } from './delimited.ts'
import { WALK_LIMITS, type RecordedMessage, type Recording } from './recording.ts'

export type ReplayConfig = Pick<IngestConfig, 'SURETY_RETURN_CODE_MAP' | 'SURETY_MASKING'>

export type ReplayStore = {
  readonly store: Store
  readonly database: Database
  readonly registry: Registry
  /** Everything is in and derived. @param tell  how far it is */
  play(recording: Recording, tell: (text: string) => void): Promise<void>
  /** Nothing of it is left. */
  close(): Promise<void>
}

const DAY_MS = 86_400_000
/** Where the engine's seconds end. */
const END_MS = 2 ** 32 * 1000
const BATCH_SPANS = 100_000
const BATCH_BYTES = 32 * 1024 * 1024
/** One insert takes rows of a hundred days. */
const BATCH_MS = 60 * DAY_MS
const EVENTS_AT_ONCE = 500
/** Derived once nothing came for a while, which the deriver's clock makes it think. */
const SETTLED_MS = 600_000
const AHEAD_MS = DAY_MS
const QUESTION_SECONDS_MAX = 600

/** @throws ConfigError, StoreError */
export async function openReplayStore(config: ReplayConfig, recording: Recording): Promise<ReplayStore> {
  const folder = mkdtempSync(join(tmpdir(), 'surety-replay-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const clock: Clock = { now: () => recording.toMs }
  // As far as rows can be kept: what is recorded may be years old.
  const days = Math.floor((END_MS - Math.max(recording.toMs, Date.now())) / DAY_MS) - 2
  const store = patient(
    await openEmbeddedStore(folder, {
      spansDays: days,
      requests10sDays: days,
      requests1mDays: days,
      requests1hDays: days,
      deadLettersDays: days,
      metricsDays: days,
      eventsDays: days,
    }),
  )
  const database = await openDatabase({ kind: 'embedded', dataDir: folder })
  await migrateRegistry(database)
  const registry = buildRegistry(database, () => new Date(clock.now()))
  return {
    store,
    database,
    registry,
    async play(given, tell) {
      const paths = await pathsOf(config, store, clock, days)
      await playMessages(given, paths, tell)
      await playEvents(given, store)
      await deriveAll(given, store, tell)
    },
    async close() {
      await database.close()
      await store.close()
      remove()
      process.off('exit', remove)
    },
  }
}

/** Nobody waits at a screen: what takes long takes long. */
const patient = (store: Store): Store => ({
  ...store,
  ask: (question, parameters, options) =>
    store.ask(question, parameters, { ...options, secondsMax: QUESTION_SECONDS_MAX }),
})

type Path = {
  readonly prepare: (bytes: Uint8Array, origin: string) => Prepared
  readonly write: (items: readonly Prepared[], token: string) => Promise<ReadonlyMap<Prepared, string>>
}
type Paths = Readonly<Record<RecordedMessage['signal'], Path>>

async function pathsOf(config: ReplayConfig, store: Store, clock: Clock, days: number): Promise<Paths> {
  const rules = readReturnCodes(config.SURETY_RETURN_CODE_MAP)
  const masking = readMasking(config.SURETY_MASKING)
  await checkMasking(masking, store)
  const logger = buildLogger('silent')
  const metrics = buildMetrics()
  const deadLetters = buildDeadLetterBox(store, metrics, logger, clock)
  const parts = { store, deadLetters, metrics, logger, clock, gate: buildGate() }
  const times = { retentionMs: days * DAY_MS, aheadMs: AHEAD_MS }
  const register = buildSeriesRegister(
    { perMetricMax: 1_000_000, seriesMax: 10_000_000, namesMax: 1_000_000 },
    clock,
    1,
  )
  const identity = (token: string) => ({ token, door: 'replay', patienceMs: Number.POSITIVE_INFINITY })
  const traces = buildBatchWriter({ ...parts, signal: buildTraceSignal({ rules, masking, metrics, clock }) })
  const points = buildBatchWriter({ ...parts, signal: buildMetricSignal(register, metrics, clock, masking) })
  type Writer = {
    write(items: readonly never[], as: ReturnType<typeof identity>): ReturnType<typeof traces.write>
  }
  const writerOf = (writer: Writer): Path['write'] => {
    return async (items, token) => {
      const written = await writer.write(items as readonly never[], identity(token))
      if (written.kind === 'given-up') throw written.error
      return written.refused
    }
  }
  return {
    traces: {
      prepare: (bytes, origin) => prepareTraces(bytes, origin, clock.now(), times, WALK_LIMITS),
      write: writerOf(traces),
    },
    metrics: {
      prepare: (bytes, origin) => prepareMetrics(bytes, origin, clock.now(), times, register, masking),
      write: writerOf(points),
    },
  }
}

async function playMessages(recording: Recording, paths: Paths, tell: (text: string) => void): Promise<void> {
  const files = new Map<string, DelimitedFile>()
  const fileOf = (name: string) => {
    const open = files.get(name) ?? openDelimited(name)
    files.set(name, open)
    return open
  }
  const { messages } = recording
  let writing: Promise<void> = Promise.resolve()
  let failure: Error | undefined
  let spans = 0
  try {
    let batch: { message: RecordedMessage; item: Prepared }[] = []
    let number = 0
    const flush = async (signal: RecordedMessage['signal']) => {
      if (batch.length === 0) return
      const mine = batch
      batch = []
      number += 1
      const token = `replay/${signal}/${number}`
      // One batch is read while another is written.
      await writing
      if (failure !== undefined) throw failure
      const { write } = paths[signal]
      writing = write(
        mine.map(({ item }) => item),
        token,
      ).then(
        (refused) => {
          for (const { message, item } of mine) {
            const reason = refused.get(item) ?? (item.rejection === '' ? undefined : item.rejection)
            if (reason !== undefined)
              tell(`${message.file}: byte ${message.offset}: ${reason}; the rest is used`)
            spans += item.rows
          }
          tell(`${spans} of ${recording.spans} spans are in`)
        },
        (error: unknown) => void (failure = error instanceof Error ? error : new Error(String(error))),
      )
    }
    for (const signal of ['traces', 'metrics'] as const) {
      let rows = 0
      let bytes = 0
      let firstMs = 0
      for (const message of messages) {
        if (message.signal !== signal) continue
        const item = paths[signal].prepare(
          fileOf(message.file).read(message),
          `${message.file}@${message.offset}`,
        )
        const isWide = signal === 'traces' && message.latestMs - firstMs > BATCH_MS
        if (rows + item.rows > BATCH_SPANS || bytes + message.length > BATCH_BYTES || isWide) {
          await flush(signal)
          rows = 0
          bytes = 0
        }
        if (batch.length === 0) firstMs = message.earliestMs
        batch.push({ message, item })
        rows += item.rows
        bytes += message.length
      }
      await flush(signal)
    }
    await writing
    if (failure !== undefined) throw failure
  } finally {
    for (const file of files.values()) file.close()
  }
}

async function playEvents({ events }: Recording, store: Store): Promise<void> {
  const releases = buildReleaseEventStore(store)
  for (let from = 0; from < events.length; from += EVENTS_AT_ONCE) {
    const some = events.slice(from, from + EVENTS_AT_ONCE)
    // The first of each: a call takes no event twice.
    const once = new Map(
      some.map((event) => [JSON.stringify([event.source, event.id]), event] as const).toReversed(),
    )
    if (once.size > 0) await releases.add([...once.values()])
  }
}

async function deriveAll(recording: Recording, store: Store, tell: (text: string) => void): Promise<void> {
  const aheadMs = Math.max(0, recording.toMs - Date.now()) + SETTLED_MS
  const deriver = buildDeriver({
    store,
    clock: { now: () => Date.now() + aheadMs },
    logger: buildLogger('silent'),
    beside: (work) => work(),
    requests1mDays: Math.ceil((Date.now() + aheadMs - recording.fromMs) / DAY_MS) + 2,
  })
  let total = 0
  for (let found = 1; found > 0;) {
    const derived = await deriver.tick()
    found = Object.values(derived).reduce((sum, count) => sum + count, 0)
    total += found
    if (found > 0) tell(`${total} minutes and hours are derived`)
  }
}
