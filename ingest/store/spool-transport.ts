// InsertTransport for the embedded engine: the bytes go to a file in memory (tmpfs where the machine has
// one), the engine reads it with file(), the file is removed. A crash leaves files behind; opening sweeps them.

import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connections } from './connections.ts'
import { INSERT_SETTINGS } from './insert-settings.ts'
import { literal } from './literal.ts'
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
        const file = await open(path, 'wx', 0o600)
        try {
          await file.writev(job.body as Uint8Array[])
        } finally {
          await file.close()
        }
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
