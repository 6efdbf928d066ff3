// Running sums of one SLO over its windows. A window is answered by reading its sums; time passing and slices that come
// late or anew change them by what enters, leaves or differs. Counts are whole, so sums are exact however long they are
// kept; an exact recount is the oracle of the tests. Where slices are kept for good is the store's affair: only the
// newest ones are held here (`hotSlices`), and pages of those that are about to leave longer windows (`fillTail`).
//
// Order of a cycle: advanceTo (slices begin, unmeasured) → put (newest and re-measured slices) → figures.

import { PARTS, RATIO_SCALE, unitMs, unitReader, type Budgeting, type ReadUnit } from './budgeting.ts'
import { covers, LeavingPages, type TailRange } from './leaving-pages.ts'
import { changedRanges, isWithin, mergeRanges, type SliceRange } from './slice-ranges.ts'
import { SliceRing, type Put } from './slice-ring.ts'
import { emptyColumns, type SliceColumns } from './slices.ts'
import type { SloWindow } from './slo-window.ts'
import type { WindowFigures, WindowTotals } from './window-figures.ts'
import { WindowTable } from './window-table.ts'

export type WindowSumsOptions = {
  readonly stepMs: number
  readonly budgeting: Budgeting
  /** Windows by their place; rolling ones are multiples of the unit. */
  readonly windows: readonly SloWindow[]
  /** Slices held in memory; what is re-measured must lie within. */
  readonly hotSlices: number
  /** First slice that has not begun. */
  readonly head: number
}

/** Counts of the slice that is still open, added to windows at read. */
export type OpenCounts = { readonly good: number; readonly total: number }

// One unit being read, and what it was before: used within one call only, so all sums share them.
const unitParts = new Float64Array(PARTS)
const beforeParts = new Float64Array(PARTS)

export class WindowSums {
  readonly stepMs: number
  /** Steps per unit. */
  readonly #steps: number
  readonly #unitMs: number
  readonly #read: ReadUnit
  readonly #ring: SliceRing
  readonly #table: WindowTable
  readonly #pages: LeavingPages
  /** Nothing is known before this slice. */
  #knownFrom: number
  #excluded: readonly SliceRange[] = []

  constructor({ stepMs, budgeting, windows, hotSlices, head }: WindowSumsOptions) {
    this.stepMs = stepMs
    this.#unitMs = unitMs(budgeting, stepMs)
    this.#steps = this.#unitMs / stepMs
    this.#read = unitReader(budgeting, stepMs)
    // One unit more than asked: the newest one fills while the oldest of a window still has to be read.
    this.#ring = new SliceRing(Math.ceil(Math.max(hotSlices, 1) / this.#steps + 1) * this.#steps, head)
    this.#table = new WindowTable(
      windows,
      this.#unitMs,
      budgeting.method === 'RatioTimeslices' ? RATIO_SCALE : 1,
    )
    this.#pages = new LeavingPages(windows.length)
    this.#knownFrom = head
    this.#table.place(this.#unitHead(), [])
  }

  get windows(): readonly SloWindow[] {
    return this.#table.windows
  }

  /** First slice that has not begun. */
  get head(): number {
    return this.#ring.head
  }

  get heldSlices(): number {
    return this.#ring.capacity
  }

  /** End of the newest whole unit: where windows end. */
  get countedToMs(): number {
    return this.#unitHead() * this.#unitMs
  }

  /** Steps since the newest known slice; undefined when none of the held ones is known. */
  get silentSlices(): number | undefined {
    return this.#ring.newestKnown < 0 ? undefined : this.#ring.head - 1 - this.#ring.newestKnown
  }

  /** Lets slices begin up to a head; they are unmeasured until `put`. */
  advanceTo(head: number): void {
    while (this.#ring.head < head) this.#advance()
  }

  /** One measuring of a slice: counts as in SliceRow; `state` is UNMEASURED, EMPTY or MEASURED. */
  put(slice: number, good: number, total: number, state: number, revision: number): Put {
    const judged = this.#ring.judge(slice, good, total, state, revision)
    if (judged !== 'taken') return judged
    const unit = Math.floor(slice / this.#steps)
    const first = unit * this.#steps
    const isCounted = unit < this.#unitHead()
    if (isCounted) this.#ring.readUnit(this.#read, first, beforeParts)
    this.#ring.write(slice, good, total, state, revision)
    if (slice < this.#knownFrom) this.#knownFrom = slice
    if (isCounted) {
      this.#ring.readUnit(this.#read, first, unitParts)
      this.#addDifference(unit)
    }
    return 'taken'
  }

  /**
   * What a window holds, with and without exclusions.
   * @param open  counts of the slice that is still open, when it is to be judged as well (Occurrences)
   * @returns undefined when slices that left were not at hand (`wantedTails`); `reload` mends it
   */
  figures(window: number, open?: OpenCounts): WindowFigures | undefined {
    if (this.#table.isTorn(window)) return undefined
    return this.#table.figures(window, this.#unitHead(), open?.good ?? 0, open?.total ?? 0)
  }

  /** Whether slices that left a window were not at hand: `reload` mends it. */
  isTorn(window: number): boolean {
    return this.#table.isTorn(window)
  }

  /** One held slice; undefined when it is not held. */
  slice(
    slice: number,
  ): { readonly good: number; readonly total: number; readonly state: number } | undefined {
    return this.#ring.slice(slice)
  }

  /** Columns over [from, to); what is not held is unmeasured. Revisions are left out. */
  columns(from: number, to: number): SliceColumns {
    const columns = emptyColumns(this.stepMs, from, to - from)
    for (let slice = from; slice < to; slice++) {
      const held = this.#ring.slice(slice)
      if (held === undefined) continue
      columns.good[slice - from] = held.good
      columns.total[slice - from] = held.total
      columns.state[slice - from] = held.state
    }
    return columns
  }

  isExcluded(slice: number): boolean {
    return isWithin(this.#excluded, Math.floor(slice / this.#steps))
  }

  /** Slices [from, to) that a window covers now. */
  bounds(window: number): SliceRange {
    return { from: this.#table.from(window) * this.#steps, to: this.#unitHead() * this.#steps }
  }

  /**
   * Slices that leave long windows during the next `ahead` slices and are not at hand: to be read from the store, once
   * for many slices, and handed to `fillTail` before they leave.
   */
  wantedTails(ahead: number): readonly TailRange[] {
    const wanted: TailRange[] = []
    for (let window = 0; window < this.windows.length; window++) {
      if (this.#isHot(window) || this.#table.isTorn(window)) continue
      const from = this.#table.from(window)
      const to = (from + Math.ceil(ahead / this.#steps)) * this.#steps
      const known = Math.max(from, Math.floor(this.#knownFrom / this.#steps)) * this.#steps
      if (known < to && this.#pages.find(window, known, to) === undefined)
        wanted.push({ window, from: known, to })
    }
    return wanted
  }

  /** Columns over a wanted range. They are kept, not copied. */
  fillTail(window: number, columns: SliceColumns): void {
    this.#pages.put(window, columns)
  }

  /**
   * Sets what is excluded, also of the past: ranges of slices, widened to whole units.
   *
   * @param cold  columns over slices that are no longer held and change their part
   * @returns ranges missing in `cold`: then nothing was changed; empty when done
   */
  setExclusions(ranges: readonly SliceRange[], cold: readonly SliceColumns[] = []): readonly SliceRange[] {
    const after = mergeRanges(
      ranges.map(({ from, to }) => ({
        from: Math.floor(from / this.#steps),
        to: Math.ceil(to / this.#steps),
      })),
    )
    const changed = changedRanges(this.#excluded, after, this.#table.firstUnit(), this.#unitHead())
    const missing = changed
      .flatMap(({ from, to }) => Array.from({ length: to - from }, (_, index) => from + index))
      .filter((unit) => !this.#readAnywhere(unit, cold))
      .map((unit) => ({ from: unit * this.#steps, to: (unit + 1) * this.#steps }))
    if (missing.length > 0) return mergeRanges(missing)
    for (const { from, to, isExcluded } of changed) {
      for (let unit = from; unit < to; unit++) {
        this.#readAnywhere(unit, cold)
        this.#table.exclude(unit, unitParts, isExcluded ? 1 : -1)
      }
    }
    this.#excluded = after
    return []
  }

  /**
   * Slices that are no longer held become others: an approved correction, or history that was measured afterwards.
   * @throws RangeError when the columns do not cover the same whole units before the held ones
   */
  restate(before: SliceColumns, after: SliceColumns): void {
    const from = before.from
    const to = from + before.total.length
    const isWhole = from % this.#steps === 0 && to % this.#steps === 0
    if (!isWhole || after.from !== from || after.total.length !== before.total.length)
      throw new RangeError('a restatement needs columns over the same whole units before and after')
    if (to > this.#ring.from) throw new RangeError('slices that are held are put, not restated')
    for (let unit = from / this.#steps; unit < to / this.#steps; unit++) {
      this.#readColumns(before, unit, beforeParts)
      this.#readColumns(after, unit, unitParts)
      this.#addDifference(unit)
    }
    this.#knownFrom = Math.min(this.#knownFrom, from)
    this.#pages.drop(from, to)
  }

  /** Everything anew at a head, from columns of all that is known. Exclusions stay. */
  load(columns: SliceColumns, head: number): void {
    this.#begin(columns, Math.min(columns.from, head), head)
    const first = Math.ceil(columns.from / this.#steps)
    const end = Math.min(Math.floor((columns.from + columns.total.length) / this.#steps), this.#unitHead())
    for (let unit = first; unit < end; unit++) {
      this.#readColumns(columns, unit, unitParts)
      this.#table.addToAll(unit, unitParts, isWithin(this.#excluded, unit))
    }
  }

  /**
   * Everything anew at a head, from sums that the store made. Exclusions stay; sums of excluded units are by them.
   *
   * @param hot        columns over the slices to be held, as far as they are known
   * @param knownFrom  first slice the store knows
   * @param totals     makes the sums of one window over a range of slices
   */
  start(
    hot: SliceColumns,
    knownFrom: number,
    head: number,
    totals: (range: SliceRange, window: number) => WindowTotals,
  ): void {
    this.#begin(hot, knownFrom, head)
    for (let window = 0; window < this.windows.length; window++)
      this.reload(window, totals(this.bounds(window), window))
  }

  /** Mends one window from sums over its `bounds`. */
  reload(window: number, totals: WindowTotals): void {
    this.#table.replace(window, totals)
  }

  #begin(hot: SliceColumns, knownFrom: number, head: number): void {
    this.#ring.copy(hot, head)
    this.#knownFrom = knownFrom
    this.#pages.clear()
    this.#table.place(this.#unitHead(), this.#excluded)
  }

  #unitHead(): number {
    return Math.floor(this.#ring.head / this.#steps)
  }

  /** Whether all that leaves a window is still in the ring. */
  #isHot(window: number): boolean {
    return (this.#table.length(window) + 1) * this.#steps <= this.#ring.capacity
  }

  #advance(): void {
    const slice = this.#ring.head
    const unit = Math.floor(slice / this.#steps)
    if ((slice + 1) % this.#steps !== 0) {
      this.#ring.begin()
      return
    }
    // What leaves is read first: its place in the ring may be the one that is used again.
    for (let window = 0; window < this.windows.length; window++) this.#leave(window, unit)
    this.#ring.begin()
    const isExcluded = this.#excluded.length > 0 && isWithin(this.#excluded, unit)
    if (isExcluded) this.#table.countExcluded()
    // A unit of one step begins unmeasured and holds nothing; a longer one has its other steps.
    if (this.#steps === 1) return
    this.#ring.readUnit(this.#read, unit * this.#steps, unitParts)
    this.#table.addToAll(unit, unitParts, isExcluded)
  }

  #leave(window: number, entering: number): void {
    const unit = this.#table.roll(window, entering)
    if (unit < 0) return
    const isExcluded = this.#excluded.length > 0 && isWithin(this.#excluded, unit)
    if (isExcluded) this.#table.uncountExcluded(window)
    const first = unit * this.#steps
    if (first + this.#steps <= this.#knownFrom) return
    const page = this.#pages.find(window, first, first + this.#steps)
    if (this.#isHot(window)) this.#ring.readUnit(this.#read, first, unitParts)
    else if (page !== undefined) this.#readColumns(page, unit, unitParts)
    else {
      this.#table.tear(window)
      return
    }
    this.#table.remove(window, unitParts, isExcluded)
  }

  /** Adds what differs between `#before` and `#unit` to every window that holds the unit. */
  #addDifference(unit: number): void {
    for (let part = 0; part < PARTS; part++)
      unitParts[part] = (unitParts[part] ?? 0) - (beforeParts[part] ?? 0)
    this.#table.addToAll(unit, unitParts, this.#excluded.length > 0 && isWithin(this.#excluded, unit))
  }

  #readColumns(columns: SliceColumns, unit: number, out: Float64Array): void {
    const index = unit * this.#steps - columns.from
    this.#read(columns.good, columns.total, columns.state, index, Number.MAX_SAFE_INTEGER, out)
  }

  /** Reads a unit from the ring or from columns; zeros where nothing is known. @returns false when it is missing */
  #readAnywhere(unit: number, cold: readonly SliceColumns[]): boolean {
    const first = unit * this.#steps
    const end = first + this.#steps
    if (first >= this.#ring.from) {
      this.#ring.readUnit(this.#read, first, unitParts)
      return true
    }
    const columns = cold.find((candidate) => covers(candidate, first, end))
    if (columns !== undefined) this.#readColumns(columns, unit, unitParts)
    else unitParts.fill(0)
    return columns !== undefined || end <= this.#knownFrom
  }
}
