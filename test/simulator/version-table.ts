// The versions and touches of a stream by number: rows name them so.

import { seedOf } from './random.ts'
import type { SimRelease } from './rollouts.ts'
import type { Variant, World } from './world.ts'

export class VersionTable {
  /** Service and name by id. */
  readonly versions: { readonly service: number; readonly name: string }[] = []
  /** Code of each release, by touch. */
  readonly touches: Uint8Array[] = []
  readonly #world: World
  readonly #releases: readonly SimRelease[]
  readonly #idOf = new Map<string, number>()
  readonly #touchOf = new Map<string, number>()
  /** The same by variant and versions: plans are made again at every stage, and mostly the same. */
  readonly #touchOfWay = new Map<string, number>()

  constructor(world: World, releases: readonly SimRelease[]) {
    this.#world = world
    this.#releases = releases
  }

  versionId(service: number, name: string): number {
    const key = `${String(service)}|${name}`
    const known = this.#idOf.get(key)
    if (known !== undefined) return known
    const id = this.versions.length
    this.versions.push({ service, name })
    this.#idOf.set(key, id)
    return id
  }

  touchOf(variant: Variant, versions: readonly number[]): number {
    const way = `${String(variant.index)}|${versions.join()}`
    const known = this.#touchOfWay.get(way) ?? this.#makeTouch(variant, versions)
    this.#touchOfWay.set(way, known)
    return known
  }

  /** Nodes that a version's instances of a site are on: a canary has few. */
  nodesOf(version: number, site: number, share: number): readonly number[] {
    const { service, name } = this.versions[version] ?? { service: 0, name: '' }
    const nodes = this.#world.services[service]?.nodes[site] ?? []
    const count = Math.max(1, Math.ceil(nodes.length * Math.min(1, share)))
    if (count >= nodes.length) return nodes
    const first = seedOf(name) % Math.max(1, nodes.length)
    return Array.from({ length: count }, (_, index) => nodes[(first + index) % nodes.length] ?? 0)
  }

  #makeTouch(variant: Variant, versions: readonly number[]): number {
    const codes = Uint8Array.from(this.#releases, (release) => {
      const at = variant.placeOf[release.service] ?? -1
      if (at < 0) return 0
      // What traces do not carry they cannot tell apart.
      if (!release.hasVersion) return 1
      return this.versions[versions[at] ?? 0]?.name === release.versionTo ? 2 : 1
    })
    const key = codes.join('')
    const known = this.#touchOf.get(key)
    if (known !== undefined) return known
    const id = this.touches.length
    this.touches.push(codes)
    this.#touchOf.set(key, id)
    return id
  }
}
