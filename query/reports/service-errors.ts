// The errors of one service by signature: how often in a range, first seen when and in which version.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { ErrorSignature } from '../http/schemas.ts'
import { floorTo, iso, sqlSecond, type TimeRange } from '../time-range.ts'

const range = { service: z.string(), from: z.string(), to: z.string() }
const count = z.coerce.number()
const errors = statement(
  new URL('./service-errors.sql', import.meta.url),
  z.object({ ...range, traffic: z.string(), limit: z.number().int() }),
  z.object({
    id: z.string(),
    type: z.string(),
    message: z.string(),
    frame: z.string(),
    occurrences: count,
    last_seen: count,
    example: z.string(),
    versions: z.array(z.string()),
    by_version: z.array(count),
    first_seen: z.array(count),
  }),
)
const versionsBegan = statement(
  new URL('./service-versions.sql', import.meta.url),
  z.object(range),
  z.object({ version: z.string(), began: count }),
)

const MINUTE_MS = 60_000
/** How long before the range an older version may have begun to be known as older. */
const VERSIONS_BEFORE_MS = 7 * 86_400_000

/** @returns signatures with occurrences in the minutes that the range touches, most frequent first */
export async function serviceErrors(
  store: Store,
  service: string,
  within: TimeRange,
  traffic: string,
  limit: number,
): Promise<ErrorSignature[]> {
  const fromMs = floorTo(within.fromMs, MINUTE_MS)
  const to = sqlSecond(within.toMs)
  const [rows, versions] = await Promise.all([
    store.ask(errors, { service, traffic, from: sqlSecond(fromMs), to, limit }),
    store.ask(versionsBegan, { service, from: sqlSecond(Math.max(0, fromMs - VERSIONS_BEFORE_MS)), to }),
  ])
  const began = new Map(versions.map((row) => [row.version, row.began]))
  return rows.map((row) => {
    const firstMs = Math.min(...row.first_seen)
    const firstVersion = row.versions[row.first_seen.indexOf(firstMs)] ?? ''
    return {
      signature: row.id,
      type: row.type,
      message: row.message,
      frame: row.frame,
      occurrences: row.occurrences,
      versions: row.versions
        .map((version, index) => ({ version, occurrences: row.by_version[index] ?? 0 }))
        .filter(({ occurrences }) => occurrences > 0)
        .sort((a, b) => b.occurrences - a.occurrences),
      firstSeenAt: iso(firstMs),
      firstSeenVersion: firstVersion,
      isNewInVersion: isNewIn(firstVersion, row.versions, began),
      lastSeenAt: iso(row.last_seen),
      exampleTraceId: row.example,
    }
  })
}

/**
 * @param version  the one that showed it first
 * @param shownBy  every version that ever showed it
 * @param began    when each version began to take requests, ms
 * @returns whether older versions ran and none of them shows it; false when nothing older is known
 */
export function isNewIn(
  version: string,
  shownBy: readonly string[],
  began: ReadonlyMap<string, number>,
): boolean {
  const from = began.get(version)
  if (from === undefined) return false
  const older = [...began].filter(([, at]) => at < from).map(([name]) => name)
  return older.length > 0 && older.every((name) => !shownBy.includes(name))
}
