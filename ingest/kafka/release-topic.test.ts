import { expect, test } from 'vitest'
import type { DeadLetterBox } from '../pipeline/dead-letter-box.ts'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import { systemClock } from '../runtime/clock.ts'
import { buildMetrics } from '../runtime/metrics.ts'
import { StoreError } from '../store/store.ts'
import type { KafkaRecord } from './kafka-port.ts'
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

function setUp(add: (records: readonly ReleaseEventRecord[]) => void = () => undefined) {
  const stored: ReleaseEventRecord[] = []
  const letters: { letter: DeadLetter; token: string }[] = []
  const events = {
    add: async (records: readonly ReleaseEventRecord[]) => {
      add(records)
      stored.push(...records)
      return Promise.resolve({ added: records.length, known: 0 })
    },
  }
  const deadLetters = {
    add: (added: readonly DeadLetter[], token: string) => {
      letters.push(...added.map((letter) => ({ letter, token })))
      return Promise.resolve()
    },
  } as unknown as DeadLetterBox
  const handle = buildReleaseTopic({
    events: events as unknown as Parameters<typeof buildReleaseTopic>[0]['events'],
    deadLetters,
    clock: systemClock,
    metrics: buildMetrics(),
  })
  return { handle, stored, letters }
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
  const { handle, stored, letters } = setUp()
  await handle(given)
  expect(letters).toEqual([])
  expect(stored).toMatchObject([{ source: '/ci', id: 'e1', type: EVENT.type }])
})

test('a batch stores each (source, id) once; percent signs of a header stay as they are', async () => {
  const { handle, stored } = setUp()
  const batch = [EVENT, { ...EVENT, id: 'e2' }, EVENT]
  await handle(record(batch, { 'content-type': 'application/cloudevents-batch+json' }))
  await handle(record({ a: 1 }, { ...HEADERS, ce_id: '100%25' }))
  expect(stored.map(({ id }) => id)).toEqual(['e1', 'e2', '100%25'])
})

test('a tombstone is read past', async () => {
  const { handle, stored, letters } = setUp()
  await handle(record(null, HEADERS))
  expect([stored, letters]).toEqual([[], []])
})

test.each([
  { what: 'no JSON', given: record('{"specversion":'), said: /./ },
  { what: 'no id', given: record({ ...EVENT, id: undefined }), said: /\bid\b/ },
  {
    what: 'a binary event without its type',
    given: record({ a: 1 }, { ...HEADERS, ce_type: '' }),
    said: /type/,
  },
  {
    what: 'another content type',
    given: record('<xml/>', { 'content-type': 'text/xml' }),
    said: /xml|content/i,
  },
])('$what makes one dead letter, under the same token however often it comes', async ({ given, said }) => {
  const { handle, stored, letters } = setUp()
  await handle(given)
  await handle(given)
  expect(stored).toEqual([])
  expect(new Set(letters.map(({ token }) => token))).toEqual(new Set(['kafka surety_releases/0@7/dead']))
  expect(letters[0]?.letter).toMatchObject({
    reason: 'malformed',
    detail: expect.stringMatching(said) as string,
    origin: 'kafka surety_releases/0@7',
    format: 'cloudevent',
    payload: given.value,
  })
})

test('a store that is busy is told to the caller, who comes again; nothing becomes a dead letter', async () => {
  let isBusy = true
  const { handle, stored, letters } = setUp(() => {
    if (isBusy) throw new StoreError('SURETY_STORE_BUSY', 'later')
  })
  await expect(handle(record(EVENT))).rejects.toMatchObject({ code: 'SURETY_STORE_BUSY', retryable: true })
  isBusy = false
  await handle(record(EVENT))
  expect(stored).toHaveLength(1)
  expect(letters).toEqual([])
})
