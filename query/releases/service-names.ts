// What telemetry calls a service that a tool told: by the same name, by a name of the registry, or by one that is nearly the same
// and serves the very version that was told.

import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { isSameVersion } from './version-match.ts'
import type { VersionSighting } from './version-sighting.ts'

/** Names by which the registry knows one service, by each of them. */
export type KnownNames = ReadonlyMap<string, readonly string[]>

// What tools add to a name and telemetry leaves out, or the other way round.
const FILLERS = new Set([
  'service',
  'svc',
  'srv',
  'server',
  'app',
  'application',
  'deploy',
  'deployment',
  'rollout',
])
FILLERS.add('prod').add('production')

/**
 * @param steps  all of them: what one of them shows a name to mean it means in the others, too
 * @returns `service.name` for a told name and version; the told name when nothing fits
 */
export function buildServiceNames(
  sightings: readonly VersionSighting[],
  known: KnownNames,
  steps: readonly Pick<ReleaseStep, 'service' | 'versionTo'>[],
): (step: Pick<ReleaseStep, 'service' | 'versionTo'>) => string {
  const versions = Map.groupBy(
    sightings.filter(({ service }) => service !== ''),
    ({ service }) => service,
  )
  const byTokens = Map.groupBy([...versions.keys()].toSorted(), (name) => tokensOf(name).toSorted().join(' '))
  const serves = (service: string, version: string) =>
    (versions.get(service) ?? []).some((seen) => isSameVersion(version, seen.version))
  const found = new Map<string, string>()

  function search(told: string, version: string): string {
    if (told === '' || versions.has(told)) return told
    const registered = (known.get(told) ?? []).filter((name) => versions.has(name))
    const [only] = registered
    if (only !== undefined) return registered.find((name) => serves(name, version)) ?? only
    if (version === '') return told
    const sameWords = byTokens.get(tokensOf(told).toSorted().join(' ')) ?? []
    const exact = sameWords.filter((name) => serves(name, version))
    if (exact.length > 0) return exact.length === 1 ? (exact[0] ?? told) : told
    const near = [...versions.keys()]
      .map((name) => ({ name, distance: distanceOf(told, name) }))
      .filter(({ name, distance }) => distance <= allowed(told, name) && serves(name, version))
      .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    const [best, second] = near
    // Two that are equally near cannot be told apart.
    return best === undefined || best.distance === second?.distance ? told : best.name
  }

  function nameOf({ service, versionTo }: Pick<ReleaseStep, 'service' | 'versionTo'>): string {
    const key = JSON.stringify([service, versionTo])
    const name = found.get(key) ?? search(service, versionTo)
    found.set(key, name)
    return name
  }

  // Before its version serves, and in steps without one, a name is what it was before.
  const meanings = new Map<string, Set<string>>()
  for (const step of steps) {
    const name = nameOf(step)
    if (name !== step.service) meanings.set(step.service, (meanings.get(step.service) ?? new Set()).add(name))
  }
  return (step) => {
    const name = nameOf(step)
    const [meaning, ...others] = meanings.get(step.service) ?? []
    return name === step.service && meaning !== undefined && others.length === 0 ? meaning : name
  }
}

/** Words of a name: `corePayment-svc` has core and payment. */
function tokensOf(name: string): string[] {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
  const telling = words.filter((word) => !FILLERS.has(word))
  return telling.length === 0 ? words : telling
}

// Short names that differ by a letter are other services more often than slips.
const allowed = (a: string, b: string) => Math.floor(Math.min(a.length, b.length, 24) / 6)

/** Letters to put in, take out or replace; transposed ones count twice. */
export function distanceOf(a: string, b: string): number {
  const left = a.toLowerCase()
  const right = b.toLowerCase()
  if (Math.abs(left.length - right.length) > 4) return Infinity
  let row = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1)
      next.push(
        Math.min(
          (row[j] ?? 0) + 1,
          (next[j - 1] ?? 0) + 1,
          (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1),
        ),
      )
    row = next
  }
  return row[right.length] ?? Infinity
}
