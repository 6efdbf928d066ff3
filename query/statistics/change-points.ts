// Where a series changed its level: E-divisive (energy statistics, α = 1) with a t test in place of random permutations, so that the
// same series gives the same points. Sources: Matteson and James 2014; the settings of Hunter and Otava.

import { studentTail } from './student.ts'

export type ChangePoint = {
  /** First index of the new level. */
  readonly index: number
  readonly statistic: number
  readonly p: number
  readonly before: number
  readonly after: number
}

/** @returns change points in order of index; halves are searched again until none is significant at `pMax`. */
export function changePoints(series: readonly number[], pMax = 0.01): readonly ChangePoint[] {
  const distances = new PairDistances(series)
  const found: ChangePoint[] = []
  const intervals: [number, number][] = [[0, series.length]]
  while (intervals.length > 0) {
    const interval = intervals.pop()
    if (interval === undefined) break
    const [start, end] = interval
    const candidate = distances.candidate(start, end)
    if (candidate === undefined) continue
    const test = welch(series.slice(start, candidate.index), series.slice(candidate.index, end))
    if (test === undefined || test.p > pMax) continue
    found.push({ ...candidate, ...test })
    intervals.push([start, candidate.index], [candidate.index, end])
  }
  return found.sort((a, b) => a.index - b.index)
}

/** Sums of |xᵢ − xⱼ| over blocks, by two-dimensional running sums. */
class PairDistances {
  readonly #sums: Float64Array
  readonly #width: number

  constructor(series: readonly number[]) {
    const n = series.length
    this.#width = n + 1
    this.#sums = new Float64Array(this.#width * this.#width)
    for (let i = 0; i < n; i++) {
      let row = 0
      for (let j = 0; j < n; j++) {
        row += Math.abs((series[i] ?? 0) - (series[j] ?? 0))
        this.#sums[(i + 1) * this.#width + j + 1] = (this.#sums[i * this.#width + j + 1] ?? 0) + row
      }
    }
  }

  #block(fromRow: number, toRow: number, fromColumn: number, toColumn: number): number {
    const at = (row: number, column: number): number => this.#sums[row * this.#width + column] ?? 0
    return at(toRow, toColumn) - at(fromRow, toColumn) - at(toRow, fromColumn) + at(fromRow, fromColumn)
  }

  /** The split τ of [start, end) with the largest Q̂ = τ(κ−τ)/κ · Ê over all κ; at least one value on each side. */
  candidate(start: number, end: number): { readonly index: number; readonly statistic: number } | undefined {
    let best: { index: number; statistic: number } | undefined
    for (let tau = start + 1; tau < end; tau++) {
      const n = tau - start
      const left = n > 1 ? this.#block(start, tau, start, tau) / (n * (n - 1)) : 0
      for (let kappa = tau + 1; kappa <= end; kappa++) {
        const m = kappa - tau
        const between = (2 * this.#block(start, tau, tau, kappa)) / (n * m)
        const right = m > 1 ? this.#block(tau, kappa, tau, kappa) / (m * (m - 1)) : 0
        const statistic = ((n * m) / (n + m)) * (between - left - right)
        if (statistic > (best?.statistic ?? 0)) best = { index: tau, statistic }
      }
    }
    return best
  }
}

/** Two-sided t test of two means with pooled variance; a side of one value borrows the other's spread. */
function welch(
  left: readonly number[],
  right: readonly number[],
): { readonly p: number; readonly before: number; readonly after: number } | undefined {
  const [m, n] = [left.length, right.length]
  if (m + n < 3) return undefined
  const [before, after] = [mean(left), mean(right)]
  const squares =
    left.reduce((sum, x) => sum + (x - before) ** 2, 0) + right.reduce((sum, x) => sum + (x - after) ** 2, 0)
  const freedom = m + n - 2
  const error = Math.sqrt((squares / freedom) * (1 / m + 1 / n))
  if (error === 0) return { p: before === after ? 1 : 0, before, after }
  return { p: 2 * studentTail(Math.abs(before - after) / error, freedom), before, after }
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length
