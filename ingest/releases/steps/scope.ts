// Whom a version serves, as senders write it: `{"branches": ["0531-01"]}`, `{"kind": "percent", "percent": 20}`,
// `{"headers": {"x-region": {"prefix": "R3"}}}`, `[{"attribute": "branch", "match": "exact", "values": ["0531-01"]}]`.

import { SCOPE_ATTRIBUTES, type ReleaseScope } from '../../records/release-step.ts'
import { isObject, member } from '../../pipeline/json-text.ts'
import { toldNumber } from './step-draft.ts'

type Selector = ReleaseScope['selectors'][number]

const MATCHES = ['exact', 'prefix', 'regex'] as const
// What says how, and not whom.
const NO_ATTRIBUTES = new Set([
  'kind',
  'type',
  'weight',
  'weightPercent',
  'percent',
  'headers',
  'selectors',
  'match',
])
// Plurals and longer names of our own attributes.
const SYNONYMS: Readonly<Record<string, string>> = {
  sites: 'site',
  regions: 'region',
  branches: 'branch',
  tellers: 'teller',
  tellergroup: 'teller',
  tellergroups: 'teller',
  teller_group: 'teller',
  channels: 'channel',
  zones: 'zone',
  clusters: 'cluster',
}

/** @returns nobody excluded when the value says nothing that can be matched, such as a scope in words */
export function scopeOf(value: unknown): ReleaseScope {
  if (Array.isArray(value)) return { selectors: listed(value), weightPercent: undefined }
  if (!isObject(value)) return { selectors: [], weightPercent: undefined }
  const selectors = [
    ...listed(member(value, 'selectors')),
    ...headerSelectors(member(value, 'headers')),
    ...Object.entries(value)
      .filter(([name]) => !NO_ATTRIBUTES.has(name))
      .flatMap(([name, values]) => selectorsOf(attributeOf(name), values)),
  ]
  return { selectors, weightPercent: toldNumber(value, 'weight', 'weightPercent', 'percent') }
}

/** The attribute that holds an HTTP request header in telemetry. */
export const headerAttribute = (name: string) => `http.request.header.${name.toLowerCase()}`

function attributeOf(name: string): string {
  const plain = name.toLowerCase()
  if ((SCOPE_ATTRIBUTES as readonly string[]).includes(plain)) return plain
  return Object.hasOwn(SYNONYMS, plain) ? (SYNONYMS[plain] ?? name) : name
}

function headerSelectors(headers: unknown): Selector[] {
  if (!isObject(headers)) return []
  return Object.entries(headers).flatMap(([name, values]) => selectorsOf(headerAttribute(name), values))
}

function listed(value: unknown): Selector[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    const attribute = member(item, 'attribute') ?? member(item, 'key')
    const match = MATCHES.find((word) => word === member(item, 'match')) ?? 'exact'
    const values = textsOf(member(item, 'values') ?? member(item, 'value'))
    return typeof attribute === 'string' && values.length > 0
      ? [{ attribute: attributeOf(attribute), match, values }]
      : []
  })
}

/** A text, a list of them, or `{exact|prefix|regex: …}`. */
export function selectorsOf(attribute: string, value: unknown): Selector[] {
  if (isObject(value))
    return MATCHES.flatMap((match) => {
      const values = textsOf(member(value, match))
      return values.length === 0 ? [] : [{ attribute, match, values }]
    })
  const values = textsOf(value)
  return values.length === 0 ? [] : [{ attribute, match: 'exact', values }]
}

function textsOf(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((item: unknown) =>
    (typeof item === 'string' && item !== '') || typeof item === 'number' ? [String(item)] : [],
  )
}
