import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { ReleaseEventStore } from './release-event-store.ts'
import type { RefusedRelease } from './door-replies.ts'
import { releaseRoutes } from './release-routes.ts'

const NOW = Date.parse('2026-03-02T00:00:00Z')
const STRUCTURED = { 'content-type': 'application/cloudevents+json' }
const BATCH = { 'content-type': 'application/cloudevents-batch+json' }

let app: FastifyInstance | undefined
afterEach(() => app?.close())

type Door = {
  readonly kept: Map<string, ReleaseEventRecord>
  readonly refusals: RefusedRelease[]
  readonly post: (
    body: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; headers: Record<string, unknown>; body: unknown }>
}

/** A door before a store in memory; `failures` are thrown first, one per call. */
function openDoor(failures: Error[] = []): Door {
  const kept = new Map<string, ReleaseEventRecord>()
  const refusals: RefusedRelease[] = []
  const store: ReleaseEventStore = {
    async add(records) {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      const before = kept.size
      for (const record of records) {
        const identity = JSON.stringify([record.source, record.id])
        if (!kept.has(identity)) kept.set(identity, record)
      }
      const stored = kept.size - before
      return { stored, duplicates: records.length - stored }
    },
  }
  const server = Fastify()
  app = server
  server.post('/elsewhere', (request, reply) => reply.send(request.body))
  void server.register(releaseRoutes, {
    store,
    clock: { now: () => NOW },
    onRefused: (refusal) => void refusals.push(refusal),
  })
  return {
    kept,
    refusals,
    async post(body, headers = STRUCTURED) {
      const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
      const options: InjectOptions = { method: 'POST', url: '/api/v1/releases/events', headers, payload }
      const reply = await server.inject(options)
      return { status: reply.statusCode, headers: reply.headers, body: reply.json() }
    },
  }
}

const event = (id: string, source = '/ci') => ({ specversion: '1.0', id, source, type: 'com.example.x' })

const busy = (code?: string) =>
  Object.assign(new Error('too many parts'), { retryable: true, ...(code === undefined ? {} : { code }) })

describe('stored once per source and id', () => {
  test('a new event answers 201, the same again 200', async () => {
    const door = openDoor()
    expect(await door.post(event('1'))).toMatchObject({ status: 201, body: { stored: 1, duplicates: 0 } })
    expect(await door.post(event('1'))).toMatchObject({ status: 200, body: { stored: 0, duplicates: 1 } })
    expect([...door.kept.values()]).toMatchObject([{ id: '1', receivedAt: NOW, at: NOW }])
  })

  test('the same id of another source is another event', async () => {
    const door = openDoor()
    await door.post(event('1'))
    expect(await door.post(event('1', '/cd'))).toMatchObject({ status: 201 })
  })

  test('twins within one batch count as duplicates, and the first of them is kept', async () => {
    const door = openDoor()
    const batch = [event('1'), { ...event('1'), type: 'later' }, event('2')]
    expect(await door.post(batch, BATCH)).toMatchObject({ status: 201, body: { stored: 2, duplicates: 1 } })
    expect([...door.kept.values()].map(({ type }) => type)).toEqual(['com.example.x', 'com.example.x'])
    expect(await door.post(batch, BATCH)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 3 } })
  })

  test('an empty batch is accepted and does not trouble the store', async () => {
    const door = openDoor([busy()])
    expect(await door.post('[]', BATCH)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 0 } })
  })

  test('binary mode works over HTTP, without data even without a content type', async () => {
    const door = openDoor()
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/ci', 'ce-type': 't' }
    expect(await door.post('{"a":1}', { ...headers, 'content-type': 'application/json' })).toMatchObject({
      status: 201,
    })
    expect(await door.post('', { ...headers, 'ce-id': '2' })).toMatchObject({ status: 201 })
  })
})

describe('refused', () => {
  test('nothing of a batch with one mistake is stored, and the sender reads where it is', async () => {
    const door = openDoor()
    const reply = await door.post([event('1'), { ...event('2'), time: 'soon' }], BATCH)
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(reply).toMatchObject({
      status: 400,
      body: {
        type: 'about:blank',
        title: 'Bad Request',
        status: 400,
        detail: 'Nothing of this request was stored. Mend what errors names and send it again.',
        code: 'SURETY_RELEASE_EVENT_INVALID',
        errors: [
          {
            place: '[1].time',
            message:
              'is "soon", not an RFC 3339 time; send a date, a time with seconds and a zone, e.g. 2026-03-01T22:15:00+08:00',
          },
        ],
      },
    })
    expect(door.kept.size).toBe(0)
    expect(door.refusals).toMatchObject([{ status: 400, receivedAt: NOW, problems: [{ place: '[1].time' }] }])
    expect(door.refusals[0]?.body.length).toBeGreaterThan(0)
  })

  test.each([
    { name: 'truncated JSON', body: '{"id"', message: /^is not JSON: / },
    { name: 'an empty body', body: '', message: /^is empty; send the event as JSON$/ },
    { name: 'invalid UTF-8', body: Buffer.from([0x22, 0xc3, 0x28, 0x22]), message: /^is not valid UTF-8; / },
    { name: 'ten thousand levels', body: '['.repeat(10_000), message: /^is nested deeper than 64 levels/ },
    { name: 'nearly a mebibyte of levels', body: '['.repeat(1_048_576), message: /^is nested deeper than/ },
  ])('$name is a 400 about the body', async ({ body, message }) => {
    const door = openDoor()
    expect(await door.post(body)).toMatchObject({
      status: 400,
      body: { errors: [{ place: 'body', message: expect.stringMatching(message) as string }] },
    })
  })

  test('a body above 1 MiB is a 413 that names the limit', async () => {
    const door = openDoor()
    expect(await door.post('x'.repeat(1_048_577))).toMatchObject({
      status: 413,
      body: {
        code: 'SURETY_RELEASE_EVENT_TOO_LARGE',
        detail: 'Nothing of this request was stored. At most 1048576 bytes (1 MiB) are accepted.',
      },
    })
    expect(door.refusals).toMatchObject([{ status: 413 }])
  })

  test.each([
    { name: 'XML', headers: { 'content-type': 'application/cloudevents+xml' }, place: 'content-type' },
    { name: 'plain text', headers: { 'content-type': 'text/plain' }, place: 'content-type' },
    {
      name: 'a form',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      place: 'content-type',
    },
    { name: 'what is no media type', headers: { 'content-type': 'json' }, place: 'content-type' },
    {
      name: 'compression',
      headers: { ...STRUCTURED, 'content-encoding': 'gzip' },
      place: 'content-encoding',
    },
  ])('$name is a 415 that names what is accepted', async ({ headers, place }) => {
    const door = openDoor()
    expect(await door.post('{}', headers)).toMatchObject({
      status: 415,
      body: {
        code: 'SURETY_RELEASE_EVENT_MEDIA_TYPE',
        detail:
          'Nothing of this request was stored. Accepted: application/cloudevents+json, application/cloudevents-batch+json, application/json, uncompressed.',
        errors: [{ place }],
      },
    })
  })
})

describe('a store in trouble', () => {
  test('two retryable failures answer 503 with Retry-After, then the same request works', async () => {
    const door = openDoor([busy('SURETY_STORE_BUSY'), busy()])
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const reply = await door.post(event('1'))
      expect(reply).toMatchObject({ status: 503, body: { status: 503, code: 'SURETY_STORE_BUSY' } })
      expect(reply.headers['retry-after']).toBe('5')
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/)
    }
    expect(await door.post(event('1'))).toMatchObject({ status: 201 })
  })

  test('any other failure is left to the application', async () => {
    const door = openDoor([new Error('broken')])
    expect(await door.post(event('1'))).toMatchObject({ status: 500, body: { message: 'broken' } })
    expect(door.refusals).toEqual([])
  })
})

test('the door keeps its parsers to itself', async () => {
  openDoor()
  const reply = await app?.inject({ method: 'POST', url: '/elsewhere', payload: { a: 1 } })
  expect(reply?.json()).toEqual({ a: 1 })
  const other = await app?.inject({
    method: 'POST',
    url: '/elsewhere',
    headers: STRUCTURED,
    payload: JSON.stringify(event('1')),
  })
  expect(other?.statusCode).toBe(415)
})
