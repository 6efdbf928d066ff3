// Whether what a bundle refers to is in it or kept already.

import { problemAt, type Source } from './documents.ts'
import type { OpenSloProblem, Path } from './problem.ts'
import type { AlertPolicySpecV1, KindV1, ObjectV1, SliSpecV1 } from './schema-v1.ts'

type Reference = { readonly kind: KindV1; readonly name: string; readonly path: Path }

export function checkReferences(
  found: readonly { readonly object: ObjectV1; readonly source: Source }[],
  isKept: (kind: KindV1, name: string) => boolean,
): OpenSloProblem[] {
  const there = new Set(found.map(({ object }) => `${object.kind}/${object.metadata.name}`))
  return found.flatMap(({ object, source }) =>
    referencesOf(object)
      .filter(({ kind, name }) => !there.has(`${kind}/${name}`) && !isKept(kind, name))
      .map(({ kind, name, path }) =>
        problemAt(source, 'error', 'dangling', path, `there is no ${kind} «${name}», neither here nor kept`),
      ),
  )
}

function referencesOf(object: ObjectV1): Reference[] {
  const path: Path = ['spec']
  if (object.kind === 'SLI') return ofSli(object.spec, path)
  if (object.kind === 'AlertPolicy') return ofPolicy(object.spec, path)
  if (object.kind !== 'SLO') return []
  const { spec } = object
  const references: Reference[] = []
  if (spec.indicatorRef !== undefined)
    references.push({ kind: 'SLI', name: spec.indicatorRef, path: [...path, 'indicatorRef'] })
  if (spec.indicator !== undefined)
    references.push(...ofSli(spec.indicator.spec, [...path, 'indicator', 'spec']))
  spec.objectives.forEach(({ indicator, indicatorRef }, index) => {
    const at = [...path, 'objectives', index]
    if (indicatorRef !== undefined)
      references.push({ kind: 'SLI', name: indicatorRef, path: [...at, 'indicatorRef'] })
    if (indicator !== undefined) references.push(...ofSli(indicator.spec, [...at, 'indicator', 'spec']))
  })
  spec.alertPolicies?.forEach((policy, index) => {
    const at = [...path, 'alertPolicies', index]
    if ('alertPolicyRef' in policy)
      references.push({ kind: 'AlertPolicy', name: policy.alertPolicyRef, path: [...at, 'alertPolicyRef'] })
    else references.push(...ofPolicy(policy.spec, [...at, 'spec']))
  })
  return references
}

function ofPolicy(spec: AlertPolicySpecV1, path: Path): Reference[] {
  return [
    ...spec.conditions.flatMap((condition, index): Reference[] =>
      'conditionRef' in condition
        ? [
            {
              kind: 'AlertCondition',
              name: condition.conditionRef,
              path: [...path, 'conditions', index, 'conditionRef'],
            },
          ]
        : [],
    ),
    ...spec.notificationTargets.flatMap((target, index): Reference[] =>
      'targetRef' in target
        ? [
            {
              kind: 'AlertNotificationTarget',
              name: target.targetRef,
              path: [...path, 'notificationTargets', index, 'targetRef'],
            },
          ]
        : [],
    ),
  ]
}

function ofSli(spec: SliSpecV1, path: Path): Reference[] {
  const metrics = [
    [spec.thresholdMetric, ['thresholdMetric']],
    [spec.ratioMetric?.good, ['ratioMetric', 'good']],
    [spec.ratioMetric?.bad, ['ratioMetric', 'bad']],
    [spec.ratioMetric?.total, ['ratioMetric', 'total']],
    [spec.ratioMetric?.raw, ['ratioMetric', 'raw']],
  ] as const
  return metrics.flatMap(([metric, at]): Reference[] => {
    const name = metric?.metricSource.metricSourceRef
    return name === undefined
      ? []
      : [{ kind: 'DataSource', name, path: [...path, ...at, 'metricSource', 'metricSourceRef'] }]
  })
}
