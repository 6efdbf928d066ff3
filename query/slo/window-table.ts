// Windows of one SLO on a line of units: where each begins, what it holds. Knows no slices; window-sums.ts feeds it.

import { EXCLUDED_PART, PARTS, UNIT_EMPTY, UNIT_GOOD, UNIT_KNOWN, UNIT_TOTAL } from './budgeting.ts'
import { countWithin, type SliceRange } from './slice-ranges.ts'
import { windowAt, type SloWindow } from './slo-window.ts'
import type { Counts, WindowFigures, WindowTotals } from './window-figures.ts'

// Per window: good, total, known, empty of all units; the same of excluded ones; the number of excluded ones.
const EXCLUDED_UNITS = 2 * PARTS
const STRIDE = 2 * PARTS + 1

export class WindowTable {
  readonly windows: readonly SloWindow[]
  readonly #unitMs: number
  readonly #scale: number
  readonly #from: Float64Array
  /** Units of a rolling window; 0 for one of the calendar, whose end is in `#until`. */
  readonly #length: Float64Array
  readonly #until: Float64Array
  readonly #sums: Float64Array
  readonly #torn: Uint8Array

  /** @param scale  what one is kept as in good and total */
  constructor(windows: readonly SloWindow[], unitMs: number, scale: number) {
    this.windows = windows
    this.#unitMs = unitMs
    this.#scale = scale
    this.#from = new Float64Array(windows.length)
    this.#length = new Float64Array(windows.length)
    this.#until = new Float64Array(windows.length)
    this.#sums = new Float64Array(windows.length * STRIDE)
    this.#torn = new Uint8Array(windows.length)
  }

  /** Places all windows so that they end at a unit, empty but for the number of excluded units. */
  place(unitHead: number, excluded: readonly SliceRange[]): void {
    this.#sums.fill(0)
    this.#torn.fill(0)
    for (const [window, definition] of this.windows.entries()) {
      if (definition.kind === 'rolling') {
        this.#length[window] = definition.durationMs / this.#unitMs
        this.#from[window] = unitHead - definition.durationMs / this.#unitMs
      } else this.#beginCalendar(window, unitHead - 1)
      this.#sums[window * STRIDE + EXCLUDED_UNITS] = countWithin(excluded, this.from(window), unitHead)
    }
  }

  /** First unit of a window. */
  from(window: number): number {
    return this.#from[window] ?? 0
  }

  /** First unit of any window. */
  firstUnit(): number {
    return Math.min(...this.#from)
  }

  /** Units of a rolling window, 0 for one of the calendar. */
  length(window: number): number {
    return this.#length[window] ?? 0
  }

  /** Whether a unit left that was not at hand, so that the sums are not true any more. */
  isTorn(window: number): boolean {
    return this.#torn[window] !== 0
  }

  tear(window: number): void {
    this.#torn[window] = 1
  }

  /**
   * Makes room for a unit that enters.
   * @returns the unit that leaves; −1 when none does: a calendar window grows, or begins anew at its end
   */
  roll(window: number, entering: number): number {
    if (this.length(window) > 0) {
      const leaving = this.from(window)
      this.#from[window] = leaving + 1
      return leaving
    }
    if (entering >= (this.#until[window] ?? 0)) {
      this.#sums.fill(0, window * STRIDE, (window + 1) * STRIDE)
      this.#torn[window] = 0
      this.#beginCalendar(window, entering)
    }
    return -1
  }

  /** Adds a unit to every window that holds it, or what a unit has become more. */
  addToAll(unit: number, values: Float64Array, isExcluded: boolean): void {
    for (let window = 0; window < this.windows.length; window++) {
      if (unit < this.from(window)) continue
      this.#add(window * STRIDE, values, 1)
      if (isExcluded) this.#add(window * STRIDE + EXCLUDED_PART, values, 1)
    }
  }

  /** An excluded unit enters every window. */
  countExcluded(): void {
    for (let window = 0; window < this.windows.length; window++)
      this.#bump(window * STRIDE + EXCLUDED_UNITS, 1)
  }

  /** Takes out a unit that left a window. */
  remove(window: number, values: Float64Array, isExcluded: boolean): void {
    this.#add(window * STRIDE, values, -1)
    if (isExcluded) this.#add(window * STRIDE + EXCLUDED_PART, values, -1)
  }

  /** An excluded unit left a window. */
  uncountExcluded(window: number): void {
    this.#bump(window * STRIDE + EXCLUDED_UNITS, -1)
  }

  /** A unit becomes excluded (1), or counts again (−1). */
  exclude(unit: number, values: Float64Array, sign: 1 | -1): void {
    for (let window = 0; window < this.windows.length; window++) {
      if (unit < this.from(window)) continue
      this.#add(window * STRIDE + EXCLUDED_PART, values, sign)
      this.#bump(window * STRIDE + EXCLUDED_UNITS, sign)
    }
  }

  /** Sums made elsewhere over the whole window. */
  replace(window: number, { all, excluded }: WindowTotals): void {
    for (const [offset, { good, total, known, empty }] of [all, excluded].entries())
      this.#sums.set(
        [Math.round(good * this.#scale), Math.round(total * this.#scale), known, empty],
        window * STRIDE + offset * EXCLUDED_PART,
      )
    this.#torn[window] = 0
  }

  /** @param openGood,openTotal  events beside the counted ones; no unit of time */
  figures(window: number, unitHead: number, openGood: number, openTotal: number): WindowFigures {
    const offset = window * STRIDE
    const sums = this.#sums
    const from = this.from(window)
    const until = this.length(window) > 0 ? unitHead : (this.#until[window] ?? unitHead)
    const units = unitHead - from
    const good = (sums[offset + UNIT_GOOD] ?? 0) / this.#scale + openGood
    const total = (sums[offset + UNIT_TOTAL] ?? 0) / this.#scale + openTotal
    const known = sums[offset + UNIT_KNOWN] ?? 0
    const empty = sums[offset + UNIT_EMPTY] ?? 0
    const gross: Counts = { good, total, known, empty, expected: units }
    const excludedUnits = sums[offset + EXCLUDED_UNITS] ?? 0
    const x = offset + EXCLUDED_PART
    return {
      fromMs: from * this.#unitMs,
      toMs: unitHead * this.#unitMs,
      endMs: until * this.#unitMs,
      wholeUnits: until - from,
      gross,
      net:
        excludedUnits === 0
          ? gross
          : {
              good: good - (sums[x + UNIT_GOOD] ?? 0) / this.#scale,
              total: total - (sums[x + UNIT_TOTAL] ?? 0) / this.#scale,
              known: known - (sums[x + UNIT_KNOWN] ?? 0),
              empty: empty - (sums[x + UNIT_EMPTY] ?? 0),
              expected: units - excludedUnits,
            },
    }
  }

  /** Places a calendar window so that it holds a unit; a start within a unit takes the whole of it. */
  #beginCalendar(window: number, unit: number): void {
    const definition = this.windows[window]
    if (definition === undefined) return
    const { fromMs, toMs } = windowAt(definition, unit * this.#unitMs)
    this.#from[window] = Math.floor(fromMs / this.#unitMs)
    this.#until[window] = Math.floor(toMs / this.#unitMs)
  }

  #add(offset: number, values: Float64Array, sign: 1 | -1): void {
    const sums = this.#sums
    for (let part = 0; part < PARTS; part++)
      sums[offset + part] = (sums[offset + part] ?? 0) + sign * (values[part] ?? 0)
  }

  #bump(place: number, by: 1 | -1): void {
    this.#sums[place] = (this.#sums[place] ?? 0) + by
  }
}
