// `surety backup` and `surety restore`. A running Surety takes the backup itself; without one the command opens the store.

import { setTimeout as sleep } from 'node:timers/promises'
import { moveBackup, restore, SERVER_BACKUP, takeBackup } from '../ingest/backup/backup.ts'
import { systemClock } from '../ingest/runtime/clock.ts'
import { openEmbeddedStore, StoreError } from '../ingest/store/store.ts'
import { buildApiClient, CommandError } from './api-client.ts'
import { readEnvironment, ROLES } from './environment.ts'
import { bytesText } from './text-table.ts'

export const BACKUP_HELP = `surety backup DIR

Writes a consistent backup of the embedded store in SURETY_DATA_DIR to DIR, which must be empty or not exist: tables,
journal and the other files beside them. While Surety runs it goes on running; writers stand still for the moment in which
the backup is settled. The running Surety is asked at SURETY_URL, on the same machine.`

export const RESTORE_HELP = `surety restore DIR

Fills SURETY_DATA_DIR, which must be empty or not exist, from a backup that «surety backup» made. A backup of a newer
release is refused; one of an older release is migrated by the next «surety serve».`

type Values = Readonly<Record<string, string | boolean | undefined>>
type Backup = {
  readonly name: string
  readonly state: string
  readonly folder: string
  readonly error: string
}

const POLL_MS = 200

export async function backupCommand(_: Values, words: readonly string[]): Promise<number> {
  const target = only(words, BACKUP_HELP)
  const dataDir = embeddedDataDir()
  const startedAt = performance.now()
  const folder = (await backupHere(dataDir)) ?? (await backupThere())
  await moveBackup(folder, target)
  console.log(`The backup is in ${target} after ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`)
  return 0
}

/** @throws CommandError when the store is not there */
function embeddedDataDir(): string {
  const config = readEnvironment(ROLES, process.env)
  if (config.SURETY_CLICKHOUSE_URL !== undefined) throw new CommandError(SERVER_BACKUP)
  return config.SURETY_DATA_DIR
}

/** @returns undefined when another process has the store */
async function backupHere(dataDir: string): Promise<string | undefined> {
  try {
    const store = await openEmbeddedStore(dataDir, undefined, { migrates: false, makes: false })
    try {
      const name = `surety-${new Date().toISOString().replaceAll(/[-:.]/g, '')}`
      const parts = { store, dataDir, clock: systemClock, still: <T>(work: () => Promise<T>) => work() }
      return (await takeBackup(parts, name)).folder
    } finally {
      await store.close()
    }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'SURETY_STORE_BUSY') return undefined
    throw error
  }
}

async function backupThere(): Promise<string> {
  const api = buildApiClient(process.env)
  const { name } = await api.post<Backup>('/api/v1/backups')
  for (;;) {
    const backup = await api.get<Backup>(`/api/v1/backups/${name}`)
    if (backup.state === 'done') return backup.folder
    if (backup.state === 'failed') throw new CommandError(`The backup failed: ${backup.error}`)
    await sleep(POLL_MS)
  }
}

export async function restoreCommand(_: Values, words: readonly string[]): Promise<number> {
  const folder = only(words, RESTORE_HELP)
  const dataDir = embeddedDataDir()
  const startedAt = performance.now()
  const { manifest, spans } = await restore(folder, dataDir)
  const wanted = manifest.tables.find(({ table }) => table === 'spans')?.rows ?? 0
  const bytes = manifest.tables.reduce((sum, table) => sum + table.bytes, 0)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(
    `${dataDir} is as it was at ${manifest.at}: ${spans} spans, ${bytesText(bytes)}, schema ${manifest.schema}; after ${seconds} s.`,
  )
  if (spans === wanted) return 0
  console.error(`The backup says it holds ${wanted} spans. Compare before you rely on it.`)
  return 1
}

function only(words: readonly string[], help: string): string {
  const [word, ...rest] = words
  if (word === undefined || rest.length > 0) throw new CommandError(`Name one directory.\n\n${help}`)
  return word
}
