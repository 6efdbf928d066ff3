// Systems and services as wholes over HTTP, the real engine and the registry: what is defined beside what is seen.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { z } from 'zod'
import type { ServiceProfile, SystemProfile, SystemsReply } from '../../query/http/profile-schemas.ts'
import { define, viewerOf } from '../support/api-people.ts'
import { derive } from '../support/derive.ts'
import { traceRequest } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { traceTree, type TreeNode } from '../support/trace-tree.ts'

type Systems = z.infer<typeof SystemsReply>

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const HOSTILE = `'; DROP TABLE objects; --`
const CLIENT = 3
const nowMs = Math.floor(Date.now() / 1000) * 1000
// A whole minute, so that the range is as long as it says.
const TO_MS = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS
const RANGE = `from=${new Date(TO_MS - 20 * MINUTE_MS).toISOString()}&to=${new Date(TO_MS).toISOString()}`
const HOSTILE_PATH = encodeURIComponent(HOSTILE)

let surety: TestSurety

async function send(count: number, node: TreeNode, startMs = TO_MS - 10 * MINUTE_MS): Promise<void> {
  const trees = Array.from({ length: count }, (_, at) => traceTree(startMs + at * 10, node))
  const { status, text } = await surety.send(traceRequest(trees.flatMap(({ resources }) => resources)))
  if (status !== 200) throw new Error(text)
}

const SLO = (name: string, service: string) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name, displayName: name.toUpperCase() },
  spec: {
    service,
    indicator: {
      metadata: { name },
      spec: {
        ratioMetric: {
          counter: true,
          good: { metricSource: { type: 'Surety', spec: { outcomes: ['ok', 'business_reject'] } } },
          total: { metricSource: { type: 'Surety', spec: { signal: 'requests', where: { service } } } },
        },
      },
    },
    timeWindow: [{ duration: '30d', isRolling: true }],
    budgetingMethod: 'Occurrences',
    objectives: [{ target: 0.99 }],
  },
})

async function defineSlo(name: string, service: string): Promise<void> {
  const reply = await fetch(`${surety.url}/api/v1/registry/slos/${name}`, {
    method: 'PUT',
    headers: { ...surety.asLocal, 'content-type': 'application/json', 'if-none-match': '*' },
    body: JSON.stringify(SLO(name, service)),
  })
  if (reply.status !== 201) throw new Error(await reply.text())
}

beforeAll(async () => {
  surety = await startSurety()
  await define(surety, 'organisations/bank', { type: 'head-office' })
  await define(surety, 'teams/money', {})
  await define(surety, 'teams/front', {})
  await define(surety, 'systems/base', { team: 'money', tier: 'office', type: 'base', origin: 'in-house' })
  await define(
    surety,
    'systems/core',
    {
      team: 'money',
      organisation: 'bank',
      tier: 'critical',
      type: 'core',
      origin: 'vendor',
      vendor: 'Acme',
      topology: 'active-active',
      sites: [{ name: 'sh-a', clusters: ['sh-a-01'] }, { name: 'sh-b' }],
      dependsOn: [{ system: 'base', need: 'soft' }],
      recovery: { rtoSeconds: 60 },
      description: 'books',
    },
    { displayName: '核心' },
  )
  await define(surety, 'systems/channels', {
    team: 'front',
    tier: 'general',
    type: 'channel',
    origin: 'in-house',
    dependsOn: [{ system: 'core' }, { system: 'base' }],
  })
  await define(
    surety,
    'services/Ledger',
    { system: 'core', telemetryNames: ['ledger'] },
    { displayName: '总账' },
  )
  await define(surety, 'services/archive', { system: 'core', team: 'front' })
  await define(surety, 'services/gateway', { system: 'channels' })
  await define(surety, 'services/loose', {})
  await defineSlo('ledger-ok', 'Ledger')
  await defineSlo('archive-ok', 'archive')
  await defineSlo('gateway-ok', 'gateway')
  await defineSlo('loose-ok', 'loose')

  const ledger = (http: number, version = '2.1'): TreeNode => ({
    service: 'ledger',
    version,
    system: 'core',
    http,
    calls: [
      {
        service: 'ledger',
        version,
        system: 'core',
        kind: CLIENT,
        http: 200,
        attributes: { 'db.system.name': 'oracle' },
      },
    ],
  })
  const through = (http: number): TreeNode => ({
    service: 'gateway',
    system: 'channels',
    http,
    calls: [{ service: 'gateway', system: 'channels', kind: CLIENT, http, calls: [ledger(http)] }],
  })
  await send(9, through(200))
  await send(3, through(500))
  // A system that nobody registered, and a service of none.
  await send(5, {
    service: HOSTILE,
    system: HOSTILE,
    http: 200,
    calls: [{ service: HOSTILE, system: HOSTILE, kind: CLIENT, http: 200, calls: [ledger(200)] }],
  })
  await send(2, { service: 'nowhere', http: 200 })
  // A version of the day before.
  await send(4, ledger(200, '2.0'), TO_MS - 24 * HOUR_MS)
  await send(1, { service: 'ancient', version: '0', http: 200 }, TO_MS - 20 * HOUR_MS)
  await derive(surety.store())
})
afterAll(() => surety.stop())

const systems = (query = '') => surety.get<Systems>(`/api/v1/systems?${RANGE}${query}`)
const system = (name: string, status?: number) =>
  surety.get<SystemProfile>(`/api/v1/systems/${name}?${RANGE}`, status)
const service = (name: string, status?: number) =>
  surety.get<ServiceProfile>(`/api/v1/services/${name}?${RANGE}`, status)

describe('systems', () => {
  test('registered ones and those that are seen, with tier, owner and live figures', async () => {
    const { items, next } = await systems()
    expect(next).toBeNull()
    expect(
      items.map(({ name, isRegistered, tier, team, services, requests, errorRatio }) => [
        name,
        isRegistered,
        tier,
        team,
        services,
        requests,
        errorRatio,
      ]),
    ).toEqual([
      [HOSTILE, false, null, null, 1, 5, 0],
      ['base', true, 'office', 'money', 0, 0, null],
      ['channels', true, 'general', 'front', 1, 12, 0.25],
      // 9 + 3 through the gateway, 5 from the stranger.
      ['core', true, 'critical', 'money', 2, 17, 3 / 17],
    ])
    expect(items[3]).toMatchObject({
      displayName: '核心',
      promise: {
        rtoSeconds: 60,
        rpoSeconds: 0,
        downtimeSecondsPerYear: 300,
        availability: 0.99999,
        overridden: ['rtoSeconds'],
      },
      organisation: 'bank',
      type: 'core',
      origin: 'vendor',
      vendor: 'Acme',
      topology: 'active-active',
      sites: [
        { name: 'sh-a', role: 'active', clusters: ['sh-a-01'] },
        { name: 'sh-b', role: 'active', clusters: [] },
      ],
      ratePerSecond: 17 / 1200,
    })
    expect(items[1]).toMatchObject({ promise: { rtoSeconds: 86_400, overridden: [] }, lastSeenAt: null })
  })

  test('page by page in order of name; a forged cursor is refused', async () => {
    const pages = [await systems('&limit=3')]
    pages.push(await systems(`&limit=3&cursor=${pages[0]?.next}`))
    expect(pages.map(({ items }) => items.length)).toEqual([3, 1])
    expect(pages[1]?.next).toBeNull()
    const cursor = pages[0]?.next ?? ''
    for (const query of [`${RANGE}&cursor=x${cursor}`, `${RANGE}&traffic=x&cursor=${cursor}`])
      expect(await surety.get(`/api/v1/systems?${query}`, 400)).toMatchObject({
        errors: [{ place: 'querystring.cursor' }],
      })
  })

  test('one of them: services, versions, SLOs, declared and observed dependencies', async () => {
    const core = await system('core')
    expect(core).toMatchObject({
      description: 'books',
      requests: 17,
      slos: [
        { name: 'archive-ok', displayName: 'ARCHIVE-OK', service: 'archive' },
        { name: 'ledger-ok', displayName: 'LEDGER-OK', service: 'Ledger' },
      ],
      dependsOn: [{ system: 'base', need: 'soft', isObserved: false }],
      calls: [{ kind: 'peer', name: 'oracle', system: null, isDeclared: null, requests: 17, errorRatio: 0 }],
    })
    expect(
      core.services.map(({ service: name, isRegistered, team, requests }) => [
        name,
        isRegistered,
        team,
        requests,
      ]),
    ).toEqual([
      ['archive', true, 'front', 0],
      ['ledger', true, 'money', 17],
    ])
    expect(
      core.callers.map(({ kind, name, isDeclared, requests, errorRatio }) => [
        kind,
        name,
        isDeclared,
        requests,
        errorRatio,
      ]),
    ).toEqual([
      ['system', 'channels', true, 12, 0.25],
      ['system', HOSTILE, null, 5, 0],
    ])
    expect(
      core.versions.map(({ service: name, version, live }) => [name, version, live?.requests ?? null]),
    ).toEqual([
      ['ledger', '2.1', 17],
      ['ledger', '2.0', null],
    ])
    const [, old] = core.versions
    // The hour was derived: since is its begin, last the end of the ten seconds of the last request.
    const oldMs = TO_MS - 24 * HOUR_MS
    expect([Math.floor(oldMs / HOUR_MS) * HOUR_MS, oldMs]).toContain(Date.parse(old?.since ?? ''))
    expect(Date.parse(old?.last ?? '')).toBe(Math.floor(oldMs / 10_000) * 10_000 + 10_000)
    const channels = await system('channels')
    expect(channels.dependsOn).toEqual([
      { system: 'core', need: 'hard', isObserved: true },
      { system: 'base', need: 'hard', isObserved: false },
    ])
    expect(channels.calls).toMatchObject([{ kind: 'system', name: 'core', isDeclared: true, requests: 12 }])
  })

  test('one that is only seen says so; one that nobody knows is not found', async () => {
    expect(await system(HOSTILE_PATH)).toMatchObject({
      name: HOSTILE,
      isRegistered: false,
      tier: null,
      promise: null,
      services: [{ service: HOSTILE, isRegistered: false, team: null, requests: 5 }],
      calls: [{ kind: 'system', name: 'core', isDeclared: null, requests: 5 }],
      slos: [],
    })
    expect(await system('nobody', 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
  })
})

describe('a service', () => {
  test('by the name that it calls itself, with its system’s tier and its own owner', async () => {
    expect(await service('ledger')).toMatchObject({
      service: 'ledger',
      isRegistered: true,
      registeredAs: 'Ledger',
      displayName: '总账',
      system: 'core',
      isSystemRegistered: true,
      tier: 'critical',
      promise: { rtoSeconds: 60 },
      team: 'money',
      topology: 'active-active',
      requests: 17,
      errorRatio: 3 / 17,
      slos: [{ name: 'ledger-ok' }],
      versions: [
        { version: '2.1', live: { requests: 17 } },
        { version: '2.0', live: null },
      ],
      callers: [
        { kind: 'service', name: 'gateway', system: 'channels', isDeclared: true, requests: 12 },
        { kind: 'service', name: HOSTILE, system: HOSTILE, isDeclared: null, requests: 5 },
      ],
      calls: [{ kind: 'peer', name: 'oracle' }],
    })
    expect(await service('Ledger')).toMatchObject({ service: 'Ledger', registeredAs: 'Ledger', requests: 17 })
    expect(await service('archive')).toMatchObject({
      team: 'front',
      requests: 0,
      versions: [],
      slos: [{ name: 'archive-ok' }],
    })
    expect(await service('loose')).toMatchObject({ system: null, tier: null, slos: [{ name: 'loose-ok' }] })
  })

  test('that is only seen, in no system, or seen the day before', async () => {
    expect(await service('nowhere')).toMatchObject({
      isRegistered: false,
      system: null,
      team: null,
      requests: 2,
      slos: [],
    })
    expect(await service(HOSTILE_PATH)).toMatchObject({
      system: HOSTILE,
      isSystemRegistered: false,
      requests: 5,
    })
    expect(await service('ancient')).toMatchObject({
      requests: 0,
      lastSeenAt: null,
      versions: [{ version: '0', live: null }],
    })
    expect(await service('nobody', 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
  })
})

test.each(['from=-401d', 'from=-999999d', 'from=-1h&to=-2h', 'from=2026-02-30T00:00:00Z', 'limit=0'])(
  '%s is refused',
  async (query) => {
    expect(await surety.get(`/api/v1/systems?${query}`, 400)).toMatchObject({
      code: 'SURETY_INVALID_REQUEST',
    })
  },
)

test('who may read one system sees that one, and what belongs to none', async () => {
  const core = await viewerOf(surety, 'core-viewer', ['core'])
  const list = await core<Systems>(`/api/v1/systems?${RANGE}`)
  expect(list.items.map(({ name }) => name)).toEqual(['core'])
  const profile = await core<SystemProfile>(`/api/v1/systems/core?${RANGE}`)
  expect(profile.callers).toMatchObject([{ kind: 'hidden', name: null, requests: 17, errorRatio: 3 / 17 }])
  expect(JSON.stringify(profile)).not.toMatch(/gateway|channels|DROP/)
  expect(await core<ServiceProfile>(`/api/v1/services/ledger?${RANGE}`)).toMatchObject({
    callers: [{ kind: 'hidden' }],
  })
  expect(await core<ServiceProfile>(`/api/v1/services/nowhere?${RANGE}`)).toMatchObject({ requests: 2 })
  for (const path of [
    'systems/channels',
    'systems/base',
    `systems/${HOSTILE_PATH}`,
    'services/gateway',
    `services/${HOSTILE_PATH}`,
  ])
    expect(await core(`/api/v1/${path}?${RANGE}`, 404)).toMatchObject({ code: 'SURETY_NOT_FOUND' })
})

test('a definition that changes is seen at once', async () => {
  await define(surety, `systems/late`, { team: 'front', tier: 'office', type: 'x', origin: 'in-house' })
  expect((await systems()).items.map(({ name }) => name)).toContain('late')
})
