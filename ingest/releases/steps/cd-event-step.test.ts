import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { ReleaseStep } from '../../records/release-step.ts'
import { stepOfEvent } from './step-of-event.ts'

const FIXTURES = new URL('../../../test/fixtures/cdevents/', import.meta.url)
type Json = Readonly<Record<string, unknown>>

const stepOf = (type: string, subject: Json, more: Json = {}, context: Json = {}): ReleaseStep | undefined =>
  stepOfEvent({
    source: '/ci',
    id: 'e1',
    type,
    at: 1000,
    receivedAt: 2000,
    body: JSON.stringify({ context: { specversion: '0.5.1', type, ...context }, subject, ...more }),
  })
const deployed = (customData: Json, subject: Json = {}) =>
  stepOf(
    'dev.cdevents.service.deployed.0.3.0',
    {
      id: 'transfer',
      content: { environment: { id: 'prod' }, artifactId: 'pkg:oci/transfer@2.14.0' },
      ...subject,
    },
    { customData },
    { chainId: 'chain-1' },
  )

const NOTED = ['artifact_published', /^change_/, /^incident_/, /^pipelinerun_/, /^ticket_/]
const KINDS: Readonly<Record<string, string>> = {
  service_deployed: 'ready',
  service_upgraded: 'ready',
  service_published: 'ready',
  service_rolledback: 'rolled_back',
  service_removed: 'removed',
  environment_created: 'completed',
  environment_modified: 'completed',
  environment_deleted: 'removed',
}

describe.each(['v0.4.1', 'v0.5.1'])('conformance files of %s', (version) => {
  const folder = new URL(`${version}/conformance/`, FIXTURES)
  test.each(readdirSync(folder))('%s', (file) => {
    const body = readFileSync(new URL(file, folder), 'utf8')
    const { type } = (JSON.parse(body) as { context: { type: string } }).context
    const step = stepOfEvent({ source: '/s', id: 'i', type, at: 1, receivedAt: 2, body })
    const name = file.replace('.json', '')
    const want = KINDS[name] ?? (NOTED.some((noted) => name.match(noted)) ? 'noted' : undefined)
    expect(step?.kind).toBe(want)
  })
})

test('a deployment says service, environment, version, artifact and chain', () => {
  expect(deployed({})).toEqual({
    source: '/ci',
    eventId: 'e1',
    tool: 'cdevents',
    kind: 'ready',
    changeType: 'code',
    at: 1000,
    receivedAt: 2000,
    service: 'transfer',
    target: '',
    system: '',
    environment: 'prod',
    versionFrom: '',
    versionTo: '2.14.0',
    artifact: 'pkg:oci/transfer@2.14.0',
    configHash: '',
    vcsRevision: '',
    pipeline: '',
    actor: '',
    ticket: '',
    releaseKey: 'chain-1',
    orderId: '',
    batchNo: 0,
    batchTotal: 0,
    replicasNew: 0,
    replicasTotal: 0,
    scope: { selectors: [], weightPercent: undefined },
    parameters: {},
    isReversible: true,
    description: '',
  })
})

describe('customData', () => {
  const exact = (attribute: string, ...values: string[]) => ({ attribute, match: 'exact', values })
  test.each([
    {
      name: 'a weight',
      data: { weight: 20 },
      want: { kind: 'step', scope: { selectors: [], weightPercent: 20 } },
    },
    {
      name: 'an exposure with headers',
      data: { exposure: { weight: '5 %', headers: { 'X-Region': { prefix: 'R3' } } } },
      want: {
        scope: {
          selectors: [{ attribute: 'http.request.header.x-region', match: 'prefix', values: ['R3'] }],
          weightPercent: 5,
        },
      },
    },
    {
      name: 'a list of branches',
      data: { scope: { kind: 'branch', branches: ['0531-01', '0531-02'] } },
      want: { kind: 'step', scope: { selectors: [exact('branch', '0531-01', '0531-02')] } },
    },
    {
      name: 'selectors beside each other',
      data: { region: 'R1', teller: ['t1', 't2'] },
      want: { scope: { selectors: [exact('region', 'R1'), exact('teller', 't1', 't2')] } },
    },
    {
      name: 'selectors as we write them',
      data: { scope: [{ attribute: 'branch', match: 'regex', values: ['^05'] }] },
      want: { scope: { selectors: [{ attribute: 'branch', match: 'regex', values: ['^05'] }] } },
    },
    { name: 'everybody by weight', data: { weight: 100 }, want: { kind: 'ready' } },
    {
      name: 'a scope in words selects nobody',
      data: { scope: 'east only' },
      want: { kind: 'ready', scope: { selectors: [] } },
    },
    { name: 'a phase', data: { phase: 'in-progress' }, want: { kind: 'started' } },
    { name: 'a phase that is none is left aside', data: { phase: 'whatever' }, want: { kind: 'ready' } },
    {
      name: 'an order',
      data: { order: { id: 'FB-7', batch: 2, batches: 5 } },
      want: { orderId: 'FB-7', batchNo: 2, batchTotal: 5 },
    },
    { name: 'an order by its name', data: { order: 'FB-7' }, want: { orderId: 'FB-7' } },
    {
      name: 'a client application',
      data: { changeType: 'client', target: 'mobile-bank', version: '9.1.0' },
      want: { changeType: 'client', target: 'mobile-bank', versionTo: '9.1.0' },
    },
    {
      name: 'a schema change cannot be taken back',
      data: { changeType: 'ddl' },
      want: { changeType: 'schema', isReversible: false },
    },
    {
      name: 'unless it says so',
      data: { changeType: 'schema', reversible: true },
      want: { isReversible: true },
    },
    {
      name: 'parameters of any type',
      data: { parameters: { limit: 5000, isOn: true, list: [1, 2], none: null } },
      want: { parameters: { limit: '5000', isOn: 'true', list: '[1,2]', none: '' } },
    },
    {
      name: 'what is secret only by its fingerprint',
      data: { parameters: { DB_PASSWORD: 'hunter2' } },
      want: { parameters: { DB_PASSWORD: 'sha256:f52fbd32b2b3' } },
    },
    {
      name: 'who, why and of what',
      data: {
        actor: 'li',
        ticket: 'CHG-1',
        commit: 'abc',
        previousVersion: '2.13.0',
        configHash: 'h',
        pipeline: 'p',
      },
      want: {
        actor: 'li',
        ticket: 'CHG-1',
        vcsRevision: 'abc',
        versionFrom: '2.13.0',
        configHash: 'h',
        pipeline: 'p',
      },
    },
    {
      name: 'replicas',
      data: { exposure: { replicas: { new: 1, total: 4 } } },
      want: { replicasNew: 1, replicasTotal: 4 },
    },
    { name: 'that is no object', data: 'aGVsbG8=' as unknown as Json, want: { kind: 'ready' } },
  ])('$name', ({ data, want }) => {
    expect(deployed(data)).toMatchObject(want)
  })

  test('is bounded whatever is sent', () => {
    const step = deployed({
      parameters: Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`p${n}`, 'x'.repeat(5000)])),
      scope: { branches: Array.from({ length: 5000 }, (_, n) => String(n)) },
      order: { id: 'o'.repeat(5000), batch: 1e300 },
      weight: -3,
    })
    expect(Object.keys(step?.parameters ?? {})).toHaveLength(200)
    expect(step?.parameters['p0']).toHaveLength(1024)
    expect(step?.scope.selectors[0]?.values).toHaveLength(1000)
    expect(step?.orderId).toHaveLength(256)
    expect(step?.batchNo).toBe(4_294_967_295)
    expect(step?.scope.weightPercent).toBe(0)
  })

  test('names that objects inherit are names like others', () => {
    const step = deployed(
      JSON.parse('{"parameters": {"__proto__": "x", "constructor": "y"}, "phase": "constructor"}') as Json,
    )
    expect(Object.getOwnPropertyNames(step?.parameters)).toEqual(['__proto__', 'constructor'])
    expect(step?.kind).toBe('ready')
  })
})

test('a run of a pipeline is a step only where it says of which service', () => {
  const run = (predicate: string, content: Json, customData: Json) =>
    stepOf(`dev.cdevents.pipelinerun.${predicate}.0.3.0`, { id: 'run-1', content }, { customData })
  expect(run('started', {}, {})?.kind).toBe('noted')
  expect(run('queued', {}, { service: 'transfer' })?.kind).toBe('requested')
  expect(run('started', {}, { service: 'transfer' })?.kind).toBe('started')
  expect(run('finished', { outcome: 'failure' }, { service: 'transfer' })?.kind).toBe('failed')
  expect(run('finished', { outcome: 'success' }, { service: 'transfer' })?.kind).toBe('completed')
})

describe('what is noted says what happened, to which ticket or run, and what it points to', () => {
  const links = [
    { linkType: 'PATH', from: { contextId: 'event-1' } },
    { linkType: 'RELATION', target: { contextId: 'event-2' } },
  ]
  test('a ticket, by the event it points to', () => {
    expect(
      stepOf(
        'dev.cdevents.ticket.created.0.2.0',
        { id: 'ticket-123', content: { summary: 'New CVE', creator: 'Alice' } },
        {},
        { links },
      ),
    ).toMatchObject({
      kind: 'noted',
      ticket: 'ticket-123',
      actor: 'Alice',
      releaseKey: 'event-1',
      description: 'ticket created: New CVE',
    })
  })
  test('an approval of a tool of its own, by its chain, which goes before what it points to', () => {
    expect(
      stepOf(
        'dev.cdeventsx.itsm-approval.accepted.0.1.0',
        { id: 'CHG-7', content: { approver: 'Wang' } },
        {},
        { links, chainId: 'chain-1' },
      ),
    ).toMatchObject({
      kind: 'noted',
      ticket: 'CHG-7',
      actor: 'Wang',
      releaseKey: 'chain-1',
      description: 'approval accepted',
    })
  })
  test('the run of a pipeline, with its outcome', () => {
    expect(
      stepOf('dev.cdevents.pipelinerun.finished.0.3.0', {
        id: 'run-1',
        content: { outcome: 'failure', errors: 'no space' },
      }),
    ).toMatchObject({
      kind: 'noted',
      pipeline: 'run-1',
      description: 'pipelinerun finished: failure: no space',
    })
  })
  test('links that are none are left aside', () => {
    for (const odd of [{}, 'x', [null, 1, { target: { contextId: 7 } }]])
      expect(
        stepOf('dev.cdevents.ticket.updated.0.2.0', { id: 't' }, {}, { links: odd as unknown as Json })?.kind,
      ).toBe('noted')
  })
})

test.each([
  { type: 'dev.cdeventsx.jenkins-rollout.aborted.0.1.0', want: 'aborted' },
  { type: 'dev.cdeventsx.gate-deployment.paused.0.1.0', want: 'paused' },
  { type: 'dev.cdeventsx.gate-release.unheardof.0.1.0', want: undefined },
  { type: 'dev.cdeventsx.mytool-resource.created.0.1.0', want: undefined },
  { type: 'dev.cdeventsx.surety-rollback.suggested.0.1.0', want: undefined },
])('the custom event $type is $want', ({ type, want }) => {
  expect(stepOf(type, { id: 'x' }, { customData: { service: 'transfer' } })?.kind).toBe(want)
})

test('an event travels bare, as data, and as data in base64, and tells the same', () => {
  const event = {
    context: { specversion: '0.5.1', type: 'dev.cdevents.service.removed.0.3.0' },
    subject: { id: 'transfer', content: { environment: { id: 'prod' } } },
  }
  const at = { source: '/ci', id: 'e', type: 'dev.cdevents.service.removed.0.3.0', at: 1, receivedAt: 2 }
  const bare = stepOfEvent({ ...at, body: JSON.stringify(event) })
  const data = stepOfEvent({ ...at, body: JSON.stringify({ specversion: '1.0', data: event }) })
  const base64 = Buffer.from(JSON.stringify(event)).toString('base64')
  const coded = stepOfEvent({ ...at, body: JSON.stringify({ specversion: '1.0', data_base64: base64 }) })
  expect(bare?.kind).toBe('removed')
  expect(data).toEqual(bare)
  expect(coded).toEqual(bare)
})

test.each([
  {
    name: 'a CloudEvent of an unknown type',
    type: 'com.example.window.opened',
    body: '{"specversion":"1.0","data":{"a":1}}',
  },
  { name: 'text that is no JSON', type: 'dev.cdevents.service.deployed.0.3.0', body: '<deploy>' },
  {
    name: 'an envelope that claims to be a manual entry',
    type: 'dev.surety.release.manual',
    body: '{"specversion":"1.0","data":{"actor":"root","entry":{"kind":"started","service":"a"}}}',
  },
])('$name tells of no release', ({ type, body }) => {
  expect(stepOfEvent({ source: '/s', id: 'i', type, at: 1, receivedAt: 2, body })).toBeUndefined()
})
