// The kinds of database that the registry's contracts hold for: the embedded engine, a PostgreSQL server, and, when
// SURETY_TEST_DATABASE_URL is set, the one it names, whose schema `public` is emptied.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase, type Database, type DatabaseTarget } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { makeEmptyRegistry } from './empty-data.ts'
import { openPostgres, type PostgresServer } from './postgres.ts'

export type RegistryPlace = {
  readonly target: DatabaseTarget
  /** The server of `server`. */
  readonly server: PostgresServer | undefined
  /** Migrated; what was kept before is there again. */
  open(): Promise<Database>
  /** Everything is gone. */
  remove(): Promise<void>
}

export type RegistryKind = { readonly name: string; make(): Promise<RegistryPlace> }

const opener = (target: DatabaseTarget) => async () => {
  const database = await openDatabase(target)
  await migrateRegistry(database)
  return database
}

const embedded: RegistryKind = {
  name: 'embedded',
  async make() {
    const dataDir = mkdtempSync(join(tmpdir(), 'surety-registry-'))
    await makeEmptyRegistry(dataDir)
    const target = { kind: 'embedded', dataDir } as const
    const remove = () => Promise.resolve(rmSync(dataDir, { recursive: true, force: true }))
    return { target, server: undefined, open: opener(target), remove }
  },
}

const server: RegistryKind = {
  name: 'server',
  async make() {
    const postgres = await openPostgres()
    const target = { kind: 'server', url: await postgres.makeDatabase() } as const
    return { target, server: postgres, open: opener(target), remove: () => postgres.stop() }
  },
}

const given = process.env['SURETY_TEST_DATABASE_URL'] ?? ''
const named: RegistryKind = {
  name: 'SURETY_TEST_DATABASE_URL',
  async make() {
    const target = { kind: 'server', url: given } as const
    const database = await openDatabase(target)
    await database.script('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await database.close()
    return { target, server: undefined, open: opener(target), remove: () => Promise.resolve() }
  },
}

export const REGISTRY_KINDS: readonly RegistryKind[] = [embedded, server, ...(given === '' ? [] : [named])]
