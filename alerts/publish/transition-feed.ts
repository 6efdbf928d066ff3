// Transitions that were not told yet, in the order in which they were kept, and how far a reader is. Reads what the loop wrote in
// the transaction that kept the state.

import type { Database } from '../../query/registry/database.ts'
import { toTransition, TRANSITION_COLUMNS, type KeptTransition } from '../../query/promises/transitions.ts'
import { buildKeptLog, LAST, type Backlog } from './kept-log.ts'

export type ToldTransition = KeptTransition & {
  /** The condition that held after it; undefined when none was told yet. */
  readonly condition: string | undefined
}

export interface TransitionFeed {
  /** The next ones; the same again until `moveTo`. */
  next(max: number): Promise<readonly ToldTransition[]>
  /** They arrived, this one the last. Never goes back. */
  moveTo(id: number): Promise<void>
  backlog(): Promise<Backlog>
}

// What one judging of one SLO changed stands together: the condition may come behind what else changed with it.
const SAME_INSTANT = 100

const NEXT = `SELECT ${TRANSITION_COLUMNS},
    (SELECT earlier.transition ->> 'to' FROM slo_transitions earlier
      WHERE earlier.slo = t.slo AND earlier.objective = t.objective AND earlier.slo_group = t.slo_group
        AND earlier.transition ->> 'subject' = 'condition'
        AND earlier.id < t.id + ${SAME_INSTANT} AND (earlier.id < t.id OR earlier.at = t.at)
      ORDER BY earlier.id DESC LIMIT 1) AS condition
  FROM slo_transitions t WHERE id > ${LAST} ORDER BY id LIMIT $2`

/** @param name  of the reader: each has its own place */
export function buildTransitionFeed(database: Database, name: string): TransitionFeed {
  const log = buildKeptLog(database, name, 'transitions')
  return {
    async next(max) {
      const rows = await log.next(NEXT, max)
      return rows.map((kept) => ({
        ...toTransition(kept),
        condition: (kept['condition'] as string | null) ?? undefined,
      }))
    },
    moveTo: (id) => log.moveTo(id),
    backlog: () => log.backlog(),
  }
}
