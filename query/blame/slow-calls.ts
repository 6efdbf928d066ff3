// Calls to what is not instrumented. How many were slow is estimated from three quantiles of each minute, because of a minute's calls
// those are kept: exact to the step between two of them. Pure.

import type { PeerRow } from './case.ts'

/** Slow is beyond the usual 95th percentile × 1.5. */
const SLOW_FACTOR = 1.5
const LEVELS = [0.5, 0.95, 0.99] as const

type Seen = {
  readonly minute: number
  readonly caller_: string
  readonly version: string
  readonly peer_: string
  readonly kind: string
  readonly calls: number
  readonly failed: number
  /** Quantiles at LEVELS, ns. */
  readonly took: readonly (number | null)[]
}

/** @param usualUntil  minutes before this one are usual */
export function peersOf(seen: readonly Seen[], usualUntil: number): PeerRow[] {
  const usual = new Map<string, { sum: number; calls: number }>()
  for (const { minute, peer_, calls, took } of seen) {
    const p95 = took[1]
    if (minute >= usualUntil || typeof p95 !== 'number') continue
    const known = usual.get(peer_) ?? { sum: 0, calls: 0 }
    usual.set(peer_, { sum: known.sum + p95 * calls, calls: known.calls + calls })
  }
  return seen
    .map((row) => {
      const known = usual.get(row.peer_)
      const slowNs = known === undefined ? Infinity : (SLOW_FACTOR * known.sum) / known.calls
      return {
        minute: row.minute,
        caller: row.caller_,
        callerVersion: row.version,
        peer: row.peer_,
        kind: kindOf(row.kind),
        calls: row.calls,
        bad: row.failed,
        slow: row.calls * shareAbove(row.took, slowNs),
      }
    })
    .toSorted((a, b) => a.minute - b.minute)
}

function kindOf(kind: string): PeerRow['kind'] {
  return kind === 'database' || kind === 'queue' ? kind : 'external'
}

/** Share of calls that took longer, between the levels on a logarithmic scale. */
export function shareAbove(took: readonly (number | null)[], slowNs: number): number {
  const [middle, high, highest] = took
  if (typeof middle !== 'number' || typeof high !== 'number' || typeof highest !== 'number') return 0
  const steps: readonly (readonly [number, number])[] = [
    [middle, LEVELS[0]],
    [high, LEVELS[1]],
    [highest, LEVELS[2]],
  ]
  if (slowNs < middle) return 1 - LEVELS[0]
  for (const [place, [ns, level]] of steps.entries()) {
    const next = steps[place + 1]
    if (next === undefined || slowNs >= next[0]) continue
    const width = Math.log(next[0] / Math.max(1, ns))
    const part = width > 0 ? Math.log(slowNs / Math.max(1, ns)) / width : 1
    return 1 - (level + (next[1] - level) * part)
  }
  return 0
}
