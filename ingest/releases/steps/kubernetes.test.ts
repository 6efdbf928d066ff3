import { expect, test } from 'vitest'
import { hookRecord } from './hook-event.ts'
import { buildWorkloadMemory, kubernetesEvent } from './kubernetes.ts'
import { stepOfEvent } from './step-of-event.ts'

type Json = Record<string, unknown>
const NOW = Date.parse('2026-03-02T00:00:00Z')

function take(value: Json, memory = buildWorkloadMemory(10)) {
  const text = JSON.stringify(value)
  const answer = kubernetesEvent({ headers: {}, value, text, receivedAt: NOW }, memory)
  if (answer.kind !== 'event') return { answer }
  const record = hookRecord(answer.identity, text, NOW, stepOfEvent)
  return { answer, record, step: stepOfEvent(record) }
}

const progressing = (reason: string, lastUpdateTime = '2026-03-01T22:00:30Z'): Json => ({
  conditions: [{ type: 'Progressing', status: 'True', reason, message: `m ${reason}`, lastUpdateTime }],
})
const deployment = (status: Json = {}, change: { metadata?: Json; spec?: Json } = {}): Json => ({
  kind: 'Deployment',
  metadata: {
    name: 'transfer',
    namespace: 'prod',
    uid: 'u-1',
    generation: 7,
    annotations: { 'deployment.kubernetes.io/revision': '4' },
    ...change.metadata,
  },
  spec: {
    replicas: 10,
    template: {
      metadata: { labels: { 'app.kubernetes.io/name': 'transfer', 'app.kubernetes.io/version': '2.14.0' } },
      spec: {
        containers: [
          { name: 'proxy', image: 'mesh/proxy:1' },
          {
            name: 'transfer',
            image: 'bank/transfer:2.14.0@sha256:ab',
            env: [
              { name: 'LIMIT', value: '5000' },
              { name: 'DB', valueFrom: { secretKeyRef: { name: 'db', key: 'url' } } },
            ],
          },
        ],
      },
    },
    ...change.spec,
  },
  status: {
    observedGeneration: 7,
    replicas: 10,
    updatedReplicas: 10,
    readyReplicas: 10,
    ...progressing('NewReplicaSetAvailable'),
    ...status,
  },
})
const watched = (object: Json, type = 'MODIFIED') => ({ type, object })

test('a Deployment whose new pods are there', () => {
  const { record, step } = take(watched(deployment()))
  expect(record).toMatchObject({
    source: '/kubernetes/prod',
    id: 'u-1/4/completed',
    type: 'io.k8s.deployment',
  })
  expect(step).toMatchObject({
    tool: 'kubernetes',
    kind: 'completed',
    changeType: 'code',
    at: Date.parse('2026-03-01T22:00:30Z'),
    service: 'transfer',
    environment: 'prod',
    versionTo: '2.14.0',
    artifact: 'bank/transfer:2.14.0@sha256:ab',
    releaseKey: 'kubernetes/u-1/4',
    replicasNew: 10,
    replicasTotal: 10,
    parameters: { LIMIT: '5000', DB: '{"secretKeyRef":{"name":"db","key":"url"}}' },
  })
})

test('without labels the object’s name and the image’s tag are told', () => {
  const spec = { template: { spec: { containers: [{ name: 'c', image: 'registry:5000/bank/pay:1.9' }] } } }
  expect(take(deployment({}, { spec })).step).toMatchObject({ service: 'transfer', versionTo: '1.9' })
})

test.each([
  ['NewReplicaSetCreated', { updatedReplicas: 0 }, 'started'],
  ['ReplicaSetUpdated', { updatedReplicas: 3 }, 'step'],
  ['NewReplicaSetAvailable', {}, 'completed'],
  ['ProgressDeadlineExceeded', {}, 'failed'],
  ['ReplicaSetCreateError', {}, 'failed'],
  ['DeploymentPaused', {}, 'paused'],
  // Its status is of the version before.
  ['NewReplicaSetAvailable', { observedGeneration: 6 }, 'requested'],
])('the reason %s with %o is %s', (reason, status, kind) => {
  expect(take(watched(deployment({ ...progressing(reason), ...status }))).step?.kind).toBe(kind)
})

test('a StatefulSet goes by counts; a partition holds it', () => {
  const set = (status: Json, partition = 0) =>
    take({
      kind: 'StatefulSet',
      metadata: { name: 'ledger', namespace: 'prod', uid: 'u-2', generation: 2 },
      spec: { replicas: 4, updateStrategy: { rollingUpdate: { partition } } },
      status: {
        observedGeneration: 2,
        updateRevision: 'ledger-b',
        currentRevision: 'ledger-a',
        readyReplicas: 4,
        ...status,
      },
    })
  expect(set({ updatedReplicas: 0 }).step?.kind).toBe('started')
  expect(set({ updatedReplicas: 2 }).step?.kind).toBe('step')
  expect(set({ updatedReplicas: 2 }, 2).step?.kind).toBe('paused')
  expect(set({ updatedReplicas: 4 }).step).toMatchObject({
    kind: 'completed',
    releaseKey: 'kubernetes/u-2/ledger-b',
  })
})

test('a watch that tells everything again makes no second event', () => {
  const id = (value: Json) => take(value).record?.id
  const again = deployment({ readyReplicas: 9 }, { metadata: { resourceVersion: '99' } })
  expect(id(watched(again))).toBe(id(watched(deployment(), 'ADDED')))
  const progress = (updatedReplicas: number) =>
    id(watched(deployment({ ...progressing('ReplicaSetUpdated'), updatedReplicas })))
  expect(progress(3)).toBe(progress(3))
  expect(progress(3)).not.toBe(progress(4))
})

test('a change of nothing but the size is scaling, however it is seen', () => {
  const scaled = deployment({}, { spec: { replicas: 20 }, metadata: { generation: 8 } })
  const memory = buildWorkloadMemory(10)
  expect(take(watched(deployment(), 'ADDED'), memory).step?.changeType).toBe('code')
  const seen = take(watched(scaled), memory)
  expect(seen.record).toMatchObject({ id: 'u-1/8/scaled to 20', type: 'io.k8s.deployment.scaled' })
  expect(seen.step).toMatchObject({
    kind: 'completed',
    changeType: 'scaling',
    target: 'transfer',
    parameters: { replicas: '20' },
  })
  // The old object beside the new one.
  expect(take({ ...watched(scaled), oldObject: deployment() }).step?.changeType).toBe('scaling')
  // A mark that an autoscaler leaves.
  const managedFields = [{ manager: 'hpa', subresource: 'scale', time: '2026-03-01T23:00:00Z' }]
  const marked = take(watched(deployment({}, { metadata: { managedFields } })))
  expect(marked.step).toMatchObject({ changeType: 'scaling', at: Date.parse('2026-03-01T23:00:00Z') })
  // An older mark is of before the last rollout.
  const old = [{ subresource: 'scale', time: '2026-03-01T21:00:00Z' }]
  expect(take(watched(deployment({}, { metadata: { managedFields: old } }))).step?.changeType).toBe('code')
})

test('the memory of a watch is bounded', () => {
  const memory = buildWorkloadMemory(2)
  const of = (uid: string, replicas: number) => ({ metadata: { uid }, spec: { replicas } })
  for (const uid of ['a', 'b', 'c']) memory.isScaled(of(uid, 1))
  expect(memory.isScaled(of('a', 2))).toBe(false)
  expect(memory.isScaled(of('c', 2))).toBe(true)
})

test('an object that is gone is removed', () => {
  expect(take(watched(deployment(), 'DELETED'))).toMatchObject({
    record: { id: 'u-1/deleted', type: 'io.k8s.deployment.deleted', action: 'removed' },
    step: { kind: 'removed' },
  })
})

test('what keeps a watch alive is taken and not kept', () => {
  expect(take({ type: 'BOOKMARK', object: { kind: 'Deployment', metadata: {} } }).answer).toEqual({
    kind: 'nothing',
  })
})

test('other objects are kept once for each generation, and tell of no release', () => {
  const pod = { kind: 'Pod', metadata: { name: 'p', uid: 'u-3', generation: 1 } }
  const { record, step } = take(watched(pod))
  expect(record?.id).toBe('u-3/generation 1')
  expect(step).toBeUndefined()
})

test('an object without kind or uid is refused with its remedy', () => {
  expect(take({ a: 1 }).answer).toMatchObject({ problems: [{ place: 'kind' }] })
  expect(take({ kind: 'Deployment' }).answer).toMatchObject({ problems: [{ place: 'metadata.uid' }] })
})
