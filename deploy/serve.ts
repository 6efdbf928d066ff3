// `surety serve`: the roles in one process, on one port, until a signal.

import { start as startIngest } from '../ingest/main.ts'
import { runProcess } from '../ingest/process.ts'
import type { Environment } from '../ingest/runtime/config.ts'
import { untilSignal, type Lifecycle } from '../ingest/runtime/lifecycle.ts'
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
  const { wired, url, lifecycle } = await runProcess(config, async (parts) => {
    await registerOpenApi(parts.app)
    const ingest = roles.includes('ingest') ? await startIngest(config, parts) : undefined
    if (roles.includes('query')) {
      const kafkaStatus = () => ingest?.kafkaStatus() ?? null
      const otlp = ingest === undefined ? {} : { otlpTracesUrl: `${ingest.otlpHttpUrl}/v1/traces` }
      await startQuery(config, { ...parts, kafkaStatus, ...otlp })
    }
    return ingest
  })
  return { url, otlpHttpUrl: wired?.otlpHttpUrl, lifecycle }
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
