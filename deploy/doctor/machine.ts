// What `surety doctor` finds out about the machine: the data directory, its disk, the ports.

import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { bytesText } from '../text-table.ts'
import { fail, judged, ok, type Finding } from './finding.ts'

const GIB = 1024 ** 3
const FREE_BYTES_WARN = 5 * GIB
const FREE_BYTES_FAIL = GIB
const FREE_RATIO_WARN = 0.1
// A batch waits for three syncs; SSDs need about one millisecond, disks in the cloud a few.
const SYNC_MS = { warnAt: 20, failAt: 200 }
const SYNC_TRIES = 9

export async function dataDirectory(dataDir: string): Promise<Finding[]> {
  const check = 'data directory'
  const folder = resolve(dataDir)
  const there = nearestFolder(folder)
  try {
    accessSync(there, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    const { uid } = statSync(there)
    const text = `${there} belongs to user ${uid} and cannot be written by user ${process.getuid?.() ?? '?'}`
    return [
      fail(check, text, 'Run Surety as its owner, or give it a directory of its own (SURETY_DATA_DIR).'),
    ]
  }
  const owner = statSync(there).uid
  const isOwn = process.getuid === undefined || owner === process.getuid()
  const text = existsSync(folder) ? `${folder} can be written` : `${folder} will be made in ${there}`
  return [
    isOwn
      ? ok(check, text)
      : {
          check,
          state: 'warn',
          text: `${text}, but belongs to user ${owner}`,
          remedy: 'Files of two users in one store end in refusals: chown it to the user that runs Surety.',
        },
    await freeSpace(there),
    await syncTime(there),
  ]
}

async function freeSpace(folder: string): Promise<Finding> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const free = bavail * bsize
  const ratio = bavail / blocks
  const text = `${bytesText(free)} free (${Math.round(ratio * 100)} %)`
  const remedy =
    'Free space, shorten the retention (SURETY_RETENTION_…_DAYS) or bound the store (SURETY_STORE_BYTES_MAX).'
  if (free < FREE_BYTES_FAIL) return fail('disk', text, remedy)
  if (free < FREE_BYTES_WARN || ratio < FREE_RATIO_WARN) return { check: 'disk', state: 'warn', text, remedy }
  return ok('disk', text)
}

async function syncTime(folder: string): Promise<Finding> {
  const path = join(folder, `.surety-doctor-${process.pid}`)
  const times: number[] = []
  const file = await open(path, 'w', 0o600)
  try {
    for (let tries = 0; tries < SYNC_TRIES; tries += 1) {
      await file.write(Buffer.alloc(4096, tries))
      const startedAt = performance.now()
      await file.sync()
      times.push(performance.now() - startedAt)
    }
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
  const median = times.toSorted((a, b) => a - b)[SYNC_TRIES >> 1] ?? 0
  const text = `a sync takes ${median.toFixed(1)} ms (median of ${SYNC_TRIES})`
  return judged(
    'disk sync',
    median,
    SYNC_MS,
    text,
    'Every batch waits for several; put SURETY_DATA_DIR on a local SSD.',
  )
}

/** Ports that a start would need; only asked when no Surety has them. */
export async function ports(wanted: Readonly<Record<string, number>>, host: string): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [variable, port] of Object.entries(wanted)) {
    const refusal = await refusalOf(port, host)
    findings.push(
      refusal === undefined
        ? ok('ports', `${host}:${port} is free (${variable})`)
        : fail(
            'ports',
            `${host}:${port} cannot be listened on: ${refusal}`,
            `Stop what has it, or set ${variable}.`,
          ),
    )
  }
  return findings
}

function refusalOf(port: number, host: string): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => done(undefined)))
  })
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path))
}
