// Whether the requests of one operation × cell deviate: failing, slow or missing more than they used to. Pure and without memory: asked each
// minute of the same data, it answers the same. What a deviation is blamed on is `explain`'s.
//
// Quiet by design. What is usual is known only as well as its requests tell, and wanders: counts are held against the range that the past
// leaves open, not against its mean. Errors while pods start are over before they count, several starts one after the other as well. More
// traffic is no more errors.

import { overDispersion } from '../statistics/log-odds.ts'
import { negativeBinomialTail } from '../statistics/counts.ts'
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
  /** The whole that this is a part of, step by step the same: what is usual there is a guess of what is here. Absent: of the whole itself. */
  readonly whole?: Pick<DetectorSeries, 'requests' | 'bad' | 'slow'>
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
  /** Surprise that makes a deviation; 12 is a chance of one in 160,000 a look, and looks at the same minutes are much alike. */
  readonly surprise?: number
  /** Windows looked at, minutes, shortest first. */
  readonly windowsMinutes?: readonly number[]
  /** Bad requests below which nothing is said. */
  readonly badMin?: number
}

const DEFAULTS = { surprise: 12, windowsMinutes: [2, 5, 15, 45], badMin: 4 } as const
/** Errors of pods that start are over after so long; what has them alone does not deviate. */
const START_MS = 70_000
/** Starts that a window may have: stages of several releases follow each other. */
const STARTS = { perMinutes: 15, most: 3 } as const
/** Surprise of what is left without the starts, and its share of the excess. */
const LASTING = { surprise: 8, ratio: 0.2 } as const
/** Usual before anything is known: 1 bad of 200. Of a part, as in its whole, with as much doubt as places differ. */
const GUESS = { bad: 1, requests: 200, badOfWhole: 3 } as const
/** When half of a minute's requests fail, nobody waits to see whether it lasts. */
const OUTAGE = { ratio: 0.5, badMin: 8, spanMs: 60_000 } as const
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

/** Sums before each step: what lies between two of them is a difference. */
type Sums = { readonly requests: Float64Array; readonly bad: Float64Array }

/** What is usual: a ratio, known as well as `size` bad requests tell it, and errors that come in clumps of φ. */
type Usual = { readonly ratio: number; readonly size: number; readonly phi: number }

function ratioDeviation(
  series: DetectorSeries,
  bad: ArrayLike<number>,
  measure: FaultMeasure,
  settings: Settings,
): Deviation | undefined {
  const length = series.requests.length
  const sums: Sums = { requests: sumsOf(series.requests), bad: sumsOf(bad) }
  const whole = series.whole
  const wholeSums = whole && {
    requests: sumsOf(whole.requests),
    bad: sumsOf(measure === 'errors' ? whole.bad : whole.slow),
  }
  let best: Deviation | undefined
  for (const minutes of settings.windowsMinutes) {
    const from = length - Math.round((minutes * 60_000) / series.stepMs)
    if (from < length - from || from < PAST_MIN_MS / series.stepMs) continue
    const past = between(sums, 0, from)
    const now = between(sums, from, length)
    if (past.n <= 0 || now.n <= 0 || now.k < settings.badMin) continue
    const guess = guessOf(wholeSums, from)
    const before = (past.k + guess.k) / (past.n + guess.n)
    const ratio = now.k / now.n
    // Twice as many is a change; a tenth more of many is the day's course.
    if (ratio < 2 * before || ratio < before + 0.003) continue
    const usual: Usual = { ratio: before, size: past.k + guess.k, phi: dispersion(series.stepMs, sums, from) }
    const surprise = surpriseOf(now, usual)
    if (surprise < settings.surprise || surprise <= (best?.surprise ?? 0)) continue
    if (!isThere(series.stepMs, sums, from, before, ratio)) continue
    const isOutage = measure === 'errors' && isFailingOutright(series.stepMs, sums)
    if (!isOutage && !lasts(series.stepMs, sums, from, minutes, usual)) continue
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

type Counts = { readonly n: number; readonly k: number }

function guessOf(whole: Sums | undefined, from: number): Counts {
  if (whole === undefined) return { n: GUESS.requests, k: GUESS.bad }
  const { n, k } = between(whole, 0, from)
  return { n: (GUESS.badOfWhole * (n + GUESS.requests)) / (k + GUESS.bad), k: GUESS.badOfWhole }
}

/** −ln of the chance of so many: Poisson's, widened by how well the ratio is known and by how much counts wander. */
function surpriseOf({ n, k }: Counts, { ratio, size, phi }: Usual): number {
  const mean = n * ratio
  return -Math.log(Math.max(1e-300, negativeBinomialTail(k, mean, mean / (phi - 1 + mean / size))))
}

/** What is left without the worst minutes is news as well. */
function lasts(stepMs: number, sums: Sums, from: number, minutes: number, usual: Usual): boolean {
  const length = sums.bad.length - 1
  const stretch = Math.ceil(START_MS / stepMs)
  const starts = Math.min(STARTS.most, 1 + Math.floor(minutes / STARTS.perMinutes))
  // Spans that are left; the worst stretch of all of them goes, and leaves two.
  let left: readonly (readonly [number, number])[] = [[from, length]]
  for (let start = 0; start < starts; start++) {
    let [most, at] = [0, -1]
    for (const [first, end] of left)
      for (let step = first; step < end; step++) {
        const { n, k } = between(sums, step, Math.min(end, step + stretch))
        const excess = k - n * usual.ratio
        if (excess > most) [most, at] = [excess, step]
      }
    if (at < 0) break
    left = left.flatMap(([first, end]) =>
      at < first || at >= end
        ? [[first, end] as const]
        : ([
            [first, at],
            [Math.min(end, at + stretch), end],
          ] as const),
    )
  }
  let [n, k] = [0, 0]
  for (const [first, end] of left) {
    const part = between(sums, first, end)
    n += part.n
    k += part.k
  }
  const all = between(sums, from, length)
  const excess = k - n * usual.ratio
  return (
    excess > 0 &&
    excess >= LASTING.ratio * (all.k - all.n * usual.ratio) &&
    surpriseOf({ n, k }, usual) >= LASTING.surprise
  )
}

function isFailingOutright(stepMs: number, sums: Sums): boolean {
  const length = sums.bad.length - 1
  const { n, k } = between(sums, Math.max(0, length - Math.round(OUTAGE.spanMs / stepMs)), length)
  return k >= OUTAGE.badMin && k >= OUTAGE.ratio * n
}

/** Still there in the last third of the window, and of late. */
function isThere(stepMs: number, sums: Sums, from: number, before: number, ratio: number): boolean {
  const length = sums.bad.length - 1
  const isLeft = (start: number, least: number): boolean => {
    const end = between(sums, Math.max(from, start), length)
    const expected = end.n * (ratio - before)
    return expected < least || end.k - end.n * before >= LEFT * expected
  }
  return (
    isLeft(Math.min(length - 1, from + Math.floor(((length - from) * 2) / 3)), 1) &&
    isLeft(length - Math.round(RECENT_MS / stepMs), 3)
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
function dispersion(stepMs: number, sums: Sums, until: number): number {
  const group = Math.max(1, Math.round(300_000 / stepMs))
  const parts: { bad: number; requests: number }[] = []
  for (let end = until; end >= group; end -= group) {
    const { n, k } = between(sums, end - group, end)
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

function sumsOf(values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(values.length + 1)
  for (let step = 0; step < values.length; step++)
    sums[step + 1] = (sums[step] as number) + (values[step] as number)
  return sums
}

function between({ requests, bad }: Sums, from: number, to: number): Counts {
  return {
    n: (requests[to] as number) - (requests[from] as number),
    k: (bad[to] as number) - (bad[from] as number),
  }
}
