// Brings the registry to this release: numbered .sql files, each once, each in a transaction with the row that says so.

import { readdirSync, readFileSync } from 'node:fs'
import { RegistryError, type Database } from './database.ts'

const FOLDER = new URL('./schema/', import.meta.url)
const JOURNAL = `CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`
// Any number, the same in every Surety: two that start together migrate one after the other.
const LOCK = 728_391_001

/** @returns names of files that were not applied yet @throws RegistryError when the registry was migrated by a newer release */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const files = readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
  const [journal] = await database.rows("SELECT to_regclass('schema_migrations') IS NOT NULL AS there")
  const rows = journal?.['there'] === true ? await database.rows('SELECT name FROM schema_migrations') : []
  const known = new Set(rows.map(({ name }) => String(name)))
  const strange = [...known].filter((name) => !files.includes(name))
  if (strange.length > 0) {
    const text = `The registry was migrated by a newer release (${strange.join(', ')}); start that release, or restore a backup of before`
    throw new RegistryError('SURETY_REGISTRY_VERSION', text)
  }
  return files.filter((file) => !known.has(file))
}

/** @returns names applied by this call @throws RegistryError when the registry was migrated by a newer release */
export async function migrateRegistry(database: Database): Promise<string[]> {
  await database.script(JOURNAL)
  const pending = await pendingMigrations(database)
  for (const name of pending) {
    const sql = readFileSync(new URL(name, FOLDER), 'utf8')
    // Names of files are ours: letters, digits, underscores.
    await database.script(`SELECT pg_advisory_xact_lock(${LOCK});
DO $migrate$ BEGIN
  IF EXISTS (SELECT 1 FROM schema_migrations WHERE name = '${name}') THEN RETURN; END IF;
  EXECUTE ${quoted(sql)};
  INSERT INTO schema_migrations (name) VALUES ('${name}');
END $migrate$`)
  }
  return pending
}

const quoted = (sql: string) => `'${sql.replaceAll("'", "''")}'`
