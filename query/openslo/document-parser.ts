// OpenSLO and Sloth for the registry: which documents are read here, and the registry's objects made of them.

import { createHash } from 'node:crypto'
import { questionOf, stepMsOf, type SloDefinition } from '../slo/model.ts'
import { defined } from './bundle.ts'
import type { Source } from './documents.ts'
import { pathText, type OpenSloProblem } from './problem.ts'
import { readSources } from './read.ts'
import { referencesOf, type Resolver } from './references.ts'
import { canonical } from './write.ts'
import { VERSION_V1, type KindV1, type ObjectV1 } from './schema-v1.ts'
import { isSlothDocument } from './sloth.ts'

export const REGISTRY_KINDS = {
  DataSource: 'data-source',
  SLI: 'sli',
  SLO: 'slo',
  Service: 'service',
  AlertPolicy: 'alert-policy',
  AlertCondition: 'alert-condition',
  AlertNotificationTarget: 'alert-notification-target',
} as const satisfies Record<KindV1, string>
export type RegistryKind = (typeof REGISTRY_KINDS)[KindV1]

export type RegistryDocument = {
  readonly kind: RegistryKind
  readonly name: string
  readonly metadata: Omit<ObjectV1['metadata'], 'name'>
  readonly spec: Readonly<Record<string, unknown>>
  readonly references: readonly {
    readonly kind: RegistryKind
    readonly name: string
    readonly path: string
  }[]
  readonly place: { readonly service?: string }
  readonly question?: string
  readonly isPartial?: boolean
}

type KeptObject = { readonly metadata: object; readonly spec: object }

export function buildOpenSloParser(
  options: { readonly isStrict?: boolean; readonly isProfile?: (name: string) => boolean } = {},
) {
  return {
    claims: (document: {
      readonly apiVersion?: unknown
      readonly kind?: unknown
      readonly version?: unknown
    }): boolean => isSlothDocument(document) || /^openslo(?:\.com)?\//.test(String(document.apiVersion)),
    looksAt: Object.values(REGISTRY_KINDS),
    parse(
      sources: readonly Source[],
      kept: (kind: RegistryKind, name: string) => KeptObject | undefined,
    ): { readonly objects: readonly RegistryDocument[]; readonly problems: readonly OpenSloProblem[] } {
      const resolver = resolverFor(kept)
      const bundle = defined(readSources(sources, { ...options, kept: resolver }), {
        ...options,
        kept: resolver,
      })
      return {
        objects: bundle.objects.map((object) =>
          documentOf(object, bundle.definitions.get(object.metadata.name)),
        ),
        problems: bundle.problems,
      }
    },
  }
}

/** An object of the registry as OpenSLO has it. */
export function objectOf(kind: KindV1, name: string, { metadata, spec }: KeptObject): ObjectV1 {
  return { apiVersion: VERSION_V1, kind, metadata: { ...metadata, name }, spec } as ObjectV1
}

function resolverFor(kept: (kind: RegistryKind, name: string) => KeptObject | undefined): Resolver {
  return ((kind: KindV1, name: string) => {
    const object = kept(REGISTRY_KINDS[kind], name)
    return object === undefined ? undefined : objectOf(kind, name, object)
  }) as Resolver
}

function documentOf(object: ObjectV1, definition: SloDefinition | undefined): RegistryDocument {
  const { kind, metadata, spec } = canonical(object)
  const { name, ...rest } = metadata
  return {
    kind: REGISTRY_KINDS[kind],
    name,
    metadata: rest,
    spec,
    references: referencesOf(object)
      .filter(({ severity }) => severity === 'error')
      .map((one) => ({ kind: REGISTRY_KINDS[one.kind], name: one.name, path: pathText(one.path) })),
    place: object.kind === 'SLO' ? { service: object.spec.service } : {},
    ...(object.kind === 'SLO' && definition !== undefined ? { question: fingerprint(definition) } : {}),
    // OpenSLO knows fewer members of a service than the registry has.
    ...(object.kind === 'Service' ? { isPartial: true } : {}),
  }
}

/** Changes when stored slices answer another question. */
export function fingerprint(definition: SloDefinition): string {
  return createHash('sha256')
    .update(JSON.stringify([questionOf(definition), stepMsOf(definition)]))
    .digest('hex')
}
