// What a reconciliation looks at: steps, sightings by service, the beginnings of versions; and what every release asks of them.

import { createHash } from 'node:crypto'
import type { ChangeType, ReleaseStep } from '../../ingest/records/release-step.ts'
import type { StepGroup } from './group-steps.ts'
import { servedOf, type Served } from './release-life.ts'
import type { Release } from './release.ts'
import type { KnownNames } from './service-names.ts'
import type { Appearance } from './traffic-changes.ts'
import type { VersionSighting } from './version-sighting.ts'

export type ReconcileInput = {
  readonly steps: readonly ReleaseStep[]
  /** Of services, and of client applications (with an empty service) as far as steps name them. */
  readonly sightings: readonly VersionSighting[]
  readonly names: KnownNames
  /** The system that the registry says, by `service.name`. */
  readonly systems: ReadonlyMap<string, string>
  readonly nowMs: number
  /** Traffic is known from here on. */
  readonly knownFromMs: number
  /** A gray scope that is open for longer is told. */
  readonly grayOpenDays: number
}

export type View = ReconcileInput & {
  /** By service. */
  readonly sightingsOf: ReadonlyMap<string, readonly VersionSighting[]>
  readonly appearancesOf: ReadonlyMap<string, readonly Appearance[]>
  readonly skews: ReadonlyMap<string, number>
}

/** A release before it is set beside the others. */
export type Draft = { readonly release: Omit<Release, 'parameterChanges' | 'remarks'> } & {
  readonly group: StepGroup | undefined
  readonly beforeServedMs: number | undefined
}

/** Kinds of change that traffic shows by a version. */
export const VERSIONED: ReadonlySet<ChangeType> = new Set(['code', 'client'])
export const MINUTE_MS = 60_000

export const placeOf = (service: string, environment: string, { sightingsOf }: View) =>
  (sightingsOf.get(service) ?? []).filter((one) => one.environment === environment)

export function servedBy(
  { service, environment, version, versionFrom, atMs }: Appearance,
  view: View,
): Served {
  const nextReturn = (name: string, afterMs: number) =>
    view.appearancesOf
      .get(service)
      ?.find((one) => one.environment === environment && one.version === name && one.atMs > afterMs)?.atMs ??
    Infinity
  return servedOf(placeOf(service, environment, view), version, versionFrom, atMs, nextReturn)
}

export function beforeServed(
  { service, environment, versionFrom }: { service: string; environment: string; versionFrom: string },
  readyAtMs: number | undefined,
  view: View,
): number | undefined {
  if (readyAtMs === undefined || versionFrom === '' || service === '') return undefined
  const ends = placeOf(service, environment, view)
    .filter(({ version }) => version === versionFrom)
    .flatMap(({ stretches }) => stretches.map(({ toMs }) => toMs))
  const end = Math.max(...ends)
  return end > readyAtMs ? end : undefined
}

export const systemSeen = (service: string, { sightingsOf }: View) =>
  sightingsOf.get(service)?.find(({ system }) => system !== '')?.system ?? ''

export const idOf = (parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)

export const idOfAppearance = ({ service, environment, version, atMs }: Appearance) =>
  idOf(['seen', service, environment, version, Math.floor(atMs / MINUTE_MS)])
