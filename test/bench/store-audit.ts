// Are the books right? Rows, distinct spans, and every rollup against a recount from the spans. A program of its own,
// because one process has one data directory: `node test/bench/store-audit.ts DIRECTORY`.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openEmbeddedStore } from '../../ingest/store/store.ts'

export type Audit = {
  readonly rows: number
  /** Spans by trace and span id. */
  readonly distinct: number
  /** Sum over all groups of |kept − recounted|, in requests and in thousandths of their weights: 10 s and 1 min together. */
  readonly rollupError: number
  /** Trace look-ups that are missing or too many, and spans that no row of `batches` accounts for. */
  readonly lookUpError: number
  readonly deadLetters: number
}

const DIMENSIONS =
  'service, operation, version, system, site, zone, cluster, channel, region, traffic, outcome'
const SERVICE_DIMENSIONS = 'service, version, system, traffic, outcome'

const difference = (table: string, bucket: string, dimensions = DIMENSIONS) => `(
  SELECT sum(abs(kept - counted) + abs(weighed - recounted)) FROM (
    SELECT ${dimensions}, bucket, sum(k) AS kept, sum(c) AS counted, sum(w) AS weighed, sum(r) AS recounted FROM (
      SELECT ${dimensions}, bucket, toInt64(requests) AS k, 0 AS c, toInt64(weighted) AS w, 0 AS r FROM ${table}
      UNION ALL
      SELECT ${dimensions}, ${bucket} AS bucket, 0 AS k, 1 AS c, 0 AS w, toInt64(weight) AS r FROM spans WHERE kind IN (2, 5)
    ) GROUP BY ${dimensions}, bucket
  ))`

const AUDIT = `SELECT
  (SELECT count() FROM spans) AS rows,
  (SELECT uniqExact(trace_id, span_id) FROM spans) AS distinct,
  ${difference('requests_10s', `toStartOfInterval(toDateTime(ts, 'UTC'), INTERVAL 10 SECOND)`)}
    + ${difference('requests_1m', `toStartOfMinute(toDateTime(ts, 'UTC'))`)}
    + ${difference('service_requests_1m', `toStartOfMinute(toDateTime(ts, 'UTC'))`, SERVICE_DIMENSIONS)} AS rollupError,
  abs(toInt64((SELECT count() FROM trace_roots)) - toInt64((SELECT countIf(parent_id = toFixedString('', 8)) FROM spans)))
    + abs(toInt64((SELECT sum(rows) FROM batches)) - toInt64((SELECT count() FROM spans))) AS lookUpError,
  (SELECT count() FROM dead_letters) AS deadLetters`

/** Runs this file on a directory that no process has open. */
export async function auditStore(dataDir: string): Promise<Audit> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), dataDir])
  return JSON.parse(stdout) as Audit
}

if (import.meta.main) {
  const store = await openEmbeddedStore(process.argv[2] ?? '')
  try {
    const [row = {}] = await store.rows(AUDIT)
    console.log(
      JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]))),
    )
  } finally {
    await store.close()
  }
}
