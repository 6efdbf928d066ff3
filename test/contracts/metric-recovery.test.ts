// An interrupted batch of metrics is written anew from what is really there: counted, taken out, stored again, with its
// series. The trap of a token without its rows is planted for real.

import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { buildMetricSignal } from '../../ingest/pipeline/metric-signal.ts'
import { prepareMetrics, type PreparedMetrics } from '../../ingest/pipeline/prepare-metrics.ts'
import { buildSeriesRegister } from '../../ingest/pipeline/series-register.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { METRIC_TABLES } from '../../ingest/store/insert-metrics.ts'
import type { Store } from '../../ingest/store/store.ts'
import { openTestStore } from '../support/empty-data.ts'
import { field, fixed64 } from '../support/otlp.ts'
import { metricRequest, numberPoint } from '../support/otlp-metrics.ts'
import { STORE_KINDS } from '../support/test-stores.ts'

const DAY_MS = 86_400_000
const TOKEN = 'kafka/otlp_metrics/0/4-7/2'
let folder: string
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'surety-metric-recovery-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const register = () =>
  buildSeriesRegister({ perMetricMax: 100, seriesMax: 1000, namesMax: 100 }, systemClock, 7)
const identity = (token: string) => ({ token, door: 'kafka', patienceMs: 10_000 })
// Exactly on a millisecond, where a double may lie on the other side of it.
const atNs = BigInt(Math.floor((Date.now() - 600_000) / 1000) * 1000) * 1_000_000n

/** As after a restart: a writer and a register that remember nothing. */
function process() {
  const series = register()
  const prepare = (bytes: Uint8Array, origin: string): PreparedMetrics =>
    prepareMetrics(bytes, origin, Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }, series)
  const batchOf = (seed: number) =>
    [0, 1, 2, 3].map((index) => prepare(request(seed, index), `kafka otlp_metrics/0@${seed}${index}`))
  const writerOn = (store: Store) => {
    const metrics = buildMetrics()
    const logger = buildLogger('silent')
    const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
    const signal = buildMetricSignal(series, metrics, systemClock)
    return buildBatchWriter({ signal, store, deadLetters, metrics, logger, clock: systemClock })
  }
  return { prepare, batchOf, writerOn }
}

function request(seed: number, index: number): Buffer {
  const point = { atNs: atNs + BigInt(index) * 1_000_000n, attributes: { seed, index } }
  return metricRequest({ 'service.name': `s${seed}` }, [
    { name: 'ints', temporality: 2, sum: [{ ...point, value: 7n, exemplars: [{ atNs, value: 1n }] }] },
    { name: 'floats', gauge: [{ ...point, value: 1.5 }] },
    { name: 'hist', temporality: 1, histogram: [{ ...point, count: 1, bounds: [1], buckets: [1, 0] }] },
    { name: 'exp', temporality: 1, expHistogram: [{ ...point, count: 1, scale: 0 }] },
    { name: 'sums', summary: [{ ...point, count: 1, sum: 1, quantiles: [] }] },
  ])
}

async function write(store: Store, seed: number, token: string): Promise<void> {
  const { batchOf, writerOn } = process()
  await writerOn(store).write(batchOf(seed), identity(token))
}
async function finish(store: Store, seed: number, token = TOKEN): Promise<void> {
  const { batchOf, writerOn } = process()
  expect(await writerOn(store).finish(batchOf(seed), identity(token))).toMatchObject({ kind: 'stored' })
}

async function expectBooks(store: Store, batches: number): Promise<void> {
  for (const table of METRIC_TABLES) {
    const [row] = await store.rows(
      `SELECT count() AS rows, uniqExact(series, ts) AS points, countIf(series IN (SELECT series FROM series)) AS known FROM ${table}`,
    )
    const counts = [row?.['rows'], row?.['points'], row?.['known']].map(Number)
    expect({ table, counts }).toEqual({ table, counts: [4 * batches, 4 * batches, 4 * batches] })
  }
}

test('a token without its rows, of points and of series, keeps nothing from being stored', async () => {
  const [before, after] = [join(folder, 'before'), join(folder, 'after')]
  const first = await openTestStore(before)
  await write(first, 1, 'kafka/otlp_metrics/0/0-3/1')
  await first.close()
  cpSync(before, after, { recursive: true, verbatimSymlinks: true })
  const second = await openTestStore(after)
  await write(second, 2, TOKEN)
  await second.close()
  const logs = readdirSync(after, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('deduplication_logs'),
  )
  for (const name of logs) {
    if (existsSync(join(before, name))) cpSync(join(after, name), join(before, name), { recursive: true })
  }
  const store = await openTestStore(before)
  await write(store, 2, TOKEN)
  // The trap is real: what is believed is lost.
  await expectBooks(store, 1)
  await finish(store, 2)
  await expectBooks(store, 2)
  await store.close()
})

const HARMS = [
  { name: 'nothing of it', harm: undefined },
  { name: 'all of it', harm: '' },
  ...METRIC_TABLES.map((table) => ({
    name: `all but its ${table}`,
    harm: `ALTER TABLE ${table} DELETE WHERE batch = sipHash64('${TOKEN}') SETTINGS mutations_sync = 2`,
  })),
  { name: 'all but its series', harm: 'TRUNCATE TABLE series' },
]

// Each table is harmed on the engine that has the trap; on servers one stands for all.
const CASES = STORE_KINDS.flatMap((kind) =>
  HARMS.filter(
    ({ name }) => kind.name === 'embedded engine' || !/all but its (?!samples_int|series)/.test(name),
  ).map((harm) => ({ ...harm, on: kind.name, kind })),
)

test.each(CASES)('$name is there: completed, once and again: $on', async ({ name, harm, kind }) => {
  const place = await kind.make()
  onTestFinished(() => place.remove())
  const store = await place.open()
  onTestFinished(() => store.close())
  if (!name.includes('series')) await write(store, 1, 'kafka/otlp_metrics/0/0-3/1')
  const others = name.includes('series') ? 0 : 1
  if (harm !== undefined) await write(store, 2, TOKEN)
  if (harm !== undefined && harm !== '') await store.command(harm)
  await finish(store, 2)
  await expectBooks(store, others + 1)
  await finish(store, 2)
  await expectBooks(store, others + 1)
})

test('a message that the engine refuses costs its neighbours nothing, and no table keeps a part of it', async () => {
  const { prepare, batchOf, writerOn } = process()
  const point = Buffer.concat([numberPoint({ atNs, value: 1n }), fixed64(3, atNs)])
  const bad = prepare(
    field(
      1,
      field(
        2,
        Buffer.concat([
          request(3, 0),
          field(
            2,
            Buffer.concat([
              field(1, 'bad'),
              field(
                5,
                Buffer.concat([field(1, point), field(1, Buffer.concat([fixed64(3, atNs), field(6, 'x')]))]),
              ),
            ]),
          ),
        ]),
      ),
    ),
    'kafka otlp_metrics/0@bad',
  )
  const store = await openTestStore(join(folder, 'data'))
  const written = await writerOn(store).write([...batchOf(1), bad], identity(TOKEN))
  expect(written.kind === 'stored' ? [...written.refused.keys()].map(({ origin }) => origin) : []).toEqual([
    'kafka otlp_metrics/0@bad',
  ])
  await expectBooks(store, 1)
  expect(await store.rows('SELECT origin, reason, format FROM dead_letters')).toEqual([
    { origin: 'kafka otlp_metrics/0@bad', reason: 'engine-refused', format: 'otlp_proto metrics' },
  ])
  await store.close()
})
