// The outage rule: most of the requests of one slice fail. It stands beside the burn pairs, because at 99.9 % a total
// outage takes the better part of a minute to burn fast enough. Pure: state in, state out.

export type OutageRule = {
  /** Failing part of a slice from which it is an outage, 0.5 by custom. */
  readonly failingRatio: number
  /** Events that a slice needs to count as evidence; healthy slices together need as many to end it. */
  readonly totalMin: number
}

export const OUTAGE_RULE: OutageRule = { failingRatio: 0.5, totalMin: 20 }

/** Plain data, to be stored. */
export type OutageState = {
  readonly phase: 'inactive' | 'firing'
  /** Start of the first failing slice while it fires, else of the last end. */
  readonly sinceMs: number
  /** End of the newest closed slice that was judged. */
  readonly judgedToMs: number
  /** Events since the newest failing slice. */
  readonly healthyTotal: number
}

export type OutageSlice = {
  readonly startMs: number
  readonly endMs: number
  readonly good: number
  readonly total: number
  /** False for unmeasured and for excluded slices: they say nothing. */
  readonly isEvidence: boolean
  /** The open slice may begin an outage, never end one. */
  readonly isOpen: boolean
}

export function outageAtStart(atMs: number): OutageState {
  return { phase: 'inactive', sinceMs: atMs, judgedToMs: atMs, healthyTotal: 0 }
}

/** One more slice, in order of time; a closed slice that was judged before changes nothing. */
export function judgeOutage(rule: OutageRule, before: OutageState, slice: OutageSlice): OutageState {
  if (slice.endMs <= before.judgedToMs) return before
  const judgedToMs = slice.isOpen ? before.judgedToMs : slice.endMs
  const bad = slice.total - slice.good
  const isFailing = slice.isEvidence && slice.total > 0 && bad / slice.total >= rule.failingRatio
  if (before.phase === 'inactive') {
    if (isFailing && slice.total >= rule.totalMin)
      return { phase: 'firing', sinceMs: slice.startMs, judgedToMs, healthyTotal: 0 }
    return judgedToMs === before.judgedToMs ? before : { ...before, judgedToMs }
  }
  if (isFailing) return { ...before, judgedToMs, healthyTotal: 0 }
  if (slice.isOpen) return before
  const healthyTotal = before.healthyTotal + (slice.isEvidence ? slice.total : 0)
  if (healthyTotal < rule.totalMin) return { ...before, judgedToMs, healthyTotal }
  return { phase: 'inactive', sinceMs: slice.endMs, judgedToMs, healthyTotal: 0 }
}
