import { expect, test } from 'vitest'
import { buildMemoryBudget } from '../pipeline/accumulator.ts'
import type { DeadLetterBox } from '../pipeline/dead-letter-box.ts'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { ReleaseEventStore } from '../releases/release-event-store.ts'
import { systemClock } from '../runtime/clock.ts'
import { buildLogger } from '../runtime/logger.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { StoreError } from '../store/store.ts'
import { buildTelemetryConsumer } from './consumer.ts'
import type { KafkaRecord } from './kafka-port.ts'
import { openMemoryPort } from './memory-port.ts'
import { buildReleaseTopic } from './release-topic.ts'

const EVENT = { specversion: '1.0', id: 'e1', source: '/ci', type: 'dev.example.deployed', data: { a: 1 } }
const HEADERS = { ce_specversion: '1.0', ce_id: 'e1', ce_source: '/ci', ce_type: 'dev.example.deployed' }

function record(value: unknown, headers: Readonly<Record<string, string>> = {}, offset = 7n): KafkaRecord {
  return {
    topic: 'surety_releases',
    partition: 0,
    offset,
    timestampMs: 0,
    key: null,
    value: value === null ? null : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  }
}

type Kept = { readonly letter: DeadLetter; readonly token: string }

/** @param before  called before events or letters are taken; what it throws is the store's answer */
function setUp(before: () => void = () => undefined) {
  const stored: ReleaseEventRecord[] = []
  const letters: Kept[] = []
  const metrics = buildMetrics()
  const handle = buildReleaseTopic({
    events: {
      add(records: readonly ReleaseEventRecord[]) {
        before()
        stored.push(...records)
        return Promise.resolve({ added: records.length, known: 0 })
      },
    } as unknown as ReleaseEventStore,
    deadLetters: {
      add(added: readonly DeadLetter[], token: string) {
        before()
        letters.push(...added.map((letter) => ({ letter, token })))
        return Promise.resolve()
      },
    } as unknown as DeadLetterBox,
    clock: systemClock,
    metrics,
  })
  const counted = async () =>
    Object.fromEntries(
      (await metrics.messages.get()).values.map(({ labels, value }) => [labels.result, value]),
    )
  return { handle, stored, letters, metrics, counted }
}

test.each([
  { mode: 'structured', given: record(EVENT, { 'content-type': 'application/cloudevents+json' }) },
  { mode: 'structured, without a content type', given: record(EVENT) },
  { mode: 'binary', given: record({ a: 1 }, { ...HEADERS, 'content-type': 'application/json' }) },
  {
    mode: 'binary, names in capitals',
    given: record({ a: 1 }, { CE_SpecVersion: '1.0', CE_ID: 'e1', CE_Source: '/ci', CE_Type: EVENT.type }),
  },
])('one event in $mode mode is stored under its source and id', async ({ given }) => {
  const { handle, stored, letters, counted } = setUp()
  await handle(given)
  expect(letters).toEqual([])
  expect(stored).toMatchObject([{ source: '/ci', id: 'e1', type: EVENT.type }])
  expect(JSON.parse(stored[0]?.body ?? '')).toMatchObject(EVENT)
  expect(await counted()).toEqual({ stored: 1 })
})

test('a batch stores each (source, id) once; percent signs of a header stay as they are', async () => {
  const { handle, stored } = setUp()
  const batch = [EVENT, { ...EVENT, id: 'e2' }, EVENT]
  await handle(record(batch, { 'content-type': 'application/cloudevents-batch+json' }))
  await handle(record({ a: 1 }, { ...HEADERS, ce_id: '100%25' }))
  expect(stored.map(({ id }) => id)).toEqual(['e1', 'e2', '100%25'])
})

test.each([
  { mode: 'binary', headers: { ...HEADERS, 'content-type': 'application/json' } },
  { mode: 'structured', headers: { 'content-type': 'application/cloudevents+json' } },
])('a tombstone in $mode mode is read past', async ({ headers }) => {
  const { handle, stored, letters, counted } = setUp()
  await handle(record(null, headers))
  expect([stored, letters, await counted()]).toEqual([[], [], {}])
})

const STRUCTURED = { 'content-type': 'application/cloudevents+json' }
const without = (name: keyof typeof HEADERS) =>
  record({ a: 1 }, Object.fromEntries(Object.entries(HEADERS).filter(([header]) => header !== name)))

test.each([
  { what: 'malformed JSON', given: record('{"specversion":', STRUCTURED), said: 'body is not JSON' },
  { what: 'malformed JSON beside headers', given: record('{"a":', HEADERS), said: 'body is not JSON' },
  { what: 'a value of no bytes', given: record('', STRUCTURED), said: 'body is ' },
  { what: 'no id', given: record({ ...EVENT, id: undefined }, STRUCTURED), said: 'id is missing' },
  { what: 'no ce_specversion', given: without('ce_specversion'), said: 'ce-specversion is missing' },
  { what: 'no ce_id', given: without('ce_id'), said: 'ce-id is missing' },
  { what: 'no ce_source', given: without('ce_source'), said: 'ce-source is missing' },
  { what: 'no ce_type', given: without('ce_type'), said: 'ce-type is missing' },
  {
    what: 'an empty ce_type',
    given: record({ a: 1 }, { ...HEADERS, ce_type: '' }),
    said: 'ce-type must not',
  },
  {
    what: 'no header at all but data',
    given: record({ a: 1 }),
    said: 'body is neither a CDEvent',
  },
  {
    what: 'a foreign content type',
    given: record('<xml/>', { 'content-type': 'text/xml' }),
    said: 'content-type must be application/cloudevents+json',
  },
  {
    what: 'a foreign content type beside ce_ headers',
    given: record('<xml/>', { ...HEADERS, 'content-type': 'text/xml' }),
    said: 'content-type must be application/json',
  },
  {
    what: 'another character set',
    given: record(EVENT, { 'content-type': 'application/cloudevents+json; charset=gbk' }),
    said: 'content-type has charset "gbk"',
  },
  {
    what: 'a batch with a bad event',
    given: record([EVENT, { ...EVENT, id: '' }], { 'content-type': 'application/cloudevents-batch+json' }),
    said: '[1].id must not be empty',
  },
])(
  '$what makes a dead letter named by its offset, under the same token however often it comes',
  async ({ given, said }) => {
    const { handle, stored, letters, counted } = setUp()
    await handle(given)
    await handle(given)
    expect(stored).toEqual([])
    const letter = {
      reason: 'malformed',
      detail: expect.stringContaining(said) as string,
      origin: 'kafka surety_releases/0@7',
      format: 'cloudevent',
      payload: given.value,
    }
    const kept = { letter, token: 'kafka surety_releases/0@7/dead' }
    expect(letters).toEqual([kept, kept])
    expect(await counted()).toEqual({ malformed: 2 })
  },
)

test('letters of different records have different tokens', async () => {
  const { handle, letters } = setUp()
  await handle(record('{', {}, 7n))
  await handle(record('{', {}, 8n))
  expect(letters.map(({ token }) => token)).toEqual([
    'kafka surety_releases/0@7/dead',
    'kafka surety_releases/0@8/dead',
  ])
})

test('the consumer waits for a store that is busy, with a letter and with an event, and commits when all are in', async () => {
  let asked = 0
  const { handle, stored, letters, metrics } = setUp(() => {
    asked += 1
    if ([1, 2, 4].includes(asked)) throw new StoreError('SURETY_STORE_BUSY', 'later')
  })
  const port = openMemoryPort()
  const consumer = buildTelemetryConsumer({
    port,
    signals: {},
    handlers: { surety_releases: handle },
    budget: buildMemoryBudget(1e6, metrics.pendingBytes),
    clock: systemClock,
    metrics,
    logger: buildLogger('silent'),
    lingerMs: 5,
  })
  consumer.start()
  port.append('surety_releases', 0, ['{', JSON.stringify(EVENT), null])
  await port.assign([{ topic: 'surety_releases', partition: 0 }])
  await port.idle()
  expect(asked).toBe(5)
  expect(letters.map(({ token }) => token)).toEqual(['kafka surety_releases/0@0/dead'])
  expect(stored.map(({ id }) => id)).toEqual(['e1'])
  expect(port.commits.map(({ offset, metadata }) => [offset, metadata])).toEqual([[3n, '']])
  await consumer.close()
})
