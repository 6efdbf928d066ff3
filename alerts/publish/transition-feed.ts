// Transitions that were not published yet, in the order in which they were kept, and how far a publisher is. Reads what the loop wrote in
// the transaction that kept the state.

import type { Database } from '../../query/registry/database.ts'
import { toTransition, TRANSITION_COLUMNS, type KeptTransition } from '../../query/promises/transitions.ts'

export type ToldTransition = KeptTransition & {
  /** The condition that held after it; undefined when none was told yet. */
  readonly condition: string | undefined
}

export type Backlog = { readonly count: number; readonly oldestAtMs: number | undefined }

export interface TransitionFeed {
  /** The next ones; the same again until `moveTo`. */
  next(max: number): Promise<readonly ToldTransition[]>
  /** They arrived, this one the last. Never goes back. */
  moveTo(id: number): Promise<void>
  backlog(): Promise<Backlog>
}

// What one judging of one SLO changed stands together: the condition may come behind what else changed with it.
const SAME_INSTANT = 100

const LAST = 'coalesce((SELECT last_id FROM slo_publishers WHERE name = $1), 0)'

// Ids are given when a row is written and are seen when its transaction is kept: a reader may see 8 before 7. Whoever writes has a lock on
// the table that this one waits for, so that behind it nothing below the newest id is still to come.
const AFTER_WRITERS = 'LOCK TABLE slo_transitions IN SHARE MODE'

/** @param name  of the publisher: each has its own place */
export function buildTransitionFeed(database: Database, name: string): TransitionFeed {
  return {
    async next(max) {
      const [row] = await database.rows(
        `SELECT EXISTS (SELECT 1 FROM slo_transitions WHERE id > ${LAST}) AS is_there`,
        [name],
      )
      if (row?.['is_there'] !== true) return []
      return database.transaction(async (queries) => {
        await queries.rows(AFTER_WRITERS)
        const rows = await queries.rows(
          `SELECT ${TRANSITION_COLUMNS},
            (SELECT earlier.transition ->> 'to' FROM slo_transitions earlier
              WHERE earlier.slo = t.slo AND earlier.objective = t.objective AND earlier.slo_group = t.slo_group
                AND earlier.transition ->> 'subject' = 'condition'
                AND earlier.id < t.id + ${SAME_INSTANT} AND (earlier.id < t.id OR earlier.at = t.at)
              ORDER BY earlier.id DESC LIMIT 1) AS condition
          FROM slo_transitions t WHERE id > ${LAST} ORDER BY id LIMIT $2`,
          [name, max],
        )
        return rows.map((kept) => ({
          ...toTransition(kept),
          condition: (kept['condition'] as string | null) ?? undefined,
        }))
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
        `SELECT count(*) AS waiting, min(judged_at) AS oldest FROM slo_transitions WHERE id > ${LAST}`,
        [name],
      )
      const oldest = row?.['oldest'] as Date | null | undefined
      return { count: Number(row?.['waiting'] ?? 0), oldestAtMs: oldest?.getTime() }
    },
  }
}
