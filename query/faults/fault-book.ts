// Faults in the registry's database: alarms come to them, explanations are kept with what is told of them, all in one transaction each.
// Whoever writes may die at any point, or do it twice: keys and the instant that is due make every step count once.

import type { Fault, FaultPlace } from '../blame/case.ts'
import type { Explanation } from '../http/fault-schemas.ts'
import type { Database, Queries } from '../registry/database.ts'
import { episodeOf, faultIdOf, FLAPPING_MS, type Alarm, type Episode } from './alarm.ts'
import { nextDecisionMs, retryMs } from './schedule.ts'

/** More that are open are not taken: nobody looks through hundreds, and each costs questions. */
export const OPEN_FAULTS_MAX = 200
// Any number, the same in every Surety: alarms come to faults one after the other.
const LOCK = 728_391_008

export type Taken =
  | { readonly kind: 'new' | 'joined' | 'known'; readonly fault: string }
  /** Too many are open. */
  | { readonly kind: 'refused' }

export type DueFault = {
  readonly fault: Fault
  readonly system: string | undefined
  /** Instant that it is due for; whoever keeps a decision names it. */
  readonly dueMs: number
  readonly failures: number
  /** What was told outward last. */
  readonly told: string
  /** Decisions so far. */
  readonly decisions: number
}

export type Decision = {
  readonly explanation: Explanation
  readonly caseDigest: string
  /** Instant that it was decided for, ms since epoch. */
  readonly decidedAtMs: number
  /** What is told outward, and how it is known again; undefined when nothing changed. */
  readonly telling: { readonly told: string; readonly events: readonly object[] } | undefined
}

export interface FaultBook {
  /** An alarm begins a fault or comes to one; the same again changes nothing. @throws RegistryError */
  take(alarm: Alarm, nowMs: number): Promise<Taken>
  /** Everything of a series that rings is over. */
  end(series: string, atMs: number): Promise<void>
  /** Series that ring and begin so. */
  ringing(prefix: string): Promise<ReadonlySet<string>>
  /** Ends what began so before an instant: those who rang it do not say when it is over. */
  endBefore(origin: Fault['origin'], beforeMs: number, nowMs: number): Promise<void>
  /** Those whose time has come: without a decision first, then the longest waiting. */
  due(nowMs: number, max: number): Promise<readonly DueFault[]>
  /** @returns false when another one kept a decision for this instant meanwhile: nothing was kept */
  keep(due: DueFault, decision: Decision, nowMs: number): Promise<boolean>
  /** The explanation failed: it is due again later. */
  postpone(due: DueFault, nowMs: number): Promise<void>
  counts(): Promise<{ readonly open: number; readonly waiting: number }>
  /** Forgets faults that began before an instant, and what was told. */
  prune(beforeMs: number): Promise<void>
}

/** @param related  services that reach a service by calls or are reached by it, as lately seen */
export function buildFaultBook(
  database: Database,
  related: (service: string) => Promise<ReadonlySet<string>>,
): FaultBook {
  return {
    async take(alarm, nowMs) {
      const known = await faultOfKey(database, alarm.key)
      if (known !== undefined) return { kind: 'known', fault: known }
      const neighbours = await related(alarm.place.service)
      return database.transaction(async (queries) => {
        await queries.rows(`SELECT pg_advisory_xact_lock(${LOCK})`)
        const meanwhile = await faultOfKey(queries, alarm.key)
        if (meanwhile !== undefined) return { kind: 'known', fault: meanwhile }
        const episodes = await episodesAt(queries, alarm.atMs)
        const joined = episodeOf(alarm, episodes, neighbours)
        if (joined === undefined && episodes.filter(isOpen).length >= OPEN_FAULTS_MAX)
          return { kind: 'refused' }
        const fault = joined?.id ?? (await insertFault(queries, alarm, nowMs))
        if (joined?.endedAtMs !== undefined)
          await queries.rows('UPDATE faults SET ended_at = NULL WHERE id = $1', [fault])
        await queries.rows(
          `INSERT INTO fault_alarms (key, series, fault, origin, name, measure, place, at)
          VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8)`,
          [
            alarm.key,
            alarm.series,
            fault,
            alarm.origin,
            alarm.name,
            alarm.measure,
            JSON.stringify(alarm.place),
            new Date(alarm.atMs),
          ],
        )
        return { kind: joined === undefined ? 'new' : 'joined', fault }
      })
    },
    async end(series, atMs) {
      await database.transaction(async (queries) => {
        const rows = await queries.rows(
          'UPDATE fault_alarms SET ended_at = greatest(at, $2) WHERE series = $1 AND ended_at IS NULL RETURNING fault',
          [series, new Date(atMs)],
        )
        await endFaults(
          queries,
          rows.map(({ fault }) => String(fault)),
        )
      })
    },
    async ringing(prefix) {
      const rows = await database.rows(
        'SELECT DISTINCT series FROM fault_alarms WHERE ended_at IS NULL AND starts_with(series, $1)',
        [prefix],
      )
      return new Set(rows.map(({ series }) => String(series)))
    },
    async endBefore(origin, beforeMs, nowMs) {
      await database.transaction(async (queries) => {
        const rows = await queries.rows(
          'UPDATE fault_alarms SET ended_at = greatest(at, $3) WHERE origin = $1 AND ended_at IS NULL AND at < $2 RETURNING fault',
          [origin, new Date(beforeMs), new Date(nowMs)],
        )
        await endFaults(
          queries,
          rows.map(({ fault }) => String(fault)),
        )
      })
    },
    async due(nowMs, max) {
      const rows = await database.rows(
        `SELECT f.id, origin, name, measure, place, system, alarm_at, ended_at, next_at, failures, told, decisions
        FROM faults f, LATERAL (SELECT count(*) AS decisions FROM fault_decisions d WHERE d.fault = f.id) known
        WHERE next_at <= $1 ORDER BY decisions > 0, next_at, f.id LIMIT $2`,
        [new Date(nowMs), max],
      )
      return rows.map((row) => ({
        fault: toFault(row),
        system: (row['system'] as string | null) ?? undefined,
        dueMs: (row['next_at'] as Date).getTime(),
        failures: Number(row['failures']),
        told: String(row['told']),
        decisions: Number(row['decisions']),
      }))
    },
    keep: (due, decision, nowMs) =>
      database.transaction((queries) => keepDecision(queries, due, decision, nowMs)),
    async postpone({ fault, dueMs, failures }, nowMs) {
      await database.rows(
        'UPDATE faults SET next_at = $3, failures = failures + 1 WHERE id = $1 AND next_at = $2',
        [fault.id, new Date(dueMs), new Date(retryMs(nowMs, failures))],
      )
    },
    async counts() {
      const [row] = await database.rows(
        'SELECT count(*) FILTER (WHERE ended_at IS NULL) AS open, count(next_at) AS waiting FROM faults',
      )
      return { open: Number(row?.['open'] ?? 0), waiting: Number(row?.['waiting'] ?? 0) }
    },
    async prune(beforeMs) {
      const before = new Date(beforeMs)
      await database.rows('DELETE FROM faults WHERE alarm_at < $1 AND next_at IS NULL', [before])
      await database.rows('DELETE FROM fault_events WHERE kept_at < $1', [before])
    },
  }
}

const isOpen = ({ endedAtMs }: Episode) => endedAtMs === undefined

async function faultOfKey(queries: Queries, key: string): Promise<string | undefined> {
  const [row] = await queries.rows('SELECT fault FROM fault_alarms WHERE key = $1', [key])
  return row === undefined ? undefined : String(row['fault'])
}

async function episodesAt(queries: Queries, atMs: number): Promise<Episode[]> {
  const rows = await queries.rows(
    `SELECT f.id, f.service, f.measure, f.alarm_at, f.ended_at,
      (SELECT max(a.at) FROM fault_alarms a WHERE a.fault = f.id) AS newest
    FROM faults f WHERE f.ended_at IS NULL OR f.ended_at >= $1`,
    [new Date(atMs - FLAPPING_MS)],
  )
  return rows.map((row) => ({
    id: String(row['id']),
    service: String(row['service']),
    measure: row['measure'] as Episode['measure'],
    alarmAtMs: (row['alarm_at'] as Date).getTime(),
    newestAlarmAtMs: ((row['newest'] ?? row['alarm_at']) as Date).getTime(),
    endedAtMs: (row['ended_at'] as Date | null)?.getTime(),
  }))
}

async function insertFault(queries: Queries, alarm: Alarm, nowMs: number): Promise<string> {
  const id = faultIdOf(alarm.key)
  await queries.rows(
    `INSERT INTO faults (id, origin, name, measure, service, place, system, alarm_at, next_at)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)`,
    [
      id,
      alarm.origin,
      alarm.name,
      alarm.measure,
      alarm.place.service,
      JSON.stringify(alarm.place),
      alarm.system ?? null,
      new Date(alarm.atMs),
      // At once, and not before it rang.
      new Date(Math.max(nowMs, alarm.atMs)),
    ],
  )
  return id
}

/** Those of which nothing rings any more. */
async function endFaults(queries: Queries, faults: readonly string[]): Promise<void> {
  if (faults.length === 0) return
  await queries.rows(
    `UPDATE faults f SET ended_at = (SELECT max(a.ended_at) FROM fault_alarms a WHERE a.fault = f.id)
    WHERE f.id = ANY ($1::text[]) AND f.ended_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM fault_alarms a WHERE a.fault = f.id AND a.ended_at IS NULL)`,
    [faults],
  )
}

async function keepDecision(
  queries: Queries,
  { fault, dueMs }: DueFault,
  { explanation, caseDigest, decidedAtMs, telling }: Decision,
  nowMs: number,
): Promise<boolean> {
  const { verdict, ranked, set } = explanation
  const [top] = ranked
  const isNamed = verdict === 'blamed' || verdict === 'suspect'
  const releases = isNamed && top !== undefined ? [...new Set([top.release, ...set])] : []
  const next = nextDecisionMs(fault.alarmAtMs, nowMs)
  const kept = await queries.rows(
    `UPDATE faults SET explanation = $3::json, verdict = $4, releases = $5::text[], next_at = $6::timestamptz, failures = 0,
      told = coalesce($7, told)
    WHERE id = $1 AND next_at = $2 RETURNING id`,
    [
      fault.id,
      new Date(dueMs),
      JSON.stringify(explanation),
      verdict,
      releases,
      next === undefined ? null : new Date(next),
      telling?.told ?? null,
    ],
  )
  if (kept.length === 0) return false
  await queries.rows(
    `INSERT INTO fault_decisions (fault, number, decided_at, verdict, top, posterior, case_digest)
    SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5::double precision, $6 FROM fault_decisions WHERE fault = $1`,
    [fault.id, new Date(decidedAtMs), verdict, top?.release ?? null, top?.posterior ?? null, caseDigest],
  )
  for (const event of telling?.events ?? [])
    await queries.rows('INSERT INTO fault_events (fault, kept_at, event) VALUES ($1, $2, $3::json)', [
      fault.id,
      new Date(nowMs),
      JSON.stringify(event),
    ])
  return true
}

export function toFault(row: Readonly<Record<string, unknown>>): Fault {
  return {
    id: String(row['id']),
    origin: row['origin'] as Fault['origin'],
    name: String(row['name']),
    measure: row['measure'] as Fault['measure'],
    place: row['place'] as FaultPlace,
    alarmAtMs: (row['alarm_at'] as Date).getTime(),
    endedAtMs: (row['ended_at'] as Date | null)?.getTime(),
  }
}
