import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startRounds } from './rounds.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function begin(round: () => Promise<boolean | void>) {
  const told: unknown[] = []
  const rounds = startRounds({
    firstMs: 100,
    everyMs: 1000,
    pauseMsMax: 5000,
    round,
    failed: (error) => told.push(error),
  })
  return { rounds, told }
}

test('rounds come one after another, and none after the stop', async () => {
  let count = 0
  const { rounds } = begin(async () => void (count += 1))
  await vi.advanceTimersByTimeAsync(100)
  expect(count).toBe(1)
  await vi.advanceTimersByTimeAsync(3000)
  expect(count).toBe(4)
  await rounds.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(count).toBe(4)
})

test('what fails is told, tried again later and later, and is trouble from the third time on', async () => {
  const atMs: number[] = []
  const beganMs = Date.now()
  let isBroken = true
  const { rounds, told } = begin(async () => {
    atMs.push(Date.now() - beganMs)
    if (isBroken) throw new Error('not now')
  })
  await vi.advanceTimersByTimeAsync(2500)
  expect(rounds.trouble()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(13_000)
  expect(atMs).toEqual([100, 2100, 6100, 11_100])
  expect(told).toHaveLength(4)
  expect(rounds.trouble()).toBe('not now')
  isBroken = false
  await vi.advanceTimersByTimeAsync(1000)
  expect(rounds.trouble()).toBeUndefined()
  await rounds.stop()
})

test('a round that says it did not succeed slows down and is no trouble of its own', async () => {
  let count = 0
  const { rounds, told } = begin(async () => {
    count += 1
    return false
  })
  await vi.advanceTimersByTimeAsync(12_000)
  expect(count).toBe(4)
  expect([told, rounds.trouble()]).toEqual([[], undefined])
  await rounds.stop()
})

test('a stop waits for the round that is under way', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { rounds } = begin(() => promise)
  await vi.advanceTimersByTimeAsync(100)
  let isStopped = false
  const stopping = rounds.stop().then(() => (isStopped = true))
  await vi.advanceTimersByTimeAsync(1000)
  expect(isStopped).toBe(false)
  resolve()
  await stopping
})
