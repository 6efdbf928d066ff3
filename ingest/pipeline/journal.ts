// What the doors keep on disk: the batch that is being inserted, until it is stored, and the digests of requests that
// were stored lately. After a crash the batch is completed at start; a sender that repeats a request byte for byte,
// because its answer was lost, gets its answer and is stored once.
//
// States of a request: unknown → pending (its batch is on disk) → stored (its digest is on disk) → forgotten.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { steadyClock, type Clock } from '../runtime/clock.ts'
import { StoreError, writeAll } from '../store/store.ts'
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
  /**
   * Resolves when the batch is on disk: from here on it will be stored, whatever happens.
   * @throws StoreError busy when the disk cannot take it; nothing of it is left then
   */
  begin(batch: JournalBatch): Promise<void>
  /**
   * The batch is stored: its digests are kept, the batch is let go. Resolves when both are on disk, or when the disk cannot
   * take it: the batch then stays where a start would find and verify it, and is let go at a later end.
   */
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
 * @param clock   what the disk says: other processes read it
 * @param steady  how long ago in this process: a clock that is set must not make a repeated request new, or keep it for ever
 * @throws Error when the folder cannot be read or written
 */
export async function openJournal(
  folder: string,
  clock: Clock,
  steady: Clock = steadyClock,
): Promise<Journal> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const left = readdirSync(folder)
    .filter((name) => name.endsWith(BATCH_SUFFIX))
    .sort((a, b) => statSync(join(folder, a)).mtimeMs - statSync(join(folder, b)).mtimeMs)
    .flatMap((name) => readBatch(join(folder, name)) ?? [])
  const stored = new Map<string, number>()
  const kept = DIGEST_FILES.flatMap((name) => readDigests(join(folder, name)))
  for (const [digest, at] of kept.toSorted((a, b) => a[1] - b[1]))
    stored.set(digest, steady.now() - Math.max(0, clock.now() - at))
  forget()

  let active = 0
  let activeSince = steady.now()
  let log = await openDigests(join(folder, DIGEST_FILES[active] ?? ''), false)
  let turn: Promise<unknown> = Promise.resolve()
  let unended: JournalBatch[] = []

  function forget(): void {
    const before = steady.now() - REPEAT_WINDOW_MS
    for (const [digest, at] of stored) {
      if (at >= before) break
      stored.delete(digest)
    }
  }

  async function keepDigests(digests: readonly string[]): Promise<void> {
    if (steady.now() - activeSince > REPEAT_WINDOW_MS) {
      const next = 1 - active
      const fresh = await openDigests(join(folder, DIGEST_FILES[next] ?? ''), true)
      await log.file.close()
      log = fresh
      active = next
      activeSince = steady.now()
    }
    const now = clock.now()
    const records = Buffer.alloc(digests.length * RECORD_BYTES)
    digests.forEach((digest, index) => {
      records.write(digest, index * RECORD_BYTES, 'hex')
      records.writeDoubleLE(now, index * RECORD_BYTES + DIGEST_BYTES)
    })
    // At its place: half a record that a full disk or a crash left is written over, so that the next ones are in step.
    await writeWhole(log.file, records, log.bytes)
    await log.file.datasync()
    log.bytes += records.length
    forget()
  }

  async function letGo(): Promise<void> {
    while (unended[0] !== undefined) {
      const [batch] = unended
      await keepDigests(batch.items.map(({ digest }) => digest))
      await rm(join(folder, fileName(batch.token)), { force: true })
      unended = unended.slice(1)
    }
  }

  return {
    isStored: (digest) => (stored.get(digest) ?? Number.NEGATIVE_INFINITY) >= steady.now() - REPEAT_WINDOW_MS,
    async begin(batch) {
      const header: Header = {
        token: batch.token,
        ...(batch.signal === undefined ? {} : { signal: batch.signal }),
        items: batch.items.map(({ digest, origin, body }) => ({ digest, origin, length: body.length })),
      }
      const path = join(folder, fileName(batch.token))
      // Under its own name only when it is whole.
      try {
        const draft = await open(`${path}.draft`, 'w', 0o600)
        try {
          await writeAll(draft, [
            Buffer.from(`${JSON.stringify(header)}\n`),
            ...batch.items.map(({ body }) => body),
          ])
          await draft.datasync()
        } finally {
          await draft.close()
        }
        await rename(`${path}.draft`, path)
        await syncFolder(folder)
      } catch (error) {
        // Its senders are told to come again: a start must not find it.
        await Promise.allSettled([`${path}.draft`, path].map((one) => rm(one, { force: true })))
        const reason = error instanceof Error ? error.message : String(error)
        const text = `The disk under SURETY_DATA_DIR cannot be written (${reason})`
        throw new StoreError('SURETY_STORE_BUSY', text, 0, error)
      }
    },
    end(batch) {
      const at = steady.now()
      for (const { digest } of batch.items) {
        stored.delete(digest)
        stored.set(digest, at)
      }
      const mine = turn.then(async () => {
        unended.push(batch)
        await letGo().catch(() => undefined)
      })
      turn = mine
      return mine
    },
    unfinished: () => left,
    async close() {
      await turn
      await letGo().catch(() => undefined)
      await log.file.close()
    },
  }
}

type DigestLog = { readonly file: FileHandle; bytes: number }

/** @param isFresh begins anew; otherwise goes on behind the last whole record */
async function openDigests(path: string, isFresh: boolean): Promise<DigestLog> {
  const file = await open(path, isFresh || !existsSync(path) ? 'w' : 'r+', 0o600)
  const { size } = await file.stat()
  return { file, bytes: size - (size % RECORD_BYTES) }
}

/** A write to a disk that is nearly full may write less than all, without an error. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
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

function readDigests(path: string): [string, number][] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  const found: [string, number][] = []
  for (let at = 0; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
    found.push([bytes.toString('hex', at, at + DIGEST_BYTES), bytes.readDoubleLE(at + DIGEST_BYTES)])
  }
  return found
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
