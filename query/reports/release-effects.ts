// Before and after of many releases at once, from minute counts: what their services' customers saw, whoever did it.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { floorTo, sqlSecond } from '../time-range.ts'

const count = z.coerce.number()
export const releaseEffectsStatement = statement(
  new URL('./release-effects.sql', import.meta.url),
  z.object({
    services: z.array(z.string()),
    readies: z.array(z.string()),
    length: z.number().int(),
    from: z.string(),
    to: z.string(),
  }),
  z.object({
    place: count,
    before_requests: count,
    before_bad: count,
    after_requests: count,
    after_bad: count,
  }),
)

const MINUTE_MS = 60_000

export type Ready = { readonly service: string; readonly readyAtMs: number }
export type BeforeAfter = {
  readonly before: { readonly requests: number; readonly bad: number }
  readonly after: { readonly requests: number; readonly bad: number }
}

/** What `releaseEffects` binds: also for a peer that asks the same of other tables. */
export function effectsAsked(releases: readonly Ready[], minutes: number) {
  const readies = releases.map(({ readyAtMs }) => floorTo(readyAtMs, MINUTE_MS))
  const length = minutes * 60
  return {
    services: releases.map(({ service }) => service),
    readies: readies.map((ms) => String(ms / 1000)),
    length,
    from: sqlSecond(readies.reduce((a, b) => Math.min(a, b), Infinity) - length * 1000),
    to: sqlSecond(readies.reduce((a, b) => Math.max(a, b), 0) + length * 1000),
  }
}

/**
 * @param minutes  on each side
 * @returns by place; undefined where the service had no request in either
 * @throws StoreError
 */
export async function releaseEffects(
  store: Pick<Store, 'ask'>,
  releases: readonly Ready[],
  minutes: number,
): Promise<readonly (BeforeAfter | undefined)[]> {
  if (releases.length === 0) return []
  const rows = await store.ask(releaseEffectsStatement, effectsAsked(releases, minutes), { lane: 'heavy' })
  const byPlace = new Map(rows.map((row) => [row.place, row]))
  return releases.map((_, place) => {
    const row = byPlace.get(place + 1)
    if (row === undefined) return undefined
    return {
      before: { requests: row.before_requests / 1000, bad: row.before_bad / 1000 },
      after: { requests: row.after_requests / 1000, bad: row.after_bad / 1000 },
    }
  })
}
