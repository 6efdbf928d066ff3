// What of a deviation is not the detector's: when it is over, and latency, of which counts by minute keep quantiles and no slow ones. Pure.

/** Of such a share nobody is woken. */
const RATIO_MIN = 0.005
const TIMES_MIN = 2

/** Whether what rang is as usual again, by its newest minutes. @param usual  ratio of bad ones before it rang */
export function isAsUsual(requests: number, bad: number, usual: number): boolean {
  return bad <= requests * Math.max(RATIO_MIN, TIMES_MIN * usual)
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
