// One process of Surety, whatever roles it runs: the store, the HTTP application, health and metrics are opened in
// order, the roles are wired, the port is opened last; any failure on the way closes what was open.

import type { FastifyInstance } from 'fastify'
import type { RuntimeConfig } from './config.ts'
import { openAccess } from './runtime/access.ts'
import { systemClock, type Clock } from './runtime/clock.ts'
import type { DoorGuard } from './runtime/door-guard.ts'
import type { CallerSlot } from './runtime/guarded-routes.ts'
import { buildHealth, type Health } from './runtime/health.ts'
import { buildHttpApp } from './runtime/http-app.ts'
import { buildLifecycle, untilSignal, type Lifecycle } from './runtime/lifecycle.ts'
import { buildLogger, type Logger } from './runtime/logger.ts'
import { buildMetrics, type Metrics } from './runtime/metrics.ts'
import { buildQuiet, type Quiet } from './runtime/quiet.ts'
import { buildOwnTraces, type SwitchableTraces } from './runtime/own-traces.ts'
import { isLoopback, type IsLoopback } from './runtime/reach.ts'
import { startFailure } from './runtime/start-failure.ts'
import type { Tls } from './runtime/tls.ts'
import { storeTarget } from './store-target.ts'
import { openStore, type Retention, type Store } from './store/store.ts'

/** What every role is handed. */
export type ProcessParts = {
  readonly store: Store
  /** The application on SURETY_HTTP_PORT, not yet listening. */
  readonly app: FastifyInstance
  readonly lifecycle: Lifecycle
  readonly health: Health
  readonly metrics: Metrics
  readonly logger: Logger
  readonly clock: Clock
  /** Every door that a role opens asks it. */
  readonly guard: DoorGuard
  /** Where the role that knows people puts them: the application then asks them. */
  readonly slot: CallerSlot
  /** Parts that keep files in the data directory stand still here while a backup copies them. */
  readonly quiet: Quiet
  /** Every door that a role opens speaks it; undefined: plain. */
  readonly tls: Tls | undefined
  /** Own spans; `SURETY_TRACES_ENDPOINT=self` waits for the role that opens the door. */
  readonly traces: SwitchableTraces
}

export type Running<Wired> = {
  readonly wired: Wired
  /** Where the application listens, with the port that the system chose when 0 was asked for. */
  readonly url: string
  readonly lifecycle: Lifecycle
}

/**
 * @param wire  starts the roles on the parts; what it opens it hands to the lifecycle
 * @param reach  which addresses others cannot reach; tests stand in for it
 * @throws StoreError, ConfigError, EADDRINUSE; everything is closed by then
 */
export async function runProcess<Wired>(
  config: RuntimeConfig,
  wire: (parts: ProcessParts) => Promise<Wired>,
  reach: IsLoopback = isLoopback,
): Promise<Running<Wired>> {
  const logger = buildLogger(config.SURETY_LOG_LEVEL)
  const lifecycle = buildLifecycle(logger)
  try {
    const health = buildHealth()
    const metrics = buildMetrics()
    const clock = systemClock
    // Before the store: what is wrong with it is known at once and touches nothing.
    const access = await openAccess(config, { clock, logger, metrics, isLoopback: reach })
    lifecycle.add('access', () => access.close())
    const { guard, tls } = access
    const traces = buildOwnTraces(clock)
    lifecycle.add('own traces', () => traces.close())
    const { SURETY_TRACES_ENDPOINT: url, SURETY_TRACES_RATIO: ratio } = config
    if (url !== undefined && url !== 'self') await traces.open({ url, ratio, logger })
    const store = await openStore({
      dataDir: config.SURETY_DATA_DIR,
      server: storeTarget(config),
      retention: retentionOf(config),
    })
    if (store.place.kind !== 'embedded') logger.info(store.place, 'the store is on a ClickHouse server')
    lifecycle.add('store', () => store.close())
    const allowedHosts = config.SURETY_ALLOWED_HOSTS
    const slot: CallerSlot = {}
    const quiet = buildQuiet()
    const app = buildHttpApp({ logger, health, metrics, allowedHosts, guard, slot, tls })
    lifecycle.add('HTTP', () => app.close())
    health.register('store', async () => {
      await store.rows('SELECT 1')
      return undefined
    })
    const parts = { store, app, lifecycle, health, metrics, logger, clock, guard, slot, quiet, tls, traces }
    const wired = await wire(parts)
    const listening = await app.listen({ host: config.SURETY_HOST, port: config.SURETY_HTTP_PORT })
    return { wired, url: listening, lifecycle }
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

export function retentionOf(config: RuntimeConfig): Retention {
  return {
    spansDays: config.SURETY_RETENTION_SPANS_DAYS,
    requests10sDays: config.SURETY_RETENTION_10S_DAYS,
    requests1mDays: config.SURETY_RETENTION_1M_DAYS,
    requests1hDays: config.SURETY_RETENTION_1H_DAYS,
    deadLettersDays: config.SURETY_RETENTION_DEAD_LETTERS_DAYS,
    metricsDays: config.SURETY_RETENTION_METRICS_DAYS,
    eventsDays: config.SURETY_RETENTION_EVENTS_DAYS,
  }
}

/**
 * Runs one role as a process of its own until a signal.
 * @returns the exit code
 */
export async function runAlone(open: () => Promise<Running<unknown>>): Promise<number> {
  const signal = untilSignal()
  try {
    const { url, lifecycle } = await open()
    process.stdout.write(`Surety is ready: ${url}\n`)
    await signal
    await lifecycle.stop()
    return 0
  } catch (error) {
    const sentence = startFailure(error)
    if (sentence === undefined) throw error
    process.stderr.write(`${sentence}\n`)
    return 2
  }
}
