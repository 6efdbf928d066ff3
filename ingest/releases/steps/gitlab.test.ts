import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { gitlabEvent, gitlabTime } from './gitlab.ts'
import { hookRecord } from './hook-event.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const FIXTURES = new URL('../../../test/fixtures/webhooks/', import.meta.url)
const NOW = Date.parse('2026-03-02T00:00:00Z')
const sample = (path: string) => JSON.parse(readFileSync(new URL(path, FIXTURES), 'utf8')) as Json

function take(value: Json, headers: Readonly<Record<string, string>> = { 'x-gitlab-event-uuid': 'u-1' }) {
  const text = JSON.stringify(value)
  const answer = gitlabEvent({ headers, value, text, receivedAt: NOW })
  if (answer.kind !== 'event') return { answer }
  const record = hookRecord(answer.identity, text, NOW, stepOfEvent)
  return { answer, record, step: stepOfEvent(record) }
}

test('a deployment, as the documentation has it', () => {
  const { record, step } = take(sample('gitlab-docs/deployment.json'))
  expect(record).toMatchObject({
    type: 'com.gitlab.deployment',
    id: 'u-1/deployment/15/success',
    subject: 'root/test-deployment-webhooks',
  })
  expect(step).toMatchObject({
    tool: 'gitlab',
    kind: 'completed',
    at: Date.parse('2021-04-28T19:50:00Z'),
    service: 'test-deployment-webhooks',
    environment: 'staging',
    versionTo: '279484c0',
    vcsRevision: '279484c09fbe69ededfced8c1bb6e6d24616b468',
    actor: 'root',
    releaseKey: 'gitlab/root/test-deployment-webhooks/deployments/15',
  })
})

test('a ref that is a tag is the version', () => {
  expect(take(sample('gitlab-client-fixtures/deployment.json')).step?.versionTo).toBe('1.0.0')
})

test('a run without a job has no address, and its step none', () => {
  const value = { ...sample('gitlab-docs/deployment.json'), deployable_url: null }
  expect(take(value).step).toMatchObject({ kind: 'completed', pipeline: '' })
})

test.each([
  ['created', 'requested'],
  ['blocked', 'requested'],
  ['running', 'started'],
  ['success', 'completed'],
  ['failed', 'failed'],
  ['canceled', 'aborted'],
  ['skipped', 'noted'],
  ['toString', 'noted'],
])('the status %s is %s', (status, kind) => {
  expect(take({ ...sample('gitlab-docs/deployment.json'), status }).step?.kind).toBe(kind)
})

test('a feature flag is a change of its own', () => {
  expect(take(sample('gitlab-client-fixtures/feature_flag.json')).step).toMatchObject({
    kind: 'completed',
    changeType: 'flag',
    target: 'test-feature-flag',
    versionTo: 'on',
    parameters: { 'test-feature-flag': 'true' },
    at: NOW,
  })
})

test.each([
  'gitlab-docs/pipeline.json',
  'gitlab-client-fixtures/pipeline.json',
  'gitlab-client-fixtures/release.json',
])('%s is noted', (path) => expect(take(sample(path)).step?.kind).toBe('noted'))

test('a job is kept and tells of no release', () => {
  const { record, step } = take(sample('gitlab-client-fixtures/job.json'))
  expect(record).toMatchObject({ type: 'com.gitlab.build' })
  expect(step).toBeUndefined()
})

test('a repeat is known by its key, by its event, or by its bytes', () => {
  const value = sample('gitlab-docs/deployment.json')
  const idOf = (headers: Readonly<Record<string, string>>, given = value) => take(given, headers).record?.id
  expect(idOf({ 'idempotency-key': 'k', 'x-gitlab-event-uuid': 'u' })).toBe('k')
  expect(idOf({})).toMatch(/^sha256:[0-9a-f]{64}$/)
  expect(idOf({})).toBe(idOf({}))
  // Events that one event has set off share its uuid.
  expect(idOf({ 'x-gitlab-event-uuid': 'u' })).not.toBe(
    idOf({ 'x-gitlab-event-uuid': 'u' }, { ...value, status: 'running' }),
  )
})

test.each([
  { text: '2021-04-28 21:50:00 +0200', want: '2021-04-28T19:50:00.000Z' },
  { text: '2016-08-12 15:23:28 UTC', want: '2016-08-12T15:23:28.000Z' },
  { text: '2024-01-31T08:00:00+08:00', want: '2024-01-31T00:00:00.000Z' },
  { text: '2024-01-31T08:00:00.123Z', want: '2024-01-31T08:00:00.123Z' },
  { text: '2024-02-30 08:00:00 UTC', want: undefined },
  { text: 'yesterday', want: undefined },
  { text: '', want: undefined },
])('the time «$text»', ({ text, want }) => {
  const at = gitlabTime(text)
  expect(at === undefined ? undefined : new Date(at).toISOString()).toBe(want)
})

test('a body without its kind is none of GitLab’s', () => {
  expect(take({ a: 1 }).answer).toMatchObject({ kind: 'refused', problems: [{ place: 'object_kind' }] })
})
