// A Kubernetes watch of Deployments, StatefulSets and DaemonSets: `{"type": "ADDED|MODIFIED|DELETED", "object": {…}}`, or the object
// alone. A watch repeats objects, at its start all of them, so an event is named by the object, its revision and the state of its
// rollout: whatever else changes in it makes no second event.
// Source: Kubernetes API apps/v1, pkg/controller/deployment/util (reasons of the condition Progressing).

import type { ReleaseStep, StepKind } from '../../records/release-step.ts'
import { member } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { refusedHook, storable, type HookAnswer, type HookRequest } from './hook-event.ts'
import { buildStep, told, toldNumber, type StepEvent } from './step-draft.ts'
import { conditionOf, isObserved, labelOf, workloadFacts } from './workload.ts'

export const KUBERNETES_TYPE = 'io.k8s.'

const WORKLOADS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const

/** What a watch has shown of an object before, for telling a change of its size from a change of its version. */
export interface WorkloadMemory {
  /** Remembers the object. @returns whether only its size differs from what was shown last */
  isScaled(object: unknown): boolean
}

/** @param objectsMax objects remembered; the one shown longest ago is forgotten first */
export function buildWorkloadMemory(objectsMax: number): WorkloadMemory {
  const shown = new Map<string, { readonly template: string; readonly replicas: string }>()
  return {
    isScaled(object) {
      const uid = told(object, 'metadata.uid')
      const template = JSON.stringify(member(object, 'spec', 'template') ?? null)
      const replicas = told(object, 'spec.replicas')
      const before = shown.get(uid)
      shown.delete(uid)
      shown.set(uid, { template, replicas })
      const oldest = shown.keys().next()
      if (shown.size > objectsMax && oldest.done !== true) shown.delete(oldest.value)
      return before !== undefined && before.template === template && before.replicas !== replicas
    },
  }
}

export const watchedObject = (value: unknown): unknown => member(value, 'object') ?? value

export function kubernetesEvent({ value }: HookRequest, memory: WorkloadMemory): HookAnswer {
  const object = watchedObject(value)
  const watch = told(value, 'type')
  // What keeps a watch alive is about no object.
  if (watch === 'BOOKMARK' || watch === 'ERROR') return { kind: 'nothing' }
  const kind = told(object, 'kind')
  if (!/^[A-Z][A-Za-z0-9]{0,62}$/.test(kind))
    return refusedHook('kind', 'must name the kind of the object, such as Deployment')
  const uid = told(object, 'metadata.uid')
  if (uid === '') return refusedHook('metadata.uid', 'is missing; send the object as the API server gives it')
  const isDeleted = watch === 'DELETED'
  const scaled = !isDeleted && (isScaledBy(object) || isScaledFrom(member(value, 'oldObject'), object))
  const isScaled = memory.isScaled(object) || scaled
  const state = isDeleted
    ? 'deleted'
    : !isWorkload(kind)
      ? `generation ${told(object, 'metadata.generation')}`
      : isScaled
        ? `${told(object, 'metadata.generation')}/scaled to ${told(object, 'spec.replicas')}`
        : `${revisionOf(object)}/${stateOf(object)}`
  return {
    kind: 'event',
    identity: {
      source: `/kubernetes/${told(object, 'metadata.namespace') || '-'}`,
      id: `${uid}/${state}`,
      type: `${KUBERNETES_TYPE}${kind.toLowerCase()}${isDeleted ? '.deleted' : isScaled ? '.scaled' : ''}`,
      at: isDeleted
        ? instantOf(told(object, 'metadata.deletionTimestamp'))
        : isScaled
          ? scaledAt(object)
          : timeOf(object),
      subject: told(object, 'metadata.name'),
    },
  }
}

export function kubernetesStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const object = watchedObject(value)
  if (!isWorkload(told(object, 'kind'))) return undefined
  const isScaled = event.type.endsWith('.scaled')
  const revision = revisionOf(object)
  const kind: StepKind = event.type.endsWith('.deleted') ? 'removed' : isScaled ? 'completed' : kindOf(object)
  const facts = workloadFacts(object)
  const replicas = told(object, 'spec.replicas')
  return buildStep(event, {
    ...facts,
    at: event.at,
    changeType: isScaled ? 'scaling' : 'code',
    ...(isScaled ? { target: told(object, 'metadata.name'), parameters: { replicas } } : {}),
    configHash: labelOf(object, 'pod-template-hash') || told(object, 'status.updateRevision'),
    releaseKey: `kubernetes/${told(object, 'metadata.uid')}/${isScaled ? `scale ${told(object, 'metadata.generation')}` : revision}`,
    pipeline: `kubernetes/${told(object, 'metadata.namespace')}/${told(object, 'metadata.name')}`,
    replicasNew: updatedOf(object),
    replicasTotal: totalOf(object),
    description: isScaled ? `replicas: ${replicas}` : (conditionOf(object, 'Progressing')?.message ?? ''),
    tool: 'kubernetes',
    kind,
  })
}

const isWorkload = (kind: string) => (WORKLOADS as readonly string[]).includes(kind)

/** What the object calls this version of its template. */
function revisionOf(object: unknown): string {
  return (
    labelOf(object, 'deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation') ||
    told(object, 'status.updateRevision') ||
    `generation ${told(object, 'metadata.generation')}`
  )
}

const updatedOf = (object: unknown) =>
  toldNumber(object, 'status.updatedReplicas', 'status.updatedNumberScheduled')
const totalOf = (object: unknown) =>
  toldNumber(object, 'spec.replicas', 'status.desiredNumberScheduled', 'status.replicas')

function kindOf(object: unknown): StepKind {
  const progressing = conditionOf(object, 'Progressing')
  // The controller has not looked yet: its status is of the version before.
  if (!isObserved(object)) return 'requested'
  switch (progressing?.reason ?? '') {
    case 'NewReplicaSetAvailable':
      return 'completed'
    case 'ProgressDeadlineExceeded':
    case 'ReplicaSetCreateError':
    case 'FailedCreate':
      return 'failed'
    case 'DeploymentPaused':
      return 'paused'
    default:
      return progressOf(object)
  }
}

// By counts: StatefulSets and DaemonSets have no such condition, and a Deployment's says only that it goes on.
function progressOf(object: unknown): StepKind {
  const updated = updatedOf(object) ?? 0
  const total = totalOf(object) ?? 0
  const ready = toldNumber(object, 'status.readyReplicas', 'status.numberReady') ?? 0
  if (updated >= total && ready >= total) return 'completed'
  const partition = toldNumber(object, 'spec.updateStrategy.rollingUpdate.partition') ?? 0
  if (partition > 0 && updated >= total - partition) return 'paused'
  return updated > 0 ? 'step' : 'started'
}

/** The state, as coarse as a graph of it needs: a tenth of the replicas is a step. */
function stateOf(object: unknown): string {
  const kind = kindOf(object)
  if (kind !== 'step') return kind
  const share = Math.floor((10 * (updatedOf(object) ?? 0)) / Math.max(1, totalOf(object) ?? 1))
  return `step ${share}`
}

function timeOf(object: unknown): number | undefined {
  const kind = kindOf(object)
  const progressing = conditionOf(object, 'Progressing')
  if (progressing !== undefined && kind !== 'requested') return storable(progressing.updatedAt)
  // Where nothing tells of the change itself, it is when it is told; a whole one may be years old.
  return kind === 'completed' ? instantOf(told(object, 'metadata.creationTimestamp')) : undefined
}

/** A scale request later than the last rollout: `kubectl scale` and autoscalers leave their mark in managedFields. */
function isScaledBy(object: unknown): boolean {
  const rolled = conditionOf(object, 'Progressing')
  const at = scaledAt(object)
  return (
    at !== undefined &&
    rolled?.reason === 'NewReplicaSetAvailable' &&
    rolled.updatedAt !== undefined &&
    at > rolled.updatedAt
  )
}

function isScaledFrom(before: unknown, object: unknown): boolean {
  if (before === undefined) return false
  const template = (each: unknown) => JSON.stringify(member(each, 'spec', 'template') ?? null)
  return (
    template(before) === template(object) && told(before, 'spec.replicas') !== told(object, 'spec.replicas')
  )
}

function scaledAt(object: unknown): number | undefined {
  const fields = member(object, 'metadata', 'managedFields')
  if (!Array.isArray(fields)) return undefined
  const scale: unknown = fields.findLast((field) => member(field, 'subresource') === 'scale')
  return instantOf(told(scale, 'time'))
}
