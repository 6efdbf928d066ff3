// Argo CD's notifications. Argo CD sends what a template makes of its Application; ours is in deploy/argo-cd/. Whole Application
// objects are understood, too.
// Source: argoproj/argo-cd, notifications_catalog; Application: status.operationState, status.health, status.summary.images.

import type { ReleaseStep, StepKind } from '../../records/release-step.ts'
import { isObject, member } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { toldFacts, withoutAbsent } from './custom-data.ts'
import { refusedHook, storable, type HookAnswer, type HookRequest } from './hook-event.ts'
import { buildStep, told, type StepEvent } from './step-draft.ts'
import { imageParts, imageVersion } from './version-text.ts'

export const ARGO_CD_TYPE = 'io.argoproj.cd.application'

type Notice = {
  readonly app: string
  readonly namespace: string
  readonly project: string
  readonly destinationNamespace: string
  readonly revision: string
  readonly phase: string
  readonly health: string
  readonly startedAt: string
  readonly finishedAt: string
  readonly images: readonly string[]
  readonly message: string
  readonly labels: unknown
  readonly actor: string
}

/** Told again for the same operation and state it is the same event: Argo CD tries again, and tells every replica's sight. */
export function argoCdEvent({ value }: HookRequest): HookAnswer {
  const notice = noticeOf(value)
  if (notice.app === '')
    return refusedHook('app', 'must name the application; use the template in deploy/argo-cd/')
  if (notice.phase === '' && notice.health === '')
    return refusedHook('phase', 'must be the phase of the operation, or health the application’s health')
  const state = [notice.phase, notice.health].filter((word) => word !== '').join('+')
  const of = [notice.startedAt, notice.finishedAt].filter((time) => time !== '').join('..')
  return {
    kind: 'event',
    identity: {
      source: `/argo-cd/${notice.project === '' ? 'default' : notice.project}`,
      id: `${notice.namespace}/${notice.app}@${notice.revision}/${state}/${of}`,
      type: ARGO_CD_TYPE,
      at: instantOf(notice.finishedAt === '' ? notice.startedAt : notice.finishedAt),
      subject: notice.app,
    },
  }
}

export function argoCdStep(event: StepEvent, value: unknown): ReleaseStep {
  const notice = noticeOf(value)
  const kind = kindOf(notice)
  const image = mainImage(notice)
  const facts = toldFacts(member(value, 'customData'))
  const label = (key: string) => labelOf(notice.labels, key)
  return buildStep(event, {
    ...withoutAbsent({
      at: storable(instantOf(kind === 'started' ? notice.startedAt : notice.finishedAt || notice.startedAt)),
      service: told(value, 'service') || label('app.kubernetes.io/name') || notice.app,
      system: told(value, 'system') || label('app.kubernetes.io/part-of') || notice.project,
      environment: told(value, 'environment') || label('environment') || notice.destinationNamespace,
      versionTo:
        told(value, 'version') ||
        label('app.kubernetes.io/version') ||
        imageVersion(image) ||
        notice.revision,
      artifact: image,
      vcsRevision: notice.revision,
      configHash: notice.revision,
      pipeline: `argo-cd/${notice.app}`,
      actor: notice.actor,
      releaseKey: `argo-cd/${notice.namespace}/${notice.app}@${notice.revision}`,
      parameters: Object.fromEntries(
        notice.images.map((each) => [`image.${imageParts(each).name}`, imageVersion(each)]),
      ),
      description: notice.message,
    }),
    ...facts,
    tool: 'argo-cd',
    kind,
  })
}

const PHASES: Readonly<Record<string, StepKind>> = {
  running: 'started',
  terminating: 'aborted',
  failed: 'failed',
  error: 'failed',
}

// Synchronised says that the manifests are applied; only healthy that the new pods serve.
function kindOf({ phase, health }: Notice): StepKind {
  const word = phase.toLowerCase()
  if (word === 'succeeded' || word === '') {
    if (health.toLowerCase() === 'healthy') return 'completed'
    if (health.toLowerCase() === 'degraded') return 'failed'
    if (health.toLowerCase() === 'suspended') return 'paused'
    return word === '' ? 'noted' : 'step'
  }
  return Object.hasOwn(PHASES, word) ? (PHASES[word] ?? 'noted') : 'noted'
}

/** The image that is called like the application, else the only or the first one. */
function mainImage({ images, app }: Notice): string {
  return images.find((image) => imageParts(image).name === app) ?? images[0] ?? ''
}

function labelOf(labels: unknown, key: string): string {
  const value = member(labels, key)
  return typeof value === 'string' ? value : ''
}

function noticeOf(value: unknown): Notice {
  const object = isObject(member(value, 'app'))
    ? member(value, 'app')
    : member(value, 'kind') === 'Application'
      ? value
      : undefined
  if (object === undefined)
    return {
      app: told(value, 'app'),
      namespace: told(value, 'namespace'),
      project: told(value, 'project'),
      destinationNamespace: told(value, 'destinationNamespace'),
      revision: told(value, 'revision'),
      phase: told(value, 'phase'),
      health: told(value, 'health'),
      startedAt: told(value, 'startedAt'),
      finishedAt: told(value, 'finishedAt'),
      images: textsOf(member(value, 'images')),
      message: told(value, 'message'),
      labels: member(value, 'labels'),
      actor: told(value, 'actor', 'author'),
    }
  return {
    app: told(object, 'metadata.name'),
    namespace: told(object, 'metadata.namespace'),
    project: told(object, 'spec.project'),
    destinationNamespace: told(object, 'spec.destination.namespace'),
    revision: told(object, 'status.operationState.syncResult.revision', 'status.sync.revision'),
    phase: told(object, 'status.operationState.phase'),
    health: told(object, 'status.health.status'),
    startedAt: told(object, 'status.operationState.startedAt'),
    finishedAt: told(object, 'status.operationState.finishedAt'),
    images: textsOf(member(object, 'status', 'summary', 'images')),
    message: told(object, 'status.operationState.message'),
    labels: member(object, 'metadata', 'labels'),
    actor: told(object, 'status.operationState.operation.initiatedBy.username'),
  }
}

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string' && item !== '') : []
