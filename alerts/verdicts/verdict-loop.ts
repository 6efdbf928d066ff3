// Judges releases in flight, round after round while this process leads. A round is bounded in releases and time; what is left is
// first in the next.
//
// A release is unknown → judged (again and again, ever more rarely) → settled; a judgement that fails is tried again, later and later.

import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Store } from '../../ingest/store/store.ts'
import { PAST_DAYS } from '../../query/blame/gather.ts'
import { gatherContrast } from '../../query/blame/gather-contrast.ts'
import { ownerOf, systemOf, type Landscape } from '../../query/profiles/landscape.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { loadReleases } from '../../query/releases/ledger.ts'
import type { Release } from '../../query/releases/release.ts'
import { releaseEffect } from '../../query/verdicts/effect.ts'
import { releaseVerdict } from '../../query/verdicts/release-verdict.ts'
import { keepVerdict, noteFailure, readDue, type Owner } from '../../query/verdicts/verdict-store.ts'
import { verdictEvents } from '../publish/release-event.ts'
import { JUDGED_MAX_MS, ageMs, nextJudgement } from './verdict-schedule.ts'
import type { VerdictMetrics } from './verdict-metrics.ts'

const MINUTE_MS = 60_000
const RELEASES_MAX = 60
const ROUND_MS_MAX = 20_000
/** Before it was ready; as long as since, up to four hours. */
const BEFORE_MS_MIN = 60 * MINUTE_MS
const BEFORE_MS_MAX = 240 * MINUTE_MS
/** Of a release that serves for long the last day counts. */
const SINCE_MS_MAX = 24 * 60 * MINUTE_MS
/** As old as the oldest that is judged, and as long again as its errors are looked for before it. */
const LEDGER_MS = JUDGED_MAX_MS + PAST_DAYS * 24 * 60 * MINUTE_MS
const RETRY_MS = 30_000
const RETRY_MS_MAX = 30 * MINUTE_MS

export type VerdictParts = {
  readonly store: Store
  readonly database: Database
  readonly registry: Registry
  readonly landscape: () => Promise<Landscape>
  readonly metrics: VerdictMetrics
  readonly logger: Logger
  readonly clock: Clock
}

export interface VerdictLoop {
  /** Judges what is due. @returns how many were judged @throws StoreError, RegistryError when releases cannot be listed */
  round(): Promise<number>
}

export function buildVerdictLoop(parts: VerdictParts): VerdictLoop {
  const { store, database, registry, landscape, metrics, logger, clock } = parts

  async function judge(
    release: Release,
    known: Landscape,
    ledger: readonly Release[],
    nowMs: number,
  ): Promise<void> {
    const done = metrics.seconds.startTimer()
    const contrast = await gatherContrast({ store }, release, rangeOf(release, nowMs), ledger)
    const { dayBefore, signaturePasts = [] } = contrast
    const traffic = { release, nowMs, contrast, dayBefore, signaturePasts }
    const verdict = releaseVerdict(traffic)
    const owner = ownerOfRelease(release, known)
    const nextAtMs = nextJudgement(release, verdict, nowMs)
    const was = await keepVerdict(
      database,
      { release, verdict, effect: releaseEffect(traffic), nextAtMs, ...owner },
      (before, number) => verdictEvents(release, verdict, before, number),
    )
    metrics.judged.inc({ verdict: verdict.verdict })
    if (was !== verdict.verdict && verdict.verdict === 'worse')
      logger.warn({ release: release.id, fault: verdict.fault }, verdict.headline.en)
    done()
  }

  return {
    async round() {
      const nowMs = clock.now()
      const releases = await loadReleases(
        { store, registry },
        { fromMs: nowMs - LEDGER_MS, toMs: nowMs + MINUTE_MS, nowMs },
      )
      const young = releases.filter((release) => ageMs(release, nowMs) < JUDGED_MAX_MS)
      const due = await readDue(
        database,
        young.map(({ id }) => id),
      )
      const wanted = young
        .flatMap((release) => {
          const kept = due.get(release.id)
          const isChanged = kept !== undefined && kept.failures === 0 && kept.stages !== release.stages.length
          const atMs = kept === undefined || isChanged ? release.startedAtMs - JUDGED_MAX_MS : kept.nextAtMs
          return atMs !== undefined && atMs <= nowMs ? [{ release, atMs }] : []
        })
        .toSorted((a, b) => a.atMs - b.atMs || (a.release.id < b.release.id ? -1 : 1))
      const known = await landscape()
      let judged = 0
      for (const { release } of wanted.slice(0, RELEASES_MAX)) {
        if (clock.now() - nowMs > ROUND_MS_MAX) break
        judged++
        try {
          await judge(release, known, releases, nowMs)
        } catch (error) {
          metrics.failures.inc()
          const failures = due.get(release.id)?.failures ?? 0
          const pauseMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(failures, 10))
          await noteFailure(database, release.id, nowMs + pauseMs)
          logger.error(
            { err: error, release: release.id },
            'a release could not be judged; it is tried again',
          )
        }
      }
      metrics.due.set(Math.max(0, wanted.length - judged))
      return judged
    },
  }
}

/** Whole minutes, and only such as are over. */
function rangeOf(release: Release, nowMs: number): { fromMs: number; toMs: number } {
  const toMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
  const readyMs = Math.floor((release.readyAtMs ?? release.startedAtMs) / MINUTE_MS) * MINUTE_MS
  const since = Math.max(0, toMs - readyMs)
  const before = Math.min(BEFORE_MS_MAX, Math.max(BEFORE_MS_MIN, since))
  const fromMs = since > SINCE_MS_MAX ? toMs - SINCE_MS_MAX : readyMs - before
  return { fromMs, toMs: Math.max(toMs, fromMs + MINUTE_MS) }
}

export function ownerOfRelease(release: Release, landscape: Landscape): Owner {
  const system = systemOf(landscape, release.service, release.system)
  const known = system === undefined ? undefined : landscape.systems.get(system)
  return { system, team: ownerOf(landscape, release.service, release.system), vendor: known?.spec.vendor }
}
