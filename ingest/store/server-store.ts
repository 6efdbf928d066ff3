// A store on a ClickHouse server or cluster. What must be so is looked at once, at start, and each refusal says what to do;
// the schema is brought in by «surety migrate» alone, because several processes share a server.

import { buildClusterRenderer } from './cluster-sql.ts'
import { literal } from './literal.ts'
import { AS_WRITTEN, checkMigrated, migrate, readMigrations, type Rendering } from './migrate.ts'
import { buildQuestions } from './questions.ts'
import { applyRetention, retentionDifferences, type Retention } from './retention.ts'
import { openServerConnections, type ServerConnections, type ServerTarget } from './server-connections.ts'
import { checkVersion, newerSettings } from './server-version.ts'
import { StoreError } from './store-error.ts'
import type { Store } from './store.ts'
import { buildStreamTransport } from './stream-transport.ts'

/**
 * @param retention  days kept, by table; must be what the server has, unless `migrates`
 * @throws StoreError when the server does not answer, lets us not in, is too old or has another schema
 */
export async function openServerStore(
  target: ServerTarget,
  retention: Retention,
  { migrates = false }: { readonly migrates?: boolean } = {},
): Promise<Store> {
  const connections = openServerConnections(target)
  try {
    const [answer] = parsed(await connections.runBare('SELECT version() AS version'))
    const text = String(answer?.['version'])
    const version = checkVersion(text)
    const transport = buildStreamTransport(connections, newerSettings(version))
    const store = buildQuestions(connections, transport)
    await checkCluster(connections, target)
    const rendering = renderingFor(target)
    if (migrates) for (const sql of rendering.databases) await connections.runBare(sql)
    const migrated = migrates ? await migrate(store, readMigrations(), rendering) : []
    if (migrates) await applyRetention(store, retention)
    else await checkMigrated(store)
    await checkDatabase(store, target.database)
    await checkRetention(store, retention)
    return {
      ...store,
      place: {
        kind: target.cluster === undefined ? 'server' : 'cluster',
        url: target.urls.join(', '),
        database: target.database,
        version: text,
      },
      migrated,
      close: () => connections.close(),
    }
  } catch (error) {
    await connections.close()
    throw error
  }
}

/** How migrations look on a server, or on a cluster. */
export function renderingFor({ database, cluster }: Pick<ServerTarget, 'database' | 'cluster'>): Rendering {
  if (cluster !== undefined) return buildClusterRenderer(cluster, crypto.randomUUID().slice(0, 8))
  return { ...AS_WRITTEN, databases: [`CREATE DATABASE IF NOT EXISTS ${database}`] }
}

async function checkCluster(connections: ServerConnections, { cluster }: ServerTarget): Promise<void> {
  if (cluster === undefined) return
  const [row] = parsed(
    await connections.runBare(
      `SELECT (SELECT count() FROM system.clusters WHERE cluster = ${literal(cluster.name)}) AS hosts, (SELECT groupUniqArray(macro) FROM system.macros) AS macros`,
    ),
  )
  if (Number(row?.['hosts']) === 0) {
    throw new StoreError(
      'SURETY_STORE_QUERY',
      `The server knows no cluster ${cluster.name}: SURETY_CLICKHOUSE_CLUSTER must be a name in its remote_servers (SELECT DISTINCT cluster FROM system.clusters)`,
    )
  }
  const macros = (row?.['macros'] ?? []) as readonly string[]
  const missing = ['shard', 'replica'].filter((name) => !macros.includes(name))
  if (missing.length === 0) return
  throw new StoreError(
    'SURETY_STORE_QUERY',
    `The server has no macro ${missing.join(', ')}: each host of the cluster needs <macros> with its shard and replica, by which replicated tables find their place in Keeper`,
  )
}

async function checkDatabase(store: Pick<Store, 'rows'>, database: string): Promise<void> {
  const [row] = await store.rows(`SELECT engine FROM system.databases WHERE name = ${literal(database)}`)
  const engine = String(row?.['engine'])
  if (engine === 'Atomic') return
  throw new StoreError(
    'SURETY_STORE_QUERY',
    `The database ${database} has the engine ${engine}; Surety needs Atomic, because migrations exchange tables. Set SURETY_CLICKHOUSE_DATABASE to a new name, and «surety migrate» makes it.`,
  )
}

async function checkRetention(store: Pick<Store, 'rows'>, retention: Retention): Promise<void> {
  const [first] = await retentionDifferences(store, retention)
  if (first === undefined) return
  throw new StoreError(
    'SURETY_STORE_SCHEMA',
    `The server keeps ${first.table} for ${first.current} days, this configuration says ${first.days} (SURETY_RETENTION_…). Run «surety migrate» to change the server, or give every process the same configuration.`,
  )
}

function parsed(lines: string): Record<string, unknown>[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
