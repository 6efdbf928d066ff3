// Plays an SLO slice by slice through sums and evaluation, as the loop does, and keeps what happened.

import { EMPTY, MEASURED, UNMEASURED, emptyColumns, type SliceColumns } from '../../query/slo/slices.ts'
import { evaluate } from '../../query/slo/evaluate.ts'
import { observe, type ObserveOptions } from '../../query/slo/observe.ts'
import { compilePolicy, type CompiledPolicy, type SloPolicy } from '../../query/slo/slo-policy.ts'
import { sloStatus, type SloStatus } from '../../query/slo/slo-status.ts'
import { stateAtStart, type SloState, type Transition } from '../../query/slo/slo-state.ts'
import { WindowSums } from '../../query/slo/window-sums.ts'

/** What one slice holds. */
export type Held = 'unmeasured' | 'empty' | { readonly good: number; readonly total: number }

export class SloPlay {
  readonly slo: CompiledPolicy
  readonly sums: WindowSums
  readonly transitions: Transition[] = []
  state: SloState
  #revision = 1

  /** @param hotSlices  slices held; the default holds every rolling window */
  constructor(policy: SloPolicy, startMs: number, hotSlices?: number) {
    this.slo = compilePolicy(policy)
    const { stepMs } = policy
    const longest = Math.max(
      ...this.slo.windows.map((window) => (window.kind === 'rolling' ? window.durationMs : 0)),
    )
    this.sums = new WindowSums({
      stepMs,
      budgeting: policy.budgeting,
      windows: this.slo.windows,
      hotSlices: hotSlices ?? longest / stepMs,
      head: startMs / stepMs,
    })
    this.state = stateAtStart(1, startMs)
  }

  get nowMs(): number {
    return this.sums.head * this.sums.stepMs
  }

  /** One slice passes without being judged. */
  pass(held: Held): void {
    const slice = this.sums.head
    this.sums.advanceTo(slice + 1)
    this.set(slice, held)
  }

  /** Measures a slice, perhaps anew. */
  set(slice: number, held: Held): void {
    const { good, total } = typeof held === 'string' ? { good: 0, total: 0 } : held
    const state = held === 'unmeasured' ? UNMEASURED : total === 0 ? EMPTY : MEASURED
    if (state !== UNMEASURED || this.sums.slice(slice)?.state !== UNMEASURED)
      this.sums.put(slice, good, total, state, this.#revision++)
  }

  /** Slices pass without being judged. */
  history(count: number, held: Held | ((index: number) => Held)): void {
    for (let index = 0; index < count; index++) this.pass(typeof held === 'function' ? held(index) : held)
  }

  /** One slice passes and is judged. */
  step(held: Held, options: ObserveOptions = {}): readonly Transition[] {
    this.pass(held)
    return this.judge(options)
  }

  /** Slices pass, each judged. */
  steps(count: number, held: Held | ((index: number) => Held)): readonly Transition[] {
    return Array.from({ length: count }, (_, index) =>
      this.step(typeof held === 'function' ? held(index) : held),
    ).flat()
  }

  judge(options: ObserveOptions = {}): readonly Transition[] {
    const { state, transitions } = evaluate(
      this.slo,
      this.state,
      observe(this.slo, this.sums, this.state, options),
    )
    this.state = state
    this.transitions.push(...transitions)
    return transitions
  }

  /** The question fails at an instant. */
  fail(atMs: number): readonly Transition[] {
    const { state, transitions } = evaluate(this.slo, this.state, { kind: 'failed', atMs })
    this.state = state
    this.transitions.push(...transitions)
    return transitions
  }

  status(): SloStatus {
    return sloStatus(this.slo, this.sums, this.state)
  }

  /** What is held, as the store would give it back. */
  stored(): SliceColumns {
    const from = Math.max(0, this.sums.head - this.sums.heldSlices)
    const columns = emptyColumns(this.sums.stepMs, from, this.sums.head - from)
    for (let slice = from; slice < this.sums.head; slice++) {
      const held = this.sums.slice(slice)
      if (held === undefined || held.state === UNMEASURED) continue
      columns.good[slice - from] = held.good
      columns.total[slice - from] = held.total
      columns.state[slice - from] = held.state
      columns.revision[slice - from] = 1
    }
    return columns
  }
}

/** The words a pair went through, with the time of day (UTC). */
export function pairWords(transitions: readonly Transition[], id: string): readonly string[] {
  return transitions.flatMap((transition) =>
    transition.subject === 'pair' && transition.id === id
      ? [`${clock(transition.atMs)} ${transition.to}`]
      : [],
  )
}

export function conditionWords(transitions: readonly Transition[]): readonly string[] {
  return transitions.flatMap((transition) =>
    transition.subject === 'condition' ? [`${clock(transition.atMs)} ${transition.to}`] : [],
  )
}

export function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 16)
}
