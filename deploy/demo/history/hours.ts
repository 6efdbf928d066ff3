// Hours of the history from its minutes, a day at a time: the deriver would need minutes for five weeks, and meanwhile
// long ranges would have gaps.

import { z } from 'zod'
import { statement, type Store } from '../../../ingest/store/store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const range = z.object({ from: z.number().int(), to: z.number().int(), derivation: z.number().int() })
const hours = statement(new URL('./hours.sql', import.meta.url), range, z.never())
const serviceHours = statement(new URL('./service-hours.sql', import.meta.url), range, z.never())
const markHours = statement(new URL('./mark-hours.sql', import.meta.url), range, z.never())

/**
 * Derives every whole hour of a range. Doing it again changes nothing.
 * @param fromMs start of an hour
 * @throws StoreError
 */
export async function deriveHours(
  store: Pick<Store, 'ask'>,
  fromMs: number,
  toMs: number,
  nowMs: number,
): Promise<void> {
  const endMs = Math.floor(toMs / HOUR_MS) * HOUR_MS
  for (let atMs = fromMs; atMs < endMs;) {
    const nextMs = Math.min(endMs, (Math.floor(atMs / DAY_MS) + 1) * DAY_MS)
    const of = { from: atMs / 1000, to: nextMs / 1000, derivation: nowMs }
    await store.ask(hours, of, { lane: 'heavy', secondsMax: 60 })
    await store.ask(serviceHours, of, { lane: 'heavy', secondsMax: 60 })
    await store.ask(markHours, of, { lane: 'heavy' })
    atMs = nextMs
  }
}
