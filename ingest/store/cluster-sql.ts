// Our SQL as a cluster runs it. Sources stay one: statements and migrations are written for one engine, and this file puts
// in what a cluster needs. Each table is a replicated one in a database of its own (`surety_local.spans`) behind a
// Distributed one with the public name (`surety.spans`): questions and inserts go to the public name, everything that
// changes tables or stored rows goes to the local ones, ON CLUSTER. Pure text; the rules cover what we write ourselves,
// and throw at what they do not know.

import { literal } from './literal.ts'

export type Cluster = {
  /** As in the server's remote_servers; `{cluster}` names the server's own by its macro. */
  readonly name: string
  /** Database with the public names. */
  readonly database: string
  /** Copies that must have a row before an insert is acknowledged; `auto`: the majority. Undefined: one. */
  readonly insertQuorum?: number | 'auto' | undefined
}

/** Database of the replicated tables. */
export const localDatabase = ({ database }: Pick<Cluster, 'database'>) => `${database}_local`

// Longer than anybody leaves a batch unfinished; the engine's default is an hour.
const WINDOW_SECONDS = 7 * 86_400

/** Settings of every request: what is inserted by a public name is on its shards when the answer comes. */
export function clusterSettings({ insertQuorum }: Cluster): Readonly<Record<string, string>> {
  return {
    distributed_foreground_insert: '1',
    // A question over two public tables: the inner one is answered first, by all shards.
    distributed_product_mode: 'global',
    ...(insertQuorum === undefined ? {} : { insert_quorum: String(insertQuorum) }),
  }
}

/** What rows are spread over shards by, where it is not what they are sorted by: never by what a repeat would change. */
const SHARDED_BY: Readonly<Record<string, string>> = {
  // A trace stays together.
  spans: 'sipHash64(trace_id)',
  dead_letters: 'sipHash64(origin)',
  batches: 'batch',
  // A resource's series stay together; the order of the rows of a batch is not kept anywhere.
  otlp_metrics: 'sipHash64(res_id)',
}

/** A question: system tables are asked on all shards, and know the tables by their local database. */
export function clusterQuestion(sql: string, cluster: Cluster): string {
  if (!/\bsystem\./.test(sql)) return sql
  const name = literal(cluster.name)
  return sql
    .replaceAll('currentDatabase()', literal(localDatabase(cluster)))
    .replaceAll(/\bFROM system\.parts\b/g, `FROM cluster(${name}, system.parts)`)
    .replaceAll(/\bFROM system\.(mutations|replicas|disks)\b/g, `FROM clusterAllReplicas(${name}, system.$1)`)
}

const CREATE_TABLE = /^CREATE TABLE IF NOT EXISTS (\w+)\n?\s*\(/
const CREATE_VIEW = /^CREATE MATERIALIZED VIEW IF NOT EXISTS (\w+) TO (\w+) AS\b/
const ENGINE = /\bENGINE = ([A-Z]\w*MergeTree|MergeTree)(?:\(((?:[^()]|\([^()]*\))*)\))?/

/** A statement that is no migration: questions pass as questions, the rest goes to the local tables of all hosts. */
export function clusterCommand(sql: string, cluster: Cluster): string {
  if (/^(?:SELECT|INSERT|WITH)\b/.test(sql)) return clusterQuestion(sql, cluster)
  // Rendered already.
  if (/^[A-Z][^'(]* ON CLUSTER /.test(sql)) return sql
  const on = onCluster(cluster)
  const local = localDatabase(cluster)
  const [, verb, table, rest] = /^(ALTER TABLE|TRUNCATE TABLE|OPTIMIZE TABLE) (\w+)([\s\S]*)$/.exec(sql) ?? []
  if (verb !== undefined) return `${verb} ${local}.${table} ${on}${rest}`
  const [, action, synced, how] =
    /^SYSTEM (SYNC REPLICA|STOP MERGES|START MERGES) (\w+)( \w+)?$/.exec(sql) ?? []
  if (action !== undefined) return `SYSTEM ${action} ${on} ${local}.${synced}${how ?? ''}`
  throw new Error(`no rule for a cluster: ${sql.slice(0, 80)}`)
}

const onCluster = ({ name }: Cluster) => `ON CLUSTER ${literal(name)}`

/**
 * Renders migrations, in order: what one table is spread by is learnt from its CREATE.
 * @param attempt  names this run, because a table that is made anew needs a place in Keeper that none had before
 */
export function buildClusterRenderer(cluster: Cluster, attempt: string) {
  const { database, name } = cluster
  const local = localDatabase(cluster)
  const on = onCluster(cluster)
  const keys = new Map<string, string>()
  const keyOf = (table: string) => {
    const key = keys.get(table)
    if (key === undefined) throw new Error(`no CREATE TABLE before for ${table}`)
    return key
  }
  const publicTable = (table: string) =>
    `CREATE OR REPLACE TABLE ${database}.${table} ${on} AS ${local}.${table} ENGINE = Distributed(${literal(name)}, ${literal(local)}, ${literal(table)}, ${keyOf(table)})`

  /** Tables that are read, named with their database. */
  const qualified = (sql: string, where: string) =>
    sql.replaceAll(/(?<!\bARRAY )\b(FROM|JOIN) (\w+)\b(?![.(])/g, (text, word: string, table: string) =>
      keys.has(table) ? `${word} ${where}.${table}` : text,
    )

  function createTable(sql: string, table: string): string[] {
    const isMadeAnew = table.endsWith('_made_anew')
    const place = isMadeAnew ? `${table}_${attempt}` : table
    const orderBy = /\nORDER BY ([^\n]+)/.exec(sql)?.[1]?.replace(/^\((.*)\)$/, '$1')
    const key = SHARDED_BY[table] ?? (orderBy === undefined ? undefined : `sipHash64(${orderBy})`)
    if (key === undefined) throw new Error(`no ORDER BY in the CREATE TABLE of ${table}`)
    keys.set(table, key)
    const replicated = sql
      .replace(CREATE_TABLE, `CREATE TABLE IF NOT EXISTS ${local}.${table} ${on}\n(`)
      .replace(ENGINE, (_, engine: string, given: string | undefined) => {
        const path = `/clickhouse/tables/{shard}/${database}/${place}`
        return `ENGINE = Replicated${engine}(${[literal(path), literal('{replica}'), ...(given === undefined ? [] : [given])].join(', ')})`
      })
      .replace(
        /\bnon_replicated_deduplication_window = (\d+)/,
        `replicated_deduplication_window = $1, replicated_deduplication_window_seconds = ${WINDOW_SECONDS}`,
      )
    return isMadeAnew ? [replicated] : [replicated, publicTable(table)]
  }

  /** One statement of a migration as the cluster runs it: usually one, with the public table anew where columns change. */
  function statements(sql: string): string[] {
    const created = CREATE_TABLE.exec(sql)?.[1]
    if (created !== undefined) return createTable(sql, created)

    const [, view, target] = CREATE_VIEW.exec(sql) ?? []
    if (view !== undefined) {
      const head = `CREATE MATERIALIZED VIEW IF NOT EXISTS ${local}.${view} ${on} TO ${local}.${target} AS`
      return [
        qualified(
          sql.replace(CREATE_VIEW, () => head),
          local,
        ),
      ]
    }

    const dropped = /^DROP (TABLE|VIEW) IF EXISTS (\w+)$/.exec(sql)
    if (dropped !== null) return [`DROP ${dropped[1]} IF EXISTS ${local}.${dropped[2]} ${on} SYNC`]

    const altered = /^ALTER TABLE (\w+)\s/.exec(sql)?.[1]
    if (altered !== undefined) {
      const command = clusterCommand(sql, cluster)
      return /\b(?:ADD|DROP|MODIFY|RENAME) COLUMN\b/.test(sql) ? [command, publicTable(altered)] : [command]
    }

    const [, first, second] = /^EXCHANGE TABLES (\w+) AND (\w+)$/.exec(sql) ?? []
    if (first !== undefined && second !== undefined) {
      const [a, b] = [keyOf(first), keyOf(second)]
      keys.set(first, SHARDED_BY[first] ?? b).set(second, a)
      return [`EXCHANGE TABLES ${local}.${first} AND ${local}.${second} ${on}`, publicTable(first)]
    }

    const copied = /^INSERT INTO (\w+_made_anew)\b/.exec(sql)?.[1]
    if (copied !== undefined) {
      const place = `FUNCTION cluster(${literal(name)}, ${literal(local)}, ${literal(copied)}, ${keyOf(copied)})`
      return [
        qualified(
          sql.replace(/^INSERT INTO \w+/, () => `INSERT INTO ${place}`),
          database,
        ),
      ]
    }
    throw new Error(`no rule for a cluster: ${sql.slice(0, 80)}`)
  }

  return {
    statements,
    /** What must be there before the first migration. */
    databases: [
      `CREATE DATABASE IF NOT EXISTS ${database} ${on}`,
      `CREATE DATABASE IF NOT EXISTS ${local} ${on}`,
    ],
    /** Which migrations are done is one fact for all shards: every host has the whole table. */
    journal: (sql: string) =>
      sql
        .replace(
          /^CREATE TABLE IF NOT EXISTS (\w+)\n?\s*\(/,
          `CREATE TABLE IF NOT EXISTS ${database}.$1 ${on}\n(`,
        )
        .replace(
          ENGINE,
          `ENGINE = ReplicatedMergeTree('/clickhouse/tables/all/${database}/schema_migrations', '{shard}-{replica}')`,
        ),
  }
}
