// States and transitions in the registry's database: a change and its transition are one transaction, so every transition is told
// once and none without its state.

import type { Database, Lead, Queries } from '../../query/registry/database.ts'
import type { SloState, Transition } from '../../query/slo/slo-state.ts'
import { nameOf, type Track } from './track.ts'

/** Among the tasks that one Surety of a registry leads. */
const LEAD_TASK = 5

export type KeptState = { readonly fingerprint: string; readonly state: SloState }

/** Another one leads by now: nothing was kept. */
export class LeadLost extends Error {}

/** A lead, and its number among all there were. */
export type NumberedLead = Lead & { readonly epoch: string }

export interface StateStore {
  lead(): Promise<NumberedLead | undefined>
  /** By track. */
  states(): Promise<Map<string, KeptState>>
  /** End of the newest judged slice, by the length of slices; undefined before the first cycle. */
  judgedToMs(stepMs: number): Promise<number | undefined>
  /** All of it or nothing. @throws LeadLost, RegistryError */
  keep(
    epoch: string,
    changes: readonly Changed[],
    progress: Progress | undefined,
    judgedAtMs: number,
  ): Promise<void>
  /** Forgets tracks that are gone. */
  forget(ids: readonly string[]): Promise<void>
}

export type Changed = { readonly track: Track; readonly transitions: readonly Transition[] }
export type Progress = {
  readonly stepMs: number
  readonly judgedToMs: number
  /** Instants that were judged late. */
  readonly missed: number
}

export function buildStateStore(database: Database): StateStore {
  return {
    async lead() {
      const taken = await database.lead(LEAD_TASK)
      if (taken === undefined) return undefined
      const [row] = await database.rows('UPDATE slo_leader SET epoch = epoch + 1 RETURNING epoch::text')
      return { ...taken, epoch: String(row?.['epoch']) }
    },
    async states() {
      const rows = await database.rows('SELECT track, fingerprint, state FROM slo_states')
      return new Map(
        rows.map((row) => [
          String(row['track']),
          { fingerprint: String(row['fingerprint']), state: row['state'] as SloState },
        ]),
      )
    },
    async judgedToMs(stepMs) {
      const [row] = await database.rows('SELECT judged_to FROM slo_progress WHERE step_seconds = $1', [
        stepMs / 1000,
      ])
      return (row?.['judged_to'] as Date | undefined)?.getTime()
    },
    async keep(epoch, changes, progress, judgedAtMs) {
      if (changes.length === 0 && progress === undefined) return
      await database.transaction(async (queries) => {
        // Held until the end: a new leader waits for whoever is keeping, and what comes after it is refused.
        const held = await queries.rows('SELECT 1 FROM slo_leader WHERE epoch = $1::bigint FOR SHARE', [
          epoch,
        ])
        if (held.length === 0) throw new LeadLost('another process judges SLOs by now')
        if (changes.length > 0) await writeStates(queries, changes, judgedAtMs)
        if (progress !== undefined) await writeProgress(queries, progress)
      })
    },
    async forget(ids) {
      if (ids.length > 0) await database.rows('DELETE FROM slo_states WHERE track = ANY ($1::text[])', [ids])
    },
  }
}

async function writeStates(queries: Queries, changes: readonly Changed[], judgedAtMs: number): Promise<void> {
  const now = new Date(judgedAtMs).toISOString()
  await queries.rows(
    `INSERT INTO slo_states (track, fingerprint, state, changed_at)
    SELECT track, fingerprint, state::jsonb, $4 FROM unnest($1::text[], $2::text[], $3::text[]) AS given (track, fingerprint, state)
    ON CONFLICT (track) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state, changed_at = excluded.changed_at`,
    [
      changes.map(({ track }) => track.id),
      changes.map(({ track }) => track.fingerprint),
      changes.map(({ track }) => JSON.stringify(track.state)),
      now,
    ],
  )
  const told = changes
    .flatMap(({ track, transitions }) => transitions.map((transition) => ({ track, transition })))
    .toSorted((a, b) => a.transition.atMs - b.transition.atMs)
  if (told.length === 0) return
  await queries.rows(
    `INSERT INTO slo_transitions (at, judged_at, slo, objective, slo_group, system, generation, transition)
    SELECT at::timestamptz, $8, slo, objective::integer, slo_group, nullif(system, ''), generation::bigint, transition::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      WITH ORDINALITY AS given (at, slo, objective, slo_group, system, generation, transition, place)
    ORDER BY place`,
    [
      told.map(({ transition }) => new Date(transition.atMs).toISOString()),
      told.map(({ track }) => nameOf(track).slo),
      told.map(({ track }) => String(track.judged.objective)),
      told.map(({ track }) => track.group),
      told.map(({ track }) => track.slo.system ?? ''),
      told.map(({ track }) => String(track.slo.generation)),
      told.map(({ transition }) => JSON.stringify(transition)),
      now,
    ],
  )
}

async function writeProgress(queries: Queries, { stepMs, judgedToMs, missed }: Progress): Promise<void> {
  await queries.rows(
    `INSERT INTO slo_progress (step_seconds, judged_to, missed) VALUES ($1, $2, $3)
    ON CONFLICT (step_seconds) DO UPDATE SET judged_to = excluded.judged_to, missed = slo_progress.missed + excluded.missed`,
    [stepMs / 1000, new Date(judgedToMs), missed],
  )
}
