// A release as Surety sees it: steps that tools told, put together, and what traffic showed. Shapes only.

import type { ChangeType, ReleaseScope, StepKind } from '../../ingest/records/release-step.ts'

export const RELEASE_STATES = [
  'requested',
  'in_progress',
  'paused',
  'serving',
  'completed',
  'aborted',
  'rolled_back',
  'removed',
] as const
export type ReleaseState = (typeof RELEASE_STATES)[number]

/** What is not as it should be with what was told. */
export const RELEASE_REMARKS = [
  /** Seen in traffic, told by nobody: an implicit release. */
  'no-event',
  /** Told more than a minute after it served. */
  'late-event',
  /** Its sender's clock is off by more than 30 s. */
  'skewed-clock',
  /** Told for a future instant. */
  'future-event',
  /** The service was told under another name. */
  'alias',
  /** Told, and its service never sent a span. */
  'never-reported',
  /** Told, and its version never served. */
  'never-served',
  'duplicate-events',
  'out-of-order',
  /** Another release of the same service became ready in the same minute: they cannot be told apart. */
  'same-minute',
  /** The version before still serves long after completion. */
  'not-drained',
  /** A gray scope is open for longer than allowed. */
  'left-open',
] as const
export type ReleaseRemark = (typeof RELEASE_REMARKS)[number]

export type ReleaseStage = {
  readonly kind: StepKind
  /** Corrected by the sender's skew where that is known, ms since 1970. */
  readonly atMs: number
  readonly scope: ReleaseScope
  readonly source: string
  readonly eventId: string
  /** Who did it and what was said of it, as told; absent or empty: not told. */
  readonly actor?: string
  readonly description?: string
  /** What it notes beside the release: which ticket, change or approval, which run of a pipeline. */
  readonly ticket?: string
  readonly pipeline?: string
}

/** One release: one service (or target) and version going out in one environment, from its first step to its last. */
export type Release = {
  /** Stable: made of the identity of its first step, or of service, version and minute of an implicit one. */
  readonly id: string
  readonly changeType: ChangeType
  /** `service.name` as telemetry says it; empty when it is no service. */
  readonly service: string
  readonly target: string
  /** As told, when that differs. */
  readonly toldService: string
  readonly system: string
  readonly environment: string
  readonly versionFrom: string
  readonly versionTo: string
  readonly state: ReleaseState
  /** Nobody told it. */
  readonly isImplicit: boolean
  /** First told instant, ms since 1970; of an implicit one the first traffic. */
  readonly startedAtMs: number
  /** When the first of its events reached us; undefined when none did. */
  readonly receivedAtMs: number | undefined
  /**
   * First traffic on the new version, start of its 10 s or minute; never taken from an event where the change type has a version in
   * traffic. For changes that traffic does not show (config, flag, schema, infra) the told instant.
   */
  readonly readyAtMs: number | undefined
  readonly readyFrom: 'traffic' | 'event'
  /** Completed, taken back or removed. */
  readonly endedAtMs: number | undefined
  /** Widest scope so far; who is in it now is in `stages`. */
  readonly scope: ReleaseScope
  readonly stages: readonly ReleaseStage[]
  readonly orderId: string
  readonly vcsRevision: string
  readonly artifact: string
  readonly configHash: string
  readonly pipeline: string
  readonly actor: string
  readonly ticket: string
  readonly description: string
  readonly isReversible: boolean
  /** What differs from what served before: parameter, before (undefined: was not there), after (undefined: is gone). */
  readonly parameterChanges: readonly {
    readonly name: string
    readonly before: string | undefined
    readonly after: string | undefined
  }[]
  readonly remarks: readonly ReleaseRemark[]
}
