// What happened to SLOs in a period, for reports: outages, budgets that ran out, questions that changed.

import type { Queries } from '../registry/database.ts'
import { toTransition, TRANSITION_COLUMNS, type KeptTransition } from './transitions.ts'

export type GenerationChange = {
  readonly slo: string
  readonly atMs: number
  /** Undefined: it was defined then. */
  readonly from: number | undefined
  readonly to: number
  readonly actor: string
  readonly reason: string
}

type Period = { readonly fromMs: number; readonly toMs: number }

/** Outages, and budgets that were spent or came back; in order. */
export async function reportTransitions(
  database: Queries,
  slos: readonly string[],
  { fromMs, toMs }: Period,
  limit: number,
): Promise<KeptTransition[]> {
  const rows = await database.rows(
    `SELECT ${TRANSITION_COLUMNS} FROM slo_transitions
    WHERE slo = ANY ($1::text[]) AND at >= $2 AND at < $3 AND transition ->> 'subject' IN ('outage', 'budget')
    ORDER BY at, id LIMIT $4`,
    [slos, new Date(fromMs), new Date(toMs), limit],
  )
  return rows.map(toTransition)
}

/** When what an SLO asks changed, by the audit; in order. */
export async function generationChanges(
  database: Queries,
  slos: readonly string[],
  { fromMs, toMs }: Period,
): Promise<GenerationChange[]> {
  const rows = await database.rows(
    `SELECT name, at, actor, reason, before ->> 'generation' AS before, after ->> 'generation' AS after FROM audit
    WHERE kind = 'slo' AND action IN ('create', 'update') AND name = ANY ($1::text[]) AND at >= $2 AND at < $3
      AND before ->> 'generation' IS DISTINCT FROM after ->> 'generation' ORDER BY id`,
    [slos, new Date(fromMs), new Date(toMs)],
  )
  return rows.map((row) => ({
    slo: String(row['name']),
    atMs: (row['at'] as Date).getTime(),
    from: row['before'] === null ? undefined : Number(row['before']),
    to: Number(row['after']),
    actor: String(row['actor']),
    reason: String(row['reason']),
  }))
}
