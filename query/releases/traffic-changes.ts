// What traffic itself says of releases: a version that begins to serve beside or after another. Pure.

import type { Stretch, VersionSighting } from './version-sighting.ts'

/** A version begins to serve. */
export type Appearance = {
  readonly service: string
  readonly environment: string
  readonly system: string
  readonly version: string
  /** Most served of the others at that time; empty when there is none. */
  readonly versionFrom: string
  readonly atMs: number
  /** It has served before, and something else in between. */
  readonly isReturn: boolean
  /** First sight of the service: nothing to be released after. */
  readonly isFirstOfService: boolean
}

/** A pause that chance would not make: so many requests would have been expected in it. */
const EXPECTED_MIN = 20
/** The versions that a service has at its first sight come one after the other. */
const FIRST_SIGHT_MS = 5 * 60_000

/** @param knownFromMs  what served then already is no news */
export function findAppearances(
  sightings: readonly VersionSighting[],
  knownFromMs: number,
  slackMs: number,
): readonly Appearance[] {
  const places = Map.groupBy(
    sightings.filter(({ service }) => service !== ''),
    ({ service, environment }) => JSON.stringify([service, environment]),
  )
  const found = [...places.values()].flatMap((versions) => {
    const serving = versions.map((one) => ({ ...one, stretches: bridged(one.stretches) }))
    const firstMs = Math.min(...serving.map((one) => one.stretches[0]?.fromMs ?? Infinity))
    return serving
      .filter(({ version }) => version !== '')
      .flatMap((one) =>
        one.stretches.flatMap((stretch, at): Appearance[] => {
          const { service, environment, system, version } = one
          const others = serving.filter((other) => other.version !== version)
          const before = one.stretches[at - 1]
          if (stretch.fromMs <= knownFromMs + slackMs) return []
          if (before !== undefined && !isServedBetween(others, before.toMs, stretch.fromMs)) return []
          const versionFrom = servedAt(others, stretch.fromMs)
          const isFirstOfService = stretch.fromMs <= firstMs + FIRST_SIGHT_MS
          return [
            {
              service,
              environment,
              system,
              version,
              versionFrom,
              atMs: stretch.fromMs,
              isReturn: at > 0,
              isFirstOfService,
            },
          ]
        }),
      )
  })
  return found.toSorted(
    (a, b) =>
      a.atMs - b.atMs ||
      compare(a.service, b.service) ||
      compare(a.environment, b.environment) ||
      compare(a.version, b.version),
  )
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Leaves out pauses of a version that has so few requests that they mean nothing: a gray scope at night. */
export function bridged(stretches: readonly Stretch[]): readonly Stretch[] {
  const joined: Stretch[] = []
  for (const stretch of stretches.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1)
    if (last !== undefined && !isPause(last, stretch))
      joined[joined.length - 1] = {
        fromMs: last.fromMs,
        toMs: Math.max(last.toMs, stretch.toMs),
        requests: last.requests + stretch.requests,
      }
    else joined.push(stretch)
  }
  return joined
}

function isPause(before: Stretch, after: Stretch): boolean {
  const rate = before.requests / Math.max(60_000, before.toMs - before.fromMs)
  return (after.fromMs - before.toMs) * rate >= EXPECTED_MIN
}

function isServedBetween(others: readonly VersionSighting[], fromMs: number, toMs: number): boolean {
  return others.some(({ stretches }) => stretches.some((one) => one.fromMs < toMs && one.toMs > fromMs))
}

/** The version with most requests in the stretch that covers an instant, else the last that ended before it. */
export function servedAt(others: readonly VersionSighting[], atMs: number): string {
  const before = others.flatMap(({ version, stretches }) =>
    stretches.filter(({ fromMs }) => fromMs < atMs).map((stretch) => ({ version, stretch })),
  )
  const covering = before.filter(({ stretch }) => stretch.toMs >= atMs)
  const [most] = covering.toSorted(
    (a, b) => b.stretch.requests - a.stretch.requests || compare(a.version, b.version),
  )
  const [last] = before.toSorted((a, b) => b.stretch.toMs - a.stretch.toMs || compare(a.version, b.version))
  return (most ?? last)?.version ?? ''
}
