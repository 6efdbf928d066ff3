// Transitions of SLOs as the loop kept them, in order.

import type { Queries } from '../registry/database.ts'
import type { Transition } from '../slo/slo-state.ts'

export type KeptTransition = {
  readonly id: number
  readonly atMs: number
  readonly judgedAtMs: number
  readonly slo: string
  readonly objective: number
  readonly group: string
  readonly system: string | undefined
  readonly generation: number
  readonly transition: Transition
}

export const TRANSITION_COLUMNS =
  'id, at, judged_at, slo, objective, slo_group, system, generation, transition'

/** Of one that is judged by itself, newest first. */
export async function transitionsOf(
  database: Queries,
  which: { readonly slo: string; readonly objective: number; readonly group: string },
  range: { readonly fromMs: number; readonly toMs: number },
  limit: number,
): Promise<KeptTransition[]> {
  const rows = await database.rows(
    `SELECT ${TRANSITION_COLUMNS} FROM slo_transitions
    WHERE slo = $1 AND objective = $2 AND slo_group = $3 AND at >= $4 AND at < $5 ORDER BY id DESC LIMIT $6`,
    [which.slo, which.objective, which.group, new Date(range.fromMs), new Date(range.toMs), limit],
  )
  return rows.map(toTransition)
}

/** In order, after one that is known. */
export async function transitionsAfter(
  database: Queries,
  id: number,
  limit: number,
): Promise<KeptTransition[]> {
  const rows = await database.rows(
    `SELECT ${TRANSITION_COLUMNS} FROM slo_transitions WHERE id > $1 ORDER BY id LIMIT $2`,
    [id, limit],
  )
  return rows.map(toTransition)
}

/** The newest; 0 before the first. */
export async function newestTransition(database: Queries): Promise<number> {
  const [row] = await database.rows('SELECT coalesce(max(id), 0) AS id FROM slo_transitions')
  return Number(row?.['id'] ?? 0)
}

export function toTransition(row: Readonly<Record<string, unknown>>): KeptTransition {
  return {
    id: Number(row['id']),
    atMs: (row['at'] as Date).getTime(),
    judgedAtMs: (row['judged_at'] as Date).getTime(),
    slo: String(row['slo']),
    objective: Number(row['objective']),
    group: String(row['slo_group']),
    system: (row['system'] as string | null) ?? undefined,
    generation: Number(row['generation']),
    transition: row['transition'] as Transition,
  }
}
