// The seam between statements and an engine. Two sides: the embedded engine (embedded-connections.ts) and a ClickHouse
// server or cluster over HTTP (server-connections.ts); store.ts alone chooses. Statements carry their settings inline.

import type { Lane } from './lanes.ts'

export type { Lane } from './lanes.ts'

export interface Connections {
  /**
   * Runs one statement in its lane.
   * @returns the answer as text, one JSON object a line; empty for statements that answer nothing
   * @throws StoreError; busy when the lane's queue is full
   */
  run(lane: Lane, sql: string): Promise<string>
  close(): Promise<void>
}
