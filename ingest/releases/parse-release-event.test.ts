import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import { parseReleaseEvent, type ParsedReleaseEvent } from './parse-release-event.ts'

const RECEIVED_AT = Date.parse('2026-03-02T00:00:00Z')
const FIXTURES = new URL('../../test/fixtures/cdevents/', import.meta.url)
const STRUCTURED = { 'content-type': 'application/cloudevents+json' }
const BATCH = { 'content-type': 'application/cloudevents-batch+json' }
const PLAIN = { 'content-type': 'application/json' }

type Json = Record<string, unknown>

function parse(headers: Record<string, string>, body: unknown): ParsedReleaseEvent {
  const bytes =
    body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  return parseReleaseEvent({ headers, body: bytes, receivedAt: RECEIVED_AT })
}

function recordOf(headers: Record<string, string>, body: unknown): ReleaseEventRecord {
  const parsed = parse(headers, body)
  expect(parsed).toMatchObject({ kind: 'record', records: [{}] })
  const [record] = parsed.kind === 'record' ? parsed.records : []
  if (record === undefined) throw new Error('no record')
  return record
}

function problemsOf(headers: Record<string, string>, body: unknown): string[] {
  const parsed = parse(headers, body)
  return parsed.kind === 'refused' ? parsed.problems.map(({ place, message }) => `${place} ${message}`) : []
}

const cloudEvent = (change: Json = {}): Json => ({
  specversion: '1.0',
  id: '42',
  source: '/ci/release-train',
  type: 'com.example.window.opened',
  time: '2026-03-01T22:15:00+08:00',
  ...change,
})

const cdEvent = (change: { context?: Json; subject?: Json; customData?: unknown } = {}): Json => ({
  context: {
    specversion: '0.5.1',
    id: 'deploy-7',
    source: '/ci/release-train',
    type: 'dev.cdevents.service.deployed.0.3.0',
    timestamp: '2026-03-01T14:00:00Z',
    ...change.context,
  },
  subject: {
    id: 'payment',
    content: { environment: { id: 'prod' }, artifactId: 'pkg:oci/payment@2.4.1' },
    ...change.subject,
  },
  ...('customData' in change ? { customData: change.customData } : {}),
})

const service = (content: Json, customData?: unknown): Json =>
  cdEvent({ subject: { content }, ...(customData === undefined ? {} : { customData }) })

describe('conformance examples of CDEvents', () => {
  const files = ['v0.4.1', 'v0.5.1'].flatMap((version) =>
    ['conformance', 'custom'].flatMap((folder) =>
      readdirSync(new URL(`${version}/${folder}/`, FIXTURES)).map((name) => `${version}/${folder}/${name}`),
    ),
  )

  test('all 45 of each version and the custom ones are there', () => expect(files).toHaveLength(92))

  test.each(files)('%s is accepted bare and as the data of a CloudEvent', (file) => {
    const text = readFileSync(new URL(file, FIXTURES), 'utf8')
    const example = JSON.parse(text) as { context: Record<string, string>; subject: Record<string, string> }
    const bare = recordOf(PLAIN, text)
    expect(bare).toMatchObject({
      source: example.context['source'],
      id: example.context['id'],
      type: example.context['type'],
      specversion: example.context['specversion'] ?? example.context['version'],
      subject: example.subject['id'],
      at: Date.parse(example.context['timestamp'] ?? ''),
      receivedAt: RECEIVED_AT,
      body: text,
    })
    const type = example.context['type']
    const wrapped = recordOf(STRUCTURED, {
      specversion: '1.0',
      id: 'outer',
      source: '/outer',
      type,
      data: example,
    })
    expect(wrapped).toEqual({
      ...bare,
      id: 'outer',
      source: '/outer',
      specversion: '1.0',
      body: wrapped.body,
    })
  })

  const DIGEST = 'sha256:0b31b1c02ff458ad9b7b81cbdf8f028bd54699fa151f221d1e8de6817db93427'
  test.each(
    ['v0.4.1', 'v0.5.1'].flatMap((spec) =>
      ['deployed', 'upgraded', 'rolledback', 'removed', 'published'].map((action) => ({ spec, action })),
    ),
  )('$spec service.$action lifts service, version and environment', ({ spec, action }) => {
    const text = readFileSync(new URL(`${spec}/conformance/service_${action}.json`, FIXTURES), 'utf8')
    expect(recordOf(PLAIN, text)).toMatchObject({
      action,
      service: 'mySubject123',
      environment: 'test123',
      version: action === 'removed' || action === 'published' ? '' : DIGEST,
    })
    const tagged = text.replace('93427"', '93427?repository_url=registry.example&tag=v2.4.1"')
    expect(recordOf(PLAIN, tagged).version).toBe(tagged === text ? '' : 'v2.4.1')
  })

  test.each(['v0.4.1', 'v0.5.1'])('%s incident names the service it is about', (spec) => {
    const text = readFileSync(new URL(`${spec}/conformance/incident_detected.json`, FIXTURES), 'utf8')
    expect(recordOf(PLAIN, text)).toMatchObject({
      action: 'other',
      service: 'myApp',
      environment: 'prod1',
      description: 'Response time above threshold of 100ms',
    })
  })
})

describe('forms of transport', () => {
  test('a structured CloudEvent of an unknown type is kept, whole and verbatim', () => {
    const text = `\n${JSON.stringify(cloudEvent({ subject: 'window-7', data: { description: 'open' } }), null, 3)}\n`
    expect(recordOf(STRUCTURED, text)).toEqual({
      source: '/ci/release-train',
      id: '42',
      type: 'com.example.window.opened',
      at: Date.parse('2026-03-01T14:15:00Z'),
      receivedAt: RECEIVED_AT,
      service: '',
      version: '',
      environment: '',
      action: 'other',
      description: 'open',
      subject: 'window-7',
      specversion: '1.0',
      body: text,
    })
  })

  test('a CloudEvent is accepted as plain JSON, with parameters and capitals in the content type', () => {
    const headers = { 'content-type': 'Application/JSON; charset="UTF-8"' }
    expect(recordOf(headers, cloudEvent()).id).toBe('42')
  })

  test('without a time, the instant is that of receipt; null attributes are absent ones', () => {
    expect(recordOf(STRUCTURED, cloudEvent({ time: null, subject: null }))).toMatchObject({
      at: RECEIVED_AT,
      subject: '',
    })
  })

  test('identity is the own source and id of the CloudEvent, facts come from the CDEvent within', () => {
    const type = 'dev.cdevents.service.upgraded.0.3.0'
    const data = cdEvent({ context: { type } })
    expect(recordOf(STRUCTURED, cloudEvent({ type, time: undefined, data }))).toMatchObject({
      source: '/ci/release-train',
      id: '42',
      at: Date.parse('2026-03-01T14:00:00Z'),
      action: 'upgraded',
      service: 'payment',
      version: '2.4.1',
      environment: 'prod',
      subject: 'payment',
    })
  })

  test('a CDEvent in base64 is read, other base64 is kept', () => {
    const type = 'dev.cdevents.service.deployed.0.3.0'
    const data_base64 = Buffer.from(JSON.stringify(cdEvent())).toString('base64')
    expect(recordOf(STRUCTURED, cloudEvent({ type, data_base64 })).service).toBe('payment')
    expect(recordOf(STRUCTURED, cloudEvent({ data_base64: '/wD+' })).service).toBe('')
  })

  test('a batch keeps the order and the exact text of each event', () => {
    const texts = [
      '{"specversion":"1.0" , "id":"a,]","source":"/x","type":"t"}',
      '{"id":"b\\"[","specversion":"1.0","source":"/x","type":"t", "n":1.50}',
    ]
    const parsed = parse(BATCH, ` [ ${texts.join(' ,\n')}\t] `)
    expect(parsed.kind === 'record' && parsed.records.map(({ body }) => body)).toEqual(texts)
    expect(parse(BATCH, '[ ]')).toEqual({ kind: 'record', records: [] })
  })

  test('binary mode is put together as its structured twin, data verbatim, extensions kept', () => {
    const data = JSON.stringify(cdEvent(), null, 2)
    const record = recordOf(
      {
        ...PLAIN,
        'ce-specversion': '1.0',
        'ce-id': '%E6%8A%95%E4%BA%A7-7',
        'ce-source': '"/ci/release-train"',
        'ce-type': 'dev.cdevents.service.deployed.0.3.0',
        'ce-time': '2026-03-01T14:00:01Z',
        'ce-traceparent': '00-01-02-00',
        'ce-__proto__': 'ignored',
      },
      data,
    )
    expect(record).toMatchObject({
      id: '投产-7',
      source: '/ci/release-train',
      at: Date.parse('2026-03-01T14:00:01Z'),
      service: 'payment',
      specversion: '1.0',
    })
    expect(record.body.endsWith(`,"data":${data}}`)).toBe(true)
    expect(JSON.parse(record.body)).toMatchObject({ traceparent: '00-01-02-00', id: '投产-7' })
    expect({ ...recordOf(STRUCTURED, record.body), body: '' }).toEqual({ ...record, body: '' })
  })

  test('binary mode needs no data', () => {
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't' }
    expect(recordOf(headers, '').body).toBe('{"specversion":"1.0","id":"1","source":"/x","type":"t"}')
  })
})

describe('facts', () => {
  const oci = 'pkg:oci/payment@sha256%3Aabc'
  test.each([
    {
      name: 'a version in the purl',
      event: service({ artifactId: 'pkg:maven/bank/pay@2.4.1?type=jar#x' }),
      want: '2.4.1',
    },
    {
      name: 'a scope in the purl is no version',
      event: service({ artifactId: 'pkg:npm/@bank/ui' }),
      want: '',
    },
    { name: 'the tag before a digest', event: service({ artifactId: `${oci}?tag=2.4.1` }), want: '2.4.1' },
    {
      name: 'the tag without any version',
      event: service({ artifactId: 'pkg:oci/pay?tag=2.4.1' }),
      want: '2.4.1',
    },
    {
      name: 'customData before a digest',
      event: service({ artifactId: oci }, { version: '2.4.2' }),
      want: '2.4.2',
    },
    { name: 'content before a digest', event: service({ artifactId: oci, version: '2.4.3' }), want: '2.4.3' },
    { name: 'a digest when there is nothing else', event: service({ artifactId: oci }), want: 'sha256:abc' },
    {
      name: 'a malformed escape as it stands',
      event: service({ artifactId: 'pkg:oci/pay@1%zz' }),
      want: '1%zz',
    },
    { name: 'nothing from what is no purl', event: service({ artifactId: 'payment@2' }), want: '' },
    {
      name: 'nothing from other types of JSON',
      event: service({ artifactId: 7, version: {} }, 'x'),
      want: '',
    },
  ])('version: $name', ({ event, want }) => {
    expect(recordOf(PLAIN, event).version).toBe(want)
  })

  test.each([
    { name: 'words', customData: { description: 'new limits' }, want: 'new limits' },
    { name: 'a scope in words', customData: { scope: 'east only' }, want: 'east only' },
    {
      name: 'words and a scope by header',
      customData: {
        description: 'new limits',
        exposure: { scope: { branch: ['0531-02', '0531-03'], region: 'east' } },
      },
      want: 'new limits · 0531-02, 0531-03 · east',
    },
    {
      name: 'long text cut short',
      customData: { description: '投'.repeat(300) },
      want: `${'投'.repeat(199)}…`,
    },
    {
      name: 'no half character',
      customData: { description: `${'x'.repeat(198)}😀😀` },
      want: `${'x'.repeat(198)}…`,
    },
    { name: 'nothing', customData: 'aGVsbG8=', want: '' },
  ])('description: $name', ({ customData, want }) => {
    expect(recordOf(PLAIN, cdEvent({ customData })).description).toBe(want)
  })

  test.each([
    { type: 'dev.cdevents.service.rolledback.0.9.0', want: 'rolledback' },
    { type: 'dev.cdevents.service.frobnicated.0.1.0', want: 'other' },
    { type: 'dev.cdevents.artifact.published.0.3.0', want: 'other' },
    { type: 'dev.cdeventsx.bank-service.deployed.0.1.0', want: 'other' },
    { type: 'com.example.anything', want: 'other' },
  ])('action of $type is $want', ({ type, want }) => {
    expect(recordOf(PLAIN, cdEvent({ context: { type } })).action).toBe(want)
  })

  test.each([
    { time: '1970-01-01T00:00:00Z', want: 0 },
    { time: '2106-02-07T06:28:15.999Z', want: 4_294_967_295_999 },
    { time: '2024-02-29t23:59:60.5z', want: Date.parse('2024-03-01T00:00:00.500Z') },
    { time: '2026-03-01T22:15:00.123999999-05:30', want: Date.parse('2026-03-02T03:45:00.123Z') },
  ])('time $time is accepted', ({ time, want }) => {
    expect(recordOf(STRUCTURED, cloudEvent({ time })).at).toBe(want)
  })
})

describe('what is refused, and the words for it', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
  const withTwo = [cloudEvent(), cloudEvent({ id: undefined, source: 'has space' }), 7]
  const binary = { ...PLAIN, 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/x', 'ce-type': 't' }
  const deployed = 'dev.cdevents.service.deployed.0.3.0'

  test.each<{ name: string; headers: Record<string, string>; body: unknown; want: string[] }>([
    {
      name: 'truncated JSON',
      headers: PLAIN,
      body: '{"specversion":"1.0","id":',
      want: ['body is not JSON: Unexpected end of JSON input'],
    },
    { name: 'an empty body', headers: PLAIN, body: '', want: ['body is empty; send the event as JSON'] },
    {
      name: 'invalid UTF-8',
      headers: STRUCTURED,
      body: Buffer.from([0x7b, 0xff, 0x7d]),
      want: ['body is not valid UTF-8; JSON is sent as UTF-8, so convert GBK and other encodings first'],
    },
    {
      name: 'another charset',
      headers: { 'content-type': 'application/json; charset=gbk' },
      body: '{}',
      want: ['content-type has charset "gbk"; send UTF-8'],
    },
    {
      name: 'another media type',
      headers: { 'content-type': 'application/xml' },
      body: '{}',
      want: [
        'content-type must be application/cloudevents+json, application/cloudevents-batch+json, application/json',
      ],
    },
    {
      name: 'a string',
      headers: PLAIN,
      body: '"x"',
      want: ['body must be a JSON object, a CloudEvent or a CDEvent'],
    },
    {
      name: 'null',
      headers: STRUCTURED,
      body: 'null',
      want: ['body must be a JSON object, a CloudEvent or a CDEvent'],
    },
    {
      name: 'an array as a single event',
      headers: PLAIN,
      body: [cloudEvent()],
      want: ['body is an array; send several CloudEvents as application/cloudevents-batch+json'],
    },
    {
      name: 'a single event as a batch',
      headers: BATCH,
      body: cloudEvent(),
      want: ['body must be an array of CloudEvents; send a single one as application/cloudevents+json'],
    },
    {
      name: 'an object of neither kind',
      headers: PLAIN,
      body: { hello: 'world' },
      want: [
        'body is neither a CDEvent (an object with context and subject) nor a CloudEvent (with specversion, id, source and type)',
      ],
    },
    {
      name: 'a bare CDEvent as a structured CloudEvent',
      headers: STRUCTURED,
      body: cdEvent(),
      want: ['body is a bare CDEvent; send it alone as application/json, or as the data of a CloudEvent'],
    },
    {
      name: 'a wrong specversion',
      headers: STRUCTURED,
      body: cloudEvent({ specversion: '0.3' }),
      want: ['specversion is "0.3"; only CloudEvents "1.0" is accepted'],
    },
    {
      name: 'every required attribute missing',
      headers: STRUCTURED,
      body: {},
      want: [
        'specversion is missing; a CloudEvent says "1.0"',
        'id is missing; give every event an id that is unique within its source',
        'source is missing; name the sender as a URI-reference, e.g. /ci/release-train',
        'type is missing; name the kind of event, e.g. dev.cdevents.service.deployed.0.3.0',
      ],
    },
    {
      name: 'empty and mistyped attributes',
      headers: STRUCTURED,
      body: cloudEvent({ id: '', source: '', type: 7, subject: '' }),
      want: [
        'id must not be empty; give every event an id that is unique within its source',
        'source must not be empty; name the sender as a URI-reference, e.g. /ci/release-train',
        'type must be a string; name the kind of event, e.g. dev.cdevents.service.deployed.0.3.0',
        'subject must not be empty; leave it out, or name what the event is about',
      ],
    },
    {
      name: 'a huge id',
      headers: STRUCTURED,
      body: cloudEvent({ id: 'x'.repeat(100_000) }),
      want: ['id has 100000 characters; at most 1024 are accepted'],
    },
    {
      name: 'half a surrogate pair in the id',
      headers: STRUCTURED,
      body: JSON.stringify(cloudEvent({ id: '\ud800' })),
      want: ['id holds half a surrogate pair; send whole characters'],
    },
    {
      name: 'a source that is no URI-reference',
      headers: STRUCTURED,
      body: cloudEvent({ source: '\n\nDROP TABLE spans' }),
      want: [
        'source is "\\n\\nDROP TABLE spans", which is not a URI-reference (RFC 3986); percent-encode spaces, control and non-ASCII characters',
      ],
    },
    {
      name: 'a time without a zone',
      headers: STRUCTURED,
      body: cloudEvent({ time: '2026-03-01T22:15:00' }),
      want: [
        'time is "2026-03-01T22:15:00", not an RFC 3339 time; send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00',
      ],
    },
    {
      name: 'a day that does not exist',
      headers: STRUCTURED,
      body: cloudEvent({ time: '2026-02-30T00:00:00Z' }),
      want: [
        'time is "2026-02-30T00:00:00Z", not an RFC 3339 time; send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00',
      ],
    },
    {
      name: 'a time before the store begins',
      headers: STRUCTURED,
      body: cloudEvent({ time: '0001-01-01T00:00:00Z' }),
      want: [
        `time is "0001-01-01T00:00:00Z"; only 1970-01-01T00:00:00.000Z to 2106-02-07T06:28:15.999Z can be stored, so check the sender's clock`,
      ],
    },
    {
      name: 'a time after the store ends',
      headers: PLAIN,
      body: cdEvent({ context: { timestamp: '2106-02-07T06:28:16Z' } }),
      want: [
        `context.timestamp is "2106-02-07T06:28:16Z"; only 1970-01-01T00:00:00.000Z to 2106-02-07T06:28:15.999Z can be stored, so check the sender's clock`,
      ],
    },
    {
      name: 'nesting of ten thousand levels',
      headers: PLAIN,
      body: `{"context":${deep(10_000)}}`,
      want: ['body is nested deeper than 64 levels; flatten it'],
    },
    {
      name: 'deep nesting hidden in base64',
      headers: STRUCTURED,
      body: cloudEvent({ type: deployed, data_base64: Buffer.from(deep(10_000)).toString('base64') }),
      want: ['data must be a CDEvent, a JSON object with context and subject'],
    },
    {
      name: 'data twice',
      headers: STRUCTURED,
      body: cloudEvent({ data: {}, data_base64: 'e30=' }),
      want: ['data_base64 stands beside data; send only one of the two'],
    },
    {
      name: 'broken base64',
      headers: STRUCTURED,
      body: cloudEvent({ data_base64: 'e30' }),
      want: ['data_base64 must be a string in base64 (RFC 4648, padded)'],
    },
    {
      name: 'a CDEvents type whose data is text',
      headers: STRUCTURED,
      body: cloudEvent({ type: deployed, data: JSON.stringify(cdEvent()) }),
      want: ['data must be a CDEvent, a JSON object with context and subject'],
    },
    {
      name: 'an incomplete CDEvent in a CloudEvent',
      headers: STRUCTURED,
      body: cloudEvent({ type: deployed, data: cdEvent({ context: { id: undefined } }) }),
      want: ['data.context.id is missing; give every event an id that is unique within its source'],
    },
    {
      name: 'a bare CDEvent without anything',
      headers: PLAIN,
      body: { context: {} },
      want: [
        'context.id is missing; give every event an id that is unique within its source',
        'context.source is missing; name the sender as a URI-reference, e.g. /ci/release-train',
        'context.type is missing; name the kind of event, e.g. dev.cdevents.service.deployed.0.3.0',
        'context.timestamp is missing; send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00',
        'context.specversion is missing; name the CDEvents version, e.g. "0.5.1" (0.4 and older call the member version)',
        'subject must be an object with an id and content',
      ],
    },
    {
      name: 'a service event without its service',
      headers: PLAIN,
      body: cdEvent({ subject: { id: undefined } }),
      want: ['subject.id is missing; name the service as its telemetry does in service.name'],
    },
    {
      name: 'service, version and environment that are too long',
      headers: PLAIN,
      body: cdEvent({
        subject: { id: 's'.repeat(257), content: { environment: { id: 'e'.repeat(258) } } },
        customData: { version: 'v'.repeat(259) },
      }),
      want: [
        'subject.id has 257 characters; at most 256 are accepted',
        'customData.version gives the version, and has 259 characters; at most 256 are accepted',
        'subject.content.environment.id gives the environment, and has 258 characters; at most 256 are accepted',
      ],
    },
    {
      name: 'a batch of which some are wrong',
      headers: BATCH,
      body: withTwo,
      want: [
        '[1].id is missing; give every event an id that is unique within its source',
        '[1].source is "has space", which is not a URI-reference (RFC 3986); percent-encode spaces, control and non-ASCII characters',
        '[2] must be a CloudEvent, a JSON object',
      ],
    },
    {
      name: 'a bare CDEvent in a batch',
      headers: BATCH,
      body: [cdEvent()],
      want: ['[0] is a bare CDEvent; send it alone as application/json, or as the data of a CloudEvent'],
    },
    {
      name: 'a batch that is too long',
      headers: BATCH,
      body: Array.from({ length: 1001 }, () => 0),
      want: ['body has 1001 events; at most 1000 are accepted, so split the batch'],
    },
    {
      name: 'a binary event with a wrong header',
      headers: { ...binary, 'ce-source': 'a b', 'ce-time': 'yesterday' },
      body: '{}',
      want: [
        'ce-source is "a b", which is not a URI-reference (RFC 3986); percent-encode spaces, control and non-ASCII characters',
        'ce-time is "yesterday", not an RFC 3339 time; send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00',
      ],
    },
    {
      name: 'a binary event with only some headers',
      headers: { ...PLAIN, 'ce-type': 't' },
      body: '{}',
      want: [
        'ce-specversion is missing; a CloudEvent says "1.0"',
        'ce-id is missing; give every event an id that is unique within its source',
        'ce-source is missing; name the sender as a URI-reference, e.g. /ci/release-train',
      ],
    },
    {
      name: 'a binary event whose header and body are unreadable',
      headers: { ...binary, 'ce-id': '%ff' },
      body: '{"a":',
      want: ['ce-id is not UTF-8 in percent-encoding', 'body is not JSON: Unexpected end of JSON input'],
    },
    {
      name: 'a binary CDEvent that is incomplete',
      headers: { ...binary, 'ce-type': deployed },
      body: cdEvent({ context: { id: undefined } }),
      want: ['context.id is missing; give every event an id that is unique within its source'],
    },
    {
      name: 'a binary CDEvent without a body',
      headers: { ...binary, 'ce-type': deployed },
      body: '',
      want: ['body must be a CDEvent, a JSON object with context and subject'],
    },
    {
      name: 'a binary event that is not JSON',
      headers: { ...binary, 'content-type': 'text/plain' },
      body: 'x',
      want: ['content-type must be application/json beside ce- headers'],
    },
  ])('$name', ({ headers, body, want }) => {
    expect(problemsOf(headers, body)).toEqual(want)
  })

  test('a batch of nothing but mistakes is told in a hundred lines', () => {
    const problems = problemsOf(
      BATCH,
      Array.from({ length: 1000 }, () => 0),
    )
    expect(problems).toHaveLength(100)
    expect(problems.at(-1)).toBe('body has 901 more problems; mend these first')
  })
})

describe('hostile text that is accepted', () => {
  const SQL = '\n\nDROP TABLE spans'

  test('SQL in every text field is kept as text, verbatim', () => {
    const event = cdEvent({
      context: {
        id: SQL,
        source: "/ci';DROP%20TABLE%20spans;--",
        type: `dev.cdevents.service.deployed.${SQL}`,
      },
      subject: { id: SQL, content: { environment: { id: SQL }, version: SQL } },
      customData: { description: SQL, scope: SQL },
    })
    const text = JSON.stringify(event)
    expect(recordOf(PLAIN, text)).toMatchObject({
      id: SQL,
      source: "/ci';DROP%20TABLE%20spans;--",
      type: `dev.cdevents.service.deployed.${SQL}`,
      service: SQL,
      subject: SQL,
      version: SQL,
      environment: SQL,
      description: `${SQL} · ${SQL}`,
      action: 'deployed',
      body: text,
    })
    expect(recordOf(STRUCTURED, cloudEvent({ id: SQL, type: SQL, subject: SQL }))).toMatchObject({
      id: SQL,
      type: SQL,
      subject: SQL,
    })
  })

  test('keys that aim at prototypes change nothing and lend nothing', () => {
    const poison =
      '"__proto__":{"polluted":1,"subject":"lent","id":"lent"},"constructor":{"prototype":{"polluted":1}}'
    const text = `{${poison},"specversion":"1.0","id":"1","source":"/x","type":"t","data":{${poison}}}`
    expect(recordOf(STRUCTURED, text)).toMatchObject({ id: '1', subject: '', body: text })
    expect(problemsOf(STRUCTURED, `{${poison},"specversion":"1.0","source":"/x","type":"t"}`)).toEqual([
      'id is missing; give every event an id that is unique within its source',
    ])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('half characters in free text are mended, because the store could not take them', () => {
    const event = cdEvent({ customData: { description: 'x\ud800y', version: '1' } })
    expect(recordOf(PLAIN, event).description).toBe('x\ufffdy')
  })

  test('sixty-four levels are not too deep, brackets in text are no levels', () => {
    const data = `${'['.repeat(63)}"${'['.repeat(1000)}\\""${']'.repeat(63)}`
    const text = `{"specversion":"1.0","id":"1","source":"/x","type":"t","data":${data}}`
    expect(recordOf(STRUCTURED, text).body).toBe(text)
  })
})
