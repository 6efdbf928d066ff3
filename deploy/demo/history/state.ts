// How far the history is written: a small file in the data directory, replaced whole. A first start that was killed goes
// on where it stood; a finished history is never written again.

import { readFileSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const State = z.object({
  /** Which world and seed: a history that was begun cannot be completed with another. */
  world: z.string(),
  /** ms since 1970: rollups from here, spans from here, end. */
  fromMs: z.number().int(),
  spansFromMs: z.number().int(),
  endMs: z.number().int(),
  phase: z.enum(['rollups', 'spans', 'metrics', 'rest', 'complete']),
  /** Batches of the phase that are surely stored. */
  done: z.number().int(),
})
export type HistoryState = z.infer<typeof State>

export const HISTORY_FILE = 'demo-history.json'

/** @returns undefined when no history was begun @throws Error when the file is not ours */
export function readHistoryState(dataDir: string): HistoryState | undefined {
  let text: string
  try {
    text = readFileSync(join(dataDir, HISTORY_FILE), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return State.parse(JSON.parse(text))
}

/** Durable when it resolves. */
export async function writeHistoryState(dataDir: string, state: HistoryState): Promise<void> {
  const path = join(dataDir, HISTORY_FILE)
  const file = await open(`${path}.new`, 'w', 0o640)
  try {
    await file.writeFile(`${JSON.stringify(state)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
