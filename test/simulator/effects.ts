// What goes wrong: an effect gives requests of some path, versions and place a chance of going bad, and says where they fail. The
// incident classes are made of these (incidents.ts).

import type { Random } from './random.ts'
import type { Variant, World } from './world.ts'

/** One request's circumstances. `versions` by place in the path: ids of the stream's version table. */
export type Circumstances = {
  readonly variant: Variant
  /** End of the minute. */
  readonly atMs: number
  readonly versions: readonly number[]
  readonly place: number
  /** Name of the version that a service answers with; empty when it is not called. */
  readonly versionOf: (service: number) => string
  /** Share of a service's traffic of this site, version and minute that runs on a node, 0–1. */
  readonly nodeShare: (at: number, node: number) => number
}

export type Origin = {
  readonly service: number
  /** Node it must be on; −1: any of the version's. */
  readonly node: number
  readonly signature: string
  /** −1: no peer. */
  readonly peer: number
}

export type EffectOutcome = 'system' | 'business' | 'shed' | 'slow'

export type Effect = {
  readonly outcome: EffectOutcome
  readonly startMs: number
  readonly endMs: number
  /** Minutes until it has its whole strength; 0: at once. */
  readonly rampMinutes: number
  /** Releases without any of which there is no effect (truth; for replays). */
  readonly needs: readonly string[]
  readonly strength: (of: Circumstances) => number
  readonly origin: (of: Circumstances, random: Random) => Origin
}

/** Traffic of some requests changes by a factor. */
export type TrafficChange = {
  readonly startMs: number
  readonly endMs: number
  readonly factor: (entry: number, place: number) => number
}

/** Rejects of an entry change, as planned. */
export type RejectChange = {
  readonly startMs: number
  readonly endMs: number
  readonly entry: number
  readonly factor: number
}

/** Share of a minute within a span of time. */
export function overlap(minute: number, startMs: number, endMs: number): number {
  const from = minute * 60_000
  return Math.max(0, Math.min(endMs, from + 60_000) - Math.max(startMs, from)) / 60_000
}

/** How strong it is in a minute, 0–1. */
export function strengthIn(effect: Effect, minute: number): number {
  const share = overlap(minute, effect.startMs, effect.endMs)
  if (share === 0 || effect.rampMinutes === 0) return share
  const sinceMinutes = minute + 0.5 - effect.startMs / 60_000
  return share * Math.min(1, Math.max(0.02, sinceMinutes / effect.rampMinutes))
}

/** Services that a variant calls on the way to one of its places, that place's service first. */
export function ancestors(variant: Variant, place: number): number[] {
  const found: number[] = []
  for (let at = place; at >= 0; at = variant.parents[at] ?? -1) found.push(at)
  return found
}

export const signatureOf = (world: World, service: number, random: Random): string =>
  random.pick(world.services[service]?.signatures ?? [''])
