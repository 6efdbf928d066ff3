// Which series came today, so that each is written down once a day, and that their number stays bounded: per metric,
// in all, and the number of metric names. Kept in memory, begun anew each UTC day and with each process; a restart
// therefore admits the day's series once more.
//
// States of a series: unknown → admitted (counted) → stored (written down), or unknown → beyond the bound.

import type { Clock } from '../runtime/clock.ts'
import type { MetricRun } from './walk-metrics.ts'

/** What becomes of a point: it keeps its series, goes to the overflow series of its metric, or is not stored. */
export type Verdict = 'kept' | 'folded' | 'refused'

export type SeriesBounds = {
  readonly perMetricMax: number
  readonly seriesMax: number
  readonly namesMax: number
}

export type Admission = {
  /** Marks that are not written down yet. */
  readonly unstored: readonly number[]
  /** Set for the rare message that has points beyond a bound: one verdict a point. */
  readonly verdicts: readonly Verdict[] | undefined
}

export interface SeriesRegister {
  /** Of the marks: marks of another register mean nothing here. */
  readonly seed: number
  admit(metrics: readonly MetricRun[], marks: readonly number[]): Admission
  /** Whether any of the marks is not written down (any more). */
  hasUnstored(marks: readonly number[]): boolean
  stored(marks: readonly number[]): void
  /** Series admitted today, for a gauge. */
  size(): number
}

const DAY_MS = 86_400_000
const ADMITTED = 1
const STORED = 2

export function buildSeriesRegister(bounds: SeriesBounds, clock: Clock, seed: number): SeriesRegister {
  let day = 0
  let states = new Map<number, typeof ADMITTED | typeof STORED>()
  let perMetric = new Map<string, number>()

  function turnDay(): void {
    const today = Math.floor(clock.now() / DAY_MS)
    if (today === day) return
    day = today
    states = new Map()
    perMetric = new Map()
  }

  return {
    seed,
    size: () => states.size,
    admit(metrics, marks) {
      turnDay()
      const unstored: number[] = []
      let verdicts: Verdict[] | undefined
      for (const { name, from, to } of metrics) {
        let count = perMetric.get(name)
        const isRefused = count === undefined && perMetric.size >= bounds.namesMax
        count ??= 0
        for (let index = from; index < to; index += 1) {
          const mark = marks[index] ?? 0
          const state = states.get(mark)
          if (state === STORED) continue
          if (state === undefined) {
            if (isRefused || count >= bounds.perMetricMax || states.size >= bounds.seriesMax) {
              verdicts ??= marks.map(() => 'kept')
              verdicts[index] = isRefused ? 'refused' : 'folded'
              continue
            }
            count += 1
            states.set(mark, ADMITTED)
          }
          unstored.push(mark)
        }
        if (!isRefused) perMetric.set(name, count)
      }
      return { unstored, verdicts }
    },
    hasUnstored(marks) {
      turnDay()
      return marks.some((mark) => states.get(mark) !== STORED)
    },
    stored(marks) {
      turnDay()
      for (const mark of marks) if (!Number.isNaN(mark)) states.set(mark, STORED)
    },
  }
}
