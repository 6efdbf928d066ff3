// How many spans one CPU-second takes from Kafka into tables and views, merges finished, against the conventional
// TypeScript pipeline on the same records, engine and schema.
//
// Steps: broker → topic filled once → Surety reads it → conventional pipeline reads it → rows of both compared.
// The two never run at the same time. The broker's and the generator's CPU count for neither.

import { fileURLToPath } from 'node:url'
import { walkTraces } from '../../ingest/pipeline/walk.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import {
  costLines,
  measureSide,
  packageVersion,
  perCpu,
  perSecond,
  shareLine,
  sharesOf,
  walkSecondsPerRow,
  type Side,
  type SideContext,
} from './side-by-side.ts'
import { buildSpanPool, type PooledRequest } from './span-pool.ts'
import { fillTopic, openSpanTopic, PARTITIONS, spansOver, type SpanTopic } from './span-topic.ts'
import { storeDigest, type StoreDigest } from './store-digest.ts'
import { openBenchFolder, suretyChild, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const POOL_REQUESTS = 256
const SPANS_PER_REQUEST = 512
const SEED = 7
const SPANS_DEFAULT = 5_000_000
const SPANS_MAX = 200_000_000
// Spans start within these minutes before the run, as those of a backlog would.
const OLDEST_MS = 20 * 60_000
const SPREAD_MS = 10_000

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export const ingestSpans: Bench = {
  name: 'ingest-spans',
  summary: 'spans per CPU-second from Kafka into tables and views, against a conventional pipeline',
  help: `npm run bench -- ingest-spans [--spans N] [--peer-spans N] [--skip-peer]

Fills a topic of two partitions with N spans of about 448 bytes (512 a record), lets «surety serve» read it
until every row can be queried and merges are finished, then the same with a conventional pipeline (kafkajs,
protobufjs, JSONEachRow) on the same engine, and compares the rows. Whole columns are
compared when both took as many spans. The budget on 2 cores is 3 times the peer's spans per CPU-second.

  --spans N       spans for Surety; default ${figure(SPANS_DEFAULT)}, rounded up to whole records
  --peer-spans N  spans for the peer, from the start of the topic; default as many as --spans. Its cost a span
                  hardly depends on N, so fewer save time; rows are then compared by count alone
  --skip-peer     Surety only; the result has no ratio

KAFKA_BROKERS (host:port,…) uses these brokers instead of starting one; needs about 0.5 GB of disk per million
spans in the temporary folder (TMPDIR).`,
  options: {
    spans: { type: 'string' },
    'peer-spans': { type: 'string' },
    'skip-peer': { type: 'boolean' },
  },
  run: (values, context) => {
    const spans = wholeNumber(values, 'spans', SPANS_DEFAULT, 1, SPANS_MAX)
    return run(
      {
        requests: wholeRequests(spans),
        peerRequests: wholeRequests(wholeNumber(values, 'peer-spans', spans, 1, spans)),
        withPeer: values['skip-peer'] !== true,
      },
      context,
    )
  },
}

/** Whole records, the same number in each partition. */
function wholeRequests(spans: number): number {
  return Math.ceil(spans / SPANS_PER_REQUEST / PARTITIONS) * PARTITIONS
}

type Plan = { readonly requests: number; readonly peerRequests: number; readonly withPeer: boolean }
type SpanSide = Side<StoreDigest>

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const returnCodes = writeReturnCodes(folder)

  say('starting Kafka')
  const topic = await openSpanTopic(folder, lifecycle)
  const pool = buildSpanPool({ seed: SEED, requests: POOL_REQUESTS, spreadMs: SPREAD_MS })
  const bytesPerSpan =
    pool.reduce((sum, { bytes }) => sum + bytes.length, 0) / pool.reduce((sum, { spans }) => sum + spans, 0)
  await fill(topic, pool, plan.requests, say)

  const sideContext: SideContext = { topic, lifecycle, say, folder }
  const ourGroup = `surety-bench-${Date.now()}`
  const ours = await measureSide(sideContext, {
    name: 'Surety',
    folder: 'surety',
    group: ourGroup,
    rows: plan.requests * SPANS_PER_REQUEST,
    tables: ['spans'],
    digestOf: storeDigest,
    child: (dataDir) => suretyChild({ dataDir, topic, group: ourGroup, returnCodes }),
  })
  checkTotals('Surety', ours, expectation(pool, plan.requests))
  if (!plan.withPeer) return report(plan, bytesPerSpan, topic, pool, ours, undefined)

  const peerGroup = `${ourGroup}-peer`
  const peer = await measureSide(sideContext, {
    name: 'conventional pipeline',
    folder: 'peer',
    group: peerGroup,
    rows: plan.peerRequests * SPANS_PER_REQUEST,
    tables: ['spans'],
    digestOf: storeDigest,
    child: (dataDir) => ({
      name: 'the conventional pipeline',
      args: [
        file('./conventional-pipeline.ts'),
        `--data-dir=${dataDir}`,
        `--brokers=${topic.brokers.join(',')}`,
        `--topic=${topic.topic}`,
        `--group=${peerGroup}`,
        `--return-codes=${returnCodes}`,
        `--offset-end=${plan.peerRequests / PARTITIONS}`,
      ],
      env: { UV_THREADPOOL_SIZE: '16', KAFKAJS_NO_PARTITIONER_WARNING: '1' },
      ready: /is ready: (http:\S+)/,
    }),
  })
  checkTotals('The conventional pipeline', peer, expectation(pool, plan.peerRequests))
  if (plan.requests === plan.peerRequests) checkAgreement(ours.digest, peer.digest)
  return report(plan, bytesPerSpan, topic, pool, ours, peer)
}

async function fill(
  topic: SpanTopic,
  pool: readonly PooledRequest[],
  requests: number,
  say: (text: string) => void,
): Promise<void> {
  const now = Date.now()
  const times = { requests, fromMs: now - OLDEST_MS, toMs: now - SPREAD_MS }
  await fillTopic(topic, { requests, valueOf: spansOver(pool, times), say })
  say(`${requests} records (${requests * SPANS_PER_REQUEST} spans) are in Kafka`)
}

type Expectation = { readonly spans: number; readonly requests: number }

function expectation(pool: readonly PooledRequest[], requests: number): Expectation {
  let [spans, counted] = [0, 0]
  for (let copy = 0; copy < requests; copy += 1) {
    const request = pool[copy % pool.length]
    spans += request?.spans ?? 0
    counted += request?.requests ?? 0
  }
  return { spans, requests: counted }
}

function checkTotals(name: string, { digest }: SpanSide, wanted: Expectation): void {
  const problems = [
    ['rows in spans', digest.spans, wanted.spans],
    ['requests in requests_10s', digest.requests10s, wanted.requests],
    ['requests in requests_1m', digest.requests1m, wanted.requests],
    ['dead letters', digest.deadLetters, 0],
    ['resources missing', digest.resourcesMissing, 0],
  ].flatMap(([what, is, shall]) => (String(is) === String(shall) ? [] : [`${what}: ${is}, must be ${shall}`]))
  if (problems.length > 0)
    throw new BenchFailure(`${name} has other rows than were sent: ${problems.join('; ')}`)
}

function checkAgreement(ours: StoreDigest, peer: StoreDigest): void {
  const compared = [
    'spansDigest',
    'resources',
    'requests10sDigest',
    'durationNs',
    'traces',
  ] as const satisfies readonly (keyof StoreDigest)[]
  const different = compared.filter((key) => ours[key] !== peer[key])
  if (different.length === 0) return
  const details = different.map((key) => `${key} ${ours[key]} and ${peer[key]}`)
  throw new BenchFailure(`The two sides stored different content: ${details.join('; ')}`)
}

function report(
  plan: Plan,
  bytesPerSpan: number,
  topic: SpanTopic,
  pool: readonly PooledRequest[],
  ours: SpanSide,
  peer: SpanSide | undefined,
): BenchReport {
  const sides = peer === undefined ? [ours] : [ours, peer]
  const line = (what: string, cell: (side: SpanSide) => string) => [what, ...sides.map(cell)]
  const range = { fromMs: 0, toMs: SPREAD_MS }
  const records = pool.map(({ bytes, spans }) => ({ bytes, rows: spans }))
  const shares = sharesOf(
    ours.run,
    walkSecondsPerRow(records, (bytes) => walkTraces(bytes, range)) * ours.run.rows,
  )
  const table = [
    ['', 'Surety', ...(peer === undefined ? [] : ['conventional'])],
    ...costLines(
      'span',
      sides.map(({ run: side }) => side),
    ),
    line('spans in a batch', ({ run: { rows }, digest }) => figure(rows / Number(digest.batches))),
    line('bytes a span on disk', ({ run: { rows }, digest }) => figure(Number(digest.bytes) / rows, 1)),
  ]
  const same =
    peer !== undefined && plan.requests === plan.peerRequests
      ? 'Rows, rollups and every column of both sides agree.'
      : 'Rows and rollup totals are those that were sent.'
  return {
    versions: {
      engine: ours.digest.engine,
      kafkajs: packageVersion('kafkajs'),
      ...(peer === undefined ? {} : { protobufjs: packageVersion('protobufjs') }),
      kafka: topic.kafkaVersion,
    },
    table,
    notes: [
      same,
      shareLine(shares),
      `CPU is user and system time of the whole process from joining the group until merges were finished; wall is from joining to the last row queryable. ${bytesPerSpan.toFixed(1)} bytes a span.`,
    ],
    result: {
      value: Math.round(perCpu(ours.run)),
      unit: 'spans/cpu-s',
      wall: Math.round(perSecond(ours.run)),
      ...(peer === undefined
        ? {}
        : {
            peer: {
              name: 'kafkajs + protobufjs + JSONEachRow',
              value: Math.round(perCpu(peer.run)),
              wall: Math.round(perSecond(peer.run)),
              spans: peer.run.rows,
              rssMb: peer.run.rssMb,
            },
            ratio: Math.round((perCpu(ours.run) / perCpu(peer.run)) * 100) / 100,
            wallRatio: Math.round((perSecond(ours.run) / perSecond(peer.run)) * 100) / 100,
          }),
      shares,
      spans: ours.run.rows,
      bytesPerSpan: Math.round(bytesPerSpan * 10) / 10,
      diskBytesPerSpan: Math.round((Number(ours.digest.bytes) / ours.run.rows) * 10) / 10,
      rssMb: ours.run.rssMb,
    },
  }
}
