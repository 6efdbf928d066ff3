// exactly-once: how often a span is lost or doubled when everything that can be killed is killed, and what the
// guarantee costs.

import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { wholeNumber, type Bench, type BenchContext, type BenchReport } from './bench-definition.ts'
import { crashRun } from './crash-run.ts'
import type { Overhead } from './exactly-once-overhead.ts'
import { buildSpanPool } from './span-pool.ts'
import { fillTopic, openSpanTopic, PARTITIONS, spansOver } from './span-topic.ts'
import { openBenchFolder } from './surety-side.ts'

const KILLS_DEFAULT = 200
const SPANS_DEFAULT = 10_000_000
const OVERHEAD_SPANS_DEFAULT = 2_000_000
const SPANS_PER_REQUEST = 512
const ROUNDS = 2
const SEED = 20_261_120

export const exactlyOnce: Bench = {
  name: 'exactly-once',
  summary:
    'spans lost or doubled over random kills, stalls, rebalances and broker restarts, and what the guarantee costs',
  help: `npm run bench -- exactly-once [--kills N] [--spans N] [--seed N] [--overhead-spans N]

Kills Surety (SIGKILL) N times (200) at random moments while spans (10 million) flow from a real broker, with stalls,
members that come and go, and brokers that restart or are killed; then audits rows and rollups against a recount. After
it, the same spans with and without intents, tokens and windows (2 million, twice each, in turn; 0 leaves it out). Takes
about half an hour.`,
  options: {
    kills: { type: 'string' },
    spans: { type: 'string' },
    seed: { type: 'string' },
    'overhead-spans': { type: 'string' },
  },
  async run(values, context) {
    const kills = wholeNumber(values, 'kills', KILLS_DEFAULT, 0, 10_000)
    const spans = wholeNumber(values, 'spans', SPANS_DEFAULT, 1024, 1_000_000_000)
    const seed = wholeNumber(values, 'seed', SEED, 0, 2 ** 31)
    const overheadSpans = wholeNumber(values, 'overhead-spans', OVERHEAD_SPANS_DEFAULT, 0, 100_000_000)
    return run({ kills, spans, seed, overheadSpans }, context)
  },
}

type Plan = {
  readonly kills: number
  readonly spans: number
  readonly seed: number
  readonly overheadSpans: number
}

async function run(
  { kills, spans, seed, overheadSpans }: Plan,
  { lifecycle, say }: BenchContext,
): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const report = await crashRun({ kills, spans, seed, folder: join(folder, 'crash'), lifecycle, say })
  const overhead =
    overheadSpans === 0
      ? undefined
      : await measureOverhead(overheadSpans, join(folder, 'overhead'), { lifecycle, say })
  const {
    lost,
    duplicated,
    rollupError,
    lookUpError,
    killsWhileReading,
    stalls,
    brokerRestarts,
    rebalances,
  } = report
  return {
    versions: { kafkajs: '2.2.4' },
    table: [
      ['', 'over the run'],
      ['spans', report.spans.toLocaleString('en')],
      ['kills', String(kills)],
      ['· while records were left to read', String(killsWhileReading)],
      ['stalls beyond the session time-out', String(stalls)],
      ['rebalances by a passing member', String(rebalances)],
      ['broker restarts and kills', String(brokerRestarts)],
      ['lost spans', String(lost)],
      ['doubled spans', String(duplicated)],
      ['requests wrong in the rollups', String(rollupError)],
      ['look-ups wrong', String(lookUpError)],
      ...(overhead === undefined ? [] : [['CPU with the guarantee ÷ without', overhead.toFixed(3)]]),
    ],
    notes: [
      'Rows are counted, distinct spans are told by trace and span id, and every rollup is compared with a recount from the spans.',
    ],
    result: {
      value: lost + duplicated + rollupError + lookUpError,
      unit: 'wrong',
      kills,
      killsWhileReading,
      stalls,
      rebalances,
      brokerRestarts,
      spans: report.spans,
      lost,
      duplicated,
      rollupError,
      lookUpError,
      ...(overhead === undefined ? {} : { overheadRatio: Number(overhead.toFixed(3)) }),
    },
  }
}

/** @returns CPU seconds with the guarantee by those without, the best of the rounds on each side */
async function measureOverhead(
  spans: number,
  folder: string,
  { lifecycle, say }: BenchContext,
): Promise<number> {
  const topic = await openSpanTopic(folder, lifecycle)
  const requests = Math.ceil(spans / SPANS_PER_REQUEST / PARTITIONS) * PARTITIONS
  const toMs = Date.now() - 60_000
  const pool = buildSpanPool({ seed: SEED, requests: 256, spreadMs: 2000 })
  const valueOf = spansOver(pool, { requests, fromMs: toMs - 20 * 60_000, toMs })
  await fillTopic(topic, { requests, valueOf, say: () => {} })
  const best = { on: Number.POSITIVE_INFINITY, off: Number.POSITIVE_INFINITY }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const guarantees of ['on', 'off'] as const) {
      const side = `${guarantees}-${round}`
      const args = {
        'data-dir': join(folder, side),
        brokers: topic.brokers.join(','),
        topic: topic.topic,
        group: `overhead-${side}`,
        spans: String(requests * SPANS_PER_REQUEST),
        guarantees,
      }
      const words = Object.entries(args).map(([name, value]) => `--${name}=${value}`)
      const file = fileURLToPath(new URL('./exactly-once-overhead.ts', import.meta.url))
      const { stdout } = await promisify(execFile)(process.execPath, [file, ...words], {
        env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
      })
      const measured = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Overhead
      best[guarantees] = Math.min(best[guarantees], measured.cpuSeconds)
      say(
        `guarantees ${guarantees}: ${measured.cpuSeconds.toFixed(1)} CPU-seconds, ${measured.wallSeconds.toFixed(1)} s`,
      )
      rmSync(join(folder, side), { recursive: true, force: true })
    }
  }
  return best.on / best.off
}
