// Business transactions over HTTP and the real engine: counted at their entry, each lost one put down to whoever is responsible.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { JourneyReply, JourneysReply } from '../../query/http/journey-schemas.ts'
import { define, viewerOf } from '../support/api-people.ts'
import { traceRequest } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { traceTree, type TreeNode } from '../support/trace-tree.ts'

type Journeys = z.infer<typeof JourneysReply>

const HOSTILE = `'; DROP TABLE spans; -- {code:String} \\`
const [INTERNAL, CLIENT, CONSUMER] = [1, 3, 5]
const nowMs = Date.now()
const FROM = new Date(nowMs - 600_000).toISOString()
const TO = new Date(nowMs).toISOString()
const RANGE = `from=${FROM}&to=${TO}`

let surety: TestSurety
const folder = mkdtempSync(join(tmpdir(), 'surety-journeys-'))
beforeAll(async () => {
  const map = join(folder, 'codes.json')
  writeFileSync(map, JSON.stringify({ 'ERR*': 'business_error', LIM01: 'business_reject' }))
  surety = await startSurety({ SURETY_RETURN_CODE_MAP: map })
  await define(surety, 'teams/front', {})
  await define(surety, 'teams/money', {})
  const system = { tier: 'critical', type: 'core', origin: 'in-house' }
  await define(surety, 'systems/channels', { ...system, team: 'front' })
  await define(surety, 'systems/core', { ...system, team: 'money' })
  await define(surety, 'services/Ledger', { system: 'core', telemetryNames: ['ledger'] })
  await define(surety, 'services/gateway', { system: 'channels' })
})
afterAll(async () => {
  await surety.stop()
  rmSync(folder, { recursive: true, force: true })
})

let sent = 0
async function send(root: TreeNode): Promise<string> {
  sent += 1
  const { traceId, resources } = traceTree(nowMs - 300_000 + sent, root)
  const { status, text } = await surety.send(traceRequest(resources))
  if (status !== 200) throw new Error(text)
  return traceId
}
/** An entry at the gateway, and what it called. */
const entry = (
  code: string,
  http: number,
  calls: readonly TreeNode[] = [],
  more: Partial<TreeNode> = {},
): TreeNode => ({
  service: 'gateway',
  system: 'channels',
  name: 'POST /transfer',
  http,
  calls,
  ...more,
  attributes: { 'bank.txn.code': code, ...more.attributes },
})
const call = (http: number, calls: readonly TreeNode[] = [], attributes = {}): TreeNode => ({
  service: 'gateway',
  system: 'channels',
  name: 'POST',
  kind: CLIENT,
  http,
  calls,
  attributes,
})
const ledger = (http: number, calls: readonly TreeNode[] = [], more: Partial<TreeNode> = {}): TreeNode => ({
  service: 'ledger',
  version: '2.1',
  system: 'core',
  name: 'book',
  http,
  calls,
  ...more,
})

const list = (query = '') => surety.get<Journeys>(`/api/v1/journeys?${RANGE}${query}`)
const journey = (code: string, query = '') =>
  surety.get<JourneyReply>(`/api/v1/journeys/${encodeURIComponent(code)}?${RANGE}${query}`)
const thousandths = (items: readonly { readonly lost: number }[]) =>
  items.reduce((sum, { lost }) => sum + Math.round(lost * 1000), 0)

test('requests are counted at their entry, lost ones by outcome, sampled ones for what they stand for', async () => {
  await send(entry('count', 200, [call(500, [ledger(500)])], { durationMs: 10 }))
  await send(entry('count', 500, [], { durationMs: 40 }))
  // Business rejects are not lost.
  await send(entry('count', 404))
  await send(entry('count', 200, [], { attributes: { 'bank.return.code': 'LIM01' } }))
  // One in twenty was kept, one in 2.5.
  await send(entry('count', 503, [], { kind: CONSUMER, attributes: { 'sampling.probability': 0.05 } }))
  await send(entry('count', 200, [], { attributes: { 'sampling.probability': 0.4 } }))
  // None of these is an entry of live traffic.
  await send(entry('count', 500, [], { kind: CLIENT }))
  await send(entry('count', 500, [], { attributes: { 'bank.traffic': 'stress' } }))
  await send({ service: 'x', http: 200, calls: [entry('count', 500)] })
  const { items } = await list()
  expect(items.filter(({ txnCode }) => txnCode === 'count')).toEqual([
    // 4 + 20 + 2.5 requests; 1 + 20 lost; 40 ms took one of them, less than a twentieth.
    {
      txnCode: 'count',
      requests: 26.5,
      lost: 21,
      lossRatio: 21 / 26.5,
      p95Ms: expect.closeTo(10, 0) as number,
    },
  ])
  expect(await journey('count', '&traffic=stress')).toMatchObject({ requests: 1, lost: 1, lossRatio: 1 })
})

describe('each lost request is put down to the deepest span that failed', () => {
  test('the shares of services and versions add up exactly to the loss', async () => {
    const code = 'shares'
    const deep = () => entry(code, 500, [call(500, [ledger(500)])])
    const traces = [await send(deep()), await send(deep()), await send(deep()), await send(deep())]
    await send(entry(code, 500, [call(500, [ledger(500, [], { version: '2.2' })])]))
    await send(entry(code, 503, [], { attributes: { 'sampling.probability': 0.3 } }))
    await send(entry(code, 200, [call(500, [ledger(500)])]))
    const found = await journey(code)
    const third = 3.333
    const lost = 5 + third
    expect(found).toMatchObject({
      txnCode: code,
      requests: lost + 1,
      lost,
      lostEntries: 6,
      entries: 6,
      attributed: lost,
      attributedRatio: 1,
    })
    expect(thousandths(found.items)).toBe(8333)
    expect(thousandths(found.owners)).toBe(8333)
    expect(
      found.items.map(({ service, version, operation, system, team, lost: part, entries }) => [
        service,
        version,
        operation,
        system,
        team,
        part,
        entries,
      ]),
    ).toEqual([
      ['ledger', '2.1', 'book', 'core', 'money', 4, 4],
      ['gateway', '1', 'POST /transfer', 'channels', 'front', third, 1],
      ['ledger', '2.2', 'book', 'core', 'money', 1, 1],
    ])
    expect(found.items.every(({ isRegistered }) => isRegistered)).toBe(true)
    expect(found.items.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12)
    expect(found.owners).toEqual([
      { kind: 'team', team: 'money', lost: 5, share: 5000 / 8333 },
      { kind: 'team', team: 'front', lost: third, share: 3333 / 8333 },
    ])
    const [first] = found.items
    expect(first?.exampleTraceIds).toHaveLength(3)
    expect(traces).toEqual(expect.arrayContaining(first?.exampleTraceIds ?? []))
  })

  test('a call that nobody answered names the far side; a return code is followed through a served call', async () => {
    const code = 'far'
    await send(
      entry(code, 500, [
        call(200),
        ledger(
          500,
          [
            {
              ...call(500, [], { 'db.system.name': 'oracle' }),
              service: 'ledger',
              version: '2.1',
              system: 'core',
            },
          ],
          { kind: INTERNAL },
        ),
      ]),
    )
    const told = { 'bank.return.code': 'ERR7' }
    await send(entry(code, 200, [call(200, [ledger(200, [], { attributes: told })])], { attributes: told }))
    const { items } = await journey(code)
    expect(items.map(({ service, operation, peer, lost }) => [service, operation, peer, lost])).toEqual([
      ['ledger', 'POST', 'oracle', 1],
      ['ledger', 'book', '', 1],
    ])
  })

  test('where spans are missing nobody is blamed, and the request is counted all the same', async () => {
    const code = 'gaps'
    await send(
      entry(code, 500, [
        call(500, [{ ...ledger(500), isMissing: true, calls: [{ ...call(500), service: 'ledger' }] }]),
      ]),
    )
    await send(entry(code, 500, [call(500)]))
    const found = await journey(code)
    expect(found).toMatchObject({ lost: 2, attributed: 2, attributedRatio: 1 })
    expect(found.items).toContainEqual({
      kind: 'unknown',
      reason: 'gap',
      service: null,
      version: null,
      operation: null,
      system: null,
      peer: null,
      isRegistered: false,
      team: null,
      lost: 1,
      share: 0.5,
      entries: 1,
      exampleTraceIds: [expect.stringMatching(/^[0-9a-f]{32}$/) as string],
    })
    expect(found.owners).toContainEqual({ kind: 'unknown', team: null, lost: 1, share: 0.5 })
  })

  test('a trace of more spans than are looked at is unknown, not cut short', async () => {
    const code = 'large'
    const calls = Array.from({ length: 2001 }, () => call(200))
    await send(entry(code, 500, calls))
    await send(entry(code, 500, calls.slice(0, 1999)))
    const { items } = await journey(code)
    expect(items.map(({ kind, reason, lost }) => [kind, reason, lost])).toEqual([
      ['unknown', 'too-large', 1],
      ['span', null, 1],
    ])
  })

  test('a service that is not registered is told by its telemetry, without an owner', async () => {
    await send(entry('stranger', 500, [call(500, [{ service: HOSTILE, version: HOSTILE, http: 500 }])]))
    const { items, owners } = await journey('stranger')
    expect(items).toMatchObject([
      { service: HOSTILE, version: HOSTILE, system: '', isRegistered: false, team: null },
    ])
    expect(owners).toEqual([{ kind: 'nobody', team: null, lost: 1, share: 1 }])
  })

  test('beyond a thousand a sample is looked at, said so, and not scaled', async () => {
    const code = 'outage'
    const traces = Array.from({ length: 1500 }, (_, at) =>
      traceTree(
        nowMs - 250_000 + at,
        at % 2 === 0 ? entry(code, 500) : entry(code, 500, [call(500, [ledger(500)])]),
      ),
    )
    const body = traceRequest(traces.flatMap(({ resources }) => resources))
    expect((await surety.send(body)).status).toBe(200)
    const found = await journey(code)
    expect(found).toMatchObject({
      requests: 1500,
      lost: 1500,
      lostEntries: 1500,
      entries: 1000,
      attributed: 1000,
      attributedRatio: 1000 / 1500,
    })
    expect(thousandths(found.items)).toBe(1_000_000)
    // 500 of each, give or take four standard deviations of a draw without replacement.
    for (const { lost } of found.items) expect(Math.abs(lost - 500)).toBeLessThan(4 * Math.sqrt(1000 / 4 / 3))
    expect(await journey(code)).toEqual(found)
  })
})

describe('what is asked', () => {
  test('pages go on where the one before ended, over the same instants, most lost first', async () => {
    const all = (await list('&limit=1000')).items
    const pages: Journeys[] = [await list('&limit=2')]
    for (let next = pages[0]?.next; next !== null && next !== undefined; next = pages.at(-1)?.next)
      pages.push(await list(`&limit=2&cursor=${next}`))
    expect(pages.flatMap(({ items }) => items)).toEqual(all)
    expect(pages.length).toBeGreaterThan(2)
    expect(all.map(({ lost }) => lost)).toEqual(all.map(({ lost }) => lost).toSorted((a, b) => b - a))
    const cursor = pages[0]?.next ?? ''
    const forged = `${cursor.slice(0, -2)}${cursor.endsWith('A') ? 'BB' : 'AA'}`
    for (const path of [
      `journeys?${RANGE}&limit=2&cursor=${forged}`,
      `journeys?${RANGE}&traffic=stress&cursor=${cursor}`,
      `journeys?from=-1h&cursor=${cursor}`,
      `journeys?${RANGE}&cursor=${encodeURIComponent("' OR 1=1")}`,
    ])
      expect(await surety.get(`/api/v1/${path}`, 400)).toMatchObject({
        code: 'SURETY_INVALID_REQUEST',
        errors: [{ place: 'querystring.cursor' }],
      })
  })

  test('hostile codes are text; what nobody knows is empty', async () => {
    await send(entry(HOSTILE, 500))
    expect(await journey(HOSTILE)).toMatchObject({ txnCode: HOSTILE, requests: 1, lost: 1 })
    expect((await list('&limit=1000')).items.map(({ txnCode }) => txnCode)).toContain(HOSTILE)
    expect(await journey('nothing')).toMatchObject({
      requests: 0,
      lost: 0,
      lossRatio: null,
      p95Ms: null,
      attributed: 0,
      attributedRatio: null,
      items: [],
      owners: [],
    })
    expect(await journey('count', `&traffic=${encodeURIComponent(HOSTILE)}`)).toMatchObject({ requests: 0 })
  })

  test.each([
    { name: 'a range beyond 31 days', query: 'from=-32d' },
    { name: 'a range beyond anything', query: 'from=-999999d' },
    { name: 'a range backwards', query: 'from=-1h&to=-2h' },
    { name: 'a day that does not exist', query: 'from=2026-02-30T00:00:00Z&to=2026-03-04T00:00:00Z' },
    { name: 'a limit beyond the bound', query: 'limit=100000' },
  ])('$name is refused', async ({ query }) => {
    expect(await surety.get(`/api/v1/journeys?${query}`, 400)).toMatchObject({
      code: 'SURETY_INVALID_REQUEST',
    })
    if (!query.startsWith('limit'))
      expect(await surety.get(`/api/v1/journeys/x?${query}`, 400)).toMatchObject({
        code: 'SURETY_INVALID_REQUEST',
      })
  })

  test('a range before anything that is kept is answered as far as spans are', async () => {
    expect(await surety.get('/api/v1/journeys?from=-999999d&to=-999990d')).toMatchObject({
      items: [],
      next: null,
    })
  })
})

test('who may read one system sees the journeys that enter there, and the losses of others as one', async () => {
  const channels = await viewerOf(surety, 'front-viewer', ['channels'])
  const core = await viewerOf(surety, 'core-viewer', ['core'])
  expect((await core<Journeys>(`/api/v1/journeys?${RANGE}`)).items).toEqual([])
  expect(await core<JourneyReply>(`/api/v1/journeys/shares?${RANGE}`)).toMatchObject({
    requests: 0,
    items: [],
  })
  const mine = await channels<Journeys>(`/api/v1/journeys?${RANGE}&limit=1000`)
  expect(mine.items).toEqual((await list('&limit=1000')).items)
  const shares = await channels<JourneyReply>(`/api/v1/journeys/shares?${RANGE}`)
  expect(
    shares.items.map(({ kind, service, lost, exampleTraceIds }) => [
      kind,
      service,
      lost,
      exampleTraceIds.length,
    ]),
  ).toEqual([
    ['hidden', null, 5, 0],
    ['span', 'gateway', 3.333, 1],
  ])
  expect(shares.owners.map(({ kind, team, lost }) => [kind, team, lost])).toEqual([
    ['hidden', null, 5],
    ['team', 'front', 3.333],
  ])
  expect(JSON.stringify(shares)).not.toMatch(/ledger|money|2\.1/)

  // Whatever its spans say, a service is part of the system that it is registered in.
  await send({ service: 'gateway', system: 'core', http: 500, attributes: { 'bank.txn.code': 'claimed' } })
  await send({ service: 'ledger', http: 500, attributes: { 'bank.txn.code': 'unsaid' } })
  const codes = async (as: typeof core) =>
    (await as<Journeys>(`/api/v1/journeys?${RANGE}&limit=1000`)).items
      .map(({ txnCode }) => txnCode)
      .filter((code) => code === 'claimed' || code === 'unsaid')
  expect(await codes(core)).toEqual(['unsaid'])
  expect(await codes(channels)).toEqual(['claimed'])
  expect(await core<JourneyReply>(`/api/v1/journeys/claimed?${RANGE}`)).toMatchObject({ requests: 0 })
  const services = await core<{ items: { service: string }[] }>(`/api/v1/services?${RANGE}`)
  expect(new Set(services.items.map(({ service }) => service))).toEqual(new Set(['ledger', HOSTILE, 'x']))
})
