// What can stand on a topic that nobody should have put there: batches whose codec was damaged, values of 100 MB, batches
// that inflate without end, thousands of tombstones in one batch, topics that are not there. The broker is
// real; damage is done to its segment on disk, because a broker looks at what producers send and not at what it reads.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import kafkajs, { type CompressionTypes } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBroker, type Broker } from '../../deploy/kafka/broker.ts'
import type { IngestStatusReply } from '../../query/http/schemas.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { openKafkaProducer, type KafkaProducer } from '../support/kafka-producer.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const TOPIC = 'otlp_spans'
const SPANS = 16
const { None, GZIP, ZSTD } = kafkajs.CompressionTypes
const HEADER_BYTES = 61
const MB = 1_000_000

const folder = mkdtempSync(join(tmpdir(), 'surety-hostile-kafka-'))
const directory = join(folder, 'broker')
let broker: Broker
let producer: KafkaProducer
let surety: TestSurety
let seed = 0
let sound = 0

async function send(
  values: readonly (Buffer | null)[],
  compression: CompressionTypes = None,
  partition = 0,
): Promise<void> {
  await producer.send(
    TOPIC,
    partition,
    values.map((value) => ({ value })),
    compression,
  )
}

function requests(count: number): Buffer[] {
  const startNs = BigInt(Date.now() - 60_000) * 1_000_000n
  return bankRequests({ seed: (seed += 1), requests: count, spansPerRequest: SPANS, startNs })
}

/** The batches of a segment, as views of it. */
function batchesOf(segment: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + HEADER_BYTES <= segment.length;) {
    const end = at + 12 + segment.readInt32BE(at + 8)
    found.push(segment.subarray(at, end))
    at = end
  }
  return found
}

const status = () => surety.get<IngestStatusReply>('/api/v1/ingest/status')
const isRead = ({ kafka }: IngestStatusReply) =>
  (kafka?.length ?? 0) > 0 && kafka?.every(({ lagMessages }) => lagMessages === 0) === true
const allRead = () => eventually(status, isRead)

beforeAll(async () => {
  broker = await openBroker({ directory, topics: [{ topic: TOPIC, partitions: 2 }] })
  producer = await openKafkaProducer(broker.brokers)
})
afterAll(async () => {
  await surety.stop()
  await producer.close()
  await broker.stop()
  rmSync(folder, { recursive: true, force: true })
})

async function start(): Promise<void> {
  surety = await startSurety({
    KAFKA_BROKERS: broker.brokers.join(','),
    SURETY_DATA_DIR: join(folder, 'data'),
    SURETY_LINGER_MS: '100',
  })
}

type Damage = {
  readonly name: string
  readonly codec: CompressionTypes
  readonly harm: (batch: Buffer) => void
  readonly said: RegExp
}
const relabel = (codec: number) => (batch: Buffer) =>
  void batch.writeInt16BE((batch.readInt16BE(21) & ~7) | codec, 21)
const DAMAGES: readonly Damage[] = [
  {
    name: 'gzip with wrong magic bytes',
    codec: GZIP,
    harm: (batch) => void batch.write('XXXX', HEADER_BYTES),
    said: /incorrect header check/,
  },
  {
    name: 'zstd with wrong magic bytes',
    codec: ZSTD,
    harm: (batch) => void batch.write('XXXX', HEADER_BYTES),
    said: /unknown (prefix|frame descriptor)/i, // by the version of zstd in Node
  },
  { name: 'said to be lz4 and is not', codec: GZIP, harm: relabel(3), said: /magic/ },
  { name: 'said to be snappy and is not', codec: GZIP, harm: relabel(2), said: /snappy/i },
  { name: 'a codec that does not exist', codec: GZIP, harm: relabel(7), said: /./ },
  { name: 'gzip cut short', codec: GZIP, harm: (batch) => void batch.fill(0, batch.length - 40), said: /./ },
  {
    name: 'a record whose length lies',
    codec: None,
    harm: (batch) => void batch.fill(0xff, HEADER_BYTES, HEADER_BYTES + 9),
    said: /./,
  },
]

describe('a batch that cannot be unpacked', () => {
  test('is one dead letter that names its records; everything around it is stored, and reading goes on', async () => {
    // Before and after each damaged batch of four records stands a sound one of two.
    for (const { codec } of DAMAGES) {
      await send(requests(2), codec)
      await send(requests(4), codec)
    }
    await send(requests(2))
    await producer.close()
    await broker.stop()
    const data = join(directory, 'data', `${TOPIC}-0`)
    const path = join(data, readdirSync(data).find((name) => name.endsWith('.log')) ?? '')
    const segment = readFileSync(path)
    const batches = batchesOf(segment)
    expect(batches).toHaveLength(2 * DAMAGES.length + 1)
    DAMAGES.forEach(({ harm }, index) => harm(batches[2 * index + 1] as Buffer))
    writeFileSync(path, segment)
    broker = await openBroker({ directory, port: broker.port })
    producer = await openKafkaProducer(broker.brokers)
    await send(requests(5), ZSTD)
    await start()

    sound = 2 * DAMAGES.length + 2 + 5
    await eventually(status, (reply) => reply.spans.rows >= sound * SPANS && isRead(reply))
    const { spans, deadLetters } = await eventually(
      status,
      (reply) => reply.deadLetters.total >= DAMAGES.length,
    )
    expect(spans.rows).toBe(sound * SPANS)
    expect(deadLetters.total).toBe(DAMAGES.length)
    const told = new Map(deadLetters.newest.map(({ origin, reason }) => [origin, reason]))
    DAMAGES.forEach(({ said }, index) => {
      const first = 6 * index + 2
      const reason = told.get(`kafka ${TOPIC}/0@${first + 3}`)
      const begin = `malformed: the batch of records ${first} to ${first + 3} cannot be unpacked (`
      expect(reason?.slice(0, begin.length)).toBe(begin)
      expect(reason).toMatch(said)
      expect(reason).toMatch(/look at its producer's compression and at the broker's disk$/)
    })
  }, 180_000)

  test('is not unpacked again after a restart', async () => {
    await surety.stop()
    await send(requests(1))
    await start()
    await eventually(status, ({ spans }) => spans.rows === (sound + 1) * SPANS)
    expect((await status()).deadLetters.total).toBe(DAMAGES.length)
  })
})

describe('sizes', () => {
  test('a value of 100 MB is set aside, a batch that would inflate to 300 MB too; neighbours are stored', async () => {
    const before = await status()
    await send([...requests(1), Buffer.alloc(100 * MB), ...requests(1)], ZSTD)
    await send(requests(1))
    const bomb = Buffer.alloc(300 * MB)
    expect(zstdCompressSync(bomb).length).toBeLessThan(MB)
    await send([bomb], ZSTD)
    await send(requests(2), ZSTD)
    await eventually(status, ({ spans }) => spans.rows === before.spans.rows + 5 * SPANS)
    const { deadLetters } = await eventually(
      status,
      (reply) => reply.deadLetters.total === before.deadLetters.total + 2,
    )
    const told = deadLetters.newest
      .slice(0, 2)
      .map(({ reason }) => reason)
      .sort()
    expect(told[0]).toMatch(/^malformed: the batch of records \d+ to \d+ cannot be unpacked \(.*larger than/)
    expect(told[1]).toMatch(
      /^too-big: the value is 100000000 bytes long, at most 67108864 are taken; send smaller batches to otlp_spans$/,
    )
  })

  test('thousands of tombstones in one batch are read past', async () => {
    const before = await status()
    await send([...Array.from({ length: 5000 }, () => null), ...requests(1)], GZIP)
    await send([null, ...requests(1), null])
    await eventually(status, ({ spans }) => spans.rows === before.spans.rows + 2 * SPANS)
    await allRead()
    expect((await status()).deadLetters.total).toBe(before.deadLetters.total)
  })
})

test('a topic that is not there is named with what to do; others are read meanwhile, and it when it comes', async () => {
  await surety.stop()
  surety = await startSurety({
    KAFKA_BROKERS: broker.brokers.join(','),
    SURETY_DATA_DIR: join(folder, 'data'),
    SURETY_LINGER_MS: '100',
    SURETY_KAFKA_TOPIC_SPANS: 'not_there',
    SURETY_KAFKA_TOPIC_METRICS: TOPIC,
    SURETY_KAFKA_GROUP: 'unknown-topic',
  })
  const ready = await eventually(
    async () => (await fetch(`${surety.url}/readyz`)).text(),
    (text) => text.includes('not_there'),
  )
  expect(ready).toMatch(/the Kafka topics [\w, ]*\bnot_there\b[\w, ]* do not exist/)
  await eventually(status, ({ kafka }) => (kafka?.length ?? 0) === 2)
  await producer.createTopic('not_there')
  const before = (await status()).spans.rows
  await producer.send('not_there', 0, requests(1))
  await eventually(status, ({ spans }) => spans.rows === before + SPANS)
  expect((await fetch(`${surety.url}/readyz`)).status).toBe(200)
})
