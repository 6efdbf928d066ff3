// What somebody may read is decided here and nowhere else: everything, or what is part of some systems. Every read is given a
// scope; what belongs to no system is for everybody.

import type { Queries } from '../registry/database.ts'
import type { UserSpec } from '../registry/kinds/people.ts'

export type ReadScope = 'everything' | { readonly systems: ReadonlySet<string> }

export const EVERYTHING: ReadScope = 'everything'

/** @param system  what is read is part of; undefined: of none */
export function mayRead(scope: ReadScope, system: string | undefined): boolean {
  return scope === 'everything' || system === undefined || scope.systems.has(system)
}

/** The systems as a list for questions; undefined: all. */
export const systemsOf = (scope: ReadScope): readonly string[] | undefined =>
  scope === 'everything' ? undefined : [...scope.systems]

const SYSTEMS_BELOW = `WITH RECURSIVE below AS (
    SELECT name FROM objects WHERE kind = 'organisation' AND name = ANY ($1)
    UNION
    SELECT r.from_name FROM object_references r JOIN below ON r.to_kind = 'organisation' AND r.to_name = below.name
    WHERE r.from_kind = 'organisation'
  )
  SELECT name FROM objects WHERE kind = 'system' AND (name = ANY ($2) OR spec ->> 'organisation' IN (SELECT name FROM below))`

/** What a user's organisations and systems come to, as they are now. */
export async function resolveScope(queries: Queries, scope: UserSpec['scope']): Promise<ReadScope> {
  if (scope === undefined) return EVERYTHING
  const rows = await queries.rows(SYSTEMS_BELOW, [scope.organisations, scope.systems])
  return { systems: new Set(rows.map(({ name }) => String(name))) }
}
