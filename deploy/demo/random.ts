// Seeded randomness: the same seed gives the same customers, the same arrivals and the same draws.

/** Uniform in [0, 1). */
export type Random = () => number

/** mulberry32: 32 bits of state, period 2³², plenty for a demo and exactly repeatable. */
export function buildRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A stable place in [0, 1) for a text: FNV-1a with a final mix, since FNV's high bits alone move too little. */
export function placeOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** Log-normal: `median` in the unit wanted, `sigma` of the underlying normal. */
export function logNormal(random: Random, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()))
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * random()))
}

/** Time to the next arrival of a Poisson stream, in the unit of 1 / rate. */
export const exponential = (random: Random, rate: number): number => -Math.log(1 - random()) / rate

/** @throws RangeError on an empty list */
export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('cannot pick from an empty list')
  return item
}
