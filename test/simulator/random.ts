// Draws that are the same in every run: one small generator and the distributions that the simulator needs.

const WORD = 4_294_967_296
const SMALL_MEAN = 30

function mix(state: number, value: number): number {
  let hash = Math.imul(state ^ value, 0x9e3779b1)
  hash ^= hash >>> 15
  hash = Math.imul(hash, 0x85ebca6b)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** A number of 32 bits made of a text, for seeds. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** sfc32, seeded by any number of whole numbers. */
export class Random {
  #a: number
  #b: number
  #c: number
  #count = 1
  #spare: number | undefined

  constructor(...seeds: readonly number[]) {
    let state = 0x2545f491
    for (const seed of seeds) state = mix(mix(state, seed >>> 0), Math.floor(seed / WORD) >>> 0)
    this.#a = state
    this.#b = mix(state, 1)
    this.#c = mix(state, 2)
    for (let round = 0; round < 12; round += 1) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0
    this.#count = (this.#count + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / WORD
  }

  /** A whole number in [0, below). */
  whole(below: number): number {
    return Math.floor(this.next() * below)
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Its logarithm is uniform. */
  logBetween(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    const angle = 2 * Math.PI * this.next()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal())
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next())
  }

  /** Exact below a mean of 30; above it the normal approximation with its skewness corrected. */
  poisson(mean: number): number {
    if (mean <= 0) return 0
    if (mean >= SMALL_MEAN) {
      const normal = this.normal()
      return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal + (normal * normal - 1) / 6))
    }
    const draw = this.next()
    let term = Math.exp(-mean)
    let sum = term
    let count = 0
    while (draw > sum && count < 200) {
      count += 1
      term *= mean / count
      sum += term
    }
    return count
  }

  /** Successes among `count`. */
  binomial(count: number, probability: number): number {
    if (count <= 0 || probability <= 0) return 0
    if (probability >= 1) return count
    if (count <= 64) {
      let hits = 0
      for (let index = 0; index < count; index += 1) if (this.next() < probability) hits += 1
      return hits
    }
    if (probability > 0.5) return count - this.binomial(count, 1 - probability)
    const mean = count * probability
    if (mean < SMALL_MEAN) {
      // Inversion over the binomial's own terms.
      const odds = probability / (1 - probability)
      const draw = this.next()
      let term = Math.exp(count * Math.log1p(-probability))
      let sum = term
      let hits = 0
      while (draw > sum && hits < count) {
        hits += 1
        term *= (odds * (count - hits + 1)) / hits
        sum += term
      }
      return hits
    }
    const draw = Math.round(mean + Math.sqrt(mean * (1 - probability)) * this.normal())
    return Math.min(count, Math.max(0, draw))
  }

  pick<T>(from: readonly T[]): T {
    const item = from[this.whole(from.length)]
    if (item === undefined) throw new RangeError('pick: the list is empty')
    return item
  }

  /** Index by weight. */
  weighted(weights: ArrayLike<number>): number {
    let sum = 0
    for (let index = 0; index < weights.length; index += 1) sum += weights[index] ?? 0
    let rest = this.next() * sum
    for (let index = 0; index < weights.length; index += 1) {
      rest -= weights[index] ?? 0
      if (rest < 0) return index
    }
    return weights.length - 1
  }

  shuffled<T>(from: readonly T[]): T[] {
    const items = [...from]
    for (let index = items.length - 1; index > 0; index -= 1) {
      const other = this.whole(index + 1)
      const held = items[index] as T
      items[index] = items[other] as T
      items[other] = held
    }
    return items
  }
}
