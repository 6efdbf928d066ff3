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
  /** Runs work while nothing is written on disk; of a server's disk nothing is known here, so there it just runs. */
  still<Result>(work: () => Promise<Result>): Promise<Result>
  /**
   * Leads among all Suretys of this registry: of those that ask for a task one has it, until it gives it back or its connection is lost.
   * @returns undefined while another has it
   */
  lead(task: number): Promise<Lead | undefined>
  readonly kind: DatabaseTarget['kind']
  /** `PostgreSQL 15.6` */
  readonly version: string
  close(): Promise<void>
}

export type Lead = {
  /** Resolves when the lead was lost or given back. */
  readonly ended: Promise<void>
  release(): Promise<void>
}

export type DatabaseTarget =
  { readonly kind: 'embedded'; readonly dataDir: string } | { readonly kind: 'server'; readonly url: string }

/** The registry cannot be used; `message` says what to do. */
export class RegistryError extends Error {
  readonly code: 'SURETY_REGISTRY_UNAVAILABLE' | 'SURETY_REGISTRY_VERSION'
  /** Whether it may be different in a moment. */
  readonly retryable: boolean

  constructor(code: RegistryError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'RegistryError'
    this.code = code
    this.retryable = code === 'SURETY_REGISTRY_UNAVAILABLE'
  }
}

const VERSION_MIN = 15
const CONNECTIONS_MAX = 8
const CONNECT_MS = 10_000
const STATEMENT_MS = 30_000
// First half of the keys of advisory locks that leaders hold.
const LEAD_LOCKS = 728_391
// SQLSTATE classes and codes of what passes: connections, resources, shutdown, time-outs, deadlocks. The rest is our doing.
const PASSING = /^(?:08|53|57|40001|40P01|55P03|25P03)/

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
  const leads = new Set<number>()
  return {
    ...queriesOn(engine),
    transaction: (work) => engine.transaction((on) => work(queriesOn(on))),
    script: async (sql) => {
      await engine.transaction(async (on) => void (await on.exec(sql)))
    },
    async still(work) {
      await engine.exec('CHECKPOINT')
      // Whoever writes waits for the end of the transaction.
      return engine.transaction(work)
    },
    // The folder belongs to this process, so nobody else asks.
    lead(task) {
      if (leads.has(task)) return Promise.resolve(undefined)
      leads.add(task)
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      const release = () => {
        leads.delete(task)
        resolve()
        return ended
      }
      return Promise.resolve({ ended, release })
    },
    kind: 'embedded',
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
      try {
        const { rows } = await on.query<Record<string, unknown>>(sql, [...parameters])
        return rows
      } catch (error) {
        throw classified(error)
      }
    },
  })
  const queries = queriesOn(pool)
  async function connected(): Promise<PoolClient> {
    try {
      return await pool.connect()
    } catch (error) {
      throw classified(error)
    }
  }
  async function inTransaction<Result>(work: (on: PoolClient) => Promise<Result>): Promise<Result> {
    const client = await connected()
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
      still: (work) => work(),
      async lead(task) {
        const client = await connected()
        const { promise: ended, resolve } = Promise.withResolvers<void>()
        let isGiven = false
        // The connection goes with its lock; the pool has to hear of it when the connection went by itself.
        const give = () => {
          if (!isGiven) client.release(true)
          isGiven = true
          resolve()
          return ended
        }
        client.once('error', () => void give())
        client.once('end', () => void give())
        const { rows } = await client.query<{ held: boolean }>(
          'SELECT pg_try_advisory_lock($1, $2) AS held',
          [LEAD_LOCKS, task],
        )
        if (rows[0]?.held === true) return { ended, release: give }
        await give()
        return undefined
      },
      kind: 'server',
      version: `PostgreSQL ${version}`,
      close: () => pool.end(),
    }
  } catch (error) {
    await pool.end().catch(() => undefined)
    if (error instanceof RegistryError && !error.retryable) throw error
    const text = `The registry's server does not answer (${messageOf((error as Error).cause ?? error)}); look at SURETY_DATABASE_URL and at the server`
    throw new RegistryError('SURETY_REGISTRY_UNAVAILABLE', text, error)
  }
}

/** @returns what was thrown, or for what passes an error that says to come again */
function classified(error: unknown): unknown {
  if (error instanceof RegistryError) return error
  const { code } = error as { code?: unknown }
  const isOfServer = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
  if (isOfServer && !PASSING.test(code)) return error
  const text = `The registry's server does not answer as it should (${messageOf(error)})`
  return new RegistryError('SURETY_REGISTRY_UNAVAILABLE', text, error)
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
