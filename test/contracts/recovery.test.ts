// An intent that is found is verified against the rows, never trusted to its token. The trap is planted for real: a
// store whose deduplication logs name parts that never reached the disk, as a kill -9 can leave it.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { prepareTraces, type PreparedTraces } from '../../ingest/pipeline/prepare.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import type { Store } from '../../ingest/store/store.ts'
import { openTestStore } from '../support/empty-data.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { STORE_KINDS, type StorePlaceForTests } from '../support/test-stores.ts'
import { field, fixed64, integerField } from '../support/otlp.ts'

const DAY_MS = 86_400_000
const SPANS = 64
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'surety-recovery-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function writerOn(store: Store) {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
  const signal = buildTraceSignal({ rules: [], metrics, clock: systemClock })
  return buildBatchWriter({ signal, store, deadLetters, metrics, logger, clock: systemClock })
}

const identity = (token: string) => ({ token, door: 'kafka', patienceMs: 10_000 })
const startNs = BigInt(Math.floor((Date.now() - 600_000) / 60_000) * 60_000) * 1_000_000n
const prepared = (bytes: Uint8Array, origin: string) =>
  prepareTraces(bytes, origin, Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS })
const batchOf = (seed: number, count = 4): PreparedTraces[] =>
  bankRequests({ seed, requests: count, spansPerRequest: SPANS, startNs }).map((bytes, index) =>
    prepared(bytes, `kafka otlp_spans/0@${seed * 100 + index}`),
  )

/** Everything derived from spans, beside what a recount of the spans gives. */
async function books(store: Store) {
  const one = async (sql: string) => (await store.rows(sql))[0] as Record<string, string>
  const recount = await one(
    `SELECT count() AS spans, countIf(kind IN (2, 5)) AS requests, countIf(parent_id = toFixedString('', 8)) AS roots, uniqExact(span_id) AS ids,
      sumIf(weight, kind IN (2, 5)) AS weighted, sumIf(duration_ns, kind IN (2, 5)) AS duration, round(quantilesBFloat16If(0.5)(toFloat32(duration_ns), kind IN (2, 5))[1]) AS p50 FROM spans`,
  )
  const derived = {
    ...(await one('SELECT sum(requests) AS requests_10s, sum(weighted) AS weighted_10s FROM requests_10s')),
    ...(await one(
      'SELECT sum(requests) AS requests_1m, sum(weighted) AS weighted_1m, sum(duration_ns_sum) AS duration, round(quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency)[1]) AS p50 FROM requests_1m',
    )),
    ...(await one(
      'SELECT sum(requests) AS requests_service, sum(weighted) AS weighted_service, round(quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency)[1]) AS p50_service FROM service_requests_1m',
    )),
    ...(await one('SELECT count() AS roots FROM trace_roots')),
    ...(await one('SELECT sum(rows) AS batch_rows FROM batches')),
  }
  return { recount, derived }
}

async function expectBooksToAgree(store: Store, spans: number): Promise<void> {
  const { recount, derived } = await books(store)
  expect(Number(recount['spans'])).toBe(spans)
  expect(Number(recount['ids'])).toBe(spans)
  expect(derived).toEqual({
    requests_10s: recount['requests'],
    requests_1m: recount['requests'],
    weighted_10s: recount['weighted'],
    weighted_1m: recount['weighted'],
    duration: recount['duration'],
    p50: recount['p50'],
    requests_service: recount['requests'],
    weighted_service: recount['weighted'],
    p50_service: recount['p50'],
    roots: recount['roots'],
    batch_rows: recount['spans'],
  })
}

/** A data directory whose deduplication logs know `token`, and whose tables do not have its rows. */
async function plantPhantom(batch: readonly PreparedTraces[], token: string): Promise<string> {
  const before = join(folder, 'before')
  const after = join(folder, 'after')
  const first = await openTestStore(before)
  await writerOn(first).write(batchOf(1), identity('kafka/otlp_spans/0/0-3/1'))
  await first.close()
  cpSync(before, after, { recursive: true, verbatimSymlinks: true })
  const second = await openTestStore(after)
  await writerOn(second).write(batch, identity(token))
  await second.close()
  const logs = readdirSync(after, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('deduplication_logs'),
  )
  expect(logs.length).toBeGreaterThan(4)
  for (const name of logs) {
    if (existsSync(join(before, name))) cpSync(join(after, name), join(before, name), { recursive: true })
  }
  expect(relative(folder, before)).toBe('before')
  return before
}

describe('a token without its rows', () => {
  const token = 'kafka/otlp_spans/0/4-7/2'

  test('swallows the batch when it is believed: the trap is real', async () => {
    const store = await openTestStore(await plantPhantom(batchOf(2), token))
    await writerOn(store).write(batchOf(2), identity(token))
    const [row] = await store.rows('SELECT count() AS spans FROM spans')
    expect(Number(row?.['spans'])).toBe(4 * SPANS)
    await store.close()
  })

  test('does not keep a recovery from completing the batch, and every rollup with it', async () => {
    const store = await openTestStore(await plantPhantom(batchOf(2), token))
    expect(await writerOn(store).finish(batchOf(2), identity(token))).toMatchObject({ kind: 'stored' })
    await expectBooksToAgree(store, 8 * SPANS)
    await store.close()
  })
})

describe.each(STORE_KINDS)('an intent is completed from what is really there: $name', (kind) => {
  const token = 'kafka/otlp_spans/0/4-7/2'
  let place: StorePlaceForTests
  let store: Store
  beforeEach(async () => {
    place = await kind.make()
    store = await place.open()
    await writerOn(store).write(batchOf(1), identity('kafka/otlp_spans/0/0-3/1'))
  })
  afterEach(async () => {
    await store.close()
    await place.remove()
  })

  test('nothing of it', async () => {
    await writerOn(store).finish(batchOf(2), identity(token))
    await expectBooksToAgree(store, 8 * SPANS)
  })

  test('all of it, once and again', async () => {
    await writerOn(store).write(batchOf(2), identity(token))
    await writerOn(store).finish(batchOf(2), identity(token))
    await writerOn(store).finish(batchOf(2), identity(token))
    await expectBooksToAgree(store, 8 * SPANS)
  })

  // A block is stored whole, or on a cluster not at all: what stands for a part here is another batch of the same name.
  test.skipIf(kind.isCluster)('a part of its spans', async () => {
    await writerOn(store).write(batchOf(2).slice(0, 2), identity(token))
    await writerOn(store).finish(batchOf(2), identity(token))
    await expectBooksToAgree(store, 8 * SPANS)
  })

  // On a cluster a token and its rows are one transaction, so there is nothing that a recovery would have to find.
  test
    .skipIf(kind.isCluster)
    .each(['requests_10s', 'requests_1m', 'service_requests_1m', 'trace_roots', 'batches'])(
    'its spans but not their %s',
    async (table) => {
      await writerOn(store).write(batchOf(2), identity(token))
      await store.command(`TRUNCATE TABLE ${table}`)
      await writerOn(store).finish(batchOf(2), identity(token))
      const { recount, derived } = await books(store)
      // Of `batches` only the row of this batch can be made anew; the rest is history.
      if (table === 'batches') expect(Number(derived['batch_rows'])).toBe(4 * SPANS)
      else await expectBooksToAgree(store, Number(recount['spans']))
    },
  )

  test.skipIf(kind.isCluster)('a deletion that a killed recovery left under way is waited for', async () => {
    await writerOn(store).write(batchOf(2), identity(token))
    await store.command('SYSTEM STOP MERGES requests_10s')
    await store.command('ALTER TABLE requests_10s DELETE WHERE 1 SETTINGS mutations_sync = 0')
    let isFinished = false
    const finished = writerOn(store)
      .finish(batchOf(2), identity(token))
      .then(() => (isFinished = true))
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(isFinished).toBe(false)
    await store.command('SYSTEM START MERGES requests_10s')
    await finished
    await expectBooksToAgree(store, 8 * SPANS)
  })

  test.skipIf(kind.isCluster)('a stop does not wait for such a deletion; the next start does', async () => {
    await writerOn(store).write(batchOf(2), identity(token))
    await store.command('SYSTEM STOP MERGES requests_10s')
    await store.command('ALTER TABLE requests_10s DELETE WHERE 1 SETTINGS mutations_sync = 0')
    const stopping = writerOn(store)
    const finished = stopping.finish(batchOf(2), identity(token))
    stopping.hurry()
    expect(await finished).toMatchObject({ kind: 'given-up', error: { code: 'SURETY_STORE_BUSY' } })
    await store.command('SYSTEM START MERGES requests_10s')
    expect(await writerOn(store).finish(batchOf(2), identity(token))).toMatchObject({ kind: 'stored' })
    await expectBooksToAgree(store, 8 * SPANS)
  })

  test.skipIf(kind.isCluster)('rollups that counted it twice', async () => {
    await writerOn(store).write(batchOf(2), identity(token))
    await store.command(
      `INSERT INTO requests_10s SELECT * FROM requests_10s SETTINGS insert_deduplication_token = 'twice', async_insert = 0`,
    )
    await writerOn(store).finish(batchOf(2), identity(token))
    await expectBooksToAgree(store, 8 * SPANS)
  })

  test('a batch with a message that the engine refuses: its dead letter is kept once', async () => {
    const raw = Buffer.concat([field(1, Buffer.alloc(16, 1)), fixed64(7, startNs), integerField(5, 7)])
    const bad = prepared(field(1, field(2, field(2, raw))), 'kafka otlp_spans/0@299')
    const batch = [...batchOf(2), bad]
    for (let round = 0; round < 3; round += 1) {
      const written = await writerOn(store).finish(batch, identity(token))
      expect(written).toMatchObject({ kind: 'stored' })
    }
    await expectBooksToAgree(store, 8 * SPANS)
    const letters = await store.rows('SELECT origin FROM dead_letters')
    expect(letters).toEqual([{ origin: 'kafka otlp_spans/0@299' }])
  })

  test('while other doors go on writing', async () => {
    const writer = writerOn(store)
    await Promise.all([
      writer.write(batchOf(3), identity('http/a/1')),
      writer.finish(batchOf(2), identity(token)),
      writer.write(batchOf(4), identity('http/a/2')),
      writer.write(batchOf(5), identity('http/a/3')),
    ])
    await expectBooksToAgree(store, 20 * SPANS)
  })
})
