// What a store is made of over whatever connections: questions with their shapes, commands, small inserts.

import { bind, type Bindable } from './bind.ts'
import type { Connections } from './connections.ts'
import type { MigrationTarget } from './migrate.ts'
import type { Statement } from './statement.ts'
import type { AskOptions, Columns, Store } from './store.ts'
import type { InsertTransport } from './transport.ts'

export function buildQuestions(
  connections: Connections,
  transport: InsertTransport,
): Pick<Store, 'ask' | 'insertRows' | 'command' | 'rows' | 'transport'> {
  return {
    ...commandsOn(connections),
    ask: (question, parameters, options) => ask(connections, question, parameters, options),
    insertRows: (table, columns, rows, token) => insertRows(transport, table, columns, rows, token),
    transport,
  }
}

/** What migrating needs. */
export function commandsOn(connections: Pick<Connections, 'run'>): MigrationTarget {
  return {
    command: async (sql) => void (await connections.run('admin', sql)),
    rows: async (sql) => parseRows(await connections.run('admin', sql)),
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
