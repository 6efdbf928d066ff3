// InsertTransport for the embedded engine: the bytes go to a file in memory (tmpfs where the machine has
// one), the engine reads it with file(), the file is removed. A crash leaves files behind; opening sweeps them.

import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connections } from './connections.ts'
import { literal } from './literal.ts'
import type { InsertJob, InsertTransport } from './transport.ts'

const TMPFS = '/dev/shm'

// Settings stick to an embedded connection when given per call; inline they hold for one statement.
// One block per insert (rows and bytes above any batch), so that one token names one block.
const INSERT_SETTINGS = [
  'async_insert=0',
  'deduplicate_blocks_in_dependent_materialized_views=1',
  'max_threads=1',
  'max_insert_threads=1',
  'max_block_size=1000000',
  'min_insert_block_size_rows=4000000',
  'min_insert_block_size_bytes=2000000000',
  'max_partitions_per_insert_block=1000',
  'max_memory_usage=3000000000',
  'max_query_size=1000000',
].join(', ')

/** @param dataDir names the spool folder, so that two data directories never sweep each other's files */
export function openSpoolTransport(connections: Connections, dataDir: string): InsertTransport {
  const folder = spoolFolder(dataDir)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  let sequence = 0

  return {
    async insert(job: InsertJob) {
      sequence += 1
      const path = join(folder, `${sequence}.bin`)
      try {
        const file = await open(path, 'wx', 0o600)
        try {
          await file.writev(job.body as Uint8Array[])
        } finally {
          await file.close()
        }
        const source = (structure: string) =>
          `file(${literal(path)}, ${literal(job.format)}, ${literal(structure)})`
        for (const { sql, token } of job.statements) {
          const settings = [INSERT_SETTINGS, `insert_deduplication_token=${literal(token)}`, job.settings]
          const query = `${sql(source)}\nSETTINGS ${settings.filter(Boolean).join(', ')}`
          await connections.run('insert', query)
        }
      } finally {
        await rm(path, { force: true })
      }
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

function spoolFolder(dataDir: string): string {
  const name = `surety-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`
  try {
    accessSync(TMPFS, constants.W_OK)
    readdirSync(TMPFS)
    return join(TMPFS, name)
  } catch {
    return join(dataDir, 'spool')
  }
}
