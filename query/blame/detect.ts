// Whether the requests of one operation × cell deviate: failing, slow or missing more than they used to. Pure and without memory: asked each
// minute of the same data, it answers the same. What a deviation is blamed on is `explain`'s.
//
// Quiet by design: a minute of errors while pods start is over before it counts, and more traffic is no more errors.

import { overDispersion } from '../statistics/log-odds.ts'
import { poissonTail } from '../statistics/counts.ts'
import type { FaultMeasure } from './case.ts'

/** Requests of one operation × cell by step, oldest first; arrays of one length. */
export type DetectorSeries = {
  /** Step length, ms: 10,000 or 60,000. */
  readonly stepMs: number
  /** Start of the first step, ms since 1970. */
  readonly startMs: number
  readonly requests: ArrayLike<number>
  readonly bad: ArrayLike<number>
  readonly slow: ArrayLike<number>
  /** Requests of the same steps a day before, for what is lost; absent when not kept. */
  readonly requestsDayBefore?: ArrayLike<number>
}

export type Deviation = {
  readonly measure: FaultMeasure
  /** Start of the step it began in, ms since 1970. */
  readonly startMs: number
  /** −ln of the chance of this much without a change. */
  readonly surprise: number
  readonly ratioBefore: number
  readonly ratioNow: number
}

export type DetectorOptions = {
  /** Surprise that makes a deviation; 16 is a chance of one in nine million a look. */
  readonly surprise?: number
  /** Windows looked at, minutes, shortest first. */
  readonly windowsMinutes?: readonly number[]
  /** Bad requests below which nothing is said. */
  readonly badMin?: number
}

const DEFAULTS = { surprise: 16, windowsMinutes: [2, 5, 15, 45], badMin: 4 } as const
/** How long a deviation must last: start-up errors of new pods take 30–60 s. */
const LASTING_MS = 100_000
/** What must be known of before: in less nothing is usual yet. */
const PAST_MIN_MS = 300_000
/** How recent it must still be there, where that would show. */
const RECENT_MS = 300_000
/** What must be left of it at the end of the series, else it went away. */
const LEFT = 0.3

/** @returns deviations at the end of the series, at most one of each measure, in the order errors, latency, requests lost. */
export function detect(series: DetectorSeries, options: DetectorOptions = {}): readonly Deviation[] {
  const settings = { ...DEFAULTS, ...options }
  const found: Deviation[] = []
  for (const [measure, bad] of [
    ['errors', series.bad],
    ['latency', series.slow],
  ] as const) {
    const deviation = ratioDeviation(series, bad, measure, settings)
    if (deviation !== undefined) found.push(deviation)
  }
  const lost = lostRequests(series, settings)
  if (lost !== undefined) found.push(lost)
  return found
}

type Settings = {
  readonly surprise: number
  readonly windowsMinutes: readonly number[]
  readonly badMin: number
}

function ratioDeviation(
  series: DetectorSeries,
  bad: ArrayLike<number>,
  measure: FaultMeasure,
  settings: Settings,
): Deviation | undefined {
  const length = series.requests.length
  let best: Deviation | undefined
  for (const minutes of settings.windowsMinutes) {
    const steps = Math.round((minutes * 60_000) / series.stepMs)
    const from = length - steps
    if (from < steps || from < PAST_MIN_MS / series.stepMs) continue
    const past = total(series.requests, bad, 0, from)
    const now = total(series.requests, bad, from, length)
    if (past.n <= 0 || now.n <= 0 || now.k < settings.badMin) continue
    const before = (past.k + 1) / (past.n + 200)
    const ratio = now.k / now.n
    // Twice as many is a change; a tenth more of many is the day's course.
    if (ratio < 2 * before || ratio < before + 0.003) continue
    const surprise =
      -Math.log(Math.max(1e-300, poissonTail(now.k, now.n * before))) / dispersion(series, bad, from)
    if (surprise < settings.surprise || surprise <= (best?.surprise ?? 0)) continue
    if (!lasts(series, bad, from, before, ratio)) continue
    best = {
      measure,
      startMs: series.startMs + firstStep(series, bad, from, before) * series.stepMs,
      surprise,
      ratioBefore: before,
      ratioNow: ratio,
    }
  }
  return best
}

/** Bad requests spread over more than a pod's start, and still there in the last third of the window. */
function lasts(
  series: DetectorSeries,
  bad: ArrayLike<number>,
  from: number,
  before: number,
  ratio: number,
): boolean {
  const length = series.requests.length
  let [first, last] = [-1, -1]
  for (let step = from; step < length; step++) {
    if ((bad[step] ?? 0) <= (series.requests[step] ?? 0) * before) continue
    if (first < 0) first = step
    last = step
  }
  // A minute's errors may lie in two steps: whole steps between the first and the last count.
  if ((last - first) * series.stepMs < LASTING_MS) return false
  const isLeft = (start: number, least: number): boolean => {
    const end = total(series.requests, bad, Math.max(from, start), length)
    const expected = end.n * (ratio - before)
    return expected < least || end.k - end.n * before >= LEFT * expected
  }
  return (
    isLeft(Math.min(length - 1, from + Math.floor(((length - from) * 2) / 3)), 1) &&
    isLeft(length - Math.round(RECENT_MS / series.stepMs), 3)
  )
}

/** Where the running excess last stood lowest: the step after it is where it began. */
function firstStep(series: DetectorSeries, bad: ArrayLike<number>, from: number, before: number): number {
  const start = Math.max(0, from - Math.round(1_800_000 / series.stepMs))
  let [sum, lowest, at] = [0, 0, start]
  for (let step = start; step < series.requests.length; step++) {
    sum += (bad[step] ?? 0) - (series.requests[step] ?? 0) * before * 1.5
    if (sum <= lowest) [lowest, at] = [sum, step + 1]
  }
  return Math.min(at, series.requests.length - 1)
}

/** φ of five-minute sums before the window: errors that come in clumps must come in larger ones to be news. */
function dispersion(series: DetectorSeries, bad: ArrayLike<number>, until: number): number {
  const group = Math.max(1, Math.round(300_000 / series.stepMs))
  const parts: { bad: number; requests: number }[] = []
  for (let end = until; end >= group; end -= group) {
    const { n, k } = total(series.requests, bad, end - group, end)
    parts.push({ bad: k, requests: n })
  }
  return Math.min(8, overDispersion(parts))
}

/** Half or more of the requests stay away for three minutes, both against the half hour before and the day before. */
function lostRequests(series: DetectorSeries, settings: Settings): Deviation | undefined {
  const steps = Math.round(180_000 / series.stepMs)
  const length = series.requests.length
  const from = length - steps
  const before = Math.max(0, from - Math.round(1_800_000 / series.stepMs))
  if (from - before < steps * 3) return undefined
  const sum = (values: ArrayLike<number>, start: number, end: number): number => {
    let all = 0
    for (let step = start; step < end; step++) all += values[step] ?? 0
    return all
  }
  const now = sum(series.requests, from, length)
  let expected = (sum(series.requests, before, from) / (from - before)) * steps
  const past = series.requestsDayBefore
  if (past !== undefined) {
    const wasBefore = sum(past, before, from) / (from - before)
    // The day's course of yesterday; what stays away every day at this time is not lost.
    if (wasBefore > 0)
      expected = Math.min(expected, (expected * sum(past, from, length)) / (wasBefore * steps))
  }
  if (expected < 30 || now > 0.5 * expected) return undefined
  // Poisson's lower tail by its Chernoff bound, with room for traffic that is lumpier than that.
  const surprise = (expected - now + (now > 0 ? now * Math.log(now / expected) : 0)) / 3
  if (surprise < settings.surprise) return undefined
  return {
    measure: 'requests_lost',
    startMs: series.startMs + from * series.stepMs,
    surprise,
    ratioBefore: 0,
    ratioNow: 1 - now / expected,
  }
}

function total(
  requests: ArrayLike<number>,
  bad: ArrayLike<number>,
  from: number,
  to: number,
): { readonly n: number; readonly k: number } {
  let [n, k] = [0, 0]
  for (let step = from; step < to; step++) {
    n += requests[step] ?? 0
    k += bad[step] ?? 0
  }
  return { n, k }
}
