// Which versions of services there were, as far back as hours are kept.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { floorTo, sqlSecond } from '../time-range.ts'
import { ofWholes } from './wholes.ts'

const question = ofWholes(
  statement(
    new URL('./service-seen.sql', import.meta.url),
    z.object({ services: z.array(z.string()), from: z.string(), to: z.string(), traffic: z.string() }),
    z.object({
      service: z.string(),
      version: z.string(),
      system: z.string(),
      since: z.coerce.number(),
      last_seen: z.coerce.number(),
    }),
  ),
  'hour',
)

const HOUR_MS = 3_600_000
const BACK_MS = 400 * 24 * HOUR_MS

export type SeenVersion = {
  readonly service: string
  readonly version: string
  /** As telemetry says. */
  readonly system: string
  /** To the minute, to the hour where minutes have been summed up. */
  readonly sinceMs: number
  readonly lastMs: number
}

/** @returns newest first, 2,000 at most */
export async function seenVersions(
  store: Pick<Store, 'ask'>,
  services: readonly string[],
  traffic: string,
  nowMs: number,
): Promise<SeenVersion[]> {
  if (services.length === 0) return []
  const range = { from: sqlSecond(floorTo(nowMs - BACK_MS, HOUR_MS)), to: sqlSecond(nowMs + 1000) }
  const rows = await store.ask(question, { ...range, services: [...services], traffic }, { lane: 'heavy' })
  return rows.map(({ service, version, system, since, last_seen }) => ({
    service,
    version,
    system,
    sinceMs: since * 1000,
    lastMs: Math.min(last_seen * 1000, nowMs),
  }))
}
