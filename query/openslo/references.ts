// What objects name: other objects of the bundle, or ones that are kept; and where names and labels stand inside them.

import { problemAt, type Source } from './documents.ts'
import type { OpenSloProblem, Path, Severity } from './problem.ts'
import type { AlertPolicySpecV1, KindV1, MetadataV1, ObjectOf, ObjectV1, SliSpecV1 } from './schema-v1.ts'
import { sloOf } from './source-words.ts'

export type Reference = {
  readonly kind: KindV1
  readonly name: string
  readonly path: Path
  /** warning: the object works without it. */
  readonly severity: Severity
}

/** What is kept already. */
export type Resolver = <Kind extends KindV1>(kind: Kind, name: string) => ObjectOf<Kind> | undefined
export const nothingKept: Resolver = () => undefined

export type Found = { readonly object: ObjectV1; readonly source: Source }

/** Looks into a bundle first, then to what is kept. */
export function resolverOf(objects: readonly ObjectV1[], kept: Resolver): Resolver {
  const own = new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object]))
  return ((kind, name) => own.get(`${kind}/${name}`) ?? kept(kind, name)) as Resolver
}

/** @param unread  `kind/name` of what is there and cannot be read */
export function checkReferences(
  found: readonly Found[],
  resolve: Resolver,
  unread: ReadonlySet<string> = new Set(),
): OpenSloProblem[] {
  return found.flatMap(({ object, source }) =>
    referencesOf(object)
      .filter(({ kind, name }) => resolve(kind, name) === undefined && !unread.has(`${kind}/${name}`))
      .map(({ kind, name, path, severity }) =>
        problemAt(
          source,
          severity,
          'dangling',
          path,
          `there is no ${kind} «${name}», neither here nor kept`,
          `add it to the bundle, or look at the name`,
        ),
      ),
  )
}

export function referencesOf(object: ObjectV1): Reference[] {
  const path: Path = ['spec']
  if (object.kind === 'SLI') return ofSli(object.spec, path)
  if (object.kind === 'AlertPolicy') return ofPolicy(object.spec, path)
  if (object.kind !== 'SLO') return []
  const { spec } = object
  return [
    ...ofIndicator(spec, path),
    ...spec.objectives.flatMap((objective, index) => ofIndicator(objective, [...path, 'objectives', index])),
    ...(spec.alertPolicies ?? []).flatMap((policy, index) => {
      const at = [...path, 'alertPolicies', index]
      return 'alertPolicyRef' in policy
        ? [must('AlertPolicy', policy.alertPolicyRef, [...at, 'alertPolicyRef'])]
        : ofPolicy(policy.spec, [...at, 'spec'])
    }),
  ]
}

const must = (kind: KindV1, name: string, path: Path): Reference => ({ kind, name, path, severity: 'error' })

function ofIndicator(
  { indicator, indicatorRef }: Pick<ObjectOf<'SLO'>['spec'], 'indicator' | 'indicatorRef'>,
  path: Path,
): Reference[] {
  return [
    ...(indicatorRef === undefined ? [] : [must('SLI', indicatorRef, [...path, 'indicatorRef'])]),
    ...(indicator === undefined ? [] : ofSli(indicator.spec, [...path, 'indicator', 'spec'])),
  ]
}

function ofPolicy(spec: AlertPolicySpecV1, path: Path): Reference[] {
  return [
    ...spec.conditions.flatMap((one, index) =>
      'conditionRef' in one
        ? [must('AlertCondition', one.conditionRef, [...path, 'conditions', index, 'conditionRef'])]
        : [],
    ),
    ...spec.notificationTargets.flatMap((one, index) =>
      'targetRef' in one
        ? [
            must('AlertNotificationTarget', one.targetRef, [
              ...path,
              'notificationTargets',
              index,
              'targetRef',
            ]),
          ]
        : [],
    ),
  ]
}

const METRICS = ['good', 'bad', 'total', 'raw'] as const

function ofSli(spec: SliSpecV1, path: Path): Reference[] {
  const metrics = [
    [spec.thresholdMetric, ['thresholdMetric']],
    ...METRICS.map((name) => [spec.ratioMetric?.[name], ['ratioMetric', name]] as const),
  ] as const
  return metrics.flatMap(([metric, at]): Reference[] => {
    if (metric === undefined) return []
    const { metricSourceRef: name, type } = metric.metricSource
    const source = [...path, ...at, 'metricSource']
    const slo = sloOf(metric.metricSource)
    return [
      // With a type beside it, nothing of the data source is needed.
      ...(name === undefined
        ? []
        : [
            {
              ...must('DataSource', name, [...source, 'metricSourceRef']),
              severity: type === undefined ? 'error' : 'warning',
            } as const,
          ]),
      ...(slo === undefined ? [] : [must('SLO', slo, [...source, 'spec', 'slo'])]),
    ]
  })
}

/** All metadata of an object: its own and that of what stands inline in it. */
export function metadataIn(object: ObjectV1): { readonly metadata: MetadataV1; readonly path: Path }[] {
  const found: { metadata: MetadataV1; path: Path }[] = []
  const walk = (value: unknown, path: Path): void => {
    if (Array.isArray(value)) return value.forEach((item, index) => walk(item, [...path, index]))
    if (typeof value !== 'object' || value === null) return
    for (const [key, member] of Object.entries(value) as [string, unknown][]) {
      if (key === 'metadata') found.push({ metadata: member as MetadataV1, path: [...path, key] })
      // What a metric source or a connection says is its own business.
      else if (key !== 'metricSource' && key !== 'connectionDetails') walk(member, [...path, key])
    }
  }
  walk(object, [])
  return found
}
