// Argo Rollouts: its notification is a template over the Rollout object, so the object itself is the event (deploy/argo-rollouts/ has
// the template). What is happening is read from abort, pause, the condition Progressing, the pod hashes and currentStepIndex, since
// `status.phase` came late to the API; whom the canary serves from setWeight and setHeaderRoute of the steps so far.
// Source: argoproj/argo-rollouts, rollout/v1alpha1 types, utils/conditions, docs/features/traffic-management.

import type { ReleaseScope, ReleaseStep, StepKind } from '../../records/release-step.ts'
import { isObject, member } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { withoutAbsent } from './custom-data.ts'
import { contentId, refusedHook, storable, type HookAnswer, type HookRequest } from './hook-event.ts'
import { headerAttribute, selectorsOf } from './scope.ts'
import { buildStep, told, toldNumber, type StepEvent } from './step-draft.ts'
import { conditionOf, isObserved, workloadFacts } from './workload.ts'

export const ARGO_ROLLOUTS_TYPE = 'io.argoproj.rollouts.'

/** The object itself, or under `object` (a watch) or `rollout` (a template, whose object may lack its kind). */
export function rolloutObject(value: unknown): unknown {
  for (const object of [value, member(value, 'object')])
    if (['Rollout', 'AnalysisRun'].includes(told(object, 'kind'))) return object
  const rollout = member(value, 'rollout')
  return isObject(rollout) ? { ...rollout, kind: 'Rollout' } : undefined
}

/** The same object again, or its next resourceVersion in the same state, is the same event. */
export function argoRolloutsEvent({ value, text }: HookRequest): HookAnswer {
  const object = rolloutObject(value)
  if (object === undefined)
    return refusedHook('kind', 'must be Rollout or AnalysisRun; send the object, or {"type", "object"}')
  const kind = told(object, 'kind')
  const namespace = told(object, 'metadata.namespace') || 'default'
  const name = told(object, 'metadata.name')
  if (name === '') return refusedHook('metadata.name', 'is missing; send the whole object')
  const uid = told(object, 'metadata.uid')
  const identity = uid === '' ? `${namespace}/${name}` : uid
  const isDeleted = member(value, 'type') === 'DELETED'
  const state =
    kind === 'AnalysisRun'
      ? [told(object, 'status.phase')]
      : isDeleted
        ? ['DELETED']
        : [
            told(object, 'metadata.generation'),
            told(object, 'status.currentPodHash'),
            kindOf(object),
            told(object, 'status.currentStepIndex'),
            weightOf(object) ?? '',
            conditionRecord(object)?.reason ?? '',
            conditionRecord(object)?.changedAt ?? '',
          ]
  return {
    kind: 'event',
    identity: {
      source: `/argo-rollouts/${namespace}`,
      id: state.join('') === '' ? contentId(text) : `${identity}/${state.join('/')}`,
      type: `${ARGO_ROLLOUTS_TYPE}${isDeleted ? 'deleted' : kind.toLowerCase()}`,
      at: kind === 'AnalysisRun' ? instantOf(told(object, 'status.startedAt')) : timeOf(object),
      subject: name,
    },
  }
}

export function argoRolloutsStep(event: StepEvent, value: unknown): ReleaseStep | undefined {
  const object = rolloutObject(value)
  if (object === undefined) return undefined
  if (told(object, 'kind') === 'AnalysisRun') return analysisStep(event, object)
  const kind = event.type === `${ARGO_ROLLOUTS_TYPE}deleted` ? 'removed' : kindOf(object)
  const hash = told(object, 'status.currentPodHash')
  const uid = told(object, 'metadata.uid')
  const facts = workloadFacts(object)
  return buildStep(event, {
    ...facts,
    // A workloadRef leaves the template elsewhere: the hash is then all that is known of the version.
    versionTo: facts.versionTo ?? hash,
    at: event.at,
    configHash: hash,
    releaseKey: `argo-rollouts/${uid === '' ? event.source : uid}/${hash}`,
    pipeline: `argo-rollouts/${told(object, 'metadata.namespace')}/${told(object, 'metadata.name')}`,
    replicasNew: toldNumber(object, 'status.updatedReplicas'),
    replicasTotal: toldNumber(object, 'spec.replicas', 'status.replicas'),
    scope: scopeOfRollout(object, kind),
    description: [stepText(object), conditionRecord(object)?.message ?? '']
      .filter((text) => text !== '')
      .join(' · '),
    tool: 'argo-rollouts',
    kind,
  })
}

function analysisStep(event: StepEvent, object: unknown): ReleaseStep {
  const owners = member(object, 'metadata', 'ownerReferences')
  const owner: unknown = Array.isArray(owners) ? owners[0] : undefined
  const labels = member(object, 'metadata', 'labels')
  const hash = member(labels, 'rollouts-pod-template-hash')
  const rollout = told(owner, 'name')
  return buildStep(event, {
    ...withoutAbsent({
      service: rollout,
      environment: told(object, 'metadata.namespace'),
      configHash: typeof hash === 'string' ? hash : '',
      releaseKey:
        told(owner, 'uid') !== '' && typeof hash === 'string'
          ? `argo-rollouts/${told(owner, 'uid')}/${hash}`
          : '',
      description: ['analysis', told(object, 'status.phase'), told(object, 'status.message')]
        .join(' ')
        .trim(),
    }),
    tool: 'argo-rollouts',
    kind: 'noted',
  })
}

const conditionRecord = (object: unknown) =>
  conditionOf(object, 'InvalidSpec') ?? conditionOf(object, 'Progressing')

function kindOf(object: unknown): StepKind {
  if (conditionOf(object, 'InvalidSpec')?.status === 'True') return 'failed'
  if (member(object, 'status', 'abort') === true) return 'aborted'
  const progressing = conditionOf(object, 'Progressing')
  const reason = progressing?.reason ?? ''
  if (reason === 'RolloutAborted') return 'aborted'
  if (['ProgressDeadlineExceeded', 'ReplicaSetCreateError', 'RolloutFailed'].includes(reason)) return 'failed'
  const pauses = member(object, 'status', 'pauseConditions')
  if (
    member(object, 'spec', 'paused') === true ||
    member(object, 'status', 'controllerPause') === true ||
    (Array.isArray(pauses) && pauses.length > 0) ||
    reason === 'RolloutPaused'
  )
    return 'paused'
  const hash = told(object, 'status.currentPodHash')
  const stable = told(object, 'status.stableRS')
  if (isObserved(object) && hash !== '' && hash === stable) return 'completed'
  const index = toldNumber(object, 'status.currentStepIndex') ?? 0
  return index > 0 ? 'step' : 'started'
}

// Only changes of a condition carry a time; a step to the next one does not, and is told when it happens.
function timeOf(object: unknown): number | undefined {
  const kind = kindOf(object)
  const pauses = member(object, 'status', 'pauseConditions')
  const paused = Array.isArray(pauses) ? instantOf(told(pauses.at(-1), 'startTime')) : undefined
  if (kind === 'aborted')
    return instantOf(told(object, 'status.abortedAt')) ?? conditionRecord(object)?.updatedAt
  if (kind === 'paused') return paused ?? conditionRecord(object)?.updatedAt
  return kind === 'step' ? undefined : storable(conditionRecord(object)?.updatedAt)
}

/** The canary's steps up to the one that is under way. */
function stepsSoFar(object: unknown): readonly unknown[] {
  const steps = member(object, 'spec', 'strategy', 'canary', 'steps')
  if (!Array.isArray(steps)) return []
  const index = toldNumber(object, 'status.currentStepIndex') ?? 0
  return steps.slice(0, index + 1)
}

function weightOf(object: unknown): number | undefined {
  const actual = toldNumber(object, 'status.canary.weights.canary.weight')
  if (actual !== undefined) return actual
  const steps = member(object, 'spec', 'strategy', 'canary', 'steps')
  if (!Array.isArray(steps)) return undefined
  const index = toldNumber(object, 'status.currentStepIndex') ?? 0
  if (index >= steps.length) return 100
  return (
    stepsSoFar(object)
      .map((step) => toldNumber(step, 'setWeight'))
      .findLast((weight) => weight !== undefined) ?? 0
  )
}

// Requests that match a header route go to the canary whole, others by weight. Where both are set everybody may be served, so the
// weight is the scope; the route alone is one while the weight is zero.
function scopeOfRollout(object: unknown, kind: StepKind): ReleaseScope | undefined {
  if (kind === 'completed') return { selectors: [], weightPercent: 100 }
  if (kind === 'aborted') return { selectors: [], weightPercent: 0 }
  const weightPercent = weightOf(object)
  if (weightPercent === undefined) return undefined
  const selectors = weightPercent > 0 ? [] : headerSelectors(object)
  return selectors.length > 0 ? { selectors, weightPercent: undefined } : { selectors: [], weightPercent }
}

function headerSelectors(object: unknown): ReleaseScope['selectors'] {
  const routes = new Map<string, ReleaseScope['selectors']>()
  for (const step of stepsSoFar(object)) {
    const route = member(step, 'setHeaderRoute')
    if (!isObject(route)) continue
    const match = member(route, 'match')
    // A route without a match takes the route of that name away.
    routes.set(
      told(route, 'name'),
      Array.isArray(match)
        ? match.flatMap((each: unknown) =>
            selectorsOf(headerAttribute(told(each, 'headerName')), member(each, 'headerValue')),
          )
        : [],
    )
  }
  return [...routes.values()].flat()
}

function stepText(object: unknown): string {
  const steps = member(object, 'spec', 'strategy', 'canary', 'steps')
  if (!Array.isArray(steps) || steps.length === 0) return ''
  const index = toldNumber(object, 'status.currentStepIndex') ?? 0
  return `step ${Math.min(index, steps.length)} of ${steps.length}`
}
