import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DeadLetter } from '../records/dead-letter.ts'
import { buildLogger } from '../runtime/logger.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { StoreError, type InsertJob, type StoreErrorCode } from '../store/store.ts'
import { prepareTraces, type PreparedTraces } from './prepare.ts'
import { buildTraceSignal } from './trace-signal.ts'
import { buildBatchWriter, type Written } from './batch-writer.ts'

// Fake timers do not reach the promised ones of Node; these wait on the global timers, which are faked.
vi.mock('node:timers/promises', () => ({
  setTimeout: (delayMs: number, value: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) reject(new Error('aborted'))
      signal.addEventListener('abort', () => reject(new Error('aborted')))
      setTimeout(() => resolve(value), delayMs)
    }),
}))

const DAY_MS = 86_400_000
const IDENTITY = { token: 'kafka/otlp_spans/0/5-9', door: 'kafka', patienceMs: 8000 }
const CANARY = 'canary'

type Insert = {
  readonly token: string
  /** Names of the messages in the body. */
  readonly names: readonly string[]
  /** Tokens of the statements in order. */
  readonly tokens: readonly string[]
  readonly sql: readonly string[]
}

const EMPTY = prepareTraces(new Uint8Array(), '', 0, { retentionMs: 0, aheadMs: 0 })
const item = (name: string, given: Partial<PreparedTraces> = {}): PreparedTraces => ({
  ...EMPTY,
  bytes: Buffer.from(name),
  rows: 1,
  resources: ['resource'],
  origin: `kafka otlp_spans/0@${name}`,
  ...given,
})
const items = (...names: string[]) => names.map((name) => item(name))
const failure = (code: StoreErrorCode, message: string = code) => new StoreError(code, message, 1)

/** A transport that takes what `refuse` has no objection to; every attempt is written down. */
function setUp(refuse: (insert: Insert, attempt: number) => Error | undefined = () => undefined) {
  const inserts: Insert[] = []
  const stored: string[] = []
  const letters: { letter: DeadLetter; token: string }[] = []
  const metrics = buildMetrics()
  const box = {
    add: vi.fn((added: readonly DeadLetter[], token: string) => {
      letters.push(...added.map((letter) => ({ letter, token })))
      return Promise.resolve()
    }),
    missing: (asked: readonly DeadLetter[]) => Promise.resolve(asked),
  }
  const transport = {
    insert(job: InsertJob) {
      const [, ...messages] = job.body
      const sql = job.statements.map((statement) => statement.sql((structure) => `source('${structure}')`))
      const tokens = job.statements.map(({ token }) => token)
      const names = messages.map((message) => Buffer.from(message).toString())
      const insert = { token: tokens.at(-1) ?? '', names, tokens, sql }
      inserts.push(insert)
      const error = refuse(insert, inserts.length)
      if (error !== undefined) return Promise.reject(error)
      stored.push(...names)
      return Promise.resolve()
    },
    close: () => Promise.resolve(),
  }
  const clock = { now: () => Date.now() }
  const writer = buildBatchWriter({
    store: {
      transport,
      command: () => Promise.resolve(),
      rows: () => Promise.resolve([]),
      place: { kind: 'embedded' },
    },
    deadLetters: box,
    signal: buildTraceSignal({ rules: [], metrics, clock }),
    metrics,
    logger: buildLogger('silent'),
    clock,
  })
  return { writer, inserts, stored, letters, box, metrics }
}

/** What became of a write once all the waiting in it is over. */
async function ended(written: Promise<Written>): Promise<Written> {
  const state = { isOver: false }
  void written.catch(() => undefined).then(() => (state.isOver = true))
  for (let step = 0; step < 1000 && !state.isOver; step += 1) await vi.advanceTimersByTimeAsync(100)
  return written
}

const refusedNames = (written: Written) =>
  written.kind === 'stored'
    ? [...written.refused.keys()].map(({ bytes }) => Buffer.from(bytes).toString())
    : []

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 20) }))
afterEach(() => void vi.useRealTimers())

describe('a busy store', () => {
  const busy = failure('SURETY_STORE_BUSY', 'too many parts')

  test('is waited for: after two failures the same batch goes in under the same token', async () => {
    const { writer, inserts, stored, box } = setUp((_, attempt) => (attempt <= 2 ? busy : undefined))
    const written = writer.write(items('a', 'b'), IDENTITY)
    await vi.advanceTimersByTimeAsync(99)
    expect(inserts).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(inserts).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(199)
    expect(inserts).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(1)
    expect(await written).toEqual({ kind: 'stored', refused: new Map() })
    expect(inserts.map(({ token }) => token)).toEqual([IDENTITY.token, IDENTITY.token, IDENTITY.token])
    expect(stored).toEqual(['a', 'b'])
    expect(box.add.mock.calls.flatMap(([letters]) => letters)).toEqual([])
  })

  test('is given up when patience is over, with its error; nothing becomes a dead letter', async () => {
    const startedAt = Date.now()
    const { writer, box } = setUp(() => busy)
    expect(await ended(writer.write(items('a'), IDENTITY))).toEqual({ kind: 'given-up', error: busy })
    expect(Date.now() - startedAt).toBeGreaterThan(IDENTITY.patienceMs)
    expect(Date.now() - startedAt).toBeLessThan(10_000)
    expect(box.add).not.toHaveBeenCalled()
  })

  test('is waited for without end when the batch can be read again', async () => {
    const { writer, inserts, stored } = setUp((_, attempt) => (attempt <= 100 ? busy : undefined))
    const written = writer.write(items('a'), { ...IDENTITY, patienceMs: Number.POSITIVE_INFINITY })
    await vi.advanceTimersByTimeAsync(600_000)
    expect(await written).toMatchObject({ kind: 'stored' })
    expect(inserts).toHaveLength(101)
    expect(stored).toEqual(['a'])
  })

  test('is given up at once after hurry, also by a batch that comes later', async () => {
    const { writer, inserts } = setUp(() => busy)
    const forever = { ...IDENTITY, patienceMs: Number.POSITIVE_INFINITY }
    const written = writer.write(items('a'), forever)
    await vi.advanceTimersByTimeAsync(1000)
    const before = inserts.length
    writer.hurry()
    expect(await written).toEqual({ kind: 'given-up', error: busy })
    expect(inserts.length).toBeLessThanOrEqual(before + 1)
    expect(await writer.write(items('b'), forever)).toEqual({ kind: 'given-up', error: busy })
  })

  test('takes a batch after hurry if it has room: hurry ends waiting, not writing', async () => {
    const { writer, stored } = setUp()
    writer.hurry()
    expect(await writer.write(items('a'), IDENTITY)).toMatchObject({ kind: 'stored' })
    expect(stored).toEqual(['a'])
  })

  test('an error that is none of the store is nobody’s to swallow', async () => {
    const { writer } = setUp(() => new TypeError('a mistake of ours'))
    await expect(writer.write(items('a'), IDENTITY)).rejects.toThrow('a mistake of ours')
  })
})

describe('a refused batch', () => {
  const refused = failure('SURETY_STORE_REFUSED', 'Cannot parse protobuf\nstack of the engine')
  const names = ['a', 'b', 'BAD', 'c', 'd', 'e', 'f', 'g']
  const refuseBad = (insert: Insert) => (insert.names.includes('BAD') ? refused : undefined)

  test('is halved until the culprit is alone; the others are stored', async () => {
    const { writer, stored, inserts } = setUp(refuseBad)
    const written = await writer.write(items(...names), IDENTITY)
    expect(refusedNames(written)).toEqual(['BAD'])
    expect(written).toMatchObject({ kind: 'stored' })
    expect(stored.toSorted()).toEqual(names.filter((name) => name !== 'BAD').toSorted())
    expect(inserts).toHaveLength(7)
  })

  test('gives every part a token of its own, the same in every run', async () => {
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const { writer, inserts } = setUp(refuseBad)
        await writer.write(items(...names), IDENTITY)
        return inserts.map(({ token, names: part }) => `${token} = ${part.join('')}`)
      }),
    )
    expect(runs[0]).toEqual(runs[1])
    expect(runs[0]).toEqual([
      `${IDENTITY.token} = abBADcdefg`,
      `${IDENTITY.token}#0+4 = abBADc`,
      `${IDENTITY.token}#0+2 = ab`,
      `${IDENTITY.token}#2+2 = BADc`,
      `${IDENTITY.token}#2+1 = BAD`,
      `${IDENTITY.token}#3+1 = c`,
      `${IDENTITY.token}#4+4 = defg`,
    ])
  })

  test('a part that failed while the store was busy keeps its token', async () => {
    const busyOnce = failure('SURETY_STORE_BUSY')
    const { writer, inserts } = setUp((insert, attempt) => (attempt === 2 ? busyOnce : refuseBad(insert)))
    await ended(writer.write(items('BAD', 'b'), IDENTITY))
    expect(inserts.map(({ token }) => token)).toEqual([
      IDENTITY.token,
      `${IDENTITY.token}#0+1`,
      `${IDENTITY.token}#0+1`,
      `${IDENTITY.token}#1+1`,
    ])
  })

  test('the culprit becomes a dead letter: why, where from, and its bytes', async () => {
    const { writer, letters } = setUp(refuseBad)
    await writer.write(items(...names), IDENTITY)
    expect(letters).toEqual([
      {
        token: `${IDENTITY.token}/dead`,
        letter: {
          reason: 'engine-refused',
          detail: 'Cannot parse protobuf',
          origin: 'kafka otlp_spans/0@BAD',
          format: 'otlp_proto traces',
          payload: Buffer.from('BAD'),
        },
      },
    ])
  })

  test('rows are counted without the refused', async () => {
    const { writer, metrics } = setUp(refuseBad)
    await writer.write([item('a', { rows: 7, expiredRows: 2 }), item('BAD', { rows: 5 })], IDENTITY)
    const text = await metrics.registry.metrics()
    expect(text).toContain('surety_ingest_rows_total{table="spans",door="kafka"} 7')
    expect(text).toContain('surety_ingest_expired_spans_total{door="kafka"} 2')
  })
})

describe('a batch that is too big', () => {
  const tooBig = failure('SURETY_STORE_TOO_BIG', 'memory limit exceeded')

  test('is split and needs no dead letter when its halves fit', async () => {
    const { writer, stored, letters } = setUp((insert) => (insert.names.length > 1 ? tooBig : undefined))
    expect(await writer.write(items('a', 'b', 'c'), IDENTITY)).toEqual({ kind: 'stored', refused: new Map() })
    expect(stored).toEqual(['a', 'b', 'c'])
    expect(letters).toEqual([])
  })

  test('alone it is tried three times, then set aside as too big', async () => {
    const { writer, stored, inserts, letters } = setUp((insert) =>
      insert.names.includes('HUGE') ? tooBig : undefined,
    )
    const written = await ended(writer.write(items('HUGE', 'b'), IDENTITY))
    expect(refusedNames(written)).toEqual(['HUGE'])
    expect(stored).toEqual(['b'])
    expect(inserts.filter(({ names }) => names.join('') === 'HUGE')).toHaveLength(3)
    expect(letters.map(({ letter }) => letter)).toEqual([
      expect.objectContaining({
        reason: 'too-big',
        detail: 'too big: memory limit exceeded',
        payload: Buffer.from('HUGE'),
      }),
    ])
  })

  test('alone it is stored when memory comes free before the third attempt', async () => {
    const { writer, stored, letters } = setUp((_, attempt) => (attempt <= 2 ? tooBig : undefined))
    expect(await ended(writer.write(items('big'), IDENTITY))).toMatchObject({ kind: 'stored' })
    expect(stored).toEqual(['big'])
    expect(letters).toEqual([])
  })
})

describe('an error that we do not know', () => {
  const unknown = failure('SURETY_STORE_QUERY', 'LOGICAL_ERROR')
  const isCanary = ({ token }: Insert) => token === CANARY

  test('is this data when an empty batch goes in: the culprit is found and set aside', async () => {
    const { writer, stored, letters, inserts } = setUp((insert) =>
      insert.names.includes('BAD') ? unknown : undefined,
    )
    const written = await writer.write(items('a', 'BAD', 'c'), IDENTITY)
    expect(refusedNames(written)).toEqual(['BAD'])
    expect(stored.toSorted()).toEqual(['a', 'c'])
    expect(letters.map(({ letter }) => letter.reason)).toEqual(['engine-refused'])
    expect(inserts.filter(isCanary).every(({ names }) => names.length === 0)).toBe(true)
  })

  test('is the store when even an empty batch fails: it waits and sets nothing aside', async () => {
    let isBroken = true
    const { writer, stored, letters, inserts } = setUp(() => (isBroken ? unknown : undefined))
    const written = writer.write(items('a', 'b'), { ...IDENTITY, patienceMs: Number.POSITIVE_INFINITY })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(inserts.filter((insert) => !isCanary(insert)).every(({ names }) => names.length === 2)).toBe(true)
    expect(letters).toEqual([])
    isBroken = false
    expect(await ended(written)).toEqual({ kind: 'stored', refused: new Map() })
    expect(stored).toEqual(['a', 'b'])
    expect(letters).toEqual([])
  })

  test('is given up when the store stays broken beyond patience', async () => {
    const { writer, letters } = setUp(() => unknown)
    expect(await ended(writer.write(items('a'), IDENTITY))).toEqual({ kind: 'given-up', error: unknown })
    expect(letters).toEqual([])
  })
})

describe('resources', () => {
  const writes = (insert: Insert | undefined) =>
    insert?.sql.map((sql) => /^INSERT INTO (\w+)/.exec(sql)?.[1]).join(', ')

  test('are written before the spans that refer to them, under a token of their own, and only when unseen', async () => {
    const { writer, inserts } = setUp()
    await writer.write(items('a'), IDENTITY)
    await writer.write(items('b'), { ...IDENTITY, token: 'second' })
    await writer.write([item('c', { resources: ['resource', 'another'] })], { ...IDENTITY, token: 'third' })
    expect(inserts.map(writes)).toEqual(['resources, spans', 'spans', 'resources, spans'])
    expect(inserts.map(({ tokens }) => tokens)).toEqual([
      [`${IDENTITY.token}/resources`, IDENTITY.token],
      ['second'],
      ['third/resources', 'third'],
    ])
  })

  test('are written again after an insert that failed', async () => {
    const busy = failure('SURETY_STORE_BUSY')
    const { writer, inserts } = setUp((_, attempt) => (attempt === 1 ? busy : undefined))
    await ended(writer.write(items('a'), IDENTITY))
    await writer.write(items('b'), { ...IDENTITY, token: 'second' })
    expect(inserts.map(writes)).toEqual(['resources, spans', 'resources, spans', 'spans'])
  })

  test('are written again after a day, so that a living resource never expires', async () => {
    const { writer, inserts } = setUp()
    await writer.write(items('a'), IDENTITY)
    vi.setSystemTime(Date.now() + DAY_MS)
    await writer.write(items('b'), IDENTITY)
    vi.setSystemTime(Date.now() + 1)
    await writer.write(items('c'), IDENTITY)
    expect(inserts.map(writes)).toEqual(['resources, spans', 'spans', 'resources, spans'])
  })

  test('a resource of many kilobytes is not remembered, only written every time', async () => {
    const { writer, inserts } = setUp()
    const large = { resources: ['x'.repeat(5000)] }
    await writer.write([item('a', large)], IDENTITY)
    await writer.write([item('b', large)], IDENTITY)
    expect(inserts.map(writes)).toEqual(['resources, spans', 'resources, spans'])
  })
})

describe('dead letters', () => {
  const letter: DeadLetter = {
    reason: 'malformed',
    detail: 'cut short',
    origin: 'kafka otlp_spans/0@5',
    format: 'otlp_proto traces',
    payload: Buffer.from('?'),
  }
  const nothing = item('', { rows: 0, bytes: new Uint8Array(), resources: [], deadLetters: [letter] })

  test('are stored before the write resolves', async () => {
    const { writer, box, stored } = setUp()
    let keep = () => {}
    box.add.mockImplementation(() => new Promise<void>((resolve) => (keep = resolve)))
    let isWritten = false
    const written = writer.write([item('a'), nothing], IDENTITY).finally(() => (isWritten = true))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(stored).toEqual(['a'])
    expect(isWritten).toBe(false)
    keep()
    expect(await written).toMatchObject({ kind: 'stored' })
  })

  test('of a batch with nothing else are stored without an insert of spans', async () => {
    const { writer, inserts, letters } = setUp()
    expect(await writer.write([nothing], IDENTITY)).toEqual({ kind: 'stored', refused: new Map() })
    expect(inserts).toEqual([])
    expect(letters).toEqual([{ letter, token: `${IDENTITY.token}/dead` }])
  })

  test('are tried again under the same token while the store is busy', async () => {
    const { writer, box, inserts } = setUp()
    const busy = failure('SURETY_STORE_BUSY')
    box.add.mockRejectedValueOnce(busy).mockRejectedValueOnce(busy)
    expect(await ended(writer.write([item('a'), nothing], IDENTITY))).toMatchObject({ kind: 'stored' })
    expect(box.add.mock.calls).toEqual(Array.from({ length: 3 }, () => [[letter], `${IDENTITY.token}/dead`]))
    expect(inserts).toHaveLength(1)
  })

  test('that cannot be stored within patience keep the whole batch from being acknowledged', async () => {
    const { writer, box } = setUp()
    const busy = failure('SURETY_STORE_BUSY')
    box.add.mockRejectedValue(busy)
    expect(await ended(writer.write([nothing], IDENTITY))).toEqual({ kind: 'given-up', error: busy })
  })
})

test.each([
  { name: 'scalars alone', second: {}, lists: false, inherits: false },
  { name: 'a list in one message', second: { hasLists: true }, lists: true, inherits: false },
  {
    name: 'a resource with a channel',
    second: { resources: ['…bank.channel…'] },
    lists: false,
    inherits: true,
  },
])('the statement is made for what the whole batch holds: $name', async ({ second, lists, inherits }) => {
  const { writer, inserts } = setUp()
  await writer.write([item('a'), item('b', second)], IDENTITY)
  const sql = inserts[0]?.sql.at(-1) ?? ''
  expect(sql.includes('toString(res_channel)')).toBe(inherits)
  expect(/arrayMap\(\(s, i, b, d, x, a\).*s\.attributes\.value/.test(sql)).toBe(lists)
})

test('a token from outside cannot leave its text literal', async () => {
  const { writer, inserts } = setUp()
  await writer.write(items('a'), { ...IDENTITY, token: "x'); DROP TABLE spans; --\\" })
  expect(inserts[0]?.sql.at(-1)).toContain("sipHash64('x____DROP_TABLE_spans__--_')")
})
