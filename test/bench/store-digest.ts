// What a data directory holds, as counts and digests: two sides that took the same spans must agree. A program of
// its own, because one process has one data directory: `node test/bench/store-digest.ts DIRECTORY`.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SPAN_COLUMNS } from '../../ingest/store/insert-spans.ts'
import { openEmbeddedStore } from '../../ingest/store/store.ts'

export type StoreDigest = {
  readonly engine: string
  readonly spans: string
  /** Over every column but the two whose values each side may choose (resource hash and batch). */
  readonly spansDigest: string
  readonly resources: string
  /** Resource hashes that spans refer to and `resources` lacks. */
  readonly resourcesMissing: string
  readonly requests10s: string
  readonly requests10sDigest: string
  readonly requests1m: string
  readonly durationNs: string
  readonly traces: string
  readonly deadLetters: string
  readonly batches: string
  readonly bytes: string
}

const DIMENSIONS =
  'service, bucket, operation, version, system, site, zone, cluster, channel, region, traffic, outcome'
const DIGESTED = SPAN_COLUMNS.filter((column) => column !== 'res_id' && column !== 'batch').join(', ')

const QUESTIONS: Readonly<Record<keyof StoreDigest, string>> = {
  engine: 'version()',
  spans: '(SELECT count() FROM spans)',
  spansDigest: `(SELECT sum(cityHash64(${DIGESTED})) FROM spans)`,
  resources: '(SELECT uniqExact(res_id) FROM resources)',
  resourcesMissing:
    '(SELECT uniqExact(res_id) FROM spans WHERE res_id NOT IN (SELECT res_id FROM resources))',
  requests10s: '(SELECT sum(requests) FROM requests_10s)',
  requests10sDigest: `(SELECT sum(cityHash64(${DIMENSIONS}, total)) FROM (SELECT ${DIMENSIONS}, sum(requests) AS total FROM requests_10s GROUP BY ${DIMENSIONS}))`,
  requests1m: '(SELECT sum(requests) FROM requests_1m)',
  durationNs: '(SELECT sum(duration_ns_sum) FROM requests_1m)',
  traces: '(SELECT uniqExact(trace_hash) FROM trace_roots)',
  deadLetters: '(SELECT count() FROM dead_letters)',
  batches: '(SELECT uniqExact(batch) FROM batches)',
  bytes: '(SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase())',
}

/** Runs this file on a directory that no process has open. */
export async function storeDigest(dataDir: string): Promise<StoreDigest> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), dataDir])
  return JSON.parse(stdout) as StoreDigest
}

if (import.meta.main) {
  const store = await openEmbeddedStore(process.argv[2] ?? '')
  try {
    const answers = Object.entries(QUESTIONS).map(([name, sql]) => `toString(${sql}) AS ${name}`)
    const [row] = await store.rows(`SELECT ${answers.join(', ')}`)
    console.log(JSON.stringify(row))
  } finally {
    await store.close()
  }
}
