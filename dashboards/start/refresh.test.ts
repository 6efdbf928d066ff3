import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startRefresh } from './refresh.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function scene() {
  const rounds: { signal: AbortSignal; resolve: () => void; reject: (error: Error) => void }[] = []
  const failures: number[] = []
  let hidden = false
  let changed = () => {}
  const refresh = startRefresh({
    intervalMs: 2000,
    retryMaxMs: 30_000,
    load: (signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      rounds.push({ signal, resolve, reject })
      return promise
    },
    onFailure: (_error, retryInMs) => void failures.push(retryInMs),
    isHidden: () => hidden,
    watchVisibility: (callback) => {
      changed = callback
      return () => {}
    },
  })
  const hide = (value: boolean) => {
    hidden = value
    changed()
  }
  const settle = () => vi.advanceTimersByTimeAsync(0)
  return { rounds, failures, refresh, hide, settle }
}

describe('refresh', () => {
  test('a slow round is not overtaken by the next one', async () => {
    const { rounds, settle } = scene()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(rounds).toHaveLength(1)
    rounds[0]?.resolve()
    await settle()
    await vi.advanceTimersByTimeAsync(1999)
    expect(rounds).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(rounds).toHaveLength(2)
  })

  test('waits longer after each failure, up to a bound, and is quick again after a success', async () => {
    const { rounds, failures, settle } = scene()
    for (let index = 0; index < 6; index++) {
      rounds.at(-1)?.reject(new Error('down'))
      await settle()
      await vi.advanceTimersByTimeAsync(failures.at(-1) ?? 0)
    }
    expect(failures).toEqual([4000, 8000, 16_000, 30_000, 30_000, 30_000])
    rounds.at(-1)?.resolve()
    await settle()
    const before = rounds.length
    await vi.advanceTimersByTimeAsync(2000)
    expect(rounds).toHaveLength(before + 1)
  })

  test('rests while the tab is hidden and loads at once when it is shown', async () => {
    const { rounds, hide, settle } = scene()
    rounds[0]?.resolve()
    await settle()
    hide(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(rounds).toHaveLength(1)
    hide(false)
    expect(rounds).toHaveLength(2)
  })

  test('a choice of the reader aborts the round under way, whose outcome no longer counts', async () => {
    const { rounds, failures, refresh, settle } = scene()
    refresh.now()
    expect(rounds[0]?.signal.aborted).toBe(true)
    rounds[0]?.reject(new Error('aborted'))
    await settle()
    expect(failures).toEqual([])
    rounds[1]?.resolve()
    await settle()
    await vi.advanceTimersByTimeAsync(2000)
    expect(rounds).toHaveLength(3)
  })

  test('stops for good', async () => {
    const { rounds, refresh, hide } = scene()
    refresh.stop()
    hide(false)
    refresh.now()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(rounds).toHaveLength(1)
    expect(rounds[0]?.signal.aborted).toBe(true)
  })
})
