// Who meets which version: by the stages that hold in a minute, each way that requests take is dealt out over the versions of its services.

import { overlap } from './effects.ts'
import { MINUTE_MS, stageAt, type SimRelease } from './rollouts.ts'
import type { VersionTable } from './version-table.ts'
import type { World } from './world.ts'

/** Requests that meet the same versions. */
export type Combination = {
  readonly share: number
  readonly versions: readonly number[]
  readonly touch: number
}
export type Plan = {
  readonly combinations: readonly Combination[]
  /** By place in the path: share by version. */
  readonly shares: readonly ReadonlyMap<number, number>[]
}

export type Routing = {
  /** By variant and class of places. */
  readonly plans: readonly (readonly Plan[])[]
  /** Class of each place: those that no stage tells apart share their plans. */
  readonly classOf: Int32Array
}

type Route = { readonly version: number; readonly mask: Uint8Array | undefined; readonly weight: number }

/** What a stream knows versions and touches by. */
export type Names = Pick<VersionTable, 'versionId' | 'touchOf'>

export function routingOf(
  world: World,
  releases: readonly SimRelease[],
  minute: number,
  names: Names,
): Routing {
  const routes = routesOf(world, releases, minute, names)
  const { classOf, firsts } = classesOf(world, routes)
  const base = world.services.map(({ index }) => names.versionId(index, '1.0.0'))
  const plans = world.variants.map((variant) =>
    firsts.map((place): Plan => {
      const shares = variant.path.map((service) => {
        const options = new Map<number, number>()
        let rest = 1
        for (const { version, mask, weight } of routes[service] ?? []) {
          if (mask !== undefined && mask[place] !== 1) continue
          if (rest * weight > 0) options.set(version, (options.get(version) ?? 0) + rest * weight)
          rest *= 1 - weight
        }
        if (rest > 1e-9) options.set(base[service] ?? 0, rest)
        return options
      })
      let combinations: { share: number; versions: number[] }[] = [{ share: 1, versions: [] }]
      for (const options of shares)
        combinations = combinations.flatMap(({ share, versions }) =>
          [...options].map(([version, part]) => ({
            share: share * part,
            versions: [...versions, version],
          })),
        )
      return {
        shares,
        combinations: combinations.map(({ share, versions }) => ({
          share,
          versions,
          touch: names.touchOf(variant, versions),
        })),
      }
    }),
  )
  return { plans, classOf }
}

/** By service, the newest first. */
function routesOf(world: World, releases: readonly SimRelease[], minute: number, names: Names): Route[][] {
  const routes = world.services.map((): Route[] => [])
  for (const release of releases) {
    const stage = stageAt(release, (minute + 1) * MINUTE_MS - 1)
    if (stage === undefined || !release.hasVersion) continue
    const before = stageAt(release, minute * MINUTE_MS - 1)
    const share = before === stage ? 1 : overlap(minute, stage.atMs, Infinity)
    const weight = stage.weight * share + (before === undefined ? 0 : before.weight * (1 - share))
    const mask = stage.weight > 0 ? stage.mask : before?.mask
    if (weight > 0)
      routes[release.service]?.unshift({
        version: names.versionId(release.service, release.versionTo),
        mask,
        weight,
      })
  }
  return routes
}

function classesOf(world: World, routes: readonly (readonly Route[])[]) {
  const keys = new Map<string, number>()
  const firsts: number[] = []
  const masks = [
    ...new Set(routes.flatMap((list) => list.flatMap(({ mask }) => (mask === undefined ? [] : [mask])))),
  ]
  const classOf = Int32Array.from(world.places, (_, place) => {
    const key = masks.map((mask) => String(mask[place])).join('')
    const known = keys.get(key)
    if (known !== undefined) return known
    keys.set(key, firsts.length)
    firsts.push(place)
    return firsts.length - 1
  })
  return { classOf, firsts }
}
