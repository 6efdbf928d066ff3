// Work that is done round after round until Surety stops: the next round begins a pause after the last one ended, and after a
// failure later and later.

import type { ProcessParts } from '../ingest/process.ts'
import type { Database } from '../query/registry/database.ts'
import type { Registry } from '../query/registry/registry.ts'

/** What work gets that only one Surety of a registry does. */
export type LeadingParts = Pick<
  ProcessParts,
  'store' | 'lifecycle' | 'health' | 'metrics' | 'logger' | 'clock'
> & {
  readonly database: Database
  readonly registry: Registry
  readonly isLeading: () => boolean
}

/** More failures in a row than this are told by health. */
const FAILURES_QUIET = 2
const DOUBLINGS_MAX = 10

export type RoundsOrder = {
  readonly firstMs: number
  readonly everyMs: number
  readonly pauseMsMax: number
  /** @returns false: it did not succeed, though nothing was thrown */
  readonly round: () => Promise<boolean | void>
  /** Told of what a round threw. */
  readonly failed: (error: unknown) => void
}

export interface Rounds {
  /** What the last rounds threw, once it is more than a hiccup. */
  trouble(): string | undefined
  /** No round begins any more; resolves when the last one ended. */
  stop(): Promise<void>
}

export function startRounds({ firstMs, everyMs, pauseMsMax, round, failed }: RoundsOrder): Rounds {
  let failures = 0
  let lastFailure = ''
  let isStopped = false
  let timer: NodeJS.Timeout
  let running: Promise<void> = Promise.resolve()
  async function once(): Promise<void> {
    try {
      failures = (await round()) === false ? failures + 1 : 0
      lastFailure = ''
    } catch (error) {
      failures += 1
      lastFailure = error instanceof Error ? error.message : String(error)
      failed(error)
    }
    const pauseMs = Math.min(pauseMsMax, everyMs * 2 ** Math.min(failures, DOUBLINGS_MAX))
    if (!isStopped) timer = setTimeout(start, pauseMs)
  }
  const start = () => void (running = once())
  timer = setTimeout(start, firstMs)
  return {
    trouble: () => (failures > FAILURES_QUIET && lastFailure !== '' ? lastFailure : undefined),
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
