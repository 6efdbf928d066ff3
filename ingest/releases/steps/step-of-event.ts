// The step that an event tells, if it tells one. A pure function of the stored event (and, for tools that are mapped, of the mapping):
// whatever door it came through, whenever it is asked, the step is the same.

import type { ReleaseStep } from '../../records/release-step.ts'
import { isObject, member, readJson } from '../../pipeline/json-text.ts'
import { isCdEventType } from '../cd-event.ts'
import { ARGO_CD_TYPE, argoCdStep } from './argo-cd.ts'
import { ARGO_ROLLOUTS_TYPE, argoRolloutsStep } from './argo-rollouts.ts'
import { cdEventStep, isCdEvent } from './cd-event-step.ts'
import { GITHUB_TYPE, githubStep } from './github.ts'
import { GITLAB_TYPE, gitlabStep } from './gitlab.ts'
import { KUBERNETES_TYPE, kubernetesStep } from './kubernetes.ts'
import { MANUAL_TYPE, manualStep } from './manual.ts'
import { MAPPED_TYPE, mappedStep, type HookMapping } from './mapped.ts'
import type { StepEvent } from './step-draft.ts'

export type HookMappings = ReadonlyMap<string, HookMapping>

/** @returns undefined for events that tell of no release, among them all of unknown types */
export function stepOfEvent(event: StepEvent, mappings: HookMappings = new Map()): ReleaseStep | undefined {
  const json = readJson(Buffer.from(event.body, 'utf8'))
  if (json.kind === 'refused' || !isObject(json.value)) return undefined
  const isEnvelope = Object.hasOwn(json.value, 'specversion')
  const value = isEnvelope ? dataOf(json.value) : json.value
  const { type } = event
  if (isCdEventType(type)) return cdEventStep(event, value)
  // Foreign webhooks also travel as the data of a CloudEvent.
  if (type.startsWith(GITHUB_TYPE)) return githubStep(event, value)
  if (type.startsWith(GITLAB_TYPE)) return gitlabStep(event, value)
  if (type === ARGO_CD_TYPE) return argoCdStep(event, value)
  if (type.startsWith(ARGO_ROLLOUTS_TYPE)) return argoRolloutsStep(event, value)
  if (type.startsWith(KUBERNETES_TYPE)) return kubernetesStep(event, value)
  // These are made by our own doors alone: an envelope that claims to be one is a stranger's.
  if (!isEnvelope && type === MANUAL_TYPE) return manualStep(event, value)
  if (!isEnvelope && type.startsWith(MAPPED_TYPE)) {
    const mapping = mappings.get(type.slice(MAPPED_TYPE.length))
    return mapping === undefined ? undefined : mappedStep(event, value, mapping)
  }
  return isCdEvent(value) ? cdEventStep(event, value) : undefined
}

function dataOf(envelope: Readonly<Record<string, unknown>>): unknown {
  const base64 = member(envelope, 'data_base64')
  if (typeof base64 !== 'string') return member(envelope, 'data')
  const json = readJson(Buffer.from(base64, 'base64'))
  return json.kind === 'json' ? json.value : undefined
}
