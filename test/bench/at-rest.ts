// How large a store is at rest: every table merged to one part a partition, then bytes by table, column and filter. A
// program of its own, because one process has one data directory: `node test/bench/at-rest.ts DIRECTORY`.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'

export type Sizes = {
  readonly engine: string
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly bytes: number }[]
  /** Compressed bytes of columns and of skip indexes (`index NAME`), the largest first. */
  readonly columns: readonly { readonly table: string; readonly column: string; readonly bytes: number }[]
}

/** Runs this file on a directory that no process has open; merges what is there. */
export async function sizesAtRest(dataDir: string): Promise<Sizes> {
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(import.meta.url), dataDir])
  return JSON.parse(stdout) as Sizes
}

/** Merges every table of the store to the end, then looks. */
export async function mergedSizes(store: Store): Promise<Sizes> {
  const names = await store.rows(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`,
  )
  for (const { name } of names)
    await store.command(`OPTIMIZE TABLE ${String(name)} FINAL SETTINGS optimize_throw_if_noop = 0`)
  const [version] = await store.rows('SELECT version() AS engine')
  const tables = await store.rows(
    `SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes FROM system.parts
     WHERE active AND database = currentDatabase() GROUP BY table ORDER BY bytes DESC`,
  )
  const columns = await store.rows(
    `SELECT table, column, bytes FROM (
       SELECT table, name AS column, data_compressed_bytes + marks_bytes AS bytes FROM system.columns WHERE database = currentDatabase()
       UNION ALL
       SELECT table, concat('index ', name) AS column, data_compressed_bytes + marks_bytes AS bytes FROM system.data_skipping_indices WHERE database = currentDatabase()
     ) WHERE bytes > 0 ORDER BY bytes DESC`,
  )
  return {
    engine: String(version?.['engine']),
    tables: tables.map(({ table, rows, bytes }) => ({
      table: String(table),
      rows: Number(rows),
      bytes: Number(bytes),
    })),
    columns: columns.map(({ table, column, bytes }) => ({
      table: String(table),
      column: String(column),
      bytes: Number(bytes),
    })),
  }
}

if (import.meta.main) {
  const store = await openEmbeddedStore(process.argv[2] ?? '')
  try {
    console.log(JSON.stringify(await mergedSizes(store)))
  } finally {
    await store.close()
  }
}
