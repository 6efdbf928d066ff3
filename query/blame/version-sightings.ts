// When versions were first and last seen in traffic: what a release's readiness is taken from.

import { z } from 'zod'
import { statement } from '../../ingest/store/store.ts'
import { sqlSecond, type TimeRange } from '../time-range.ts'
import type { GatherParts } from './gather.ts'

export type VersionSighting = {
  readonly service: string
  readonly version: string
  readonly environment: string
  readonly system: string
  /** Start of the first 10 s with requests within the range, ms since 1970. */
  readonly firstAtMs: number
  /** End of the last. */
  readonly lastAtMs: number
  readonly requests: number
}

const count = z.coerce.number()
const sightings = statement(
  new URL('./version-sightings.sql', import.meta.url),
  z.object({ from: z.string(), to: z.string(), limit: z.number().int() }),
  z.object({
    service: z.string(),
    version: z.string(),
    environment: z.string(),
    system: z.string(),
    first_at: count,
    last_at: count,
    weighted: count,
  }),
)
const SIGHTINGS_MAX = 20_000

/** @returns by service, environment and version @throws StoreError */
export async function versionSightings(
  { store }: GatherParts,
  range: TimeRange,
): Promise<readonly VersionSighting[]> {
  const asked = { from: sqlSecond(range.fromMs), to: sqlSecond(range.toMs), limit: SIGHTINGS_MAX }
  const rows = await store.ask(sightings, asked, { lane: 'heavy' })
  return rows.map((row) => ({
    service: row.service,
    version: row.version,
    environment: row.environment,
    system: row.system,
    firstAtMs: row.first_at * 1000,
    lastAtMs: row.last_at * 1000 + 10_000,
    requests: row.weighted / 1000,
  }))
}
