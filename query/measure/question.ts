// What one SLO asks of the telemetry, as narrow as measuring needs it: which requests, and which of them are good.

import type { z } from 'zod'
import type { Outcome as OutcomeShape } from '../http/schemas.ts'

type Outcome = z.infer<typeof OutcomeShape>

/** Dimensions that the request rollups keep; questions of these alone are answered without looking at spans. */
export const ROLLUP_DIMENSIONS = [
  'service',
  'operation',
  'version',
  'system',
  'site',
  'zone',
  'cluster',
  'channel',
  'region',
] as const
/** Dimensions that only spans keep. */
export const SPAN_DIMENSIONS = [
  'branch',
  'teller',
  'txn_code',
  'client_version',
  'caller',
  'route',
  'environment',
] as const
export const DIMENSIONS = [...ROLLUP_DIMENSIONS, ...SPAN_DIMENSIONS] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** Exact values; a request must have all of them. */
export type Selector = Readonly<Partial<Record<Dimension, string>>>

/** When a request is good. `entry`: only entry spans, which have no parent, are looked at (a journey). */
export type Good =
  | { readonly kind: 'outcome'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'latency'; readonly thresholdMs: number; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'returnCode'; readonly codes: readonly string[] }

export type SliceQuestion = {
  /** Id of the SLO in the registry. */
  readonly slo: string
  readonly generation: number
  readonly stepSeconds: 10 | 60
  readonly traffic: string
  readonly selector: Selector
  readonly good: Good
  readonly entryOnly: boolean
  /** Each combination of values is measured by itself. */
  readonly groupBy: readonly Dimension[]
}

/** Outcomes that are good unless an SLO says otherwise (DESIGN: what the customer did is not our failure). */
export const GOOD_OUTCOMES: readonly Outcome[] = ['ok', 'business_reject']

/** Bound on the groups of one SLO in one slice. */
export const GROUPS_MAX = 1000
