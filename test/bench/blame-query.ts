// How long it takes to gather everything that a fault is explained from, at 10M spans an hour.

import { join } from 'node:path'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import { gatherCase } from '../../query/blame/gather.ts'
import { buildGatherMemory } from '../../query/blame/gather-memory.ts'
import { caseDigest } from '../../query/faults/case-digest.ts'
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
spans, which are asked straight. p95QueryMs is the time of gathering one case, start to end, as at the first look at a fault; nextLookMs and
nextLookCpuMs that of a later one, which remembers minutes that are over. CPU is the process's own, whatever else runs on the machine.

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
  const memory = buildGatherMemory()
  const first: Took[] = []
  const next: Took[] = []
  let rows = 0
  // The first of those that remember has nothing to remember.
  await gatherCase({ store, memory }, scene.fault, scene.releases, scene.nowMs)
  for (let round = 0; round < rounds; round += 1) {
    const read = await timed(() => gatherCase({ store }, scene.fault, scene.releases, scene.nowMs))
    const again = await timed(() => gatherCase({ store, memory }, scene.fault, scene.releases, scene.nowMs))
    first.push(read.took)
    next.push(again.took)
    rows = read.seen.rows.length
    if (read.seen.candidates.length !== releases) throw new BenchFailure('not every release is a candidate')
    if (!read.seen.touches.some((touch) => touch.includes(2)))
      throw new BenchFailure('no trace met what is new')
    if (caseDigest(read.seen) !== caseDigest(again.seen))
      throw new BenchFailure('what is remembered is not what is read')
    say(`round ${round + 1}: ${told(read.took)}, next look ${told(again.took)}, ${rows} rows`)
  }
  const p95 = at(first, 'wallMs', 0.95)
  return {
    versions: {},
    table: [
      ['', 'median ms', 'p95 ms', 'median CPU ms', 'budget ms'],
      ['first look', ...figures(first), String(BUDGET_MS)],
      ['next looks', ...figures(next), ''],
    ],
    notes: [
      `${releases} candidates, ${figure(rows)} rows.`,
      'Gathering alone; judging what was gathered is query/blame/explain.ts.',
    ],
    result: {
      value: Math.round(p95),
      unit: 'ms',
      p95QueryMs: Math.round(p95),
      medianMs: Math.round(at(first, 'wallMs', 0.5)),
      cpuMs: Math.round(at(first, 'cpuMs', 0.5)),
      nextLookMs: Math.round(at(next, 'wallMs', 0.5)),
      nextLookCpuMs: Math.round(at(next, 'cpuMs', 0.5)),
      rows,
      releases,
    },
  }
}

type Took = { readonly wallMs: number; readonly cpuMs: number }

async function timed<T>(work: () => Promise<T>): Promise<{ readonly seen: T; readonly took: Took }> {
  const before = process.cpuUsage()
  const startedMs = performance.now()
  const seen = await work()
  const wallMs = performance.now() - startedMs
  const { user, system } = process.cpuUsage(before)
  return { seen, took: { wallMs, cpuMs: (user + system) / 1000 } }
}

const told = ({ wallMs, cpuMs }: Took) => `${Math.round(wallMs)} ms, ${Math.round(cpuMs)} of CPU`

function at(all: readonly Took[], of: keyof Took, share: number): number {
  const sorted = all.map((one) => one[of]).toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1))] ?? 0
}

const figures = (all: readonly Took[]) => [
  figure(at(all, 'wallMs', 0.5)),
  figure(at(all, 'wallMs', 0.95)),
  figure(at(all, 'cpuMs', 0.5)),
]
