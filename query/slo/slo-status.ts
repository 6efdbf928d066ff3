// Everything a page, a report or a scrape says of one SLO now: figures with and without exclusions, coverage on each,
// budget, burn rates, what fires, and when the budget will be gone. Pure: from running sums and the state kept.

import { timeToExhaustionMs, type BudgetFigures } from './error-budget.ts'
import { judgeWindow, type JudgedWindow } from './judge-window.ts'
import { budgetOf, judged } from './observe.ts'
import { pairEvidence } from './pair-evidence.ts'
import type { CompiledPair, CompiledPolicy } from './slo-policy.ts'
import type { Condition, Hold, LastGood, PairState, SloState } from './slo-state.ts'
import { coverageRatio, type Counts, type WindowFigures } from './window-figures.ts'
import type { WindowSums } from './window-sums.ts'

export type Side = {
  /** Good ÷ all, 0–1; undefined when the window allows no figure. */
  readonly sliRatio: number | undefined
  /** Multiples of the sustainable rate; undefined as above, never 0 for want of data. */
  readonly burnRate: number | undefined
  /** Known ÷ expected, 0–1; undefined when all is excluded. */
  readonly coverage: number | undefined
  readonly kind: JudgedWindow['kind']
  readonly counts: Counts
}

export type WindowStatus = {
  readonly fromMs: number
  readonly toMs: number
  readonly endMs: number
  /** Exclusions applied: what is judged. */
  readonly net: Side
  /** As if there were none. */
  readonly gross: Side
}

export type PairStatus = {
  readonly pair: CompiledPair
  readonly phase: PairState['phase']
  readonly sinceMs: number
  readonly hold: Hold
  /** Whose windows the burn rates are of. */
  readonly by: 'traffic' | 'probe'
  readonly longBurnRate: number | undefined
  readonly shortBurnRate: number | undefined
}

export type Pace = {
  /** The window the pace was taken from. */
  readonly windowMs: number
  readonly burnRate: number
  readonly exhaustedInMs: number | 'never'
}

export type SloStatus = {
  readonly objective: number
  readonly condition: Condition
  readonly sinceMs: number
  readonly isFrozen: boolean
  readonly window: WindowStatus | undefined
  readonly budget: BudgetFigures | undefined
  readonly budgetGross: BudgetFigures | undefined
  readonly burns: readonly { readonly windowMs: number; readonly status: WindowStatus | undefined }[]
  readonly pairs: readonly PairStatus[]
  readonly pace: Pace | undefined
  readonly outage: SloState['outage']
  readonly silence: SloState['silence']
  readonly failures: SloState['failures']
  readonly lastGood: LastGood | undefined
  readonly judgedAtMs: number | undefined
}

/** A window as it is read: what it holds, and what that allows to say with and without exclusions. */
export type ReadWindow = {
  readonly figures: WindowFigures
  readonly net: JudgedWindow
  readonly gross: JudgedWindow
}

/** @param probe  sums of a probe over the same windows */
export function sloStatus(
  slo: CompiledPolicy,
  sums: WindowSums,
  state: SloState,
  probe?: WindowSums,
): SloStatus {
  return statusOf(slo, readWindows(slo, sums), state, probe && readWindows(slo, probe))
}

/** By the places of the compiled policy's windows; undefined where slices are missing. */
export function readWindows(slo: CompiledPolicy, sums: WindowSums): readonly (ReadWindow | undefined)[] {
  return slo.windows.map((_, place) => {
    const figures = sums.figures(place)
    return figures && { figures, net: judged(slo, figures), gross: grossJudged(slo, figures) }
  })
}

/** @param probe  the same windows of a probe */
export function statusOf(
  slo: CompiledPolicy,
  read: readonly (ReadWindow | undefined)[],
  state: SloState,
  probe?: readonly (ReadWindow | undefined)[],
): SloStatus {
  const statuses = read.map((one) => one && toStatus(slo, one))
  const judgedOf = (one: ReadWindow | undefined): JudgedWindow => one?.net ?? { kind: 'no-data', coverage: 0 }
  const windows = read.map(judgedOf)
  const probed = probe?.map(judgedOf)
  const [own] = read
  const budget = own && budgetOf(slo, own.figures, own.net)
  return {
    objective: slo.policy.objective,
    condition: state.condition,
    sinceMs: state.conditionSinceMs,
    isFrozen: state.isFrozen,
    window: statuses[0],
    budget,
    budgetGross: own && budgetOf(slo, own.figures, own.gross),
    burns: slo.windows.flatMap((window, place) =>
      window.kind === 'rolling' ? [{ windowMs: window.durationMs, status: statuses[place] }] : [],
    ),
    pairs: slo.pairs.map((pair) => pairStatus(slo, pair, state, windows, probed)),
    pace: own && paceOf(slo, state, statuses, budget, own.figures.endMs - own.figures.fromMs),
    outage: state.outage,
    silence: state.silence,
    failures: state.failures,
    lastGood: state.lastGood,
    judgedAtMs: state.judgedAtMs,
  }
}

export function windowStatus(slo: CompiledPolicy, figures: WindowFigures): WindowStatus {
  return toStatus(slo, { figures, net: judged(slo, figures), gross: grossJudged(slo, figures) })
}

function toStatus(slo: CompiledPolicy, { figures, net, gross }: ReadWindow): WindowStatus {
  const { fromMs, toMs, endMs } = figures
  return { fromMs, toMs, endMs, net: side(slo, net, figures.net), gross: side(slo, gross, figures.gross) }
}

export function grossJudged({ policy }: CompiledPolicy, { gross }: WindowFigures): JudgedWindow {
  return judgeWindow(gross, policy.missingData, policy.coverageFloor)
}

function side({ budgetRatio }: CompiledPolicy, window: JudgedWindow, counts: Counts): Side {
  const errorRatio = window.kind === 'known' ? window.errorRatio : undefined
  return {
    sliRatio: errorRatio === undefined ? undefined : 1 - errorRatio,
    burnRate: errorRatio === undefined ? undefined : errorRatio / budgetRatio,
    coverage: coverageRatio(counts),
    kind: window.kind,
    counts,
  }
}

function pairStatus(
  { policy, budgetRatio }: CompiledPolicy,
  pair: CompiledPair,
  state: SloState,
  windows: readonly JudgedWindow[],
  probe: readonly JudgedWindow[] | undefined,
): PairStatus {
  const kept = state.pairs.find(({ id }) => id === pair.id)
  const { long, short, by } = pairEvidence(pair, windows, probe, policy.guards.minTotal)
  const burn = (window: JudgedWindow) =>
    window.kind === 'known' ? window.errorRatio / budgetRatio : undefined
  return {
    pair,
    phase: kept?.phase ?? 'inactive',
    sinceMs: kept?.sinceMs ?? state.conditionSinceMs,
    hold: kept?.hold ?? 'no-data',
    by,
    longBurnRate: burn(long),
    shortBurnRate: burn(short),
  }
}

/**
 * The pace that «at this pace» means: of the short window of what fires, because the long one still holds better times;
 * else of the longest pair window that is known, because short ones flutter.
 */
function paceOf(
  slo: CompiledPolicy,
  state: SloState,
  statuses: readonly (WindowStatus | undefined)[],
  budget: BudgetFigures | undefined,
  wholeMs: number,
): Pace | undefined {
  if (budget === undefined) return undefined
  const isFiring = (pair: CompiledPair) =>
    state.pairs.some(({ id, phase }) => id === pair.id && phase === 'firing')
  const byLength = slo.pairs.toSorted((a, b) => a.longWindowMs - b.longWindowMs)
  const firing = byLength.find(isFiring)
  const places =
    firing !== undefined
      ? [firing.short, firing.long]
      : state.outage.phase === 'firing'
        ? [slo.shortest]
        : byLength.map(({ long }) => long).toReversed()
  for (const place of places) {
    const status = statuses[place]
    const burnRate = status?.net.burnRate
    if (status === undefined || burnRate === undefined) continue
    const exhaustedInMs = timeToExhaustionMs(budget.remainingRatio, burnRate, wholeMs)
    return exhaustedInMs === undefined
      ? undefined
      : { windowMs: status.toMs - status.fromMs, burnRate, exhaustedInMs }
  }
  return undefined
}
