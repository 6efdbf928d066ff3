// Notices that a file was changed, replaced or appeared: by asking every few seconds, which also works on mounted
// secrets, where the events of the file system do not arrive.

import { stat } from 'node:fs/promises'
import type { Logger } from './logger.ts'

export interface FileWatch {
  /** Looks now; resolves when a change has been applied. */
  check(): Promise<void>
  close(): void
}

/**
 * To be opened before the files are read for the first time, so that no change falls between.
 *
 * @param apply  reads the files; called once per change, never twice at a time; expected not to throw
 */
export async function openFileWatch(
  files: readonly string[],
  pollMs: number,
  logger: Logger,
  apply: () => Promise<void>,
): Promise<FileWatch> {
  let seen = await signature(files)
  let checking: Promise<void> | undefined

  async function look(): Promise<void> {
    const found = await signature(files)
    if (found === seen) return
    // Taken before reading: a change while reading is seen again by the next look.
    seen = found
    await apply()
  }

  function check(): Promise<void> {
    checking ??= look()
      .catch((error: unknown) => logger.error({ err: error, files }, 'a changed file could not be applied'))
      .finally(() => (checking = undefined))
    return checking
  }

  const timer = setInterval(() => void check(), pollMs)
  timer.unref()
  return { check, close: () => clearInterval(timer) }
}

async function signature(files: readonly string[]): Promise<string> {
  const parts = await Promise.all(
    files.map(async (file) => {
      try {
        const { mtimeNs, ctimeNs, size, ino } = await stat(file, { bigint: true })
        return `${mtimeNs}/${ctimeNs}/${size}/${ino}`
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code)
      }
    }),
  )
  return parts.join('|')
}
