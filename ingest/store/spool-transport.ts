// InsertTransport for the embedded engine: the bytes go to a file in memory (tmpfs where the machine has
// one), the engine reads it with file(), the file is removed. A crash leaves files behind; opening sweeps them.

import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Connections } from './connections.ts'
import { INSERT_SETTINGS } from './insert-settings.ts'
import { literal } from './literal.ts'
import { StoreError } from './store-error.ts'
import { writeAll } from './write-all.ts'
import type { InsertJob, InsertTransport, ProtobufSchema } from './transport.ts'

const TMPFS = '/dev/shm'

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
        await spool(path, job.body)
        const source = (structure: string) =>
          `file(${literal(path)}, ${literal(job.format)}, ${literal(structure)})`
        for (const { sql, token } of job.statements) {
          const settings = [
            INSERT_SETTINGS,
            `insert_deduplication_token=${literal(token)}`,
            schema(job.schema),
          ]
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

// By its file: a schema given as text would be cached as a file in the working directory.
function schema(given: ProtobufSchema | undefined): string {
  if (given === undefined) return ''
  return `format_schema_source='file', format_schema=${literal(given.path)}, format_schema_message_name=${literal(given.message)}`
}

/** @throws StoreError busy: what cannot be spooled now is no fault of the data */
async function spool(path: string, body: readonly Uint8Array[]): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await writeAll(file, body)
    } finally {
      await file.close()
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const text = `A batch cannot be written to ${dirname(path)} (${reason}); make room there`
    throw new StoreError('SURETY_STORE_BUSY', text, 0, error)
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
