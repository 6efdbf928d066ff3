// Systems and services as wholes: what is defined of them, and what telemetry shows.

import type { ServiceItem } from '../http/schemas.ts'
import type { ServiceProfile, SystemItem, SystemProfile, Version } from '../http/profile-schemas.ts'
import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { Registry } from '../registry/registry.ts'
import { observedCalls } from '../reports/dependencies.ts'
import { seenVersions } from '../reports/service-seen.ts'
import type { Store } from '../../ingest/store/store.ts'
import { iso } from '../time-range.ts'
import { definedOf } from './defined.ts'
import { ownerOf, systemOf, telemetryNames, type KnownService, type Landscape } from './landscape.ts'
import { figuresOf, readable, type Seen } from './live.ts'
import { observed, observedSystems, type Observing } from './observed.ts'
import { sloNames } from './slo-names.ts'

export type ProfileParts = {
  readonly store: Pick<Store, 'ask'>
  readonly registry: Pick<Registry, 'list'>
  readonly landscape: Landscape
  readonly seen: Seen
  readonly reads: ReadScope
  readonly traffic: string
  readonly nowMs: number
}

/** @returns registered ones and those that telemetry shows, in order of name, byte by byte */
export function systemItems({
  landscape,
  seen,
  reads,
}: Pick<ProfileParts, 'landscape' | 'seen' | 'reads'>): SystemItem[] {
  const shown = Map.groupBy(readable(seen, landscape, reads), ({ system }) => system)
  const registered = [...landscape.systems.keys()].filter((name) => mayRead(reads, name))
  const names = new Set([...registered, ...[...shown.keys()].filter((name) => name !== undefined)])
  return [...names].toSorted(byBytes).map((name) => {
    const items = (shown.get(name) ?? []).map(({ item }) => item)
    const defined = landscape.systems.get(name)
    return {
      name,
      isRegistered: defined !== undefined,
      ...definedOf(defined),
      services: servicesIn(items, landscape.servicesOf.get(name) ?? []).length,
      ...figuresOf(items, seen),
    }
  })
}

/** @returns undefined when there is none, or the caller may not read it */
export async function systemProfile(parts: ProfileParts, name: string): Promise<SystemProfile | undefined> {
  const { landscape, seen, reads } = parts
  if (!mayRead(reads, name)) return undefined
  const defined = landscape.systems.get(name)
  const items = readable(seen, landscape, reads).flatMap(({ item, system }) =>
    system === name ? [item] : [],
  )
  if (defined === undefined && items.length === 0) return undefined
  const registered = landscape.servicesOf.get(name) ?? []
  const services = servicesIn(items, registered)
  const own = new Set([...items.map(({ service }) => service), ...registered.flatMap(telemetryNames)])
  return {
    name,
    isRegistered: defined !== undefined,
    ...definedOf(defined),
    ...figuresOf(items, seen),
    from: iso(seen.fromMs),
    to: iso(seen.toMs),
    description: defined?.spec.description ?? null,
    services: services.map((service) => {
      const ofService = items.filter((item) => item.service === service)
      return {
        service,
        isRegistered: landscape.services.has(service),
        team: ownerOf(landscape, service, name) ?? null,
        ...figuresOf(ofService, seen),
      }
    }),
    ...(await observations(parts, own, name, items, true)),
    slos: await sloNames(parts.registry, name),
  }
}

/**
 * @param name  service.name, or the name in the registry
 * @returns undefined when nobody knows it, or the caller may not read it
 */
export async function serviceProfile(parts: ProfileParts, name: string): Promise<ServiceProfile | undefined> {
  const { landscape, seen, reads, store, traffic, nowMs } = parts
  const known = landscape.services.get(name)
  const own = new Set(known === undefined ? [name] : [name, ...telemetryNames(known)])
  const shown = readable(seen, landscape, reads).filter(({ item }) => own.has(item.service))
  // One that is silent in the range may have been there before.
  const before =
    known === undefined && shown.length === 0
      ? (await seenVersions(store, [name], traffic, nowMs)).filter(({ system }) =>
          mayRead(reads, system === '' ? undefined : system),
        )
      : []
  if (known === undefined ? shown.length === 0 && before.length === 0 : !mayRead(reads, known.system))
    return undefined
  const said = before[0]?.system === '' ? undefined : before[0]?.system
  const system = known === undefined ? (shown[0]?.system ?? said) : (known.system ?? shown[0]?.system)
  const defined = system === undefined ? undefined : landscape.systems.get(system)
  const items = shown.map(({ item }) => item)
  return {
    service: name,
    from: iso(seen.fromMs),
    to: iso(seen.toMs),
    isRegistered: known !== undefined,
    registeredAs: known?.name ?? null,
    system: system ?? null,
    isSystemRegistered: defined !== undefined,
    ...definedOf(defined),
    displayName: known?.metadata.displayName ?? null,
    description: known?.spec.description ?? null,
    team: ownerOf(landscape, name, system ?? '') ?? null,
    ...figuresOf(items, seen),
    ...(await observations(parts, own, system, items, false)),
    slos: known === undefined ? [] : await sloNames(parts.registry, known.system, known.name),
  }
}

async function observations(
  { store, landscape, seen, reads, traffic, nowMs }: ProfileParts,
  own: ReadonlySet<string>,
  system: string | undefined,
  items: readonly ServiceItem[],
  isBySystem: boolean,
): Promise<Pick<SystemProfile, 'versions' | 'dependsOn' | 'calls' | 'callers'>> {
  const [versions, calls] = await Promise.all([
    seenVersions(store, [...own], traffic, nowMs),
    observedCalls(store, [...own], seen, traffic),
  ])
  const saidBy = new Map(seen.items.map((item) => [item.service, item.system]))
  const observing: Observing = {
    own,
    system,
    systemOf: (service) => systemOf(landscape, service, saidBy.get(service) ?? ''),
    dependsOn: (name) => landscape.systems.get(name)?.spec.dependsOn.map((one) => one.system),
    isBySystem,
    reads,
    seconds: (seen.toMs - seen.fromMs) / 1000,
  }
  const declared = system === undefined ? [] : (landscape.systems.get(system)?.spec.dependsOn ?? [])
  const called = observedSystems(calls, observing)
  return {
    versions: versions
      .filter((seenOne) => mayRead(reads, systemOf(landscape, seenOne.service, seenOne.system)))
      .filter((seenOne) => !isBySystem || systemOf(landscape, seenOne.service, seenOne.system) === system)
      .map(({ service, version, sinceMs, lastMs }) => ({
        service,
        version,
        since: iso(sinceMs),
        last: iso(lastMs),
        live: liveOf(items.find((item) => item.service === service && item.version === version)),
      })),
    dependsOn: declared.map((one) => ({ ...one, isObserved: called.has(one.system) })),
    ...observed(calls, observing),
  }
}

function liveOf(item: ServiceItem | undefined): Version['live'] {
  if (item === undefined) return null
  const { requests, ratePerSecond, errorRatio, p50Ms, p95Ms, p99Ms } = item
  return { requests, ratePerSecond, errorRatio, p50Ms, p95Ms, p99Ms }
}

/** By the names that telemetry uses; those that it does not show by their own. */
function servicesIn(items: readonly ServiceItem[], registered: readonly KnownService[]): string[] {
  const shown = new Set(items.map(({ service }) => service))
  const silent = registered.filter((service) => !telemetryNames(service).some((name) => shown.has(name)))
  return [...shown, ...silent.map(({ name }) => name)].toSorted(byBytes)
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
