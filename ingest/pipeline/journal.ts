// What the doors keep on disk: the batch that is being inserted, until it is stored, and the digests of requests that
// were stored lately. After a crash the batch is completed at start; a sender that repeats a request byte for byte,
// because its answer was lost, gets its answer and is stored once.
//
// States of a request: unknown → pending (its batch is on disk) → stored (its digest is on disk) → forgotten.

import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import type { SignalName } from './signal.ts'

/** A request as it came, inflated. */
export type JournalItem = { readonly digest: string; readonly origin: string; readonly body: Uint8Array }

export type JournalBatch = {
  readonly token: string
  /** What the requests are; traces when a batch does not say (an earlier release). */
  readonly signal?: SignalName
  readonly items: readonly JournalItem[]
}

export interface Journal {
  /** Whether a request with this digest was stored within the window. */
  isStored(digest: string): boolean
  /** Resolves when the batch is on disk: from here on it will be stored, whatever happens. */
  begin(batch: JournalBatch): Promise<void>
  /** The batch is stored: its digests are kept, the batch is let go. Resolves when both are on disk. */
  end(batch: JournalBatch): Promise<void>
  /** Batches that were begun by an earlier process and not ended, oldest first. */
  unfinished(): readonly JournalBatch[]
  close(): Promise<void>
}

/** How long a repeated request is recognised: well beyond any exporter's retries. */
export const REPEAT_WINDOW_MS = 10 * 60_000

const BATCH_SUFFIX = '.batch'
const DIGEST_BYTES = 32
const RECORD_BYTES = DIGEST_BYTES + 8
// Two files: the newer takes digests, the older is dropped when everything in it is past the window.
const DIGEST_FILES = ['digests-0.log', 'digests-1.log'] as const

type Header = {
  readonly token: string
  readonly signal?: SignalName
  readonly items: readonly { digest: string; origin: string; length: number }[]
}

/**
 * @param folder  made when missing; one process at a time
 * @throws Error when the folder cannot be read or written
 */
export async function openJournal(folder: string, clock: Clock): Promise<Journal> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const left = readdirSync(folder)
    .filter((name) => name.endsWith(BATCH_SUFFIX))
    .sort((a, b) => statSync(join(folder, a)).mtimeMs - statSync(join(folder, b)).mtimeMs)
    .flatMap((name) => readBatch(join(folder, name)) ?? [])
  const stored = new Map<string, number>()
  for (const name of DIGEST_FILES) readDigests(join(folder, name), stored)
  forget()

  let active = 0
  let activeSince = clock.now()
  let log = await open(join(folder, DIGEST_FILES[active] ?? ''), 'a', 0o600)
  let turn: Promise<unknown> = Promise.resolve()

  function forget(): void {
    const before = clock.now() - REPEAT_WINDOW_MS
    for (const [digest, at] of stored) {
      if (at >= before) break
      stored.delete(digest)
    }
  }

  async function keepDigests(digests: readonly string[]): Promise<void> {
    const now = clock.now()
    if (now - activeSince > REPEAT_WINDOW_MS) {
      await log.close()
      active = 1 - active
      activeSince = now
      log = await open(join(folder, DIGEST_FILES[active] ?? ''), 'w', 0o600)
    }
    const records = Buffer.alloc(digests.length * RECORD_BYTES)
    digests.forEach((digest, index) => {
      records.write(digest, index * RECORD_BYTES, 'hex')
      records.writeDoubleLE(now, index * RECORD_BYTES + DIGEST_BYTES)
      stored.delete(digest)
      stored.set(digest, now)
    })
    await log.appendFile(records)
    await log.datasync()
    forget()
  }

  return {
    isStored: (digest) => (stored.get(digest) ?? 0) >= clock.now() - REPEAT_WINDOW_MS,
    async begin(batch) {
      const header: Header = {
        token: batch.token,
        ...(batch.signal === undefined ? {} : { signal: batch.signal }),
        items: batch.items.map(({ digest, origin, body }) => ({ digest, origin, length: body.length })),
      }
      const path = join(folder, fileName(batch.token))
      // Under its own name only when it is whole.
      const draft = await open(`${path}.draft`, 'w', 0o600)
      try {
        await draft.writev([
          Buffer.from(`${JSON.stringify(header)}\n`),
          ...batch.items.map(({ body }) => body),
        ])
        await draft.datasync()
      } finally {
        await draft.close()
      }
      await rename(`${path}.draft`, path)
      await syncFolder(folder)
    },
    end(batch) {
      const mine = turn.then(async () => {
        await keepDigests(batch.items.map(({ digest }) => digest))
        await rm(join(folder, fileName(batch.token)), { force: true })
      })
      turn = mine.catch(() => undefined)
      return mine
    },
    unfinished: () => left,
    async close() {
      await turn
      await log.close()
    },
  }
}

function fileName(token: string): string {
  return `${token.replaceAll(/[^\w-]/g, '_')}${BATCH_SUFFIX}`
}

/** @returns undefined for a file that is not whole: its rename never happened, so nothing was acknowledged */
function readBatch(path: string): JournalBatch | undefined {
  const bytes = readFileSync(path)
  const end = bytes.indexOf('\n')
  try {
    const header = JSON.parse(bytes.toString('utf8', 0, end)) as Header
    let at = end + 1
    const items = header.items.map(({ digest, origin, length }) => {
      const body = bytes.subarray(at, at + length)
      at += length
      return { digest, origin, body }
    })
    const { token, signal } = header
    if (at !== bytes.length) return undefined
    return { token, ...(signal === undefined ? {} : { signal }), items }
  } catch {
    return undefined
  }
}

function readDigests(path: string, into: Map<string, number>): void {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    into.set(bytes.toString('hex', at, at + DIGEST_BYTES), bytes.readDoubleLE(at + DIGEST_BYTES))
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
