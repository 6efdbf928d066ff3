// Named events of a range, newest first.

import { z } from 'zod'
import { EVENT_KIND_NAMES } from '../../ingest/store/event-kinds.ts'
import { sqlMillisecond, statement, type Store } from '../../ingest/store/store.ts'
import type { EventItem } from '../http/schemas.ts'
import type { TimeRange } from '../time-range.ts'
import { isoNanoseconds } from './trace.ts'

const events = statement(
  new URL('./events.sql', import.meta.url),
  z.object({
    from: z.string(),
    to: z.string(),
    service: z.string(),
    kind: z.string(),
    name: z.string(),
    limit: z.number().int(),
  }),
  z.object({
    at_ns: z.coerce.bigint(),
    name: z.string(),
    kind: z.enum(EVENT_KIND_NAMES),
    severity: z.number(),
    body: z.string(),
    service: z.string(),
    version: z.string(),
    system: z.string(),
    environment: z.string(),
    site: z.string(),
    zone: z.string(),
    cluster: z.string(),
    namespace: z.string(),
    node: z.string(),
    pod: z.string(),
    trace: z.string(),
    span: z.string(),
    attr_k: z.array(z.string()),
    attr_v: z.array(z.string()),
  }),
)

export type EventFilter = {
  /** The empty string means all. */
  readonly service: string
  readonly kind: string
  readonly name: string
  readonly limit: number
}

const NONE = /^0+$/

export async function namedEvents(store: Store, range: TimeRange, filter: EventFilter): Promise<EventItem[]> {
  const { fromMs, toMs } = range
  const rows = await store.ask(events, { ...filter, from: sqlMillisecond(fromMs), to: sqlMillisecond(toMs) })
  return rows.map(({ at_ns, trace, span, attr_k, attr_v, ...event }) => ({
    ...event,
    at: isoNanoseconds(at_ns),
    traceId: NONE.test(trace) ? null : trace,
    spanId: NONE.test(span) ? null : span,
    attributes: Object.fromEntries(attr_k.map((key, index) => [key, attr_v[index] ?? ''])),
  }))
}
