// The evaluation of one SLO as a pure state machine over judged windows: state and observation in, state and transitions
// out. It reads no clock and no store; the same observations in the same order give the same states, also after a restart.
//
//   pair:    inactive → firing when both windows are known to burn and the guards are met
//            firing → inactive when the short window is known, and one of the two known not to burn
//            anything that is not known leaves the phase as it is and says why (hold)
//   silence: never-heard → heard ⇄ silent
//   budget:  left ⇄ exhausted, while the SLO window is known

import type { JudgedWindow } from './judge-window.ts'
import { judgeOutage, type OutageSlice, type OutageState } from './outage-rule.ts'
import { pairEvidence, judgedAt, type Evidence } from './pair-evidence.ts'
import type { CompiledPair, CompiledPolicy } from './slo-policy.ts'
import {
  pairWord,
  type Condition,
  type Hold,
  type PairState,
  type SloState,
  type Transition,
} from './slo-state.ts'

export type Measured = {
  readonly kind: 'measured'
  /** The instant judged: the end of the newest closed slice, or later within the open one. */
  readonly atMs: number
  /** By the places of the compiled policy's windows; exclusions applied. */
  readonly windows: readonly JudgedWindow[]
  /** The same windows of a probe, used where traffic is below `minTotal`; undefined without one. */
  readonly probe: readonly JudgedWindow[] | undefined
  /** Part of the budget that is left, signed; undefined when the SLO window is not known. */
  readonly remainingRatio: number | undefined
  /** Slices since the newest known one; undefined when none is. */
  readonly silentSlices: number | undefined
  /** Slices since the last cycle, oldest first, the open one last. */
  readonly slices: readonly OutageSlice[]
  /** Whether the newest slice is excluded. */
  readonly isExcludedNow: boolean
}

/** The question could not be asked. */
export type Failed = { readonly kind: 'failed'; readonly atMs: number }

export type Observation = Measured | Failed

export type Evaluation = { readonly state: SloState; readonly transitions: readonly Transition[] }

/** An instant that was judged before changes nothing. */
export function evaluate(slo: CompiledPolicy, before: SloState, observation: Observation): Evaluation {
  if (before.judgedAtMs !== undefined && observation.atMs <= before.judgedAtMs)
    return { state: before, transitions: [] }
  return observation.kind === 'failed' ? fail(slo, before, observation) : judge(slo, before, observation)
}

function judge(slo: CompiledPolicy, before: SloState, observed: Measured): Evaluation {
  const { atMs } = observed
  const transitions: Transition[] = []
  const pairs = slo.pairs.map((pair) => judgePair(slo, pair, before, observed, transitions))
  const outage = judgeSlices(slo, before.outage, observed.slices)
  if (outage.phase !== before.outage.phase)
    transitions.push({ atMs: outage.sinceMs, subject: 'outage', from: before.outage.phase, to: outage.phase })

  const silencePhase = silencePhaseOf(slo, before, observed)
  const silence =
    silencePhase === before.silence.phase ? before.silence : { phase: silencePhase, sinceMs: atMs }
  if (silence !== before.silence && silencePhase !== 'never-heard' && before.silence.phase !== 'never-heard')
    transitions.push({ atMs, subject: 'silence', from: before.silence.phase, to: silencePhase })

  const { remainingRatio } = observed
  const budgetPhase =
    remainingRatio === undefined ? before.budget.phase : remainingRatio > 0 ? 'left' : 'exhausted'
  const budget = budgetPhase === before.budget.phase ? before.budget : { phase: budgetPhase, sinceMs: atMs }
  if (budget !== before.budget)
    transitions.push({ atMs, subject: 'budget', from: before.budget.phase, to: budgetPhase })

  if (before.failures.count >= slo.policy.failuresMax)
    transitions.push({ atMs, subject: 'measuring', from: 'fails', to: 'works' })
  const own = observed.windows[0]
  const state: SloState = {
    ...before,
    judgedAtMs: atMs,
    pairs,
    outage,
    silence,
    budget,
    failures: before.failures.count === 0 ? before.failures : { count: 0, sinceMs: atMs },
    lastGood:
      own?.kind === 'known' && remainingRatio !== undefined && silence.phase === 'heard'
        ? { atMs, errorRatio: own.errorRatio, remainingRatio }
        : before.lastGood,
  }
  return conclude(state, conditionOf(slo, state, observed), isFrozen(state, observed), atMs, transitions)
}

/** Nothing was learnt: whatever fires stays, and is said to be frozen. The instant stays due. */
function fail(slo: CompiledPolicy, before: SloState, { atMs }: Failed): Evaluation {
  const count = before.failures.count + 1
  const transitions: Transition[] = []
  if (count === slo.policy.failuresMax)
    transitions.push({ atMs, subject: 'measuring', from: 'works', to: 'fails' })
  const pairs = before.pairs.map((pair) => {
    const held: PairState = { ...pair, hold: 'error' }
    tell(pair, held, atMs, undefined, transitions)
    return held
  })
  const state: SloState = {
    ...before,
    pairs,
    failures: { count, sinceMs: count === 1 ? atMs : before.failures.sinceMs },
  }
  const condition = firingCondition(slo, state) ?? 'error'
  return conclude(state, condition, condition !== 'error', atMs, transitions)
}

function conclude(
  state: SloState,
  condition: Condition,
  frozen: boolean,
  atMs: number,
  transitions: Transition[],
): Evaluation {
  if (condition !== state.condition)
    transitions.push({ atMs, subject: 'condition', from: state.condition, to: condition })
  const conditionSinceMs = condition === state.condition ? state.conditionSinceMs : atMs
  return { state: { ...state, condition, conditionSinceMs, isFrozen: frozen }, transitions }
}

function judgePair(
  slo: CompiledPolicy,
  pair: CompiledPair,
  before: SloState,
  observed: Measured,
  transitions: Transition[],
): PairState {
  const was = before.pairs.find(({ id }) => id === pair.id) ?? startOf(pair, observed.atMs)
  const { guards } = slo.policy
  const evidence = pairEvidence(pair, observed.windows, observed.probe, guards.minTotal)
  const is = judgeEvidence(evidence, was, guards, observed.atMs)
  tell(was, is, observed.atMs, evidence, transitions)
  return is
}

function judgeEvidence(
  { thresholdRatio, long, short, by }: Evidence,
  was: PairState,
  guards: { readonly minTotal: number; readonly minBad: number },
  atMs: number,
): PairState {
  const hold = (reason: Hold): PairState => (was.hold === reason ? was : { ...was, hold: reason })
  const turn = (phase: PairState['phase']): PairState =>
    was.phase === phase ? hold('none') : { id: was.id, phase, sinceMs: atMs, hold: 'none' }
  // Nothing resolves before the short window is measured, and then the long one no longer matters.
  if (short.kind !== 'known') return hold(short.kind)
  if (!(short.errorRatio > thresholdRatio)) return turn('inactive')
  if (long.kind !== 'known') return hold(long.kind)
  if (!(long.errorRatio > thresholdRatio)) return turn('inactive')
  // Guards keep an alert from beginning; one that has begun ends by being measured healthy.
  const isEnough =
    (by === 'probe' || long.total >= guards.minTotal) &&
    long.bad >= guards.minBad &&
    short.bad >= guards.minBad
  return was.phase === 'firing' || isEnough ? turn('firing') : hold('insufficient-events')
}

function startOf(pair: CompiledPair, atMs: number): PairState {
  return { id: pair.id, phase: 'inactive', sinceMs: atMs, hold: 'none' }
}

function tell(
  was: PairState,
  is: PairState,
  atMs: number,
  evidence: Evidence | undefined,
  transitions: Transition[],
): void {
  if (was === is) return
  const from = pairWord(was)
  const to = pairWord(is)
  if (from !== to) transitions.push({ atMs, subject: 'pair', id: is.id, from, to, evidence })
}

function judgeSlices(
  { policy }: CompiledPolicy,
  before: OutageState,
  slices: readonly OutageSlice[],
): OutageState {
  const { outage } = policy
  return outage === undefined
    ? before
    : slices.reduce((state, slice) => judgeOutage(outage, state, slice), before)
}

function silencePhaseOf(
  { policy }: CompiledPolicy,
  before: SloState,
  { silentSlices }: Measured,
): SloState['silence']['phase'] {
  if (silentSlices === undefined) return before.silence.phase === 'never-heard' ? 'never-heard' : 'silent'
  return silentSlices < policy.silentSlices ? 'heard' : 'silent'
}

function firingCondition(slo: CompiledPolicy, state: SloState): Condition | undefined {
  if (state.outage.phase === 'firing') return 'outage'
  const firing = firingPairs(slo, state)
  if (firing.some(({ severity }) => severity === 'page')) return 'burning-fast'
  return firing.length > 0 ? 'burning-slow' : undefined
}

function firingPairs(slo: CompiledPolicy, state: SloState): readonly CompiledPair[] {
  return slo.pairs.filter(({ id }) => state.pairs.some((pair) => pair.id === id && pair.phase === 'firing'))
}

function conditionOf(slo: CompiledPolicy, state: SloState, observed: Measured): Condition {
  const firing = firingCondition(slo, state)
  if (firing !== undefined) return firing
  const own = judgedAt(observed.windows, 0)
  if (state.silence.phase !== 'heard' || own.kind === 'no-data') return 'no-data'
  if (observed.isExcludedNow || own.kind === 'excluded') return 'excluded'
  if (state.budget.phase === 'exhausted') return 'exhausted'
  if (state.pairs.some(({ hold }) => hold === 'insufficient-events')) return 'insufficient-events'
  if (own.kind === 'no-traffic' || judgedAt(observed.windows, slo.shortest).kind === 'no-traffic')
    return 'no-traffic'
  return 'healthy'
}

/** Whether what makes the condition could not be judged: all firing pairs on hold, or an outage without new evidence. */
function isFrozen(state: SloState, observed: Measured): boolean {
  if (state.outage.phase === 'firing') return !observed.slices.some(({ isEvidence }) => isEvidence)
  const held = state.pairs.filter(({ phase }) => phase === 'firing')
  return held.length > 0 && held.every(({ hold }) => hold !== 'none')
}
