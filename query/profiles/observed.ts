// Whom a service or a system calls, and who calls it: by service or by system, what a caller may not read as one. Pure.

import { mayRead, type ReadScope } from '../people/read-scope.ts'
import type { ObservedCall } from '../http/profile-schemas.ts'
import type { Call } from '../reports/dependencies.ts'

export type Observing = {
  /** The services that are one here: calls among them are none. */
  readonly own: ReadonlySet<string>
  /** The system they are part of. */
  readonly system: string | undefined
  readonly systemOf: (service: string) => string | undefined
  /** What a system declares to depend on; undefined: it is not registered. */
  readonly dependsOn: (system: string) => readonly string[] | undefined
  /** Others are told by system where they have one, else each by its name. */
  readonly isBySystem: boolean
  readonly reads: ReadScope
  readonly seconds: number
}

type Sum = {
  readonly told: Omit<ObservedCall, 'requests' | 'ratePerSecond' | 'errorRatio'>
  calls: number
  failed: number
}

/** @returns both most calls first */
export function observed(
  calls: readonly Call[],
  observing: Observing,
): { readonly calls: ObservedCall[]; readonly callers: ObservedCall[] } {
  const { own } = observing
  const from = calls.filter(({ caller, callee }) => own.has(caller) && !own.has(callee))
  const to = calls.filter(({ caller, callee }) => !own.has(caller) && own.has(callee))
  return {
    calls: summed(from, ({ callee, peer }) => told(callee, peer, 'callee', observing), observing.seconds),
    callers: summed(to, ({ caller }) => told(caller, '', 'caller', observing), observing.seconds),
  }
}

/** Systems that were called. */
export function observedSystems(calls: readonly Call[], { own, systemOf }: Observing): ReadonlySet<string> {
  return new Set(
    calls.flatMap(({ caller, callee }) => (own.has(caller) && callee !== '' ? (systemOf(callee) ?? []) : [])),
  )
}

function told(
  service: string,
  peer: string,
  side: 'caller' | 'callee',
  { system: ownSystem, systemOf, dependsOn, isBySystem, reads }: Observing,
): Sum['told'] {
  if (service === '') return { kind: 'peer', name: peer, system: null, isDeclared: null }
  const system = systemOf(service)
  if (!mayRead(reads, system)) return { kind: 'hidden', name: null, system: null, isDeclared: null }
  const isDeclared =
    system === undefined || ownSystem === undefined || system === ownSystem
      ? null
      : side === 'callee'
        ? declares(ownSystem, system)
        : declares(system, ownSystem)
  return isBySystem && system !== undefined
    ? { kind: 'system', name: system, system: null, isDeclared }
    : { kind: 'service', name: service, system: system ?? null, isDeclared }

  function declares(one: string, other: string): boolean | null {
    return dependsOn(one)?.includes(other) ?? null
  }
}

function summed(calls: readonly Call[], tell: (call: Call) => Sum['told'], seconds: number): ObservedCall[] {
  const sums = new Map<string, Sum>()
  for (const call of calls) {
    const said = tell(call)
    const key = JSON.stringify(said)
    const sum = sums.get(key) ?? { told: said, calls: 0, failed: 0 }
    sum.calls += call.calls
    sum.failed += call.failed
    sums.set(key, sum)
  }
  return [...sums.values()]
    .toSorted((a, b) => b.calls - a.calls)
    .map(({ told: said, calls: count, failed }) => ({
      ...said,
      requests: Math.round(count / 1000),
      ratePerSecond: count / 1000 / seconds,
      errorRatio: count === 0 ? null : failed / count,
    }))
}
