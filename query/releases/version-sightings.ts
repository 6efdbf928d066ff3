// When versions served, from the rollups. What cannot change any more is read once: days as wholes, the newest two hours each time.

import { z } from 'zod'
import { statement, type AskOptions, type Store } from '../../ingest/store/store.ts'
import { ofWholes } from '../reports/wholes.ts'
import { floorTo, sqlSecond, type TimeRange } from '../time-range.ts'
import { buildFirstTraffic } from './first-traffic.ts'
import { buildLateSpans } from './late-spans.ts'
import { PAUSE_MS, type Stretch, type VersionSighting } from './version-sighting.ts'

const seconds = z.coerce.number()
const Stretches = z.array(z.tuple([seconds, seconds, z.coerce.number()]))
const Range = z.object({ from: z.string(), to: z.string() })
const Paused = Range.extend({ pause: z.number().int() })

const sightings = statement(
  new URL('./version-sightings.sql', import.meta.url),
  Paused,
  z.object({ service: z.string(), version: z.string(), system: z.string(), stretches: Stretches }),
)
const inEnvironments = statement(
  new URL('./environment-sightings.sql', import.meta.url),
  Paused.extend({ services: z.array(z.string()) }),
  z.object({
    service: z.string(),
    version: z.string(),
    environment: z.string(),
    system: z.string(),
    stretches: Stretches,
  }),
)
const environments = statement(
  new URL('./version-environments.sql', import.meta.url),
  z.object({ since: z.string() }),
  z.object({ service: z.string(), version: z.string(), environment: z.string() }),
)
const days = statement(
  new URL('./days-with-traffic.sql', import.meta.url),
  z.object({}),
  z.object({ day: seconds }),
)
const past = ofWholes(
  statement(
    new URL('./version-past.sql', import.meta.url),
    Range,
    z.object({
      service: z.string(),
      version: z.string(),
      said: z.string(),
      since: seconds,
      until: seconds,
      asked: z.coerce.number(),
    }),
  ),
  'hour',
)

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** What is older is read once, and again when spans of it come. */
const SETTLED_MS = 2 * HOUR_MS
/** How far back it is known which versions there were. */
const PAST_MS = 35 * DAY_MS
const CHUNKS_MAX = 120
const ENVIRONMENTS_MS = 10_000

type Rows = readonly VersionSighting[]

/** @returns sightings of a range, and since when traffic is known; kept for the store that is given */
export function buildVersionSightings(store: Pick<Store, 'ask'>) {
  const chunks = new Map<string, { readonly toMs: number; readonly rows: Promise<Rows> }>()
  const lateSpans = buildLateSpans(store)
  const firstTraffic = buildFirstTraffic(store)
  let places:
    { readonly atMs: number; readonly of: Promise<ReadonlyMap<string, readonly string[]>> } | undefined

  async function ask(
    fromMs: number,
    toMs: number,
    several: readonly string[],
    lane: AskOptions = { lane: 'heavy' },
  ): Promise<Rows> {
    const within = { from: sqlSecond(fromMs), to: sqlSecond(toMs), pause: PAUSE_MS / 1000 }
    const rows = await store.ask(sightings, within, lane)
    const split =
      several.length === 0 ? [] : await store.ask(inEnvironments, { ...within, services: [...several] }, lane)
    const isSplit = new Set(split.map(({ service }) => service))
    return [
      ...rows.filter(({ service }) => !isSplit.has(service)).map((row) => ({ ...row, environment: '' })),
      ...split,
    ].map(({ stretches, ...row }) => ({
      service: row.service,
      version: row.version,
      environment: row.environment,
      system: row.system,
      stretches: stretches.map(([from, to, requests]): Stretch => ({
        fromMs: from * 1000,
        toMs: to * 1000,
        requests,
      })),
    }))
  }

  async function askPast(fromMs: number, toMs: number): Promise<Rows> {
    const rows = await store.ask(past, { from: sqlSecond(fromMs), to: sqlSecond(toMs) }, { lane: 'heavy' })
    return rows.map(({ service, version, said, since, until, asked }) => ({
      service,
      version,
      environment: '',
      system: said,
      stretches: [{ fromMs: since * 1000, toMs: Math.min(until * 1000, toMs), requests: asked }],
    }))
  }

  /** Read once; what failed is read again. @param toMs  end of what is read */
  function keep(key: string, toMs: number, work: () => Promise<Rows>): Promise<Rows> {
    const known = chunks.get(key)
    if (known !== undefined) return known.rows
    const rows = work()
    chunks.set(key, { toMs, rows })
    rows.catch(() => chunks.delete(key))
    const [oldest] = chunks.keys()
    if (chunks.size > CHUNKS_MAX && oldest !== undefined) chunks.delete(oldest)
    return rows
  }

  /** Forgets what spans came of since it was read. */
  async function forgetLate(settledMs: number, nowMs: number): Promise<void> {
    const changedMs = await lateSpans(settledMs, nowMs)
    if (changedMs === undefined) return
    for (const [key, { toMs }] of chunks) if (toMs > changedMs) chunks.delete(key)
    firstTraffic.forget(changedMs)
  }

  async function busyDays(): Promise<ReadonlySet<number>> {
    const rows = await store.ask(days, {})
    return new Set(rows.map(({ day }) => day * 1000))
  }

  async function environmentsNow(nowMs: number): Promise<ReadonlyMap<string, readonly string[]>> {
    if (places === undefined || Math.abs(nowMs - places.atMs) > ENVIRONMENTS_MS) {
      const asked = store
        .ask(environments, { since: sqlSecond(Math.max(0, nowMs - PAST_MS)) })
        .then((rows) => {
          const found = new Map<string, string[]>()
          for (const { service, version, environment } of rows)
            found.set(keyOf(service, version), [...(found.get(keyOf(service, version)) ?? []), environment])
          return found
        })
      places = { atMs: nowMs, of: asked }
      asked.catch(() => (places = undefined))
    }
    return places.of
  }

  return async (
    range: TimeRange,
    nowMs: number,
  ): Promise<{ readonly sightings: Rows; readonly knownFromMs: number }> => {
    const known = await environmentsNow(nowMs)
    const several = [...known].filter(([, names]) => names.length > 1).map(([key]) => serviceOf(key))
    const split = [...new Set(several)].toSorted()
    const fromMs = floorTo(range.fromMs, DAY_MS)
    const toMs = Math.min(nowMs, range.toMs) + MINUTE_MS
    const settledMs = Math.max(fromMs, Math.min(floorTo(nowMs - SETTLED_MS, HOUR_MS), floorTo(toMs, HOUR_MS)))
    await forgetLate(settledMs, nowMs)
    const pastFromMs = Math.max(0, fromMs - PAST_MS)
    // One after the other: whoever looks at months must not fill the lane.
    const pieces: Rows[] = [await keep(`past ${fromMs}`, fromMs, () => askPast(pastFromMs, fromMs))]
    const withTraffic = await busyDays()
    for (let at = fromMs; at < settledMs; at += DAY_MS) {
      if (!withTraffic.has(at)) continue
      const end = Math.min(at + DAY_MS, settledMs)
      pieces.push(await keep(JSON.stringify([at, end, split]), end, () => ask(at, end, split)))
    }
    if (settledMs < toMs) pieces.push(await ask(settledMs, toMs, split, { lane: 'light' }))
    const joined = joinSightings(pieces.flat(), known)
    return { sightings: await firstTraffic.refine(joined, range.fromMs, nowMs), knownFromMs: pastFromMs }
  }
}

const keyOf = (service: string, version: string) => JSON.stringify([service, version])
const serviceOf = (key: string) => (JSON.parse(key) as [string, string])[0]

/** Pieces of one version put together, each in its environment where there is one only. */
function joinSightings(pieces: Rows, known: ReadonlyMap<string, readonly string[]>): Rows {
  const found = new Map<string, VersionSighting>()
  for (const piece of pieces) {
    const places = known.get(keyOf(piece.service, piece.version)) ?? []
    const environment =
      piece.environment === '' && places.length === 1 ? (places[0] ?? '') : piece.environment
    const key = JSON.stringify([piece.service, piece.version, environment])
    const before = found.get(key)
    found.set(key, {
      ...piece,
      environment,
      system: piece.system || (before?.system ?? ''),
      stretches:
        before === undefined ? piece.stretches : joinStretches([...before.stretches, ...piece.stretches]),
    })
  }
  return [...found.values()]
}

/** Stretches that a pause does not part are one. */
export function joinStretches(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: Stretch[] = []
  for (const stretch of stretches.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1)
    if (last !== undefined && stretch.fromMs <= last.toMs + PAUSE_MS)
      joined[joined.length - 1] = {
        fromMs: last.fromMs,
        toMs: Math.max(last.toMs, stretch.toMs),
        requests: last.requests + stretch.requests,
      }
    else joined.push(stretch)
  }
  return joined
}
