// Takes a backup of a data directory and fills an empty one from it: the engine's tables by its own backup, every other
// file (journal, tokens) as a copy, and a manifest that says what is in it.
//
// States of a backup: settled (writers stand still, a moment) → written (the engine copies) → whole (the manifest is there).

import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../runtime/clock.ts'
import { beginBackup, restoreBackup } from '../store/backup.ts'
import { readMigrations } from '../store/migrate.ts'
import { BACKUPS_FOLDER, openEmbeddedStore, type Store } from '../store/store.ts'

const Manifest = z.object({
  format: z.literal(1),
  at: z.string(),
  engine: z.string(),
  schema: z.number().int(),
  tables: z.array(z.object({ table: z.string(), rows: z.number().int(), bytes: z.number().int() })),
})
/** `at`: when writers stood still, RFC 3339; `schema`: number of the newest migration. */
export type Manifest = z.infer<typeof Manifest>

/** A backup that cannot be taken or put back; `message` says why and what to do. */
export class BackupError extends Error {
  readonly code = 'SURETY_BACKUP'
  readonly retryable = false

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'BackupError'
  }
}

/** A server is backed up where it is. */
export const SERVER_BACKUP =
  'The store is on a ClickHouse server, which is backed up there: BACKUP DATABASE … TO S3(…) or Disk(…), on a cluster ON CLUSTER for the database NAME_local, where the rows are. SURETY_DATA_DIR then holds nothing but the journal of batches under way.'

export type TakeBackupParts = {
  readonly store: Pick<Store, 'command' | 'rows'>
  readonly dataDir: string
  /** Runs work while nothing else writes spans. */
  readonly still: <T>(work: () => Promise<T>) => Promise<T>
  readonly clock: Clock
}

const MANIFEST = 'manifest.json'
// What the engine backs up itself, and what belongs to a running process only.
const NOT_COPIED = ['clickhouse', BACKUPS_FOLDER, 'spool', 'surety.pid', 'local-token']

/**
 * @param name  of the folder that is made in the data directory's `backups`
 * @returns the folder and what is in it
 * @throws StoreError, Error; what was written is removed by then
 */
export async function takeBackup(
  { store, dataDir, still, clock }: TakeBackupParts,
  name: string,
): Promise<{ readonly folder: string; readonly manifest: Manifest }> {
  const folder = join(resolve(dataDir), BACKUPS_FOLDER, name)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  try {
    const { written, manifest } = await still(async () => {
      const begun = await beginBackup(store, join(folder, 'store'))
      // A failure comes to light below, where it is awaited.
      begun.written.catch(() => undefined)
      await copyFiles(resolve(dataDir), join(folder, 'files'))
      return { written: begun.written, manifest: await describe(store, clock) }
    })
    await written
    await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`, { mode: 0o600 })
    return { folder, manifest }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** Moves a finished backup to where it was asked for, across file systems if need be. @throws BackupError */
export async function moveBackup(folder: string, target: string): Promise<void> {
  checkEmpty(target, 'the target of the backup')
  await rm(target, { recursive: true, force: true })
  mkdirSync(dirname(resolve(target)), { recursive: true })
  try {
    await rename(folder, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await cp(folder, target, { recursive: true, preserveTimestamps: true })
    await rm(folder, { recursive: true, force: true })
  }
}

/** @throws BackupError when the folder is no backup of ours or was made by a newer release */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST)
  let json: unknown
  try {
    json = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new BackupError(
      `${folder} is no whole backup: ${MANIFEST} cannot be read (${(error as Error).message}). Name the folder that «surety backup» made.`,
      { cause: error },
    )
  }
  const parsed = Manifest.safeParse(json)
  if (!parsed.success) throw new BackupError(`${path} is not a manifest that this release can read.`)
  const known = readMigrations().length
  if (parsed.data.schema > known) {
    throw new BackupError(
      `The backup has schema ${parsed.data.schema}, this release knows ${known}. Restore it with the release that made it, or a newer one.`,
    )
  }
  return parsed.data
}

/**
 * Fills a data directory that is empty or not there. The next start migrates it and completes the journal.
 * @returns what the manifest says, and the spans that are there now
 * @throws BackupError, StoreError; the directory is empty again by then
 */
export async function restore(
  folder: string,
  dataDir: string,
): Promise<{ readonly manifest: Manifest; readonly spans: number }> {
  const manifest = readManifest(folder)
  checkEmpty(dataDir, 'the data directory (SURETY_DATA_DIR)')
  const target = resolve(dataDir)
  try {
    const store = await openEmbeddedStore(target, undefined, { migrates: false, backupsDir: resolve(folder) })
    let spans: number
    try {
      await restoreBackup(store, join(resolve(folder), 'store'))
      const [row] = await store.rows('SELECT count() AS spans FROM spans')
      spans = Number(row?.['spans'])
    } finally {
      await store.close()
    }
    const files = join(folder, 'files')
    if (existsSync(files)) await cp(files, target, { recursive: true, preserveTimestamps: true })
    return { manifest, spans }
  } catch (error) {
    await emptyFolder(target)
    throw error
  }
}

function checkEmpty(path: string, what: string): void {
  if (!existsSync(path) || readdirSync(path).length === 0) return
  throw new BackupError(
    `${resolve(path)}, ${what}, is not empty. Name another one, or move what is there away.`,
  )
}

async function emptyFolder(path: string): Promise<void> {
  for (const name of readdirSync(path)) await rm(join(path, name), { recursive: true, force: true })
}

async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(from)) {
    if (NOT_COPIED.includes(name)) continue
    await cp(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true })
  }
}

async function describe(store: Pick<Store, 'rows'>, clock: Clock): Promise<Manifest> {
  const tables = await store.rows(
    'SELECT table, sum(rows) AS row_count, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY table',
  )
  const [row] = await store.rows('SELECT version() AS engine, max(number) AS schema FROM schema_migrations')
  return {
    format: 1,
    at: new Date(clock.now()).toISOString(),
    engine: String(row?.['engine']),
    schema: Number(row?.['schema']),
    tables: tables.map((table) => ({
      table: String(table['table']),
      rows: Number(table['row_count']),
      bytes: Number(table['bytes']),
    })),
  }
}
