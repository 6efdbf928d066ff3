// The newest slices of one SLO, held by column in a ring: slice n lies at n % capacity. Which windows they count in is
// window-sums.ts's affair.

import type { ReadUnit } from './budgeting.ts'
import { isNewer, MEASURED, UNMEASURED, type SliceColumns } from './slices.ts'

/** `ahead`: not begun yet. `outdated`: an older or equal measuring. `cold`: no longer held. */
export type Put = 'taken' | 'outdated' | 'ahead' | 'cold'

export class SliceRing {
  readonly capacity: number
  readonly #good: Uint32Array
  readonly #total: Uint32Array
  readonly #state: Uint8Array
  readonly #revision: Uint32Array
  #head: number
  #newestKnown = -1

  constructor(capacity: number, head: number) {
    this.capacity = capacity
    // One piece of memory: ten thousand SLOs have ten thousand of them, not forty.
    const memory = new ArrayBuffer(capacity * 13)
    this.#good = new Uint32Array(memory, 0, capacity)
    this.#total = new Uint32Array(memory, capacity * 4, capacity)
    this.#revision = new Uint32Array(memory, capacity * 8, capacity)
    this.#state = new Uint8Array(memory, capacity * 12, capacity)
    this.#head = head
  }

  /** First slice that has not begun. */
  get head(): number {
    return this.#head
  }

  /** First slice that is held. */
  get from(): number {
    return this.#head - this.capacity
  }

  /** Newest slice that is not unmeasured; −1 when none of the held ones is. */
  get newestKnown(): number {
    return this.#newestKnown
  }

  /** The slice at the head begins, unmeasured; the oldest one is no longer held. */
  begin(): void {
    const at = this.#head % this.capacity
    this.#good[at] = 0
    this.#total[at] = 0
    this.#state[at] = UNMEASURED
    this.#revision[at] = 0
    this.#head++
    if (this.#newestKnown < this.from) this.#newestKnown = -1
  }

  /** What `write` would mean. */
  judge(slice: number, good: number, total: number, state: number, revision: number): Put {
    if (slice >= this.#head) return 'ahead'
    if (slice < this.from) return 'cold'
    const at = slice % this.capacity
    const isTaken = isNewer(
      revision,
      state,
      good,
      total,
      this.#revision[at] ?? 0,
      this.#state[at] ?? UNMEASURED,
      this.#good[at] ?? 0,
      this.#total[at] ?? 0,
    )
    return isTaken ? 'taken' : 'outdated'
  }

  /** Replaces a held slice. */
  write(slice: number, good: number, total: number, state: number, revision: number): void {
    const at = slice % this.capacity
    this.#good[at] = state === MEASURED ? good : 0
    this.#total[at] = state === MEASURED ? total : 0
    this.#state[at] = state
    this.#revision[at] = revision
    if (state !== UNMEASURED) this.#newestKnown = Math.max(this.#newestKnown, slice)
    else if (slice === this.#newestKnown) this.#newestKnown = this.#findNewestKnown()
  }

  /** @returns undefined when the slice is not held */
  slice(
    slice: number,
  ): { readonly good: number; readonly total: number; readonly state: number } | undefined {
    if (slice >= this.#head || slice < this.from) return undefined
    const at = slice % this.capacity
    return { good: this.#good[at] ?? 0, total: this.#total[at] ?? 0, state: this.#state[at] ?? UNMEASURED }
  }

  /** A unit from its first step, which must be held like the others of it. */
  readUnit(read: ReadUnit, first: number, out: Float64Array): void {
    read(this.#good, this.#total, this.#state, first % this.capacity, this.capacity, out)
  }

  /** Forgets everything, then takes what columns have of the slices before a head. */
  copy(columns: SliceColumns, head: number): void {
    this.#head = head
    for (const column of [this.#good, this.#total, this.#state, this.#revision]) column.fill(0)
    const to = Math.min(columns.from + columns.total.length, head)
    for (let slice = Math.max(columns.from, this.from); slice < to; slice++) {
      const at = slice % this.capacity
      const index = slice - columns.from
      this.#good[at] = columns.good[index] ?? 0
      this.#total[at] = columns.total[index] ?? 0
      this.#state[at] = columns.state[index] ?? UNMEASURED
      this.#revision[at] = columns.revision[index] ?? 0
    }
    this.#newestKnown = this.#findNewestKnown()
  }

  #findNewestKnown(): number {
    for (let slice = this.#head - 1; slice >= Math.max(0, this.from); slice--)
      if (this.#state[slice % this.capacity] !== UNMEASURED) return slice
    return -1
  }
}
