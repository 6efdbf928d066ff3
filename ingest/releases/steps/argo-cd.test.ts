import { expect, test } from 'vitest'
import { argoCdEvent } from './argo-cd.ts'
import { hookRecord } from './hook-event.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const NOW = Date.parse('2026-03-02T00:00:00Z')

function take(value: Json) {
  const text = JSON.stringify(value)
  const answer = argoCdEvent({ headers: {}, value, text, receivedAt: NOW })
  if (answer.kind !== 'event') return { answer }
  const record = hookRecord(answer.identity, text, NOW, stepOfEvent)
  return { answer, record, step: stepOfEvent(record) }
}

const notice = (change: Json = {}): Json => ({
  app: 'transfer',
  namespace: 'argocd',
  project: 'payments',
  destinationNamespace: 'prod',
  revision: '6b7f3c1',
  phase: 'Succeeded',
  health: 'Healthy',
  startedAt: '2026-03-01T22:00:00Z',
  finishedAt: '2026-03-01T22:01:30Z',
  images: ['registry:5000/bank/transfer:2.14.0', 'registry:5000/bank/sidecar:1.2'],
  message: 'successfully synced',
  ...change,
})

test('a notice of our template', () => {
  const { record, step } = take(notice())
  expect(record).toMatchObject({
    source: '/argo-cd/payments',
    type: 'io.argoproj.cd.application',
    at: Date.parse('2026-03-01T22:01:30Z'),
    action: 'deployed',
  })
  expect(step).toMatchObject({
    tool: 'argo-cd',
    kind: 'completed',
    service: 'transfer',
    system: 'payments',
    environment: 'prod',
    versionTo: '2.14.0',
    artifact: 'registry:5000/bank/transfer:2.14.0',
    vcsRevision: '6b7f3c1',
    releaseKey: 'argo-cd/argocd/transfer@6b7f3c1',
    parameters: { 'image.transfer': '2.14.0', 'image.sidecar': '1.2' },
  })
})

test('the Application itself says the same', () => {
  const { step } = take({
    kind: 'Application',
    metadata: { name: 'transfer', namespace: 'argocd', labels: { 'app.kubernetes.io/name': 'transfer-api' } },
    spec: { project: 'payments', destination: { namespace: 'prod' } },
    status: {
      operationState: {
        phase: 'Running',
        startedAt: '2026-03-01T22:00:00Z',
        operation: { initiatedBy: { username: 'li' } },
        syncResult: { revision: '6b7f3c1' },
      },
      health: { status: 'Progressing' },
      summary: { images: ['bank/transfer:2.14.0'] },
    },
  })
  expect(step).toMatchObject({
    kind: 'started',
    service: 'transfer-api',
    actor: 'li',
    releaseKey: 'argo-cd/argocd/transfer@6b7f3c1',
    at: Date.parse('2026-03-01T22:00:00Z'),
  })
})

test.each([
  ['Running', 'Progressing', 'started'],
  // Applied, and not yet known to serve.
  ['Succeeded', 'Progressing', 'step'],
  ['Succeeded', 'Healthy', 'completed'],
  ['Succeeded', 'Degraded', 'failed'],
  ['Succeeded', 'Suspended', 'paused'],
  ['Failed', 'Healthy', 'failed'],
  ['Error', 'Missing', 'failed'],
  ['Terminating', 'Progressing', 'aborted'],
  ['', 'Degraded', 'failed'],
  ['', 'Unknown', 'noted'],
  ['hasOwnProperty', '', 'noted'],
])('the phase %s and health %s are %s', (phase, health, kind) => {
  expect(take(notice({ phase, health })).step?.kind).toBe(kind)
})

test('told again it is the same event; in another state it is another', () => {
  const id = (change: Json) => take(notice(change)).record?.id
  expect(id({ message: 'told again' })).toBe(id({}))
  expect(id({ health: 'Degraded' })).not.toBe(id({}))
})

test('without application or state it is no notice', () => {
  expect(take({}).answer).toMatchObject({ kind: 'refused', problems: [{ place: 'app' }] })
  expect(take({ app: 'a' }).answer).toMatchObject({ kind: 'refused', problems: [{ place: 'phase' }] })
})
