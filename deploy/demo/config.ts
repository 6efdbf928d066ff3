// What the demo bank reads from its environment.

import { z } from 'zod'
import { integer, port, readConfig, type Environment } from '../../ingest/runtime/config.ts'
import { LOG_LEVELS, type LogLevel } from '../../ingest/runtime/logger.ts'

const webUrl = (fallback: string) =>
  z.url({ protocol: /^https?$/, error: `must be an http or https URL such as ${fallback}` }).default(fallback)

const schema = z.object({
  /** TCP port of the control page on the loopback address. 8090 leaves 8080 to Surety. */
  SURETY_DEMO_PORT: port(8090),
  /** Entry requests per second at the day's peak. 20 gives about 210 spans a second for a fifth of one core. */
  SURETY_DEMO_RATE: integer(1, 200, 20),
  /** Seed of customers and arrivals. Any number; 1 unless several banks must differ. */
  SURETY_DEMO_SEED: integer(0, 4_294_967_295, 1),
  /** Days of spans and metrics written at the first start, with rollups of four times as many before; 0: none. */
  SURETY_DEMO_HISTORY: integer(0, 30, 7),
  /** What the bank needs to notice that a site is gone and to move its customers, ms. */
  SURETY_DEMO_FAILOVER_MS: integer(0, 600_000, 20_000),
  /** Where Surety answers: release events go there, and the control page links to it. */
  SURETY_DEMO_SURETY_URL: webUrl('http://127.0.0.1:8080'),
  /** How much is logged on standard error. */
  SURETY_LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
  /** OTLP over HTTP, without `/v1/traces`. OpenTelemetry's own name and default. */
  OTEL_EXPORTER_OTLP_ENDPOINT: webUrl('http://127.0.0.1:4318'),
})

export type DemoConfig = {
  readonly SURETY_DEMO_PORT: number
  readonly SURETY_DEMO_RATE: number
  readonly SURETY_DEMO_SEED: number
  readonly SURETY_DEMO_HISTORY: number
  readonly SURETY_DEMO_FAILOVER_MS: number
  readonly SURETY_DEMO_SURETY_URL: string
  readonly SURETY_LOG_LEVEL: LogLevel
  readonly OTEL_EXPORTER_OTLP_ENDPOINT: string
}

/** The `SURETY_` names this process knows, for processes that check the whole environment. */
export const DEMO_VARIABLES: readonly string[] = Object.keys(schema.shape).filter((name) =>
  name.startsWith('SURETY_'),
)

/**
 * The demo runs as a child of Surety and inherits the variables of every other role, so it answers only for the
 * names that begin with its own `SURETY_DEMO_`.
 *
 * @throws ConfigError naming every problem
 */
export function readDemoConfig(env: Environment): DemoConfig {
  const foreign = Object.keys(env).filter((name) => !name.startsWith('SURETY_DEMO_'))
  return readConfig(schema, env, [...DEMO_VARIABLES, ...foreign]) as DemoConfig
}
