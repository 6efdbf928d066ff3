// What the last minute saw: counts by second in a ring, so that old seconds fall out by themselves.

import type { Tally } from './instance/messages.ts'

const WINDOW_SECONDS = 60

export interface TallyWindow {
  add(atMs: number, tally: Tally): void
  /** the sum of the last minute */
  sum(atMs: number): Tally
}

const EMPTY: Tally = { requests: 0, rejects: 0, failures: 0 }

const plus = (a: Tally, b: Tally): Tally => ({
  requests: a.requests + b.requests,
  rejects: a.rejects + b.rejects,
  failures: a.failures + b.failures,
})

export function buildTallyWindow(): TallyWindow {
  const ring = new Map<number, { readonly second: number; readonly tally: Tally }>()
  return {
    add(atMs, tally) {
      const second = Math.floor(atMs / 1000)
      const slot = second % WINDOW_SECONDS
      const kept = ring.get(slot)
      ring.set(slot, { second, tally: kept?.second === second ? plus(kept.tally, tally) : tally })
    },
    sum(atMs) {
      const oldest = Math.floor(atMs / 1000) - WINDOW_SECONDS + 1
      return [...ring.values()]
        .filter(({ second }) => second >= oldest)
        .reduce((total, { tally }) => plus(total, tally), EMPTY)
    },
  }
}
