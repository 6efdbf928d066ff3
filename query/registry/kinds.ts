// What each kind of object may hold, where its documents say so, what it refers to and where it belongs. One entry a kind:
// a new kind is a shape, an entry here and rows in the table of permissions.

import { z } from 'zod'
import type { Kind, Metadata, OwnKind, Place, Reference, Wanted } from './object.ts'
import { KINDS } from './object.ts'
import { API_VERSION } from './api-version.ts'
import { CalendarSpec } from './kinds/calendar.ts'
import { ExclusionSpec } from './kinds/exclusion.ts'
import { OrganisationSpec, TeamSpec, UserSpec } from './kinds/people.ts'
import { ReleaseOrderSpec } from './kinds/release-order.ts'
import { ServiceSpec, SystemSpec } from './kinds/systems.ts'
import { displayName, objectName } from './kinds/words.ts'

type Definition = {
  /** `kind` in documents. */
  readonly document: string
  readonly apiVersion: string
  /** In addresses. */
  readonly plural: string
  /** undefined: defined by who reads its documents. */
  readonly spec: z.ZodType<Readonly<Record<string, unknown>>> | undefined
  readonly refer: (spec: never) => readonly Reference[]
  readonly place: (spec: never, name: string) => Place
}

function own<Spec extends Readonly<Record<string, unknown>>>(
  document: string,
  plural: string,
  spec: z.ZodType<Spec>,
  refer: (spec: Spec) => readonly Reference[],
  place: (spec: Spec, name: string) => Place = () => ({}),
): Definition {
  return { document, apiVersion: API_VERSION, plural, spec, refer, place }
}

const foreign = (document: string, plural: string): Definition => ({
  document,
  apiVersion: 'openslo/v1',
  plural,
  spec: undefined,
  refer: () => [],
  place: () => ({}),
})

const to = (kind: Kind, name: string | undefined, path: string): Reference[] =>
  name === undefined ? [] : [{ kind, name, path: `spec.${path}` }]

const toEach = (kind: Kind, names: readonly string[], path: string): Reference[] =>
  names.map((name, index) => ({ kind, name, path: `spec.${path}[${index}]` }))

export const DEFINITIONS: Readonly<Record<Kind, Definition>> = {
  organisation: own('Organisation', 'organisations', OrganisationSpec, ({ parent }) =>
    to('organisation', parent, 'parent'),
  ),
  team: own('Team', 'teams', TeamSpec, ({ organisation }) =>
    to('organisation', organisation, 'organisation'),
  ),
  user: own('User', 'users', UserSpec, ({ teams, scope }) => [
    ...toEach('team', teams, 'teams'),
    ...toEach('organisation', scope?.organisations ?? [], 'scope.organisations'),
    ...toEach('system', scope?.systems ?? [], 'scope.systems'),
  ]),
  system: own(
    'System',
    'systems',
    SystemSpec,
    ({ organisation, team, dependsOn }) => [
      ...to('organisation', organisation, 'organisation'),
      ...to('team', team, 'team'),
      ...dependsOn.flatMap(({ system }, index) => to('system', system, `dependsOn[${index}].system`)),
    ],
    ({ team }, name) => ({ team, system: name }),
  ),
  service: own(
    'Service',
    'services',
    ServiceSpec,
    ({ system, team }) => [...to('system', system, 'system'), ...to('team', team, 'team')],
    ({ system, team }) => ({ system, team }),
  ),
  calendar: own('Calendar', 'calendars', CalendarSpec, () => []),
  exclusion: own('Exclusion', 'exclusions', ExclusionSpec, ({ appliesTo }) => [
    ...toEach('system', appliesTo.systems, 'appliesTo.systems'),
    ...toEach('service', appliesTo.services, 'appliesTo.services'),
    ...toEach('slo', appliesTo.slos, 'appliesTo.slos'),
  ]),
  // Systems and services are no references: an order that names unknown ones is kept.
  'release-order': own(
    'ReleaseOrder',
    'release-orders',
    ReleaseOrderSpec,
    ({ team }) => to('team', team, 'team'),
    ({ team }) => ({ team }),
  ),
  'data-source': foreign('DataSource', 'data-sources'),
  sli: foreign('SLI', 'slis'),
  'alert-condition': foreign('AlertCondition', 'alert-conditions'),
  'alert-notification-target': foreign('AlertNotificationTarget', 'alert-notification-targets'),
  'alert-policy': foreign('AlertPolicy', 'alert-policies'),
  slo: foreign('SLO', 'slos'),
}

/** What is wrong at a place of an object, with the remedy. */
export type Fault = { readonly path: readonly (string | number)[]; readonly message: string }

const text = z.string().max(2000)
export const MetadataShape = z.strictObject({
  displayName: displayName.optional(),
  labels: z
    .record(z.string().min(1).max(316), z.union([z.string().max(200), z.array(z.string().max(200)).max(20)]))
    .optional(),
  annotations: z.record(z.string().min(1).max(316), text).optional(),
})

/**
 * Checks what somebody says an object of one of our kinds holds.
 * @returns the object with its defaults filled in, or everything that is wrong
 */
export function checkObject(
  kind: OwnKind,
  name: unknown,
  metadata: unknown,
  spec: unknown,
): { readonly wanted: Wanted } | { readonly faults: readonly Fault[] } {
  const definition = DEFINITIONS[kind]
  const parts = [
    { at: ['metadata', 'name'], parsed: objectName(kind).safeParse(name) },
    { at: ['metadata'], parsed: MetadataShape.safeParse(metadata) },
    { at: ['spec'], parsed: (definition.spec ?? z.never()).safeParse(spec) },
  ] as const
  const faults = parts.flatMap(({ at, parsed }) =>
    parsed.success ? [] : parsed.error.issues.flatMap((issue) => faultsOf(issue, at)),
  )
  if (faults.length > 0) return { faults }
  const checked = parts[2].parsed.data as never
  return {
    wanted: {
      kind,
      name: parts[0].parsed.data as string,
      metadata: parts[1].parsed.data as Metadata,
      spec: checked,
      references: definition.refer(checked),
      place: definition.place(checked, name as string),
    },
  }
}

/** An unknown member is told at its own place; of a choice, what is wrong with the form that fits best. */
function faultsOf(issue: z.core.$ZodIssue, at: readonly (string | number)[]): Fault[] {
  const path = [...at, ...(issue.path as (string | number)[])]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown field «${key}»; look at its spelling and at the level it stands on`,
    }))
  if (issue.code === 'invalid_union') {
    const best = issue.errors.toSorted((a, b) => a.length - b.length)[0]
    if (best !== undefined && best.length > 0) return best.flatMap((one) => faultsOf(one, path))
  }
  if (issue.code === 'invalid_value')
    return [{ path, message: `must be one of ${issue.values.map(String).join(', ')}` }]
  if (issue.code === 'invalid_type')
    return [
      { path, message: issue.message.endsWith('undefined') ? 'is required' : `must be ${issue.expected}` },
    ]
  return [{ path, message: issue.message }]
}

const BY_DOCUMENT = new Map(
  KINDS.map((kind) => [`${DEFINITIONS[kind].apiVersion} ${DEFINITIONS[kind].document}`, kind]),
)

/** @returns the kind that documents of this version and kind are about */
export function kindOfDocument(apiVersion: unknown, document: unknown): Kind | undefined {
  return BY_DOCUMENT.get(`${String(apiVersion)} ${String(document)}`)
}

export const isOwnKind = (kind: Kind): kind is OwnKind => DEFINITIONS[kind].spec !== undefined
