// How far a publisher is in a table that is only added to, and what comes next: rows in the order of their ids, none left out.

import type { Database } from '../../query/registry/database.ts'

export type Backlog = { readonly count: number; readonly oldestAtMs: number | undefined }

/** A table whose rows are told once each, in order; with the column that says since when a row waits. */
export const LOGS = {
  transitions: { table: 'slo_transitions', keptAt: 'judged_at' },
  faults: { table: 'fault_events', keptAt: 'kept_at' },
  verdicts: { table: 'release_verdict_events', keptAt: 'kept_at' },
} as const

export interface KeptLog {
  /** @param sql  selects from the table what comes after `LAST`, `$2` rows at most, by id */
  next(sql: string, max: number): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** They arrived, this one the last. Never goes back. */
  moveTo(id: number): Promise<void>
  backlog(): Promise<Backlog>
}

/** The newest id that was told, in statements of `next`. */
export const LAST = 'coalesce((SELECT last_id FROM slo_publishers WHERE name = $1), 0)'

/** @param name  of the publisher: each has its own place */
export function buildKeptLog(database: Database, name: string, log: keyof typeof LOGS): KeptLog {
  const { table, keptAt } = LOGS[log]
  return {
    async next(sql, max) {
      const [row] = await database.rows(
        `SELECT EXISTS (SELECT 1 FROM ${table} WHERE id > ${LAST}) AS is_there`,
        [name],
      )
      if (row?.['is_there'] !== true) return []
      return database.transaction(async (queries) => {
        // Ids are given when a row is written and are seen when its transaction is kept: a reader may see 8 before 7. Whoever writes
        // has a lock on the table that this one waits for, so that behind it nothing below the newest id is still to come.
        await queries.rows(`LOCK TABLE ${table} IN SHARE MODE`)
        return queries.rows(sql, [name, max])
      })
    },
    async moveTo(id) {
      await database.rows(
        `INSERT INTO slo_publishers (name, last_id) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET last_id = greatest(slo_publishers.last_id, excluded.last_id)`,
        [name, id],
      )
    },
    async backlog() {
      const [row] = await database.rows(
        `SELECT count(*) AS waiting, min(${keptAt}) AS oldest FROM ${table} WHERE id > ${LAST}`,
        [name],
      )
      const oldest = row?.['oldest'] as Date | null | undefined
      return { count: Number(row?.['waiting'] ?? 0), oldestAtMs: oldest?.getTime() }
    },
  }
}
