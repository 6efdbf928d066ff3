// Looks every minute at how big the store is and lets the oldest days go when it is over its limit.

import type { Clock } from './runtime/clock.ts'
import type { Logger } from './runtime/logger.ts'
import type { Metrics } from './runtime/metrics.ts'
import { keepWithin } from './store/disk-limit.ts'
import type { Store } from './store/store.ts'

export type DiskWatchParts = {
  readonly store: Pick<Store, 'command' | 'rows'>
  readonly still: <T>(work: () => Promise<T>) => Promise<T>
  readonly clock: Clock
  readonly metrics: Metrics
  readonly logger: Logger
  /** 0 for no limit. */
  readonly bytesMax: number
}

export interface DiskWatch {
  /** One look; never throws. */
  look(): Promise<void>
  start(): void
  close(): Promise<void>
}

const LOOK_EVERY_MS = 60_000
const REMIND_EVERY_MS = 3_600_000

export function buildDiskWatch({
  store,
  still,
  clock,
  metrics,
  logger,
  bytesMax,
}: DiskWatchParts): DiskWatch {
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> = Promise.resolve()
  let remindedAt = Number.NEGATIVE_INFINITY

  async function look(): Promise<void> {
    try {
      const { bytes, dropped } = await keepWithin(store, bytesMax, still)
      metrics.storeBytes.set(bytes)
      for (const { table, day, bytes: size } of dropped) {
        metrics.droppedBytes.inc({ table }, size)
        logger.warn(
          { table, day, bytes: size, bytesMax },
          'a day was dropped: the store was over SURETY_STORE_BYTES_MAX',
        )
      }
      if (bytesMax > 0 && bytes > bytesMax && clock.now() - remindedAt >= REMIND_EVERY_MS) {
        remindedAt = clock.now()
        logger.warn(
          { bytes, bytesMax },
          'the store is over SURETY_STORE_BYTES_MAX and only the newest day and what never goes for size is left; raise it or send less',
        )
      }
    } catch (error) {
      logger.warn({ err: error }, 'the size of the store could not be kept; trying again in a minute')
    }
  }

  const next = () => (looking = looking.then(look))
  return {
    look: next,
    start() {
      void next()
      timer = setInterval(() => void next(), LOOK_EVERY_MS)
    },
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}
