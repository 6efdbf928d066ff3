// Looks for faults: alarms of SLOs in the order in which they were kept, deviations that the detector sees, and what is over. Alarms have
// keys, so looking twice, or dying between two steps, changes nothing.

import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Alarm } from '../../query/faults/alarm.ts'
import { EXTERNAL_LASTS_MS } from '../../query/faults/external-alarm.ts'
import type { FaultBook } from '../../query/faults/fault-book.ts'
import type { Slos } from '../../query/promises/slos.ts'
import type { TransitionFeed } from '../publish/transition-feed.ts'
import type { BlameMetrics } from './blame-metrics.ts'
import { seriesPrefix, sloAlarm, SLO_SERIES } from './slo-alarms.ts'

const BATCH_MAX = 500
/** What an SLO rang longer ago, while nobody looked, is history and no fault of now. */
const STALE_MS = 3_600_000
/** Deviations are looked for so often. */
const DETECT_MS = 10_000
const MINUTE_MS = 60_000
const PRUNE_MS = 3_600_000
const KEPT_MS = 400 * 86_400_000

/** What the detector says as of an instant. */
export type Deviations = {
  readonly begun: readonly Alarm[]
  /** Series that are as usual again. */
  readonly ended: readonly { readonly series: string; readonly atMs: number }[]
}

export type FindingParts = {
  readonly book: FaultBook
  readonly transitions: TransitionFeed
  readonly slos: () => Promise<Slos>
  /** @param ringing  series of the detector that ring now */
  readonly deviations: (nowMs: number, ringing: ReadonlySet<string>) => Promise<Deviations>
  readonly clock: Clock
  readonly isLeading: () => boolean
  readonly metrics: BlameMetrics
  readonly logger: Logger
}

/** Of what the detector rings. */
export const DETECTOR_SERIES = 'detector/'

export interface Finding {
  /** Looks once, at whatever is due. @throws StoreError, RegistryError */
  round(): Promise<void>
}

export function buildFinding(parts: FindingParts): Finding {
  const { book, transitions, slos, deviations, clock, isLeading, metrics, logger } = parts
  let detectedAtMs = Number.NEGATIVE_INFINITY
  let tidiedAtMs = Number.NEGATIVE_INFINITY
  let prunedAtMs = Number.NEGATIVE_INFINITY

  async function take(alarm: Alarm): Promise<void> {
    const taken = await book.take(alarm, clock.now())
    metrics.alarms.inc({ origin: alarm.origin, result: taken.kind })
    if (taken.kind === 'refused')
      logger.warn({ name: alarm.name, service: alarm.place.service }, 'too many faults are open for another')
    else if (taken.kind === 'new')
      logger.info({ fault: taken.fault, origin: alarm.origin, service: alarm.place.service }, 'a fault began')
  }

  async function takeTransitions(): Promise<void> {
    for (;;) {
      const kept = await transitions.next(BATCH_MAX)
      const last = kept.at(-1)
      if (last === undefined) return
      const known = await slos()
      for (const one of kept) {
        const alarm = sloAlarm(one, known.slos.get(one.slo))
        if (alarm?.kind === 'end') await book.end(alarm.series, alarm.atMs)
        else if (alarm !== undefined && clock.now() - one.atMs <= STALE_MS) await take(alarm.alarm)
      }
      await transitions.moveTo(last.id)
      if (kept.length < BATCH_MAX) return
    }
  }

  async function detect(nowMs: number): Promise<void> {
    const ringing = await book.ringing(DETECTOR_SERIES)
    const { begun, ended } = await deviations(nowMs, ringing)
    for (const { series, atMs } of ended) await book.end(series, atMs)
    for (const alarm of begun) await take(alarm)
  }

  /** What nobody will end: outside alarms, and those of SLOs that are gone. */
  async function tidy(nowMs: number): Promise<void> {
    await book.endBefore('external', nowMs - EXTERNAL_LASTS_MS, nowMs)
    const ringing = await book.ringing(SLO_SERIES)
    if (ringing.size > 0) {
      const prefixes = [...(await slos()).slos.keys()].map(seriesPrefix)
      for (const series of ringing)
        if (!prefixes.some((prefix) => series.startsWith(prefix))) await book.end(series, nowMs)
    }
    const { open, waiting } = await book.counts()
    metrics.open.set(open)
    metrics.waiting.set(waiting)
  }

  return {
    async round() {
      if (!isLeading()) return
      const stop = metrics.findSeconds.startTimer()
      await takeTransitions()
      const nowMs = clock.now()
      // A clock that is set back looks again.
      if (Math.abs(nowMs - detectedAtMs) >= DETECT_MS) {
        await detect(nowMs)
        detectedAtMs = nowMs
      }
      if (Math.abs(nowMs - tidiedAtMs) >= MINUTE_MS) {
        await tidy(nowMs)
        tidiedAtMs = nowMs
      }
      if (Math.abs(nowMs - prunedAtMs) >= PRUNE_MS) {
        await book.prune(nowMs - KEPT_MS)
        prunedAtMs = nowMs
      }
      stop()
    },
  }
}
