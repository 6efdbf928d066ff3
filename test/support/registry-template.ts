// An empty embedded registry costs seconds to make; tests that start Surety again and again copy one. What it is made of names it.

import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'

const ENGINE = new URL('../../node_modules/@electric-sql/pglite/package.json', import.meta.url)
const SCHEMA = new URL('../../query/registry/schema/', import.meta.url)

function fingerprint(): string {
  const hash = createHash('sha256').update(readFileSync(ENGINE))
  for (const name of readdirSync(SCHEMA).toSorted()) hash.update(readFileSync(new URL(name, SCHEMA)))
  return hash.digest('hex').slice(0, 12)
}

const template = join(tmpdir(), `surety-registry-template-${fingerprint()}`)

function copyTemplate(dataDir: string): void {
  const target = join(dataDir, 'registry')
  if (existsSync(target) || !existsSync(template)) return
  mkdirSync(dataDir, { recursive: true })
  cpSync(template, target, { recursive: true })
}

/** Puts the template into a data directory that has no registry; makes it where there is none. */
export async function registryFromTemplate(dataDir: string): Promise<void> {
  if (!existsSync(template)) {
    const folder = mkdtempSync(join(tmpdir(), 'surety-registry-made-'))
    const database = await openDatabase({ kind: 'embedded', dataDir: folder })
    await migrateRegistry(database)
    await database.close()
    // Whole or not at all; another may be faster.
    try {
      renameSync(join(folder, 'registry'), template)
    } catch {}
    rmSync(folder, { recursive: true, force: true })
  }
  copyTemplate(dataDir)
}
