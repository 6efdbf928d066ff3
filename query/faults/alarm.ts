// An alarm and the fault it belongs to. Pure: one incident rings at the entry, at the root and in several cells, and is one fault.

import { createHash } from 'node:crypto'
import type { Fault, FaultPlace } from '../blame/case.ts'

/** Something that rang: it begins a fault or comes to one. */
export type Alarm = {
  /** Of this ringing: the same again changes nothing. */
  readonly key: string
  /** Of everything that rings so: what ends it names it by this. */
  readonly series: string
  readonly origin: Fault['origin']
  readonly name: string
  readonly measure: Fault['measure']
  readonly place: FaultPlace
  /** Owning system as far as its origin knows; undefined: of none. */
  readonly system: string | undefined
  readonly atMs: number
}

export const ANYWHERE: Omit<FaultPlace, 'service'> = {
  operation: '',
  txnCode: '',
  channel: '',
  site: '',
  region: '',
  branch: '',
}

/** What of a fault decides whether an alarm belongs to it. */
export type Episode = {
  readonly id: string
  readonly service: string
  readonly measure: Fault['measure']
  /** Of its first and of its newest alarm. */
  readonly alarmAtMs: number
  readonly newestAlarmAtMs: number
  readonly endedAtMs: number | undefined
}

/** Another alarm of the same service within this long of the newest, or of the end, is of the same episode. */
export const SAME_SERVICE_MS = 30 * 60_000
/** One of a service that calls it or is called by it, through others too, within this long of the first. */
export const RELATED_MS = 5 * 60_000
/** What rings again so soon after it was over was not over. */
export const FLAPPING_MS = 5 * 60_000

/** What fails is slow as well, and part of the same; who is slow and then fails is another matter. */
const GRAVEST: readonly Fault['measure'][] = ['errors', 'requests_lost', 'latency']

/**
 * @param episodes  faults that are open or ended lately
 * @param related   services that reach the alarm's or are reached by it
 * @returns the fault that it belongs to, the oldest of several; undefined: it begins one
 */
export function episodeOf(
  alarm: Pick<Alarm, 'place' | 'atMs' | 'measure'>,
  episodes: readonly Episode[],
  related: ReadonlySet<string>,
): Episode | undefined {
  const belongs = ({ service, measure, alarmAtMs, newestAlarmAtMs, endedAtMs }: Episode) => {
    if (GRAVEST.indexOf(measure) > GRAVEST.indexOf(alarm.measure)) return false
    if (endedAtMs !== undefined && alarm.atMs - endedAtMs > FLAPPING_MS) return false
    if (service === alarm.place.service)
      return (
        alarm.atMs >= alarmAtMs - SAME_SERVICE_MS &&
        alarm.atMs <= Math.max(newestAlarmAtMs, endedAtMs ?? 0) + SAME_SERVICE_MS
      )
    return related.has(service) && Math.abs(alarm.atMs - alarmAtMs) <= RELATED_MS
  }
  const own = episodes.filter(belongs)
  const sameService = own.filter(({ service }) => service === alarm.place.service)
  return (sameService.length > 0 ? sameService : own).toSorted(
    (a, b) => a.alarmAtMs - b.alarmAtMs || (a.id < b.id ? -1 : 1),
  )[0]
}

/** Id of the fault that an alarm begins. */
export const faultIdOf = (key: string) => `f-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`

/** Everything that a service reaches by calls, or is reached from. @param calls  [caller, callee] */
export function relatedServices(
  service: string,
  calls: readonly (readonly [string, string])[],
): ReadonlySet<string> {
  const found = new Set<string>()
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const next = Map.groupBy(calls, (call) => call[from])
    const seen = new Set([service])
    for (const one of seen) for (const call of next.get(one) ?? []) seen.add(call[to])
    for (const one of seen) found.add(one)
  }
  found.delete(service)
  return found
}
