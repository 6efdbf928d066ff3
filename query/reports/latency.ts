// Latency by service and version from minute states.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { Latency } from '../http/schemas.ts'
import { sqlSecond, type TimeRange } from '../time-range.ts'
import { atGranularity, type Granularity } from './granularity.ts'
import { latencyWithHours, ofWholes, settledHours } from './wholes.ts'

/** Which requests; the empty string means all. */
export type Scope = {
  readonly site: string
  readonly channel: string
  readonly region: string
  readonly traffic: string
}

/** Whether services and versions are asked for as wholes. */
export const isUnscoped = ({ site, channel, region }: Scope) => site === '' && channel === '' && region === ''

const Quantiles = z.tuple([z.number(), z.number(), z.number()])
type Quantiles = z.infer<typeof Quantiles>

const range = { from: z.string(), to: z.string() }
const scope = { site: z.string(), channel: z.string(), region: z.string(), traffic: z.string() }

const merged = statement(
  new URL('./latency-merged.sql', import.meta.url),
  z.object({ ...range, ...scope }),
  z.object({ service: z.string(), version: z.string(), quantiles: Quantiles }),
)

const series = statement(
  new URL('./latency-series.sql', import.meta.url),
  z.object({ ...range, ...scope, service: z.string(), step: z.number().int() }),
  z.object({ version: z.string(), at: z.coerce.number(), quantiles: Quantiles }),
)

// A year of hours of a hundred services is a million states, 25 s of CPU.
const LONG = { lane: 'heavy', secondsMax: 30 } as const

/**
 * Latency of every service and version over a range taken as one.
 * @param within starts at a whole minute
 */
export async function mergedLatency(store: Store, within: TimeRange, which: Scope, granularity: Granularity) {
  const parameters = { ...which, from: sqlSecond(within.fromMs), to: sqlSecond(within.toMs) }
  if (!isUnscoped(which)) return store.ask(atGranularity(merged, granularity), parameters)
  if (granularity === 'hour') return store.ask(ofWholes(merged, granularity), parameters, LONG)
  const hours = await settledHours(store, within)
  if (hours.hours.length === 0) return store.ask(ofWholes(merged, granularity), parameters)
  return store.ask(latencyWithHours(merged), { ...parameters, ...hours })
}

/**
 * Latency of one service over time, by version.
 * @param within       starts at a whole step
 * @param stepSeconds  width of a point, a multiple of 60
 */
export function latencySeries(
  store: Store,
  service: string,
  within: TimeRange,
  stepSeconds: number,
  which: Scope,
  granularity: Granularity,
) {
  const times = { from: sqlSecond(within.fromMs), to: sqlSecond(within.toMs), step: stepSeconds }
  const question = isUnscoped(which) ? ofWholes(series, granularity) : atGranularity(series, granularity)
  return store.ask(question, { ...which, ...times, service })
}

/** Quantiles in nanoseconds as the API says them. */
export function milliseconds([p50, p95, p99]: Quantiles): z.infer<typeof Latency> {
  return { p50Ms: p50 / 1e6, p95Ms: p95 / 1e6, p99Ms: p99 / 1e6 }
}
