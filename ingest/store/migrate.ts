// Brings a store to the schema of this release. Files in schema/ are numbered, applied once, in order, and
// never change after a release; every statement can be run again, because DDL here has no transaction.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { literal } from './literal.ts'
import { StoreError } from './store-error.ts'

const SCHEMA = new URL('./schema/', import.meta.url)

export type Migration = {
  readonly number: number
  readonly name: string
  readonly statements: readonly string[]
  readonly checksum: string
}

/** What migrating needs of a store. */
export type MigrationTarget = {
  command(sql: string): Promise<void>
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
}

/** The released migrations, in order. @throws Error when numbers repeat or leave a gap */
export function readMigrations(folder: URL = SCHEMA): readonly Migration[] {
  const migrations = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, folder), 'utf8')
      const checksum = createHash('sha256').update(text).digest('hex').slice(0, 16)
      return { number: Number.parseInt(name, 10), name, statements: splitStatements(text), checksum }
    })
  migrations.forEach((migration, index) => {
    if (migration.number !== index + 1)
      throw new Error(`schema/${migration.name}: expected number ${index + 1}`)
  })
  return migrations
}

/** Statements end with a semicolon at the end of a line; comments on lines of their own are left out. */
function splitStatements(text: string): string[] {
  return text
    .replaceAll(/^--.*$/gm, '')
    .split(/;[ \t]*$/m)
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/**
 * @returns the names of the migrations that were applied now
 * @throws StoreError when the store is newer than this release, or a released file was changed
 */
export async function migrate(target: MigrationTarget, migrations = readMigrations()): Promise<string[]> {
  await target.command(`CREATE TABLE IF NOT EXISTS schema_migrations
(
  number     UInt32          COMMENT 'number of the file',
  name       String          COMMENT 'file in ingest/store/schema',
  checksum   String          COMMENT 'start of its SHA-256',
  applied_at DateTime('UTC') COMMENT 'when, UTC'
) ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`)
  const rows = await target.rows('SELECT number, name, checksum FROM schema_migrations ORDER BY number')
  const done = new Map(rows.map((row) => [Number(row['number']), row]))
  const newest = Math.max(0, ...done.keys())
  if (newest > migrations.length) {
    throw new StoreError(
      'SURETY_STORE_SCHEMA',
      `The store has schema ${newest}, this release knows ${migrations.length}. Start the newer release, or restore a backup made with this one.`,
    )
  }
  const applied: string[] = []
  for (const migration of migrations) {
    const row = done.get(migration.number)
    if (row !== undefined) {
      if (row['checksum'] === migration.checksum) continue
      throw new StoreError(
        'SURETY_STORE_SCHEMA',
        `schema/${migration.name} changed after it was applied. Put it back as released and make the change in the next number.`,
      )
    }
    for (const sql of migration.statements) await target.command(sql)
    const values = `${migration.number}, ${literal(migration.name)}, ${literal(migration.checksum)}, now()`
    await target.command(`INSERT INTO schema_migrations SETTINGS async_insert=0 VALUES (${values})`)
    applied.push(migration.name)
  }
  return applied
}
