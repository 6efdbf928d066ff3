// The engine's own backup and restore, as statements. A backup is settled early (its parts are pinned) and written
// afterwards, so writers need to stand still for the first moment only.

import { setTimeout as sleep } from 'node:timers/promises'
import { literal } from './literal.ts'
import { StoreError } from './store-error.ts'

type Access = {
  command(sql: string): Promise<void>
  rows(sql: string): Promise<readonly Record<string, unknown>[]>
}

const POLL_MS = 10
// A store of many parts takes a moment to list them; beyond this writers wait for the whole backup.
const SETTLE_POLLS = 500

/**
 * @param folder  does not exist yet; below the connection's backups folder
 * @returns when what is in the backup is settled; `written` resolves when all of it is on disk
 * @throws StoreError
 */
export async function beginBackup(
  store: Access,
  folder: string,
): Promise<{ readonly written: Promise<void> }> {
  const [begun] = await store.rows(`BACKUP DATABASE default TO File(${literal(folder)}) ASYNC`)
  const id = typeof begun?.['id'] === 'string' ? begun['id'] : ''
  for (let polls = 0; polls < SETTLE_POLLS; polls += 1) {
    const { isOver, files } = await progress(store, id)
    if (isOver || files > 0) break
    await sleep(POLL_MS)
  }
  return { written: finished(store, id) }
}

/** Fills an empty store with a backup. @throws StoreError */
export function restoreBackup(store: Access, folder: string): Promise<void> {
  return store.command(`RESTORE DATABASE default FROM File(${literal(folder)})`)
}

async function finished(store: Access, id: string): Promise<void> {
  while (!(await progress(store, id)).isOver) await sleep(POLL_MS * 10)
}

async function progress(store: Access, id: string): Promise<{ isOver: boolean; files: number }> {
  const [row] = await store.rows(
    `SELECT status, num_files, error FROM system.backups WHERE id = ${literal(id)}`,
  )
  const status = row?.['status']
  if (status === 'BACKUP_CREATED') return { isOver: true, files: Number(row?.['num_files']) }
  if (status === 'CREATING_BACKUP') return { isOver: false, files: Number(row?.['num_files']) }
  const reason = typeof row?.['error'] === 'string' ? row['error'] : 'the engine does not know of it any more'
  throw new StoreError('SURETY_STORE_QUERY', `The backup failed: ${reason.split('\n')[0] ?? ''}`)
}
