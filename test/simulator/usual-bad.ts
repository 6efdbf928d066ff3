// Errors and slow answers of every day: heavy-tailed, now and then in bursts.

import type { EffectOutcome, Origin } from './effects.ts'
import type { Random } from './random.ts'
import type { World } from './world.ts'

export type UsualBad = {
  readonly variant: number
  readonly outcome: EffectOutcome
  readonly origin: Origin
  readonly isAlsoSlow: boolean
  readonly isTrace: boolean
}

export class UsualBadDraws {
  readonly #world: World
  readonly #random: Random
  /** By entry: sums of the places' rates, and of their errors. */
  readonly #cumulated: readonly Float64Array[]
  readonly #cumulatedErrors: readonly Float64Array[]

  constructor(world: World, random: Random) {
    this.#world = world
    this.#random = random
    this.#cumulated = world.entries.map(({ rates }) => runningSums(rates))
    this.#cumulatedErrors = world.entries.map(({ rates, errorFactors }) =>
      runningSums(rates.map((rate, place) => rate * (errorFactors[place] ?? 1))),
    )
  }

  /** Requests of an entry on an average minute. */
  rateOf(entry: number): number {
    return this.#cumulated[entry]?.at(-1) ?? 0
  }

  /** Those of one minute of an entry, by place. */
  of(entry: number, requests: number): Map<number, UsualBad[]> {
    const world = this.#world
    const random = this.#random
    const { errors, latency } = world.file
    const found = new Map<number, UsualBad[]>()
    const { errorRatio = 0, variants = [] } = world.entries[entry] ?? {}
    const burst = random.chance(errors.burstRatio) ? errors.burstFactor * random.between(0.5, 2) : 1
    const failing = random.poisson(requests * errorRatio * burst * random.logNormal(1, errors.minuteSigma))
    const slow = random.poisson(requests * latency.slowRatio * random.logNormal(1, latency.minuteSigma))
    const shares = variants.map((number) => world.variants[number]?.share ?? 0)
    for (let index = 0; index < failing + slow; index += 1) {
      const isFailing = index < failing
      const cumulated = (isFailing ? this.#cumulatedErrors : this.#cumulated)[entry] ?? new Float64Array()
      const place = placeAt(cumulated, random.next() * (cumulated.at(-1) ?? 0))
      const variant = variants[random.weighted(shares)] ?? 0
      const { path = [0], errorWeights = [1] } = world.variants[variant] ?? {}
      const service = path[random.weighted(errorWeights)] ?? 0
      const { name = '', peers = [], signatures = [''] } = world.services[service] ?? {}
      const peer = peers.length > 0 && random.chance(0.4) ? random.pick(peers) : -1
      const list = found.get(place) ?? []
      found.set(place, list)
      list.push({
        variant,
        outcome: isFailing ? 'system' : 'slow',
        origin: { service, node: -1, signature: isFailing ? this.#signature(name, signatures) : '', peer },
        isAlsoSlow: false,
        isTrace: true,
      })
    }
    return found
  }

  #signature(service: string, signatures: readonly string[]): string {
    const random = this.#random
    return random.chance(0.02) ? `${service}:Rare${String(random.whole(40))}` : random.pick(signatures)
  }
}

function runningSums(values: Float64Array): Float64Array {
  let sum = 0
  return values.map((value) => (sum += value))
}

/** The first place whose running sum is above a draw. */
function placeAt(cumulated: Float64Array, draw: number): number {
  let low = 0
  let high = cumulated.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cumulated[middle] as number) > draw) high = middle
    else low = middle + 1
  }
  return low
}
