// What the registry says of systems and services, looked up by the names that telemetry uses. Kept until a definition changes.

import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { RegistryObject } from '../registry/object.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServiceSpec, SystemSpec } from '../registry/kinds/systems.ts'

export type KnownSystem = Omit<RegistryObject, 'spec'> & { readonly spec: SystemSpec }
export type KnownService = Omit<RegistryObject, 'spec'> & { readonly spec: ServiceSpec }

export type Landscape = {
  readonly systems: ReadonlyMap<string, KnownSystem>
  /** By the names that they call themselves, and their own. */
  readonly services: ReadonlyMap<string, KnownService>
  /** By system. */
  readonly servicesOf: ReadonlyMap<string, readonly KnownService[]>
}

/** @returns the landscape as it is now */
export function buildLandscape(registry: Pick<Registry, 'all' | 'changeNumber'>): () => Promise<Landscape> {
  let kept: { readonly number: number; readonly landscape: Landscape } | undefined
  return async () => {
    // Read before the definitions: a change in between is read again the next time.
    const number = await registry.changeNumber()
    if (kept?.number === number) return kept.landscape
    const landscape = landscapeOf(await registry.all(['system', 'service']))
    kept = { number, landscape }
    return landscape
  }
}

function landscapeOf(objects: readonly RegistryObject[]): Landscape {
  const systems = objects.filter(({ kind }) => kind === 'system') as unknown as KnownSystem[]
  const services = objects.filter(({ kind }) => kind === 'service') as unknown as KnownService[]
  return {
    systems: new Map(systems.map((system) => [system.name, system])),
    services: new Map(
      services.flatMap((service) => telemetryNames(service).map((name) => [name, service] as const)),
    ),
    servicesOf: Map.groupBy(
      services.filter(({ system }) => system !== undefined),
      ({ system }) => system ?? '',
    ),
  }
}

/** What a service may call itself in telemetry. */
export const telemetryNames = ({ name, spec }: KnownService): readonly string[] => [
  ...new Set([name, ...spec.telemetryNames]),
]

/**
 * The system of a service: what is defined goes before what telemetry says.
 * @param said  bank.system of its telemetry; empty: none
 * @returns undefined: none
 */
export function systemOf(landscape: Landscape, service: string, said: string): string | undefined {
  return landscape.services.get(service)?.system ?? (said === '' ? undefined : said)
}

/** A scope for questions of the store, which knows services by the names and systems that they send. */
export function entryScope(
  landscape: Landscape,
  reads: ReadScope,
):
  | {
      readonly systems: readonly string[]
      readonly own: readonly string[]
      readonly others: readonly string[]
    }
  | undefined {
  if (reads === 'everything') return undefined
  const placed = [...landscape.services].filter(([, { system }]) => system !== undefined)
  const [own, others] = [true, false].map((isOwn) =>
    placed.filter(([, { system }]) => mayRead(reads, system) === isOwn).map(([name]) => name),
  )
  return { systems: [...reads.systems].toSorted(), own: own ?? [], others: others ?? [] }
}

/** The team that owns what a service does, through its system if need be. */
export function ownerOf(landscape: Landscape, service: string, said: string): string | undefined {
  const known = landscape.services.get(service)
  if (known?.owner !== undefined) return known.owner
  const system = systemOf(landscape, service, said)
  return system === undefined ? undefined : landscape.systems.get(system)?.owner
}
