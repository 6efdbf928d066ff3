// Which services have to do with one another, by the calls of the last hours.

import { z } from 'zod'
import type { Clock } from '../../ingest/runtime/clock.ts'
import { statement, type Store } from '../../ingest/store/store.ts'
import { sqlSecond } from '../time-range.ts'
import { relatedServices } from './alarm.ts'

const latelyCalled = statement(
  new URL('./lately-called.sql', import.meta.url),
  z.object({ since: z.string() }),
  z.object({ caller: z.string(), callee: z.string() }),
)

const REACH_MS = 3 * 3_600_000
/** For alarms that come together; a young store learns more calls every few seconds. */
const KEPT_MS = 5000

/** @returns for a service those that reach it by calls or are reached by it */
export function buildRelated(
  store: Pick<Store, 'ask'>,
  clock: Clock,
): (service: string) => Promise<ReadonlySet<string>> {
  let kept: { readonly atMs: number; readonly calls: readonly (readonly [string, string])[] } | undefined
  return async (service) => {
    const nowMs = clock.now()
    // Nothing known is asked again at once: the first minutes are being derived.
    if (kept === undefined || kept.calls.length === 0 || Math.abs(nowMs - kept.atMs) > KEPT_MS) {
      const rows = await store.ask(latelyCalled, { since: sqlSecond(nowMs - REACH_MS) })
      kept = { atMs: nowMs, calls: rows.map(({ caller, callee }) => [caller, callee] as const) }
    }
    return relatedServices(service, kept.calls)
  }
}
