// A world's traffic, minute by minute, as far as it has been drawn: what is asked of it is read here, what is drawn is made elsewhere
// (minute-draws.ts).

import { GrowingRows } from './columns.ts'
import type { Effect, EffectOutcome, RejectChange, TrafficChange } from './effects.ts'
import { MinuteDraws } from './minute-draws.ts'
import { Random } from './random.ts'
import { MINUTE_MS, type SimRelease } from './rollouts.ts'
import { routingOf, type Routing } from './routing.ts'
import { VersionTable } from './version-table.ts'
import type { World } from './world.ts'

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

export class Stream {
  readonly world: World
  readonly rows = new GrowingRows()
  readonly bad: BadRequest[] = []
  readonly fromMinute: number
  /** The next one to be drawn. */
  minute: number
  readonly #options: StreamOptions
  readonly #table: VersionTable
  readonly #draws: MinuteDraws
  readonly #rowStarts: number[] = [0]
  readonly #badStarts: number[] = [0]
  /** By minute: requests of a version at a site, at `version × sites + site`. */
  readonly #calls: Float64Array[] = []
  /** By minute and entry: requests. */
  readonly #entryRequests: Float64Array[] = []
  /** Minutes in which stages begin, and those after them. */
  readonly #changes: Set<number>
  #routing: Routing = { plans: [], classOf: new Int32Array() }

  constructor(options: StreamOptions) {
    this.world = options.world
    this.#options = options
    this.#table = new VersionTable(options.world, options.releases)
    this.#draws = new MinuteDraws(options, new Random(...options.seed), {
      table: this.#table,
      rows: this.rows,
      bad: this.bad,
    })
    this.fromMinute = options.fromMinute
    this.minute = options.fromMinute
    const starts = options.releases.flatMap(({ stages }) =>
      stages.map(({ atMs }) => Math.floor(atMs / MINUTE_MS)),
    )
    this.#changes = new Set([options.fromMinute, ...starts.flatMap((minute) => [minute, minute + 1])])
  }

  get releases(): readonly SimRelease[] {
    return this.#options.releases
  }

  get sampledRatio(): number {
    return this.#options.sampledRatio ?? 1
  }

  /** Version table: service and name by id. */
  get versions(): VersionTable['versions'] {
    return this.#table.versions
  }

  /** Touches: code of each release by id. */
  get touches(): readonly Uint8Array[] {
    return this.#table.touches
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

  /** Nodes that a version's instances of a site are on: a canary has few. */
  nodesOf(version: number, site: number, share: number): readonly number[] {
    return this.#table.nodesOf(version, site, share)
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

  #drawMinute(): void {
    const { minute } = this
    if (this.#changes.has(minute))
      this.#routing = routingOf(this.world, this.#options.releases, minute, this.#table)
    const shares = new Map<number, number>()
    const { calls, entryRequests } = this.#draws.draw(minute, this.#routing, (version) => {
      const share = shares.get(version) ?? this.shareBefore(version, minute)
      shares.set(version, share)
      return share
    })
    this.#calls.push(calls)
    this.#entryRequests.push(entryRequests)
    this.#rowStarts.push(this.rows.length)
    this.#badStarts.push(this.bad.length)
    this.minute += 1
  }
}
