// The front of the store: open it, ask it, insert into it, close it. Everything outside this folder uses
// these functions; nobody else knows the engine's client.

import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Bindable } from './bind.ts'
import type { Lane } from './connections.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { openEmbeddedConnections } from './embedded-connections.ts'
import { migrate } from './migrate.ts'
import { buildQuestions } from './questions.ts'
import { applyRetention, DEFAULT_RETENTION, type Retention } from './retention.ts'
import type { ServerTarget } from './server-connections.ts'
import { openServerStore } from './server-store.ts'
import { openSpoolTransport } from './spool-transport.ts'
import { StoreError } from './store-error.ts'
import type { Statement } from './statement.ts'
import type { InsertTransport } from './transport.ts'

export { StoreError, type StoreErrorCode } from './store-error.ts'
export { sqlMillisecond } from './bind.ts'
export { writeAll } from './write-all.ts'
export { statement, type Statement } from './statement.ts'
export { DEFAULT_RETENTION, type Retention } from './retention.ts'
export type { ServerTarget } from './server-connections.ts'
export type { InsertJob, InsertTransport, ProtobufSchema } from './transport.ts'

export type AskOptions = {
  /** Default light: answers within milliseconds; `heavy` for what may scan; lanes.ts tells the others. */
  readonly lane?: Lane
  /** Bound on the time in the engine, seconds; default 10. */
  readonly secondsMax?: number
  /** Threads in the engine; by default as many as cores. One for what reads little: handing out work costs more. */
  readonly threadsMax?: number
}

/** Columns by name with the type of the JSON value; `value` when the column is derived from it. */
export type Columns = Readonly<Record<string, string | { readonly type: string; readonly value: string }>>

/**
 * What differs for those who look after rows. A single server and the embedded engine have one writer that repairs; on a
 * cluster a token and its rows are one transaction, and several write.
 */
export type StorePlace =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'server' | 'cluster'
      /** Without credentials. */
      readonly url: string
      readonly database: string
      readonly version: string
    }

export interface Store {
  /** @returns the rows in the statement's shape @throws StoreError */
  ask<Parameters extends Readonly<Record<string, Bindable>>, Row>(
    question: Statement<Parameters, Row>,
    parameters: Parameters,
    options?: AskOptions,
  ): Promise<Row[]>
  /** Runs one statement that answers nothing, on the admin lane. @throws StoreError */
  command(sql: string): Promise<void>
  /** Rows of an ad-hoc question of our own, on the admin lane. @throws StoreError */
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
  /** Inserts small JSON rows whose columns have the table's names. @throws StoreError */
  insertRows(
    table: string,
    columns: Columns,
    rows: readonly Record<string, unknown>[],
    token: string,
  ): Promise<void>
  readonly transport: InsertTransport
  readonly place: StorePlace
  /** Migrations applied by this opening. */
  readonly migrated: readonly string[]
  close(): Promise<void>
}

/** Folder of a data directory that backups are written to. */
export const BACKUPS_FOLDER = 'backups'

export type OpenOptions = {
  /** Default true; without it schema and retention are left as they are. */
  readonly migrates?: boolean
  /** Default true; without it a directory that holds no store is refused. */
  readonly makes?: boolean
  /** Where backups are read and written; by default the folder `backups` of the data directory. */
  readonly backupsDir?: string
}

/**
 * Opens the embedded engine on a data directory, migrated to this release.
 *
 * @param dataDir    created when missing; one process at a time
 * @param retention  days kept, by table
 * @throws StoreError when another process has the directory, or the schema is newer than this release
 */
export async function openEmbeddedStore(
  dataDir: string,
  retention: Retention = DEFAULT_RETENTION,
  { migrates = true, makes = true, backupsDir }: OpenOptions = {},
): Promise<Store> {
  const folder = resolve(dataDir)
  if (!makes && !existsSync(join(folder, 'clickhouse'))) {
    throw new StoreError(
      'SURETY_STORE_SCHEMA',
      `${folder} holds no store. Set SURETY_DATA_DIR to the directory that does.`,
    )
  }
  mkdirSync(join(folder, 'clickhouse'), { recursive: true, mode: 0o750 })
  const unlock = lockDataDir(folder)
  try {
    const connections = openEmbeddedConnections(
      join(folder, 'clickhouse'),
      backupsDir ?? join(folder, BACKUPS_FOLDER),
    )
    const transport = openSpoolTransport(connections, folder)
    const store = buildQuestions(connections, transport)
    const migrated = migrates ? await migrate(store) : []
    if (migrates) await applyRetention(store, retention)
    return {
      ...store,
      place: { kind: 'embedded' },
      migrated,
      async close() {
        await connections.close()
        await transport.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/** Where the store is: a server when there is a target, else the embedded engine in the data directory. */
export type StoreConfig = {
  readonly dataDir: string
  readonly server?: ServerTarget | undefined
  readonly retention?: Retention
}

/**
 * The one place that chooses. A server is never migrated by opening it: several processes share it.
 * @throws StoreError
 */
export function openStore({ dataDir, server, retention = DEFAULT_RETENTION }: StoreConfig): Promise<Store> {
  return server === undefined ? openEmbeddedStore(dataDir, retention) : openServerStore(server, retention)
}
