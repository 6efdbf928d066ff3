// What a day of traffic could tell of a release: whether an incident of a tiny cohort can be proved at all (truth).

import type { Effect } from './effects.ts'
import type { Made } from './making.ts'
import type { SimRelease } from './rollouts.ts'
import type { World } from './world.ts'

/** z of the contrast that a day of traffic is expected to give: ln odds ÷ its standard error. */
export function expectedZ(world: World, { culprits: [culprit], effects: [effect] }: Made): number {
  const mask = culprit?.stages[0]?.mask
  if (culprit === undefined || effect === undefined || mask === undefined) return Infinity
  let requests = 0
  for (const { entry, share, placeOf } of world.variants) {
    if ((placeOf[culprit.service] ?? -1) < 0) continue
    world.entries[entry]?.rates.forEach((rate, place) => {
      if (mask[place] === 1) requests += rate * share * 1440
    })
  }
  const usual = 0.002
  const bad = requests * hitShare(culprit, effect)
  const odds = Math.log(((bad + 0.5) * (1 - usual)) / ((requests - bad + 0.5) * usual))
  return odds / Math.sqrt(1 / (bad + 0.5) + 1 / (requests - bad + 0.5))
}

const hitShare = ({ service, versionTo }: SimRelease, effect: Effect): number => {
  const placeOf = new Int32Array(service + 1).fill(-1)
  placeOf[service] = 0
  return effect.strength({
    variant: {
      index: 0,
      entry: 0,
      share: 1,
      path: [service],
      parents: [-1],
      placeOf,
      errorWeights: new Float64Array(1),
      retries: new Float64Array(1),
    },
    releaseOf: () => undefined,
    atMs: effect.startMs,
    versions: [0],
    place: 0,
    versionOf: () => versionTo,
    nodeShare: () => 0,
  })
}
