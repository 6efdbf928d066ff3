import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { buildAccumulator, buildMemoryBudget, type Settled } from './accumulator.ts'

type Item = { readonly bytes: Uint8Array; readonly rows: number }
const item = (rows: number, bytes = 10): Item => ({ bytes: new Uint8Array(bytes), rows })
const clock = { now: () => Date.now() }
const bounds = { rowsDue: 10, rowsMax: 20, bytesMax: 1000 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function setUp(write?: (batch: readonly Item[]) => Promise<readonly Settled[]>) {
  const batches: (readonly Item[])[] = []
  const gauge = { set: vi.fn() }
  const budget = buildMemoryBudget(100_000, gauge)
  const stored = (batch: readonly Item[]) => Promise.resolve(batch.map((): Settled => ({ kind: 'stored' })))
  const accumulator = buildAccumulator<Item>(
    (batch) => {
      batches.push(batch)
      return (write ?? stored)(batch)
    },
    budget,
    clock,
    1000,
    bounds,
  )
  return { batches, budget, accumulator }
}

test('a few messages wait for company until the linger is over', async () => {
  const { accumulator, batches } = setUp()
  const settled = Promise.all([accumulator.add(item(1)), accumulator.add(item(1))])
  await vi.advanceTimersByTimeAsync(999)
  expect(batches).toHaveLength(0)
  await vi.advanceTimersByTimeAsync(1)
  expect(await settled).toEqual([{ kind: 'stored' }, { kind: 'stored' }])
  expect(batches).toHaveLength(1)
})

test('enough rows make a batch at once', async () => {
  const { accumulator, batches } = setUp()
  await Promise.all([accumulator.add(item(6)), accumulator.add(item(6))])
  expect(batches.map((batch) => batch.length)).toEqual([2])
})

test('one batch at a time; what comes meanwhile makes the next, never over the bounds', async () => {
  let release = () => {}
  const { accumulator, batches } = setUp(async (batch) => {
    if (batches.length === 1) await new Promise<void>((resolve) => (release = resolve))
    return batch.map(() => ({ kind: 'stored' }))
  })
  const first = accumulator.add(item(10))
  const rest = [15, 4, 4, 1].map((rows) => accumulator.add(item(rows)))
  await vi.advanceTimersByTimeAsync(5000)
  expect(batches).toHaveLength(1)
  release()
  await Promise.all([first, ...rest])
  expect(batches.map((batch) => batch.map(({ rows }) => rows))).toEqual([[10], [15, 4], [4, 1]])
})

test('a single message over the bounds is a batch of its own', async () => {
  const { accumulator, batches } = setUp()
  await Promise.all([accumulator.add(item(500)), accumulator.add(item(12))])
  expect(batches.map((batch) => batch.length)).toEqual([1, 1])
})

test('memory is taken at once and given back when the batch has ended, even badly', async () => {
  const { accumulator, budget } = setUp(() => Promise.reject(new Error('engine on fire')))
  const settled = accumulator.add(item(10, 500))
  expect(budget.used()).toBe(500)
  expect(await settled).toMatchObject({ kind: 'given-up', error: new Error('engine on fire') })
  expect(budget.used()).toBe(0)
})

test('a flush writes what waits without waiting for the linger', async () => {
  const { accumulator, batches } = setUp()
  const settled = accumulator.add(item(1))
  await accumulator.flush()
  expect(await settled).toEqual({ kind: 'stored' })
  expect(batches).toHaveLength(1)
})

test('discarding gives up what waits and lets the batch under way end', async () => {
  let release = () => {}
  const { accumulator, budget } = setUp(async (batch) => {
    await new Promise<void>((resolve) => (release = resolve))
    return batch.map(() => ({ kind: 'stored' }))
  })
  const under = accumulator.add(item(10))
  const waiting = accumulator.add(item(1))
  const discarded = accumulator.discard()
  expect(await waiting).toMatchObject({ kind: 'given-up' })
  release()
  await discarded
  expect(await under).toEqual({ kind: 'stored' })
  expect(budget.used()).toBe(0)
})

test.each([
  { name: 'back two hours', byMs: -7_200_000 },
  { name: 'forward two hours', byMs: 7_200_000 },
])('a clock that jumps $name keeps nobody waiting', async ({ byMs }) => {
  const { accumulator, batches } = setUp()
  const settled = accumulator.add(item(1))
  await vi.advanceTimersByTimeAsync(500)
  vi.setSystemTime(Date.now() + byMs)
  const second = accumulator.add(item(1))
  await vi.advanceTimersByTimeAsync(500)
  expect(await settled).toEqual({ kind: 'stored' })
  await vi.advanceTimersByTimeAsync(1000)
  expect(await second).toEqual({ kind: 'stored' })
  expect(batches.flat()).toHaveLength(2)
  expect(vi.getTimerCount()).toBe(0)
})
