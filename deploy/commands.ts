// The commands that end by themselves: migrate and check-config.

import type { RuntimeConfig } from '../ingest/config.ts'
import { retentionOf } from '../ingest/process.ts'
import { openAccess } from '../ingest/runtime/access.ts'
import { systemClock } from '../ingest/runtime/clock.ts'
import { ConfigError } from '../ingest/runtime/config.ts'
import { buildLogger } from '../ingest/runtime/logger.ts'
import { buildMetrics } from '../ingest/runtime/metrics.ts'
import { readMasking } from '../ingest/masking.ts'
import { readHooks } from '../ingest/releases/hooks/open-hooks.ts'
import { readReturnCodes } from '../ingest/return-codes.ts'
import { AS_WRITTEN, renderAll } from '../ingest/store/migrate.ts'
import { openServerStore, renderingFor } from '../ingest/store/server-store.ts'
import { openEmbeddedStore } from '../ingest/store/store.ts'
import { storeTarget } from '../ingest/store-target.ts'
import { databaseTarget } from '../query/database-target.ts'
import { openDatabase } from '../query/registry/database.ts'
import { migrateRegistry } from '../query/registry/migrate.ts'
import { parseRoles, readEnvironment, ROLES } from './environment.ts'

export const MIGRATE_HELP = `surety migrate [--print embedded|server|cluster]

Applies the numbered migrations that the store and the registry lack, and the retention that is configured: in SURETY_DATA_DIR,
where «serve» does the same when it starts, or on the servers of SURETY_CLICKHOUSE_URL and SURETY_DATABASE_URL, where nothing
else does. Run it once for each release, before its processes. --print changes nothing and asks nothing: it prints the DDL of a new store, for those
who bring it in themselves or look at it first.`

const KINDS = ['embedded', 'server', 'cluster'] as const

export async function migrateCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const config = readEnvironment(ROLES, process.env)
  const kind = values['print']
  if (kind !== undefined) {
    const known = KINDS.find((word) => word === kind)
    if (known === undefined)
      throw new ConfigError([`--print: «${String(kind)}» is none of ${KINDS.join(', ')}`])
    console.log(printed(known, config))
    return 0
  }
  const server = storeTarget(config)
  const store =
    server === undefined
      ? await openEmbeddedStore(config.SURETY_DATA_DIR, retentionOf(config))
      : await openServerStore(server, retentionOf(config), { migrates: true })
  const text = store.migrated.length === 0 ? 'is up to date' : `took ${store.migrated.join(', ')}`
  await store.close()
  const place =
    server === undefined ? config.SURETY_DATA_DIR : `${server.database} at ${server.urls.join(', ')}`
  console.log(`The store in ${place} ${text}`)
  const database = await openDatabase(databaseTarget(config))
  let taken: string[] = []
  try {
    taken = await migrateRegistry(database)
  } finally {
    await database.close()
  }
  const where = database.kind === 'embedded' ? config.SURETY_DATA_DIR : 'SURETY_DATABASE_URL'
  console.log(`The registry in ${where} ${taken.length === 0 ? 'is up to date' : `took ${taken.join(', ')}`}`)
  return 0
}

function printed(kind: (typeof KINDS)[number], config: RuntimeConfig): string {
  const { SURETY_CLICKHOUSE_DATABASE: database, SURETY_CLICKHOUSE_CLUSTER: name = '{cluster}' } = config
  const renderings = {
    embedded: AS_WRITTEN,
    server: renderingFor({ database }),
    cluster: renderingFor({ database, cluster: { name, database } }),
  }
  return renderAll(renderings[kind])
    .map((sql) => `${sql};\n`)
    .join('\n')
}

export async function checkConfigCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
): Promise<number> {
  const config = readEnvironment(parseRoles(values['roles'] as string | undefined), process.env)
  readReturnCodes(config.SURETY_RETURN_CODE_MAP)
  readHooks(config)
  // Tokens, certificate and key are read as «serve» would read them.
  const parts = { clock: systemClock, logger: buildLogger('silent'), metrics: buildMetrics() }
  const access = await openAccess(config, parts)
  access.close()
  readMasking(config.SURETY_MASKING)
  storeTarget(config)
  databaseTarget(config)
  for (const [name, value] of Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const given = process.env[name] !== undefined && process.env[name] !== ''
    console.log(`${name}=${shown(name, value)}${given ? '' : '  (default)'}`)
  }
  return 0
}

function shown(name: string, value: unknown): string {
  if (value === undefined) return ''
  if (name.includes('PASSWORD')) return '(not shown)'
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value)
}
