// Wires the role `query`: the API and the pages, on the application that the process serves.

import { doorlessProblems, IngestConfig, runtimeProblems } from '../ingest/config.ts'
import { runAlone, runProcess, type ProcessParts } from '../ingest/process.ts'
import { readConfig } from '../ingest/runtime/config.ts'
import { isLoopback, type IsLoopback } from '../ingest/runtime/reach.ts'
import { QueryConfig } from './config.ts'
import { databaseTarget } from './database-target.ts'
import { api, registerOpenApi } from './http/api.ts'
import { pages } from './http/routes/pages.ts'
import { PARSERS } from './parsers.ts'
import { openRegistry } from './open-registry.ts'
import { buildCallers } from './people/callers.ts'
import { openLocalToken } from './people/local-token.ts'
import type { People } from './people/people.ts'
import type { Database } from './registry/database.ts'
import type { Registry } from './registry/registry.ts'
import { readWords } from './verdicts/verdict-store.ts'
import { windowPlan } from './windows/release-window.ts'
import type { KafkaStatus } from './reports/ingest-status.ts'

export type QueryParts = ProcessParts & {
  /** What the ingest role in this process knows of its partitions; null when there is none. */
  readonly kafkaStatus: () => KafkaStatus | null
  /** What the page of an empty store tells people to send traces to. */
  readonly otlpTracesUrl?: string
  readonly isLoopback?: IsLoopback
}

export type QueryRole = {
  readonly database: Database
  readonly registry: Registry
  readonly people: People
  /** The first admin's password, to be told once; undefined when somebody can sign in already. */
  readonly firstAdmin: { readonly name: string; readonly password: string } | undefined
}

/** The OpenAPI document must have been registered on the application before any route (`registerOpenApi`). */
export async function start(config: QueryConfig, parts: QueryParts): Promise<QueryRole> {
  const { app, clock, guard, health, lifecycle, otlpTracesUrl, quiet, slot } = parts
  const opened = await openRegistry(databaseTarget(config), () => new Date(clock.now()))
  const { database, registry, people, cursors, firstAdmin } = opened
  lifecycle.add('registry', () => database.close())
  quiet.add((work) => database.still(work))
  health.register('registry', async () => {
    await database.rows('SELECT 1')
    return undefined
  })
  const localToken = openLocalToken(config.SURETY_DATA_DIR)
  lifecycle.add('local token', () => localToken.remove())
  const isProxied = config.SURETY_TLS_TERMINATED
  const isSecure = isProxied || config.SURETY_TLS_CERT_FILE !== undefined
  const reach = parts.isLoopback ?? isLoopback
  // The configuration says so on loopback only; here it is looked at once more.
  const visitorsRead = config.SURETY_VISITORS === 'viewer' && reach(config.SURETY_HOST)
  slot.callers = buildCallers({ people, guard, localToken, visitorsRead, isSecure, isProxied })
  await app.register(api, {
    ...parts,
    retentionSpansDays: config.SURETY_RETENTION_SPANS_DAYS,
    retentionMinutesDays: config.SURETY_RETENTION_1M_DAYS,
    searchKeys: config.SURETY_SEARCH_KEYS,
    grayOpenDays: config.SURETY_GRAY_OPEN_DAYS,
    registry,
    database,
    people,
    cursors,
    parsers: PARSERS,
    verdictsOf: (ids) => readWords(database, ids),
    windowPlan: windowPlan(
      config.SURETY_RELEASE_WINDOW,
      config.SURETY_RELEASE_WINDOW_VERDICT_AT,
      config.SURETY_TIME_ZONE,
    ),
    browsers: { isSecure, isProxied },
  })
  await app.register(pages, otlpTracesUrl === undefined ? {} : { otlpTracesUrl })
  return { database, registry, people, firstAdmin }
}

/** What a person is told at the first start. */
export function firstAdminText({ name, password }: NonNullable<QueryRole['firstAdmin']>): string {
  return `First start: sign in as «${name}» with the one-time password ${password} (told this once; «surety user password ${name}» makes another)`
}

if (import.meta.main) {
  process.exitCode = await runAlone(() => {
    const config = readConfig(QueryConfig, process.env, Object.keys(IngestConfig.shape), (values) => [
      ...runtimeProblems(values),
      ...doorlessProblems(values),
    ])
    return runProcess(config, async (parts) => {
      await registerOpenApi(parts.app)
      const { firstAdmin } = await start(config, { ...parts, kafkaStatus: () => null })
      if (firstAdmin !== undefined) process.stdout.write(`${firstAdminText(firstAdmin)}\n`)
    })
  })
}
