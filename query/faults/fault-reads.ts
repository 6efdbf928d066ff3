// Faults as the API tells them: with their newest explanation, as it was kept.

import type { Explanation, FaultItem, FaultReply } from '../http/fault-schemas.ts'
import type { Queries } from '../registry/database.ts'
import { iso, type TimeRange } from '../time-range.ts'
import { toFault } from './fault-book.ts'

export type FaultFilter = {
  readonly service: string | undefined
  /** Only faults that it is blamed or suspected for. */
  readonly release: string | undefined
  /** Only those of these systems, or of none; undefined: all. */
  readonly systems: readonly string[] | undefined
}

const COLUMNS = 'id, origin, name, measure, place, system, alarm_at, ended_at, explanation'

/** Faults that began or lasted in a range, newest first. */
export async function readFaults(
  database: Queries,
  range: TimeRange,
  { service, release, systems }: FaultFilter,
  limit: number,
): Promise<FaultItem[]> {
  const rows = await database.rows(
    `SELECT ${COLUMNS} FROM faults
    WHERE alarm_at < $2 AND (ended_at IS NULL OR greatest(alarm_at, ended_at) >= $1)
      AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR $4 = ANY (releases))
      AND ($5::text[] IS NULL OR system IS NULL OR system = ANY ($5))
    ORDER BY alarm_at DESC, id LIMIT $6`,
    [new Date(range.fromMs), new Date(range.toMs), service ?? null, release ?? null, systems ?? null, limit],
  )
  return rows.map(toItem)
}

/** @returns undefined when there is none, or none that may be read */
export async function readFault(
  database: Queries,
  id: string,
  systems: readonly string[] | undefined,
): Promise<FaultReply | undefined> {
  const [row] = await database.rows(
    `SELECT ${COLUMNS} FROM faults WHERE id = $1 AND ($2::text[] IS NULL OR system IS NULL OR system = ANY ($2))`,
    [id, systems ?? null],
  )
  if (row === undefined) return undefined
  const decisions = await database.rows(
    'SELECT decided_at, verdict, top, posterior FROM fault_decisions WHERE fault = $1 ORDER BY number',
    [id],
  )
  return {
    ...toItem(row),
    explanation: explanationOf(row),
    decisions: decisions.map((decision) => ({
      decidedAt: iso((decision['decided_at'] as Date).getTime()),
      verdict: decision['verdict'] as Explanation['verdict'],
      top: decision['top'] as string | null,
      posterior: decision['posterior'] as number | null,
    })),
  }
}

const explanationOf = (row: Readonly<Record<string, unknown>>) => row['explanation'] as Explanation | null

function toItem(row: Readonly<Record<string, unknown>>): FaultItem {
  const { id, origin, name, measure, place, alarmAtMs, endedAtMs } = toFault(row)
  const explanation = explanationOf(row)
  const [top] = explanation?.ranked ?? []
  return {
    id,
    origin,
    name,
    measure,
    place: { ...place },
    alarmAt: iso(alarmAtMs),
    endedAt: endedAtMs === undefined ? null : iso(endedAtMs),
    verdict: explanation?.verdict ?? null,
    headline: explanation?.headline ?? null,
    topCause:
      top === undefined
        ? null
        : {
            release: top.release,
            service: top.service,
            versionTo: top.versionTo,
            posterior: top.posterior,
          },
  }
}
