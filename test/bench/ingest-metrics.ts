// How many metric points one CPU-second takes from Kafka into tables, merges finished, against the conventional TypeScript
// pipeline into the tables of the Collector's ClickHouse exporter, on the same records and engine.

import { fileURLToPath } from 'node:url'
import { walkMetrics } from '../../ingest/pipeline/walk-metrics.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import { METRIC_TABLE_NAMES } from './collector-metric-tables.ts'
import { metricDigest, OUR_TABLES, type MetricDigest } from './metric-digest.ts'
import { buildMetricPool, SERIES_PER_INSTANCE, type MetricPool } from './metric-pool.ts'
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
import { fillTopic, openSpanTopic, PARTITIONS } from './span-topic.ts'
import { openBenchFolder, suretyChild, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const POINTS_DEFAULT = 10_000_000
const SERIES_DEFAULT = 100_000
const CHURN = 0.05
const SEED = 17
const STEP_MS = 30_000
const POINTS_PER_REQUEST = 500
const INSTANCES_STEP = 20
// Sums of floats differ by the order in which they are added.
const ROUNDING = 1e-9

export const ingestMetrics: Bench = {
  name: 'ingest-metrics',
  summary: 'metric points per CPU-second from Kafka into tables, against a conventional pipeline',
  help: `npm run bench -- ingest-metrics [--points N] [--series N] [--skip-peer]

Fills a topic of two partitions with N points of M series (records of ${POINTS_PER_REQUEST} points, ten instances each, every 30 s), lets
«surety serve» read it until every row can be queried and merges are finished, then the same with a conventional pipeline
(kafkajs, protobufjs, JSONEachRow) into the tables of the OpenTelemetry Collector's ClickHouse exporter, in the same
engine. Counts, sums and number of series of both are compared.

The points: half integer counters, a fifth integer gauges, a fifth float gauges (noisy in every digit), a tenth histograms
of 12 buckets; 2 or 3 attributes a point, 8 a resource. ${CHURN * 100} % of the series are replaced over the run: a new
instance each, counters at zero.

  --points N   default ${figure(POINTS_DEFAULT)}, rounded up to whole rounds of a scrape
  --series N   default ${figure(SERIES_DEFAULT)}, rounded up to 1,000
  --skip-peer  Surety only; the result has no ratio`,
  options: { points: { type: 'string' }, series: { type: 'string' }, 'skip-peer': { type: 'boolean' } },
  run(values, context) {
    const points = wholeNumber(values, 'points', POINTS_DEFAULT, 1000, 1_000_000_000)
    const series = wholeNumber(values, 'series', SERIES_DEFAULT, 1000, 10_000_000)
    const instances = Math.ceil(series / SERIES_PER_INSTANCE / INSTANCES_STEP) * INSTANCES_STEP
    const rounds = Math.max(2, Math.ceil(points / (instances * SERIES_PER_INSTANCE)))
    return run({ instances, rounds, withPeer: values['skip-peer'] !== true }, context)
  },
}

type Plan = { readonly instances: number; readonly rounds: number; readonly withPeer: boolean }
type MetricSide = Side<MetricDigest>

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const topic = await openSpanTopic(folder, lifecycle, 'metrics')
  const fromMs = Math.floor((Date.now() - (plan.rounds + 2) * STEP_MS) / STEP_MS) * STEP_MS
  const options = { ...plan, seed: SEED, churn: CHURN, jitterMs: 0, fromMs }
  const pool = buildMetricPool(options)
  let bytes = 0
  const valueOf = (copy: number) => {
    const value = pool.request(copy)
    bytes += value.length
    return value
  }
  await fillTopic(topic, { requests: pool.requests, valueOf, say })
  say(`${pool.requests} records (${pool.points} points) are in Kafka`)

  const context: SideContext = { topic, lifecycle, say, folder }
  const group = `surety-bench-${Date.now()}`
  const returnCodes = writeReturnCodes(folder)
  const ours = await measureSide(context, {
    name: 'Surety',
    folder: 'surety',
    group,
    rows: pool.points,
    tables: OUR_TABLES,
    child: (dataDir) => suretyChild({ dataDir, topic, group, returnCodes }),
    digestOf: (dataDir) => metricDigest(dataDir, 'ours'),
  })
  check('Surety', ours.digest, pool)
  const peer = plan.withPeer
    ? await measureSide(context, {
        name: 'conventional pipeline',
        folder: 'peer',
        group: `${group}-peer`,
        rows: pool.points,
        tables: METRIC_TABLE_NAMES,
        child: (dataDir) => ({
          name: 'the conventional pipeline',
          args: [
            fileURLToPath(new URL('./conventional-metrics.ts', import.meta.url)),
            `--data-dir=${dataDir}`,
            `--brokers=${topic.brokers.join(',')}`,
            `--topic=${topic.topic}`,
            `--group=${group}-peer`,
            `--offset-end=${pool.requests / PARTITIONS}`,
          ],
          env: { UV_THREADPOOL_SIZE: '16', KAFKAJS_NO_PARTITIONER_WARNING: '1' },
          ready: /is ready: (http:\S+)/,
        }),
        digestOf: (dataDir) => metricDigest(dataDir, 'theirs'),
      })
    : undefined
  if (peer !== undefined) {
    check('The conventional pipeline', peer.digest, pool)
    agree(ours.digest, peer.digest)
  }
  const again = buildMetricPool(options)
  const records = Array.from({ length: 200 }, (_, copy) => ({
    bytes: again.request(copy),
    rows: POINTS_PER_REQUEST,
  }))
  const range = { fromMs, toMs: fromMs + plan.rounds * STEP_MS }
  const walkSeconds = walkSecondsPerRow(records, (record) => walkMetrics(record, range)) * ours.run.rows
  return report(pool, bytes / pool.points, topic.kafkaVersion, ours, peer, walkSeconds)
}

function check(name: string, digest: MetricDigest, pool: MetricPool): void {
  const problems = [
    ['integers and floats', digest.numbers, pool.integers + pool.floats],
    ['histograms', digest.histograms, pool.histograms],
    ['series', digest.series, pool.series],
    ['dead letters', digest.deadLetters, 0],
  ].flatMap(([what, is, shall]) => (is === shall ? [] : [`${what}: ${is}, must be ${shall}`]))
  if (problems.length > 0)
    throw new BenchFailure(`${name} has other points than were sent: ${problems.join('; ')}`)
}

function agree(ours: MetricDigest, theirs: MetricDigest): void {
  const isSame = Math.abs(ours.sum - theirs.sum) <= Math.abs(ours.sum) * ROUNDING
  if (isSame && ours.observations === theirs.observations) return
  throw new BenchFailure(
    `The two sides stored different values: sum ${ours.sum} and ${theirs.sum}, observations ${ours.observations} and ${theirs.observations}`,
  )
}

function report(
  pool: MetricPool,
  bytesPerPoint: number,
  kafka: string,
  ours: MetricSide,
  peer: MetricSide | undefined,
  walkSeconds: number,
): BenchReport {
  const sides = peer === undefined ? [ours] : [ours, peer]
  const perPoint = ({ run: { rows }, digest }: MetricSide) => digest.bytes / rows
  const shares = sharesOf(ours.run, walkSeconds)
  const rounded = (value: number) => Math.round(value * 100) / 100
  return {
    versions: {
      engine: ours.digest.engine,
      kafkajs: packageVersion('kafkajs'),
      ...(peer === undefined ? {} : { protobufjs: packageVersion('protobufjs') }),
      kafka,
    },
    table: [
      ['', 'Surety', ...(peer === undefined ? [] : ['conventional'])],
      ...costLines(
        'point',
        sides.map((side) => side.run),
      ),
      ['series', ...sides.map(({ digest }) => figure(digest.series))],
      ['bytes a point on disk', ...sides.map((side) => figure(perPoint(side), 2))],
    ],
    notes: [
      peer === undefined
        ? 'Points and series are those that were sent.'
        : 'Counts, sums and series of both sides agree.',
      shareLine(shares),
      `CPU is user and system time of the whole process from joining the group until merges were finished. ${bytesPerPoint.toFixed(1)} bytes a point in Kafka; bytes on disk before merges to the end.`,
    ],
    result: {
      value: Math.round(perCpu(ours.run)),
      unit: 'points/cpu-s',
      wall: Math.round(perSecond(ours.run)),
      ...(peer === undefined
        ? {}
        : {
            peer: {
              name: 'kafkajs + protobufjs + JSONEachRow into the Collector exporter’s tables',
              value: Math.round(perCpu(peer.run)),
              wall: Math.round(perSecond(peer.run)),
              rssMb: peer.run.rssMb,
              diskBytesPerPoint: rounded(perPoint(peer)),
            },
            ratio: rounded(perCpu(ours.run) / perCpu(peer.run)),
            wallRatio: rounded(perSecond(ours.run) / perSecond(peer.run)),
          }),
      shares,
      points: pool.points,
      series: pool.series,
      diskBytesPerPoint: rounded(perPoint(ours)),
      rssMb: ours.run.rssMb,
    },
  }
}
