// When a version of a service was seen to take live requests. Shapes only.

/** An uninterrupted time of serving: no quarter of an hour without a request. */
export type Stretch = {
  /** Start of the first 10 s or minute with a request, ms since 1970. */
  readonly fromMs: number
  /** End of the last 10 s with a request. */
  readonly toMs: number
  /** What spans stand for: may have fractions. */
  readonly requests: number
}

/** One version in one environment; a version of a client application has an empty service. */
export type VersionSighting = {
  /** `service.name` */
  readonly service: string
  /** `service.version`, or `bank.client.version`; empty when telemetry does not say. */
  readonly version: string
  /** `deployment.environment.name`; empty when telemetry does not say. */
  readonly environment: string
  /** As telemetry says; may be empty. */
  readonly system: string
  /** Oldest first, at least one. */
  readonly stretches: readonly Stretch[]
}

/** Pauses shorter than this are none. */
export const PAUSE_MS = 15 * 60_000
