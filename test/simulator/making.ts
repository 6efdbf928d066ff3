// What the classes of incidents are made with: a way that requests take, and what is said of an incident of releases, or of nobody.

import type { Effect } from './effects.ts'
import type { Random } from './random.ts'
import type { SimRelease } from './rollouts.ts'
import type { Scenario } from './scenario.ts'
import type { World } from './world.ts'

/** An incident without what surrounds it. */
export type Made = Omit<Scenario, 'name' | 'seed' | 'truth' | 'releases'> & {
  readonly culprits: readonly SimRelease[]
  /** Services near which innocents may be. */
  readonly path: readonly number[]
}

export type Maker = (world: World, random: Random, onsetMs: number) => Made

const NOTHING = { culprits: [], traffic: [], rejects: [], events: [] }

/** Releases did it. */
export const byReleases = (
  path: readonly number[],
  culprits: readonly SimRelease[],
  effect: Effect,
): Made => ({
  ...NOTHING,
  culprits,
  path,
  effects: [effect],
})

/** No release did it. */
export const byNobody = (made: Pick<Made, 'path' | 'effects'> & Partial<Made>): Made => ({
  ...NOTHING,
  ...made,
})

/** What goes on until somebody mends it. */
export const unending = (
  effect: Omit<Effect, 'endMs' | 'rampMinutes' | 'needs'> & Partial<Effect>,
): Effect => ({
  endMs: Infinity,
  rampMinutes: 0,
  needs: [],
  ...effect,
})

/** A variant by its traffic, and a place in its path. */
export function pathOf(world: World, random: Random) {
  const variant =
    world.variants[
      random.weighted(
        world.variants.map(({ entry, share }) => share * Math.sqrt(world.file.entries[entry]?.share ?? 0)),
      )
    ]
  if (variant === undefined) throw new RangeError('The world has no entries.')
  const at = random.whole(variant.path.length)
  return { variant, at, service: variant.path[at] ?? 0 }
}
