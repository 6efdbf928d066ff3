// When versions of client applications sent requests, for those that a release names. Seen once is enough.

import { z } from 'zod'
import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { statement, type Store } from '../../ingest/store/store.ts'
import { sqlSecond } from '../time-range.ts'
import type { VersionSighting } from './version-sighting.ts'

const question = statement(
  new URL('./client-sightings.sql', import.meta.url),
  z.object({ versions: z.array(z.string()), from: z.string(), to: z.string() }),
  z.object({
    version: z.string(),
    since: z.coerce.number(),
    until: z.coerce.number(),
    asked: z.coerce.number(),
  }),
)

const HOUR_MS = 3_600_000
/** Asked this far before it was told, and no further back than a day. */
const BEFORE_MS = HOUR_MS
const BACK_MS = 24 * HOUR_MS
const AGAIN_MS = 60_000
const VERSIONS_MAX = 200

export function buildClientSightings(store: Pick<Store, 'ask'>) {
  const seen = new Map<string, VersionSighting>()
  let asked: { readonly atMs: number; readonly of: string } | undefined

  return async (steps: readonly ReleaseStep[], nowMs: number): Promise<readonly VersionSighting[]> => {
    const told = steps.filter(
      ({ changeType, versionTo, at }) =>
        changeType === 'client' && versionTo !== '' && at > nowMs - 7 * BACK_MS,
    )
    const versions = [...new Set(told.flatMap(clientVersions))].filter((version) => !seen.has(version))
    const wanted = versions.toSorted().slice(0, VERSIONS_MAX)
    const key = wanted.join('\n')
    if (wanted.length > 0 && (asked?.of !== key || Math.abs(nowMs - asked.atMs) > AGAIN_MS)) {
      const first = Math.min(...told.map(({ at }) => at)) - BEFORE_MS
      const fromMs = Math.max(first, nowMs - BACK_MS)
      const within = { from: sqlSecond(Math.min(fromMs, nowMs)), to: sqlSecond(nowMs + 1000) }
      const rows = await store.ask(question, { versions: wanted, ...within }, { lane: 'heavy' })
      for (const { version, since, until, asked: requests } of rows)
        seen.set(version, {
          service: '',
          version,
          environment: '',
          system: '',
          stretches: [{ fromMs: since * 1000, toMs: until * 1000, requests }],
        })
      asked = { atMs: nowMs, of: key }
    }
    return [...seen.values()]
  }
}

/** What `bank.client.version` may say of it: `9.1.0`, `app-9.1.0`. */
function clientVersions({ target, versionTo }: ReleaseStep): string[] {
  return target === '' ? [versionTo] : [versionTo, `${target}-${versionTo}`]
}
