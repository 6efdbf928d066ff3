// Alarms over a long time: what deviates rings until it is as usual again, and alarms that belong together are one fault, by the rule that
// stored faults follow.

import { isAsUsual } from '../../alerts/faults/deviation.ts'
import type { Fault } from '../../query/blame/case.ts'
import { ANYWHERE, episodeOf, relatedServices, type Alarm, type Episode } from '../../query/faults/alarm.ts'
import { Detector, placeOf, type Deviating } from './detector.ts'
import { MINUTE_MS } from './rollouts.ts'
import type { Stream } from './stream.ts'

/** As in the loop that watches the store (alerts/faults/deviations.ts): how long what rang must be as usual, or silent. */
const OVER_MINUTES = 3
const SILENT_MINUTES = 15
const BEFORE_MINUTES = 30

type Ring = Deviating & { readonly fault: string; heardAtMinute: number }

export class Ringing {
  /** Series that began to ring. */
  alarms = 0
  readonly #stream: Stream
  readonly #detector: Detector
  readonly #rings = new Map<string, Ring>()
  readonly #related = new Map<string, ReadonlySet<string>>()
  #episodes: Episode[] = []

  constructor(stream: Stream) {
    this.#stream = stream
    this.#detector = new Detector(stream)
  }

  /** @returns faults that begin with the minutes that end here */
  look(toMinute: number): readonly Fault[] {
    this.#end(toMinute)
    const begun: Fault[] = []
    for (const one of this.#detector.deviations(toMinute)) {
      const key = `${String(one.series)}|${one.deviation.measure}`
      if (this.#rings.has(key)) continue
      this.alarms += 1
      const alarm = {
        place: { ...ANYWHERE, ...placeOf(this.#stream.world, one.group) },
        measure: one.deviation.measure,
        atMs: toMinute * MINUTE_MS,
      }
      const { fault, isNew } = this.#faultOf(alarm)
      this.#rings.set(key, { ...one, fault, heardAtMinute: toMinute })
      if (!isNew) continue
      begun.push({
        id: fault,
        origin: 'detector',
        name: '',
        measure: alarm.measure,
        place: alarm.place,
        alarmAtMs: alarm.atMs,
        endedAtMs: undefined,
      })
    }
    return begun
  }

  #faultOf(alarm: Pick<Alarm, 'place' | 'measure' | 'atMs'>): { fault: string; isNew: boolean } {
    const joined = episodeOf(alarm, this.#episodes, this.#relatedTo(alarm.place.service))
    if (joined === undefined) {
      const fault = `fault-${String(alarm.atMs / MINUTE_MS)}-${String(this.alarms)}`
      this.#episodes.push({
        id: fault,
        service: alarm.place.service,
        measure: alarm.measure,
        alarmAtMs: alarm.atMs,
        newestAlarmAtMs: alarm.atMs,
        endedAtMs: undefined,
      })
      return { fault, isNew: true }
    }
    this.#episodes = this.#episodes.map((episode) =>
      episode === joined ? { ...episode, newestAlarmAtMs: alarm.atMs, endedAtMs: undefined } : episode,
    )
    return { fault: joined.id, isNew: false }
  }

  #relatedTo(service: string): ReadonlySet<string> {
    const known = this.#related.get(service) ?? relatedServices(service, this.#stream.world.calls)
    this.#related.set(service, known)
    return known
  }

  #end(toMinute: number): void {
    for (const [key, ring] of this.#rings) if (this.#isOver(ring, toMinute)) this.#rings.delete(key)
    const ringing = new Set([...this.#rings.values()].map(({ fault }) => fault))
    this.#episodes = this.#episodes.map((episode) =>
      episode.endedAtMs === undefined && !ringing.has(episode.id)
        ? { ...episode, endedAtMs: toMinute * MINUTE_MS }
        : episode,
    )
  }

  #isOver(ring: Ring, toMinute: number): boolean {
    const { series, deviation } = ring
    const { requests, bad, slow } = this.#detector.lately(series, OVER_MINUTES, toMinute)
    if (deviation.measure === 'requests_lost') {
      const before = this.#detector.lately(series, BEFORE_MINUTES, toMinute - OVER_MINUTES).requests
      return requests >= (before / BEFORE_MINUTES) * OVER_MINUTES * 0.5
    }
    if (requests > 0) ring.heardAtMinute = toMinute
    if (requests === 0) return toMinute - ring.heardAtMinute >= SILENT_MINUTES
    return isAsUsual(requests, deviation.measure === 'latency' ? slow : bad, deviation.ratioBefore)
  }
}
