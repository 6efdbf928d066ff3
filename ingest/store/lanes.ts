// Lanes keep heavy questions from light ones: each has so many places, and a bounded queue before them. What a place is
// (an embedded connection, a request under way to a server) its owner knows.

import { StoreError } from './store-error.ts'

/**
 * light: answers in milliseconds. heavy: may scan. blame: from alarm to explanation, held up by no page and no derivation. insert: batches.
 * admin: migrations and upkeep.
 */
export type Lane = 'light' | 'heavy' | 'blame' | 'insert' | 'admin'

const LANES: Readonly<Record<Lane, { places: number; queueMax: number }>> = {
  light: { places: 4, queueMax: 200 },
  heavy: { places: 2, queueMax: 20 },
  blame: { places: 2, queueMax: 20 },
  insert: { places: 2, queueMax: 64 },
  admin: { places: 1, queueMax: 200 },
}

/** Places of all lanes together. */
export const PLACES = Object.values(LANES).reduce((sum, { places }) => sum + places, 0)

export interface Lanes<Place> {
  /** Runs work with a free place of the lane. @throws StoreError, busy, when the lane's queue is full */
  run<T>(lane: Lane, work: (place: Place) => Promise<T>): Promise<T>
  /** Resolves when nothing runs any more. */
  settled(): Promise<void>
}

/** @param open  makes one place; called once for each */
export function buildLanes<Place>(open: () => Place): Lanes<Place> {
  const running = new Set<Promise<unknown>>()
  const states = new Map<Lane, { idle: Place[]; waiting: ((place: Place) => void)[] }>()
  for (const lane of Object.keys(LANES) as Lane[]) {
    states.set(lane, { idle: Array.from({ length: LANES[lane].places }, open), waiting: [] })
  }

  function acquire(lane: Lane): Promise<Place> {
    const state = states.get(lane)
    if (state === undefined) throw new Error(`no lane ${lane}`)
    if (state.idle.length > 0) return Promise.resolve(state.idle.pop() as Place)
    if (state.waiting.length >= LANES[lane].queueMax) {
      const text = `The store has ${state.waiting.length} ${lane} queries waiting; try again in a few seconds`
      return Promise.reject(new StoreError('SURETY_STORE_BUSY', text))
    }
    return new Promise((resolve) => state.waiting.push(resolve))
  }

  function release(lane: Lane, place: Place): void {
    const state = states.get(lane)
    const next = state?.waiting.shift()
    if (next === undefined) state?.idle.push(place)
    else next(place)
  }

  return {
    async run(lane, work) {
      const place = await acquire(lane)
      const under = work(place)
      running.add(under)
      try {
        return await under
      } finally {
        running.delete(under)
        release(lane, place)
      }
    },
    settled: async () => void (await Promise.allSettled(running)),
  }
}
