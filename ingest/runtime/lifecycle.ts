// A straight start and a reverse, bounded stop. States: open → stopping → stopped.
// Parts are handed over as they open; stop closes them in reverse, each within what is left of the bound.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from './logger.ts'

export interface Lifecycle {
  /** Hands over a part that was just opened. Parts close in reverse order of this call. */
  add(name: string, close: () => Promise<void> | void): void
  /** Closes everything once. A part that fails or overruns is logged and left behind, never waited for. */
  stop(): Promise<void>
}

/** @param stopTimeoutMs the whole stop takes no longer than this */
export function buildLifecycle(logger: Logger, stopTimeoutMs = 20_000): Lifecycle {
  const parts: { name: string; close: () => Promise<void> | void }[] = []
  let stopping: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    const deadline = Date.now() + stopTimeoutMs
    for (const part of parts.toReversed()) {
      const overrun = new AbortController()
      const left = Math.max(50, deadline - Date.now())
      try {
        const late = sleep(left, 'late' as const, { signal: overrun.signal }).catch(() => 'closed' as const)
        const outcome = await Promise.race([Promise.resolve(part.close()), late])
        if (outcome === 'late')
          logger.error({ part: part.name, waitedMs: left }, 'a part did not close in time')
      } catch (error) {
        logger.error({ part: part.name, err: error }, 'a part failed to close')
      } finally {
        overrun.abort()
      }
    }
  }

  return {
    add: (name, close) => void parts.push({ name, close }),
    stop: () => (stopping ??= closeAll()),
  }
}

/** Resolves with the first SIGINT or SIGTERM. A second signal ends the process at once. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let seen = false
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (seen) process.exit(130)
        seen = true
        resolve(signal)
      })
    }
  })
}
