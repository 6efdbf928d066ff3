// Since when: the minute that best parts «as usual» from «deviating», and how far it may be off. The maximum of the two-sample
// statistic, not the first crossing: an outlier just before must not move the onset to the change before.

import { changePoints } from '../statistics/change-points.ts'
import { at, type Series } from './case-columns.ts'

/** Settings of Otava for refinement. */
const WINDOW = 30
const P_MAX = 0.01
/** What the log-likelihood may fall short of its maximum within the interval: about 95 %. */
const DROP = 2

export type Onset = {
  /** Minutes since 1970: first and last that the onset may lie in, and the best. */
  readonly earliest: number
  readonly at: number
  readonly latest: number
  /** Log-likelihood ratio of the step. */
  readonly strength: number
  readonly ratioBefore: number
  readonly ratioAfter: number
}

/**
 * @param series      of the affected slice, from `fromMinute` on
 * @param alarmMinute the onset lies in it or before
 * @param endMinute   first minute after the fault, or after the data
 * @returns undefined when nothing rose
 */
export function findOnset(
  series: Series,
  fromMinute: number,
  alarmMinute: number,
  endMinute: number,
): Onset | undefined {
  const length = Math.min(series.bad.length, Math.max(0, endMinute - fromMinute))
  const last = Math.min(length - 1, alarmMinute - fromMinute + 1)
  const { requests, bad } = sums(series, length)
  const [all, allBad] = [at(requests, length), at(bad, length)]
  const scores = new Float64Array(Math.max(0, last + 1)).fill(-Infinity)
  let best = -1
  for (let tau = 1; tau <= last; tau++) {
    const [n0, k0] = [at(requests, tau), at(bad, tau)]
    const [n1, k1] = [all - n0, allBad - k0]
    if (n1 <= 0 || (k1 + 0.5) / (n1 + 1) <= (k0 + 0.5) / (n0 + 1)) continue
    scores[tau] = likelihood(k0, n0) + likelihood(k1, n1) - likelihood(allBad, all)
    if (best < 0 || at(scores, tau) > at(scores, best)) best = tau
  }
  if (best < 0 || at(scores, best) < DROP) return undefined
  const refined = refine(series, length, best)
  const point = at(scores, refined) >= at(scores, best) - DROP ? refined : best
  let [low, high] = [point, point]
  while (low > 1 && at(scores, low - 1) >= at(scores, best) - DROP) low--
  while (high < last && at(scores, high + 1) >= at(scores, best) - DROP) high++
  const [n0, k0] = [at(requests, point), at(bad, point)]
  return {
    earliest: fromMinute + low,
    at: fromMinute + point,
    latest: fromMinute + high,
    strength: at(scores, best),
    ratioBefore: n0 > 0 ? k0 / n0 : 0,
    ratioAfter: all > n0 ? (allBad - k0) / (all - n0) : 0,
  }
}

/** Nearest change point of the ratios within the window about the best minute, if one lies within two minutes of it. */
function refine(series: Series, length: number, best: number): number {
  const start = Math.max(0, best - WINDOW)
  const end = Math.min(length, best + WINDOW)
  const ratios: number[] = []
  for (let minute = start; minute < end; minute++)
    ratios.push(at(series.requests, minute) > 0 ? at(series.bad, minute) / at(series.requests, minute) : 0)
  let nearest = best
  let distance = 3
  for (const point of changePoints(ratios, P_MAX)) {
    const off = Math.abs(start + point.index - best)
    if (point.after > point.before && off < distance) [nearest, distance] = [start + point.index, off]
  }
  return nearest
}

function sums(series: Series, length: number): Series {
  const requests = new Float64Array(length + 1)
  const bad = new Float64Array(length + 1)
  for (let minute = 0; minute < length; minute++) {
    requests[minute + 1] = at(requests, minute) + at(series.requests, minute)
    bad[minute + 1] = at(bad, minute) + at(series.bad, minute)
  }
  return { requests, bad }
}

/** Maximum of the binomial log-likelihood. */
function likelihood(bad: number, requests: number): number {
  if (requests <= 0 || bad <= 0 || bad >= requests) return 0
  const ratio = bad / requests
  return bad * Math.log(ratio) + (requests - bad) * Math.log(1 - ratio)
}
