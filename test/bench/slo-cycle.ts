// What a cycle of all SLOs costs: windows with and without exclusions read from running sums, and judged. Beside it the
// upkeep: newest slices, the ones measured again, those that leave long windows, an exclusion told afterwards.

import { countWindow } from '../../query/slo/count-window.ts'
import { workbook30d } from '../../query/slo/burn-profiles.ts'
import { evaluate } from '../../query/slo/evaluate.ts'
import { observe } from '../../query/slo/observe.ts'
import type { SliceRange } from '../../query/slo/slice-ranges.ts'
import { EMPTY, UNMEASURED } from '../../query/slo/slices.ts'
import { compilePolicy, sloPolicy, type CompiledPolicy } from '../../query/slo/slo-policy.ts'
import { stateAtStart, type SloState } from '../../query/slo/slo-state.ts'
import type { WindowTotals } from '../../query/slo/window-figures.ts'
import { WindowSums } from '../../query/slo/window-sums.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
  type OptionValues,
} from './bench-definition.ts'
import { COARSE_MINUTES } from './prometheus-blocks.ts'
import { columnsOf, countsOf, type SliceCounts } from './slo-history.ts'
import { measurePeer, peerNotes, type PeerReport } from './slo-peer.ts'
import { openBenchFolder } from './surety-side.ts'
import { figure } from './table.ts'

const STEP_MS = 60_000
const DAY_MS = 86_400_000
/** Six hours and what is measured again: the windows below a day leave from memory. */
const HOT_SLICES = 375
const REMEASURED = 3
const TAIL_SLICES = 60
/** Groups of SLOs with the same planned work: two hours, once a week. */
const EXCLUSION_SETS = 20
const BUDGET_SECONDS = 0.5
/** Times Prometheus' CPU per SLO-window must be ours. */
const BUDGET_RATIO = 20

export const sloCycle: Bench = {
  name: 'slo-cycle',
  summary: '10,000 SLOs, 8 windows each over 30 days of slices: CPU a cycle, and Prometheus beside it',
  help: `npm run bench -- slo-cycle [--slos N] [--cycles N] [--peer-slos N]

  --slos       SLOs, default 10000; each has windows of 5 m, 30 m, 1 h, 2 h, 6 h, 1 d, 3 d and 30 d
  --cycles     cycles of a minute, default 70: more than an hour, so that pages of leaving slices are read
  --peer-slos  SLOs whose windows Prometheus answers as well, default 1000; 0: none

value is CPU-seconds of a cycle: reading all windows with and without exclusions, judging, states; upkeep is
CPU-seconds of a cycle for keeping the slices. At the end windows of some SLOs are counted anew, slice by slice; any
difference fails the bench.

Then Prometheus (2.42 of Debian, «node deploy/setup.mjs test») gets the same counts: single minutes of the last six hours, five
minutes before. It answers each window for all SLOs in one instant query, in four forms; peer is the cheapest one that is right
after a reset, forms has all. Error ratios must be ours within 1e-6. ratio is its CPU per SLO-window (nothing of its
scraping, storing, recording) ÷ ours for the same SLOs in the same run; ratioWithUpkeep counts our keeping of slices, too,
ratioDifferences is to the form that reads two samples a window and is wrong after a reset.`,
  options: { slos: { type: 'string' }, cycles: { type: 'string' }, 'peer-slos': { type: 'string' } },
  run,
}

type One = { readonly slo: number; readonly sums: WindowSums; state: SloState }

async function run(values: OptionValues, context: BenchContext): Promise<BenchReport> {
  const { say } = context
  const slos = wholeNumber(values, 'slos', 10_000, 100, 50_000)
  // So that whole steps of Prometheus end where our windows do.
  const cycles = Math.ceil(wholeNumber(values, 'cycles', 70, 5, 1440) / COARSE_MINUTES) * COARSE_MINUTES
  const peerSlos = wholeNumber(values, 'peer-slos', 1000, 0, Math.min(slos, 5000))
  const policy = compilePolicy(
    sloPolicy({ objective: 0.999, window: { kind: 'rolling', durationMs: 30 * DAY_MS }, burn: workbook30d }),
  )
  const head = Date.UTC(2026, 6, 31, 0) / STEP_MS
  const sets = Array.from({ length: EXCLUSION_SETS }, (_, set) => plannedWork(set, head))
  say(`counting 30 days of slices for ${figure(slos)} SLOs …`)
  const begun = process.cpuUsage()
  const all = Array.from({ length: slos }, (_, slo) =>
    begin(policy, slo, head, sets[slo % EXCLUSION_SETS] ?? []),
  )
  const startSeconds = seconds(process.cpuUsage(begun))
  say(`${figure(cycles)} cycles …`)

  const upkeep: number[] = []
  const judging: number[] = []
  const judgingPeered: number[] = []
  let transitions = 0
  let tailPages = 0
  for (let cycle = 0; cycle < cycles; cycle++) {
    const kept = process.cpuUsage()
    for (const one of all) tailPages += keep(one)
    if (cycle === Math.floor(cycles / 2)) tellAfterwards(all)
    upkeep.push(seconds(process.cpuUsage(kept)))
    const judged = process.cpuUsage()
    for (const [index, one] of all.entries()) {
      if (index === peerSlos) judgingPeered.push(seconds(process.cpuUsage(judged)))
      const evaluation = evaluate(policy, one.state, observe(policy, one.sums, one.state))
      one.state = evaluation.state
      transitions += evaluation.transitions.length
    }
    judging.push(seconds(process.cpuUsage(judged)))
    if (peerSlos === slos) judgingPeered.push(judging.at(-1) ?? 0)
  }
  const checked = check(all, policy)
  const windows = policy.windows.length
  const value = mean(judging)
  const ours = { judging: mean(judgingPeered), upkeep: (mean(upkeep) * peerSlos) / slos }
  const peer = peerSlos === 0 ? undefined : await measureSame(all.slice(0, peerSlos), policy, context)
  const ratio = peer === undefined ? undefined : peer.cpuSecondsPerCycle / ours.judging
  const result = {
    value: round(value),
    unit: 'CPU-seconds a cycle',
    upkeep: round(mean(upkeep)),
    worst: round(Math.max(...judging)),
    slos,
    windows,
    cycles,
    windowsPerSecond: Math.round((slos * windows) / value),
    startSeconds: round(startSeconds),
    transitions,
    checked,
    rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    budget: BUDGET_SECONDS,
    withinBudget: value <= BUDGET_SECONDS && (ratio ?? BUDGET_RATIO) >= BUDGET_RATIO,
    ...(peer === undefined || ratio === undefined
      ? {}
      : {
          peer: { name: 'Prometheus', slos: peerSlos, ...peer },
          ratio: round(ratio),
          ratioWithUpkeep: round(peer.cpuSecondsPerCycle / (ours.judging + ours.upkeep)),
          ratioDifferences: round(peer.forms.differences / ours.judging),
          ratioBudget: BUDGET_RATIO,
          ourSecondsPerCycle: round(ours.judging),
        }),
  }
  return {
    versions: peer === undefined ? {} : { prometheus: peer.version },
    table: [
      ['SLOs', 'windows', 'judging CPU s', 'worst', 'upkeep CPU s', 'windows/CPU s', 'RSS MB'],
      [
        figure(slos),
        String(windows),
        figure(value, 3),
        figure(result.worst, 3),
        figure(result.upkeep, 3),
        figure(result.windowsPerSecond),
        figure(result.rssMb),
      ],
    ],
    notes: [
      `Each window with and without exclusions; ${figure(transitions)} transitions; ${figure(tailPages)} pages of leaving slices.`,
      `Begun from sums over 30 days in ${figure(startSeconds, 1)} CPU s, making the counts included.`,
      `${figure(checked)} windows counted anew, slice by slice: all equal.`,
      ...(peer === undefined || ratio === undefined ? [] : peerNotes(peer, peerSlos, ours)),
    ],
    result,
  }
}

/** The first SLOs asked of Prometheus at the instant where ours stand now. */
async function measureSame(
  all: readonly One[],
  policy: CompiledPolicy,
  context: BenchContext,
): Promise<PeerReport> {
  const [first] = all
  if (first === undefined) throw new BenchFailure('there are no SLOs')
  const windowsMs = policy.windows.map((window) => (window.kind === 'rolling' ? window.durationMs : 0))
  return measurePeer(
    {
      folder: openBenchFolder(context.lifecycle),
      slos: all.length,
      from: first.sums.bounds(0).from,
      head: first.sums.head,
      windowsMs,
      ratioOf(slo, window) {
        const gross = all[slo]?.sums.figures(window)?.gross
        return gross === undefined || gross.total === 0 ? undefined : (gross.total - gross.good) / gross.total
      },
    },
    context,
  )
}

/** Two hours a week, another hour for each set. */
function plannedWork(set: number, head: number): readonly SliceRange[] {
  return Array.from({ length: 6 }, (_, week) => {
    const from = head - week * 7 * 1440 - 600 - set * 60
    return { from, to: from + 120 }
  })
}

function begin(policy: CompiledPolicy, slo: number, head: number, excluded: readonly SliceRange[]): One {
  const sums = new WindowSums({
    stepMs: STEP_MS,
    budgeting: policy.policy.budgeting,
    windows: policy.windows,
    hotSlices: HOT_SLICES,
    head,
  })
  sums.setExclusions(excluded)
  const from = sums.bounds(0).from
  const totals = totalsOf(slo, from, head, sums)
  sums.start(columnsOf(slo, head - HOT_SLICES - 2, head, STEP_MS), from, head, ({ from: first }) => {
    const found = totals.get(first)
    if (found === undefined) throw new BenchFailure('a window has no sums to start from')
    return found
  })
  return { slo, sums, state: stateAtStart(1, head * STEP_MS) }
}

/** What the store would answer: sums from each window's first slice to the head. */
function totalsOf(slo: number, from: number, head: number, sums: WindowSums): Map<number, WindowTotals> {
  const starts = new Set(sums.windows.map((_, place) => sums.bounds(place).from))
  const found = new Map<number, WindowTotals>()
  const counts: SliceCounts = { good: 0, total: 0, state: 0, revision: 0 }
  const all = { good: 0, total: 0, known: 0, empty: 0 }
  const excluded = { good: 0, total: 0, known: 0, empty: 0 }
  for (let slice = head - 1; slice >= from; slice--) {
    countsOf(slo, slice, counts)
    const sides = sums.isExcluded(slice) ? [all, excluded] : [all]
    for (const side of sides) {
      side.good += counts.good
      side.total += counts.total
      side.known += Number(counts.state !== UNMEASURED)
      side.empty += Number(counts.state === EMPTY)
    }
    if (starts.has(slice)) found.set(slice, { all: { ...all }, excluded: { ...excluded } })
  }
  return found
}

const scratch: SliceCounts = { good: 0, total: 0, state: 0, revision: 0 }

/** One minute: what leaves, what begins, what is measured and what once more. @returns pages of leaving slices read */
function keep({ slo, sums }: One): number {
  const tails = sums.wantedTails(1)
  for (const { window, from } of tails)
    sums.fillTail(window, columnsOf(slo, from, from + TAIL_SLICES, STEP_MS))
  const slice = sums.head
  sums.advanceTo(slice + 1)
  for (let back = 0; back <= REMEASURED; back++) {
    countsOf(slo, slice - back, scratch, back === 0)
    if (scratch.state !== UNMEASURED)
      sums.put(slice - back, scratch.good, scratch.total, scratch.state, scratch.revision)
  }
  return tails.length
}

/** For one SLO in a hundred, two hours of nine days ago are agreed not to count. */
function tellAfterwards(all: readonly One[]): void {
  for (const { slo, sums } of all) {
    if (slo % 100 !== 0) continue
    const at = sums.head - 9 * 1440
    const ranges = [...plannedWork(slo % EXCLUSION_SETS, sums.head), { from: at, to: at + 120 }]
    const missing = sums.setExclusions(ranges)
    const cold = missing.map(({ from, to }) => columnsOf(slo, from, to, STEP_MS))
    if (sums.setExclusions(ranges, cold).length > 0)
      throw new BenchFailure('slices were missing for an exclusion')
    excludedAfterwards.set(slo, ranges)
  }
}

const excludedAfterwards = new Map<number, readonly SliceRange[]>()

function check(all: readonly One[], policy: CompiledPolicy): number {
  let checked = 0
  const sample = all.filter(({ slo }) => slo % 997 === 0 || slo % 500 === 0)
  for (const { slo, sums } of sample) {
    const { from, to } = sums.bounds(0)
    const columns = columnsOf(slo, from, to, STEP_MS)
    // The newest slice was measured once only.
    countsOf(slo, to - 1, scratch, true)
    columns.good[to - 1 - from] = scratch.good
    columns.total[to - 1 - from] = scratch.total
    const excluded =
      excludedAfterwards.get(slo) ?? plannedWork(slo % EXCLUSION_SETS, Date.UTC(2026, 6, 31, 0) / STEP_MS)
    for (const place of sums.windows.keys()) {
      const counted = countWindow(columns, policy.policy.budgeting, sums.bounds(place), excluded)
      const running = sums.figures(place)
      if (JSON.stringify(running) !== JSON.stringify(counted))
        throw new BenchFailure(
          `SLO ${slo}, window ${place}: running ${JSON.stringify(running)}, counted ${JSON.stringify(counted)}`,
        )
      checked++
    }
  }
  return checked
}

function seconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
