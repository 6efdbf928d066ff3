// The demo bank, whole: real instances, real traces into a receiver that decodes them. A version goes to two
// branches with a wrong result, fails one hop away and nowhere else, and is rolled back.

import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import protobuf from 'protobufjs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CLIENT_VERSIONS } from '../../deploy/demo/client-versions.ts'
import { readDemoConfig } from '../../deploy/demo/config.ts'
import { start, type Demo } from '../../deploy/demo/main.ts'
import { buildEventually } from '../support/patience.ts'

// A limit for a bank that stands still; one that is slow has all the time it needs.
vi.setConfig({ testTimeout: 300_000 })

type Attributes = Readonly<Record<string, string>>
type Span = {
  readonly resource: Attributes
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly startMs: number
  readonly attributes: Attributes
  readonly statusMessage: string
}
type ReleaseEvent = {
  readonly type: string
  readonly subject: string
  readonly data: { readonly subject: unknown }
}

/** The fields of OTLP that this test reads; a decoder passes over the others. */
const OTLP = `
  syntax = "proto3";
  message Value { oneof value { string text = 1; bool flag = 2; int64 whole = 3; double real = 4; } }
  message Pair { string key = 1; Value value = 2; }
  message Resource { repeated Pair attributes = 1; }
  message Status { string message = 2; }
  message Span {
    bytes trace_id = 1; string name = 5; int32 kind = 6; fixed64 start_time_unix_nano = 7; repeated Pair attributes = 9;
    Status status = 15;
  }
  message ScopeSpans { repeated Span spans = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Request { repeated ResourceSpans resource_spans = 1; }
`
const Request = protobuf.parse(OTLP).root.lookupType('Request')
const SERVER = 2

type Pair = { readonly key: string; readonly value?: Readonly<Record<string, string | number | boolean>> }
type Decoded = {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes?: readonly Pair[] }
    readonly scopeSpans?: readonly {
      readonly spans?: readonly {
        traceId: string
        name: string
        kind: number
        startTimeUnixNano: string
        attributes?: readonly Pair[]
        status?: { readonly message?: string }
      }[]
    }[]
  }[]
}

const attributesOf = (pairs: readonly Pair[] = []): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, String(Object.values(value ?? {})[0])]))

function spansOf(bytes: Buffer): readonly Span[] {
  const decoded = Request.toObject(Request.decode(bytes), { longs: String, bytes: String }) as Decoded
  return (decoded.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans ?? [])
      .flatMap((scope) => scope.spans ?? [])
      .map(({ name, kind, traceId, startTimeUnixNano, attributes, status }) => ({
        name,
        kind,
        traceId,
        startMs: Number(startTimeUnixNano) / 1e6,
        resource: attributesOf(resource.attributes),
        attributes: attributesOf(attributes),
        statusMessage: status?.message ?? '',
      })),
  )
}

const spans: Span[] = []
const events: ReleaseEvent[] = []
const metrics: MetricsRequest[] = []
let eventAttempts = 0

type MetricsRequest = {
  readonly resourceMetrics: readonly { readonly resource: { readonly attributes: readonly Pair[] } }[]
}
const machines = (request: MetricsRequest | undefined): readonly string[] =>
  [
    ...new Set(
      request?.resourceMetrics.map(({ resource }) => attributesOf(resource.attributes)['bank.site'] ?? ''),
    ),
  ].sort()

/** The doors of Surety that the bank knows: OTLP for spans and metrics, and release events, of which the first attempt fails. */
const surety = http.createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    if (request.url === '/v1/traces') {
      spans.push(...spansOf(body))
      response.end()
    } else if (request.url === '/v1/metrics') {
      metrics.push(JSON.parse(body.toString()) as MetricsRequest)
      response.end()
    } else if (request.url === '/api/v1/releases/events') {
      eventAttempts += 1
      if (eventAttempts > 1) events.push(JSON.parse(body.toString()) as ReleaseEvent)
      response.writeHead(eventAttempts > 1 ? 202 : 503).end()
    } else {
      response.writeHead(404).end()
    }
  })
})

let demo: Demo

beforeAll(async () => {
  await new Promise<void>((resolve) => surety.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(surety.address() as AddressInfo).port}`
  demo = await start(
    readDemoConfig({
      SURETY_DEMO_PORT: '0',
      SURETY_DEMO_RATE: '100',
      // Long enough that calls between the sites, two in a hundred, fail meanwhile on a busy machine too.
      SURETY_DEMO_FAILOVER_MS: '10000',
      SURETY_DEMO_SURETY_URL: url,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
    }),
    pino({ level: 'silent' }),
  )
})

afterAll(async () => {
  await demo.stop()
  surety.closeAllConnections()
  surety.close()
})

async function post(path: string, body: object): Promise<number> {
  const response = await fetch(new URL(path, demo.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.text()
  return response.status
}

const serverSpans = (service: string, version?: string): readonly Span[] =>
  spans.filter(
    ({ kind, resource }) =>
      kind === SERVER &&
      resource['service.name'] === service &&
      (version === undefined || resource['service.version'] === version),
  )
const values = (from: readonly Span[], name: string): readonly string[] =>
  [...new Set(from.map(({ attributes }) => attributes[name] ?? ''))].sort()
const eventually = buildEventually({ happened: () => spans.length, max: 20_000 })

test('every service of both sites sends spans with its own resource, named by route', async () => {
  const services = [
    'account',
    'core-adapter',
    'counter-bff',
    'gateway',
    'ledger',
    'limit',
    'mobile-bff',
    'transfer',
  ]
  await eventually(() => {
    const seen = new Set(spans.map(({ resource }) => `${resource['service.name']} ${resource['bank.site']}`))
    expect([...seen].sort()).toEqual(services.flatMap((service) => [`${service} sh-a`, `${service} sh-b`]))
  })
  expect(serverSpans('transfer')[0]).toMatchObject({
    name: 'POST /transfers',
    resource: {
      'service.namespace': 'core-payment',
      'service.version': '2.13.4',
      'deployment.environment.name': 'demo',
      'bank.system': 'core-payment',
    },
    attributes: { 'http.route': '/transfers' },
  })
  const instances = new Set(spans.map(({ resource }) => resource['service.instance.id']))
  expect(instances.size).toBe(16)
  expect(spans.every(({ name }) => !name.includes('6200'))).toBe(true)
  expect(values(serverSpans('mobile-bff'), 'bank.branch')).toEqual([''])
  expect(values(serverSpans('counter-bff'), 'bank.channel')).toEqual(['counter'])
  await eventually(() => expect(machines(metrics[0])).toEqual(['sh-a', 'sh-b']))
  for (const channel of ['mobile', 'counter'] as const) {
    const known = CLIENT_VERSIONS[channel].map(({ version }) => version)
    const seen = values(serverSpans(`${channel}-bff`), 'bank.client.version')
    expect(seen.every((version) => known.includes(version))).toBe(true)
  }
  await eventually(() => expect(values(serverSpans('transfer'), 'bank.return.code')).toContain('PAY0000'))
  await eventually(() => expect(events).toHaveLength(8))
})

test('a version deployed to two branches serves these alone, and its wrong result fails one hop away', async () => {
  const branches = ['0531-01', '0531-02']
  const status = await post('/api/deployments', {
    service: 'limit',
    version: '1.10.0',
    scope: { kind: 'branch', branches },
    fault: { kind: 'wrong-result', ratio: 1 },
  })
  expect(status).toBe(200)
  await eventually(() => expect(serverSpans('ledger').filter(isRefusal).length).toBeGreaterThan(5))

  const touched = (): ReadonlySet<string> =>
    new Set(serverSpans('limit', '1.10.0').map(({ traceId }) => traceId))
  const refused = serverSpans('ledger').filter(isRefusal)
  await eventually(() => expect(refused.filter(({ traceId }) => !touched().has(traceId))).toEqual([]))
  const faulty = serverSpans('limit', '1.10.0')
  expect(values(faulty, 'bank.branch')).toEqual(branches)
  expect(faulty.every(({ attributes }) => Number(attributes['http.response.status_code']) < 500)).toBe(true)
  expect(values(refused, 'bank.branch')).toEqual(branches)
  await eventually(() =>
    expect(events.at(-1)).toMatchObject({
      type: 'dev.cdevents.service.deployed.0.2.0',
      subject: 'limit',
      data: {
        subject: { content: { artifactId: 'pkg:oci/limit@1.10.0' } },
        customData: { scope: { kind: 'branch', branches } },
      },
    }),
  )
})

const isRefusal = ({ attributes }: Span): boolean =>
  attributes['http.response.status_code'] === '500' && attributes['bank.return.code'] === 'LED5002'

test('a rollback takes the version out of traffic and its fault with it', async () => {
  expect(await post('/api/rollbacks', { service: 'limit' })).toBe(200)
  await eventually(() => expect(events.at(-1)?.type).toBe('dev.cdevents.service.rolledback.0.2.0'))
  // The withdrawn instances send their last spans before they end; from then on the other version serves alone.
  await eventually(async () => {
    const before = serverSpans('limit', '1.10.0').length
    const base = serverSpans('limit', '1.9.0').length
    await eventually(() => expect(serverSpans('limit', '1.9.0').length).toBeGreaterThan(base + 50))
    expect(serverSpans('limit', '1.10.0').length).toBe(before)
  })
  const response = await fetch(new URL('/api/state', demo.url))
  expect(await response.json()).toMatchObject({ faults: [] })
  expect(await post('/api/rollbacks', { service: 'limit' })).toBe(409)
})

const CLIENT = 3
const siteOf = ({ resource }: Span): string => resource['bank.site'] ?? ''
/** Not merely late, as on a busy machine: there is nobody. */
const isUnreachable = ({ kind, statusMessage }: Span): boolean =>
  kind === CLIENT && /ECONNREFUSED|ECONNRESET|hang up/.test(statusMessage)

test('a site that goes down fails its callers, is taken over by the other one, and serves again when it is back', async () => {
  expect(await post('/api/sites', { site: 'sh-a', state: 'down' })).toBe(200)
  expect(await post('/api/sites', { site: 'sh-b', state: 'down' })).toBe(409)
  const failedCalls = (): readonly Span[] =>
    spans.filter((span) => siteOf(span) === 'sh-b' && isUnreachable(span))
  await eventually(() => expect(failedCalls().length).toBeGreaterThan(0))
  await eventually(() => expect(machines(metrics.at(-1))).toEqual(['sh-b']))

  await eventually(async () => {
    const response = await fetch(new URL('/api/state', demo.url))
    expect(await response.json()).toMatchObject({ siteStates: [{ site: 'sh-a', state: 'rerouted' }, {}] })
  })
  // A stretch of customers whom the other site serves alone; by start, since spans come when their batch does.
  await eventually(() => {
    const starts = serverSpans('mobile-bff')
      .map(({ startMs }) => startMs)
      .sort((a, b) => b - a)
    const stretch = spans.filter(({ startMs }) => startMs >= (starts[200] ?? 0))
    expect(stretch.filter((span) => isUnreachable(span) || siteOf(span) === 'sh-a')).toEqual([])
  })

  expect(await post('/api/sites', { site: 'sh-a', state: 'up' })).toBe(200)
  const backAt = Date.now()
  await eventually(() =>
    expect(
      serverSpans('mobile-bff').filter((span) => siteOf(span) === 'sh-a' && span.startMs >= backAt).length,
    ).toBeGreaterThan(50),
  )
})

test('a stress test passes through every service under its mark, and customers keep theirs', async () => {
  expect(values(spans, 'bank.traffic')).toEqual([''])
  expect(await post('/api/stress', { perSecond: 50 })).toBe(200)
  const stressed = (): readonly Span[] =>
    spans.filter(({ attributes }) => attributes['bank.traffic'] === 'stress')
  await eventually(() =>
    expect(new Set(stressed().map(({ resource }) => resource['service.name'])).size).toBe(8),
  )
  const marks = new Map<string, Set<string>>()
  for (const { traceId, kind, attributes } of spans) {
    if (kind !== SERVER) continue
    marks.set(traceId, (marks.get(traceId) ?? new Set()).add(attributes['bank.traffic'] ?? 'live'))
  }
  expect([...marks.values()].every((seen) => seen.size === 1)).toBe(true)
  expect(await post('/api/stress', { perSecond: 0 })).toBe(200)
})
