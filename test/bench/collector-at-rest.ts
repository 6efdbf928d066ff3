// Fills the Collector exporter's tables with a day of spans (day-of-spans.ts) and says how large they are at rest. A
// program of its own: `node test/bench/collector-at-rest.ts DIRECTORY '{"requests":…,"fromMs":…,"toMs":…}'`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { envelope } from '../../ingest/pipeline/envelope.ts'
import { TRACES_SCHEMA } from '../../ingest/store/insert-spans.ts'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import { mergedSizes, type Sizes } from './at-rest.ts'
import { BenchFailure } from './bench-definition.ts'
import { insertJob, lookUpTables, spansTable, tableOf } from './collector-tables.ts'
import { dayPool, dayRequest, SPANS_PER_REQUEST, type DayOfSpans } from './day-of-spans.ts'

const REQUESTS_PER_BATCH = 195
const SAY_EVERY_BATCHES = 20

/** Runs this file on an empty directory. @throws BenchFailure */
export async function collectorSizes(
  dataDir: string,
  day: DayOfSpans,
  say: (text: string) => void,
): Promise<Sizes> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), dataDir, JSON.stringify(day)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const killWithBench = () => void child.kill('SIGKILL')
  process.once('exit', killWithBench)
  createInterface({ input: child.stderr }).on('line', say)
  const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close') as Promise<[number]>])
  process.off('exit', killWithBench)
  if (code !== 0) throw new BenchFailure(`The Collector's tables could not be filled (exit code ${code}).`)
  return JSON.parse(stdout) as Sizes
}

if (import.meta.main) {
  const [dataDir = '', given = ''] = process.argv.slice(2)
  const day = JSON.parse(given) as DayOfSpans
  const store = await openEmbeddedStore(dataDir, undefined, { migrates: false })
  try {
    for (const sql of [spansTable('bloom'), ...lookUpTables('bloom'), spansTable('text')])
      await store.command(sql)
    const pool = dayPool()
    for (let first = 0; first < day.requests; first += REQUESTS_PER_BATCH) {
      const length = Math.min(REQUESTS_PER_BATCH, day.requests - first)
      const requests = Array.from({ length }, (_, index) => dayRequest(pool, first + index, day))
      await store.transport.insert(insertJob(envelope(requests), 'bloom', TRACES_SCHEMA, `batch-${first}`))
      if ((first / REQUESTS_PER_BATCH) % SAY_EVERY_BATCHES === SAY_EVERY_BATCHES - 1)
        console.error(`${(first + length) * SPANS_PER_REQUEST} spans are in the Collector's table`)
    }
    console.error('copying to the form with full-text indexes')
    await store.command(
      `INSERT INTO ${tableOf('text')} SELECT * FROM ${tableOf('bloom')} SETTINGS async_insert = 0, max_memory_usage = 6000000000`,
    )
    console.error('merging')
    console.log(JSON.stringify(await mergedSizes(store)))
  } finally {
    await store.close()
  }
}
