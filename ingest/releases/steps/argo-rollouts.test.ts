import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { argoRolloutsEvent } from './argo-rollouts.ts'
import { hookRecord } from './hook-event.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const FIXTURES = new URL('../../../test/fixtures/webhooks/argo-rollouts/', import.meta.url)
const NOW = Date.parse('2026-03-02T00:00:00Z')
const sample = (path: string) => parse(readFileSync(new URL(path, FIXTURES), 'utf8')) as Json

function take(value: unknown) {
  const text = JSON.stringify(value)
  const answer = argoRolloutsEvent({ headers: {}, value, text, receivedAt: NOW })
  if (answer.kind !== 'event') return { answer }
  const record = hookRecord(answer.identity, text, NOW, stepOfEvent)
  return { answer, record, step: stepOfEvent(record) }
}

test.each([
  [
    'blue-green/bluegreen-rollout.yaml',
    'paused',
    { versionTo: 'green', service: 'bluegreen-demo', replicasNew: 3, replicasTotal: 3 },
  ],
  [
    'canary/canary-rollout.yaml',
    'failed',
    {
      versionTo: 'does-not-exist',
      replicasNew: 1,
      replicasTotal: 5,
      scope: { selectors: [], weightPercent: 20 },
    },
  ],
  // A workloadRef leaves the template elsewhere.
  ['canary/canary-rollout2.yaml', 'failed', { versionTo: '65fb5ffc84' }],
  ['canary/canary-rollout5.yaml', 'failed', {}],
  ['experiment-step/canary-demo.yaml', 'started', { scope: { selectors: [], weightPercent: 0 } }],
  [
    'experiment-analysis/rollout-experiment-analysis.yaml',
    'failed',
    { scope: { selectors: [], weightPercent: 25 } },
  ],
  ['experiment-analysis/canary-analysis.yaml', 'noted', { service: 'rollout-experiment-analysis' }],
  [
    'rollout-aborted/rollout.yaml',
    'aborted',
    { at: Date.parse('2020-09-22T09:10:05Z'), scope: { selectors: [], weightPercent: 0 } },
  ],
  [
    'rollout-aborted/analysisrun.yaml',
    'noted',
    { releaseKey: 'argo-rollouts/aeddde25-f8bd-4a68-a4a1-523a559bdb83/db976bc44' },
  ],
  ['rollout-invalid/rollout-invalid.yaml', 'failed', {}],
])('%s is %s', (path, kind, want) => {
  expect(take(sample(path)).step).toMatchObject({ tool: 'argo-rollouts', kind, ...want })
})

const rollout = (status: Json, canary: Json = {}, spec: Json = {}): Json => ({
  kind: 'Rollout',
  metadata: { name: 'transfer', namespace: 'prod', uid: 'u-1', generation: 3 },
  spec: {
    replicas: 10,
    template: {
      metadata: { labels: { 'app.kubernetes.io/name': 'transfer', 'app.kubernetes.io/version': '2.14.0' } },
      spec: {
        containers: [
          { name: 'transfer', image: 'bank/transfer:2.14.0', env: [{ name: 'LIMIT', value: '5000' }] },
        ],
      },
    },
    strategy: { canary: { steps: [], ...canary } },
    ...spec,
  },
  status: {
    currentPodHash: 'new',
    stableRS: 'old',
    observedGeneration: '3',
    conditions: [
      {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        lastTransitionTime: '2026-03-01T22:00:00Z',
      },
    ],
    ...status,
  },
})
const steps = [
  { setWeight: 0 },
  { setHeaderRoute: { name: 'tellers', match: [{ headerName: 'X-Teller', headerValue: { prefix: 'T1' } }] } },
  { pause: {} },
  { setHeaderRoute: { name: 'tellers' } },
  { setWeight: 20 },
  { pause: {} },
  { setWeight: 50 },
]

test.each([
  { index: 0, kind: 'started', scope: { selectors: [], weightPercent: 0 } },
  {
    index: 2,
    kind: 'step',
    scope: {
      selectors: [{ attribute: 'http.request.header.x-teller', match: 'prefix', values: ['T1'] }],
      weightPercent: undefined,
    },
  },
  { index: 3, kind: 'step', scope: { selectors: [], weightPercent: 0 } },
  { index: 5, kind: 'step', scope: { selectors: [], weightPercent: 20 } },
  { index: 7, kind: 'step', scope: { selectors: [], weightPercent: 100 } },
])('at step $index it serves whom setWeight and setHeaderRoute say', ({ index, kind, scope }) => {
  const { step } = take(rollout({ currentStepIndex: index }, { steps }))
  expect(step).toMatchObject({
    kind,
    scope,
    service: 'transfer',
    versionTo: '2.14.0',
    parameters: { LIMIT: '5000' },
  })
})

test('what the traffic router says counts before what the step asks for', () => {
  const status = { currentStepIndex: 5, canary: { weights: { canary: { weight: 12 } } } }
  expect(take(rollout(status, { steps })).step?.scope.weightPercent).toBe(12)
})

test.each([
  { name: 'everything on the new hash', status: { stableRS: 'new' }, want: 'completed' },
  { name: 'an older generation', status: { stableRS: 'new', observedGeneration: '2' }, want: 'started' },
  { name: 'aborted', status: { abort: true }, want: 'aborted' },
  {
    name: 'paused by a step',
    status: { pauseConditions: [{ reason: 'CanaryPauseStep', startTime: '2026-03-01T22:05:00Z' }] },
    want: 'paused',
  },
])('$name is $want', ({ status, want }) => {
  expect(take(rollout(status)).step?.kind).toBe(want)
})

test('the same state again is the same event; another step, or the same one tried again, is another', () => {
  const id = (status: Json, resourceVersion = '1') => {
    const value = rollout(status, { steps })
    return take({ ...value, metadata: { ...(value['metadata'] as Json), resourceVersion } }).record?.id
  }
  const tried = {
    conditions: [
      {
        type: 'Progressing',
        status: 'True',
        reason: 'ReplicaSetUpdated',
        lastTransitionTime: '2026-03-01T23:00:00Z',
      },
    ],
  }
  expect(id({ currentStepIndex: 2 }, '2')).toBe(id({ currentStepIndex: 2 }))
  expect(id({ currentStepIndex: 5 })).not.toBe(id({ currentStepIndex: 2 }))
  expect(id({ currentStepIndex: 2, ...tried })).not.toBe(id({ currentStepIndex: 2 }))
})

test('a watch wraps the object, and says that it is gone', () => {
  expect(take({ type: 'MODIFIED', object: rollout({}) }).step?.kind).toBe('started')
  expect(take({ type: 'DELETED', object: rollout({}) }).step?.kind).toBe('removed')
})

test('the notification of our template', () => {
  const { kind: _, ...object } = rollout({ abort: true })
  expect(take({ trigger: 'on-rollout-aborted', rollout: object }).step?.kind).toBe('aborted')
})

test('what is no rollout is refused with its remedy', () => {
  expect(take({ kind: 'Pod' }).answer).toMatchObject({ kind: 'refused', problems: [{ place: 'kind' }] })
})
