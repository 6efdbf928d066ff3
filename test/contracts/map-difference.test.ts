// The map as of a time and where two times differ, over HTTP and the real engine.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MapDifferenceReply } from '../../query/http/map-schemas.ts'
import type { MapReply } from '../../query/http/schemas.ts'
import { viewerOf } from '../support/api-people.ts'
import { derive } from '../support/derive.ts'
import { traceRequest } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { traceTree, type TreeNode } from '../support/trace-tree.ts'

const MINUTE_MS = 60_000
const HOSTILE = `'; DROP TABLE service_edges_1m; --`
const CLIENT = 3
const minute = (ago: number) => Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - ago * MINUTE_MS
// Two windows of ten minutes; nothing in between.
const BEFORE = minute(30)
const AFTER = minute(5)
const iso = (ms: number) => new Date(ms).toISOString()
const WINDOW = `before=${iso(BEFORE)}&after=${iso(AFTER)}&window=10m`

let surety: TestSurety

/** A request at `shop` that calls another. */
const request = (callee: string, http: number, durationMs: number): TreeNode => ({
  service: 'shop',
  http: 200,
  calls: [
    { service: 'shop', kind: CLIENT, http, durationMs, calls: [{ service: callee, http, durationMs: 5 }] },
  ],
})
async function send(count: number, endMs: number, node: TreeNode): Promise<void> {
  const trees = Array.from({ length: count }, (_, at) => traceTree(endMs - 5 * MINUTE_MS + at * 10, node))
  const { status, text } = await surety.send(traceRequest(trees.flatMap(({ resources }) => resources)))
  if (status !== 200) throw new Error(text)
}

beforeAll(async () => {
  surety = await startSurety()
  await send(100, BEFORE, request('pay', 200, 10))
  await send(100, AFTER, request('pay', 200, 10))
  await send(100, BEFORE, request('stock', 200, 10))
  // Three in a hundred fail, and it takes four times as long.
  await send(97, AFTER, request('stock', 200, 40))
  await send(3, AFTER, request('stock', 500, 40))
  await send(60, BEFORE, request('mail', 200, 10))
  await send(20, AFTER, request('mail', 200, 10))
  await send(5, BEFORE, request(HOSTILE, 200, 10))
  await send(30, AFTER, {
    service: 'shop',
    calls: [{ service: 'shop', kind: CLIENT, attributes: { 'peer.service': 'oracle' } }],
  })
  await derive(surety.store())
})
afterAll(() => surety.stop())

const map = (query: string, status?: number) => surety.get<MapReply>(`/api/v1/map?${query}`, status)
const difference = (query: string, status?: number) =>
  surety.get<MapDifferenceReply>(`/api/v1/map/difference?${query}`, status)

describe('the map as of a time', () => {
  test('is that of the window that ends there', async () => {
    const then = await map(`at=${iso(BEFORE + 59_000)}&window=10m`)
    expect(then).toMatchObject({
      from: iso(BEFORE - 10 * MINUTE_MS),
      to: iso(BEFORE),
      derivedUntil: iso(BEFORE - 4 * MINUTE_MS),
      derivedMinutes: 1,
      isComplete: true,
    })
    const calls = ({ edges }: MapReply) => edges.map(({ callee, requests }) => [callee, requests])
    expect(calls(then)).toEqual([
      ['pay', 100],
      ['stock', 100],
      ['mail', 60],
      [HOSTILE, 5],
    ])
    expect(then.edges[0]?.ratePerSecond).toBe(100 / 600)
    expect(calls(await map(`at=${iso(AFTER)}&window=10m`))).toEqual([
      ['pay', 100],
      ['stock', 100],
      ['oracle', 30],
      ['mail', 20],
    ])
    expect(await map(`at=${iso(BEFORE - 20 * MINUTE_MS)}`)).toMatchObject({ edges: [], derivedUntil: null })
    expect(calls(await map(`from=${iso(BEFORE - 10 * MINUTE_MS)}&to=${iso(BEFORE)}`))).toEqual(calls(then))
  })

  test.each([
    { query: 'at=now&from=-1h', place: 'at' },
    { query: 'window=15m', place: 'window' },
    { query: 'at=now&window=90s', place: 'window' },
    { query: 'at=now&window=8d', place: 'window' },
    { query: 'at=now&window=999999d', place: 'window' },
    { query: 'at=now&window=-5m', place: 'window' },
    { query: 'at=2099-01-01T00:00:00Z', place: 'at' },
    { query: 'at=2026-02-31T00:00:00Z', place: 'at' },
    { query: 'at=-999999d', place: 'at' },
    { query: `at=${encodeURIComponent("now' OR 1=1")}`, place: 'at' },
  ])('$query is refused with its place', async ({ query, place }) => {
    expect(await map(query, 400)).toMatchObject({
      code: 'SURETY_INVALID_REQUEST',
      errors: [{ place: expect.stringContaining(place) as string }],
    })
  })
})

describe('where two times differ', () => {
  const said = ({ items }: MapDifferenceReply) =>
    items.map((item) => [
      item.change,
      item.of === 'node' ? item.name : `${item.caller} → ${item.callee}`,
      item.what.join(' '),
    ])

  test('what is new, gone and changed is told with both figures and by which thresholds', async () => {
    const found = await difference(WINDOW)
    expect(said(found)).toEqual([
      ['new', 'oracle', ''],
      ['new', 'shop → oracle', ''],
      ['gone', HOSTILE, ''],
      ['gone', `shop → ${HOSTILE}`, ''],
      ['changed', 'stock', 'errorRatio'],
      ['changed', 'mail', 'rate'],
      ['changed', 'shop → stock', 'errorRatio latency'],
      ['changed', 'shop → mail', 'rate'],
    ])
    // shop itself took 265 requests, then 250.
    expect(found).toMatchObject({
      before: { from: iso(BEFORE - 10 * MINUTE_MS), to: iso(BEFORE), minutes: 10, derivedMinutes: 1 },
      after: { to: iso(AFTER), minutes: 10, derivedMinutes: 1, isComplete: true },
      thresholds: {
        rateFactor: 2,
        errorRatioDelta: 0.01,
        latencyFactor: 1.5,
        latencyDeltaMs: 5,
        minRequests: 20,
      },
      isComparable: true,
      unchanged: { nodes: 2, edges: 1 },
      next: null,
    })
    expect(found.items.filter(({ isRare }) => isRare)).toHaveLength(2)
    expect(found.items[6]).toMatchObject({
      of: 'edge',
      calleeKind: 'service',
      before: { requests: 100, errorRatio: 0, callerP95Ms: expect.closeTo(10, 0) as number },
      after: { requests: 100, errorRatio: 0.03, callerP95Ms: expect.closeTo(40, 0) as number },
    })
    expect(found.items[0]).toMatchObject({ kind: 'peer', before: null, after: { requests: 30 } })
  })

  test('the other way round new is gone', async () => {
    const back = await difference(`before=${iso(BEFORE)}&after=${iso(AFTER)}&window=10m&traffic=stress`)
    expect(back).toMatchObject({ items: [], isComparable: true })
  })

  test('against a time that nobody knows nothing is new', async () => {
    const found = await difference(`before=-3d&after=${iso(AFTER)}&window=10m`)
    expect(found).toMatchObject({ isComparable: false, items: [] })
  })

  test('pages go on over the same windows; a forged cursor is refused', async () => {
    const pages = [await difference(`${WINDOW}&limit=3`)]
    for (let next = pages[0]?.next; next !== null && next !== undefined; next = pages.at(-1)?.next)
      pages.push(await difference(`${WINDOW}&limit=3&cursor=${next}`))
    expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 2])
    expect(pages.flatMap(({ items }) => items)).toEqual((await difference(WINDOW)).items)
    const cursor = pages[0]?.next ?? ''
    for (const query of [`${WINDOW}&cursor=x${cursor.slice(1)}y`, `${WINDOW}&traffic=x&cursor=${cursor}`])
      expect(await difference(query, 400)).toMatchObject({ errors: [{ place: 'querystring.cursor' }] })
  })

  test.each([
    { name: 'windows that overlap', query: 'before=-10m&after=now&window=15m' },
    { name: 'times the wrong way round', query: 'before=now&after=-1d' },
    { name: 'no first time', query: 'after=now' },
    { name: 'a window beyond the bound', query: 'before=-30d&window=10d' },
    { name: 'a time before anything', query: 'before=-999999d' },
  ])('$name: refused', async ({ query }) => {
    expect(await difference(query, 400)).toMatchObject({ code: 'SURETY_INVALID_REQUEST' })
  })

  test('is for callers who may read everything, as the map is', async () => {
    const some = await viewerOf(surety, 'some', [])
    expect(await some(`/api/v1/map/difference?${WINDOW}`, 403)).toMatchObject({ status: 403 })
  })
})
