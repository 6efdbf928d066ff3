// The consumer's seam against a real broker: what kafka-port.ts promises, kafkajs-port.ts keeps.

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import { openKafkajsPort, type KafkajsPortOptions } from '../../ingest/kafka/kafkajs-port.ts'
import {
  type AssignedPartition,
  type KafkaBatch,
  type KafkaHandlers,
  type KafkaPort,
  type KafkaRecord,
} from '../../ingest/kafka/kafka-port.ts'
import { pino, type Logger } from 'pino'
import { openKafkaProducer, type KafkaProducer } from '../support/kafka-producer.ts'

const directory = mkdtempSync(join(tmpdir(), 'surety-kafka-'))
let broker: Broker
let producer: KafkaProducer
const opened: KafkaPort[] = []
let serial = 0

beforeAll(async () => {
  broker = await openBroker({ directory })
  producer = await openKafkaProducer(broker.brokers)
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((port) => port.close()))
})

afterAll(async () => {
  await producer.close()
  await broker.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** A port on its own group, and what it saw. Handlers given here come first; then everything is recorded. */
function openPort(options: Partial<KafkajsPortOptions> & { topics: readonly string[] }) {
  const lines: { level: number; msg: string }[] = []
  const logger: Logger = pino(
    { level: 'info' },
    { write: (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]) },
  )
  const port = openKafkajsPort({
    brokers: broker.brokers,
    clientId: 'surety-test',
    groupId: `group-${(serial += 1)}`,
    logger,
    sessionTimeoutMs: 6_000,
    heartbeatIntervalMs: 200,
    fetchWaitMs: 100,
    topicPollMs: 200,
    ...options,
  })
  opened.push(port)
  const seen = {
    port,
    lines,
    records: [] as KafkaRecord[],
    events: [] as string[],
    assigned: [] as readonly AssignedPartition[],
    revoked: [] as (readonly AssignedPartition[])[],
    batches: [] as KafkaBatch[],
    run(handlers: Partial<KafkaHandlers> = {}) {
      port.run({
        async onAssigned(partitions) {
          seen.assigned = partitions
          seen.events.push(`assigned ${names(partitions)}`)
          await handlers.onAssigned?.(partitions)
          seen.events.push('assigned done')
        },
        async onRevoked(partitions) {
          seen.events.push(`revoked ${names(partitions)}`)
          await handlers.onRevoked?.(partitions)
          seen.revoked.push(partitions)
          seen.assigned = []
        },
        async onBatch(batch) {
          await handlers.onBatch?.(batch)
          seen.events.push(`batch ${batch.topic}-${batch.partition}`)
          seen.batches.push(batch)
          seen.records.push(...batch.records)
        },
      })
      return seen
    },
  }
  return seen
}

function names(partitions: readonly AssignedPartition[]): string {
  return partitions
    .map(({ topic, partition }) => `${topic}-${partition}`)
    .sort()
    .join(' ')
}

async function newTopic(partitions = 1): Promise<string> {
  const topic = `topic-${(serial += 1)}`
  await producer.createTopic(topic, partitions)
  return topic
}

async function until(what: string, holds: () => boolean, timeoutMs = 120_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for: ${what}`)
    await sleep(10)
  }
}

const offsetsOf = (records: readonly KafkaRecord[]) => records.map(({ offset }) => Number(offset))
const textsOf = (records: readonly KafkaRecord[]) => records.map(({ value }) => String(value))
const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)
const digest = (bytes: Buffer | null) => bytes && createHash('sha1').update(bytes).digest('hex')

describe('delivery', () => {
  test('small and 230 KB values arrive whole and in order, with key, headers, time and tombstones', async () => {
    const topic = await newTopic()
    const values = Array.from({ length: 120 }, (_, index) =>
      randomBytes(index % 3 === 0 ? 230_000 : 40 + index),
    )
    for (let at = 0; at < values.length; at += 20) await producer.send(topic, 0, values.slice(at, at + 20))
    const timestampMs = Date.now() - 5_000
    await producer.send(topic, 0, [
      { key: 'k', value: null, headers: { tenant: ['a', 'b'], kind: 'x' }, timestamp: String(timestampMs) },
    ])

    const seen = openPort({ topics: [topic] }).run()
    await until('121 records', () => seen.records.length === 121)

    expect(offsetsOf(seen.records)).toEqual(Array.from({ length: 121 }, (_, index) => index))
    expect(seen.records.slice(0, 120).map(({ value }) => digest(value))).toEqual(values.map(digest))
    expect(seen.records[0]).toMatchObject({ topic, partition: 0, offset: 0n, key: null, headers: {} })
    expect(seen.records[120]).toMatchObject({ value: null, timestampMs })
    expect(String(seen.records[120]?.key)).toBe('k')
    expect(
      Object.entries(seen.records[120]?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    ).toEqual([
      ['tenant', 'b'],
      ['kind', 'x'],
    ])
    expect(seen.batches.at(-1)?.highWatermark).toBe(121n)
    expect(seen.port.lag()).toMatchObject([{ topic, partition: 0, highWatermark: 121n, position: 121n }])
    expect(seen.port.notReadyReason()).toBeUndefined()
  })

  test.each([
    { name: 'gzip', compression: kafkajs.CompressionTypes.GZIP },
    { name: 'zstd', compression: kafkajs.CompressionTypes.ZSTD },
  ])('records compressed by $name are read', async ({ compression }) => {
    const topic = await newTopic()
    // The port brings the zstd codec along; the producer here writes with the same one.
    const seen = openPort({ topics: [topic] }).run()
    await until('an assignment', () => seen.assigned.length === 1)
    await producer.send(topic, 0, numbered('v', 50), compression)
    await until('50 records', () => seen.records.length === 50)
    expect(textsOf(seen.records)).toEqual(numbered('v', 50))
  })

  test('onAssigned is awaited before the first record', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, ['a', 'b'])
    const gate = Promise.withResolvers<void>()
    const seen = openPort({ topics: [topic] }).run({ onAssigned: () => gate.promise })
    await until('an assignment', () => seen.assigned.length === 1)
    await sleep(600)
    expect(seen.events).toEqual([`assigned ${topic}-0`])
    gate.resolve()
    await until('both records', () => seen.records.length === 2)
    expect(seen.events.slice(0, 3)).toEqual([`assigned ${topic}-0`, 'assigned done', `batch ${topic}-0`])
  })

  test('a commit or a seek inside onAssigned moves where delivery starts', async () => {
    const topic = await newTopic(2)
    await producer.send(topic, 0, numbered('a', 10))
    await producer.send(topic, 1, numbered('b', 10))
    const seen = openPort({ topics: [topic] }).run({
      async onAssigned(partitions) {
        for (const partition of partitions) {
          if (partition.partition === 0) await seen.port.commit(partition, 6n, '')
          else seen.port.seek(partition, 8n)
        }
      },
    })
    await until('6 records', () => seen.records.length === 6)
    await sleep(300)
    expect(textsOf(seen.records).sort()).toEqual(['a6', 'a7', 'a8', 'a9', 'b8', 'b9'])
  })

  test('seek delivers again from the offset, and what was handed over before turns stale', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, numbered('v', 5))
    const seen = openPort({ topics: [topic] }).run()
    await until('5 records', () => seen.records.length === 5)
    expect(seen.batches[0]?.isStale()).toBe(false)
    seen.port.seek({ topic, partition: 0 }, 3n)
    expect(seen.batches[0]?.isStale()).toBe(true)
    await until('2 more', () => seen.records.length >= 7)
    await sleep(300)
    expect(offsetsOf(seen.records)).toEqual([0, 1, 2, 3, 4, 3, 4])
  })

  test('pause stops delivery of one partition alone, resume goes on without a gap', async () => {
    const topic = await newTopic(2)
    const seen = openPort({ topics: [topic] }).run()
    await until('an assignment', () => seen.events.includes('assigned done'))
    seen.port.pause([{ topic, partition: 0 }])
    expect(seen.port.paused()).toMatchObject([{ topic, partition: 0 }])
    await producer.send(topic, 0, numbered('p', 5))
    await producer.send(topic, 1, numbered('q', 5))
    await until('the other partition', () => seen.records.length === 5)
    await sleep(500)
    expect(textsOf(seen.records)).toEqual(numbered('q', 5))
    seen.port.resume([{ topic, partition: 0 }])
    await until('the resumed partition', () => seen.records.length === 10)
    expect(textsOf(seen.records.slice(5))).toEqual(numbered('p', 5))
    expect(seen.port.paused()).toEqual([])
  })

  test('a batch that waits longer than the session timeout keeps its partition', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, ['slow'])
    const seen = openPort({ topics: [topic], sessionTimeoutMs: 1_500 }).run({
      onBatch: () => sleep(3_000, undefined),
    })
    await until('the record', () => seen.records.length === 1)
    expect(seen.batches[0]?.isStale()).toBe(false)
    expect(seen.revoked).toEqual([])
    const [partition] = seen.assigned
    await seen.port.commit(partition ?? { topic, partition: 0 }, 1n, '')
    expect(await seen.port.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 1n }])
  })

  test('a batch that was not taken over comes again, twice in a row', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, numbered('v', 3))
    let failures = 0
    const seen = openPort({ topics: [topic] }).run({
      onBatch: () => {
        failures += 1
        return failures <= 2 ? Promise.reject(new Error('store is full')) : Promise.resolve()
      },
    })
    await until('the records', () => seen.records.length === 3)
    expect(failures).toBe(3)
    expect(textsOf(seen.records)).toEqual(numbered('v', 3))
    expect(seen.revoked).toHaveLength(2)
    expect(
      seen.lines.some(
        ({ level, msg }) => level === 50 && msg.includes('could not take over a batch: store is full'),
      ),
    ).toBe(true)
  })
})

describe('commits', () => {
  test('offset and metadata are read back as they were committed, and empty metadata as empty', async () => {
    const topic = await newTopic(3)
    await producer.send(topic, 0, numbered('v', 9))
    const seen = openPort({ topics: [topic] }).run()
    await until('records', () => seen.records.length === 9)
    const intent = JSON.stringify({ last: '7', batch: 'é中文', rows: 12 })
    const at = (number: number) =>
      seen.assigned.find(({ partition }) => partition === number) ?? { topic, partition: -1 }
    await seen.port.commit(at(0), 4n, intent)
    await seen.port.commit(at(1), 0n, '')
    const asked = [0, 1, 2].map((partition) => ({ topic, partition }))
    expect(await seen.port.committed(asked)).toEqual([
      { topic, partition: 0, offset: 4n, metadata: intent },
      { topic, partition: 1, offset: 0n, metadata: '' },
      { topic, partition: 2, offset: undefined, metadata: '' },
    ])
    await seen.port.commit(at(0), 8n, '')
    expect(await seen.port.committed(asked.slice(0, 1))).toEqual([
      { topic, partition: 0, offset: 8n, metadata: '' },
    ])
  })

  test('the next member starts at the committed offset; nothing else moves it', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, numbered('v', 10))
    const groupId = `restart-${topic}`
    const first = openPort({ topics: [topic], groupId }).run()
    await until('10 records', () => first.records.length === 10)
    await first.port.commit(first.assigned[0] ?? { topic, partition: 0 }, 4n, 'intent')
    await first.port.close()

    const second = openPort({ topics: [topic], groupId }).run({
      async onAssigned(partitions) {
        const found = await second.port.committed(partitions)
        second.events.push(`found ${String(found[0]?.offset)} ${found[0]?.metadata ?? ''}`)
      },
    })
    await until('6 records', () => second.records.length === 6)
    await sleep(200)
    expect(second.events[1]).toBe('found 4 intent')
    expect(offsetsOf(second.records)).toEqual([4, 5, 6, 7, 8, 9])
  })

  test('records that retention deleted before they were read are reported, and delivery goes on behind them', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, numbered('v', 8))
    const groupId = `retention-${topic}`
    const first = openPort({ topics: [topic], groupId }).run()
    await until('8 records', () => first.records.length === 8)
    await first.port.commit({ topic, partition: 0 }, 2n, 'intent')
    await first.port.close()
    await producer.deleteBefore(topic, 0, 5n)

    const second = openPort({ topics: [topic], groupId }).run()
    await until('3 records', () => second.records.length === 3)
    expect(offsetsOf(second.records)).toEqual([5, 6, 7])
    expect(second.lines.filter(({ level }) => level === 50)).toMatchObject([
      { topic, partition: 0, committed: '2', low: '5', high: '8' },
    ])
    expect(await second.port.committed([{ topic, partition: 0 }])).toMatchObject([
      { offset: 2n, metadata: 'intent' },
    ])
  })

  test('metadata beyond what the broker keeps is refused as a setting, not retried', async () => {
    const topic = await newTopic()
    const seen = openPort({ topics: [topic] }).run()
    await until('an assignment', () => seen.assigned.length === 1)
    const commit = seen.port.commit({ topic, partition: 0 }, 0n, 'x'.repeat(5_000))
    await expect(commit).rejects.toMatchObject({ code: 'SURETY_KAFKA_CONFIG', retryable: false })
  })

  test('a commit of a member that the broker has forgotten is refused as stale, and the member joins again', async () => {
    const topic = await newTopic()
    const groupId = `evicted-${topic}`
    const seen = openPort({ topics: [topic], groupId, heartbeatIntervalMs: 2_000 }).run()
    await until('an assignment', () => seen.events.includes('assigned done'))
    const [partition] = seen.assigned
    const [memberId] = await producer.groupMembers(groupId)
    await producer.evict(groupId, memberId ?? '')
    const commit = seen.port.commit(partition ?? { topic, partition: 0 }, 0n, '')
    await expect(commit).rejects.toMatchObject({
      name: 'KafkaError',
      code: 'SURETY_KAFKA_STALE',
      retryable: false,
    })
    expect(await seen.port.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: undefined }])
    await until(
      'a new assignment',
      () => seen.events.filter((event) => event === 'assigned done').length === 2,
    )
    await seen.port.commit({ topic, partition: 0 }, 0n, 'new')
    const late = seen.port.commit(partition ?? { topic, partition: 0 }, 7n, 'late')
    await expect(late).rejects.toMatchObject({ code: 'SURETY_KAFKA_STALE' })
    expect(await seen.port.committed([{ topic, partition: 0 }])).toMatchObject([
      { offset: 0n, metadata: 'new' },
    ])
  })
})

describe('the group', () => {
  test('a second member shares the partitions; the first gives back, with its commit, before that', async () => {
    const topic = await newTopic(2)
    const groupId = `pair-${topic}`
    await producer.send(topic, 0, numbered('a', 4))
    await producer.send(topic, 1, numbered('b', 4))
    const order: string[] = []
    const first = openPort({ topics: [topic], groupId }).run({
      async onRevoked(partitions) {
        order.push('first gives back')
        await sleep(500)
        for (const partition of partitions)
          await first.port.commit(partition, 4n, `done ${partition.partition}`)
        order.push('first gave back')
      },
    })
    await until('8 records', () => first.records.length === 8)
    const before = first.assigned

    const second = openPort({ topics: [topic], groupId }).run({
      onAssigned: () => Promise.resolve(void order.push('second takes on')),
    })
    await until('both to hold one', () => first.assigned.length === 1 && second.assigned.length === 1)
    expect(order.slice(0, 3)).toEqual(['first gives back', 'first gave back', 'second takes on'])
    expect(names(first.revoked[0] ?? [])).toBe(`${topic}-0 ${topic}-1`)
    expect(names([...first.assigned, ...second.assigned])).toBe(`${topic}-0 ${topic}-1`)
    expect((first.assigned[0]?.assignment ?? 0) > (before[0]?.assignment ?? 0)).toBe(true)
    expect(await first.port.committed(before)).toMatchObject([
      { offset: 4n, metadata: 'done 0' },
      { offset: 4n, metadata: 'done 1' },
    ])
    for (const partition of before) {
      await expect(first.port.commit(partition, 1n, 'late')).rejects.toMatchObject({
        code: 'SURETY_KAFKA_STALE',
      })
    }

    await until('both to deliver', () => second.events.includes('assigned done'))
    await producer.send(topic, 0, ['a4'])
    await producer.send(topic, 1, ['b4'])
    await until('the new records', () => first.records.length + second.records.length === 10)
    expect(textsOf([...first.records.slice(8), ...second.records]).sort()).toEqual(['a4', 'b4'])

    await first.port.close()
    await until('the second to hold both', () => second.assigned.length === 2)
    expect(await producer.groupMembers(groupId)).toHaveLength(1)
  })

  test('a rebalance ends a batch that still waits, and its records come again', async () => {
    const topic = await newTopic()
    const groupId = `waiting-${topic}`
    await producer.send(topic, 0, ['v'])
    const handedOver: KafkaBatch[] = []
    const stuck = Promise.withResolvers<void>()
    const first = openPort({ topics: [topic], groupId }).run({
      onBatch: (batch) => (handedOver.push(batch) === 1 ? stuck.promise : Promise.resolve()),
    })
    await until('a batch that waits', () => handedOver.length === 1)
    const second = openPort({ topics: [topic], groupId }).run()
    await until('the first to give back', () => first.revoked.length > 0)
    expect(handedOver[0]?.isStale()).toBe(true)
    await until('the record again', () => first.records.length + second.records.length === 1)
    stuck.resolve()
  })

  test('close leaves no member behind: while delivering, while a batch waits, and right after joining', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, ['v'])
    const groupId = `closing-${topic}`
    const closedWithin = async (port: KafkaPort) => {
      const startedAt = Date.now()
      await port.close()
      return Date.now() - startedAt
    }

    const delivering = openPort({ topics: [topic], groupId }).run()
    await until('a record', () => delivering.records.length === 1)
    expect(await producer.groupMembers(groupId)).toHaveLength(1)
    expect(await closedWithin(delivering.port)).toBeLessThan(3_000)
    expect(await producer.groupMembers(groupId)).toEqual([])
    expect(delivering.events.at(-1)).toBe(`revoked ${topic}-0`)
    await expect(delivering.port.commit({ topic, partition: 0 }, 1n, '')).rejects.toMatchObject({
      code: 'SURETY_KAFKA_CLOSED',
      retryable: false,
    })

    let waits = 0
    const waiting = openPort({ topics: [topic], groupId }).run({
      onBatch: () => {
        waits += 1
        return new Promise(() => undefined)
      },
    })
    await until('a batch that waits', () => waits === 1)
    expect(await closedWithin(waiting.port)).toBeLessThan(3_000)
    expect(await producer.groupMembers(groupId)).toEqual([])

    for (let round = 0; round < 5; round += 1) {
      const joined = Promise.withResolvers<void>()
      const joining = openPort({ topics: [topic], groupId }).run({
        onAssigned: () => Promise.resolve(joined.resolve()),
      })
      if (round === 4) await sleep(30)
      else await joined.promise
      expect(await closedWithin(joining.port)).toBeLessThan(6_000)
      const eventsAtClose = joining.events.length
      await sleep(300)
      expect(await producer.groupMembers(groupId)).toEqual([])
      expect(joining.events).toHaveLength(eventsAtClose)
    }
  })
})

describe('the clock of this machine', () => {
  test.each([
    { name: 'back two hours', byMs: -7_200_000, lines: 1 },
    { name: 'forward two hours', byMs: 7_200_000, lines: undefined },
  ])('set $name: the membership goes on, records come, commits hold', async ({ byMs, lines }) => {
    const topic = await newTopic()
    const seen = openPort({ topics: [topic], sessionTimeoutMs: 2_000, heartbeatIntervalMs: 200 }).run()
    await until('assigned', () => seen.assigned.length === 1)
    await producer.send(topic, 0, numbered('a', 3))
    await until('the first records', () => seen.records.length === 3)
    const real = Date.now.bind(Date)
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => real() + byMs)
    try {
      // Twice as long as the group waits for a sign of life.
      await sleep(4_000)
      await until('assigned', () => seen.assigned.length === 1)
      const [partition] = seen.assigned
      if (partition === undefined) throw new Error('no partition')
      await seen.port.commit(partition, 3n, '')
      const timestamp = String(real())
      await producer.send(
        topic,
        0,
        numbered('b', 2).map((value) => ({ value, timestamp })),
      )
      await until('the later records', () => textsOf(seen.records).includes('b1'))
      const told = seen.lines.filter(({ level }) => level >= 40)
      if (lines !== undefined) {
        expect(told).toHaveLength(lines)
        expect(told[0]?.msg).toMatch(/this machine's clock was set back by 7200 s; joining the group anew/)
      }
    } finally {
      clock.mockRestore()
    }
  })
})

describe('what is not there yet', () => {
  test('a broker on a port that is taken says so', async () => {
    const other = join(directory, 'other')
    await expect(openBroker({ directory: other, port: broker.port })).rejects.toMatchObject({
      code: 'SURETY_BROKER_START',
      message: expect.stringContaining(`Port ${broker.port}`) as string,
    })
  })

  test('a missing topic is named once, created by nobody, and consumed when it appears', async () => {
    const present = await newTopic()
    const missing = `late-${present}`
    await producer.send(present, 0, ['here'])
    const seen = openPort({ topics: [present, missing] }).run()
    await until('the topic that is there', () => seen.records.length === 1)
    await sleep(700)
    expect(seen.port.notReadyReason()).toContain(missing)
    const warnings = seen.lines.filter(({ level, msg }) => level === 40 && msg.includes(missing))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]?.msg).toContain('--create')
    expect(names(seen.assigned)).toBe(`${present}-0`)

    await producer.createTopic(missing)
    await producer.send(missing, 0, ['late'])
    await until('the late record', () => textsOf(seen.records).includes('late'))
    expect(names(seen.assigned)).toBe(`${missing}-0 ${present}-0`)
    expect(seen.port.notReadyReason()).toBeUndefined()
  })

  test('a broker that stops and starts again is picked up, also by a port that began without it', async () => {
    const topic = await newTopic()
    await producer.send(topic, 0, ['before'])
    // The default session timeout: recovery must not wait for it.
    const seen = openPort({ topics: [topic], sessionTimeoutMs: 30_000 }).run()
    await until('the first record', () => seen.records.length === 1)
    await seen.port.commit(seen.assigned[0] ?? { topic, partition: 0 }, 1n, 'kept')
    const { port } = broker
    await broker.stop()
    const early = openPort({ topics: [topic] }).run()
    await until('the outage to be noticed', () => seen.port.notReadyReason() !== undefined)
    await until('the absence to be noticed', () => early.lines.some(({ level }) => level === 40))
    await sleep(1_500)

    broker = await openBroker({ directory })
    expect(broker.port).toBe(port)
    await producer.send(topic, 0, ['after'])
    await until('the record after the outage', () => seen.records.length >= 2, 22_000)
    await until('both records', () => early.records.length === 2, 22_000)
    expect(textsOf(seen.records)).toEqual(['before', 'after'])
    expect(textsOf(early.records)).toEqual(['before', 'after'])
    expect(await seen.port.committed([{ topic, partition: 0 }])).toMatchObject([
      { offset: 1n, metadata: 'kept' },
    ])
    await seen.port.commit(seen.assigned[0] ?? { topic, partition: -1 }, 2n, '')
    for (const { lines } of [seen, early]) {
      const complaints = lines.filter(({ level }) => level >= 40)
      expect(complaints).toHaveLength(1)
      expect(complaints[0]?.msg).toContain('trying again')
    }
  })
})
