// Retention by size on the real engine: days of spans are dropped whole, oldest first, and what is left answers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { keepWithin } from '../../ingest/store/disk-limit.ts'
import { openTestStore } from '../support/empty-data.ts'
import { eventually, startSurety } from '../support/surety.ts'

const DAY_SECONDS = 86_400
const still = <T>(work: () => Promise<T>) => work()

async function filled(dataDir: string) {
  const store = await openTestStore(dataDir)
  // A merge between two looks would change the bytes.
  await store.command('SYSTEM STOP MERGES')
  for (let daysAgo = 4; daysAgo >= 0; daysAgo -= 1) {
    await store.command(
      `INSERT INTO spans (ts, service, operation, kind, trace_id, status_message) SELECT now64(9) - ${daysAgo * DAY_SECONDS} - number / 1000, 'ledger', 'post', 2, randomFixedString(16), randomString(100) FROM numbers(3000)`,
    )
  }
  return store
}

const DAYS = 'SELECT toDate(ts) AS day, count() AS spans FROM spans GROUP BY day ORDER BY day'
const USED =
  'SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase()'

test('the oldest days go until the rest fits; counts of those days stay', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'surety-disk-'))
  const store = await filled(dataDir)
  onTestFinished(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  const before = await store.rows(DAYS)
  const counts = await store.rows('SELECT sum(requests) AS n FROM requests_1m')
  const [used] = await store.rows(USED)
  const { bytes, dropped } = await keepWithin(store, Math.floor(Number(used?.['bytes']) * 0.7), still)
  expect(dropped.filter(({ table }) => table === 'spans').map(({ day }) => day)).toEqual(
    before.slice(0, 2).map(({ day }) => day),
  )
  expect(await store.rows(DAYS)).toEqual(before.slice(2))
  expect(await store.rows('SELECT sum(requests) AS n FROM requests_1m')).toEqual(counts)
  const [left] = await store.rows(USED)
  expect(Number(left?.['bytes'])).toBe(bytes)
  // What cannot fit keeps its newest day.
  await keepWithin(store, 1, still)
  expect(await store.rows(DAYS)).toEqual(before.slice(-1))
})

test('Surety does so by itself and says it in its metrics', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'surety-disk-'))
  await (await filled(dataDir)).close()
  const surety = await startSurety({
    SURETY_DATA_DIR: dataDir,
    SURETY_STORE_BYTES_MAX: '1000000',
    SURETY_LOG_LEVEL: 'silent',
  })
  try {
    const text = await eventually(
      async () => (await fetch(`${surety.url}/metrics`)).text(),
      (metrics) => metrics.includes('surety_store_dropped_bytes_total{table="spans"}'),
    )
    expect(Number(/^surety_store_bytes (\d+)/m.exec(text)?.[1])).toBeGreaterThan(0)
  } finally {
    await surety.stop()
    rmSync(dataDir, { recursive: true })
  }
})
