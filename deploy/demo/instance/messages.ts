// What the bank and its instances say to each other across the thread boundary. Types only.

import type { Fault, InstanceKey } from '../faults.ts'
import type { Routing } from '../routing.ts'

/** What an instance is started with. */
export type InstanceSeat = InstanceKey & {
  readonly instanceId: string
  readonly seed: number
  /** OTLP over HTTP, with `/v1/traces` */
  readonly tracesUrl: string
}

export type ToInstance =
  | { readonly kind: 'routing'; readonly routing: Routing }
  | { readonly kind: 'faults'; readonly faults: readonly Fault[] }
  /** Its site is gone: it closes its port and cuts every connection, until it is back. */
  | { readonly kind: 'site'; readonly isDown: boolean }
  | { readonly kind: 'stop' }

/** Requests answered since the last tally, by what became of them. */
export type Tally = { readonly requests: number; readonly rejects: number; readonly failures: number }

export type FromInstance =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'tally'; readonly tally: Tally }
  /** Why its port cannot be used; undefined when it can be again. */
  | { readonly kind: 'port'; readonly problem: string | undefined }
