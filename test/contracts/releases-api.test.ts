// The release ledger over HTTP with the real engine: what traffic alone shows, what tools told of it, and what is wrong with what
// they told.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { z } from 'zod'
import type { ReleaseReply, ReleasesReply } from '../../query/http/release-schemas.ts'
import type { Problem } from '../../query/http/schemas.ts'
import { define, viewerOf } from '../support/api-people.ts'
import { traceRequest } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { traceTree } from '../support/trace-tree.ts'

type Releases = ReleasesReply
type Item = Releases['items'][number]
type Reply = z.infer<typeof ReleaseReply>

const MINUTE_MS = 60_000
const nowMs = Math.floor(Date.now() / 1000) * 1000
const HOSTILE = `<img src=x onerror="alert('1')">'; DROP TABLE spans; --`
/** Minutes after the begin of the history; the last one is now. */
const LAST = 240
const BEGIN_MS = Math.floor((nowMs - LAST * MINUTE_MS) / MINUTE_MS) * MINUTE_MS
const at = (minute: number) => BEGIN_MS + minute * MINUTE_MS
const iso = (minute: number) => new Date(at(minute)).toISOString()

let surety: TestSurety

/** A request a minute, 20 s after it begins. */
async function serve(
  service: string,
  version: string,
  from: number,
  to: number,
  given: { readonly environment?: string; readonly client?: string; readonly system?: string } = {},
): Promise<void> {
  const { environment = 'prod', client, system = 'core' } = given
  const resources = Array.from({ length: to - from }, (_, n) =>
    traceTree(at(from + n) + 20_000, {
      service,
      version,
      system,
      ...(client === undefined ? {} : { attributes: { 'bank.client.version': client } }),
    }).resources.map((one) => ({
      ...one,
      attributes: { ...one.attributes, 'deployment.environment.name': environment },
    })),
  )
  const { status, text } = await surety.send(traceRequest(resources.flat()))
  if (status !== 200) throw new Error(text)
}

type Told = {
  readonly id: string
  readonly service: string
  readonly version: string
  readonly minute: number
  readonly predicate?: string
  readonly source?: string
  readonly environment?: string
  readonly customData?: object
}

const cdEvent = ({ id, service, version, minute, customData = {}, ...given }: Told) => {
  const { predicate = 'deployed', source = '/ci', environment = 'prod' } = given
  return {
    context: {
      specversion: '0.5.1',
      id,
      source,
      type: `dev.cdevents.service.${predicate}.0.3.0`,
      timestamp: iso(minute),
    },
    subject: {
      id: service,
      content: {
        environment: { id: environment },
        artifactId: `pkg:oci/${encodeURIComponent(service)}@${version}`,
      },
    },
    customData,
  }
}

const tell = (...events: readonly Told[]) => post(...events.map(cdEvent))

async function post(...events: readonly object[]): Promise<void> {
  for (const event of events) {
    const reply = await fetch(`${surety.url}/api/v1/releases/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(event),
    })
    if (reply.status >= 300) throw new Error(await reply.text())
  }
}

const RANGE = `from=${iso(0)}&to=now`
const releases = async (query = '') =>
  (await surety.get<Releases>(`/api/v1/releases?${RANGE}&limit=1000${query}`)).items
const of = async (service: string): Promise<Item[]> =>
  (await releases(`&service=${encodeURIComponent(service)}`)).toReversed()

beforeAll(async () => {
  surety = await startSurety()
  await define(surety, 'teams/money', {})
  const system = { team: 'money', tier: 'office', type: 'core', origin: 'in-house' }
  await define(surety, 'systems/core', system)
  await define(surety, 'systems/channels', system)
  await define(surety, 'services/Ledger', { system: 'core', telemetryNames: ['ledger'] })
  for (const service of [
    'silent',
    'late',
    'skewed-a',
    'skewed-b',
    'skewed-c',
    'ledger',
    'core-payment',
    HOSTILE,
  ]) {
    await serve(service, '1.0', 0, 125)
    await serve(service, '2.0', 120, LAST)
  }
  await serve('gateway', '1.0', 0, LAST, { system: 'channels' })
  await serve('back', '1.0', 0, 65)
  await serve('back', '2.0', 60, 125)
  await serve('back', '1.0', 120, LAST)
  await serve('staged', '1.0', 0, 90, { environment: 'gray-prod' })
  await serve('staged', '2.0', 85, LAST, { environment: 'gray-prod' })
  await serve('staged', '1.0', 0, 155)
  await serve('staged', '2.0', 150, LAST)
  await serve('front', '1.0', 0, 200)
  await serve('front', '1.0', 200, LAST, { client: 'app-9.1.0' })
  await tell(
    { id: 'l1', service: 'late', version: '2.0', minute: 120 },
    { id: 'l1', service: 'late', version: '2.0', minute: 120 },
    { id: 's1', service: 'skewed-a', version: '2.0', minute: 116, source: '/off' },
    { id: 's2', service: 'skewed-b', version: '2.0', minute: 116, source: '/off' },
    { id: 's3', service: 'skewed-c', version: '2.0', minute: 116, source: '/off' },
    { id: 'r1', service: 'Ledger', version: '2.0', minute: 120 },
    { id: 'n1', service: 'core-payment-svc', version: '2.0', minute: 120 },
    { id: 'm1', service: 'gateway', version: '7.7', minute: 130 },
    { id: 'g1', service: 'ghost', version: '1.0', minute: 130 },
    { id: 'f1', service: 'gateway', version: '8.0', minute: 600 },
    { id: 'e1', service: 'staged', version: '2.0', minute: 85, environment: 'gray-prod' },
    { id: 'e2', service: 'staged', version: '2.0', minute: 150 },
    {
      id: 'c1',
      service: 'front',
      version: '9.1.0',
      minute: 195,
      customData: { changeType: 'client', service: '', client: 'app' },
    },
    {
      id: 'h1',
      service: HOSTILE,
      version: '2.0',
      minute: 120,
      customData: { description: HOSTILE, parameters: { [HOSTILE]: HOSTILE }, ticket: HOSTILE },
    },
    {
      id: 'p1',
      service: 'gateway',
      version: '',
      minute: 140,
      customData: { changeType: 'config', kind: 'completed', configHash: 'a', parameters: { limit: '100' } },
    },
    {
      id: 'p2',
      service: 'gateway',
      version: '',
      minute: 150,
      customData: {
        changeType: 'config',
        kind: 'completed',
        configHash: 'b',
        parameters: { limit: '50' },
        order: { id: 'FB-1' },
      },
    },
  )
})
afterAll(() => surety.stop())

describe('what traffic alone shows', () => {
  test('a version without any event is a release, to ten seconds', async () => {
    expect(await of('silent')).toMatchObject([
      {
        isImplicit: true,
        versionFrom: '1.0',
        versionTo: '2.0',
        system: 'core',
        environment: 'prod',
        readyAt: new Date(at(120) + 20_000).toISOString(),
        readyFrom: 'traffic',
        state: 'completed',
        remarks: ['no-event'],
      },
    ])
  })
  test('a version that comes back is a release, and the other one was taken back', async () => {
    expect(await of('back')).toMatchObject([
      { versionTo: '2.0', state: 'rolled_back' },
      { versionTo: '1.0', versionFrom: '2.0', isImplicit: true },
    ])
  })
})

describe('what tools told', () => {
  test('an event that came hours after the traffic is late and no second release', async () => {
    const [only, ...others] = await of('late')
    expect(others).toEqual([])
    expect(only).toMatchObject({ isImplicit: false, readyFrom: 'traffic', remarks: ['late-event'] })
    const reply = await surety.get<Reply>(`/api/v1/releases/${only?.id}`)
    expect(reply).toMatchObject({ id: only?.id, stages: [{ kind: 'ready', source: '/ci', eventId: 'l1' }] })
  })
  test('a clock that is minutes off is marked, and its instants are put right', async () => {
    const [only] = await of('skewed-a')
    expect(only?.remarks).toContain('skewed-clock')
    expect(only?.startedAt).toBe(new Date(at(120) + 20_000).toISOString())
  })
  test('a name of the registry, and a name that is nearly right, are that service', async () => {
    expect(await of('ledger')).toMatchObject([{ toldService: 'Ledger', remarks: ['late-event', 'alias'] }])
    expect(await of('core-payment-svc')).toMatchObject([
      { service: 'core-payment', toldService: 'core-payment-svc' },
    ])
  })
  test('a version that never serves, a service that never reports, and a future event are told so', async () => {
    const found = await of('gateway')
    expect(found.find(({ versionTo }) => versionTo === '7.7')?.remarks).toEqual(['never-served'])
    expect(found.find(({ versionTo }) => versionTo === '8.0')?.remarks).toContain('future-event')
    expect(await of('ghost')).toMatchObject([{ remarks: ['never-reported'] }])
  })
  test('gray production and production are two releases, each ready when it served there', async () => {
    // Environments are looked for every ten seconds.
    await vi.waitFor(
      async () =>
        expect(await of('staged')).toMatchObject([
          { environment: 'gray-prod', readyAt: new Date(at(85) + 20_000).toISOString() },
          { environment: 'prod', readyAt: new Date(at(150) + 20_000).toISOString() },
        ]),
      { timeout: 120_000, interval: 1000 },
    )
  })
  test('a version of the client application is ready when a customer uses it', async () => {
    const client = (await releases()).find(({ changeType }) => changeType === 'client')
    expect(client).toMatchObject({
      target: 'app',
      versionTo: '9.1.0',
      readyAt: new Date(at(200) + 20_000).toISOString(),
    })
  })
  test('parameters differ from what served before; an order is found by its name', async () => {
    const [pushed, ...others] = await releases('&order=FB-1')
    expect(others).toEqual([])
    const reply = await surety.get<Reply>(`/api/v1/releases/${pushed?.id}`)
    expect(reply.parameterChanges).toEqual([{ name: 'limit', before: '100', after: '50' }])
  })
  test('a ticket, its approval and the run of a pipeline stand beside the release they belong to', async () => {
    const told = (id: string, type: string, minute: number, context: object, subject: object) => ({
      context: { specversion: '0.5.1', id, source: '/itsm', type, timestamp: iso(minute), ...context },
      subject,
    })
    await post(
      told(
        't1',
        'dev.cdevents.ticket.created.0.2.0',
        60,
        { chainId: 'order-1' },
        {
          id: 'FB-1',
          content: { summary: 'lower the limit', creator: 'li' },
        },
      ),
      told(
        't2',
        'dev.cdeventsx.itsm-approval.accepted.0.1.0',
        70,
        {},
        {
          id: 'FB-2',
          content: { approver: 'wang', service: { id: 'late' } },
        },
      ),
      told(
        't3',
        'dev.cdevents.pipelinerun.finished.0.3.0',
        119,
        { links: [{ linkType: 'RELATION', linkKind: 'TRIGGER', target: { contextId: 'l1' } }] },
        { id: 'run-7', content: { outcome: 'success', pipelineName: 'release late' } },
      ),
    )
    const [late] = await of('late')
    const reply = await surety.get<Reply>(`/api/v1/releases/${late?.id}`)
    expect(reply).toMatchObject({ ticket: 'FB-2', pipeline: 'release late', startedAt: late?.startedAt })
    expect(reply.stages).toMatchObject([
      { kind: 'noted', description: 'approval accepted', ticket: 'FB-2', actor: 'wang' },
      { kind: 'noted', description: 'pipelinerun finished: success', pipeline: 'release late' },
      { kind: 'ready', eventId: 'l1' },
    ])
    const [pushed] = await releases('&order=FB-1')
    const other = await surety.get<Reply>(`/api/v1/releases/${pushed?.id}`)
    expect(other.stages).toMatchObject([
      { kind: 'noted', description: 'ticket created: lower the limit', ticket: 'FB-1', actor: 'li' },
      { kind: 'completed', eventId: 'p2' },
    ])
  })
  test('quotes, markup and statements stay text', async () => {
    const [only] = await of(HOSTILE)
    expect(only).toMatchObject({ service: HOSTILE, description: HOSTILE, isImplicit: false })
    const reply = await surety.get<Reply>(`/api/v1/releases/${only?.id}`)
    expect(reply).toMatchObject({ ticket: HOSTILE, parameterChanges: [{ name: HOSTILE, after: HOSTILE }] })
  })
})

describe('who reads', () => {
  test('somebody who may read some systems sees their releases alone', async () => {
    const get = await viewerOf(surety, 'of-channels', ['channels'])
    const { items } = await get<Releases>(`/api/v1/releases?${RANGE}&limit=1000`)
    expect(new Set(items.map(({ system }) => system))).toEqual(new Set(['channels', '']))
    const [silent] = await of('silent')
    await get(`/api/v1/releases/${silent?.id}`, 404)
  })
  test('an id that nothing has is told, with where to look', async () => {
    const problem = await surety.get<Problem>('/api/v1/releases/nothing', 404)
    expect(problem.detail).toContain('GET /api/v1/releases')
  })
  test('the answer has an ETag and is not sent twice', async () => {
    const url = `${surety.url}/api/v1/releases?from=${iso(0)}&to=${iso(100)}`
    const etag = (await fetch(url)).headers.get('etag') ?? ''
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304)
  })
})
