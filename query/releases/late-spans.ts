// Which of the past must be read again, because spans of it came since it was read.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'

const count = z.coerce.number()
const question = statement(
  new URL('./late-spans.sql', import.meta.url),
  z.object({ since: z.number().int(), before: z.number().int() }),
  z.object({ oldest: count, seen: count }),
)

/** Nothing is known yet of what came before: the first answer begins here. */
const OVERLAP_MS = 60_000

/** @returns a function that tells from which instant on the past before `beforeMs` changed since it was asked last; undefined: nowhere */
export function buildLateSpans(store: Pick<Store, 'ask'>) {
  let seenMs: number | undefined
  return async (beforeMs: number, nowMs: number): Promise<number | undefined> => {
    const since = seenMs ?? nowMs - OVERLAP_MS
    const [row] = await store.ask(question, { since: Math.floor(since), before: Math.floor(beforeMs) })
    seenMs = Math.max(since, row?.seen ?? 0)
    return row === undefined || row.oldest === 0 || row.oldest >= beforeMs ? undefined : row.oldest
  }
}
