import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { pino } from 'pino'
import type { DeadLetter } from '../records/dead-letter.ts'
import { buildLogger } from '../runtime/logger.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { StoreError } from '../store/store.ts'
import { buildDeadLetterBox } from './dead-letter-box.ts'

const NOW_MS = Date.UTC(2026, 10, 20, 8, 30, 15, 7)
const MIB = 1024 * 1024

const letter = (payload: Uint8Array, given: Partial<DeadLetter> = {}): DeadLetter => ({
  reason: 'engine-refused',
  detail: 'Cannot parse',
  origin: 'kafka otlp_spans/3@1042',
  format: 'otlp_proto traces',
  payload,
  ...given,
})

type Insert = {
  readonly table: string
  readonly rows: readonly Record<string, unknown>[]
  readonly token: string
}

function setUp(failures: Error[] = [], logger = buildLogger('silent')) {
  const inserts: Insert[] = []
  const metrics = buildMetrics()
  const store = {
    ask: () => Promise.resolve([]),
    insertRows(table: string, _: unknown, rows: readonly Record<string, unknown>[], token: string) {
      const failure = failures.shift()
      if (failure !== undefined) return Promise.reject(failure)
      inserts.push({ table, rows, token })
      return Promise.resolve()
    },
  }
  return { box: buildDeadLetterBox(store, metrics, logger, { now: () => NOW_MS }), inserts, metrics }
}

test('without its bytes only the record of a letter is kept, and a recovery still knows it', async () => {
  const inserts: Record<string, unknown>[] = []
  const kept = { origin: 'kafka otlp_spans/3@1042', reason: 'engine-refused', digest: hash('md5', '') }
  const store = {
    ask: () => Promise.resolve([kept] as never[]),
    insertRows(_table: string, _columns: unknown, rows: readonly Record<string, unknown>[]) {
      inserts.push(...rows)
      return Promise.resolve()
    },
  }
  const clock = { now: () => NOW_MS }
  const box = buildDeadLetterBox(store, buildMetrics(), buildLogger('silent'), clock, false)
  await box.add([letter(Buffer.from([1, 2, 3]))], 'token')
  expect(inserts).toMatchObject([{ size: 3, payload: '' }])
  expect(await box.missing([letter(Buffer.from([1, 2, 3]))])).toEqual([])
})

test('a letter is kept whole, with why and where from', async () => {
  const { box, inserts } = setUp()
  await box.add([letter(Buffer.from([0, 255, 10, 39]))], 'token')
  expect(inserts).toEqual([
    {
      table: 'dead_letters',
      token: 'token#0',
      rows: [
        {
          at: '2026-11-20 08:30:15.007',
          origin: 'kafka otlp_spans/3@1042',
          reason: 'engine-refused',
          detail: 'Cannot parse',
          format: 'otlp_proto traces',
          size: 4,
          payload: 'AP8KJw==',
        },
      ],
    },
  ])
})

test('no letters, no insert', async () => {
  const { box, inserts } = setUp()
  await box.add([], 'token')
  expect(inserts).toEqual([])
})

test.each([
  { name: 'a message of exactly the limit keeps its bytes', size: 16 * MIB, kept: 16 * MIB },
  {
    name: 'beyond the limit the record stays and says how large the message was',
    size: 16 * MIB + 1,
    kept: 0,
  },
])('$name', async ({ size, kept }) => {
  const { box, inserts } = setUp()
  await box.add([letter(new Uint8Array(size))], 'token')
  const [row] = inserts[0]?.rows ?? []
  expect(row?.['size']).toBe(size)
  expect(Buffer.from(String(row?.['payload']), 'base64').length).toBe(kept)
})

test('a long explanation is cut', async () => {
  const { box, inserts } = setUp()
  await box.add([letter(new Uint8Array(), { detail: 'x'.repeat(5000) })], 'token')
  expect(inserts[0]?.rows[0]?.['detail']).toHaveLength(2000)
})

test('many large letters go in a few at a time; each insert has a token of its own, the same in every run', async () => {
  const letters = Array.from({ length: 7 }, () => letter(new Uint8Array(10 * MIB)))
  const runs = await Promise.all(
    [1, 2].map(async () => {
      const { box, inserts } = setUp()
      await box.add(letters, 'token')
      return inserts.map(({ token, rows }) => ({ token, rows: rows.length }))
    }),
  )
  expect(runs[0]).toEqual([
    { token: 'token#0', rows: 3 },
    { token: 'token#3', rows: 3 },
    { token: 'token#6', rows: 1 },
  ])
  expect(runs[1]).toEqual(runs[0])
})

test('a failing store is told to the caller, and nothing is counted until everything is stored', async () => {
  const busy = new StoreError('SURETY_STORE_BUSY', 'full')
  const { box, inserts, metrics } = setUp([busy, busy])
  const letters = [letter(Buffer.from('a')), letter(Buffer.from('b'), { reason: 'malformed' })]
  await expect(box.add(letters, 'token')).rejects.toBe(busy)
  await expect(box.add(letters, 'token')).rejects.toBe(busy)
  expect(await metrics.registry.metrics()).not.toContain('surety_ingest_dead_letters_total{')
  await box.add(letters, 'token')
  expect(inserts.map(({ token }) => token)).toEqual(['token#0'])
  const text = await metrics.registry.metrics()
  expect(text).toContain('surety_ingest_dead_letters_total{reason="engine-refused"} 1')
  expect(text).toContain('surety_ingest_dead_letters_total{reason="malformed"} 1')
})

test('the log says that messages were set aside, once a call and without their content', async () => {
  const lines: string[] = []
  const { box } = setUp([], pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }))
  await box.add([letter(Buffer.from('account 6222')), letter(Buffer.from('b'))], 'token')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ count: 2, reason: 'engine-refused' })
  expect(lines[0]).not.toContain('6222')
})
