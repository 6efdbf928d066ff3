// The release ledger: what tools told and what traffic showed, put together.

import type { Store } from '../../ingest/store/store.ts'
import { buildLandscape, systemOf, telemetryNames } from '../profiles/landscape.ts'
import type { Registry } from '../registry/registry.ts'
import type { TimeRange } from '../time-range.ts'
import { buildClientSightings } from './client-sightings.ts'
import { reconcile } from './reconcile.ts'
import type { Release } from './release.ts'
import { buildToldSteps } from './told-steps.ts'
import { buildVersionSightings } from './version-sightings.ts'

export type LedgerParts = {
  readonly store: Pick<Store, 'ask'>
  readonly registry: Pick<Registry, 'all' | 'changeNumber'>
  /** SURETY_GRAY_OPEN_DAYS */
  readonly grayOpenDays?: number
}

export type LedgerRange = TimeRange & { readonly nowMs: number }

const DAY_MS = 24 * 3_600_000
export const GRAY_OPEN_DAYS = 7
/** A release that nobody ends is under way for so long at most. */
const OPEN_MS = 30 * DAY_MS
// What began before the range tells what served before.
const BEFORE_MS = DAY_MS
// As far as minutes are kept by default.
const BACK_MS = 92 * DAY_MS

/**
 * Releases that were under way in a range, oldest first. Asked again it reads what is new only.
 * @throws StoreError
 */
export async function loadReleases(parts: LedgerParts, range: LedgerRange): Promise<readonly Release[]> {
  const { fromMs, nowMs } = range
  const { toldSteps, versionSightings, clientSightings, landscapeNow } = memoryOf(parts)
  const [steps, { sightings, knownFromMs }, landscape] = await Promise.all([
    toldSteps(fromMs - OPEN_MS),
    // To now: whether a release was taken back, or came to serve everybody, may show later.
    versionSightings({ fromMs: Math.max(fromMs - BEFORE_MS, nowMs - BACK_MS), toMs: nowMs }, nowMs),
    landscapeNow(),
  ])
  const told = steps.filter(({ receivedAt }) => receivedAt <= nowMs)
  const clients = await clientSightings(told, nowMs)
  const names = new Map(
    [...landscape.services].map(([name, service]) => [name, telemetryNames(service)] as const),
  )
  const systems = new Map(
    sightings.flatMap(({ service, system }) => {
      const known = systemOf(landscape, service, system)
      return known === undefined ? [] : [[service, known] as const]
    }),
  )
  const releases = reconcile({
    steps: told,
    sightings: [...sightings, ...clients],
    names,
    systems,
    nowMs,
    knownFromMs,
    grayOpenDays: parts.grayOpenDays ?? GRAY_OPEN_DAYS,
  })
  return releases.filter((release) => isUnderWay(release, range))
}

/** Whether any of it falls into the range. */
export function isUnderWay(
  { startedAtMs, readyAtMs, endedAtMs, stages }: Release,
  { fromMs, toMs, nowMs }: LedgerRange,
): boolean {
  const lastMs = Math.max(startedAtMs, readyAtMs ?? 0, ...stages.map(({ atMs }) => atMs))
  const endMs = endedAtMs === undefined ? Math.min(nowMs, lastMs + OPEN_MS) : Math.max(lastMs, endedAtMs)
  return Math.min(startedAtMs, readyAtMs ?? startedAtMs) < toMs && endMs >= fromMs
}

function memory({ store, registry }: LedgerParts) {
  return {
    toldSteps: buildToldSteps(store),
    versionSightings: buildVersionSightings(store),
    clientSightings: buildClientSightings(store),
    landscapeNow: buildLandscape(registry),
  }
}

// Whoever asks the same store shares what was read of it.
const memories = new WeakMap<LedgerParts['store'], ReturnType<typeof memory>>()

function memoryOf(parts: LedgerParts): ReturnType<typeof memory> {
  const known = memories.get(parts.store) ?? memory(parts)
  memories.set(parts.store, known)
  return known
}

const SEARCHED_DAYS = [3, 14, 90] as const

/** One release by its id, as far back as minutes are kept. @throws StoreError */
export async function findRelease(
  parts: LedgerParts,
  id: string,
  nowMs: number,
): Promise<Release | undefined> {
  for (const days of SEARCHED_DAYS) {
    const range = { fromMs: nowMs - days * DAY_MS, toMs: nowMs + DAY_MS, nowMs }
    const found = (await loadReleases(parts, range)).find((release) => release.id === id)
    if (found !== undefined) return found
  }
  return undefined
}
