// What a history tells of: services, places, people, what they ask for, and what went wrong. Plain data; times are
// days before the end of the history, so that a world fits any day it is written on.

import type { Scope } from '../routing.ts'

/** Cores, bytes. */
type Amount = { readonly cpu: number; readonly memory: number }

export type WorldService = {
  readonly name: string
  /** `bank.system` and `service.namespace` */
  readonly system: string
  /** What serves at the end. */
  readonly version: string
  readonly machine: { readonly secondsPerRequest: number; readonly memory: number; readonly request: Amount }
}

/** An answer that some requests get instead of the good one. */
export type Instead = { readonly code: string; /** share of requests, 0 to 1 */ readonly ratio: number }

/** One operation and what it calls, one after the other; the first call that is not answered well ends it. */
export type Step = {
  readonly service: string
  readonly method: 'GET' | 'POST'
  readonly route: string
  /** Median of the service's own work, log-normal around it. */
  readonly workMs: number
  /** `bank.return.code` of the good answer */
  readonly code: string
  /** 422 */
  readonly rejects?: readonly Instead[]
  /** 500 */
  readonly failures?: readonly Instead[]
  readonly calls?: readonly Step[]
}

/** A kind of transaction; `entry` is what the channel's own service does. */
export type Journey = {
  readonly txnCode: string
  readonly share: number
  readonly entry: Omit<Step, 'service'>
}

export type Channel = {
  readonly name: string
  /** The service that its requests come to. */
  readonly entry: string
  /** Shares of all requests while counters are open, and while they are not. */
  readonly openShare: number
  readonly shutShare: number
  /** Who asks: customers, or tellers at a branch. */
  readonly from: 'customer' | 'branch'
  /** What their phones and terminals run; shares add up to 1. */
  readonly clientVersions: readonly { readonly version: string; readonly share: number }[]
}

export type Moment = {
  /** Days before the last day of the history; 0 is that day. */
  readonly daysAgo: number
  /** Hour in Shanghai, 14.5 for half past two. */
  readonly hour: number
}

export type PastRollout = {
  readonly service: string
  readonly from: string
  readonly to: string
  /** In order of time. The last one is `whole`, unless it was rolled back. */
  readonly stages: readonly (Moment & { readonly scope: Scope })[]
  readonly rolledBack?: Moment
}

export type PastIncident = {
  readonly service: string
  /** undefined: every version */
  readonly version?: string
  /** undefined: both sites */
  readonly site?: string
  readonly from: Moment
  readonly to: Moment
  /** Share of requests hit. */
  readonly ratio: number
  readonly effect:
    | { readonly kind: 'errors'; readonly code: string; readonly message: string }
    | { readonly kind: 'latency'; readonly latencyMs: number }
}

export type World = {
  readonly environment: string
  readonly cloudRegion: string
  readonly sites: readonly string[]
  /** Nodes per site, and what each has to give. */
  readonly nodes: { readonly perSite: number; readonly allocatable: Amount }
  readonly services: readonly WorldService[]
  readonly branches: readonly { readonly id: string; readonly region: string }[]
  readonly tellersPerBranch: number
  readonly channels: readonly Channel[]
  readonly journeys: readonly Journey[]
  readonly rollouts: readonly PastRollout[]
  readonly incidents: readonly PastIncident[]
  /** Requests per second that enter the bank at the peak of an ordinary day. */
  readonly peakPerSecond: number
  /** One trace in so many is kept and says so in its tracestate; a power of two, 1 to 256. */
  readonly oneIn: number
}
