// What a data directory holds of metrics, as counts and sums: two sides that took the same points must agree. A program
// of its own, because one process has one data directory: `node test/bench/metric-digest.ts DIRECTORY ours|theirs`.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import { METRIC_TABLE_NAMES } from './collector-metric-tables.ts'

export type MetricDigest = {
  readonly engine: string
  readonly numbers: number
  readonly histograms: number
  /** Of integers and floats; the same up to rounding. */
  readonly sum: number
  readonly observations: number
  readonly series: number
  readonly deadLetters: number
  /** Of the tables that hold the points and what names them. */
  readonly bytes: number
}

export const OUR_TABLES = ['samples_int', 'samples_float', 'histograms'] as const
const NUMBERS = `SELECT Value AS value FROM otel_metrics_sum UNION ALL SELECT Value FROM otel_metrics_gauge`
const bytesOf = (tables: readonly string[]) =>
  `(SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase() AND table IN ('${tables.join(`', '`)}'))`

const QUESTIONS: Readonly<
  Record<'ours' | 'theirs', Readonly<Record<Exclude<keyof MetricDigest, 'engine'>, string>>>
> = {
  ours: {
    numbers: '(SELECT count() FROM samples_int) + (SELECT count() FROM samples_float)',
    histograms: '(SELECT count() FROM histograms)',
    sum: '(SELECT sum(toFloat64(value)) FROM samples_int) + (SELECT sum(value) FROM samples_float)',
    observations: '(SELECT sum(count) FROM histograms)',
    series: '(SELECT uniqExact(metric, series) FROM series)',
    deadLetters: '(SELECT count() FROM dead_letters)',
    bytes: bytesOf([...OUR_TABLES, 'series', 'resources']),
  },
  theirs: {
    numbers: `(SELECT count() FROM (${NUMBERS}))`,
    histograms: '(SELECT count() FROM otel_metrics_histogram)',
    sum: `(SELECT sum(value) FROM (${NUMBERS}))`,
    observations: '(SELECT sum(Count) FROM otel_metrics_histogram)',
    series: `(SELECT sum(known) FROM (${METRIC_TABLE_NAMES.map((table) => `SELECT uniqExact(sipHash128(MetricName, Attributes, ResourceAttributes)) AS known FROM ${table}`).join(' UNION ALL ')}))`,
    deadLetters: '0',
    bytes: bytesOf(METRIC_TABLE_NAMES),
  },
}

/** Runs this file on a directory that no process has open. */
export async function metricDigest(dataDir: string, side: 'ours' | 'theirs'): Promise<MetricDigest> {
  const words = [fileURLToPath(import.meta.url), dataDir, side]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  return JSON.parse(stdout) as MetricDigest
}

if (import.meta.main) {
  const [dataDir = '', side = 'ours'] = process.argv.slice(2)
  const store = await openEmbeddedStore(dataDir)
  try {
    const answers = Object.entries(QUESTIONS[side === 'theirs' ? 'theirs' : 'ours'])
    const columns = answers.map(([name, sql]) => `toFloat64(${sql}) AS ${name}`)
    const [row] = await store.rows(`SELECT version() AS engine, ${columns.join(', ')}`)
    console.log(JSON.stringify(row))
  } finally {
    await store.close()
  }
}
