// Which slices of the past were touched by what came in late: batches tell the times of their spans.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'

const late = statement(
  new URL('./late-batches.sql', import.meta.url),
  z.object({ since: z.number().int(), settled: z.number().int() }),
  z.object({ oldest: z.coerce.number(), newest_at: z.coerce.number(), batches: z.coerce.number() }),
)

export type Late = {
  /** Earliest start that came, ms since epoch; undefined when none came late. */
  readonly oldestMs: number | undefined
  /** When the newest batch came in: where to ask from next. */
  readonly seenToMs: number
}

/**
 * @param sinceMs    batches that came in after it
 * @param settledMs  spans that begin before it are late
 * @throws StoreError
 */
export async function lateSince(
  store: Pick<Store, 'ask'>,
  sinceMs: number,
  settledMs: number,
): Promise<Late> {
  const [row] = await store.ask(late, { since: Math.floor(sinceMs), settled: Math.floor(settledMs) })
  if (row === undefined || row.batches === 0) return { oldestMs: undefined, seenToMs: sinceMs }
  return {
    oldestMs: row.oldest > 0 && row.oldest < settledMs ? row.oldest : undefined,
    seenToMs: Math.max(sinceMs, row.newest_at),
  }
}
