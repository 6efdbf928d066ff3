// Verdicts in the registry's database: the newest of each release, every change, what people said. A change and what is told of it
// are one transaction.

import type { Told } from '../http/fault-schemas.ts'
import type { ReleaseVerdict, ReleaseVerdictWord } from '../http/release-schemas.ts'
import { authored } from '../registry/authored.ts'
import type { Database, Queries } from '../registry/database.ts'
import type { Author } from '../registry/object.ts'
import type { Release } from '../releases/release.ts'
import type { ReleaseEffect } from './effect.ts'

export type Owner = {
  readonly system: string | undefined
  readonly team: string | undefined
  readonly vendor: string | undefined
}

export type Judged = Owner & {
  readonly release: Release
  readonly verdict: ReleaseVerdict
  readonly effect: ReleaseEffect | undefined
  /** When it is to be judged next; undefined: never again. */
  readonly nextAtMs: number | undefined
}

/** A verdict as it is kept, with a person's beside it. */
export type KeptVerdict = Judged & {
  /** Of the override; 0 without one. */
  readonly revision: number
}

export type Due = {
  readonly nextAtMs: number | undefined
  readonly failures: number
  readonly stages: number
}

const KEPT = `v.release, v.system, v.team, v.vendor, v.known, v.body, v.effect, v.next_at, o.revision, o.verdict AS their_verdict,
  o.reason, o.decided_by, o.at AS decided_otherwise_at`
const FROM = `release_verdicts v LEFT JOIN LATERAL (
    SELECT * FROM release_overrides WHERE release = v.release ORDER BY revision DESC LIMIT 1
  ) o ON true`

/** What of the given releases was judged and when it is due. */
export async function readDue(queries: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, Due>> {
  const rows = await queries.rows(
    `SELECT release, next_at, failures, json_array_length(known -> 'stages') AS stages FROM release_verdicts WHERE release = ANY ($1::text[])`,
    [ids],
  )
  return new Map(
    rows.map((row) => [
      String(row['release']),
      {
        nextAtMs: (row['next_at'] as Date | null)?.getTime(),
        failures: Number(row['failures']),
        stages: Number(row['stages']),
      },
    ]),
  )
}

/**
 * Keeps a verdict; a change of its word is kept, too.
 * @param eventsOf  what is told outward when the word changed; `was` is undefined for the first
 * @returns what was said before; undefined: nothing
 */
export async function keepVerdict(
  database: Database,
  judged: Judged,
  eventsOf: (was: ReleaseVerdictWord | undefined, number: number) => readonly object[],
): Promise<ReleaseVerdictWord | undefined> {
  const { release, verdict, effect, nextAtMs, system, team, vendor } = judged
  const at = verdict.decidedAt
  return database.transaction(async (queries) => {
    const [row] = await queries.rows('SELECT verdict FROM release_verdicts WHERE release = $1 FOR UPDATE', [
      release.id,
    ])
    const was = row?.['verdict'] as ReleaseVerdictWord | undefined
    const body = JSON.stringify(verdict)
    await queries.rows(
      `INSERT INTO release_verdicts (release, service, version, system, team, vendor, order_id, started_at, ready_at, verdict, fault, known,
        body, effect, decided_at, changed_at, next_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)
      ON CONFLICT (release) DO UPDATE SET service = excluded.service, version = excluded.version, system = excluded.system,
        team = excluded.team, vendor = excluded.vendor, order_id = excluded.order_id, started_at = excluded.started_at,
        ready_at = excluded.ready_at, verdict = excluded.verdict, fault = excluded.fault, known = excluded.known, body = excluded.body,
        effect = excluded.effect, decided_at = excluded.decided_at, next_at = excluded.next_at, failures = 0,
        changed_at = CASE WHEN release_verdicts.verdict = excluded.verdict THEN release_verdicts.changed_at ELSE excluded.changed_at END`,
      [
        release.id,
        release.service === '' ? release.target : release.service,
        release.versionTo,
        system ?? null,
        team ?? null,
        vendor ?? null,
        release.orderId,
        new Date(release.startedAtMs),
        release.readyAtMs === undefined ? null : new Date(release.readyAtMs),
        verdict.verdict,
        verdict.fault,
        JSON.stringify(release),
        body,
        effect === undefined ? null : JSON.stringify(effect),
        at,
        nextAtMs === undefined ? null : new Date(nextAtMs),
      ],
    )
    if (was === verdict.verdict) return was
    const [change] = await queries.rows(
      `INSERT INTO release_verdict_changes (release, at, was, verdict, body) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
      [release.id, at, was ?? null, verdict.verdict, body],
    )
    for (const event of eventsOf(was, Number(change?.['id'])))
      await queries.rows('INSERT INTO release_verdict_events (release, kept_at, event) VALUES ($1, $2, $3)', [
        release.id,
        at,
        JSON.stringify(event),
      ])
    return was
  })
}

/** A judgement failed: it is tried again at the instant. Of a release that was never judged nothing is kept. */
export async function noteFailure(queries: Queries, release: string, nextAtMs: number): Promise<void> {
  await queries.rows('UPDATE release_verdicts SET failures = failures + 1, next_at = $2 WHERE release = $1', [
    release,
    new Date(nextAtMs),
  ])
}

/** @param id  of the release, or `SERVICE@VERSION` for the newest release of that version */
export async function readVerdict(queries: Queries, id: string): Promise<KeptVerdict | undefined> {
  const [row] = await queries.rows(`SELECT ${KEPT} FROM ${FROM} WHERE v.release = $1`, [id])
  if (row !== undefined) return toKept(row)
  const cut = id.lastIndexOf('@')
  if (cut <= 0) return undefined
  const [newest] = await queries.rows(
    `SELECT ${KEPT} FROM ${FROM} WHERE v.service = $1 AND v.version = $2 ORDER BY v.started_at DESC LIMIT 1`,
    [id.slice(0, cut), id.slice(cut + 1)],
  )
  return newest === undefined ? undefined : toKept(newest)
}

/** Verdicts on the releases of one version, newest first. */
export async function readVersionVerdicts(
  queries: Queries,
  service: string,
  version: string,
  limit: number,
): Promise<readonly KeptVerdict[]> {
  const rows = await queries.rows(
    `SELECT ${KEPT} FROM ${FROM} WHERE v.service = $1 AND v.version = $2 ORDER BY v.started_at DESC, v.release LIMIT $3`,
    [service, version, limit],
  )
  return rows.map(toKept)
}

/** What was begun in a range, oldest first. */
export async function readVerdicts(
  queries: Queries,
  range: { readonly fromMs: number; readonly toMs: number },
  limit: number,
): Promise<readonly KeptVerdict[]> {
  const rows = await queries.rows(
    `SELECT ${KEPT} FROM ${FROM} WHERE coalesce(v.ready_at, v.started_at) >= $1 AND coalesce(v.ready_at, v.started_at) < $2
      AND v.started_at >= $1::timestamptz - interval '7 days' AND v.started_at < $2::timestamptz + interval '7 days'
    ORDER BY coalesce(v.ready_at, v.started_at), v.release LIMIT $3`,
    [new Date(range.fromMs), new Date(range.toMs), limit],
  )
  return rows.map(toKept)
}

/** For lists of releases: a person's word goes before ours. */
export async function readWords(
  queries: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { readonly verdict: ReleaseVerdictWord; readonly headline: Told }>> {
  const rows = await queries.rows(
    `SELECT v.release, coalesce(o.verdict, v.verdict) AS verdict, v.body -> 'headline' AS headline FROM ${FROM} WHERE v.release = ANY ($1::text[])`,
    [ids],
  )
  return new Map(
    rows.map((row) => [
      String(row['release']),
      { verdict: row['verdict'] as ReleaseVerdictWord, headline: row['headline'] as Told },
    ]),
  )
}

export type VerdictChange = {
  readonly at: Date
  readonly was: ReleaseVerdictWord | undefined
  readonly verdict: ReleaseVerdictWord
}

/** Oldest first. */
export async function readChanges(queries: Queries, release: string): Promise<readonly VerdictChange[]> {
  const rows = await queries.rows(
    'SELECT at, was, verdict FROM release_verdict_changes WHERE release = $1 ORDER BY id LIMIT 1000',
    [release],
  )
  return rows.map((row) => ({
    at: row['at'] as Date,
    was: (row['was'] as ReleaseVerdictWord | null) ?? undefined,
    verdict: row['verdict'] as ReleaseVerdictWord,
  }))
}

/**
 * Keeps what a person decided, in the audit under his name.
 * @param expected  revision of the override that he saw, 0 for none; undefined: whatever there is
 * @returns undefined when somebody else was faster
 */
export function overrideVerdict(
  database: Database,
  kept: KeptVerdict,
  decided: { readonly verdict: ReleaseVerdictWord; readonly reason: string },
  expected: number | undefined,
  author: Author,
  at: Date,
): Promise<KeptVerdict | undefined> {
  return authored(database, author, at, async (queries) => {
    const { id } = kept.release
    const [ours] = await queries.rows('SELECT verdict FROM release_verdicts WHERE release = $1 FOR UPDATE', [
      id,
    ])
    const [now] = await queries.rows(
      'SELECT coalesce(max(revision), 0) AS revision FROM release_overrides WHERE release = $1',
      [id],
    )
    const revision = Number(now?.['revision'])
    if (expected !== undefined && revision !== expected) return undefined
    await queries.rows(
      `INSERT INTO release_overrides (release, revision, verdict, reason, decided_by, at, ours) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, revision + 1, decided.verdict, decided.reason, author.actor, at, String(ours?.['verdict'])],
    )
    return readVerdict(queries, id)
  })
}

/** How often people said what we said: the newest override of each release that was decided in the range. */
export async function readAgreement(
  queries: Queries,
  range: { readonly fromMs: number; readonly toMs: number },
): Promise<
  readonly {
    readonly ours: ReleaseVerdictWord
    readonly theirs: ReleaseVerdictWord
    readonly system: string | undefined
    readonly count: number
  }[]
> {
  const rows = await queries.rows(
    `SELECT o.ours, o.verdict AS theirs, v.system, count(*) AS times FROM ${FROM}
    WHERE o.at >= $1 AND o.at < $2 GROUP BY o.ours, o.verdict, v.system ORDER BY o.ours, o.verdict, v.system`,
    [new Date(range.fromMs), new Date(range.toMs)],
  )
  return rows.map((row) => ({
    ours: row['ours'] as ReleaseVerdictWord,
    theirs: row['theirs'] as ReleaseVerdictWord,
    system: (row['system'] as string | null) ?? undefined,
    count: Number(row['times']),
  }))
}

function toKept(row: Readonly<Record<string, unknown>>): KeptVerdict {
  const body = row['body'] as ReleaseVerdict
  const theirs = row['their_verdict'] as ReleaseVerdictWord | null
  return {
    release: row['known'] as Release,
    verdict: {
      ...body,
      override:
        theirs === null
          ? null
          : {
              verdict: theirs,
              reason: String(row['reason']),
              by: String(row['decided_by']),
              at: (row['decided_otherwise_at'] as Date).toISOString(),
            },
    },
    effect: (row['effect'] as ReleaseEffect | null) ?? undefined,
    nextAtMs: (row['next_at'] as Date | null)?.getTime(),
    system: (row['system'] as string | null) ?? undefined,
    team: (row['team'] as string | null) ?? undefined,
    vendor: (row['vendor'] as string | null) ?? undefined,
    revision: Number(row['revision'] ?? 0),
  }
}

/** What holds: a person's word before ours. */
export const wordOf = ({ verdict, override }: ReleaseVerdict): ReleaseVerdictWord =>
  override?.verdict ?? verdict
