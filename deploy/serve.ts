// `surety serve`: opens the store, starts the roles, listens, waits for a signal, closes in reverse.

import { start as startIngest } from '../ingest/main.ts'
import { retentionOf } from '../ingest/main.ts'
import { systemClock } from '../ingest/runtime/clock.ts'
import { buildHealth } from '../ingest/runtime/health.ts'
import { buildHttpApp } from '../ingest/runtime/http-app.ts'
import { buildLifecycle, untilSignal, type Lifecycle } from '../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../ingest/runtime/logger.ts'
import { buildMetrics } from '../ingest/runtime/metrics.ts'
import type { Environment } from '../ingest/runtime/config.ts'
import { openEmbeddedStore } from '../ingest/store/store.ts'
import { registerOpenApi } from '../query/http/api.ts'
import { start as startQuery } from '../query/main.ts'
import { parseRoles, readEnvironment, type Role } from './environment.ts'

export type Served = {
  /** The address to open in a browser. */
  readonly url: string
  readonly otlpHttpUrl: string | undefined
  readonly lifecycle: Lifecycle
}

/** Starts the roles and listens; `lifecycle.stop()` ends it. @throws ConfigError, StoreError */
export async function serve(roles: readonly Role[], env: Environment): Promise<Served> {
  const config = readEnvironment(roles, env)
  const logger = buildLogger(config.SURETY_LOG_LEVEL)
  const lifecycle = buildLifecycle(logger)
  try {
    const health = buildHealth()
    const metrics = buildMetrics()
    const store = await openEmbeddedStore(config.SURETY_DATA_DIR, retentionOf(config))
    lifecycle.add('store', () => store.close())
    const app = buildHttpApp({ logger, health, metrics, allowedHosts: config.SURETY_ALLOWED_HOSTS })
    lifecycle.add('HTTP', () => app.close())
    await registerOpenApi(app)
    const ingest = roles.includes('ingest')
      ? await startIngest(config, { store, app, lifecycle, health, metrics, logger, clock: systemClock })
      : undefined
    if (roles.includes('query')) {
      const kafkaStatus = () => ingest?.kafkaStatus() ?? null
      const otlpTracesUrl = ingest === undefined ? {} : { otlpTracesUrl: `${ingest.otlpHttpUrl}/v1/traces` }
      await startQuery(config, {
        store,
        app,
        health,
        metrics,
        clock: systemClock,
        kafkaStatus,
        ...otlpTracesUrl,
      })
    }
    const url = await app.listen({ host: config.SURETY_HOST, port: config.SURETY_HTTP_PORT })
    return { url, otlpHttpUrl: ingest?.otlpHttpUrl, lifecycle }
  } catch (error) {
    await lifecycle.stop()
    throw error
  }
}

export async function serveCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const roles = parseRoles(values['roles'] as string | undefined)
  const signal = untilSignal()
  const { url, otlpHttpUrl, lifecycle } = await serve(roles, process.env)
  console.log(
    `Surety is ready: ${url}${otlpHttpUrl === undefined ? '' : ` (OTLP/HTTP: ${otlpHttpUrl}/v1/traces)`}`,
  )
  await signal
  await lifecycle.stop()
  return 0
}
