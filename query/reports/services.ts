// The answer to «how does each service and version answer»: counts from 10-second buckets, latency from minutes.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { Latency, Outcomes, ServiceItem } from '../http/schemas.ts'
import { floorTo, iso, sqlSecond, type TimeRange } from '../time-range.ts'
import { atGranularity, listGranularityOf, type Horizon } from './granularity.ts'
import { isUnscoped, mergedLatency, milliseconds, type Scope } from './latency.ts'
import { ofWholes } from './wholes.ts'

const count = z.coerce.number().int()
const services = statement(
  new URL('./services.sql', import.meta.url),
  z.object({
    from: z.string(),
    to: z.string(),
    site: z.string(),
    channel: z.string(),
    region: z.string(),
    traffic: z.string(),
  }),
  z.object({
    service: z.string(),
    version: z.string(),
    system: z.string(),
    ok: count,
    business_reject: count,
    business_error: count,
    shed: count,
    system_error: count,
    sampled: count,
    last_seen: count,
  }),
)

const BUCKET_MS = 10_000
const MINUTE_MS = 60_000
const NO_LATENCY: z.infer<typeof Latency> = { p50Ms: null, p95Ms: null, p99Ms: null }

/**
 * @param wanted  cut down to whole buckets at its start: 10 s, a minute from ten minutes on, an hour over two days; at its end to a
 *   whole minute from ten minutes on unless it ends now. Whole hours where minutes are no longer kept. Latency covers the minutes that it touches
 * @returns one item per service and version with requests in the range, by name
 */
export async function serviceItems(
  store: Store,
  wanted: TimeRange,
  scope: Scope,
  horizon: Horizon,
): Promise<{ range: TimeRange; items: ServiceItem[] }> {
  const { granularity, range } = listGranularityOf(wanted, horizon)
  const fromMs = floorTo(range.fromMs, BUCKET_MS)
  const question = isUnscoped(scope) ? ofWholes(services, granularity) : atGranularity(services, granularity)
  const [rows, latencies] = await Promise.all([
    store.ask(question, {
      ...scope,
      from: sqlSecond(fromMs),
      to: sqlSecond(range.toMs),
    }),
    mergedLatency(store, { fromMs: floorTo(fromMs, MINUTE_MS), toMs: range.toMs }, scope, granularity),
  ])
  const latencyOf = new Map(latencies.map((row) => [JSON.stringify([row.service, row.version]), row]))
  const seconds = (range.toMs - fromMs) / 1000
  const items = rows.map(({ service, version, system, sampled, last_seen, ...outcomes }) => {
    const requests = Object.values(outcomes).reduce((sum, value) => sum + value, 0)
    const latency = latencyOf.get(JSON.stringify([service, version]))
    return {
      service,
      version,
      system,
      requests,
      ratePerSecond: requests / seconds,
      errorRatio: requests === 0 ? null : bad(outcomes) / requests,
      outcomes,
      sampled: sampled === 1,
      lastSeenAt: iso(Math.min(last_seen * 1000, range.toMs)),
      ...(latency === undefined ? NO_LATENCY : milliseconds(latency.quantiles)),
    }
  })
  return { range: { fromMs, toMs: range.toMs }, items }
}

/** Requests that spend error budget. */
export function bad(outcomes: Outcomes): number {
  return outcomes.business_error + outcomes.shed + outcomes.system_error
}
