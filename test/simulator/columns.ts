// Trace rows that grow at their end and are read as views, without copying.

import type { TraceRows } from '../../query/blame/case.ts'

const FIRST = 4096
/** Counts of a row. */
export const COUNTS = 6

export class GrowingRows {
  length = 0
  #size = FIRST
  #whole = [new Int32Array(FIRST), new Int32Array(FIRST), new Int32Array(FIRST), new Int32Array(FIRST)]
  #counts = [
    new Float64Array(FIRST),
    new Float64Array(FIRST),
    new Float64Array(FIRST),
    new Float64Array(FIRST),
    new Float64Array(FIRST),
    new Float64Array(FIRST),
  ]

  /** @param counts requests, system errors, business errors, shed, rejects, slow */
  push(minute: number, entry: number, cell: number, touch: number, counts: Float64Array, from: number): void {
    if (this.length === this.#size) this.#grow()
    const at = this.length
    const [minutes, entries, cells, touches] = this.#whole as [Int32Array, Int32Array, Int32Array, Int32Array]
    minutes[at] = minute
    entries[at] = entry
    cells[at] = cell
    touches[at] = touch
    for (let column = 0; column < COUNTS; column += 1)
      (this.#counts[column] as Float64Array)[at] = counts[from + column] as number
    this.length = at + 1
  }

  view(from: number, to: number): TraceRows {
    const whole = this.#whole.map((column) => column.subarray(from, to)) as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ]
    const counts = this.#counts.map((column) => column.subarray(from, to)) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ]
    return {
      length: to - from,
      minute: whole[0],
      entry: whole[1],
      cell: whole[2],
      touch: whole[3],
      requests: counts[0],
      systemErrors: counts[1],
      businessErrors: counts[2],
      shed: counts[3],
      rejects: counts[4],
      slow: counts[5],
    }
  }

  #grow(): void {
    this.#size *= 2
    this.#whole = this.#whole.map((column) => {
      const larger = new Int32Array(this.#size)
      larger.set(column)
      return larger
    })
    this.#counts = this.#counts.map((column) => {
      const larger = new Float64Array(this.#size)
      larger.set(column)
      return larger
    })
  }
}
