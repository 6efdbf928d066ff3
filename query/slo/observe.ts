// From running sums to what the evaluation judges: every window once, exclusions applied, and the slices since last time.

import { budgetFigures, remainingBudgetRatio, type BudgetFigures } from './error-budget.ts'
import type { Measured } from './evaluate.ts'
import { judgeWindow, type JudgedWindow } from './judge-window.ts'
import type { OutageSlice } from './outage-rule.ts'
import { MEASURED } from './slices.ts'
import type { CompiledPolicy } from './slo-policy.ts'
import { elapsedRatio } from './slo-window.ts'
import type { SloState } from './slo-state.ts'
import type { WindowFigures } from './window-figures.ts'
import type { OpenCounts, WindowSums } from './window-sums.ts'

export type ObserveOptions = {
  /** Sums of a probe over the same windows. */
  readonly probe?: WindowSums | undefined
  /** The open slice so far, and the instant it is judged at; else windows end at the newest closed slice. */
  readonly open?: (OpenCounts & { readonly atMs: number }) | undefined
}

/** @param before  the state that will be evaluated: says which slices are new to it */
export function observe(
  slo: CompiledPolicy,
  sums: WindowSums,
  before: SloState,
  { probe, open }: ObserveOptions = {},
): Measured {
  const { policy } = slo
  const isOpenCounted = policy.budgeting.method === 'Occurrences' && !sums.isExcluded(sums.head)
  const counted = isOpenCounted ? open : undefined
  const own = sums.figures(0, counted)
  const windows = slo.windows.map((_, place) => judged(slo, place === 0 ? own : sums.figures(place, counted)))
  const [judgedOwn = { kind: 'no-data', coverage: 0 }] = windows
  return {
    kind: 'measured',
    atMs: open?.atMs ?? sums.head * sums.stepMs,
    windows,
    probe: probe === undefined ? undefined : slo.windows.map((_, place) => judged(slo, probe.figures(place))),
    remainingRatio: own === undefined ? undefined : remainingOf(slo, own, judgedOwn),
    silentSlices: sums.silentSlices,
    slices: policy.outage === undefined ? [] : newSlices(sums, before.outage.judgedToMs, open),
    isExcludedNow: sums.isExcluded(sums.head - 1),
  }
}

/** The budget of the SLO window as it is judged. */
export function budgetOf(
  { policy }: CompiledPolicy,
  figures: WindowFigures,
  own: JudgedWindow,
): BudgetFigures | undefined {
  return budgetFigures(
    own,
    policy.objective,
    elapsedRatio(policy.window, { fromMs: figures.fromMs, toMs: figures.endMs }, figures.toMs),
    policy.budgeting.method === 'Occurrences' ? undefined : figures.wholeUnits,
  )
}

/** What is left of it alone: all that a cycle needs. */
function remainingOf(
  { policy, budgetRatio }: CompiledPolicy,
  figures: WindowFigures,
  own: JudgedWindow,
): number | undefined {
  const elapsed = elapsedRatio(policy.window, { fromMs: figures.fromMs, toMs: figures.endMs }, figures.toMs)
  return remainingBudgetRatio(own, budgetRatio, elapsed)
}

export function judged({ policy }: CompiledPolicy, figures: WindowFigures | undefined): JudgedWindow {
  if (figures === undefined) return { kind: 'no-data', coverage: 0 }
  return judgeWindow(figures.net, policy.missingData, policy.coverageFloor)
}

function newSlices(
  sums: WindowSums,
  judgedToMs: number,
  open: ObserveOptions['open'],
): readonly OutageSlice[] {
  const { stepMs, head } = sums
  const slices: OutageSlice[] = []
  for (let slice = Math.max(Math.floor(judgedToMs / stepMs), head - sums.heldSlices); slice < head; slice++) {
    const held = sums.slice(slice)
    if (held === undefined) continue
    slices.push({
      startMs: slice * stepMs,
      endMs: (slice + 1) * stepMs,
      good: held.good,
      total: held.total,
      isEvidence: held.state === MEASURED && !sums.isExcluded(slice),
      isOpen: false,
    })
  }
  if (open !== undefined)
    slices.push({
      startMs: head * stepMs,
      endMs: (head + 1) * stepMs,
      good: open.good,
      total: open.total,
      isEvidence: !sums.isExcluded(head),
      isOpen: true,
    })
  return slices
}
