import { expect, test } from 'vitest'
import { buildDoorGuard } from './door-guard.ts'
import { buildHealth } from './health.ts'
import { buildHttpApp } from './http-app.ts'
import { buildLogger } from './logger.ts'
import { buildMetrics } from './metrics.ts'
import { buildTokens, hashToken } from './tokens.ts'

function setUp() {
  const health = buildHealth()
  const app = buildHttpApp({
    logger: buildLogger('silent'),
    health,
    metrics: buildMetrics(),
    allowedHosts: ['surety.bank.example'],
  })
  return { app, health }
}

test.each([
  { name: 'loopback by name and port', headers: { host: 'localhost:8080' }, status: 200 },
  { name: 'loopback by IPv6', headers: { host: '[::1]:8080' }, status: 200 },
  { name: 'a configured name', headers: { host: 'surety.bank.example' }, status: 200 },
  {
    name: 'a foreign name that resolves to us (DNS rebinding)',
    headers: { host: 'evil.example' },
    status: 403,
  },
  {
    name: 'a page of our own origin',
    headers: { host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080' },
    status: 200,
  },
  {
    name: 'a foreign page',
    headers: { host: '127.0.0.1:8080', origin: 'https://evil.example' },
    status: 403,
  },
  { name: 'a sandboxed page', headers: { host: '127.0.0.1:8080', origin: 'null' }, status: 403 },
])('$name is answered $status', async ({ headers, status }) => {
  const { app } = setUp()
  const reply = await app.inject({ url: '/healthz', headers })
  expect(reply.statusCode).toBe(status)
  if (status === 403) expect(reply.json()).toMatchObject({ code: 'SURETY_FOREIGN_REQUEST', status: 403 })
})

test('/readyz names the part that is not ready and why', async () => {
  const { app, health } = setUp()
  health.register('store', () => undefined)
  expect((await app.inject('/readyz')).statusCode).toBe(200)
  health.register('kafka', () => 'the topic otlp_spans does not exist')
  health.register('disk', () => Promise.reject(new Error('unreadable')))
  const reply = await app.inject('/readyz')
  expect(reply.statusCode).toBe(503)
  expect(reply.json()).toEqual({
    ready: false,
    parts: [
      { part: 'store', ready: true },
      { part: 'kafka', ready: false, reason: 'the topic otlp_spans does not exist' },
      { part: 'disk', ready: false, reason: 'unreadable' },
    ],
  })
})

test('/metrics speaks Prometheus', async () => {
  const { app } = setUp()
  const reply = await app.inject('/metrics')
  expect(reply.headers['content-type']).toContain('text/plain')
  expect(reply.body).toContain('# TYPE surety_ingest_rows_total counter')
})

test('an unknown path is a problem that says where to look', async () => {
  const { app } = setUp()
  const reply = await app.inject('/api/v1/nothing')
  expect(reply.statusCode).toBe(404)
  expect(reply.headers['content-type']).toContain('application/problem+json')
  expect(reply.json()).toMatchObject({
    code: 'SURETY_NOT_FOUND',
    detail: expect.stringContaining('/api/v1/openapi.json') as string,
  })
})

test('a route that is read asks for the scope «read»; one that writes must say whom it lets in', async () => {
  const tokens = buildTokens([{ name: 'ops', hash: hashToken('t'), scopes: ['read'] }])
  const metrics = buildMetrics()
  const guard = buildDoorGuard({ tokens, clock: { now: () => 0 }, metrics })
  const parts = { logger: buildLogger('silent'), health: buildHealth(), metrics, allowedHosts: [], guard }
  const app = buildHttpApp(parts)
  app.get('/new', () => ({}))
  expect(() => app.post('/new', () => ({}))).toThrow('The route POST /new must say its access')
  expect((await app.inject('/new')).statusCode).toBe(401)
  expect((await app.inject({ url: '/new', headers: { authorization: 'Bearer t' } })).statusCode).toBe(200)
  expect((await app.inject('/healthz')).statusCode).toBe(200)
})
