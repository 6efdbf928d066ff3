// A world's traffic, minute by minute: counts are drawn, requests that fail or are slow are drawn one by one with the place where
// they went wrong. Thinned Poisson draws: what takes one way out of many is a Poisson count of its own, and what rarely happens is
// drawn for all and then dealt out, so a minute costs some thousand draws however much traffic it stands for.

import { GrowingRows } from './columns.ts'
import {
  overlap,
  strengthIn,
  type Circumstances,
  type Effect,
  type EffectOutcome,
  type Origin,
  type RejectChange,
  type TrafficChange,
} from './effects.ts'
import { Random, seedOf } from './random.ts'
import { MINUTE_MS, stageAt, type SimRelease } from './rollouts.ts'
import { trafficFactor, type Variant, type World } from './world.ts'

/** A request that went wrong or was slow. */
export type BadRequest = {
  readonly minute: number
  readonly entry: number
  readonly cell: number
  readonly variant: number
  readonly touch: number
  readonly outcome: EffectOutcome
  /** Slow and failed in the end. */
  readonly isAlsoSlow: boolean
  /** False: a first try that failed and was answered by the second. */
  readonly isTrace: boolean
  /** By an effect, and not one of every day's (truth). */
  readonly isOfEffect: boolean
  readonly service: number
  /** Id of the version table. */
  readonly version: number
  readonly node: number
  readonly peer: number
  readonly signature: string
}

export type StreamOptions = {
  readonly world: World
  readonly seed: readonly number[]
  readonly fromMinute: number
  readonly releases: readonly SimRelease[]
  readonly effects: readonly Effect[]
  readonly traffic?: readonly TrafficChange[]
  readonly rejects?: readonly RejectChange[]
  /** Told of every group of requests that is drawn, for those who make spans of them. */
  readonly onGroup?: (group: RequestGroup) => void
  /** Share of the requests that is sampled; they stand for all. Default 1. */
  readonly sampledRatio?: number
}

/** Requests of one minute and place that took one way: `count` with those from `badFrom` to `badTo` of the stream's bad ones. */
export type RequestGroup = {
  readonly minute: number
  readonly variant: number
  readonly place: number
  readonly versions: readonly number[]
  readonly count: number
  readonly rejects: number
  readonly badFrom: number
  readonly badTo: number
}

type Combination = { readonly share: number; readonly versions: readonly number[]; readonly touch: number }
type Plan = {
  readonly combinations: readonly Combination[]
  /** By place in the path: share by version. */
  readonly shares: readonly ReadonlyMap<number, number>[]
}

const COUNTS = 6
const OUTCOME_COLUMN: Readonly<Record<EffectOutcome, number>> = { system: 1, business: 2, shed: 3, slow: 5 }

export class Stream {
  readonly world: World
  readonly rows = new GrowingRows()
  readonly bad: BadRequest[] = []
  /** Version table: service and name by id. */
  readonly versions: { readonly service: number; readonly name: string }[] = []
  /** Touches: code of each release by id. */
  readonly touches: Uint8Array[] = []
  readonly fromMinute: number
  /** The next one to be drawn. */
  minute: number
  readonly #options: StreamOptions
  readonly #random: Random
  readonly #versionOf = new Map<string, number>()
  readonly #touchOf = new Map<string, number>()
  /** The same by variant and versions: plans are made again at every stage, and mostly the same. */
  readonly #touchOfWay = new Map<string, number>()
  readonly #rowStarts: number[] = [0]
  readonly #badStarts: number[] = [0]
  /** By minute: requests of a version at a site, at `version × sites + site`. */
  readonly #calls: Float64Array[] = []
  /** By minute and entry: requests. */
  readonly #entryRequests: Float64Array[] = []
  readonly #changes: Set<number>
  #plans: Plan[][] = []
  #classOf = new Int32Array()
  #open = new Map<number, number>()
  #cumulated: Float64Array[]
  /** The same with the places' shares of errors. */
  #cumulatedErrors: Float64Array[]
  readonly #shares = new Map<number, number>()
  readonly #releaseOf: (key: string) => SimRelease | undefined

  constructor(options: StreamOptions) {
    this.world = options.world
    this.#options = options
    this.#random = new Random(...options.seed)
    const byKey = new Map(options.releases.map((release) => [release.key, release]))
    this.#releaseOf = (key) => byKey.get(key)
    this.fromMinute = options.fromMinute
    this.minute = options.fromMinute
    this.#changes = new Set([options.fromMinute])
    const change = (atMs: number): void => {
      const minute = Math.floor(atMs / MINUTE_MS)
      this.#changes.add(minute)
      this.#changes.add(minute + 1)
    }
    for (const release of options.releases) for (const { atMs } of release.stages) change(atMs)
    this.#cumulated = this.world.entries.map(({ rates }) => {
      let sum = 0
      return Float64Array.from(rates, (rate) => (sum += rate))
    })
    this.#cumulatedErrors = this.world.entries.map(({ rates, errorFactors }) => {
      let sum = 0
      return Float64Array.from(rates, (rate, place) => (sum += rate * (errorFactors[place] ?? 1)))
    })
  }

  get releases(): readonly SimRelease[] {
    return this.#options.releases
  }

  get sampledRatio(): number {
    return this.#options.sampledRatio ?? 1
  }

  /** Draws every minute before this one. */
  drawUntil(minute: number): void {
    while (this.minute < minute) this.#drawMinute()
  }

  rowsOf(fromMinute: number, toMinute: number): readonly [number, number] {
    return [this.#bound(this.#rowStarts, fromMinute), this.#bound(this.#rowStarts, toMinute)]
  }

  badOf(fromMinute: number, toMinute: number): readonly BadRequest[] {
    return this.bad.slice(this.#bound(this.#badStarts, fromMinute), this.#bound(this.#badStarts, toMinute))
  }

  /** Requests by version and site of a minute, see `#calls`. */
  callsOf(minute: number): Float64Array {
    return this.#calls[minute - this.fromMinute] ?? new Float64Array()
  }

  entryRequestsOf(minute: number): Float64Array {
    return this.#entryRequests[minute - this.fromMinute] ?? new Float64Array()
  }

  versionId(service: number, name: string): number {
    const key = `${String(service)}|${name}`
    const known = this.#versionOf.get(key)
    if (known !== undefined) return known
    const id = this.versions.length
    this.versions.push({ service, name })
    this.#versionOf.set(key, id)
    return id
  }

  /** Nodes that a version's instances of a site are on: a canary has few. */
  nodesOf(version: number, site: number, share: number): readonly number[] {
    const { service, name } = this.versions[version] ?? { service: 0, name: '' }
    const nodes = this.world.services[service]?.nodes[site] ?? []
    const count = Math.max(1, Math.ceil(nodes.length * Math.min(1, share)))
    if (count >= nodes.length) return nodes
    const first = seedOf(name) % Math.max(1, nodes.length)
    return Array.from({ length: count }, (_, index) => nodes[(first + index) % nodes.length] ?? 0)
  }

  #shareOf(version: number): number {
    const known = this.#shares.get(version)
    if (known !== undefined) return known
    const share = this.shareBefore(version, this.minute)
    this.#shares.set(version, share)
    return share
  }

  /** Share of a service's requests on a version in the minute before: as many of its instances run it. */
  shareBefore(version: number, minute: number): number {
    const calls = this.#calls[minute - 1 - this.fromMinute]
    const service = this.versions[version]?.service
    if (calls === undefined) return 1
    let own = 0
    let all = 0
    const sites = this.world.sites.length
    for (let id = 0; id * sites < calls.length; id += 1) {
      if (this.versions[id]?.service !== service) continue
      for (let site = 0; site < sites; site += 1) {
        const count = calls[id * sites + site] ?? 0
        all += count
        if (id === version) own += count
      }
    }
    return all === 0 ? 1 : own / all
  }

  #bound(starts: readonly number[], minute: number): number {
    const index = Math.min(Math.max(0, minute - this.fromMinute), starts.length - 1)
    return starts[index] ?? 0
  }

  /** Who gets what in this minute; made again when a stage begins. */
  #plan(): void {
    const { world } = this
    const { releases } = this.#options
    const { minute } = this
    const routes = world.services.map(
      () => [] as { version: number; mask: Uint8Array | undefined; weight: number }[],
    )
    for (const release of releases) {
      const stage = stageAt(release, (minute + 1) * MINUTE_MS - 1)
      if (stage === undefined || !release.hasVersion) continue
      const before = stageAt(release, minute * MINUTE_MS - 1)
      const share = before === stage ? 1 : overlap(minute, stage.atMs, Infinity)
      const weight = stage.weight * share + (before === undefined ? 0 : before.weight * (1 - share))
      const mask = stage.weight > 0 ? stage.mask : before?.mask
      if (weight > 0)
        routes[release.service]?.unshift({
          version: this.versionId(release.service, release.versionTo),
          mask,
          weight,
        })
    }
    // Places that no stage tells apart share their plans.
    const keys = new Map<string, number>()
    const firsts: number[] = []
    const masks = [
      ...new Set(routes.flatMap((list) => list.flatMap(({ mask }) => (mask === undefined ? [] : [mask])))),
    ]
    this.#classOf = Int32Array.from(world.places, (_, place) => {
      const key = masks.map((mask) => String(mask[place])).join('')
      const known = keys.get(key)
      if (known !== undefined) return known
      keys.set(key, firsts.length)
      firsts.push(place)
      return firsts.length - 1
    })
    const base = world.services.map(({ index }) => this.versionId(index, '1.0.0'))
    this.#plans = world.variants.map((variant) =>
      firsts.map((place) => {
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
            touch: this.#touch(variant, versions),
          })),
        }
      }),
    )
  }

  #touch(variant: Variant, versions: readonly number[]): number {
    const way = `${String(variant.index)}|${versions.join()}`
    const known = this.#touchOfWay.get(way) ?? this.#makeTouch(variant, versions)
    this.#touchOfWay.set(way, known)
    return known
  }

  #makeTouch(variant: Variant, versions: readonly number[]): number {
    const codes = Uint8Array.from(this.#options.releases, (release) => {
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

  #drawMinute(): void {
    const { world, minute } = this
    const random = this.#random
    const { file } = world
    const sampled = this.sampledRatio
    const stands = 1 / sampled
    if (this.#changes.has(minute)) this.#plan()
    this.#shares.clear()
    const sites = world.sites.length
    const calls = new Float64Array(this.versions.length * sites)
    const entryRequests = new Float64Array(world.entries.length)
    const factor = trafficFactor(world, minute * MINUTE_MS)
    const effects = this.#options.effects.flatMap((effect) => {
      const strength = strengthIn(effect, minute)
      return strength > 0 ? [{ effect, strength }] : []
    })
    const traffic = (this.#options.traffic ?? []).filter(
      ({ startMs, endMs }) => overlap(minute, startMs, endMs) > 0,
    )
    const regional = new Float64Array(world.places.length).fill(random.logNormal(1, file.volume.minuteSigma))
    const localTouch: number[] = []
    let local = new Float64Array(64 * COUNTS)
    // By version and site of what is being drawn, to know the share of a node.
    const attempts = new Map<number, number>()
    const failures = new Map<number, number>()
    for (let number = 0; number < world.entries.length; number += 1) {
      const entry = world.entries[number]
      if (entry === undefined) continue
      const noise = factor * random.logNormal(1, file.volume.minuteSigma) * sampled
      const rejects =
        entry.rejectRatio *
        (this.#options.rejects ?? []).reduce(
          (product, change) =>
            change.entry === number && overlap(minute, change.startMs, change.endMs) > 0
              ? product * change.factor
              : product,
          1,
        )
      const total = (this.#cumulated[number]?.at(-1) ?? 0) * noise
      const usual = this.#usualBad(number, total)
      for (let place = 0; place < world.places.length; place += 1) {
        let rate = (entry.rates[place] ?? 0) * noise * (regional[place] ?? 1)
        for (const change of traffic) rate *= change.factor(number, place)
        const pending = usual.get(place)
        localTouch.length = 0
        const cell = entry.cellBase + place
        const site = world.places[place]?.site ?? 0
        const rowOf = (touch: number): number => {
          let row = localTouch.indexOf(touch)
          if (row >= 0) return row * COUNTS
          row = localTouch.length
          localTouch.push(touch)
          if (localTouch.length * COUNTS > local.length) {
            const larger = new Float64Array(local.length * 2)
            larger.set(local)
            local = larger
          }
          local.fill(0, row * COUNTS, (row + 1) * COUNTS)
          return row * COUNTS
        }
        for (const variantNumber of entry.variants) {
          const variant = world.variants[variantNumber]
          const plan = this.#plans[variantNumber]?.[this.#classOf[place] ?? 0]
          if (variant === undefined || plan === undefined) continue
          const waiting = pending?.filter((item) => item.variant === variantNumber)
          const chosen = waiting?.map((item) => ({ item, index: this.#combination(plan) }))
          for (let index = 0; index < plan.combinations.length; index += 1) {
            const combination = plan.combinations[index]
            if (combination === undefined) continue
            let count = random.poisson(rate * variant.share * combination.share)
            const mine = chosen?.filter((item) => item.index === index)
            if (count === 0 && (mine === undefined || mine.length === 0)) continue
            const row = rowOf(combination.touch)
            const badFrom = this.bad.length
            let left = count
            const circumstances: Circumstances | undefined =
              effects.length + this.#open.size === 0
                ? undefined
                : {
                    variant,
                    releaseOf: this.#releaseOf,
                    atMs: (minute + 1) * MINUTE_MS - 1,
                    versions: combination.versions,
                    place,
                    versionOf: (service) => {
                      const at = variant.placeOf[service] ?? -1
                      return at < 0 ? '' : (this.versions[combination.versions[at] ?? 0]?.name ?? '')
                    },
                    nodeShare: (at, node) => {
                      const version = combination.versions[at] ?? 0
                      const nodes = this.nodesOf(version, site, this.#shareOf(version))
                      return nodes.includes(node) ? 1 / nodes.length : 0
                    },
                  }
            if (circumstances !== undefined) {
              for (const service of this.#open.keys()) {
                const at = variant.placeOf[service] ?? -1
                if (at <= 0) continue
                const shed = random.binomial(left, file.circuitBreaker.shed)
                left -= shed
                const caller = variant.path[variant.parents[at] ?? 0] ?? 0
                for (let one = 0; one < shed; one += 1)
                  this.#note(row, local, cell, number, variant, combination, site, stands, {
                    outcome: 'shed',
                    origin: {
                      service: caller,
                      node: -1,
                      signature: `${world.services[caller]?.name ?? ''}:CircuitOpen`,
                      peer: -1,
                    },
                    isAlsoSlow: false,
                    isTrace: true,
                  })
              }
              for (const { effect, strength } of effects) {
                if (left === 0) break
                const chance = effect.strength(circumstances) * strength
                if (chance <= 0) continue
                const hit = random.binomial(left, chance)
                for (let one = 0; one < hit; one += 1) {
                  const origin = effect.origin(circumstances, random)
                  const at = variant.placeOf[origin.service] ?? 0
                  const again = variant.retries[at] ?? 0
                  const share = plan.shares[at]?.get(combination.versions[at] ?? -1) ?? 1
                  const isSaved =
                    effect.outcome === 'system' &&
                    again > 0 &&
                    random.chance(again) &&
                    !random.chance(chance * share)
                  const timesOut =
                    effect.outcome === 'slow' &&
                    variant.parents[at] !== -1 &&
                    random.chance(file.timeoutRatio)
                  const caller = variant.path[variant.parents[at] ?? 0] ?? origin.service
                  this.#note(row, local, cell, number, variant, combination, site, stands, {
                    outcome: timesOut ? 'system' : effect.outcome,
                    origin: timesOut
                      ? {
                          service: caller,
                          node: -1,
                          signature: `${world.services[caller]?.name ?? ''}:SocketTimeout`,
                          peer: -1,
                        }
                      : origin,
                    isAlsoSlow: timesOut,
                    isTrace: !isSaved,
                    isOfEffect: effect.endMs === Infinity,
                  })
                  if (!isSaved) left -= 1
                  const key = combination.versions[at] ?? 0
                  if (effect.outcome === 'system') failures.set(key, (failures.get(key) ?? 0) + 1)
                }
              }
            }
            if (mine !== undefined)
              for (const { item } of mine) {
                count += 1
                this.#note(row, local, cell, number, variant, combination, site, stands, item)
              }
            local[row] = (local[row] as number) + count * stands
            const rejected = Math.min(left, random.poisson(count * rejects))
            local[row + 4] = (local[row + 4] as number) + rejected * stands
            this.#options.onGroup?.({
              minute,
              variant: variantNumber,
              place,
              versions: combination.versions,
              count,
              rejects: rejected,
              badFrom,
              badTo: this.bad.length,
            })
            entryRequests[number] = (entryRequests[number] ?? 0) + count * stands
            for (let at = 0; at < combination.versions.length; at += 1) {
              const slot = (combination.versions[at] as number) * sites + site
              calls[slot] = (calls[slot] as number) + count * stands
              if (effects.length > 0) {
                const version = combination.versions[at] as number
                attempts.set(version, (attempts.get(version) ?? 0) + count)
              }
            }
          }
        }
        for (let row = 0; row < localTouch.length; row += 1)
          this.rows.push(minute, number, cell, localTouch[row] as number, local, row * COUNTS)
      }
    }
    this.#breakers(attempts, failures)
    this.#calls.push(calls)
    this.#entryRequests.push(entryRequests)
    this.#rowStarts.push(this.rows.length)
    this.#badStarts.push(this.bad.length)
    this.minute += 1
  }

  /** Errors and slow answers of every day: heavy-tailed, now and then in bursts. By place. */
  #usualBad(entry: number, requests: number): Map<number, UsualBad[]> {
    const { errors, latency } = this.world.file
    const random = this.#random
    const found = new Map<number, UsualBad[]>()
    const { errorRatio = 0, variants = [] } = this.world.entries[entry] ?? {}
    const burst = random.chance(errors.burstRatio) ? errors.burstFactor * random.between(0.5, 2) : 1
    const failing = random.poisson(requests * errorRatio * burst * random.logNormal(1, errors.minuteSigma))
    const slow = random.poisson(requests * latency.slowRatio * random.logNormal(1, latency.minuteSigma))
    const shares = variants.map((number) => this.world.variants[number]?.share ?? 0)
    for (let index = 0; index < failing + slow; index += 1) {
      const cumulated =
        (index < failing ? this.#cumulatedErrors : this.#cumulated)[entry] ?? new Float64Array()
      const draw = random.next() * (cumulated.at(-1) ?? 0)
      let low = 0
      let high = cumulated.length - 1
      while (low < high) {
        const middle = (low + high) >> 1
        if ((cumulated[middle] as number) > draw) high = middle
        else low = middle + 1
      }
      const variant = variants[random.weighted(shares)] ?? 0
      const { path = [0], errorWeights = [1] } = this.world.variants[variant] ?? {}
      const service = path[random.weighted(errorWeights)] ?? 0
      const own = this.world.services[service]
      const peers = own?.peers ?? []
      const peer = peers.length > 0 && random.chance(0.4) ? random.pick(peers) : -1
      const list = found.get(low)
      const item: UsualBad = {
        variant,
        outcome: index < failing ? 'system' : 'slow',
        origin: {
          service,
          node: -1,
          signature:
            index < failing
              ? random.chance(0.02)
                ? `${own?.name ?? ''}:Rare${String(random.whole(40))}`
                : random.pick(own?.signatures ?? [''])
              : '',
          peer,
        },
        isAlsoSlow: false,
        isTrace: true,
      }
      if (list === undefined) found.set(low, [item])
      else list.push(item)
    }
    return found
  }

  #combination(plan: Plan): number {
    if (plan.combinations.length === 1) return 0
    let rest = this.#random.next()
    for (let index = 0; index < plan.combinations.length; index += 1) {
      rest -= plan.combinations[index]?.share ?? 0
      if (rest < 0) return index
    }
    return plan.combinations.length - 1
  }

  #note(
    row: number,
    local: Float64Array,
    cell: number,
    entry: number,
    variant: Variant,
    combination: Combination,
    site: number,
    stands: number,
    of: {
      readonly outcome: EffectOutcome
      readonly origin: Origin
      readonly isAlsoSlow: boolean
      readonly isTrace: boolean
      readonly isOfEffect?: boolean
    },
  ): void {
    if (of.isTrace) {
      const column = row + OUTCOME_COLUMN[of.outcome]
      local[column] = (local[column] as number) + stands
      if (of.isAlsoSlow) local[row + 5] = (local[row + 5] as number) + stands
    }
    const { origin } = of
    const at = variant.placeOf[origin.service] ?? 0
    const version = combination.versions[Math.max(0, at)] ?? 0
    const nodes = origin.node >= 0 ? [origin.node] : this.nodesOf(version, site, this.#shareOf(version))
    this.bad.push({
      minute: this.minute,
      entry,
      cell,
      variant: variant.index,
      touch: combination.touch,
      outcome: of.outcome,
      isAlsoSlow: of.isAlsoSlow,
      isTrace: of.isTrace,
      isOfEffect: of.isOfEffect === true,
      service: origin.service,
      version,
      node: nodes[this.#random.whole(nodes.length)] ?? 0,
      peer: origin.peer,
      signature: origin.signature,
    })
  }

  /** A service that mostly fails is not called for a minute, whichever its version. */
  #breakers(attempts: ReadonlyMap<number, number>, failures: ReadonlyMap<number, number>): void {
    const next = new Map<number, number>()
    const { failing, requests } = this.world.file.circuitBreaker
    const all = new Map<number, readonly [number, number]>()
    for (const [version, count] of attempts) {
      const service = this.versions[version]?.service ?? 0
      const [sum, failed] = all.get(service) ?? [0, 0]
      all.set(service, [sum + count, failed + (failures.get(version) ?? 0)])
    }
    for (const [service, [sum, failed]] of all)
      if (sum >= requests && failed / sum >= failing && !this.#open.has(service))
        next.set(service, this.minute + 1)
    this.#open = next
  }
}

type UsualBad = {
  readonly variant: number
  readonly outcome: EffectOutcome
  readonly origin: Origin
  readonly isAlsoSlow: boolean
  readonly isTrace: boolean
}
