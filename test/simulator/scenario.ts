// What happens in a world: releases, what goes wrong and what is done to the traffic. The truth is in `truth`, which no judge is given.

import type { PlatformEvent } from '../../query/blame/case.ts'
import type { Effect, RejectChange, TrafficChange } from './effects.ts'
import type { SimRelease } from './rollouts.ts'
import type { IncidentClass } from './world.ts'

export type Truth = {
  readonly kind: IncidentClass | 'fault-free'
  /** Keys of the releases that did it, together; empty when none did. */
  readonly culprits: readonly string[]
  readonly onsetMs: number
  /** Whether requests that the change does not serve went on beside it at onset. */
  readonly hasControl: boolean
  /** Of a contrast over 24 h, by the world's average rates; Infinity where it is no question. */
  readonly expectedZ: number
}

export type Scenario = {
  readonly name: string
  readonly seed: readonly number[]
  readonly releases: readonly SimRelease[]
  readonly effects: readonly Effect[]
  readonly traffic: readonly TrafficChange[]
  readonly rejects: readonly RejectChange[]
  readonly events: readonly PlatformEvent[]
  readonly truth: Truth
}
