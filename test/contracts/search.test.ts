// Finding spans by what they carry, over HTTP and the real engine.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MapReply, Problem, TraceSearchReply } from '../../query/http/schemas.ts'
import { traceRequest, type SpanInput } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

let surety: TestSurety
const nowMs = Date.now()
const HOSTILE = `'; \n\nDROP TABLE spans\n\n --=“`
const SPANS = 40

/** Forty spans of two services, a minute apart going back, number in the trace id. */
function spanAt(index: number, overrides: Partial<SpanInput> = {}): SpanInput {
  const traceId = Buffer.alloc(16, 0xcd)
  traceId.writeUInt32BE(index, 12)
  const startNs = BigInt(nowMs - 1000 - index * 60_000) * 1_000_000n
  return {
    traceId,
    spanId: Buffer.alloc(8, index + 1),
    name: index % 4 === 0 ? 'POST /pay' : 'GET /balance',
    startNs,
    endNs: startNs + BigInt(index + 1) * 1_000_000n,
    attributes: {
      'bank.txn.id': `tx-${index}`,
      'bank.channel': index % 2 === 0 ? 'mobile' : 'counter',
      'user.id': `u-${index % 10}`,
      'http.response.status_code': index % 5 === 0 ? 500 : 200,
      'my.note': index === 7 ? HOSTILE : 'plain',
      'my.number': index,
      ...(index === 8 ? { [HOSTILE.replaceAll('=', '')]: HOSTILE } : {}),
    },
    ...overrides,
  }
}

beforeAll(async () => {
  surety = await startSurety()
  const all = Array.from({ length: SPANS }, (_, index) => index)
  for (const service of ['pay', 'pay-eu']) {
    const spans = all
      .filter((index) => (index % 3 === 0) === (service === 'pay-eu'))
      .map((index) => spanAt(index))
    const attributes = {
      'service.name': service,
      'service.version': '1.0.0',
      'host.name': `host-of-${service}`,
    }
    const sent = await surety.send(traceRequest([{ attributes, spans }]))
    if (sent.status !== 200) throw new Error(`the spans were not taken: ${sent.text}`)
  }
})
afterAll(() => surety.stop())

const all = Array.from({ length: SPANS }, (_, index) => index)
async function find(parameters: Readonly<Record<string, string | readonly string[]>>): Promise<number[]> {
  const { items } = await ask(parameters)
  return items.map(({ traceId }) => Number.parseInt(traceId.slice(24), 16))
}
function ask(parameters: Readonly<Record<string, string | readonly string[]>>): Promise<TraceSearchReply> {
  return surety.get<TraceSearchReply>(`/api/v1/traces?${query(parameters)}`)
}
function query(parameters: Readonly<Record<string, string | readonly string[]>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters))
    for (const item of typeof value === 'string' ? [value] : value) search.append(name, item)
  return search.toString()
}

test('a found span says what it is', async () => {
  const { items, isComplete } = await ask({ attribute: 'bank.txn.id=tx-5' })
  expect(isComplete).toBe(true)
  expect(items).toEqual([
    {
      traceId: `${'cd'.repeat(12)}00000005`,
      spanId: '06'.repeat(8),
      service: 'pay',
      version: '1.0.0',
      operation: 'GET /balance',
      kind: 'SERVER',
      outcome: 'system_error',
      startAt: new Date(nowMs - 1000 - 300_000).toISOString().replace('Z', '000000Z'),
      durationMs: 6,
    },
  ])
})

describe('what is asked for is what is found, newest first', () => {
  test.each([
    { name: 'everything', by: {}, want: all },
    { name: 'a service', by: { service: 'pay-eu' }, want: all.filter((index) => index % 3 === 0) },
    { name: 'an operation', by: { operation: 'POST /pay' }, want: all.filter((index) => index % 4 === 0) },
    {
      name: 'an outcome of a service',
      by: { service: 'pay', outcome: 'system_error' },
      want: all.filter((index) => index % 3 !== 0 && index % 5 === 0),
    },
    { name: 'a channel', by: { channel: 'mobile' }, want: all.filter((index) => index % 2 === 0) },
    { name: 'a version that no span has', by: { version: '2.0.0' }, want: [] },
    {
      name: 'durations, both ends inclusive',
      by: { minDurationMs: '10', maxDurationMs: '12' },
      want: [9, 10, 11],
    },
    { name: 'a transaction number', by: { attribute: 'bank.txn.id=tx-31' }, want: [31] },
    { name: 'a key with a filter', by: { attribute: 'user.id=u-3' }, want: [3, 13, 23, 33] },
    {
      name: 'several attributes at once',
      by: { attribute: ['user.id=u-4', 'bank.channel=mobile', 'my.number=14'] },
      want: [14],
    },
    {
      name: 'a status code',
      by: { attribute: 'http.response.status_code=500' },
      want: all.filter((index) => index % 5 === 0),
    },
    {
      name: 'an attribute of the resource',
      by: { attribute: 'host.name=host-of-pay-eu' },
      want: all.filter((index) => index % 3 === 0),
    },
    { name: 'a hostile value', by: { attribute: `my.note=${HOSTILE}` }, want: [7] },
    { name: 'a hostile key', by: { attribute: `${HOSTILE.replaceAll('=', '')}=${HOSTILE}` }, want: [8] },
    { name: 'a hostile service', by: { service: HOSTILE }, want: [] },
    { name: 'a value that no span has', by: { attribute: 'my.note=' }, want: [] },
    { name: 'a part of the time', by: { from: '-10m', to: '-5m' }, want: [5, 6, 7, 8, 9] },
    {
      name: 'a time before telemetry',
      by: { from: '0001-01-01T00:00:00Z', to: '0001-01-02T00:00:00Z' },
      want: [],
    },
    { name: 'a time to come', by: { from: '9999-12-01T00:00:00Z', to: '9999-12-02T00:00:00Z' }, want: [] },
  ])('$name', async ({ by, want }) => {
    expect(await find(by)).toEqual(want)
  })

  test('the limit leaves the newest and says that there is more', async () => {
    const { items, isComplete } = await ask({ limit: '8' })
    expect(items.map(({ traceId }) => Number.parseInt(traceId.slice(24), 16))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7,
    ])
    expect(isComplete).toBe(false)
  })
})

test('the map and the suggestions answer, whatever they are asked for', async () => {
  const map = await surety.get<MapReply>(`/api/v1/map?${query({ from: '-1h', traffic: HOSTILE })}`)
  expect(map).toMatchObject({ nodes: [], edges: [] })
  const nodes = (await surety.get<MapReply>('/api/v1/map?from=-1h')).nodes
  expect(nodes.map(({ name }) => name).toSorted()).toEqual(['pay', 'pay-eu'])
  const hostile = query({ prefix: HOSTILE, service: HOSTILE })
  expect(await surety.get(`/api/v1/attributes?${hostile}`)).toEqual({ items: [] })
  expect(await surety.get(`/api/v1/attributes/${encodeURIComponent(HOSTILE)}/values?${hostile}`)).toEqual({
    items: [],
  })
})

describe('what cannot be answered is refused with its place', () => {
  test.each([
    { name: 'an attribute without a value', by: { attribute: 'user.id' }, place: 'querystring.attribute' },
    {
      name: 'nine attributes',
      by: { attribute: Array.from({ length: 9 }, () => 'a=b') },
      place: 'querystring.attribute',
    },
    { name: 'more than 500 spans', by: { limit: '501' }, place: 'querystring.limit' },
    { name: 'more than 31 days', by: { from: '-32d' }, place: 'querystring.from' },
    { name: 'an outcome that does not exist', by: { outcome: 'fine' }, place: 'querystring.outcome' },
  ])('$name', async ({ by, place }) => {
    const problem = await surety.get<Problem>(`/api/v1/traces?${query(by)}`, 400)
    expect(problem.code).toBe('SURETY_INVALID_REQUEST')
    expect(problem.errors?.[0]?.place).toBe(place)
  })
})
