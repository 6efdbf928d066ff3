// Opens what definitions and people stand on, in order: the database, its schema, the registry, the people, the key of cursors.

import { randomBytes } from 'node:crypto'
import { buildPeople, type People } from './people/people.ts'
import { buildCursors, type Cursors } from './registry/cursors.ts'
import { openDatabase, RegistryError, type Database, type DatabaseTarget } from './registry/database.ts'
import { migrateRegistry, pendingMigrations } from './registry/migrate.ts'
import { buildRegistry, type Registry } from './registry/registry.ts'

export type OpenedRegistry = {
  readonly database: Database
  readonly registry: Registry
  readonly people: People
  readonly cursors: Cursors
  /** The first admin's password, to be told once; undefined when somebody can sign in already. */
  readonly firstAdmin: { readonly name: string; readonly password: string } | undefined
}

/**
 * The embedded registry is migrated here; that of a server by «surety migrate» alone.
 * @throws RegistryError with what to do
 */
export async function openRegistry(target: DatabaseTarget, now: () => Date): Promise<OpenedRegistry> {
  const database = await openDatabase(target)
  try {
    if (target.kind === 'embedded') await migrateRegistry(database)
    else {
      const [pending] = await pendingMigrations(database)
      if (pending !== undefined)
        throw new RegistryError(
          'SURETY_REGISTRY_VERSION',
          `The registry lacks ${pending}. Run «surety migrate» once, with the same configuration; then start again`,
        )
    }
    const registry = buildRegistry(database, now)
    const people = buildPeople({ database, registry, now })
    const firstAdmin = await people.begin()
    return { database, registry, people, cursors: buildCursors(await sharedKey(database)), firstAdmin }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** Every Surety of a registry signs with the same key, so that a page may come from one and the next from another. */
async function sharedKey(database: Database): Promise<string> {
  await database.rows("INSERT INTO secrets (name, value) VALUES ('cursors', $1) ON CONFLICT DO NOTHING", [
    randomBytes(32).toString('base64url'),
  ])
  const [row] = await database.rows("SELECT value FROM secrets WHERE name = 'cursors'")
  return String(row?.['value'])
}
