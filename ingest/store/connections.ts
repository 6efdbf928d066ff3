// The embedded engine's connections, in lanes. One connection runs one query at a time, so each lane owns
// its connections: a heavy query waits behind heavy ones and never before a light one. Nothing outside
// store/ knows the engine's client.

import { Session } from 'chdb'
import { classifyStoreError, StoreError } from './store-error.ts'

/** light: answers in milliseconds. heavy: may scan. insert: batches. admin: migrations and upkeep. */
export type Lane = 'light' | 'heavy' | 'insert' | 'admin'

const LANES: Readonly<Record<Lane, { connections: number; queueMax: number }>> = {
  light: { connections: 2, queueMax: 200 },
  heavy: { connections: 2, queueMax: 20 },
  insert: { connections: 2, queueMax: 64 },
  admin: { connections: 1, queueMax: 200 },
}

// Bounds of the engine as a whole; each statement has its own beside them.
const ENGINE_ARGUMENTS = [
  '--max_server_memory_usage=8000000000',
  '--mark_cache_size=268435456',
  // Parameters stand in a statement's text, and a batch of release events may ask for a mebibyte of identities.
  '--max_query_size=8388608',
  '--logger.level=none',
]

export interface Connections {
  /**
   * Runs one statement with a free connection of the lane.
   * @returns the answer as text, one JSON object a line; empty for statements that answer nothing
   * @throws StoreError; busy when the lane's queue is full
   */
  run(lane: Lane, sql: string): Promise<string>
  close(): Promise<void>
}

/**
 * @param path        the engine's folder; one process at a time may have it open
 * @param backupsDir  the only folder that backups are written to and read from
 */
export function openConnections(path: string, backupsDir: string): Connections {
  const connectionArgs = [...ENGINE_ARGUMENTS, `--backups.allowed_path=${backupsDir}`]
  const all: Session[] = []
  const running = new Set<Promise<unknown>>()
  const lanes = new Map<Lane, { idle: Session[]; waiting: ((session: Session) => void)[] }>()
  for (const lane of Object.keys(LANES) as Lane[]) {
    const idle = Array.from({ length: LANES[lane].connections }, () => {
      const session = new Session(path, { connectionArgs })
      all.push(session)
      return session
    })
    lanes.set(lane, { idle, waiting: [] })
  }

  function acquire(lane: Lane): Promise<Session> {
    const state = lanes.get(lane)
    if (state === undefined) throw new Error(`no lane ${lane}`)
    const free = state.idle.pop()
    if (free !== undefined) return Promise.resolve(free)
    if (state.waiting.length >= LANES[lane].queueMax) {
      const text = `The store has ${state.waiting.length} ${lane} queries waiting; try again in a few seconds`
      return Promise.reject(new StoreError('SURETY_STORE_BUSY', text))
    }
    return new Promise((resolve) => state.waiting.push(resolve))
  }

  function release(lane: Lane, session: Session): void {
    const state = lanes.get(lane)
    const next = state?.waiting.shift()
    if (next === undefined) state?.idle.push(session)
    else next(session)
  }

  return {
    async run(lane, sql) {
      const session = await acquire(lane)
      const work = session.queryAsync(sql, { format: 'JSONEachRow' })
      running.add(work)
      try {
        const result = await work
        return result.text()
      } catch (error) {
        throw classifyStoreError(error)
      } finally {
        running.delete(work)
        release(lane, session)
      }
    },
    async close() {
      await Promise.allSettled(running)
      for (const session of all) session.close()
    },
  }
}
