import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { githubEvent } from './github.ts'
import { hookRecord } from './hook-event.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const FIXTURES = new URL('../../../test/fixtures/webhooks/github/', import.meta.url)
const NOW = Date.parse('2026-03-02T00:00:00Z')
const sample = (path: string) => JSON.parse(readFileSync(new URL(path, FIXTURES), 'utf8')) as Json

function take(
  event: string,
  value: Json,
  headers: Readonly<Record<string, string>> = { 'x-github-delivery': 'd-1' },
) {
  const text = JSON.stringify(value)
  const answer = githubEvent({
    headers: { 'x-github-event': event, ...headers },
    value,
    text,
    receivedAt: NOW,
  })
  if (answer.kind !== 'event') return { answer }
  const record = hookRecord(answer.identity, text, NOW, stepOfEvent)
  return { answer, record, step: stepOfEvent(record) }
}
const status = (given: Json, deployment: Json = {}) => {
  const value = sample('deployment_status/payload.json')
  return take('deployment_status', {
    ...value,
    deployment_status: { ...(value['deployment_status'] as Json), ...given },
    deployment: { ...(value['deployment'] as Json), ...deployment },
  }).step
}

test('a deployment that was asked for, and what became of it, share the deployment’s id', () => {
  const asked = take('deployment', sample('deployment/payload.json'))
  expect(asked.record).toMatchObject({
    source: 'https://github.com/Codertocat/Hello-World',
    id: 'd-1',
    type: 'com.github.deployment',
    at: Date.parse('2019-05-15T15:20:53Z'),
    service: 'Hello-World',
    environment: 'production',
    action: 'other',
  })
  expect(asked.step).toMatchObject({ tool: 'github', kind: 'requested', actor: 'Codertocat' })
  const done = take('deployment_status', sample('deployment_status/payload.json'))
  expect(done.step).toMatchObject({
    kind: 'completed',
    at: Date.parse('2019-05-15T15:20:55Z'),
    vcsRevision: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
    versionTo: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e',
    releaseKey: asked.step?.releaseKey,
  })
  expect(done.record?.action).toBe('deployed')
})

test.each([
  ['queued', 'requested'],
  ['pending', 'requested'],
  ['waiting', 'requested'],
  ['in_progress', 'started'],
  ['success', 'completed'],
  ['failure', 'failed'],
  ['error', 'failed'],
  ['inactive', 'removed'],
  ['a state of tomorrow', 'noted'],
  ['constructor', 'noted'],
])('the state %s is %s', (state, kind) => {
  expect(status({ state })?.kind).toBe(kind)
})

test('the payload says more, as an object and as a text', () => {
  const payload = {
    service: 'transfer',
    version: '2.14.0',
    weight: 10,
    order: { id: 'FB-7' },
    phase: 'completed',
  }
  const want = {
    kind: 'started',
    service: 'transfer',
    versionTo: '2.14.0',
    orderId: 'FB-7',
    scope: { weightPercent: 10 },
  }
  expect(status({ state: 'in_progress' }, { payload })).toMatchObject(want)
  expect(status({ state: 'in_progress' }, { payload: JSON.stringify(payload) })).toMatchObject(want)
})

test.each([
  { name: 'a tag is the version', deployment: { ref: 'v2.14.0' }, want: { versionTo: 'v2.14.0' } },
  {
    name: 'a rollback is one when it is done',
    deployment: { task: 'rollback' },
    want: { kind: 'rolled_back' },
  },
  {
    name: 'a migration changes the schema',
    deployment: { task: 'deploy:migrations' },
    want: { changeType: 'schema', isReversible: false },
  },
  {
    name: 'nulls are nothing',
    deployment: { creator: null, payload: null, description: null },
    want: { kind: 'completed' },
  },
])('$name', ({ deployment, want }) => {
  expect(status({ state: 'success' }, deployment)).toMatchObject(want)
})

test('another event is kept and tells of no release', () => {
  const { record, step } = take('ping', { zen: 'Design for failure.' })
  expect(record).toMatchObject({ type: 'com.github.ping', source: '/github', at: NOW })
  expect(step).toBeUndefined()
})

test('headers that GitHub always sends must be there', () => {
  expect(take('', {}).answer).toMatchObject({ problems: [{ place: 'x-github-event' }] })
  expect(take('deployment', {}, {}).answer).toMatchObject({ problems: [{ place: 'x-github-delivery' }] })
})
