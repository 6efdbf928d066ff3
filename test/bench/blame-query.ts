// How long it takes to gather everything that a fault is explained from, at 10M spans an hour.

import { join } from 'node:path'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import { gatherCase } from '../../query/blame/gather.ts'
import { fillForBlame } from './blame-fill.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import { openBenchFolder } from './surety-side.ts'
import { figure } from './table.ts'

const BUDGET_MS = 3000

export const blameQuery: Bench = {
  name: 'blame-query',
  summary: 'what a fault is explained from, gathered at 10M spans an hour: time of the questions',
  help: `npm run bench -- blame-query [--releases N] [--rounds N]

A store with 90 minutes of derived traces as 10M spans an hour leave them, the same minutes of the day before, and the newest two minutes as
spans, which are asked straight. p95QueryMs is the time of gathering one case, start to end.

  --releases N  candidates, default 20
  --rounds N    default 20`,
  options: { releases: { type: 'string' }, rounds: { type: 'string' } },
  run: (values, context) =>
    run(wholeNumber(values, 'releases', 20, 1, 64), wholeNumber(values, 'rounds', 20, 3, 1000), context),
}

async function run(releases: number, rounds: number, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const store = await openEmbeddedStore(join(folder, 'surety'))
  lifecycle.add('store', () => store.close())
  const scene = await fillForBlame(store, Date.now(), { releases, say })
  const tookMs: number[] = []
  let rows = 0
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now()
    const seen = await gatherCase({ store }, scene.fault, scene.releases, scene.nowMs)
    tookMs.push(performance.now() - startedMs)
    rows = seen.rows.length
    if (seen.candidates.length !== releases) throw new BenchFailure('not every release is a candidate')
    if (!seen.touches.some((touch) => touch.includes(2))) throw new BenchFailure('no trace met what is new')
    say(`round ${round + 1}: ${Math.round(tookMs.at(-1) ?? 0)} ms, ${rows} rows`)
  }
  const sorted = tookMs.toSorted((a, b) => a - b)
  const p95 = sorted[Math.min(sorted.length - 1, Math.ceil(0.95 * sorted.length) - 1)] ?? 0
  const middle = sorted[Math.floor(sorted.length / 2)] ?? 0
  return {
    versions: {},
    table: [
      ['candidates', 'rows', 'median ms', 'p95 ms', 'budget ms'],
      [String(releases), figure(rows), figure(middle), figure(p95), String(BUDGET_MS)],
    ],
    notes: ['Gathering alone; judging what was gathered is query/blame/explain.ts.'],
    result: {
      value: Math.round(p95),
      unit: 'ms',
      p95QueryMs: Math.round(p95),
      medianMs: Math.round(middle),
      rows,
      releases,
    },
  }
}
