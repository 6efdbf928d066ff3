// One process at a time has a data directory; who has it stands in a file there.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from './store-error.ts'

/**
 * The engine refuses a second process by itself, but with a message that helps nobody.
 * @returns what gives the directory free @throws StoreError, busy, when a living process has it
 */
export function lockDataDir(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o750 })
  const path = join(folder, 'surety.pid')
  if (existsSync(path)) {
    const [pid = 0, startedAt = ''] = readFileSync(path, 'utf8').split(' ')
    if (Number(pid) !== process.pid && isAlive(Number(pid)) && startOf(Number(pid)) === startedAt) {
      throw new StoreError(
        'SURETY_STORE_BUSY',
        `The data directory ${folder} is in use by process ${pid}. Stop that process, or set SURETY_DATA_DIR to another directory.`,
      )
    }
  }
  writeFileSync(path, `${process.pid} ${startOf(process.pid)}`, { mode: 0o640 })
  return () => rmSync(path, { force: true })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

// A pid comes again, in containers soon; with its start it does not. Empty where the system does not tell.
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
