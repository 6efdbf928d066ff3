// One service over time, by version: requests and bad requests in 10-second steps, latency in minutes.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { ServiceSeriesReply } from '../http/schemas.ts'
import { floorTo, iso, sqlSecond, type TimeRange } from '../time-range.ts'
import { atGranularity, granularityOf, type Horizon } from './granularity.ts'
import { isUnscoped, latencySeries, milliseconds, type Scope } from './latency.ts'
import { ofWholes } from './wholes.ts'

const series = statement(
  new URL('./service-series.sql', import.meta.url),
  z.object({
    service: z.string(),
    from: z.string(),
    to: z.string(),
    step: z.number().int(),
    site: z.string(),
    channel: z.string(),
    region: z.string(),
    traffic: z.string(),
  }),
  z.object({ version: z.string(), at: z.coerce.number(), total: z.coerce.number(), bad: z.coerce.number() }),
)

/** Points of a chart that nobody can tell apart cost time and say nothing. */
const POINTS_WANTED = 120
const POINTS_MAX = 2000
const HOUR_SECONDS = 3600
const FINEST_SECONDS = { fine: 10, minute: 60, hour: HOUR_SECONDS } as const
const STEPS_SECONDS = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 86_400]

/** @returns the step that gives about 120 points, never more than 2,000 */
export function chooseStep(range: TimeRange, wanted: number | undefined, horizon: Horizon): number {
  const seconds = (range.toMs - range.fromMs) / 1000
  const fits = (step: number) => seconds / step <= POINTS_MAX
  if (wanted !== undefined && fits(wanted)) return wanted
  const finest = FINEST_SECONDS[granularityOf(range, horizon).granularity]
  return STEPS_SECONDS.find((step) => step >= finest && seconds / step <= POINTS_WANTED * 1.5) ?? 86_400
}

/** Points without requests are absent: a gap is a gap. */
export async function serviceSeries(
  store: Store,
  service: string,
  range: TimeRange,
  wantedStep: number | undefined,
  scope: Scope,
  horizon: Horizon,
): Promise<ServiceSeriesReply> {
  const stepSeconds = chooseStep(range, wantedStep, horizon)
  // A wish for finer points is granted from the finer tables, as far back as these are kept.
  const { granularity: coarsest, range: covered } = granularityOf(range, horizon)
  const granularity =
    stepSeconds % FINEST_SECONDS[coarsest] === 0 ? coarsest : stepSeconds % 60 === 0 ? 'minute' : 'fine'
  const toMs = granularity === 'hour' ? covered.toMs : range.toMs
  const latencyStepSeconds = Math.ceil(stepSeconds / 60) * 60
  const fromMs = floorTo(range.fromMs, stepSeconds * 1000)
  const latencyRange = { fromMs: floorTo(range.fromMs, latencyStepSeconds * 1000), toMs }
  const parameters = {
    ...scope,
    service,
    from: sqlSecond(fromMs),
    to: sqlSecond(toMs),
    step: stepSeconds,
  }
  // Points of whole minutes need no tens of seconds but at the ends of the range.
  const isWhole = stepSeconds % 60 === 0 && isUnscoped(scope)
  const question = isWhole ? ofWholes(series, granularity) : atGranularity(series, granularity)
  const [counts, latencies] = await Promise.all([
    store.ask(question, parameters),
    latencySeries(store, service, latencyRange, latencyStepSeconds, scope, granularity),
  ])
  const versions = [...new Set([...counts, ...latencies].map(({ version }) => version))].sort()
  return {
    service,
    from: iso(fromMs),
    to: iso(toMs),
    stepSeconds,
    latencyStepSeconds,
    versions: versions.map((version) => ({
      version,
      points: counts
        .filter((row) => row.version === version)
        .map(({ at, total, bad }) => ({
          at: iso(at * 1000),
          requests: total,
          bad,
          errorRatio: total === 0 ? null : bad / total,
        })),
      latency: latencies
        .filter((row) => row.version === version)
        .map(({ at, quantiles }) => ({ at: iso(at * 1000), ...milliseconds(quantiles) })),
    })),
  }
}
