// Who sent the requests: client versions and callers, each minute's one row. Pure.

import type { CallerRow } from './case.ts'
import type { CallerSeen } from './gather-questions.ts'
import { order } from './trace-columns.ts'

/** Senders told apart, those with most requests. */
export const CALLERS_MAX = 20_000

export function callersOf(seen: readonly CallerSeen[]): CallerRow[] {
  const rows = new Map<string, CallerRow>()
  const most = seen
    .toSorted(
      (a, b) =>
        b.requests - a.requests ||
        a.minute - b.minute ||
        order(a.client, b.client) ||
        order(a.sender, b.sender),
    )
    .slice(0, CALLERS_MAX)
  for (const { minute, client, sender, requests, failed, slow } of most) {
    for (const [kind, name] of [
      ['client_version', client],
      ['caller', sender],
    ] as const) {
      if (name === '') continue
      const key = `${minute} ${kind} ${name}`
      const known = rows.get(key) ?? { minute, kind, name, requests: 0, bad: 0, slow: 0 }
      const summed = { requests: known.requests + requests, bad: known.bad + failed, slow: known.slow + slow }
      rows.set(key, { ...known, ...summed })
    }
  }
  return [...rows.values()].toSorted(
    (a, b) => a.minute - b.minute || order(a.kind, b.kind) || order(a.name, b.name),
  )
}
