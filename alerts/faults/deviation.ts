// When an operation deviates, by its counts alone. Pure. Asked of thousands of series every ten seconds, so that chance has many tries:
// the threshold is far out, and a start-up's blip of less than a minute is none.

import { countZ } from '../../query/statistics/counts.ts'
import { overDispersion } from '../../query/statistics/log-odds.ts'

/** Newest counts of one series: of the last two minutes and of the last five. */
export type Lately = {
  readonly nearRequests: number
  readonly nearBad: number
  /** Stretches of 10 s with a bad one. */
  readonly nearBuckets: number
  readonly farRequests: number
  readonly farBad: number
  readonly farBuckets: number
}

/** Requests and bad ones, minute by minute, of the hour before; in one order. */
export type Usually = { readonly requests: readonly number[]; readonly bad: readonly number[] }

export const BUCKETS_MIN = 5
export const BAD_MIN = 5
/** Less than one in a million by chance; of few bad ones the statistic says less than there is. */
const Z_MIN = 5
/** What is asked at least: of such a share nobody is woken. */
const RATIO_MIN = 0.005
const TIMES_MIN = 2
/** Without a past one in a hundred counts as usual, until this many requests say otherwise. */
const UNKNOWN_RATIO = 0.01
const UNKNOWN_REQUESTS = 50

/** @returns the usual ratio of bad ones */
export function usualRatio({ requests, bad }: Usually): number {
  return (total(bad) + UNKNOWN_RATIO * UNKNOWN_REQUESTS) / (total(requests) + UNKNOWN_REQUESTS)
}

/** Whether it fails more than it did: soon where much fails, over five minutes where there is little traffic. */
export function failsMore(lately: Lately, usually: Usually): boolean {
  const ratio = usualRatio(usually)
  const parts = usually.requests.map((requests, place) => ({ requests, bad: usually.bad[place] ?? 0 }))
  const phi = overDispersion(parts)
  const isMore = (requests: number, bad: number, buckets: number) =>
    bad >= BAD_MIN &&
    buckets >= BUCKETS_MIN &&
    bad >= requests * Math.max(RATIO_MIN, TIMES_MIN * ratio) &&
    countZ(bad, requests * ratio, phi) >= Z_MIN
  return (
    isMore(lately.nearRequests, lately.nearBad, lately.nearBuckets) ||
    isMore(lately.farRequests, lately.farBad, lately.farBuckets)
  )
}

/** Whether what rang is as usual again, over five minutes. */
export function isAsUsual({ farRequests, farBad }: Lately, usual: number): boolean {
  return farBad <= farRequests * Math.max(RATIO_MIN, TIMES_MIN * usual)
}

const SLOWER_TIMES = 1.5
/** Nobody feels less. */
const SLOWER_NS = 20e6

/**
 * Whether it takes longer than it did: in every one of the newest minutes.
 * @param lateP95  ns, of each newest minute with requests enough  @param minutes  as many must there be
 */
export function isSlower(lateP95: readonly number[], usualP95: number, minutes: number): boolean {
  return (
    usualP95 > 0 &&
    lateP95.length >= minutes &&
    lateP95.every((p95) => p95 > SLOWER_TIMES * usualP95 && p95 > usualP95 + SLOWER_NS)
  )
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)
