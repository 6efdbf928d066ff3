// The front of the store: open it, ask it, insert into it, close it. Everything outside this folder uses
// these functions; nobody else knows the engine's client.

import { existsSync, mkdirSync, readFileSync, writeFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bind, type Bindable } from './bind.ts'
import { openConnections, type Connections, type Lane } from './connections.ts'
import { migrate, type MigrationTarget } from './migrate.ts'
import { applyRetention, DEFAULT_RETENTION, type Retention } from './retention.ts'
import { openSpoolTransport } from './spool-transport.ts'
import { StoreError } from './store-error.ts'
import type { Statement } from './statement.ts'
import type { InsertTransport } from './transport.ts'

export { StoreError, type StoreErrorCode } from './store-error.ts'
export { sqlMillisecond } from './bind.ts'
export { statement, type Statement } from './statement.ts'
export { DEFAULT_RETENTION, type Retention } from './retention.ts'
export type { InsertJob, InsertTransport } from './transport.ts'

export type AskOptions = {
  /** Default light: answers within milliseconds; `heavy` for what may scan. */
  readonly lane?: Lane
  /** Bound on the time in the engine, seconds; default 10. */
  readonly secondsMax?: number
  /** Threads in the engine; by default as many as cores. One for what reads little: handing out work costs more. */
  readonly threadsMax?: number
}

/** Columns by name with the type of the JSON value; `value` when the column is derived from it. */
export type Columns = Readonly<Record<string, string | { readonly type: string; readonly value: string }>>

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
  const unlock = lock(folder)
  try {
    const connections = openConnections(
      join(folder, 'clickhouse'),
      backupsDir ?? join(folder, BACKUPS_FOLDER),
    )
    const transport = openSpoolTransport(connections, folder)
    const target = migrationTarget(connections)
    const migrated = migrates ? await migrate(target) : []
    if (migrates) await applyRetention(target, retention)
    return {
      ...target,
      ask: (question, parameters, options) => ask(connections, question, parameters, options),
      insertRows: (table, columns, rows, token) => insertRows(transport, table, columns, rows, token),
      transport,
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

async function ask<Parameters extends Readonly<Record<string, Bindable>>, Row>(
  connections: Connections,
  question: Statement<Parameters, Row>,
  parameters: Parameters,
  { lane = 'light', secondsMax = 10, threadsMax }: AskOptions = {},
): Promise<Row[]> {
  const settings = `max_execution_time=${secondsMax}, output_format_json_validate_utf8=1, output_format_json_quote_64bit_integers=1${threadsMax === undefined ? '' : `, max_threads=${threadsMax}`}`
  const sql = `${bind(question.sql, question.parameters.parse(parameters))}\nSETTINGS ${settings}`
  return parseRows(await connections.run(lane, sql)).map((row) => question.row.parse(row))
}

function parseRows(lines: string): Record<string, unknown>[] {
  const rows = lines.split('\n').filter((line) => line !== '')
  return rows.map((line) => JSON.parse(line) as Record<string, unknown>)
}

function migrationTarget(connections: Connections): MigrationTarget {
  return {
    command: async (sql) => void (await connections.run('admin', sql)),
    rows: async (sql) => parseRows(await connections.run('admin', sql)),
  }
}

function insertRows(
  transport: InsertTransport,
  table: string,
  columns: Columns,
  rows: readonly Record<string, unknown>[],
  token: string,
): Promise<void> {
  const names = Object.keys(columns)
  const fields = Object.entries(columns).map(([name, column]) =>
    typeof column === 'string' ? { name, type: column, value: name } : { name, ...column },
  )
  const structure = fields.map(({ name, type }) => `${name} ${type}`).join(', ')
  const values = fields.map(({ value }) => value).join(', ')
  const body = [Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'))]
  const sql = (source: (structure: string) => string) =>
    `INSERT INTO ${table} (${names.join(', ')}) SELECT ${values} FROM ${source(structure)}`
  return transport.insert({ body, format: 'JSONEachRow', statements: [{ sql, token }] })
}

// The engine refuses a second process by itself, but with a message that helps nobody.
function lock(folder: string): () => void {
  const path = join(folder, 'surety.pid')
  if (existsSync(path)) {
    const [pid = 0, startedAt = ''] = readFileSync(path, 'utf8').split(' ')
    if (Number(pid) !== process.pid && isAlive(Number(pid)) && startOf(Number(pid)) === startedAt) {
      throw new StoreError(
        'SURETY_STORE_BUSY',
        `The data directory ${folder} is in use by process ${pid}. Stop that process, or set SURETY_DATA_DIR to another directory.`,
      )
    }
  }
  writeFileSync(path, `${process.pid} ${startOf(process.pid)}`, { mode: 0o640 })
  return () => rmSync(path, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

// A pid comes again, in containers soon; with its start it does not. Empty where the system does not tell.
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
