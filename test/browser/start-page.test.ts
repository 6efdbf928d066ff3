// The start page in a real browser, on canned replies of the API: what no unit test of its parts can prove.

import fastify, { type FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type {
  IngestStatusReply,
  Problem,
  ReleaseEvent,
  ReleaseEventsReply,
  ServiceItem,
  ServiceSeriesReply,
  ServicesReply,
  TraceReply,
  UtilisationReply,
} from '../../query/http/schemas.ts'
import { pages } from '../../query/http/routes/pages.ts'
import { openChromium } from '../support/browser.ts'
import { openWatchedPage } from '../support/watched-page.ts'

const hostile = '<img src=x onerror="document.title=\'injected\';alert(1)">'
const traceId = '0af7651916cd43dd8448eb211c80319c'
const minute = 60_000

/** What the canned API answers; a test changes it while the page is open. */
type Scene = { failed: number; empty: boolean; down: boolean; seriesAsked: number }

let browser: Browser
let app: FastifyInstance
let context: BrowserContext
let page: Page
let address: string
let scene: Scene
let complaints: readonly string[]

beforeAll(async () => {
  browser = await openChromium()
})

afterAll(() => browser.close())

beforeEach(async () => {
  scene = { failed: 412, empty: false, down: false, seriesAsked: 0 }
  app = await buildServer()
  address = await app.listen({ host: '127.0.0.1', port: 0 })
  // Reading the canvas back is this test's doing, and the browser's advice about it is not the page's fault.
  ;({ context, page, complaints } = await openWatchedPage(browser, { width: 1280, height: 800 }, (text) =>
    text.includes('getImageData'),
  ))
})

afterEach(async () => {
  await context.close()
  await app.close()
})

describe('start page', () => {
  test('says what is worst, lists it first, and shows its charts with the release on the time axis', async () => {
    await page.goto(address)
    await page
      .getByText('transfer 2.14.0 is failing 38.2% of requests (412 of 1,078 in the last 5 min')
      .waitFor()
    const first = page.locator('table.services tbody tr').first()
    expect(await first.innerText()).toMatch(/failing\s+transfer\s+2\.14\.0/)

    // By keyboard: the row's link, then Enter.
    await first.getByRole('link').focus()
    await page.keyboard.press('Enter')
    await page.locator('#latency-chart canvas').waitFor()
    expect(new URL(page.url()).searchParams.get('service')).toBe('transfer')
    expect(await first.getAttribute('aria-current')).toBe('true')
    for (const id of ['requests-chart', 'errors-chart', 'latency-chart']) {
      await expect.poll(async () => (await drawn(id)).lines).toBe(2)
      expect((await drawn(id)).flag).not.toBeNull()
    }

    // Over the flag the tooltip tells the release; the other charts follow the same cursor.
    const { flag } = await drawn('errors-chart')
    if (flag === null) throw new Error('the flag has gone')
    await page.locator('#errors-chart').hover({ position: { x: flag.x, y: flag.y + 60 } })
    await page.locator('#errors-chart .tip').getByText('deployed 2.14.0').waitFor()
    await page.locator('#latency-chart .tip').getByText('deployed 2.14.0').waitFor()
    expect(complaints).toEqual([])
  })

  test('sets nodes and containers against what they have, asked for and may use', async () => {
    await page.goto(address)
    const node = page.locator('#utilisation tr', { hasText: 'node-1' })
    await node.waitFor()
    expect(await node.innerText()).toMatch(/▲ 95%\s+3\.8 cores of 4 cores\s+25%/)
    const container = page.locator('#utilisation tr', { hasText: 'ledger' })
    expect(await container.innerText()).toMatch(
      /▲ 80%\s+0\.8 cores of 1 cores\s+160%\s+1\.07 GB no limit\s+100%/,
    )
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('heading', { name: '节点与容器' }).waitFor()
    expect(await node.innerText()).toMatch(/3\.8 核 \/ 4 核/)
    expect(complaints).toEqual([])
  })

  test('speaks Chinese and English alike, and remembers which', async () => {
    await page.goto(address)
    await page.getByText('is failing 38.2% of requests').waitFor()
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByText('transfer 2.14.0 失败率 38.2%').waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN')
    expect(new URL(page.url()).searchParams.get('lang')).toBe('zh-CN')
    await page.goto(address)
    await page.getByText('失败率 38.2%').waitFor()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('is failing 38.2% of requests').waitFor()
    expect(complaints).toEqual([])
  })

  test('text from hostile telemetry stays text, in the table, the charts and the trace', async () => {
    await page.goto(`${address}/?service=${encodeURIComponent(hostile)}&trace=${traceId}`)
    await page.locator('table.services').getByText(hostile).first().waitFor()
    await page.getByRole('heading', { name: `${hostile}: requests` }).waitFor()
    await page.locator('#trace-view summary').first().click()
    await page.locator('#trace-view .span-detail').getByText(hostile).first().waitFor()
    await page.locator('#latency-chart canvas').waitFor()
    await page.locator('#requests-chart').hover({ position: { x: 300, y: 100 } })
    await page.locator('#requests-chart .tip').getByText(hostile).first().waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).not.toBe('injected')
    expect(complaints).toEqual([])
  })

  test('refreshes by itself, keeps focus, says when the API is gone and comes back', async () => {
    await page.goto(`${address}/?service=transfer`)
    const row = page.locator('table.services tbody tr', { hasText: '2.14.0' })
    await row.getByText('38.2%').waitFor()
    await row.getByRole('link').focus()
    scene.failed = 540
    await row.getByText('50.1%').waitFor()
    expect(await page.evaluate('document.activeElement.textContent')).toBe('transfer')
    expect(scene.seriesAsked).toBeGreaterThan(1)
    expect(complaints).toEqual([])

    scene.down = true
    await page.getByRole('alert').getByText('Cannot reach the Surety API').waitFor()
    await page.getByRole('alert').getByText('What you see below is as of').waitFor()
    await row.getByText('50.1%').waitFor()
    scene.down = false
    scene.failed = 0
    await page.getByText('All 3 services answer').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
  })

  test('an empty store says where to send traces', async () => {
    scene.empty = true
    await page.goto(address)
    await page.getByText(`No data yet: send OTLP traces to ${address}/v1/traces`).first().waitFor()
    expect(complaints).toEqual([])
  })

  test('a trace that is not stored is said so, a wrong id is not asked', async () => {
    await page.goto(address)
    await page.locator('#trace-id').fill('f'.repeat(32))
    await page.keyboard.press('Enter')
    await page.getByText(`No spans of trace ${'f'.repeat(32)} are stored`).waitFor()
    await page.locator('#trace-id').fill('hello')
    await page.keyboard.press('Enter')
    await page.getByText('That is no trace id').waitFor()
    await page.locator('#trace-id').fill(`00-${traceId}-b7ad6b7169203331-01`)
    await page.keyboard.press('Enter')
    await page.getByText('2 spans, 2 services, 241 ms').waitFor()
    expect(new URL(page.url()).searchParams.get('trace')).toBe(traceId)
  })
})

/** What a chart's canvas shows, found by the palette's colours: how many hues, and where the release flag begins. */
function drawn(id: string): Promise<{ lines: number; flag: { x: number; y: number } | null }> {
  // Runs in the page, whose types this program does not have.
  return page.evaluate(`(() => {
    const canvas = document.querySelector('#${id} canvas')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    const style = getComputedStyle(document.documentElement)
    const color = (name) => Number.parseInt(style.getPropertyValue(name).trim().slice(1), 16)
    const first = new Map()
    for (let at = 0; at < data.length; at += 4) {
      const seen = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2]
      if (!first.has(seen)) first.set(seen, { x: (at / 4) % canvas.width, y: Math.floor(at / 4 / canvas.width) })
    }
    const hues = [0, 1, 2, 3, 4, 5, 6, 7].filter((hue) => first.has(color('--series-' + hue)))
    return { lines: hues.length, flag: first.get(color('--release')) ?? null }
  })()`)
}

async function buildServer(): Promise<FastifyInstance> {
  const server = fastify({ forceCloseConnections: true })
  await server.register(pages)
  server.addHook('onRequest', (request, reply, done) => {
    if (!scene.down || !request.url.startsWith('/api/')) return done()
    reply.hijack()
    request.raw.socket.destroy()
    return undefined
  })
  server.get<{ Querystring: { from: string } }>('/api/v1/services', ({ query }): ServicesReply => {
    const now = Date.now()
    const rangeMs = query.from === '-5m' ? 5 * minute : 15 * minute
    const items = scene.empty
      ? []
      : [
          serviceItem('gateway', '7.3.1', 36_000, 3),
          serviceItem('transfer', '2.13.9', 3240, 1),
          serviceItem('transfer', '2.14.0', 1078, scene.failed),
          serviceItem(hostile, hostile, 100, 0),
        ]
    return { from: iso(now - rangeMs), to: iso(now), items }
  })
  server.get<{ Params: { service: string } }>('/api/v1/services/:service/series', ({ params }) => {
    scene.seriesAsked++
    return seriesReply(params.service)
  })
  server.get<{ Querystring: { service?: string } }>('/api/v1/releases/events', ({ query }) => {
    const now = Date.now()
    const items = [
      releaseEvent('transfer', '2.14.0', now - 6 * minute, hostile),
      releaseEvent(hostile, hostile, now - 5 * minute, hostile),
    ]
    return {
      from: iso(now - 15 * minute),
      to: iso(now),
      items: scene.empty ? [] : items.filter(({ service }) => [undefined, service].includes(query.service)),
    } satisfies ReleaseEventsReply
  })
  server.get('/api/v1/session', () => ({ kind: 'visitor', displayName: '', mustChangePassword: false }))
  server.get('/api/v1/ingest/status', ingestStatus)
  server.get('/api/v1/metrics/utilisation', utilisation)
  server.get('/api/v1/slos', () => ({ items: [], counts: {}, unmeasured: [], next: null }))
  server.get('/api/v1/releases', () => ({ from: iso(0), to: iso(Date.now()), items: [] }))
  server.get('/api/v1/faults', () => ({ from: iso(0), to: iso(Date.now()), items: [] }))
  server.get('/api/v1/systems/downtime', () => ({ from: iso(0), to: iso(Date.now()), items: [] }))
  server.get<{ Params: { id: string } }>('/api/v1/traces/:id', async ({ params }, reply) => {
    if (params.id === traceId) return traceReply()
    const problem: Problem = {
      type: 'about:blank',
      title: 'No such trace',
      status: 404,
      detail: '',
      code: 'SURETY_TRACE_NOT_FOUND',
    }
    return reply.code(404).type('application/problem+json').send(problem)
  })
  return server
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString()
}

function serviceItem(service: string, version: string, requests: number, failed: number): ServiceItem {
  return {
    service,
    version,
    system: 'core-payment',
    requests,
    ratePerSecond: requests / 300,
    errorRatio: failed / requests,
    outcomes: { ok: requests - failed, business_reject: 0, business_error: 0, shed: 0, system_error: failed },
    sampled: false,
    lastSeenAt: iso(Date.now() - 5000),
    p50Ms: 12,
    p95Ms: 48,
    p99Ms: 95,
  }
}

function seriesReply(service: string): ServiceSeriesReply {
  const now = Date.now()
  const from = now - 15 * minute
  const starts = (stepMs: number) => {
    const first = Math.ceil(from / stepMs) * stepMs
    return Array.from({ length: Math.ceil((now - first) / stepMs) }, (_, index) => first + index * stepMs)
  }
  const versions = service === 'transfer' ? ['2.13.9', '2.14.0'] : [hostile]
  return {
    service,
    from: iso(from),
    to: iso(now),
    stepSeconds: 10,
    latencyStepSeconds: 60,
    versions: versions.map((version, index) => ({
      version,
      points: starts(10_000).map((at) => {
        const requests = 40 - 30 * index
        return { at: iso(at), requests, bad: 4 * index, errorRatio: (4 * index) / requests }
      }),
      latency: starts(minute).map((at) => ({
        at: iso(at),
        p50Ms: 10,
        p95Ms: 40,
        p99Ms: 90 + 200 * index,
      })),
    })),
  }
}

function releaseEvent(service: string, version: string, atMs: number, description: string): ReleaseEvent {
  return {
    source: '/ci/pipeline',
    id: `${service}-${version}`,
    type: 'dev.cdevents.service.deployed.0.2.0',
    at: iso(atMs),
    receivedAt: iso(atMs + 300),
    service,
    version,
    environment: 'prod',
    action: 'deployed',
    description,
  }
}

function ingestStatus(): IngestStatusReply {
  const now = Date.now()
  return {
    at: iso(now),
    rowsPerSecond: scene.empty ? 0 : 1830,
    newestSpanAt: scene.empty ? null : iso(now - 800),
    lagSeconds: scene.empty ? null : 0.8,
    spans: { rows: 48_213_377, bytesOnDisk: 2_460_000_000, parts: 24, aheadOfNow: 0 },
    tables: [],
    deadLetters: {
      lastHour: 1,
      total: 1,
      newest: [{ at: iso(now - minute), origin: hostile, reason: hostile, bytes: 12 }],
    },
    kafka: [{ topic: 'otlp_spans', partition: 0, lagMessages: 12, paused: false }],
  }
}

function utilisation(): UtilisationReply {
  const GIB = 2 ** 30
  const runs = { site: 'sh-a', zone: 'sh-a', cluster: 'sh-a-01', node: 'node-1', at: iso(Date.now()) }
  const nodes = [{ ...runs, usage: { cpu: 3.8, memory: 4 * GIB }, capacity: { cpu: 4, memory: 16 * GIB } }]
  const containers = [
    {
      ...runs,
      namespace: hostile,
      pod: hostile,
      container: 'ledger',
      usage: { cpu: 0.8, memory: GIB },
      request: { cpu: 0.5, memory: GIB },
      limit: { cpu: 1, memory: null },
    },
  ]
  if (scene.empty) return { at: iso(Date.now()), nodes: [], containers: [], nodeCount: 0, containerCount: 0 }
  return { at: iso(Date.now()), nodes, containers, nodeCount: 1, containerCount: 1 }
}

function traceReply(): TraceReply {
  const span = (spanId: string, parentSpanId: string | null, service: string, name: string) => ({
    spanId,
    parentSpanId,
    service,
    version: '1',
    site: 'sh-a',
    name,
    kind: 'SERVER' as const,
    startAt: '2026-11-20T10:00:00.000000001Z',
    durationMs: 241,
    outcome: 'system_error' as const,
    statusCode: 'ERROR' as const,
    statusMessage: hostile,
    attributes: { [hostile]: hostile },
    resource: { 'service.name': service },
    events: [],
  })
  return { traceId, spans: [span('a', null, 'gateway', hostile), span('b', 'a', 'transfer', 'Execute')] }
}
