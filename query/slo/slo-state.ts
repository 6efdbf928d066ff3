// What the evaluation remembers of an SLO between two cycles: plain data, stored and read back as it is. The transitions
// it goes through; how it does lives in evaluate.ts.

import { outageAtStart, type OutageState } from './outage-rule.ts'
import type { Evidence } from './pair-evidence.ts'

/**
 * In order of precedence: what fires, then what keeps from saying anything, then what is left of the budget.
 *
 *   outage               most requests of a slice fail
 *   burning-fast         a page pair fires
 *   burning-slow         a ticket pair fires
 *   error                the question could not be asked
 *   no-data              telemetry is silent, or too little of the SLO window is known
 *   excluded             now is agreed not to count
 *   exhausted            the budget is spent
 *   insufficient-events  it burns, on too few events to wake anybody
 *   no-traffic           telemetry comes, without a single event
 *   healthy
 */
export type Condition =
  | 'outage'
  | 'burning-fast'
  | 'burning-slow'
  | 'error'
  | 'no-data'
  | 'excluded'
  | 'exhausted'
  | 'insufficient-events'
  | 'no-traffic'
  | 'healthy'

/** Why a pair was not judged, so that it stays as it was. `none`: it was judged. */
export type Hold = 'none' | 'no-data' | 'no-traffic' | 'excluded' | 'error' | 'insufficient-events'

export type PairState = {
  readonly id: string
  readonly phase: 'inactive' | 'firing'
  /** End of the slice with which the phase began. */
  readonly sinceMs: number
  readonly hold: Hold
}

export type SloState = {
  /** Bumped when the shape of this state changes. */
  readonly shape: 1
  readonly generation: number
  /** The newest judged instant; undefined before the first. */
  readonly judgedAtMs: number | undefined
  readonly condition: Condition
  readonly conditionSinceMs: number
  /** What fires could not be judged: it stays as it was. */
  readonly isFrozen: boolean
  readonly pairs: readonly PairState[]
  readonly outage: OutageState
  readonly silence: { readonly phase: 'never-heard' | 'heard' | 'silent'; readonly sinceMs: number }
  readonly failures: { readonly count: number; readonly sinceMs: number }
  readonly budget: { readonly phase: 'left' | 'exhausted'; readonly sinceMs: number }
  /** The last figures of the SLO window that were known while telemetry was heard. */
  readonly lastGood: LastGood | undefined
}

export type LastGood = {
  readonly atMs: number
  readonly errorRatio: number
  readonly remainingRatio: number
}

export function stateAtStart(generation: number, atMs: number): SloState {
  return {
    shape: 1,
    generation,
    judgedAtMs: undefined,
    condition: 'no-data',
    conditionSinceMs: atMs,
    isFrozen: false,
    pairs: [],
    outage: outageAtStart(atMs),
    silence: { phase: 'never-heard', sinceMs: atMs },
    failures: { count: 0, sinceMs: atMs },
    budget: { phase: 'left', sinceMs: atMs },
    lastGood: undefined,
  }
}

export type PairWord = 'inactive' | 'firing' | 'frozen' | 'insufficient-events'

/** A pair's state in one word. */
export function pairWord({ phase, hold }: PairState): PairWord {
  if (phase === 'firing') return hold === 'none' ? 'firing' : 'frozen'
  return hold === 'insufficient-events' ? 'insufficient-events' : 'inactive'
}

/** One change. `atMs` is the instant it is true for, however late it is judged. */
export type Transition = { readonly atMs: number } & (
  | { readonly subject: 'condition'; readonly from: Condition; readonly to: Condition }
  | {
      readonly subject: 'pair'
      readonly id: string
      readonly from: PairWord
      readonly to: PairWord
      readonly evidence: Evidence | undefined
    }
  | { readonly subject: 'outage'; readonly from: OutageState['phase']; readonly to: OutageState['phase'] }
  | { readonly subject: 'silence'; readonly from: string; readonly to: 'heard' | 'silent' }
  | { readonly subject: 'measuring'; readonly from: 'works' | 'fails'; readonly to: 'works' | 'fails' }
  | { readonly subject: 'budget'; readonly from: 'left' | 'exhausted'; readonly to: 'left' | 'exhausted' }
)
