// Everything that is known about one fault when it is explained: counts of requests, never spans. `gather` reads it from the
// store, the simulator makes it without one; the engine sees nothing else. Shapes only.
//
// Sizes: rows are grouped by minute, entry, cell and touch, so 10M spans an hour give some 10,000 to 200,000 rows; columns are
// typed arrays of one length because a judgement goes through them several times.

import type { Release } from '../releases/release.ts'

/** What the fault is about. Empty texts do not narrow. */
export type FaultPlace = {
  readonly service: string
  readonly operation: string
  readonly txnCode: string
  readonly channel: string
  readonly site: string
  readonly region: string
  readonly branch: string
}

export const FAULT_MEASURES = ['errors', 'latency', 'requests_lost'] as const
export type FaultMeasure = (typeof FAULT_MEASURES)[number]

/** A detected deviation: what, where, since when. An incident is people's work item and not this. */
export type Fault = {
  readonly id: string
  /** An SLO's state transition, the detector of operation × cell, or somebody else's alert. */
  readonly origin: 'slo' | 'detector' | 'external'
  /** Name of the SLO or of the alert; empty for the detector. */
  readonly name: string
  readonly measure: FaultMeasure
  readonly place: FaultPlace
  /** When it was noticed, ms since 1970. */
  readonly alarmAtMs: number
  /** When it was over; undefined while it lasts. */
  readonly endedAtMs: number | undefined
}

/** Where customers' requests come in: spans without a parent that serve. */
export type Entry = { readonly service: string; readonly operation: string; readonly txnCode: string }

/** Who asked. A cell is what one compares within, and what a gray scope selects. */
export type Cell = {
  readonly channel: string
  readonly site: string
  readonly region: string
  readonly branch: string
  readonly teller: string
}

/** How a trace met a candidate's service. */
export const UNTOUCHED = 0
export const TOUCHED_OLD = 1
export const TOUCHED_NEW = 2
export type Touch = typeof UNTOUCHED | typeof TOUCHED_OLD | typeof TOUCHED_NEW

/**
 * Traces by minute, entry, cell and touch: columns of one length. Counts are of what spans stand for (adjusted counts), so they
 * may have fractions.
 */
export type TraceRows = {
  readonly length: number
  /** Minutes since 1970. */
  readonly minute: Int32Array
  /** Index into `entries`. */
  readonly entry: Int32Array
  /** Index into `cells`. */
  readonly cell: Int32Array
  /** Index into `touches`. */
  readonly touch: Int32Array
  readonly requests: Float64Array
  readonly systemErrors: Float64Array
  readonly businessErrors: Float64Array
  readonly shed: Float64Array
  readonly rejects: Float64Array
  /** Answered later than the entry's `slowMs`. */
  readonly slow: Float64Array
}

/** Failing (or slow) traces by where the failure began: the deepest span that failed by itself. */
export type FailureRow = {
  readonly minute: number
  readonly entry: number
  readonly cell: number
  readonly service: string
  readonly version: string
  readonly operation: string
  /** Far side that did not answer; empty when a service of ours failed. */
  readonly peer: string
  readonly site: string
  readonly zone: string
  readonly cluster: string
  readonly node: string
  /** Signature of its error; empty when it recorded none. */
  readonly signature: string
  readonly count: number
}

/** Requests that a service served, by where it ran. `bad` are those that failed by themselves, without a failing call below. */
export type PlaceRow = {
  readonly minute: number
  readonly service: string
  readonly version: string
  readonly site: string
  readonly zone: string
  readonly cluster: string
  readonly node: string
  readonly requests: number
  readonly bad: number
  /** Whose own time (without calls) was longer than that service's usual 95th percentile. */
  readonly slow: number
}

/** Calls to what is not instrumented: databases, partners, queues. */
export type PeerRow = {
  readonly minute: number
  readonly caller: string
  readonly callerVersion: string
  readonly peer: string
  readonly kind: 'database' | 'external' | 'queue'
  readonly calls: number
  readonly bad: number
  readonly slow: number
}

/** Entry requests by who sent them. */
export type CallerRow = {
  readonly minute: number
  readonly kind: 'client_version' | 'caller'
  readonly name: string
  readonly requests: number
  readonly bad: number
  readonly slow: number
}

export type SignatureRow = {
  readonly minute: number
  readonly service: string
  readonly version: string
  readonly signature: string
  readonly type: string
  readonly message: string
  readonly count: number
}

/** What was known of a signature before the fault. */
export type SignaturePast = {
  readonly service: string
  readonly signature: string
  /** Distinct earlier versions of the service, of the last three, that had it within 7 days. */
  readonly earlierVersions: number
  /** Releases of the service, of the last ones that are known, within ten minutes of which it appeared; and how many there were. */
  readonly atReleases: number
  readonly releases: number
}

/** Something that a platform said: restart, eviction, expiry. */
export type PlatformEvent = {
  readonly atMs: number
  readonly kind: string
  readonly name: string
  readonly service: string
  readonly zone: string
  readonly node: string
}

export type Candidate = {
  readonly release: Release
  /** Whether traces show it (version, or a scope they carry); else only time and place can speak for or against it. */
  readonly isVisible: boolean
  /** Indexes of cells inside its scope, as told and as traffic shows; undefined: everybody. */
  readonly scopeCells: readonly number[] | undefined
  /** Share of the service's requests on the new version by minute, from `fromMinute` on; empty when not visible. */
  readonly exposure: readonly number[]
  /** Irreversible, or already on its way back. */
  readonly isBeingRolledBack: boolean
}

export type FaultCase = {
  readonly fault: Fault
  /** The instant of the decision; nothing after it is in here. */
  readonly nowMs: number
  /** First minute that rows may have, and the one after the last; the last may be partial. */
  readonly fromMinute: number
  readonly toMinute: number
  /** How far tools' clocks may be off. */
  readonly clockSlackMs: number
  /** 1 when everything is there; the sampled share otherwise, for the words only. */
  readonly sampledRatio: number
  readonly entries: readonly Entry[]
  /** What counts as slow, by entry: its usual 95th percentile × 1.5, ms. */
  readonly slowMs: readonly number[]
  readonly cells: readonly Cell[]
  readonly candidates: readonly Candidate[]
  /** By `TraceRows.touch`: the touch of each candidate, in their order. */
  readonly touches: readonly (readonly Touch[])[]
  readonly rows: TraceRows
  /** The same minutes one day earlier, same indexes; undefined when nothing is kept of it. */
  readonly dayBefore: TraceRows | undefined
  readonly failures: readonly FailureRow[]
  readonly places: readonly PlaceRow[]
  readonly peers: readonly PeerRow[]
  readonly callers: readonly CallerRow[]
  readonly signatures: readonly SignatureRow[]
  readonly signaturePasts: readonly SignaturePast[]
  readonly events: readonly PlatformEvent[]
  /** Who calls whom, observed lately: [caller, callee]. */
  readonly calls: readonly (readonly [string, string])[]
  /** Owning system of a service, as far as known. */
  readonly systems: Readonly<Record<string, string>>
  /** Of minutes before this one nothing is known, not even that there were no requests; absent: all are known. */
  readonly knownFromMinute?: number
  /** By entry: whether the fault is about it; others are there to be looked at for being flat. Absent: all are. */
  readonly isAffected?: readonly boolean[]
  /** By candidate, trace ids in hexadecimal: failing ones that touched what is new, healthy ones; three of each side at most. */
  readonly exemplars?: readonly { readonly failing: readonly string[]; readonly healthy: readonly string[] }[]
  /** Statements that give the counts again, values written in. */
  readonly queries?: readonly {
    readonly title: { readonly en: string; readonly zh: string }
    readonly sql: string
  }[]
  /** What bounds kept out, or what is not known; absent or empty: nothing. */
  readonly leftOut?: readonly { readonly en: string; readonly zh: string }[]
}
