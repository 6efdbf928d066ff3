// What exactly-once costs: the same spans from the same topic through the same consumer and writer, with intents, tokens
// and deduplication windows, and without them. A program of its own for each side:
// `node test/bench/exactly-once-overhead.ts --data-dir D --brokers B --topic T --group G --spans N --guarantees on|off`.

import { parseArgs } from 'node:util'
import { buildTelemetryConsumer } from '../../ingest/kafka/consumer.ts'
import type { KafkaPort } from '../../ingest/kafka/kafka-port.ts'
import { openKafkajsPort } from '../../ingest/kafka/kafkajs-port.ts'
import { buildMemoryBudget } from '../../ingest/pipeline/accumulator.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { tracesFromJson } from '../../ingest/pipeline/json-to-proto.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { SIGNAL_WORDS, type SignalPath } from '../../ingest/pipeline/signal.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'

const DAY_MS = 86_400_000
const TABLES = ['resources', 'spans', 'requests_10s', 'requests_1m', 'trace_roots', 'batches']

export type Overhead = { readonly cpuSeconds: number; readonly wallSeconds: number; readonly rows: number }

/** No intent is committed before a batch, only its end. */
function withoutIntents(port: KafkaPort): KafkaPort {
  return {
    ...port,
    commit: (partition, offset, metadata) =>
      metadata === '' ? port.commit(partition, offset, '') : Promise.resolve(),
  }
}

/** No insert carries a token, no table remembers one. */
async function withoutTokens(store: Store): Promise<Store> {
  for (const table of TABLES) {
    await store.command(`ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = 0`)
  }
  const { transport } = store
  const insert: typeof transport.insert = (job) =>
    transport.insert({ ...job, statements: job.statements.map(({ sql }) => ({ sql, token: '' })) })
  return { ...store, transport: { ...transport, insert } }
}

if (import.meta.main) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: { 'data-dir': text, brokers: text, topic: text, group: text, spans: text, guarantees: text },
  })
  const logger = buildLogger('error')
  const metrics = buildMetrics()
  const isOff = values.guarantees === 'off'
  const opened = await openEmbeddedStore(values['data-dir'] ?? '')
  const store = isOff ? await withoutTokens(opened) : opened
  const budget = buildMemoryBudget(134_217_728, metrics.pendingBytes)
  const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
  const writer = buildBatchWriter({
    signal: buildTraceSignal({ rules: [], metrics, clock: systemClock }),
    store,
    deadLetters,
    metrics,
    logger,
    clock: systemClock,
  })
  const topics = [values.topic ?? '']
  const kafka = openKafkajsPort({
    brokers: (values.brokers ?? '').split(','),
    clientId: 'overhead',
    groupId: values.group ?? '',
    topics,
    logger,
  })
  const port = isOff ? withoutIntents(kafka) : kafka
  const timeBounds = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
  const traces: SignalPath = {
    name: 'traces',
    words: SIGNAL_WORDS.traces,
    prepare: (bytes, origin) => prepareTraces(bytes, origin, systemClock.now(), timeBounds),
    fromJson: tracesFromJson,
    writer,
  }
  const consumer = buildTelemetryConsumer({
    port,
    signals: Object.fromEntries(topics.map((topic) => [topic, traces])),
    budget,
    clock: systemClock,
    metrics,
    logger,
    lingerMs: 1000,
  })
  consumer.start()
  let startedAt = 0
  let rows = 0
  const before = process.cpuUsage()
  while (rows < Number(values.spans)) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    const [row] = await store.rows(`SELECT sum(rows) AS rows FROM batches`)
    rows = Number(row?.['rows'] ?? 0)
    if (rows > 0 && startedAt === 0) startedAt = performance.now()
  }
  const wallSeconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(before)
  await consumer.close()
  await opened.close()
  console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6, wallSeconds, rows }))
}
