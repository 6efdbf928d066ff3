// Which instants are to be judged now: the next one, or, after a pause, each one that was missed, in order.

export type Cycles = {
  /** Instants to judge, oldest first. */
  readonly instantsMs: readonly number[]
  /** Instants that passed without being judged in time; those among `instantsMs` are judged late. */
  readonly missed: number
  /** Instants too far back to be judged one by one: left out, oldest first. */
  readonly leftOut: number
}

/**
 * @param judgedAtMs  the newest judged instant; undefined at the very first: then only the newest due one is judged, so
 *                    that history which was measured afterwards raises no storm of alerts
 * @param everyMs     the evaluation interval; instants are its multiples
 * @param delayMs     how long after an instant its slices are complete enough
 * @param catchUpMax  most instants judged in one call
 */
export function dueCycles(
  judgedAtMs: number | undefined,
  nowMs: number,
  everyMs: number,
  delayMs: number,
  catchUpMax = 1_440,
): Cycles {
  const newest = Math.floor((nowMs - delayMs) / everyMs) * everyMs
  if (judgedAtMs === undefined) return { instantsMs: [newest], missed: 0, leftOut: 0 }
  const first = Math.floor(judgedAtMs / everyMs) * everyMs + everyMs
  const due = Math.max(0, (newest - first) / everyMs + 1)
  const judged = Math.min(due, catchUpMax)
  return {
    instantsMs: Array.from({ length: judged }, (_, index) => newest - (judged - 1 - index) * everyMs),
    missed: Math.max(0, due - 1),
    leftOut: due - judged,
  }
}
