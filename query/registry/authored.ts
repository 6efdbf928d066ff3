// Transactions that somebody answers for: the triggers of the audit read from their settings who is at work.

import type { Database, Queries } from './database.ts'
import type { Author } from './object.ts'

const SETTINGS = `SELECT set_config('surety.at', $1, true), set_config('surety.actor', $2, true), set_config('surety.via', $3, true),
  set_config('surety.origin', $4, true), set_config('surety.reason', $5, true), set_config('surety.request', $6, true)`

/** All of the work or nothing of it; every change it makes is in the audit under this author. */
export function authored<Result>(
  database: Database,
  author: Author,
  at: Date,
  work: (queries: Queries) => Promise<Result>,
): Promise<Result> {
  return database.transaction(async (queries) => {
    const { actor, via, origin, reason, request } = author
    await queries.rows(SETTINGS, [at.toISOString(), actor, via, origin, reason, request].map(storable))
    return work(queries)
  })
}

/** Somebody was not let in, or not let do something: nothing changed, and it is on record. */
export async function noteRefusal(
  queries: Queries,
  author: Author,
  at: Date,
  what: { readonly kind: string; readonly name: string },
): Promise<void> {
  const { actor, via, origin, reason, request } = author
  await queries.rows(
    `INSERT INTO audit (at, actor, via, origin, reason, request, action, kind, name) VALUES ($1, $2, $3, $4, $5, $6, 'refuse', $7, $8)`,
    [at, ...[actor, via, origin, reason, request, what.kind, what.name].map(storable)],
  )
}

/** What is part of Surety itself and not a person's doing. */
export const suretyAuthor = (reason: string): Author => ({
  actor: 'surety',
  via: 'surety',
  origin: '',
  reason,
  request: '',
})

// A text of the database holds no zero character, and no more than anybody reads.
const storable = (text: string) => text.replaceAll('\u0000', '').slice(0, 1000)
