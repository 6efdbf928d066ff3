// Slices of the settled past that turned out different: they are noted, and change nothing until somebody approves.

import type { Database, Queries } from '../registry/database.ts'
import { authored } from '../registry/authored.ts'
import type { Author } from '../registry/object.ts'

export type Counts = { readonly good: number; readonly total: number; readonly isKnown: boolean }

export type Noticed = {
  readonly series: string
  readonly stepSeconds: number
  readonly group: string
  readonly startSecond: number
  /** Thousandths of events. */
  readonly before: Counts
  readonly after: Counts
}

export type Correction = Noticed & {
  readonly id: number
  readonly noticedAtMs: number
  readonly decision: 'open' | 'approved' | 'rejected'
  readonly decidedBy: string | undefined
  readonly decidedAtMs: number | undefined
  readonly isApplied: boolean
}

const COLUMNS =
  'id, series, step_seconds, slo_group, start, before, after, noticed_at, decision, decided_by, decided_at, applied_at'

/** What was noticed before, the same, is noted once. */
export async function noteCorrections(
  queries: Queries,
  noticed: readonly Noticed[],
  atMs: number,
): Promise<void> {
  if (noticed.length === 0) return
  await queries.rows(
    `INSERT INTO slo_corrections (series, step_seconds, slo_group, start, before, after, noticed_at)
    SELECT series, step::integer, slo_group, start::timestamptz, before::jsonb, after::jsonb, $7
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS given (series, step, slo_group, start, before, after)
    ON CONFLICT DO NOTHING`,
    [
      noticed.map(({ series }) => series),
      noticed.map(({ stepSeconds }) => String(stepSeconds)),
      noticed.map(({ group }) => group),
      noticed.map(({ startSecond }) => new Date(startSecond * 1000).toISOString()),
      noticed.map(({ before }) => JSON.stringify(before)),
      noticed.map(({ after }) => JSON.stringify(after)),
      new Date(atMs),
    ],
  )
}

/** Newest first. @param before  ids below it */
export async function correctionsOf(
  queries: Queries,
  series: readonly string[],
  limit: number,
  before = Number.MAX_SAFE_INTEGER,
): Promise<Correction[]> {
  const rows = await queries.rows(
    `SELECT ${COLUMNS} FROM slo_corrections WHERE series = ANY ($1::text[]) AND id < $2 ORDER BY id DESC LIMIT $3`,
    [series, before, limit],
  )
  return rows.map(toCorrection)
}

/**
 * Decides an open one.
 * @returns as it is now; undefined when there is none of these series, or it was decided before
 */
export async function decideCorrection(
  database: Database,
  series: readonly string[],
  id: number,
  decision: 'approved' | 'rejected',
  author: Author,
  at: Date,
): Promise<Correction | undefined> {
  const rows = await authored(database, author, at, (queries) =>
    queries.rows(
      `UPDATE slo_corrections SET decision = $1, decided_by = $2, decided_at = $3
      WHERE id = $4 AND series = ANY ($5::text[]) AND decision = 'open' RETURNING ${COLUMNS}`,
      [decision, author.actor, at, id, series],
    ),
  )
  return rows.map(toCorrection)[0]
}

/** Approved, and not yet in the slices. */
export async function approvedCorrections(queries: Queries, limit: number): Promise<Correction[]> {
  const rows = await queries.rows(
    `SELECT ${COLUMNS} FROM slo_corrections WHERE decision = 'approved' AND applied_at IS NULL ORDER BY id LIMIT $1`,
    [limit],
  )
  return rows.map(toCorrection)
}

export async function markApplied(queries: Queries, ids: readonly number[], atMs: number): Promise<void> {
  await queries.rows('UPDATE slo_corrections SET applied_at = $1 WHERE id = ANY ($2::bigint[])', [
    new Date(atMs),
    ids.map(String),
  ])
}

function toCorrection(row: Readonly<Record<string, unknown>>): Correction {
  const decided = row['decided_at'] as Date | null
  return {
    id: Number(row['id']),
    series: String(row['series']),
    stepSeconds: Number(row['step_seconds']),
    group: String(row['slo_group']),
    startSecond: (row['start'] as Date).getTime() / 1000,
    before: row['before'] as Counts,
    after: row['after'] as Counts,
    noticedAtMs: (row['noticed_at'] as Date).getTime(),
    decision: row['decision'] as Correction['decision'],
    decidedBy: (row['decided_by'] as string | null) ?? undefined,
    decidedAtMs: decided?.getTime(),
    isApplied: row['applied_at'] !== null,
  }
}
