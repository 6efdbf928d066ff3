// Connections to a ClickHouse server or cluster: each statement is a request. On a cluster our statements are written for
// one table by name; what the cluster needs instead is put in here, in one place (cluster-sql.ts).

import { openClickHouseHttp, type HttpTarget } from './clickhouse-http.ts'
import { clusterCommand, clusterQuestion, clusterSettings, type Cluster } from './cluster-sql.ts'
import type { Connections, Lane } from './connections.ts'
import { buildLanes, PLACES } from './lanes.ts'

export type ServerTarget = HttpTarget & {
  readonly database: string
  /** Undefined for a single server. */
  readonly cluster?: Cluster | undefined
}

export interface ServerConnections extends Connections {
  /** One insert whose data is the body of the request. @throws StoreError */
  insert(sql: string, body: readonly Uint8Array[], settings: Readonly<Record<string, string>>): Promise<void>
  /** The same as `run`, before the database is there. */
  runBare(sql: string): Promise<string>
}

// A batch of 100k spans takes a second or two; the engine's own limit ends questions before ours does.
const DEADLINE_MS: Readonly<Record<Lane, number>> = {
  light: 60_000,
  heavy: 120_000,
  blame: 120_000,
  insert: 300_000,
  admin: 900_000,
}

export function openServerConnections(target: ServerTarget): ServerConnections {
  const http = openClickHouseHttp(target, PLACES)
  const lanes = buildLanes(() => undefined)
  const { database, cluster } = target
  const settings = cluster === undefined ? {} : clusterSettings(cluster)
  const rewritten = (lane: Lane, sql: string) => {
    if (cluster === undefined) return sql
    return lane === 'admin' ? clusterCommand(sql, cluster) : clusterQuestion(sql, cluster)
  }
  const run = (lane: Lane, sql: string, named: string | undefined) =>
    lanes.run(lane, () => http.send({ sql, database: named, settings, deadlineMs: DEADLINE_MS[lane] }))
  return {
    run: (lane, sql) => run(lane, rewritten(lane, sql), database),
    runBare: (sql) => run('admin', sql, undefined),
    async insert(sql, body, own) {
      await lanes.run('insert', () =>
        http.send({ sql, body, database, settings: { ...settings, ...own }, deadlineMs: DEADLINE_MS.insert }),
      )
    },
    async close() {
      await lanes.settled()
      http.close()
    },
  }
}
