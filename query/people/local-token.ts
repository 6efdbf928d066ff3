// Whoever can read the data directory administers: each start writes a token there, for this machine's commands.

import { createHash, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeToken } from '../../ingest/runtime/tokens.ts'

const pathIn = (dataDir: string) => join(dataDir, 'local-token')

export type LocalToken = {
  /** In the same time whatever fits. */
  is(presented: string): boolean
  remove(): void
}

export function openLocalToken(dataDir: string): LocalToken {
  mkdirSync(dataDir, { recursive: true, mode: 0o750 })
  const token = makeToken()
  const path = pathIn(dataDir)
  // A file of before may have been made readable; a new one is not.
  rmSync(path, { force: true })
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  const digest = (text: string) => createHash('sha256').update(text).digest()
  const expected = digest(token)
  return {
    is: (presented) => timingSafeEqual(digest(presented), expected),
    remove: () => rmSync(path, { force: true }),
  }
}

/** @returns the token of the Surety that runs on the directory; undefined when none does, or it is not ours to read */
export function readLocalToken(dataDir: string): string | undefined {
  try {
    return readFileSync(pathIn(dataDir), 'utf8').trim()
  } catch {
    return undefined
  }
}
