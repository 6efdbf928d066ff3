// `surety serve`: the roles in one process, on one port, until a signal.

import { start as startAlerts } from '../alerts/main.ts'
import type { RuntimeConfig } from '../ingest/config.ts'
import { start as startIngest, type IngestRole } from '../ingest/main.ts'
import { runProcess, type ProcessParts } from '../ingest/process.ts'
import type { Environment } from '../ingest/runtime/config.ts'
import { untilSignal, type Lifecycle } from '../ingest/runtime/lifecycle.ts'
import { isLoopback, type IsLoopback } from '../ingest/runtime/reach.ts'
import { registerOpenApi } from '../query/http/api.ts'
import { databaseTarget } from '../query/database-target.ts'
import { firstAdminText, start as startQuery, type QueryRole } from '../query/main.ts'
import { openRegistry } from '../query/open-registry.ts'
import { parseRoles, readEnvironment, type Role, type ServeConfig } from './environment.ts'

export type Served = {
  /** The address to open in a browser. */
  readonly url: string
  readonly otlpHttpUrl: string | undefined
  readonly otlpGrpcUrl: string | undefined
  /** What the role query opened; undefined without it. */
  readonly query: QueryRole | undefined
  readonly lifecycle: Lifecycle
}

/**
 * Starts the roles and listens; `lifecycle.stop()` ends it.
 * @param reach  which addresses others cannot reach; tests stand in for it
 * @param onIngest  what this process itself has to send, before anyone can ask; once the ingest role runs
 * @throws ConfigError, StoreError
 */
export async function serve(
  roles: readonly Role[],
  env: Environment,
  reach: IsLoopback = isLoopback,
  onIngest?: (ingest: IngestRole, parts: ProcessParts, config: ServeConfig) => Promise<void>,
): Promise<Served> {
  const config = readEnvironment(roles, env, reach)
  async function wire(parts: ProcessParts) {
    await registerOpenApi(parts.app)
    const ingest = roles.includes('ingest') ? await startIngest(config, parts) : undefined
    let query: QueryRole | undefined
    if (roles.includes('query')) {
      const kafkaStatus = () => ingest?.kafkaStatus() ?? null
      const otlpTracesUrl = ingest === undefined ? undefined : tracesUrl(config, ingest.otlpHttpUrl, reach)
      query = await startQuery(config, {
        ...parts,
        kafkaStatus,
        isLoopback: reach,
        ...(otlpTracesUrl === undefined ? {} : { otlpTracesUrl }),
      })
    }
    if (ingest !== undefined) await onIngest?.(ingest, parts, config)
    if (roles.includes('alerts'))
      startAlerts(config, { ...parts, ...(query ?? (await openAlone(config, parts))) })
    return { ingest, query }
  }
  const { wired, url, lifecycle } = await runProcess(config, wire, reach)
  const { ingest, query } = wired
  return { url, otlpHttpUrl: ingest?.otlpHttpUrl, otlpGrpcUrl: ingest?.otlpGrpcUrl, query, lifecycle }
}

/** The registry of a process that runs no query. */
async function openAlone(config: ServeConfig, { lifecycle, clock, quiet }: ProcessParts) {
  const opened = await openRegistry(databaseTarget(config), () => new Date(clock.now()))
  lifecycle.add('registry', () => opened.database.close())
  quiet.add((work) => opened.database.still(work))
  return opened
}

/** Where senders reach the door: beyond loopback by our public name; behind a proxy only the proxy knows. */
function tracesUrl(config: RuntimeConfig, otlpHttpUrl: string, reach: IsLoopback): string | undefined {
  const [publicName] = config.SURETY_ALLOWED_HOSTS
  if (reach(config.SURETY_HOST) || publicName === undefined) return `${otlpHttpUrl}/v1/traces`
  if (config.SURETY_TLS_CERT_FILE === undefined) return undefined
  return `https://${publicName}:${new URL(otlpHttpUrl).port}/v1/traces`
}

/** Said once, by those who start Surety for a person. */
export function tellFirstAdmin(query: QueryRole | undefined): void {
  if (query?.firstAdmin !== undefined) console.log(firstAdminText(query.firstAdmin))
}

export async function serveCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const roles = parseRoles(values['roles'] as string | undefined)
  const signal = untilSignal()
  const { url, otlpHttpUrl, otlpGrpcUrl, query, lifecycle } = await serve(roles, process.env)
  tellFirstAdmin(query)
  console.log(
    `Surety is ready: ${url}${otlpHttpUrl === undefined ? '' : ` (OTLP/HTTP: ${otlpHttpUrl}/v1/traces, OTLP/gRPC: ${otlpGrpcUrl})`}`,
  )
  await signal
  await lifecycle.stop()
  return 0
}
