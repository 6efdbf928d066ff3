// Has faults explained when their time has come and keeps what was decided, with what is told of it. A few at once, each with a bound
// on its time: one that is slow or fails is tried again later and holds up nobody.

import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Fault } from '../../query/blame/case.ts'
import type { Explained } from '../../query/faults/explain-fault.ts'
import type { DueFault, FaultBook } from '../../query/faults/fault-book.ts'
import { faultEvents, toldOf } from '../publish/fault-event.ts'
import type { BlameMetrics } from './blame-metrics.ts'

const ROUND_MAX = 8
const TAKES_MS_MAX = 30_000

export type ExplainingParts = {
  readonly book: FaultBook
  /** Ends soon after the signal is aborted: until it has, no other is explained, for its questions still take their places. */
  readonly explain: (fault: Fault, nowMs: number, signal: AbortSignal) => Promise<Explained>
  readonly clock: Clock
  readonly isLeading: () => boolean
  readonly metrics: BlameMetrics
  readonly logger: Logger
  /** How long one may take; tests have less patience. */
  readonly takesMsMax?: number
}

export interface Explaining {
  /**
   * Explains those that are due, one after the other; who has no answer yet comes first, even when it began meanwhile.
   * @returns how many; 0 as well while another process leads
   */
  round(): Promise<number>
}

export function buildExplaining(parts: ExplainingParts): Explaining {
  const { book, explain, clock, isLeading, metrics, logger, takesMsMax = TAKES_MS_MAX } = parts

  async function explainOne(due: DueFault): Promise<void> {
    const nowMs = clock.now()
    const stop = metrics.seconds.startTimer()
    try {
      const { explanation, caseDigest, releases } = await within(takesMsMax, (signal) =>
        explain(due.fault, nowMs, signal),
      )
      const told = toldOf(explanation)
      const telling =
        told === due.told
          ? undefined
          : { told, events: faultEvents(due.fault, explanation, releases, due.decisions + 1) }
      // Another one leads by now: the decision is its to make.
      if (!isLeading()) return
      const decision = { explanation, caseDigest, decidedAtMs: nowMs, telling }
      if (await book.keep(due, decision, clock.now())) metrics.decisions.inc({ verdict: explanation.verdict })
    } catch (error) {
      metrics.failures.inc({ step: 'explain' })
      logger.warn({ err: error, fault: due.fault.id }, 'a fault could not be explained; it is tried again')
      await book.postpone(due, clock.now())
    } finally {
      stop()
    }
  }

  return {
    async round() {
      if (!isLeading()) return 0
      let explained = 0
      while (explained < ROUND_MAX && isLeading()) {
        const nowMs = clock.now()
        const due = await book.due(nowMs, ROUND_MAX)
        metrics.lateSeconds.set(Math.max(0, ...due.map(({ dueMs }) => nowMs - dueMs)) / 1000)
        const [first] = due
        if (first === undefined) break
        await explainOne(first)
        explained += 1
      }
      return explained
    },
  }
}

/** Tells work when its time is up, and waits until it has ended. @throws what the work throws, or that its time is up */
async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`it took longer than ${ms / 1000} s`)), ms)
  try {
    return await work(late.signal)
  } finally {
    clearTimeout(timer)
  }
}
