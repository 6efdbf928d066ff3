// Objects that people define, by kind and name, each change with its row in the audit. Knows nothing of what a kind holds: that
// is checked before it comes here.

import type { Database, Queries } from './database.ts'

export const KINDS = ['team', 'system', 'service', 'calendar', 'exclusion', 'slo'] as const
export type Kind = (typeof KINDS)[number]

export type RegistryObject = {
  readonly kind: Kind
  readonly name: string
  readonly spec: Readonly<Record<string, unknown>>
  /** 1 for the first; counts changes. */
  readonly revision: number
  readonly changedAt: Date
}

/** Who changes, from where, and why. */
export type Author = { readonly actor: string; readonly origin: string; readonly reason: string }

export type Wanted = Pick<RegistryObject, 'kind' | 'name' | 'spec'>

export type Change =
  | { readonly action: 'create'; readonly object: Wanted; readonly before: undefined }
  | { readonly action: 'update'; readonly object: Wanted; readonly before: RegistryObject }
  | { readonly action: 'delete'; readonly object: Wanted; readonly before: RegistryObject }

export type AuditRow = {
  readonly id: number
  readonly at: Date
  readonly actor: string
  readonly origin: string
  readonly reason: string
  readonly action: Change['action']
  readonly kind: Kind
  readonly name: string
  readonly before: unknown
  readonly after: unknown
}

/** Somebody changed it meanwhile: both versions, so that a person can decide. */
export class RevisionConflict extends Error {
  readonly current: RegistryObject | undefined

  constructor(kind: Kind, name: string, expected: number, current: RegistryObject | undefined) {
    const now = current === undefined ? 'it is gone' : `it is at revision ${current.revision} now`
    super(`The ${kind} «${name}» was read at revision ${expected}, and ${now}; read it again, then change it`)
    this.name = 'RevisionConflict'
    this.current = current
  }
}

export interface Registry {
  get(kind: Kind, name: string): Promise<RegistryObject | undefined>
  /** In order of name. @param after  names beyond this one */
  list(kind: Kind, page?: { readonly after?: string; readonly limit?: number }): Promise<RegistryObject[]>
  /**
   * @param expected  the revision that the author read; 0 when it must not be there yet; undefined whatever is there
   * @returns as it is now; unchanged, and without an audit row, when it was the same already
   * @throws RevisionConflict
   */
  put(wanted: Wanted, author: Author, expected?: number): Promise<RegistryObject>
  /** @throws RevisionConflict */
  remove(kind: Kind, name: string, author: Author, expected?: number): Promise<void>
  /**
   * Makes the registry hold these objects, all or none of them.
   * @param prune  kinds of which whatever is not among them is deleted
   * @param check  looks at what the registry would hold; what it throws undoes everything
   * @returns what changed, or with `dryRun` what would
   */
  apply(
    wanted: readonly Wanted[],
    author: Author,
    options?: {
      readonly prune?: readonly Kind[]
      readonly dryRun?: boolean
      readonly check?: (objects: readonly Wanted[]) => void
    },
  ): Promise<Change[]>
  /** Newest first. @param before  rows older than this id */
  audit(page: {
    readonly kind?: Kind
    readonly name?: string
    readonly before?: number
    readonly limit: number
  }): Promise<AuditRow[]>
}

const COLUMNS = 'kind, name, spec, revision, changed_at'
const LIST_LIMIT = 1000
// One writer at a time: definitions change by the hand of people, and references between them hold for all of them together.
const LOCK = 728_391_002

export function buildRegistry(database: Database, now: () => Date): Registry {
  const lock = (queries: Queries) => queries.rows(`SELECT pg_advisory_xact_lock(${LOCK})`)

  async function find(queries: Queries, kind: Kind, name: string): Promise<RegistryObject | undefined> {
    const [row] = await queries.rows(`SELECT ${COLUMNS} FROM objects WHERE kind = $1 AND name = $2`, [
      kind,
      name,
    ])
    return row === undefined ? undefined : toObject(row)
  }

  async function write(queries: Queries, change: Change, author: Author): Promise<void> {
    const { action, object, before } = change
    const at = now()
    const spec = JSON.stringify(object.spec)
    if (action === 'delete')
      await queries.rows('DELETE FROM objects WHERE kind = $1 AND name = $2', [object.kind, object.name])
    else if (action === 'create')
      await queries.rows(
        'INSERT INTO objects (kind, name, spec, revision, changed_at) VALUES ($1, $2, $3::jsonb, 1, $4)',
        [object.kind, object.name, spec, at],
      )
    else
      await queries.rows(
        'UPDATE objects SET spec = $3::jsonb, revision = revision + 1, changed_at = $4 WHERE kind = $1 AND name = $2',
        [object.kind, object.name, spec, at],
      )
    await queries.rows(
      'INSERT INTO audit (at, actor, origin, reason, action, kind, name, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9::jsonb)',
      [
        at,
        author.actor,
        author.origin,
        author.reason,
        action,
        object.kind,
        object.name,
        before === undefined ? null : JSON.stringify(before.spec),
        action === 'delete' ? null : spec,
      ],
    )
  }

  const changeTo = (wanted: Wanted, before: RegistryObject | undefined): Change | undefined => {
    if (before === undefined) return { action: 'create', object: wanted, before }
    return isSame(before.spec, wanted.spec) ? undefined : { action: 'update', object: wanted, before }
  }

  return {
    get: (kind, name) => find(database, kind, name),
    async list(kind, { after = '', limit = LIST_LIMIT } = {}) {
      const rows = await database.rows(
        `SELECT ${COLUMNS} FROM objects WHERE kind = $1 AND name COLLATE "C" > $2 ORDER BY name COLLATE "C" LIMIT $3`,
        [kind, after, Math.min(limit, LIST_LIMIT)],
      )
      return rows.map(toObject)
    },
    put: (wanted, author, expected) =>
      database.transaction(async (queries) => {
        await lock(queries)
        const before = await find(queries, wanted.kind, wanted.name)
        if (expected !== undefined && expected !== (before?.revision ?? 0))
          throw new RevisionConflict(wanted.kind, wanted.name, expected, before)
        const change = changeTo(wanted, before)
        if (change !== undefined) await write(queries, change, author)
        const after = await find(queries, wanted.kind, wanted.name)
        if (after === undefined)
          throw new Error(`${wanted.kind} ${wanted.name} is not there after it was written`)
        return after
      }),
    remove: (kind, name, author, expected) =>
      database.transaction(async (queries) => {
        await lock(queries)
        const before = await find(queries, kind, name)
        if (expected !== undefined && expected !== (before?.revision ?? 0))
          throw new RevisionConflict(kind, name, expected, before)
        if (before !== undefined) await write(queries, { action: 'delete', object: before, before }, author)
      }),
    apply: (wanted, author, { prune = [], dryRun = false, check } = {}) =>
      database.transaction(async (queries) => {
        await lock(queries)
        const rows = await queries.rows(`SELECT ${COLUMNS} FROM objects ORDER BY kind, name COLLATE "C"`)
        const there = new Map(rows.map(toObject).map((object) => [idOf(object), object]))
        const ids = new Set(wanted.map(idOf))
        const changes = wanted.flatMap((object) => changeTo(object, there.get(idOf(object))) ?? [])
        const gone = [...there.values()].filter(
          (object) => prune.includes(object.kind) && !ids.has(idOf(object)),
        )
        for (const before of gone) changes.push({ action: 'delete', object: before, before })
        const goneIds = new Set(gone.map(idOf))
        const left = [...there.values()].filter(
          (object) => !ids.has(idOf(object)) && !goneIds.has(idOf(object)),
        )
        check?.([...left, ...wanted])
        if (!dryRun) for (const change of changes) await write(queries, change, author)
        return changes
      }),
    async audit({ kind, name, before, limit }) {
      const rows = await database.rows(
        `SELECT id, at, actor, origin, reason, action, kind, name, before, after FROM audit
        WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR name = $2) AND ($3::bigint IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4`,
        [kind ?? null, name ?? null, before ?? null, limit],
      )
      return rows.map((row) => ({ ...(row as Omit<AuditRow, 'id'>), id: Number(row['id']) }))
    },
  }
}

const idOf = ({ kind, name }: Pick<Wanted, 'kind' | 'name'>) => `${kind}/${name}`

function toObject(row: Readonly<Record<string, unknown>>): RegistryObject {
  return {
    kind: row['kind'] as Kind,
    name: row['name'] as string,
    spec: row['spec'] as RegistryObject['spec'],
    revision: Number(row['revision']),
    changedAt: row['changed_at'] as Date,
  }
}

/** Equal as JSON, whatever the order of members: the database keeps another order than was given. */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [definedEntries(a), definedEntries(b)]
  return (
    left.length === right.length &&
    left.every(([key, value]) => isSame(value, (b as Record<string, unknown>)[key]))
  )
}

const definedEntries = (value: object) => Object.entries(value).filter(([, member]) => member !== undefined)
