import { crc32 } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { field, fixed64 } from '../../test/support/otlp.ts'
import { buildMemoryBudget } from '../pipeline/accumulator.ts'
import type { BatchIdentity, Written } from '../pipeline/batch-writer.ts'
import { tracesFromJson } from '../pipeline/json-to-proto.ts'
import { prepareTraces } from '../pipeline/prepare.ts'
import type { Prepared } from '../pipeline/prepared.ts'
import { SIGNAL_WORDS, type SignalPath } from '../pipeline/signal.ts'
import { buildLogger } from '../runtime/logger.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { StoreError } from '../store/store.ts'
import { buildTelemetryConsumer } from './consumer.ts'
import { readIntent, writeIntent } from './intent.ts'
import { KafkaError } from './kafka-port.ts'
import { openMemoryPort, type MemoryPort } from './memory-port.ts'

const TOPIC = 'otlp_spans'
const P0 = { topic: TOPIC, partition: 0 }

/** One message with one span whose name tells it apart. */
function message(name: string): Buffer {
  const start = fixed64(7, BigInt(Date.now() - 1000) * 1_000_000n)
  return field(1, field(2, field(2, Buffer.concat([field(5, name), start]))))
}

const LINGER_MS = 5
/** Stands still but for `settled`: a batch is what was there when the linger passed, however slow the machine. */
const clock = { at: 0, now: () => clock.at }
const ports: MemoryPort[] = []
beforeEach(() => {
  clock.at = Date.now()
  ports.length = 0
})

type Batch = {
  readonly items: readonly Prepared[]
  readonly names: string[]
  readonly identity: BatchIdentity
  readonly how: 'write' | 'finish'
}
const nameOf = (item: Prepared) => /[a-z]\d/.exec(Buffer.from(item.bytes).toString('latin1'))?.[0] ?? ''

function setUp(
  write: (batch: Batch) => Promise<Written> | Written = () => ({ kind: 'stored', refused: new Map() }),
  bytesMax = 1e6,
) {
  const port = openMemoryPort()
  ports.push(port)
  const metrics = buildMetrics()
  const budget = buildMemoryBudget(bytesMax, metrics.pendingBytes)
  const batches: Batch[] = []
  const order: string[] = []
  const put = (how: 'write' | 'finish') => async (items: readonly Prepared[], identity: BatchIdentity) => {
    const batch = { items, names: items.map(nameOf), identity, how }
    const written = await write(batch)
    batches.push(batch)
    order.push(`insert after ${JSON.stringify(port.commits.at(-1)?.metadata)}`)
    return written
  }
  const writer = {
    probe: () => Promise.resolve(),
    hurry: () => {},
    write: put('write'),
    finish: put('finish'),
  }
  const bounds = { retentionMs: 7 * 86_400_000, aheadMs: 86_400_000 }
  const traces: SignalPath = {
    name: 'traces',
    words: SIGNAL_WORDS.traces,
    prepare: (bytes, origin) => prepareTraces(bytes, origin, clock.now(), bounds),
    fromJson: tracesFromJson,
    writer,
  }
  const consumer = buildTelemetryConsumer({
    port,
    signals: { [TOPIC]: traces },
    budget,
    clock,
    metrics,
    logger: buildLogger('silent'),
    lingerMs: LINGER_MS,
  })
  consumer.start()
  return { port, consumer, batches, budget, order, metrics }
}

const TURNS_MAX = 4000

/** Lets the linger pass over all that was appended, again and again until it is so. @throws Error after 4000 times */
async function settled(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; !(await isSo()); turn += 1) {
    if (turn === TURNS_MAX) throw new Error(`not so after ${TURNS_MAX} lingers`)
    await Promise.all(ports.map((port) => port.idle()))
    clock.at += LINGER_MS
    await new Promise((resolve) => setTimeout(resolve, LINGER_MS))
  }
}

const commitsOf = (port: ReturnType<typeof openMemoryPort>) =>
  port.commits.map(({ offset, metadata }) => `${offset} ${metadata}`)

test('intent, insert, commit: in this order, over the whole batch', async () => {
  const { port, consumer, batches, order } = setUp()
  port.append(TOPIC, 0, [message('a1'), message('a2'), null, message('a3')])
  await port.assign([P0])
  await settled(() => port.commits.length === 2)
  expect(commitsOf(port)).toEqual(['0 v1:0-3', '4 '])
  expect(order).toEqual(['insert after "v1:0-3"'])
  expect(batches[0]?.names).toEqual(['a1', 'a2', '', 'a3'])
  await consumer.close()
})

test('values in JSON are prepared as protobuf; their token is over the value as it came', async () => {
  const json = (text: string) => Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[{${text}}]}]}]}`)
  const good = json(`"name": "j1", "startTimeUnixNano": "${Date.now()}000000"`)
  const bad = json('"name": 5')
  const proto = message('p1')
  const { port, consumer, batches } = setUp()
  port.append(TOPIC, 0, [good, bad, proto])
  await port.assign([P0])
  await settled(() => port.commits.length === 2)
  expect(batches[0]?.names).toEqual(['j1', '', 'p1'])
  expect(batches[0]?.items[1]?.deadLetters).toEqual([
    {
      reason: 'malformed',
      detail: 'resourceSpans[0].scopeSpans[0].spans[0].name: must be a string',
      origin: `kafka ${TOPIC}/0@1`,
      format: 'otlp_json traces',
      payload: bad,
    },
  ])
  const digest = [bad, proto].reduce((crc, value) => crc32(value, crc), crc32(good))
  expect(batches[0]?.identity.token).toBe(`kafka/${TOPIC}/0/0-2/${digest.toString(16)}`)
  await consumer.close()
})

test('an intent that is found is finished first: the same offsets, the same token, nothing else with it', async () => {
  const messages = Array.from({ length: 6 }, (_, index) => message(`m${index}`))
  const first = setUp()
  first.port.append(TOPIC, 0, messages.slice(0, 3))
  await first.port.assign([P0])
  await settled(() => first.batches.length === 1)
  await first.consumer.close()

  const second = setUp()
  second.port.setCommitted(P0, 0n, writeIntent({ first: 0n, last: 2n, skipped: [] }))
  second.port.append(TOPIC, 0, messages)
  await second.port.assign([P0])
  await settled(() => second.batches.length === 2)
  expect(second.batches.map(({ names }) => names)).toEqual([
    ['m0', 'm1', 'm2'],
    ['m3', 'm4', 'm5'],
  ])
  expect(second.batches.map(({ how }) => how)).toEqual(['finish', 'write'])
  expect(second.batches[0]?.identity.token).toBe(first.batches[0]?.identity.token)
  expect(second.batches[1]?.identity.token).not.toBe(first.batches[0]?.identity.token)
  await settled(() => second.port.commits.length === 4)
  expect(commitsOf(second.port)).toEqual(['0 v1:0-2', '3 ', '3 v1:3-5', '6 '])
  await second.consumer.close()
})

test('other content under the same offsets gets another token', async () => {
  const tokens = await Promise.all(
    ['a1', 'b1'].map(async (name) => {
      const { port, consumer, batches } = setUp()
      port.append(TOPIC, 0, [message(name)])
      await port.assign([P0])
      await settled(() => batches.length === 1)
      await consumer.close()
      return batches[0]?.identity.token
    }),
  )
  expect(tokens[0]).not.toBe(tokens[1])
})

test('a broker that does not answer a commit is waited for, twice', async () => {
  const { port, consumer, batches } = setUp()
  port.failCommits(2)
  port.append(TOPIC, 0, [message('a1')])
  await port.assign([P0])
  await settled(() => port.commits.length === 2)
  expect(commitsOf(port)).toEqual(['0 v1:0-0', '1 '])
  expect(batches).toHaveLength(1)
  await consumer.close()
})

test('a partition that was taken away: its batch is not inserted once the intent is refused', async () => {
  const { port, consumer, batches, budget } = setUp()
  port.append(TOPIC, 0, [message('a1')])
  await port.assign([P0])
  await port.idle()
  expect(budget.used()).toBeGreaterThan(0)
  port.failCommits(1, new KafkaError('SURETY_KAFKA_STALE', 'the group has moved on'))
  await settled(() => budget.used() === 0)
  expect([batches, port.commits]).toEqual([[], []])
  await consumer.close()
})

test('a partition that was taken away while its batch is inserted: its offsets are left to the next owner', async () => {
  let release = () => {}
  const { port, consumer, batches, budget } = setUp(async () => {
    await new Promise<void>((resolve) => (release = resolve))
    return { kind: 'stored', refused: new Map() }
  })
  port.append(TOPIC, 0, [message('a1')])
  await port.assign([P0])
  await settled(() => port.commits.length === 1)
  port.append(TOPIC, 0, [message('a2')])
  await port.idle()
  const lost = port.lose()
  release()
  await lost
  expect(batches.map(({ names }) => names)).toEqual([['a1']])
  expect(commitsOf(port)).toEqual(['0 v1:0-0'])
  expect(budget.used()).toBe(0)
  await consumer.close()
})

test('a revoked partition finishes the batch under way; what waits is read again by the next owner', async () => {
  let release = () => {}
  const { port, consumer, batches, budget } = setUp(async () => {
    await new Promise<void>((resolve) => (release = resolve))
    return { kind: 'stored', refused: new Map() }
  })
  port.append(TOPIC, 0, [message('a1')])
  await port.assign([P0])
  await settled(() => port.commits.length === 1)
  port.append(TOPIC, 0, [message('a2')])
  await port.idle()
  const revoked = port.revoke()
  release()
  await revoked
  expect(batches.map(({ names }) => names)).toEqual([['a1']])
  expect(commitsOf(port)).toEqual(['0 v1:0-0', '1 '])
  expect(budget.used()).toBe(0)
  const again = port.assign([P0])
  await again
  await settled(() => port.commits.length === 3)
  release()
  await settled(() => batches.length === 2)
  expect(batches[1]?.names).toEqual(['a2'])
  await consumer.close()
})

test('a batch that the store gives up is read again from its first record, before any later one', async () => {
  let failures = 0
  const { port, consumer, batches } = setUp(() => {
    failures += 1
    return failures <= 2
      ? { kind: 'given-up', error: new StoreError('SURETY_STORE_BUSY', 'full') }
      : { kind: 'stored', refused: new Map() }
  })
  port.append(TOPIC, 0, [message('a1'), message('a2')])
  await port.assign([P0])
  await settled(() => port.commits.some(({ metadata }) => metadata === ''))
  expect(batches.map(({ names }) => names)).toEqual([
    ['a1', 'a2'],
    ['a1', 'a2'],
    ['a1', 'a2'],
  ])
  expect(new Set(batches.map(({ identity }) => identity.token)).size).toBe(1)
  await consumer.close()
})

test('at the bound of memory partitions pause; below half of it they go on', async () => {
  let release = () => {}
  let writes = 0
  const { port, consumer } = setUp(async () => {
    writes += 1
    if (writes === 1) await new Promise<void>((resolve) => (release = resolve))
    return { kind: 'stored', refused: new Map() }
  }, 50)
  port.append(TOPIC, 0, [message('a1'), message('a2'), message('a3')])
  await port.assign([P0])
  await settled(() => writes === 1)
  expect(port.paused()).toEqual([expect.objectContaining(P0)])
  port.append(TOPIC, 0, [message('a4')])
  release()
  await settled(() => port.commits.some(({ offset, metadata }) => offset === 4n && metadata === ''))
  expect(port.paused()).toEqual([])
  await consumer.close()
})

test('lag, paused partitions and the age of what waits are measured', async () => {
  let release = () => {}
  let writes = 0
  const { port, consumer, metrics } = setUp(async () => {
    writes += 1
    if (writes === 1) await new Promise<void>((resolve) => (release = resolve))
    return { kind: 'stored', refused: new Map() }
  }, 50)
  const written = { value: message('a1'), timestampMs: clock.now() - 60_000 }
  port.append(TOPIC, 0, [written, written, written])
  await port.assign([P0])
  await settled(() => port.paused().length === 1)
  port.append(TOPIC, 0, [message('a2'), message('a3')])
  const value = async (metric: { get(): Promise<{ values: { value: number }[] }> }) =>
    (await metric.get()).values[0]?.value
  await settled(async () => (await value(metrics.kafkaLag)) === 2)
  expect([await value(metrics.kafkaLag), await value(metrics.kafkaPaused), port.lag().length]).toEqual([
    2, 1, 1,
  ])
  expect(await value(metrics.kafkaOldestUnread)).toBeGreaterThanOrEqual(60)
  release()
  await consumer.close()
})

test.each([
  { metadata: 'v1:5-9', want: { first: 5n, last: 9n, skipped: [] } },
  { metadata: 'v2:5-99:0,1z', want: { first: 5n, last: 99n, skipped: [5n, 76n] } },
  { metadata: 'v2:5-9:z', want: undefined },
  { metadata: '', want: undefined },
  { metadata: 'v2:5-9', want: undefined },
  { metadata: 'v1:9-5', want: undefined },
  { metadata: 'v1:5-9; DROP', want: undefined },
])('metadata «$metadata» is read as an intent or not at all', ({ metadata, want }) => {
  expect(readIntent(metadata)).toEqual(want)
})

test('values that are set aside go into the batch like any other; an unexpected failure is waited out, not spun on', async () => {
  const fails = { left: 2 }
  const { port, consumer, batches } = setUp(() => {
    if ((fails.left -= 1) >= 0) throw new TypeError('not foreseen')
    return { kind: 'stored', refused: new Map() }
  })
  port.append(TOPIC, 0, [message('a1'), Buffer.from('{"resourceSpans": 5}')])
  await port.assign([P0])
  await settled(() => port.commits.some(({ offset, metadata }) => offset === 2n && metadata === ''))
  expect(batches.at(-1)?.items.map(({ rows, deadLetters }) => [rows, deadLetters.length])).toEqual([
    [1, 0],
    [0, 1],
  ])
  await consumer.close()
})

const digest = (letter: string) => letter.repeat(64)
const named = (name: string, letter: string, timestampMs = 0) => ({
  value: message(name),
  headers: { 'surety-digest': Buffer.from(digest(letter)) },
  timestampMs,
})

test('a value whose digest came within ten minutes is skipped, its offset is not', async () => {
  const { port, batches, metrics } = setUp()
  await port.assign([P0])
  port.append(TOPIC, 0, [
    named('a1', 'a'),
    named('b1', 'b', 1000),
    named('a2', 'a', 600_000),
    message('c1'),
    message('c1'),
    named('a3', 'a', 600_001),
    { value: message('d1'), headers: { 'surety-digest': Buffer.from('no digest') } },
    { value: message('d2'), headers: { 'surety-digest': Buffer.from('no digest') } },
  ])
  await settled(() => port.commits.at(-1)?.offset === 8n)
  expect(batches.flatMap(({ names }) => names)).toEqual(['a1', 'b1', '', 'c1', 'c1', 'a3', 'd1', 'd2'])
  expect(batches.flatMap(({ items }) => items.map(({ rows }) => rows))).toEqual([1, 1, 0, 1, 1, 1, 1, 1])
  expect(port.commits[0]?.metadata).toBe('v2:0-7:2')
  const counted = (await metrics.messages.get()).values.map(({ labels, value }) => [labels.result, value])
  expect(Object.fromEntries(counted)).toMatchObject({ stored: 7, repeated: 1 })
})

test('whoever finishes a batch skips what its intent says, whatever was read before', async () => {
  const records = [named('a1', 'a'), named('b1', 'b'), named('a2', 'a'), named('b2', 'b')]
  const first = setUp(() => new Promise(() => undefined))
  await first.port.assign([P0])
  first.port.append(TOPIC, 0, records)
  await settled(() => first.port.commits.length === 1)
  expect(first.port.commits[0]?.metadata).toBe('v2:0-3:2,3')

  // A new process knows no digests; an intent that skips something else shows that it is believed.
  const second = setUp()
  second.port.setCommitted(P0, 1n, 'v2:1-3:1')
  second.port.append(TOPIC, 0, [...records, named('b3', 'b')])
  await second.port.assign([P0])
  await settled(() => second.port.commits.at(-1)?.offset === 5n)
  expect(second.batches.map(({ names, how }) => [how, names])).toEqual([
    ['finish', ['b1', '', 'b2']],
    ['write', ['']],
  ])
})

test('reading again from the first record skips the same values', async () => {
  let failures = 1
  const { port, batches } = setUp(() => {
    failures -= 1
    if (failures >= 0) return { kind: 'given-up', error: new StoreError('SURETY_STORE_BUSY', 'gone') }
    return { kind: 'stored', refused: new Map() }
  })
  await port.assign([P0])
  port.append(TOPIC, 0, [named('a1', 'a'), named('a2', 'a'), named('b1', 'b')])
  await settled(() => port.commits.at(-1)?.offset === 3n)
  const [lost, finished] = batches
  expect(finished?.names).toEqual(['a1', '', 'b1'])
  expect(finished?.identity.token).toBe(lost?.identity.token)
})

test('more repeats than one intent can name make several batches', async () => {
  const { port, batches } = setUp()
  await port.assign([P0])
  port.append(TOPIC, 0, [named('a1', 'a'), ...Array.from({ length: 1000 }, () => named('a2', 'a'))])
  await settled(() => port.commits.at(-1)?.offset === 1001n)
  const written = batches.flatMap(({ items }) => items)
  expect(written).toHaveLength(1001)
  expect(written.filter(({ rows }) => rows > 0)).toHaveLength(1)
  const longest = Math.max(...port.commits.map(({ metadata }) => metadata.length))
  expect(longest).toBeLessThan(4096)
})
