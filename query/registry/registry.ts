// The registry: objects that people define, by kind and name, each change with its row in the audit. What a kind may hold was
// checked before (kinds.ts); what must hold between objects is checked here, in the transaction of the change.
//
// States of a change: under way (one writer at a time) → written → judged (references, rules, the caller's check) → kept or
// undone as a whole.

import { createHash } from 'node:crypto'
import { authored } from './authored.ts'
import type { Database, Parameter, Queries } from './database.ts'
import { ConsentNeeded, RevisionConflict } from './errors.ts'
import { canonical, isSame } from './json.ts'
import { completed } from './completed.ts'
import { checkReferences, checkRules } from './rules.ts'
import {
  idOf,
  type AuditRow,
  type Author,
  type Change,
  type Kind,
  type RegistryObject,
  type Wanted,
} from './object.ts'

/** A change, and what is there after it. */
export type Changed = Change & { readonly after: RegistryObject | undefined }

/** Looks at objects as they would be. */
export type Look = (kind: Kind, name: string) => Promise<RegistryObject | undefined>

/** Judges changes before they are kept; what it throws undoes all of them. */
export type Check = (changes: readonly Changed[], look: Look) => Promise<void>

export type ListFilter = {
  /** Names beyond this one. */
  readonly after?: string | undefined
  readonly limit?: number | undefined
  /** Part of the name or the display name, in any case. */
  readonly text?: string | undefined
  /** Owned by this team. */
  readonly team?: string | undefined
  /** Part of this system. */
  readonly system?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Only what is part of one of these systems, or of none; undefined: all. */
  readonly within?: readonly string[] | undefined
}

export type AuditFilter = {
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  readonly actor?: string | undefined
  readonly kind?: string | undefined
  readonly name?: string | undefined
  readonly action?: AuditRow['action'] | undefined
  readonly request?: string | undefined
  /** Rows older than this id. */
  readonly before?: number | undefined
  readonly limit: number
}

export type ApplyOptions = {
  /** Names the set that the objects belong to. */
  readonly bundle: string
  /** Deletes what the set held before and does not hold now. */
  readonly prune?: boolean
  /** Tells what would change, and changes nothing. */
  readonly dryRun?: boolean
  /** What was told before (`plan` of a dry run): anything else is not done. Deletions are done only so. */
  readonly plan?: string | undefined
  readonly check?: Check | undefined
}

export type Applied = {
  readonly changes: readonly Changed[]
  /** Objects that were there already, as wanted. */
  readonly unchanged: number
  /** Fingerprint of the changes, with the revisions they start from. */
  readonly plan: string
}

export interface Registry {
  get(kind: Kind, name: string): Promise<RegistryObject | undefined>
  /** In order of name, byte by byte; at most 1,000 unless `limit` says less. */
  list(kind: Kind, filter?: ListFilter): Promise<RegistryObject[]>
  /** All of some kinds, in order of kind and name. */
  all(kinds: readonly Kind[]): Promise<RegistryObject[]>
  /**
   * @param expected  the revision that the author read; 0 when it must not be there yet; undefined whatever is there
   * @returns as it is now; unchanged, and without an audit row, when it was the same already
   * @throws RevisionConflict, RulesBroken, what the check throws
   */
  put(wanted: Wanted, author: Author, expected?: number, check?: Check): Promise<RegistryObject>
  /** @returns whether it was there @throws RevisionConflict, RulesBroken when others name it, what the check throws */
  remove(kind: Kind, name: string, author: Author, expected?: number, check?: Check): Promise<boolean>
  /** Makes the registry hold these objects, all or none of them. @throws RulesBroken, ConsentNeeded, RevisionConflict */
  apply(wanted: readonly Wanted[], author: Author, options: ApplyOptions): Promise<Applied>
  /** Newest first. */
  audit(filter: AuditFilter): Promise<AuditRow[]>
  /** Grows with every change: whoever keeps objects in memory asks this and reads again. */
  changeNumber(): Promise<number>
}

const LIST_MAX = 1000
// One writer at a time: definitions change by the hand of people, and what holds between them holds for all of them together.
const LOCK = 728_391_002
const COLUMNS = `id, kind, name, metadata, spec, question, generation, revision, bundle, owner, in_system, created_at, changed_at`

class Undone extends Error {
  readonly applied: Applied

  constructor(applied: Applied) {
    super('a dry run is undone')
    this.applied = applied
  }
}

export function buildRegistry(database: Database, now: () => Date): Registry {
  /** One writer, known to the audit. */
  const change = <Result>(author: Author, work: (queries: Queries) => Promise<Result>) =>
    authored(database, author, now(), async (queries) => {
      await queries.rows(`SELECT pg_advisory_xact_lock(${LOCK})`)
      return work(queries)
    })

  async function write(
    queries: Queries,
    changes: readonly Change[],
    bundle: string | undefined,
  ): Promise<Changed[]> {
    const at = now()
    // What is named may come after what names it: references are judged at the end.
    for (const { action, object, before } of changes) {
      if (action === 'delete')
        await queries.rows('DELETE FROM objects WHERE kind = $1 AND name = $2', [object.kind, object.name])
      else await writeOne(queries, object, before, bundle, at)
    }
    for (const { action, object } of changes) if (action !== 'delete') await writeReferences(queries, object)
    await checkReferences(queries, changes)
    await checkRules(queries, changes)
    const after = await findAll(
      queries,
      changes.map(({ object }) => object),
    )
    return changes.map((one) => ({ ...one, after: after.get(idOf(one.object)) }))
  }

  async function judge(
    queries: Queries,
    changes: readonly Changed[],
    check: Check | undefined,
  ): Promise<void> {
    await check?.(changes, async (kind, name) =>
      (await findAll(queries, [{ kind, name }])).get(idOf({ kind, name })),
    )
  }

  const registry: Registry = {
    get: async (kind, name) => (await findAll(database, [{ kind, name }])).get(idOf({ kind, name })),

    async list(kind, { after, limit = LIST_MAX, text, team, system, labels, within } = {}) {
      const rows = await database.rows(
        `SELECT ${COLUMNS} FROM placed_objects WHERE kind = $1 AND name > $2
        AND ($3::text IS NULL OR position(lower($3) IN lower(name || ' ' || coalesce(metadata ->> 'displayName', ''))) > 0)
        AND ($4::text IS NULL OR owner = $4) AND ($5::text IS NULL OR in_system = $5)
        AND ($6::jsonb IS NULL OR metadata -> 'labels' @> $6)
        AND ($7::text[] IS NULL OR in_system IS NULL OR in_system = ANY ($7))
        ORDER BY name LIMIT $8`,
        [
          kind,
          after ?? '',
          text ?? null,
          team ?? null,
          system ?? null,
          labels === undefined ? null : JSON.stringify(labels),
          within ?? null,
          Math.min(limit, LIST_MAX),
        ],
      )
      return rows.map(toObject)
    },

    async all(kinds) {
      const rows = await database.rows(
        `SELECT ${COLUMNS} FROM placed_objects WHERE kind = ANY ($1) ORDER BY array_position($1, kind), name`,
        [kinds],
      )
      return rows.map(toObject)
    },

    put: (wanted, author, expected, check) =>
      change(author, async (queries) => {
        const before = (await findAll(queries, [wanted])).get(idOf(wanted))
        expectRevision(wanted, expected, before)
        const next = changeTo(wanted, before)
        if (next === undefined && before !== undefined) return before
        const changes = await write(queries, next === undefined ? [] : [next], before?.bundle ?? '')
        await judge(queries, changes, check)
        const after = changes[0]?.after
        if (after === undefined) throw new Error(`${idOf(wanted)} is not there after it was written`)
        return after
      }),

    remove: (kind, name, author, expected, check) =>
      change(author, async (queries) => {
        const before = (await findAll(queries, [{ kind, name }])).get(idOf({ kind, name }))
        expectRevision({ kind, name, spec: {} }, expected, before)
        if (before === undefined) return false
        const changes = await write(queries, [{ action: 'delete', object: before, before }], undefined)
        await judge(queries, changes, check)
        return true
      }),

    async apply(wanted, author, { bundle, prune = false, dryRun = false, plan: consented, check }) {
      try {
        return await change(author, async (queries) => {
          const there = await findAll(queries, wanted)
          const planned = wanted.flatMap((object) => changeTo(object, there.get(idOf(object)), bundle) ?? [])
          const ids = new Set(wanted.map(idOf))
          const gone = prune
            ? (await ofBundle(queries, bundle)).filter((object) => !ids.has(idOf(object)))
            : []
          for (const before of gone) planned.push({ action: 'delete', object: before, before })
          const plan = planOf(planned)
          const changes = await write(queries, planned, bundle)
          await judge(queries, changes, check)
          const applied = { changes, plan, unchanged: wanted.length - planned.length + gone.length }
          if (dryRun) throw new Undone(applied)
          if (consented === undefined ? gone.length > 0 : consented !== plan)
            throw new ConsentNeeded(applied, consented !== undefined)
          return applied
        })
      } catch (error) {
        if (error instanceof Undone) return error.applied
        throw error
      }
    },

    async audit({ from, to, actor, kind, name, action, request, before, limit }) {
      const rows = await database.rows(
        `SELECT id, at, actor, via, origin, reason, request, action, kind, name, before, after FROM audit
        WHERE ($1::timestamptz IS NULL OR at >= $1) AND ($2::timestamptz IS NULL OR at < $2)
        AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR kind = $4) AND ($5::text IS NULL OR name = $5)
        AND ($6::text IS NULL OR action = $6) AND ($7::text IS NULL OR request = $7) AND ($8::bigint IS NULL OR id < $8)
        ORDER BY id DESC LIMIT $9`,
        [from, to, actor, kind, name, action, request, before, limit].map(
          (value): Parameter => value ?? null,
        ),
      )
      return rows.map((row) => ({ ...(row as unknown as AuditRow), id: Number(row['id']) }))
    },

    async changeNumber() {
      const [row] = await database.rows('SELECT coalesce(max(id), 0) AS number FROM audit')
      return Number(row?.['number'])
    },
  }
  return registry
}

function expectRevision(
  wanted: Wanted,
  expected: number | undefined,
  current: RegistryObject | undefined,
): void {
  if (expected !== undefined && expected !== (current?.revision ?? 0))
    throw new RevisionConflict(wanted, expected, current)
}

/** @param bundle  the set that takes the object over; undefined: its set stays */
function changeTo(given: Wanted, before: RegistryObject | undefined, bundle?: string): Change | undefined {
  const object = completed(given, before)
  if (before === undefined) return { action: 'create', object, before }
  const isAsWanted =
    isSame(before.spec, object.spec) &&
    isSame(before.metadata, object.metadata ?? {}) &&
    before.question === (object.question ?? '') &&
    (bundle === undefined || before.bundle === bundle)
  return isAsWanted ? undefined : { action: 'update', object, before }
}

function planOf(changes: readonly Change[]): string {
  const lines = changes.map(({ action, object, before }) =>
    canonical([
      action,
      object.kind,
      object.name,
      before?.revision ?? 0,
      action === 'delete' ? 0 : [object.metadata, object.spec],
    ]),
  )
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('base64url').slice(0, 22)
}

async function writeOne(
  queries: Queries,
  object: Wanted,
  before: RegistryObject | undefined,
  bundle: string | undefined,
  at: Date,
): Promise<void> {
  const { kind, name, metadata = {}, spec, question = '', place = {} } = object
  const values = [
    kind,
    name,
    JSON.stringify(metadata),
    JSON.stringify(spec),
    question,
    bundle ?? '',
    place.team ?? null,
    place.system ?? null,
    place.service ?? null,
    at,
  ]
  await queries.rows(
    before === undefined
      ? `INSERT INTO objects (kind, name, metadata, spec, question, bundle, team, system, service, created_at, changed_at)
        VALUES ($1, $2, $3::jsonb, $4::jsonb, $5, $6, $7, $8, $9, $10, $10)`
      : `UPDATE objects SET metadata = $3::jsonb, spec = $4::jsonb, bundle = $6, team = $7, system = $8, service = $9,
          changed_at = $10, revision = revision + 1, generation = generation + (question <> $5)::int, question = $5
        WHERE kind = $1 AND name = $2`,
    values,
  )
}

async function writeReferences(queries: Queries, { kind, name, references = [] }: Wanted): Promise<void> {
  await queries.rows('DELETE FROM object_references WHERE from_kind = $1 AND from_name = $2', [kind, name])
  if (references.length === 0) return
  await queries.rows(
    `INSERT INTO object_references (from_kind, from_name, path, to_kind, to_name)
    SELECT $1, $2, path, to_kind, to_name FROM unnest($3::text[], $4::text[], $5::text[]) AS given (path, to_kind, to_name)`,
    [
      kind,
      name,
      references.map(({ path }) => path),
      references.map((reference) => reference.kind),
      references.map((reference) => reference.name),
    ],
  )
}

async function findAll(
  queries: Queries,
  wanted: readonly Pick<Wanted, 'kind' | 'name'>[],
): Promise<ReadonlyMap<string, RegistryObject>> {
  const rows = await queries.rows(
    `SELECT ${COLUMNS} FROM placed_objects WHERE (kind, name) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [wanted.map(({ kind }) => kind), wanted.map(({ name }) => name)],
  )
  return new Map(rows.map(toObject).map((object) => [idOf(object), object]))
}

async function ofBundle(queries: Queries, bundle: string): Promise<RegistryObject[]> {
  const rows = await queries.rows(
    `SELECT ${COLUMNS} FROM placed_objects WHERE bundle = $1 ORDER BY kind, name`,
    [bundle],
  )
  return rows.map(toObject)
}

function toObject(row: Readonly<Record<string, unknown>>): RegistryObject {
  return {
    id: Number(row['id']),
    kind: row['kind'] as Kind,
    name: row['name'] as string,
    metadata: row['metadata'] as RegistryObject['metadata'],
    spec: row['spec'] as RegistryObject['spec'],
    question: row['question'] as string,
    generation: Number(row['generation']),
    revision: Number(row['revision']),
    bundle: row['bundle'] as string,
    owner: (row['owner'] as string | null) ?? undefined,
    system: (row['in_system'] as string | null) ?? undefined,
    createdAt: row['created_at'] as Date,
    changedAt: row['changed_at'] as Date,
  }
}
