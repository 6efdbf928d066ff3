// openslo.com/v2alpha, taken over as v1: other words for the same things. They are put into v1's words, checked by v1's shapes, and
// told by where they stand. Source: OpenSLO/OpenSLO enhancements/v2alpha.md; OpenSLO/go-sdk v0.9.2, package v2alpha.

import type { Source } from './documents.ts'
import { parseDuration } from './duration.ts'
import { remedyOf, toldOf } from './issues.ts'
import { shown, type Path, type Tell } from './problem.ts'
import { withoutNulls } from './without-nulls.ts'
import type { Found } from './references.ts'
import { isKindV1, KINDS_V1, OBJECTS_V1, VERSION_V1 } from './schema-v1.ts'

export const VERSION_V2ALPHA = 'openslo.com/v2alpha'

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** v1's words that v2alpha does not have, and what it says in their place. */
const GONE: Readonly<Record<string, string>> = {
  indicator: 'sli',
  indicatorRef: 'sliRef',
  metricSource: 'dataSourceRef, or dataSourceSpec, and spec',
}
const METRICS = new Set(['good', 'bad', 'total', 'raw', 'thresholdMetric'])
const DURATIONS = new Set(['duration', 'timeSliceWindow', 'lookbackWindow', 'alertAfter'])

export function readV2alpha(source: Source, tell: Tell): Found[] {
  const { kind } = source.value as { kind?: unknown }
  if (!isKindV1(kind)) {
    tell('error', 'kind', ['kind'], `is ${shown(kind)}, which is none`, remedyOf(kind, KINDS_V1))
    return []
  }
  let isGood = true
  const say: Tell = (severity, ...rest) => {
    isGood &&= severity !== 'error'
    tell(severity, ...rest)
  }
  const written = withoutNulls(source.value) as Fields
  const serviceField = isFields(written['spec']) && 'service' in written['spec'] ? 'service' : 'serviceRef'
  const value = { ...(inWordsOfV1(written, [], say) as Fields), apiVersion: VERSION_V1 }
  const origin = (path: Path) => originOf(path, serviceField)
  const parsed = OBJECTS_V1[kind].safeParse(value, { reportInput: true })
  if (!parsed.success)
    for (const told of toldOf(parsed.error.issues, OBJECTS_V1[kind]))
      say('error', told.code, origin(told.path), told.message, told.remedy)
  if (!parsed.success || !isGood) return []
  tell(
    'warning',
    'old-version',
    ['apiVersion'],
    `is a draft and is taken over as ${VERSION_V1}`,
    `write it as ${VERSION_V1}`,
  )
  return [{ object: parsed.data, source: { ...source, origin } }]
}

function inWordsOfV1(value: unknown, path: Path, tell: Tell): unknown {
  if (Array.isArray(value)) return value.map((item, index) => inWordsOfV1(item, [...path, index], tell))
  if (!isFields(value)) return value
  const at = path.at(-1)
  if (at === 'metadata') return metadataOf(value, path, tell)
  const renamed: [string, unknown][] = []
  for (const [key, member] of Object.entries(value)) {
    const here = [...path, key]
    if (key in GONE)
      tell(
        'error',
        'unknown-field',
        here,
        `«${key}» is no field of ${VERSION_V2ALPHA}`,
        `write ${GONE[key] ?? ''}`,
      )
    else if (METRICS.has(key) && isFields(member)) renamed.push([key, metricOf(member, here, tell)])
    else if (key === 'sli' || key === 'sliRef')
      renamed.push([key === 'sli' ? 'indicator' : 'indicatorRef', inWordsOfV1(member, here, tell)])
    else if (key === 'serviceRef') renamed.push(['service', member])
    else if (key === 'connectionDetails') renamed.push([key, member])
    else renamed.push([key, inWordsOfV1(member, here, tell)])
    if (DURATIONS.has(key) && /[MQY]$/.test(String(member)) && parseDuration(String(member)) !== undefined)
      tell(
        'error',
        'invalid',
        here,
        `must be in m, h, d or w in ${VERSION_V2ALPHA}`,
        `write days, or write it as ${VERSION_V1}`,
      )
  }
  return Object.fromEntries(renamed)
}

function metadataOf({ labels, annotations, ...rest }: Fields, path: Path, tell: Tell): Fields {
  if ('displayName' in rest)
    tell(
      'error',
      'unknown-field',
      [...path, 'displayName'],
      `«displayName» is no field of ${VERSION_V2ALPHA}`,
      'say it as an annotation or a label',
    )
  const given = isFields(labels) ? Object.entries(labels) : []
  for (const [key, value] of given)
    if (typeof value !== 'string' || !/^(?:[a-z0-9](?:[-._a-z0-9]{0,61}[a-z0-9])?)?$/.test(value))
      tell(
        'error',
        'invalid',
        [...path, 'labels', key],
        'must be lower case letters, digits, dots, hyphens and underscores',
        'labels are those of Kubernetes; a list is not possible',
      )
  // v1's labels have no domain before a slash; its annotations have.
  const plain = given.filter(([key]) => !key.includes('/'))
  const prefixed = given.filter(([key]) => key.includes('/'))
  for (const [key] of prefixed)
    tell(
      'warning',
      'not-kept',
      [...path, 'labels', key],
      `has a domain, which labels of ${VERSION_V1} do not; it becomes an annotation`,
      'name it without one',
    )
  const noted = { ...Object.fromEntries(prefixed), ...(isFields(annotations) ? annotations : {}) }
  return {
    ...rest,
    ...(labels === undefined || plain.length === 0 ? {} : { labels: Object.fromEntries(plain) }),
    ...(Object.keys(noted).length === 0 ? {} : { annotations: noted }),
  }
}

function metricOf(
  { dataSourceRef, dataSourceSpec, spec, ...others }: Fields,
  path: Path,
  tell: Tell,
): Fields {
  if ((dataSourceRef === undefined) === (dataSourceSpec === undefined))
    tell(
      'error',
      dataSourceRef === undefined ? 'required' : 'one-of',
      path,
      dataSourceRef === undefined ? 'has no data source' : 'has dataSourceRef and dataSourceSpec',
      'keep exactly one of dataSourceRef, dataSourceSpec',
    )
  if ('metricSource' in others)
    tell(
      'error',
      'unknown-field',
      [...path, 'metricSource'],
      `«metricSource» is no field of ${VERSION_V2ALPHA}`,
      `write ${GONE['metricSource'] ?? ''}`,
    )
  const type = isFields(dataSourceSpec) ? dataSourceSpec['type'] : undefined
  if (isFields(dataSourceSpec))
    tell(
      'warning',
      'not-kept',
      [...path, 'dataSourceSpec'],
      'is kept by its type alone; connection details are not taken over',
      'make a DataSource of it',
    )
  const { metricSource: _gone, ...unknown } = others
  return {
    ...unknown,
    metricSource: {
      ...(dataSourceRef === undefined ? {} : { metricSourceRef: dataSourceRef }),
      ...(type === undefined ? {} : { type }),
      spec: spec ?? {},
    },
  }
}

/** Where something in v1's words stands as it was written. */
function originOf(path: Path, serviceField: string): Path {
  return path.flatMap((part, index): Path => {
    if (part === 'metricSource') return []
    if (part === 'metricSourceRef') return ['dataSourceRef']
    if (part === 'type' && path[index - 1] === 'metricSource') return ['dataSourceSpec', 'type']
    if (part === 'indicator') return ['sli']
    if (part === 'indicatorRef') return ['sliRef']
    return part === 'service' && index === 1 ? [serviceField] : [part]
  })
}
