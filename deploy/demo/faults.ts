// Faults that people inject: which instances they hit and what they do to one request. Pure; the randomness
// comes from the caller.

import type { Random } from './random.ts'
import type { ServiceName, Site } from './topology.ts'

export const FAULT_KINDS = ['errors', 'latency', 'wrong-result'] as const
/**
 * errors        the service answers 500
 * latency       the service answers later by `latencyMs`
 * wrong-result  the service answers 200 with a value that the next service to read it refuses with 500, so that
 *               the failure shows one hop away from its cause
 */
export type FaultKind = (typeof FAULT_KINDS)[number]

export type Fault = {
  readonly id: string
  readonly service: ServiceName
  /** undefined: every version */
  readonly version: string | undefined
  /** undefined: both sites */
  readonly site: Site | undefined
  readonly kind: FaultKind
  /** share of requests hit, in (0, 1] */
  readonly ratio: number
  /** for latency only */
  readonly latencyMs: number | undefined
  /** milliseconds since 1970 */
  readonly since: number
}

export type InstanceKey = { readonly service: ServiceName; readonly version: string; readonly site: Site }

export type FaultEffect = { readonly delayMs: number; readonly fails: boolean; readonly corrupts: boolean }

/** Nobody reads what a channel answers but the customer, so its wrong results would break no next hop. */
export function mayCorrupt(service: ServiceName): boolean {
  return service !== 'mobile-bff' && service !== 'counter-bff'
}

export function hits(fault: Fault, instance: InstanceKey): boolean {
  return (
    fault.service === instance.service &&
    (fault.version === undefined || fault.version === instance.version) &&
    (fault.site === undefined || fault.site === instance.site)
  )
}

/** What the faults of one instance do to one request: delays add up, one failure is enough. */
export function effectOf(faults: readonly Fault[], random: Random): FaultEffect {
  const struck = faults.filter((fault) => random() < fault.ratio)
  return {
    delayMs: struck.reduce((sum, fault) => sum + (fault.kind === 'latency' ? (fault.latencyMs ?? 0) : 0), 0),
    fails: struck.some((fault) => fault.kind === 'errors'),
    corrupts: struck.some((fault) => fault.kind === 'wrong-result'),
  }
}
