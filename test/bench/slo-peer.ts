// The same windows of the same SLOs asked of Prometheus, one question per window for all SLOs, in several forms; the cheapest that
// is right after a restart of what is counted stands for it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BenchFailure, type BenchContext } from './bench-definition.ts'
import { writeBlocks } from './prometheus-blocks.ts'
import { openPrometheus } from './prometheus-server.ts'
import { figure } from './table.ts'

const WARM_CYCLES = 2
const CYCLES = 6
const GAP_MAX = 1e-6
const FINE_MS_MAX = 6 * 3_600_000

/** PromQL for the error ratios of a window, by its range and the series that hold it. */
const FORMS = {
  /** Σ bad ÷ Σ total of the counts that recording rules left: also how a gap is left out. */
  counts: (range: string, step: string) =>
    `sum_over_time(bad_count_${step}[${range}]) / sum_over_time(total_count_${step}[${range}])`,
  /** Counters, resets included: one counter an SLO, so nothing is left to be summed. */
  counters: (range: string, step: string) =>
    `increase(bad_counter_${step}[${range}]) / increase(total_counter_${step}[${range}])`,
  /** As Sloth writes it. */
  sums: (range: string, step: string) =>
    `sum by (slo) (increase(bad_counter_${step}[${range}])) / sum by (slo) (increase(total_counter_${step}[${range}]))`,
  /** Two samples a window: negative or nonsense once a counter was reset within it. */
  differences: (range: string, step: string) =>
    `(bad_counter_${step} - bad_counter_${step} offset ${range}) / (total_counter_${step} - total_counter_${step} offset ${range})`,
} as const
export type Form = keyof typeof FORMS
const ORDER = Object.keys(FORMS) as Form[]
const SOUND: readonly Form[] = ['counts', 'counters', 'sums']

export type PeerPlan = {
  readonly folder: string
  readonly slos: number
  /** Minutes since 1970; all windows end at the second. */
  readonly from: number
  readonly head: number
  readonly windowsMs: readonly number[]
  /** Our error ratio of an SLO and a place in `windowsMs`; undefined when it has no events. */
  readonly ratioOf: (slo: number, window: number) => number | undefined
}

export type PeerReport = {
  readonly version: string
  readonly form: Form
  readonly query: string
  readonly cpuSecondsPerCycle: number
  /** Of every form. */
  readonly forms: Readonly<Record<Form, number>>
  /** Largest difference of error ratios. */
  readonly gap: number
  readonly compared: number
  readonly samples: number
  readonly rssMb: number
}

/** @throws BenchFailure when an answer differs from ours by more than 1e-6 */
export async function measurePeer(plan: PeerPlan, { lifecycle, say }: BenchContext): Promise<PeerReport> {
  const folder = join(plan.folder, 'prometheus')
  mkdirSync(folder)
  const samples = await writeBlocks({ ...plan, folder }, say)
  const server = await openPrometheus(folder, lifecycle)
  const windows = plan.windowsMs.map((ms) => ({
    range: `${ms / 60_000}m`,
    step: ms <= FINE_MS_MAX ? '1m' : '5m',
  }))
  // Within the newest step and after its samples: the range begins within the step before its first.
  const atSecond = plan.head * 60 - 1
  const cycle = async (form: Form) => {
    const answers: ReadonlyMap<string, number>[] = []
    for (const { range, step } of windows) answers.push(await server.ask(FORMS[form](range, step), atSecond))
    return answers
  }
  let gap = 0
  let compared = 0
  const forms: Partial<Record<Form, number>> = {}
  for (const form of ORDER) {
    say(`Prometheus ${server.version}: ${form}, ${WARM_CYCLES} and ${CYCLES} cycles`)
    for (let warm = 0; warm < WARM_CYCLES; warm++) {
      const found = compare(plan, await cycle(form), form)
      gap = Math.max(gap, found.gap)
      compared += warm === 0 ? found.compared : 0
    }
    const before = server.cpuSeconds()
    for (let measured = 0; measured < CYCLES; measured++) await cycle(form)
    forms[form] = (server.cpuSeconds() - before) / CYCLES
  }
  const form = SOUND.reduce((best, other) => ((forms[other] ?? 0) < (forms[best] ?? 0) ? other : best))
  return {
    version: server.version,
    form,
    query: FORMS[form](windows[0]?.range ?? '', windows[0]?.step ?? ''),
    cpuSecondsPerCycle: forms[form] ?? Number.NaN,
    forms: forms as Record<Form, number>,
    gap,
    compared,
    samples,
    rssMb: server.rssPeakMb(),
  }
}

/** @param ours  CPU-seconds a cycle for the same SLOs */
export function peerNotes(
  peer: PeerReport,
  slos: number,
  ours: { readonly judging: number; readonly upkeep: number },
): readonly string[] {
  const forms = Object.entries(peer.forms)
    .map(([form, cost]) => `${form} ${figure(cost, 3)}`)
    .join(', ')
  const times = (cost: number) => figure(peer.cpuSecondsPerCycle / cost, 1)
  return [
    `Prometheus ${peer.version}, ${figure(slos)} SLOs, ${figure(peer.samples)} samples, ${peer.rssMb} MB; CPU s a cycle: ${forms}. Cheapest that survives a reset: ${peer.form}.`,
    `Ours for the same SLOs: ${figure(ours.judging, 4)} CPU s, upkeep ${figure(ours.upkeep, 4)}: ${times(ours.judging)} times less per SLO-window, ${times(ours.judging + ours.upkeep)} times with upkeep.`,
    `${figure(peer.compared)} error ratios compared; largest gap ${peer.gap.toExponential(1)}.`,
  ]
}

function compare(
  { slos, ratioOf }: PeerPlan,
  answers: readonly ReadonlyMap<string, number>[],
  form: Form,
): { readonly gap: number; readonly compared: number } {
  let gap = 0
  let compared = 0
  for (const [window, answer] of answers.entries()) {
    for (let slo = 0; slo < slos; slo++) {
      const ours = ratioOf(slo, window)
      if (ours === undefined) continue
      const theirs = answer.get(String(slo))
      if (theirs === undefined || !(Math.abs(theirs - ours) <= GAP_MAX))
        throw new BenchFailure(
          `SLO ${slo}, window ${window}, by ${form}: Prometheus says ${theirs}, we say ${ours}`,
        )
      gap = Math.max(gap, Math.abs(theirs - ours))
      compared++
    }
  }
  return { gap, compared }
}
