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

/** How migrations become the DDL of a kind of store; by itself nothing is changed. */
export type Rendering = {
  /** Run before the first migration. */
  readonly databases: readonly string[]
  /** The table of what was applied. */
  journal(sql: string): string
  statements(sql: string): readonly string[]
}

/** For the embedded engine and for a single server: the sources as they are. */
export const AS_WRITTEN: Rendering = {
  databases: [],
  journal: (sql) => sql,
  statements: (sql) => [sql],
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

export const JOURNAL = `CREATE TABLE IF NOT EXISTS schema_migrations
(
  number     UInt32          COMMENT 'number of the file',
  name       String          COMMENT 'file in ingest/store/schema',
  checksum   String          COMMENT 'start of its SHA-256',
  applied_at DateTime('UTC') COMMENT 'when, UTC'
) ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`

/** @returns every statement that a new store takes, in order */
export function renderAll(rendering: Rendering, migrations = readMigrations()): readonly string[] {
  return [
    ...rendering.databases,
    rendering.journal(JOURNAL),
    ...migrations.flatMap(({ statements }) => statements.flatMap((sql) => rendering.statements(sql))),
  ]
}

/**
 * @returns the names of the migrations that were applied now
 * @throws StoreError when the store is newer than this release, or a released file was changed
 */
export async function migrate(
  target: MigrationTarget,
  migrations = readMigrations(),
  rendering: Rendering = AS_WRITTEN,
): Promise<string[]> {
  await target.command(rendering.journal(JOURNAL))
  const pending = new Set(await pendingMigrations(target, migrations))
  const applied: string[] = []
  for (const migration of migrations) {
    // Rendered whether applied or not: later ones are rendered by what earlier ones made.
    const statements = migration.statements.flatMap((sql) => rendering.statements(sql))
    if (!pending.has(migration)) continue
    for (const sql of statements) await target.command(sql)
    const values = `${migration.number}, ${literal(migration.name)}, ${literal(migration.checksum)}, now()`
    await target.command(`INSERT INTO schema_migrations SETTINGS async_insert=0 VALUES (${values})`)
    applied.push(migration.name)
  }
  return applied
}

/** @throws StoreError when the store is newer than this release, or a released file was changed */
async function pendingMigrations(
  target: Pick<MigrationTarget, 'rows'>,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  const rows = await target.rows('SELECT number, name, checksum FROM schema_migrations ORDER BY number')
  const done = new Map(rows.map((row) => [Number(row['number']), row]))
  const newest = Math.max(0, ...done.keys())
  if (newest > migrations.length) {
    throw new StoreError(
      'SURETY_STORE_SCHEMA',
      `The store has schema ${newest}, this release knows ${migrations.length}. Start the newer release, or restore a backup made with this one.`,
    )
  }
  const changed = migrations.find(
    ({ number, checksum }) => (done.get(number)?.['checksum'] ?? checksum) !== checksum,
  )
  if (changed !== undefined) {
    throw new StoreError(
      'SURETY_STORE_SCHEMA',
      `schema/${changed.name} changed after it was applied. Put it back as released and make the change in the next number.`,
    )
  }
  return migrations.filter(({ number }) => !done.has(number))
}

/**
 * For a store that others use too, and that only «surety migrate» changes.
 * @throws StoreError when it is not at the schema of this release
 */
export async function checkMigrated(
  target: Pick<MigrationTarget, 'rows'>,
  migrations = readMigrations(),
): Promise<void> {
  let pending = migrations
  try {
    pending = await pendingMigrations(target, migrations)
  } catch (error) {
    // Neither the table nor the database may be there yet.
    if (!(error instanceof StoreError) || ![60, 81].includes(error.engineCode)) throw error
  }
  const [first] = pending
  if (first === undefined) return
  throw new StoreError(
    'SURETY_STORE_SCHEMA',
    `The store has schema ${first.number - 1}, this release needs ${migrations.length}. Run «surety migrate» once, with the same configuration; then start again.`,
  )
}
