// The database of definitions and people: PostgreSQL by URL, or the same engine within this process on a folder of the data
// directory. Both take the same statements; nobody outside this folder knows which it is.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, type Results } from '@electric-sql/pglite'
import { Pool, type PoolClient } from 'pg'

export type Parameter = string | number | boolean | Date | null | readonly string[]
type Row = Readonly<Record<string, unknown>>

export interface Queries {
  /** @param sql  one statement with `$1`…; values are never part of its text */
  rows(sql: string, parameters?: readonly Parameter[]): Promise<readonly Row[]>
}

export interface Database extends Queries {
  /** All of the work or nothing of it. @throws what the work throws, after nothing of it is left */
  transaction<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>
  /** Several statements without parameters, in a transaction of their own. */
  script(sql: string): Promise<void>
  /** `PostgreSQL 15.6` */
  readonly version: string
  close(): Promise<void>
}

export type DatabaseTarget =
  { readonly kind: 'embedded'; readonly dataDir: string } | { readonly kind: 'server'; readonly url: string }

export class RegistryError extends Error {
  readonly code: 'SURETY_REGISTRY_UNAVAILABLE' | 'SURETY_REGISTRY_VERSION'

  constructor(code: RegistryError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'RegistryError'
    this.code = code
  }
}

const VERSION_MIN = 15
const CONNECTIONS_MAX = 8
const CONNECT_MS = 10_000
const STATEMENT_MS = 30_000

/** @throws RegistryError with what to do */
export function openDatabase(target: DatabaseTarget): Promise<Database> {
  return target.kind === 'embedded' ? openEmbedded(target.dataDir) : openServer(target.url)
}

async function openEmbedded(dataDir: string): Promise<Database> {
  const folder = join(dataDir, 'registry')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const engine = await PGlite.create(folder).catch((error: unknown) => {
    const text = `The registry in ${folder} cannot be opened (${messageOf(error)}); another process may have it, or the folder is damaged: restore it from a backup`
    throw new RegistryError('SURETY_REGISTRY_UNAVAILABLE', text, error)
  })
  const queriesOn = (on: {
    query(sql: string, parameters?: unknown[]): Promise<Results<Record<string, unknown>>>
  }): Queries => ({
    async rows(sql, parameters = []) {
      const { rows } = await on.query(sql, [...parameters])
      return rows
    },
  })
  const [row] = await queriesOn(engine).rows('SHOW server_version')
  return {
    ...queriesOn(engine),
    transaction: (work) => engine.transaction((on) => work(queriesOn(on))),
    script: async (sql) => {
      await engine.transaction(async (on) => void (await on.exec(sql)))
    },
    version: `PostgreSQL ${String(row?.['server_version'])}, embedded`,
    close: () => engine.close(),
  }
}

async function openServer(url: string): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    application_name: 'surety',
  })
  // A connection that is lost while idle is replaced at the next question.
  pool.on('error', () => undefined)
  const queriesOn = (on: Pick<PoolClient, 'query'>): Queries => ({
    async rows(sql, parameters = []) {
      const { rows } = await on.query<Record<string, unknown>>(sql, [...parameters])
      return rows
    },
  })
  const queries = queriesOn(pool)
  async function inTransaction<Result>(work: (on: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await pool.connect()
    let failure: Error | undefined
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch((lost: unknown) => {
        failure = lost instanceof Error ? lost : new Error(messageOf(lost))
      })
      throw error
    } finally {
      client.release(failure)
    }
  }
  try {
    const [row] = await queries.rows('SHOW server_version')
    const version = String(row?.['server_version'])
    if (Number.parseInt(version, 10) < VERSION_MIN) {
      const text = `The registry's server is PostgreSQL ${version}; ${VERSION_MIN} is the oldest that is supported`
      throw new RegistryError('SURETY_REGISTRY_VERSION', text)
    }
    return {
      ...queries,
      transaction: (work) => inTransaction((client) => work(queriesOn(client))),
      script: (sql) => inTransaction(async (client) => void (await client.query(sql))),
      version: `PostgreSQL ${version}`,
      close: () => pool.end(),
    }
  } catch (error) {
    await pool.end().catch(() => undefined)
    if (error instanceof RegistryError) throw error
    const text = `The registry's server does not answer (${messageOf(error)}); look at SURETY_DATABASE_URL and at the server`
    throw new RegistryError('SURETY_REGISTRY_UNAVAILABLE', text, error)
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
