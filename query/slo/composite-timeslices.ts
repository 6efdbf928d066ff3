// A composite of Timeslices: a time slice of it is bad when it is bad for any part, so its windows cannot be worked out from
// those of its parts. It has sums of its own over judged time slices, which are read from what its parts hold.

import { unitReader, PARTS, UNIT_EMPTY, UNIT_GOOD, UNIT_KNOWN, type Budgeting } from './budgeting.ts'
import { compositeSlices } from './composite.ts'
import type { Measured } from './evaluate.ts'
import { observe } from './observe.ts'
import type { SliceRange } from './slice-ranges.ts'
import { EMPTY, emptyColumns, MEASURED, UNMEASURED, type SliceColumns } from './slices.ts'
import type { CompiledPolicy } from './slo-policy.ts'
import type { SloState } from './slo-state.ts'
import { WindowSums } from './window-sums.ts'

export type Timeslices = Extract<Budgeting, { method: 'Timeslices' }>

export type TimeslicePart = { readonly sums: WindowSums; readonly budgeting: Timeslices }

/**
 * Steps as judged time slices: total 1, good 0 or 1.
 * @param columns  from the beginning of a time slice; one that is not whole at the end is left out
 */
export function judgedTimeSlices(columns: SliceColumns, budgeting: Timeslices): SliceColumns {
  const { stepMs, from, good, total, state, revision } = columns
  const steps = budgeting.timeSliceMs / stepMs
  const read = unitReader(budgeting, stepMs)
  const judged = emptyColumns(budgeting.timeSliceMs, from / steps, Math.floor(total.length / steps))
  const unit = new Float64Array(PARTS)
  for (let index = 0; index < judged.total.length; index++) {
    read(good, total, state, index * steps, Number.MAX_SAFE_INTEGER, unit)
    for (let step = index * steps; step < (index + 1) * steps; step++)
      judged.revision[index] = Math.max(judged.revision[index] ?? 0, revision[step] ?? 0)
    if (unit[UNIT_KNOWN] === 0) continue
    judged.state[index] = unit[UNIT_EMPTY] === 1 ? EMPTY : MEASURED
    if (judged.state[index] === EMPTY) continue
    judged.total[index] = 1
    judged.good[index] = unit[UNIT_GOOD] ?? 0
  }
  return judged
}

export class CompositeTimeslices {
  /** Of time slices: its slices are as long as they. */
  readonly sums: WindowSums
  readonly #parts: readonly TimeslicePart[]
  /** Steps of a part in a time slice. */
  readonly #steps: number
  #revision = 1

  /**
   * @param parts  at least one; time slices of one length, steps of one length
   * @throws RangeError otherwise
   */
  constructor(slo: CompiledPolicy, parts: readonly TimeslicePart[]) {
    const [first] = parts
    if (first === undefined) throw new RangeError('a composite needs at least one part')
    const { timeSliceMs, emptySlices } = first.budgeting
    const { stepMs } = first.sums
    if (parts.some(({ sums, budgeting }) => budgeting.timeSliceMs !== timeSliceMs || sums.stepMs !== stepMs))
      throw new RangeError('the parts of a composite have time slices of one length')
    this.#parts = parts
    this.#steps = timeSliceMs / stepMs
    this.sums = new WindowSums({
      stepMs: timeSliceMs,
      budgeting: { method: 'Timeslices', timeSliceMs, timeSliceTarget: 1, emptySlices },
      windows: slo.windows,
      // The oldest time slice a part holds may not be whole.
      hotSlices: Math.floor(first.sums.heldSlices / this.#steps) - 2,
      head: Math.floor(first.sums.head / this.#steps),
    })
  }

  /** @param ranges  in slices of the parts */
  setExclusions(ranges: readonly SliceRange[]): void {
    this.sums.setExclusions(
      ranges.map(({ from, to }) => ({
        from: Math.floor(from / this.#steps),
        to: Math.ceil(to / this.#steps),
      })),
    )
  }

  /** Slices [from, to) of the parts that a range of time slices covers. */
  stepsOf({ from, to }: SliceRange): SliceRange {
    return { from: from * this.#steps, to: to * this.#steps }
  }

  /** Columns of the parts, in their order and over whole time slices, as those of the composite. */
  combine(columns: readonly SliceColumns[]): SliceColumns {
    return compositeSlices(
      this.#parts.flatMap(({ budgeting }, index) => {
        const own = columns[index]
        return own === undefined ? [] : [judgedTimeSlices(own, budgeting)]
      }),
    )
  }

  /** Everything anew at the parts' head, from columns of all that is known of them. */
  load(columns: readonly SliceColumns[]): void {
    const whole = this.combine(columns)
    this.#revision = 1 + whole.revision.reduce((newest, revision) => Math.max(newest, revision), 0)
    this.sums.load(whole, this.#head())
  }

  /** Takes over what the parts hold: any of their slices may be new or another. */
  sync(): void {
    const head = this.#head()
    this.sums.advanceTo(head)
    const range = { from: Math.max(0, head - this.sums.heldSlices), to: head }
    const { from, to } = this.stepsOf(range)
    const whole = this.combine(this.#parts.map(({ sums }) => sums.columns(from, to)))
    for (let slice = range.from; slice < range.to; slice++) {
      const place = slice - range.from
      const [good = 0, total = 0, state = UNMEASURED] = [
        whole.good[place],
        whole.total[place],
        whole.state[place],
      ]
      const held = this.sums.slice(slice)
      if (held === undefined || (held.state === state && held.good === good)) continue
      this.sums.put(slice, good, total, state, this.#revision++)
    }
  }

  /** As `observe`, at the parts' head. */
  observe(slo: CompiledPolicy, before: SloState): Measured {
    const silent = this.#parts.map(({ sums }) => sums.silentSlices)
    const [first] = this.#parts as [TimeslicePart]
    return {
      ...observe(slo, this.sums, before),
      atMs: first.sums.head * first.sums.stepMs,
      silentSlices: silent.includes(undefined) ? undefined : Math.max(...silent.map((slices) => slices ?? 0)),
      // An outage is told by the part's own SLO.
      slices: [],
    }
  }

  #head(): number {
    return Math.floor((this.#parts[0]?.sums.head ?? 0) / this.#steps)
  }
}
