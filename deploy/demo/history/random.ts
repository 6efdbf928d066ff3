// Randomness of the history, keyed by (seed, minute): any stretch of time can be made alone and comes out the same.
// Four words of state, because the 32 bits of ../random.ts would let minutes run into one another and repeat trace ids.

export interface Draws {
  /** 32 random bits, 0 to 2³² − 1. */
  next(): number
  /** Uniform in [0, 1). */
  fraction(): number
}

const WARM_UP = 12

/** sfc32 (C. Doty-Humphrey, PractRand), started from the seed and the minute. */
export function drawsOf(seed: number, minute: number): Draws {
  let a = seed | 0
  let b = minute | 0
  let c = 0x9e3779b9 ^ Math.imul(minute, 0x85ebca6b)
  let counter = 1
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let round = 0; round < WARM_UP; round += 1) next()
  return { next, fraction: () => next() / 2 ** 32 }
}

/** Log-normal around `median`, `sigma` of the underlying normal. */
export function logNormal(draws: Draws, median: number, sigma: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - draws.fraction()))
  return median * Math.exp(sigma * radius * Math.cos(2 * Math.PI * draws.fraction()))
}

// Beyond this mean a normal distribution is close enough, and e^-mean still is a number.
const KNUTH_MEAN_MAX = 500

/** How many arrivals of a Poisson stream. @param mean of them, 0 or more */
export function arrivals(draws: Draws, mean: number): number {
  if (mean > KNUTH_MEAN_MAX) {
    const radius = Math.sqrt(-2 * Math.log(1 - draws.fraction()))
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * radius * Math.cos(2 * Math.PI * draws.fraction())))
  }
  const limit = Math.exp(-mean)
  let count = -1
  for (let product = 1; product > limit; count += 1) product *= draws.fraction()
  return count
}

/** A number in [0, 1) that belongs to (seed, minute, place) and to nothing before it. */
export function noise(seed: number, minute: number, place: number): number {
  let hash = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(minute, 0xc2b2ae35)
  hash = Math.imul(hash ^ (hash >>> 15) ^ Math.imul(place + 1, 0x27d4eb2f), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32
}
