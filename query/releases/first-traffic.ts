// The 10 s in which a stretch of serving began, where the minute is known: asked once for each.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import { floorTo } from '../time-range.ts'
import type { VersionSighting } from './version-sighting.ts'

const question = statement(
  new URL('./first-traffic.sql', import.meta.url),
  z.object({ services: z.array(z.string()), versions: z.array(z.string()), minutes: z.array(z.string()) }),
  z.object({ service: z.string(), version: z.string(), minute: z.coerce.number(), first: z.coerce.number() }),
)

const MINUTE_MS = 60_000
const GONE_MS = 120 * MINUTE_MS
const AT_ONCE_MAX = 500
const KEPT_MAX = 20_000

/** Looks are kept; `forget` drops those of minutes from an instant on. */
export function buildFirstTraffic(store: Pick<Store, 'ask'>) {
  const kept = new Map<string, number>()
  const keyOf = (service: string, version: string, minuteMs: number) =>
    JSON.stringify([service, version, minuteMs])

  /** @returns sightings with the beginnings of stretches since an instant to 10 s */
  async function refine(
    sightings: readonly VersionSighting[],
    sinceMs: number,
    nowMs: number,
  ): Promise<readonly VersionSighting[]> {
    const begun = sightings.flatMap(({ service, version, stretches }) =>
      stretches
        .filter(({ fromMs }) => fromMs >= sinceMs && fromMs % MINUTE_MS === 0)
        .map(({ fromMs }) => ({ service, version, minuteMs: fromMs })),
    )
    const asked = begun
      .filter(({ service, version, minuteMs }) => !kept.has(keyOf(service, version, minuteMs)))
      .slice(0, AT_ONCE_MAX)
    if (asked.length > 0) {
      const rows = await store.ask(question, {
        services: asked.map(({ service }) => service),
        versions: asked.map(({ version }) => version),
        minutes: asked.map(({ minuteMs }) => String(minuteMs / 1000)),
      })
      const found = new Map(
        rows.map((row) => [keyOf(row.service, row.version, row.minute * 1000), row.first * 1000]),
      )
      for (const { service, version, minuteMs } of asked) {
        const key = keyOf(service, version, minuteMs)
        // Of an old minute these counts are gone; those of a young one may be on their way.
        if (minuteMs < nowMs - GONE_MS || found.has(key)) kept.set(key, found.get(key) ?? minuteMs)
      }
      for (const key of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT_MAX))) kept.delete(key)
    }
    return sightings.map((sighting) => ({
      ...sighting,
      stretches: sighting.stretches.map((stretch) => {
        const first = kept.get(keyOf(sighting.service, sighting.version, floorTo(stretch.fromMs, MINUTE_MS)))
        return first === undefined ? stretch : { ...stretch, fromMs: first }
      }),
    }))
  }

  return {
    refine,
    forget(fromMs: number): void {
      for (const key of kept.keys()) if (minuteOf(key) + MINUTE_MS > fromMs) kept.delete(key)
    },
  }
}

const minuteOf = (key: string) => (JSON.parse(key) as [string, string, number])[2]
