// What Deployment, StatefulSet, DaemonSet and Rollout share: labels, pod template, conditions.
// Sources: Kubernetes API apps/v1; "Recommended Labels" (app.kubernetes.io/…).

import { isObject, member } from '../../pipeline/json-text.ts'
import { instantOf } from '../event-fields.ts'
import { withoutAbsent } from './custom-data.ts'
import { told, toldNumber, type StepDraft } from './step-draft.ts'
import { imageVersion } from './version-text.ts'

/** A label of the pod template, else of the object: what pods carry is what telemetry sees. */
export function labelOf(object: unknown, ...keys: readonly string[]): string {
  for (const labels of [
    member(object, 'spec', 'template', 'metadata', 'labels'),
    member(object, 'metadata', 'labels'),
    member(object, 'metadata', 'annotations'),
  ])
    for (const key of keys) {
      const value = member(labels, key)
      if (typeof value === 'string' && value !== '') return value
    }
  return ''
}

/** Service, version, image and so on of the object as it is asked for. */
export function workloadFacts(object: unknown): Partial<StepDraft> {
  const name = told(object, 'metadata.name')
  const container = mainContainer(object, name)
  const image = told(container, 'image')
  return withoutAbsent({
    service: labelOf(object, 'app.kubernetes.io/name', 'app') || name,
    system: labelOf(object, 'app.kubernetes.io/part-of'),
    environment:
      labelOf(object, 'deployment.environment.name', 'deployment.environment', 'environment', 'env') ||
      told(object, 'metadata.namespace'),
    versionTo: labelOf(object, 'app.kubernetes.io/version', 'version') || imageVersion(image),
    artifact: image,
    vcsRevision: labelOf(object, 'org.opencontainers.image.revision', 'vcs.revision'),
    actor: labelOf(object, 'kubernetes.io/change-cause'),
    parameters: environmentOf(container),
  })
}

export type Condition = {
  readonly reason: string
  readonly status: string
  readonly message: string
  /** ms since 1970; undefined when not told. */
  readonly updatedAt: number | undefined
  readonly changedAt: number | undefined
}

export function conditionOf(object: unknown, type: string): Condition | undefined {
  const conditions = member(object, 'status', 'conditions')
  if (!Array.isArray(conditions)) return undefined
  const found: unknown = conditions.find((condition) => member(condition, 'type') === type)
  if (found === undefined) return undefined
  const changedAt = instantOf(told(found, 'lastTransitionTime'))
  return {
    reason: told(found, 'reason'),
    status: told(found, 'status'),
    message: told(found, 'message'),
    updatedAt: instantOf(told(found, 'lastUpdateTime')) ?? changedAt,
    changedAt,
  }
}

/** Whether the controller has seen what is asked for; what it says of an earlier generation is old. */
export function isObserved(object: unknown): boolean {
  const observed = toldNumber(object, 'status.observedGeneration')
  const generation = toldNumber(object, 'metadata.generation')
  return observed === undefined || generation === undefined || observed >= generation
}

// The one called like the object; sidecars have names of their own.
function mainContainer(object: unknown, name: string): unknown {
  const containers = member(object, 'spec', 'template', 'spec', 'containers')
  if (!Array.isArray(containers)) return undefined
  return containers.find((container) => member(container, 'name') === name) ?? (containers[0] as unknown)
}

/** Variables with a value of their own; what comes from a Secret or a ConfigMap is told by its name alone. */
function environmentOf(container: unknown): Readonly<Record<string, string>> {
  const variables = member(container, 'env')
  if (!Array.isArray(variables)) return {}
  return Object.fromEntries(
    variables.flatMap((variable: unknown) => {
      const name = told(variable, 'name')
      if (name === '') return []
      const from = member(variable, 'valueFrom')
      return [[name, isObject(from) ? JSON.stringify(from).slice(0, 1024) : told(variable, 'value')] as const]
    }),
  )
}
