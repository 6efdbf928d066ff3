// Release events from the sender's POST to the marker in a chart, with the real engine: each (source, id) once,
// whole, whatever stands in it; and the API's own description of itself.

import { windowPlan } from '../../query/windows/release-window.ts'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { People } from '../../query/people/people.ts'
import type { Cursors } from '../../query/registry/cursors.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NO_TRACES } from '../../ingest/runtime/own-traces.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildHealth } from '../../ingest/runtime/health.ts'
import { buildHttpApp } from '../../ingest/runtime/http-app.ts'
import { buildLifecycle } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { api } from '../../query/http/api.ts'
import type {
  IngestStatusReply,
  Problem,
  ReleaseEvent,
  ReleaseEventsReply,
} from '../../query/http/schemas.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const MINUTE_MS = 60_000
const dataDir = mkdtempSync(join(tmpdir(), 'surety-releases-'))
let surety: TestSurety

beforeAll(async () => void (surety = await startSurety({ SURETY_DATA_DIR: dataDir })))
afterAll(async () => {
  await surety.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

type Posted = { readonly status: number; readonly type: string; readonly body: Record<string, unknown> }

async function post(body: unknown, contentType = 'application/cloudevents+json'): Promise<Posted> {
  const reply = await fetch(`${surety.url}/api/v1/releases/events`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await reply.text()
  return {
    status: reply.status,
    type: reply.headers.get('content-type') ?? '',
    body: JSON.parse(text) as Record<string, unknown>,
  }
}
const postBatch = (events: readonly unknown[]) => post(events, 'application/cloudevents-batch+json')

const events = async (query = ''): Promise<readonly ReleaseEvent[]> =>
  (await surety.get<ReleaseEventsReply>(`/api/v1/releases/events?limit=1000${query}`)).items
const stored = async (source: string) => (await events()).filter((event) => event.source === source)
const ago = (minutes: number) => new Date(Date.now() - minutes * MINUTE_MS).toISOString()

const cloudEvent = (source: string, id: string, given: Readonly<Record<string, unknown>> = {}) => ({
  specversion: '1.0',
  id,
  source,
  type: 'com.example.change',
  ...given,
})
/** A CDEvent about one service, as the data of a CloudEvent. */
const serviceEvent = (source: string, id: string, predicate: string, service: string, at: string) => ({
  ...cloudEvent(source, id, { type: `dev.cdevents.service.${predicate}.0.3.0`, time: at }),
  data: {
    context: {
      specversion: '0.5.1',
      id,
      source,
      type: `dev.cdevents.service.${predicate}.0.3.0`,
      timestamp: at,
    },
    subject: {
      id: service,
      content: { environment: { id: 'prod' }, artifactId: `pkg:oci/${service}@sha256:0b31?tag=2.4.1` },
    },
    customData: { description: 'new limits', scope: { branch: '0531-02' } },
  },
})

test('a deployment that was posted is a marker with everything a chart needs', async () => {
  const at = ago(10)
  expect(await post(serviceEvent('/ci/markers', 'd-1', 'deployed', 'transfer', at))).toMatchObject({
    status: 201,
    body: { stored: 1, duplicates: 0 },
  })
  expect(await stored('/ci/markers')).toEqual([
    {
      source: '/ci/markers',
      id: 'd-1',
      type: 'dev.cdevents.service.deployed.0.3.0',
      at,
      receivedAt: expect.stringMatching(/Z$/) as string,
      service: 'transfer',
      version: '2.4.1',
      environment: 'prod',
      action: 'deployed',
      description: 'new limits · 0531-02',
    },
  ])
})

describe('one source and id is one event', () => {
  test('twice: the first is kept, and the second is told so', async () => {
    const event = cloudEvent('/twice', '1')
    expect(await post(event)).toMatchObject({ status: 201, body: { stored: 1, duplicates: 0 } })
    const changed = { ...event, type: 'com.example.later' }
    expect(await post(changed)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 1 } })
    expect(await stored('/twice')).toMatchObject([{ id: '1', type: 'com.example.change' }])
  })

  test('twenty times at once: one 201, the others 200', async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => post(cloudEvent('/twenty', '1'))))
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(19)
    expect(await stored('/twenty')).toHaveLength(1)
  })

  test('another source may use the same id', async () => {
    await post(cloudEvent('/same-id/a', '1'))
    expect(await post(cloudEvent('/same-id/b', '1'))).toMatchObject({ status: 201 })
  })

  test('a batch is stored but for what was known', async () => {
    await post(cloudEvent('/batch', '2'))
    const batch = ['1', '2', '3', '3'].map((id) => cloudEvent('/batch', id))
    expect(await postBatch(batch)).toMatchObject({ status: 201, body: { stored: 2, duplicates: 2 } })
    expect(await postBatch(batch)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 4 } })
    expect((await stored('/batch')).map(({ id }) => id).toSorted()).toEqual(['1', '2', '3'])
  })

  test('the largest batch, with long names, is stored and known again', async () => {
    const batch = Array.from({ length: 1000 }, (_, index) => {
      const id = `${String(index).padStart(4, '0')}${`'`.repeat(800)}`
      return cloudEvent('/large-batch', id, { time: ago(2000) })
    })
    expect(await postBatch(batch)).toMatchObject({ status: 201, body: { stored: 1000, duplicates: 0 } })
    expect(await postBatch(batch)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 1000 } })
  })
})

describe('what is kept', () => {
  test.each([
    'com.example.anything',
    'dev.cdevents.service.exploded.9.9.9',
    'dev.cdevents.incident.detected.0.3.0',
    'dev.cdeventsx.mytool-change.approved.0.1.0',
  ])('an event of the type %s', async (type) => {
    const source = `/types/${type}`
    const { data } = serviceEvent(source, '1', 'deployed', 'ledger', ago(1))
    const event = {
      ...cloudEvent(source, '1', { type }),
      data: { ...data, context: { ...data.context, type } },
    }
    expect(await post(event)).toMatchObject({ status: 201 })
    expect(await stored(source)).toMatchObject([{ type, action: 'other' }])
  })

  test('every action of a service event', async () => {
    const actions = ['deployed', 'published', 'removed', 'rolledback', 'upgraded']
    await postBatch(actions.map((action) => serviceEvent('/actions', action, action, 'limit', ago(1))))
    const kept = await stored('/actions')
    expect(kept.map(({ action }) => action).toSorted()).toEqual(actions)
    expect(kept.every(({ id, action }) => id === action)).toBe(true)
  })

  test('an event without a time happened when it was received', async () => {
    await post(cloudEvent('/no-time', '1'))
    const [event] = await stored('/no-time')
    expect(event?.at).toBe(event?.receivedAt)
    expect(Math.abs(Date.now() - Date.parse(event?.at ?? ''))).toBeLessThan(MINUTE_MS)
  })
})

describe('what is refused', () => {
  async function expectRefusal(reply: Posted, status: number, place: string, message: RegExp) {
    expect(reply.status).toBe(status)
    expect(reply.type).toMatch(/^application\/problem\+json/)
    const problem = reply.body as unknown as Problem
    expect(problem).toMatchObject({ type: 'about:blank', status })
    expect(problem.code).toMatch(/^SURETY_RELEASE_EVENT_/)
    expect(problem.errors).toContainEqual({ place, message: expect.stringMatching(message) as string })
  }

  test.each([
    { name: 'no JSON', body: '{"id"', place: 'body', message: /^is not JSON/ },
    { name: 'a list under the single type', body: [], place: 'body', message: /send several CloudEvents as/ },
    {
      name: 'no id',
      body: { ...cloudEvent('/bad', ''), id: undefined },
      place: 'id',
      message: /^is missing/,
    },
    { name: 'an empty id', body: cloudEvent('/bad', ''), place: 'id', message: /must not be empty/ },
    { name: 'a number as id', body: { ...cloudEvent('/bad', ''), id: 7 }, place: 'id', message: /string/ },
    {
      name: 'an id of 1025 characters',
      body: cloudEvent('/bad', 'x'.repeat(1025)),
      place: 'id',
      message: /1025/,
    },
    {
      name: 'another specversion',
      body: cloudEvent('/bad', '1', { specversion: '0.3' }),
      place: 'specversion',
      message: /"1\.0"/,
    },
    {
      name: 'a time that is none',
      body: cloudEvent('/bad', '1', { time: 'soon' }),
      place: 'time',
      message: /RFC 3339/,
    },
    {
      name: 'a time beyond what can be stored',
      body: cloudEvent('/bad', '1', { time: '2200-01-01T00:00:00Z' }),
      place: 'time',
      message: /check the sender's clock/,
    },
    {
      name: 'a source that is no URI',
      body: cloudEvent('/bad source', '1'),
      place: 'source',
      message: /URI-reference/,
    },
    {
      name: 'SQL as a source',
      body: cloudEvent('\n\nDROP TABLE spans', '1'),
      place: 'source',
      message: /URI-reference/,
    },
    {
      name: 'a CDEvent in no envelope under the type of envelopes',
      body: { context: {}, subject: {} },
      place: 'body',
      message: /bare CDEvent; send it alone as application\/json/,
    },
  ])('$name, with the place', async ({ body, place, message }) => {
    await expectRefusal(await post(body), 400, place, message)
    expect(await stored('/bad')).toEqual([])
  })

  test('a whole batch because of one event, and nothing of it is stored', async () => {
    const batch = [cloudEvent('/bad-batch', '1'), cloudEvent('/bad-batch', '2', { time: 'soon' })]
    await expectRefusal(await postBatch(batch), 400, '[1].time', /RFC 3339/)
    expect(await stored('/bad-batch')).toEqual([])
  })

  test('a body beyond 1 MiB, a CDEvent about nothing, and another media type', async () => {
    await expectRefusal(await post('x'.repeat(1_048_577)), 413, 'body', /1 MiB/)
    const bare = { context: { id: '1', source: '/bad', type: 't', timestamp: ago(1), specversion: '0.5.1' } }
    await expectRefusal(await post(bare, 'application/json'), 400, 'subject', /must be an object/)
    await expectRefusal(await post('{}', 'text/plain'), 415, 'content-type', /must be one of/)
  })
})

describe('markers', () => {
  beforeAll(async () => {
    await postBatch([
      serviceEvent('/filter', 'a', 'deployed', 'gateway', ago(50)),
      serviceEvent('/filter', 'b', 'upgraded', 'gateway', ago(20)),
      serviceEvent('/filter', 'c', 'deployed', 'account', ago(20)),
      serviceEvent('/filter', 'd', 'rolledback', 'gateway', ago(3 * 24 * 60)),
    ])
  })
  const ids = async (query: string) =>
    (await events(query)).filter(({ source }) => source === '/filter').map(({ id }) => id)

  test.each([
    {
      name: 'by default those of a day, newest first, ties in the order of id',
      query: '',
      want: ['b', 'c', 'a'],
    },
    { name: 'of one service', query: '&service=gateway', want: ['b', 'a'] },
    { name: 'of a service that has none', query: '&service=nobody', want: [] },
    { name: 'of a range', query: '&from=-30m', want: ['b', 'c'] },
    { name: 'of a range that ends before now', query: '&from=-60m&to=-40m', want: ['a'] },
    { name: 'of a week and one service', query: '&from=-7d&service=gateway', want: ['b', 'a', 'd'] },
  ])('$name', async ({ query, want }) => {
    expect(await ids(query)).toEqual(want)
  })

  test('no more than asked for', async () => {
    const reply = await surety.get<ReleaseEventsReply>('/api/v1/releases/events?limit=1')
    expect(reply.items).toHaveLength(1)
  })

  test.each([
    { query: 'limit=1001', place: 'limit' },
    { query: 'from=yesterday', place: 'from' },
    { query: 'from=now&to=-1h', place: 'from' },
  ])('a wrong $query is refused with its place', async ({ query, place }) => {
    const problem = await surety.get<Problem>(`/api/v1/releases/events?${query}`, 400)
    expect(problem).toMatchObject({ status: 400, code: 'SURETY_INVALID_REQUEST' })
    expect(problem.errors?.[0]?.place).toContain(place)
  })
})

describe('the OpenAPI document', () => {
  type Operation = {
    readonly summary?: string
    readonly tags?: readonly string[]
    readonly responses?: object
  }
  type Document = {
    readonly openapi: string
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }

  /** The routes as the application registers them, without an engine behind them. */
  async function apiRoutes(): Promise<string[]> {
    const metrics = buildMetrics()
    const logger = buildLogger('silent')
    const app = buildHttpApp({ logger, health: buildHealth(), metrics, allowedHosts: [] })
    const routes: string[] = []
    app.addHook('onRoute', ({ method, url }) => {
      if (method === 'GET' && url.startsWith('/api/')) routes.push(url.replaceAll(/:(\w+)/g, '{$1}'))
    })
    const store = {} as Store
    await app.register(api, {
      store,
      clock: systemClock,
      logger,
      lifecycle: buildLifecycle(logger),
      metrics,
      searchKeys: [],
      grayOpenDays: 7,
      retentionSpansDays: 7,
      retentionMinutesDays: 90,
      kafkaStatus: () => null,
      traces: NO_TRACES,
      registry: {} as Registry,
      database: {} as Database,
      people: {} as People,
      cursors: {} as Cursors,
      parsers: [],
      windowPlan: windowPlan('22:00-06:00', '07:30', 'Asia/Shanghai'),
      browsers: { isSecure: false, isProxied: false },
    })
    await app.ready()
    await app.close()
    return routes
  }

  test('is OpenAPI 3.1 and says of every route of the API what it answers', async () => {
    const document = await surety.get<Document>('/api/v1/openapi.json')
    expect(document.openapi).toMatch(/^3\.1\./)
    const routes = await apiRoutes()
    expect(routes).toContain('/api/v1/traces/{traceId}')
    expect(routes.length).toBeGreaterThanOrEqual(5)
    const described = routes.filter((route) => {
      const { summary = '', tags = [], responses = {} } = document.paths[route]?.['get'] ?? {}
      return summary !== '' && tags.length === 1 && '200' in responses && '503' in responses
    })
    expect(described).toEqual(routes)
  })

  test('holds the door of release events, and neither pages nor health', async () => {
    const { paths } = await surety.get<Document>('/api/v1/openapi.json')
    expect(paths['/api/v1/releases/events']?.['post']).toMatchObject({
      summary: expect.stringMatching(/\w/) as string,
      tags: ['releases'],
    })
    expect(Object.keys(paths).filter((path) => !path.startsWith('/api/v1/'))).toEqual(['/metrics/slo'])
    expect(paths).not.toHaveProperty('/api/v1/openapi.json')
  })
})

describe('SQL in every text field', () => {
  const sql = `\n\nDROP TABLE spans;\n\n'); DROP TABLE release_events; --\\`
  const event = {
    ...cloudEvent('/sql', sql, { type: sql, subject: sql, extension: sql }),
    data: {
      context: { specversion: sql, id: sql, source: '/sql/inner', type: sql, timestamp: ago(1) },
      subject: { id: sql, content: { environment: { id: sql }, service: { id: sql }, artifactId: sql } },
      customData: { version: sql, description: sql },
    },
  }
  const text = JSON.stringify(event)

  test('comes back as it was sent, and is known again', async () => {
    expect(await post(text)).toMatchObject({ status: 201 })
    expect(await post(text)).toMatchObject({ status: 200, body: { stored: 0, duplicates: 1 } })
    expect(await stored('/sql')).toEqual([
      expect.objectContaining({
        id: sql,
        type: sql,
        service: sql,
        version: sql,
        environment: sql,
        description: sql,
      }),
    ])
    const filtered = await events(`&service=${encodeURIComponent(sql)}`)
    expect(filtered.map(({ source }) => source)).toEqual(['/sql'])
  })

  test('in a service event, where the subject is the service', async () => {
    const { data, ...envelope } = serviceEvent('/sql/service', sql, 'deployed', sql, ago(1))
    const custom = { ...data, customData: { description: sql, scope: { [sql]: sql } } }
    expect(await post({ ...envelope, data: custom })).toMatchObject({ status: 201 })
    expect(await stored('/sql/service')).toMatchObject([{ id: sql, service: sql, action: 'deployed' }])
  })

  // Last, because it opens what the process had open.
  test('is text in every column, the body is kept byte for byte, and every table stands', async () => {
    expect((await surety.get<IngestStatusReply>('/api/v1/ingest/status')).tables.length).toBeGreaterThan(0)
    await surety.stop()
    const store = await openEmbeddedStore(dataDir)
    try {
      const rows = await store.rows(
        `SELECT id, type, subject, service, version, environment, body FROM release_events WHERE source = '/sql'`,
      )
      expect(rows).toEqual([
        { id: sql, type: sql, subject: sql, service: sql, version: sql, environment: sql, body: text },
      ])
      const tables = await store.rows(`SELECT name FROM system.tables WHERE database = currentDatabase()`)
      expect(tables.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['spans', 'release_events', 'resources']),
      )
      expect(store.migrated).toEqual([])
    } finally {
      await store.close()
    }
  })
})
