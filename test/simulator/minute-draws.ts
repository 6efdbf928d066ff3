// One minute of a world's traffic: counts are drawn, requests that fail or are slow are drawn one by one with the place where they went
// wrong. Thinned Poisson draws: what takes one way out of many is a Poisson count of its own, and what rarely happens is drawn for all and
// then dealt out, so a minute costs some thousand draws however much traffic it stands for.

import { COUNTS, type GrowingRows } from './columns.ts'
import {
  overlap,
  strengthIn,
  type Circumstances,
  type Effect,
  type EffectOutcome,
  type Origin,
} from './effects.ts'
import type { Random } from './random.ts'
import { MINUTE_MS } from './rollouts.ts'
import type { Combination, Plan, Routing } from './routing.ts'
import type { BadRequest, StreamOptions } from './stream.ts'
import { UsualBadDraws, type UsualBad } from './usual-bad.ts'
import type { VersionTable } from './version-table.ts'
import { trafficFactor, type Variant, type World } from './world.ts'

const OUTCOME_COLUMN: Readonly<Record<EffectOutcome, number>> = { system: 1, business: 2, shed: 3, slow: 5 }

export type MinuteCounts = {
  /** Requests of a version at a site, at `version × sites + site`. */
  readonly calls: Float64Array
  /** Requests by entry. */
  readonly entryRequests: Float64Array
}

type Minute = MinuteCounts & {
  readonly minute: number
  readonly routing: Routing
  /** Share of a service's requests on a version in the minute before: as many of its instances run it. */
  readonly shareOf: (version: number) => number
  readonly effects: readonly { readonly effect: Effect; readonly strength: number }[]
  /** By version: what was tried and what failed, for the circuit breakers; only where something goes wrong. */
  readonly attempts: Map<number, number>
  readonly failures: Map<number, number>
}

/** Requests of one entry and place in one minute. */
type Spot = {
  readonly entry: number
  readonly place: number
  readonly cell: number
  readonly site: number
  readonly rate: number
  readonly rejectRatio: number
}

/** Those of a spot that take one way and meet the same versions. */
type Group = {
  readonly spot: Spot
  readonly variant: Variant
  readonly plan: Plan
  readonly combination: Combination
  /** Its row's first count. */
  readonly row: number
}

type Bad = {
  readonly outcome: EffectOutcome
  readonly origin: Origin
  readonly isAlsoSlow: boolean
  readonly isTrace: boolean
  readonly isOfEffect?: boolean
}

export class MinuteDraws {
  readonly #world: World
  readonly #options: StreamOptions
  readonly #random: Random
  readonly #table: VersionTable
  readonly #rows: GrowingRows
  readonly #bad: BadRequest[]
  readonly #usualBad: UsualBadDraws
  readonly #releaseOf: Circumstances['releaseOf']
  /** Rows of the spot that is drawn: one for each touch. */
  readonly #touches: number[] = []
  #counts = new Float64Array(64 * COUNTS)
  /** Services that are not called in this minute, by the minute that it lasts to. */
  #open = new Map<number, number>()

  constructor(
    options: StreamOptions,
    random: Random,
    into: { readonly table: VersionTable; readonly rows: GrowingRows; readonly bad: BadRequest[] },
  ) {
    this.#world = options.world
    this.#options = options
    this.#random = random
    this.#table = into.table
    this.#rows = into.rows
    this.#bad = into.bad
    this.#usualBad = new UsualBadDraws(options.world, random)
    const byKey = new Map(options.releases.map((release) => [release.key, release]))
    this.#releaseOf = (key) => byKey.get(key)
  }

  draw(number: number, routing: Routing, shareOf: (version: number) => number): MinuteCounts {
    const world = this.#world
    const random = this.#random
    const { volume } = world.file
    const minute: Minute = {
      minute: number,
      routing,
      shareOf,
      calls: new Float64Array(this.#table.versions.length * world.sites.length),
      entryRequests: new Float64Array(world.entries.length),
      effects: this.#options.effects.flatMap((effect) => {
        const strength = strengthIn(effect, number)
        return strength > 0 ? [{ effect, strength }] : []
      }),
      attempts: new Map(),
      failures: new Map(),
    }
    const factor = trafficFactor(world, number * MINUTE_MS)
    const traffic = (this.#options.traffic ?? []).filter(
      ({ startMs, endMs }) => overlap(number, startMs, endMs) > 0,
    )
    const everywhere = random.logNormal(1, volume.minuteSigma)
    for (const [entry, { rates, cellBase }] of world.entries.entries()) {
      const noise = factor * random.logNormal(1, volume.minuteSigma) * (this.#options.sampledRatio ?? 1)
      const rejectRatio = this.#rejectRatio(entry, number)
      const usual = this.#usualBad.of(entry, this.#usualBad.rateOf(entry) * noise)
      for (let place = 0; place < world.places.length; place += 1) {
        let rate = (rates[place] ?? 0) * noise * everywhere
        for (const change of traffic) rate *= change.factor(entry, place)
        const site = world.places[place]?.site ?? 0
        this.#drawSpot(
          minute,
          { entry, place, cell: cellBase + place, site, rate, rejectRatio },
          usual.get(place),
        )
      }
    }
    this.#openBreakers(minute)
    return minute
  }

  #rejectRatio(entry: number, minute: number): number {
    const usual = this.#world.entries[entry]?.rejectRatio ?? 0
    return (
      usual *
      (this.#options.rejects ?? []).reduce(
        (product, change) =>
          change.entry === entry && overlap(minute, change.startMs, change.endMs) > 0
            ? product * change.factor
            : product,
        1,
      )
    )
  }

  /** @param pending  requests of every day's that went wrong here */
  #drawSpot(minute: Minute, spot: Spot, pending: readonly UsualBad[] | undefined): void {
    const world = this.#world
    this.#touches.length = 0
    for (const variantNumber of world.entries[spot.entry]?.variants ?? []) {
      const variant = world.variants[variantNumber]
      const plan = minute.routing.plans[variantNumber]?.[minute.routing.classOf[spot.place] ?? 0]
      if (variant === undefined || plan === undefined) continue
      const waiting = pending?.filter((item) => item.variant === variantNumber)
      const chosen = waiting?.map((item) => ({ item, index: this.#combination(plan) }))
      for (let index = 0; index < plan.combinations.length; index += 1) {
        const combination = plan.combinations[index]
        if (combination === undefined) continue
        const count = this.#random.poisson(spot.rate * variant.share * combination.share)
        const usual = chosen?.filter((item) => item.index === index)
        if (count === 0 && (usual === undefined || usual.length === 0)) continue
        const row = this.#rowOf(combination.touch)
        this.#drawGroup(minute, { spot, variant, plan, combination, row }, count, usual ?? [])
      }
    }
    for (let row = 0; row < this.#touches.length; row += 1)
      this.#rows.push(
        minute.minute,
        spot.entry,
        spot.cell,
        this.#touches[row] as number,
        this.#counts,
        row * COUNTS,
      )
  }

  #rowOf(touch: number): number {
    const known = this.#touches.indexOf(touch)
    if (known >= 0) return known * COUNTS
    const row = this.#touches.length
    this.#touches.push(touch)
    if (this.#touches.length * COUNTS > this.#counts.length) {
      const larger = new Float64Array(this.#counts.length * 2)
      larger.set(this.#counts)
      this.#counts = larger
    }
    this.#counts.fill(0, row * COUNTS, (row + 1) * COUNTS)
    return row * COUNTS
  }

  #drawGroup(
    minute: Minute,
    group: Group,
    drawn: number,
    usual: readonly { readonly item: UsualBad }[],
  ): void {
    const { spot, variant, combination, row } = group
    const random = this.#random
    const stands = 1 / (this.#options.sampledRatio ?? 1)
    const badFrom = this.#bad.length
    const left = minute.effects.length + this.#open.size === 0 ? drawn : this.#strike(minute, group, drawn)
    for (const { item } of usual) this.#note(minute, group, item)
    const count = drawn + usual.length
    const counts = this.#counts
    counts[row] = (counts[row] as number) + count * stands
    const rejects = Math.min(left, random.poisson(count * spot.rejectRatio))
    counts[row + 4] = (counts[row + 4] as number) + rejects * stands
    this.#options.onGroup?.({
      minute: minute.minute,
      variant: variant.index,
      place: spot.place,
      versions: combination.versions,
      count,
      rejects,
      badFrom,
      badTo: this.#bad.length,
    })
    const { entryRequests, calls, attempts } = minute
    entryRequests[spot.entry] = (entryRequests[spot.entry] ?? 0) + count * stands
    for (const version of combination.versions) {
      const slot = version * this.#world.sites.length + spot.site
      calls[slot] = (calls[slot] as number) + count * stands
      if (minute.effects.length > 0) attempts.set(version, (attempts.get(version) ?? 0) + count)
    }
  }

  /** What circuit breakers refuse and effects hit. @returns requests that are left */
  #strike(minute: Minute, group: Group, count: number): number {
    const { variant } = group
    const random = this.#random
    let left = count
    const circumstances = this.#circumstances(minute, group)
    for (const service of this.#open.keys()) {
      const at = variant.placeOf[service] ?? -1
      if (at <= 0) continue
      const shed = random.binomial(left, this.#world.file.circuitBreaker.shed)
      left -= shed
      const origin = this.#originAt(variant.path[variant.parents[at] ?? 0] ?? 0, 'CircuitOpen')
      for (let one = 0; one < shed; one += 1)
        this.#note(minute, group, { outcome: 'shed', origin, isAlsoSlow: false, isTrace: true })
    }
    for (const { effect, strength } of minute.effects) {
      if (left === 0) break
      const chance = effect.strength(circumstances) * strength
      if (chance <= 0) continue
      const hit = random.binomial(left, chance)
      for (let one = 0; one < hit; one += 1)
        if (!this.#hit(minute, group, circumstances, effect, chance)) left -= 1
    }
    return left
  }

  #circumstances({ minute, shareOf }: Minute, { spot, variant, combination }: Group): Circumstances {
    const { versions } = combination
    return {
      variant,
      releaseOf: this.#releaseOf,
      atMs: (minute + 1) * MINUTE_MS - 1,
      versions,
      place: spot.place,
      versionOf: (service) => {
        const at = variant.placeOf[service] ?? -1
        return at < 0 ? '' : (this.#table.versions[versions[at] ?? 0]?.name ?? '')
      },
      nodeShare: (at, node) => {
        const version = versions[at] ?? 0
        const nodes = this.#table.nodesOf(version, spot.site, shareOf(version))
        return nodes.includes(node) ? 1 / nodes.length : 0
      },
    }
  }

  /** One request that an effect hits. @returns whether a second try saved it */
  #hit(minute: Minute, group: Group, circumstances: Circumstances, effect: Effect, chance: number): boolean {
    const { variant, plan, combination } = group
    const random = this.#random
    const origin = effect.origin(circumstances, random)
    const at = variant.placeOf[origin.service] ?? 0
    const again = variant.retries[at] ?? 0
    const share = plan.shares[at]?.get(combination.versions[at] ?? -1) ?? 1
    const isSaved =
      effect.outcome === 'system' && again > 0 && random.chance(again) && !random.chance(chance * share)
    const timesOut =
      effect.outcome === 'slow' && variant.parents[at] !== -1 && random.chance(this.#world.file.timeoutRatio)
    this.#note(minute, group, {
      outcome: timesOut ? 'system' : effect.outcome,
      origin: timesOut
        ? this.#originAt(variant.path[variant.parents[at] ?? 0] ?? origin.service, 'SocketTimeout')
        : origin,
      isAlsoSlow: timesOut,
      isTrace: !isSaved,
      isOfEffect: effect.endMs === Infinity,
    })
    const version = combination.versions[at] ?? 0
    if (effect.outcome === 'system') minute.failures.set(version, (minute.failures.get(version) ?? 0) + 1)
    return isSaved
  }

  #originAt(service: number, type: string): Origin {
    const signature = `${this.#world.services[service]?.name ?? ''}:${type}`
    return { service, node: -1, signature, peer: -1 }
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

  #note(minute: Minute, { spot, variant, combination, row }: Group, of: Bad): void {
    const stands = 1 / (this.#options.sampledRatio ?? 1)
    const counts = this.#counts
    if (of.isTrace) {
      const column = row + OUTCOME_COLUMN[of.outcome]
      counts[column] = (counts[column] as number) + stands
      if (of.isAlsoSlow) counts[row + 5] = (counts[row + 5] as number) + stands
    }
    const { origin } = of
    const version = combination.versions[Math.max(0, variant.placeOf[origin.service] ?? 0)] ?? 0
    const nodes =
      origin.node >= 0 ? [origin.node] : this.#table.nodesOf(version, spot.site, minute.shareOf(version))
    this.#bad.push({
      minute: minute.minute,
      entry: spot.entry,
      cell: spot.cell,
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
  #openBreakers({ minute, attempts, failures }: Minute): void {
    const next = new Map<number, number>()
    const { failing, requests } = this.#world.file.circuitBreaker
    const all = new Map<number, readonly [number, number]>()
    for (const [version, count] of attempts) {
      const service = this.#table.versions[version]?.service ?? 0
      const [sum, failed] = all.get(service) ?? [0, 0]
      all.set(service, [sum + count, failed + (failures.get(version) ?? 0)])
    }
    for (const [service, [sum, failed]] of all)
      if (sum >= requests && failed / sum >= failing && !this.#open.has(service))
        next.set(service, minute + 1)
    this.#open = next
  }
}
