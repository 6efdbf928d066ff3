// Release orders over HTTP with the real engine and the registry: by API, as a document and as a table; planned beside observed.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReleaseOrderReply, ReleaseOrdersReply } from '../../query/http/release-order-schemas.ts'
import type { Problem } from '../../query/http/schemas.ts'
import { define, viewerOf } from '../support/api-people.ts'
import { applyDocuments, putSpans } from '../support/bank-systems.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const MINUTE_MS = 60_000
const nowMs = Math.floor(Date.now() / 1000) * 1000
const at = (minute: number) => Math.floor(nowMs / MINUTE_MS) * MINUTE_MS + minute * MINUTE_MS
const iso = (minute: number) => new Date(at(minute)).toISOString()
const HOSTILE = `"><script>alert('1')</script>'; DROP TABLE objects; --`
const WINDOW = { from: iso(-120), to: iso(-10) }

let surety: TestSurety

/** A request a minute. */
const serve = (service: string, version: string, from: number, to: number) =>
  putSpans(surety, { service, version, fromMs: at(from) + 5000, count: to - from, everyMs: MINUTE_MS })
const order = (name: string, status?: number) =>
  surety.get<ReleaseOrderReply>(`/api/v1/release-orders/${encodeURIComponent(name)}`, status)

async function apply(
  file: string,
  text: string,
): Promise<{ readonly status: number; readonly json: Problem }> {
  const reply = await fetch(`${surety.url}/api/v1/registry/apply?bundle=${encodeURIComponent(file)}`, {
    method: 'POST',
    headers: { ...surety.asLocal, 'content-type': 'application/json' },
    body: JSON.stringify({ files: [{ file, text }] }),
  })
  return { status: reply.status, json: (await reply.json()) as Problem }
}

beforeAll(async () => {
  surety = await startSurety()
  await define(surety, 'teams/money', {})
  for (const system of ['core', 'channels'])
    await define(surety, `systems/${system}`, {
      team: 'money',
      tier: 'office',
      type: 'core',
      origin: 'in-house',
    })
  for (const service of ['pay', 'ledger', 'card', 'limit']) {
    await define(surety, `services/${service}`, { system: service === 'card' ? 'channels' : 'core' })
    await serve(service, '1.0', -300, service === 'ledger' ? 0 : -85)
  }
  await serve('pay', '2.0', -90, 0)
  await serve('card', '2.0', -60, 0)
  // Taken back after half an hour.
  await serve('ledger', '2.0', -80, -50)
  await serve('limit', '5.0', -70, 0)
})
afterAll(() => surety.stop())

describe('an order', () => {
  test('made by the API is shown beside what happened; half of it taken back is told first', async () => {
    await define(surety, 'release-orders/night', {
      title: HOSTILE,
      ticket: HOSTILE,
      window: WINDOW,
      transactional: true,
      items: [
        { service: 'pay', system: 'core', version: '2.0' },
        { service: 'ledger', system: 'core', version: '2.0', group: 2, after: ['pay'] },
      ],
    })
    const reply = await order('night')
    expect(reply).toMatchObject({
      title: HOSTILE,
      ticket: HOSTILE,
      state: 'not-done',
      flags: ['half-rolled-back', 'extra-release'],
      counts: { done: 1, 'taken-back': 1 },
      items: [
        {
          service: 'pay',
          state: 'done',
          release: { versionFrom: '1.0', versionTo: '2.0', isImplicit: true },
        },
        { service: 'ledger', state: 'taken-back', release: { state: 'rolled_back' } },
      ],
      extra: [{ service: 'limit', versionTo: '5.0' }],
    })
    expect(reply.sentences[0]?.text.zh).toContain('已回退')
    expect(reply.headline.zh).toContain('部分回退')
  })

  test('as a document that names unknown systems is kept and says so', async () => {
    await applyDocuments(
      surety,
      'orders',
      `apiVersion: surety/v1
kind: ReleaseOrder
metadata: { name: unknown }
spec:
  window: { from: '${WINDOW.from}', to: '${WINDOW.to}' }
  systems: [nobody-knows]
  items:
    - { service: card, system: channels, version: '2.1' }
    - { service: gone, system: nobody-knows-either }
`,
    )
    expect(await order('unknown')).toMatchObject({
      flags: ['missing', 'wrong-version', 'unknown-system'],
      unknownSystems: ['nobody-knows', 'nobody-knows-either'],
      items: [
        { state: 'done', flags: ['wrong-version'] },
        { state: 'missing', flags: ['unknown-system'] },
      ],
    })
  })

  test('as a table is the same; what is wrong with one is told by row and column', async () => {
    const HEAD = 'order,from,to,service,system,version,group,after'
    const good = await apply(
      'night.csv',
      `${HEAD}\nby-table,${WINDOW.from},${WINDOW.to},pay,core,2.0,1,\nby-table,,,card,channels,2.0,2,pay\n`,
    )
    expect(good.status).toBe(200)
    expect(await order('by-table')).toMatchObject({
      state: 'done',
      items: [{ state: 'done' }, { state: 'done' }],
    })
    const bad = await apply(
      'bad.csv',
      `${HEAD}\nbad,${WINDOW.from},${WINDOW.to},pay,core,2.0,1,card\nbad,,,card,channels,2.0,1,pay\n`,
    )
    expect(bad).toMatchObject({ status: 400, json: { code: 'SURETY_DOCUMENTS_INVALID' } })
    expect(bad.json.errors?.[0]).toMatchObject({
      place: 'bad.csv:3 row3.after',
      message: expect.stringContaining('makes a circle') as string,
    })
    await order('bad', 404)
  })

  test('is exported as the document that it was applied from', async () => {
    const { documents } = await surety.get<{ documents: { metadata: { name: string } }[] }>(
      '/api/v1/registry/export?kinds=release-order',
    )
    const again = await apply('again.json', JSON.stringify(documents))
    expect(again.status).toBe(200)
    expect(documents.map(({ metadata }) => metadata.name)).toEqual(['by-table', 'night', 'unknown'])
  })

  test('that is changed stands in the audit', async () => {
    const reply = await fetch(`${surety.url}/api/v1/audit?kind=release-order&name=night`, {
      headers: surety.asLocal,
    })
    const { items } = (await reply.json()) as { items: readonly { action: string }[] }
    // Applied from a document it belongs to that set of files.
    expect(items.map(({ action }) => action)).toEqual(['update', 'create'])
  })
})

describe('the list', () => {
  test('has the orders of a range, with flags and a sentence', async () => {
    const { items } = await surety.get<ReleaseOrdersReply>('/api/v1/release-orders')
    expect(items.map(({ name }) => name).toSorted()).toEqual(['by-table', 'night', 'unknown'])
    const later = await surety.get<ReleaseOrdersReply>(`/api/v1/release-orders?from=${iso(0)}`)
    expect(later.items).toEqual([])
    const problem = await surety.get<Problem>('/api/v1/release-orders?from=2026-02-30T00:00:00Z', 400)
    expect(JSON.stringify(problem)).toContain('from')
  })

  test('somebody who may read some systems sees their items alone', async () => {
    const get = await viewerOf(surety, 'of-channels', ['channels'])
    const { items } = await get<ReleaseOrdersReply>('/api/v1/release-orders')
    expect(items.map(({ name }) => name).toSorted()).toEqual(['by-table', 'unknown'])
    const whole = await get<ReleaseOrderReply>('/api/v1/release-orders/by-table')
    expect(whole.items.map(({ service }) => service)).toEqual(['card'])
    expect(JSON.stringify(whole)).not.toContain('"pay"')
    await get('/api/v1/release-orders/night', 404)
  })
})
