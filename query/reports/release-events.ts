// Release events of a range, newest first.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { ReleaseEvent } from '../http/schemas.ts'
import { iso, sqlSecond, type TimeRange } from '../time-range.ts'

const events = statement(
  new URL('./release-events.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string(), service: z.string(), limit: z.number().int() }),
  z.object({
    source: z.string(),
    id: z.string(),
    type: z.string(),
    happened: z.coerce.number(),
    received: z.coerce.number(),
    service: z.string(),
    version: z.string(),
    environment: z.string(),
    action: ReleaseEvent.shape.action,
    description: z.string(),
  }),
)

export async function releaseEvents(
  store: Store,
  range: TimeRange,
  service: string,
  limit: number,
): Promise<ReleaseEvent[]> {
  const rows = await store.ask(events, {
    from: sqlSecond(range.fromMs),
    to: sqlSecond(Math.ceil(range.toMs / 1000) * 1000),
    service,
    limit,
  })
  return rows.map(({ happened, received, ...event }) => ({
    ...event,
    at: iso(happened),
    receivedAt: iso(received),
  }))
}
