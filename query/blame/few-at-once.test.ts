import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Store } from '../../ingest/store/store.ts'
import { askFewAtOnce } from './few-at-once.ts'

const question = { name: 'one', sql: 'SELECT 1', parameters: z.object({}), row: z.object({}) }
const options = { lane: 'blame', secondsMax: 20 } as const

/** A store whose questions end when they are told to. */
function heldStore() {
  const ends: (() => void)[] = []
  const asked: unknown[] = []
  const store: Pick<Store, 'ask'> = {
    ask: (_question, _parameters, given) => {
      asked.push(given)
      return new Promise((resolve) => ends.push(() => resolve([])))
    },
  }
  return { store, ends, asked }
}
const settle = () => new Promise((resolve) => setImmediate(resolve))

describe('few at once', () => {
  test('so many run, the next when one ends', async () => {
    const { store, ends, asked } = heldStore()
    const few = askFewAtOnce(store, { atOnce: 2, options })
    const all = Promise.all(Array.from({ length: 5 }, () => few.ask(question, {})))
    for (let ended = 0; ended < 5; ended += 1) {
      await settle()
      expect(asked).toHaveLength(Math.min(5, ended + 2))
      ends[ended]?.()
    }
    await all
    expect(asked).toEqual(Array.from({ length: 5 }, () => options))
  })

  test('one that fails leaves its place, and after the signal nothing is asked any more', async () => {
    const { store, ends, asked } = heldStore()
    const failing: Pick<Store, 'ask'> = { ask: () => Promise.reject(new Error('no')) }
    const few = askFewAtOnce(failing, { atOnce: 1, options })
    const failed = await Promise.allSettled([few.ask(question, {}), few.ask(question, {})])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])

    const stop = new AbortController()
    const held = askFewAtOnce(store, { atOnce: 1, options, signal: stop.signal })
    const both = Promise.allSettled([held.ask(question, {}), held.ask(question, {})])
    await settle()
    stop.abort(new Error('time is up'))
    ends[0]?.()
    expect(await both).toMatchObject([{ status: 'fulfilled' }, { reason: { message: 'time is up' } }])
    expect(asked).toHaveLength(1)
  })
})
