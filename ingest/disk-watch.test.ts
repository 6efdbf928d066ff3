import { expect, test } from 'vitest'
import { pino } from 'pino'
import { buildMetrics } from './runtime/metrics.ts'
import { StoreError } from './store/store.ts'
import { buildDiskWatch } from './disk-watch.ts'

type Part = { readonly table: string; readonly id: string; readonly bytes: number }

function setUp(parts: Part[], bytesMax: number) {
  let nowMs = 0
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    {},
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  )
  const metrics = buildMetrics()
  const failures: Error[] = []
  let stood = 0
  const store = {
    rows: () => {
      const failure = failures.shift()
      return failure === undefined
        ? Promise.resolve(parts.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
        : Promise.reject(failure)
    },
    command(sql: string) {
      const [, table, id] = /^ALTER TABLE (\w+) DROP PARTITION ID '(\d+)'$/.exec(sql) ?? []
      parts.splice(0, parts.length, ...parts.filter((part) => part.table !== table || part.id !== id))
      return Promise.resolve()
    },
  }
  const still = <T>(work: () => Promise<T>) => {
    stood += 1
    return work()
  }
  const watch = buildDiskWatch({ store, still, clock: { now: () => nowMs }, metrics, logger, bytesMax })
  const left = () => parts.map(({ table, id }) => `${table} ${id}`).toSorted()
  return { watch, left, lines, metrics, failures, stood: () => stood, pass: (ms: number) => (nowMs += ms) }
}

const day = (table: string, number: number, bytes: number): Part => ({ table, id: `2026110${number}`, bytes })

test('within the limit nothing is touched and writers do not stand still', async () => {
  const { watch, left, stood, metrics } = setUp([day('spans', 1, 60), day('spans', 2, 40)], 100)
  await watch.look()
  expect(left()).toHaveLength(2)
  expect(stood()).toBe(0)
  expect((await metrics.storeBytes.get()).values[0]?.value).toBe(100)
})

test('the oldest days of spans go first, with their trace look-up, no more of them than must', async () => {
  const parts = [1, 2, 3, 4].flatMap((n) => [
    day('spans', n, 50),
    day('trace_roots', n, 5),
    day('requests_10s', n, 10),
  ])
  const { watch, left, lines, metrics } = setUp(parts, 160)
  await watch.look()
  expect(left()).toEqual(
    [1, 2, 3, 4]
      .flatMap((n) =>
        n <= 2
          ? [`requests_10s 2026110${n}`]
          : ['requests_10s', 'spans', 'trace_roots'].map((t) => `${t} 2026110${n}`),
      )
      .toSorted(),
  )
  expect(lines.map(({ table, day: at }) => `${String(table)} ${String(at)}`)).toEqual([
    'spans 2026-11-01',
    'trace_roots 2026-11-01',
    'spans 2026-11-02',
    'trace_roots 2026-11-02',
  ])
  expect((await metrics.droppedBytes.get()).values.map(({ labels, value }) => [labels.table, value])).toEqual(
    [
      ['spans', 100],
      ['trace_roots', 10],
    ],
  )
})

test('then the 10-second counts; the newest day and everything else stays, and an operator is told hourly', async () => {
  const parts = [1, 2, 3].flatMap((n) => [
    day('spans', n, 50),
    day('requests_10s', n, 10),
    day('requests_1m', n, 10),
  ])
  const { watch, left, lines, pass } = setUp(parts, 20)
  await watch.look()
  expect(left()).toEqual([
    'requests_10s 20261103',
    'requests_1m 20261101',
    'requests_1m 20261102',
    'requests_1m 20261103',
    'spans 20261103',
  ])
  const told = () => lines.filter(({ msg }) => String(msg).includes('raise it or send less')).length
  expect(told()).toBe(1)
  await watch.look()
  expect(told()).toBe(1)
  pass(3_600_000)
  await watch.look()
  expect(told()).toBe(2)
})

test('without a limit only the size is measured', async () => {
  const { watch, left } = setUp([day('spans', 1, 1e15), day('spans', 2, 1e15)], 0)
  await watch.look()
  expect(left()).toHaveLength(2)
})

test('a store that is busy is asked again at the next look', async () => {
  const { watch, left, failures } = setUp([day('spans', 1, 60), day('spans', 2, 60)], 100)
  failures.push(new StoreError('SURETY_STORE_BUSY', 'busy'), new StoreError('SURETY_STORE_BUSY', 'busy'))
  await watch.look()
  await watch.look()
  expect(left()).toHaveLength(2)
  await watch.look()
  expect(left()).toEqual(['spans 20261102'])
})
