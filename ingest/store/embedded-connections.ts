// The embedded engine's connections. One connection runs one query at a time, so each lane owns its connections. No
// other file of the product knows the engine's client.

import { Session } from 'chdb'
import type { Connections } from './connections.ts'
import { buildLanes } from './lanes.ts'
import { classifyStoreError } from './store-error.ts'

// Bounds of the engine as a whole; each statement has its own beside them.
const ENGINE_ARGUMENTS = [
  '--max_server_memory_usage=8000000000',
  '--mark_cache_size=268435456',
  // Parameters stand in a statement's text, and a batch of release events may ask for a mebibyte of identities.
  '--max_query_size=8388608',
  '--logger.level=none',
]

/**
 * @param path        the engine's folder; one process at a time may have it open
 * @param backupsDir  the only folder that backups are written to and read from
 */
export function openEmbeddedConnections(path: string, backupsDir: string): Connections {
  const connectionArgs = [...ENGINE_ARGUMENTS, `--backups.allowed_path=${backupsDir}`]
  const all: Session[] = []
  const lanes = buildLanes(() => {
    const session = new Session(path, { connectionArgs })
    all.push(session)
    return session
  })
  return {
    run: (lane, sql) =>
      lanes.run(lane, async (session) => {
        try {
          const result = await session.queryAsync(sql, { format: 'JSONEachRow' })
          return result.text()
        } catch (error) {
          throw classifyStoreError(error)
        }
      }),
    async close() {
      await lanes.settled()
      for (const session of all) session.close()
    },
  }
}
