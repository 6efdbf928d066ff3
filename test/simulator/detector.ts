// Where the alarm comes from: the project's detector over each entry, as a whole, by region, by branch and by teller group. Which
// series are worth its look is known from running sums, so that a day costs little more than its rows.

import type { Fault, FaultPlace } from '../../query/blame/case.ts'
import { detect, type DetectorSeries, type Deviation } from '../../query/blame/detect.ts'
import type { Stream } from './stream.ts'
import type { World } from './world.ts'

const WINDOWS = [2, 5, 15, 45]
const MINUTES = 90
const BAD_MIN = 4
/** Lost requests: the minutes that are looked at, those before, and how many were to be expected at least. */
const LOST = { minutes: 3, before: 30, least: 30 } as const
/** Coarser than what the detector asks: no tail that is rare enough for it begins below. */
const MORE_LEAST = 1.5
const DEVIATES_LEAST = 3.2
const FIELDS = 3

export type Group = { readonly entry: number; readonly region: string; readonly branch: string }

/** A series that deviates: whose, and how. */
export type Deviating = { readonly series: number; readonly group: Group; readonly deviation: Deviation }

type Counted = Pick<DetectorSeries, 'requests' | 'bad' | 'slow'>

/** Requests of a stretch of time. */
export type Stretch = { readonly requests: number; readonly bad: number; readonly slow: number }

export class Detector {
  readonly #stream: Stream
  readonly #first: number
  readonly #groups: Group[] = []
  /** By entry. */
  readonly #wholeOf: number[] = []
  /** Groups that a row of an entry and cell counts in, at `entry × cells + cell`. */
  readonly #groupsOf: (readonly number[] | undefined)[] = []
  /** Sums since the first minute, by minute: requests, bad, slow of each group. */
  readonly #sums: Float64Array[]

  constructor(stream: Stream) {
    this.#stream = stream
    this.#first = stream.fromMinute
    const { world } = stream
    const ids = new Map<string, number>()
    const groupOf = (entry: number, region: string, branch: string, teller: string): number => {
      const key = [entry, region, branch, teller].join('|')
      const known = ids.get(key)
      if (known !== undefined) return known
      ids.set(key, this.#groups.length)
      this.#groups.push({ entry, region, branch })
      return this.#groups.length - 1
    }
    world.entries.forEach(({ cellBase }, entry) => {
      this.#wholeOf.push(groupOf(entry, '', '', ''))
      world.places.forEach(({ region, branch, teller }, place) => {
        this.#groupsOf[entry * world.cells.length + cellBase + place] = [
          groupOf(entry, '', '', ''),
          groupOf(entry, region, '', ''),
          groupOf(entry, region, branch, ''),
          groupOf(entry, region, branch, teller),
        ]
      })
    })
    this.#sums = [new Float64Array(this.#groups.length * FIELDS)]
  }

  /** @returns all that deviates in the minutes that end at `toMinute`, the greatest first */
  deviations(toMinute: number): readonly Deviating[] {
    this.#takeUntil(toMinute)
    const newest = toMinute - this.#first
    const oldest = Math.max(0, newest - MINUTES)
    const found: Deviating[] = []
    const wholes = new Map<number, Counted>()
    for (const [series, group] of this.#groups.entries()) {
      if (!this.#isWorthALook(series, oldest, newest)) continue
      const counted = this.#counted(series, oldest, newest)
      const isPart = group.region !== ''
      const whole = wholes.get(group.entry) ?? this.#counted(this.#wholeOf[group.entry] ?? 0, oldest, newest)
      if (isPart) wholes.set(group.entry, whole)
      for (const deviation of detect({
        stepMs: 60_000,
        startMs: (this.#first + oldest) * 60_000,
        ...counted,
        ...(isPart ? { whole } : {}),
      }))
        found.push({ series, group, deviation })
    }
    return found.toSorted((a, b) => b.deviation.surprise - a.deviation.surprise)
  }

  /** @returns the greatest deviation of each entry and measure, as faults, greatest first */
  look(toMinute: number): readonly Fault[] {
    const best = new Map<string, Deviating>()
    for (const one of this.deviations(toMinute)) {
      const key = `${String(one.group.entry)}|${one.deviation.measure}`
      if (!best.has(key)) best.set(key, one)
    }
    return [...best.values()].map(({ group, deviation }) => ({
      id: `fault-${String(toMinute)}`,
      origin: 'detector',
      name: '',
      measure: deviation.measure,
      place: placeOf(this.#stream.world, group),
      alarmAtMs: toMinute * 60_000,
      endedAtMs: undefined,
    }))
  }

  /** What a series had in some minutes before one. */
  lately(series: number, minutes: number, toMinute: number): Stretch {
    this.#takeUntil(toMinute)
    const newest = toMinute - this.#first
    const of = (field: number) =>
      this.#sum(newest, series, field) - this.#sum(Math.max(0, newest - minutes), series, field)
    return { requests: of(0), bad: of(1), slow: of(2) }
  }

  #counted(series: number, oldest: number, newest: number): Counted {
    return {
      requests: this.#column(series, 0, oldest, newest),
      bad: this.#column(series, 1, oldest, newest),
      slow: this.#column(series, 2, oldest, newest),
    }
  }

  #column(group: number, field: number, oldest: number, newest: number): Float64Array {
    const column = new Float64Array(newest - oldest)
    for (let at = 0; at < column.length; at += 1)
      column[at] = this.#sum(oldest + at + 1, group, field) - this.#sum(oldest + at, group, field)
    return column
  }

  #sum(minute: number, group: number, field: number): number {
    return this.#sums[minute]?.[group * FIELDS + field] ?? 0
  }

  /** What the detector asks of a window first, of sums, and whether the count is far out for one that wanders least. */
  #isWorthALook(group: number, oldest: number, newest: number): boolean {
    const recent = Math.max(oldest, newest - LOST.minutes)
    const before = this.#sum(recent, group, 0) - this.#sum(Math.max(oldest, recent - LOST.before), group, 0)
    const expected = (before / LOST.before) * LOST.minutes
    const left = this.#sum(newest, group, 0) - this.#sum(recent, group, 0)
    if (expected >= LOST.least && left <= expected / 2) return true
    return WINDOWS.some((minutes) => {
      const from = newest - minutes
      if (from < oldest + 10) return false
      const past = this.#sum(from, group, 0) - this.#sum(oldest, group, 0)
      const now = this.#sum(newest, group, 0) - this.#sum(from, group, 0)
      return [1, 2].some((field) => {
        const bad = this.#sum(newest, group, field) - this.#sum(from, group, field)
        if (bad < BAD_MIN) return false
        const known = this.#sum(from, group, field) - this.#sum(oldest, group, field) + 1
        const mean = (known / (past + 200)) * now
        const spread = Math.sqrt(mean + (mean * mean) / known)
        return bad >= MORE_LEAST * mean && bad >= mean + DEVIATES_LEAST * spread
      })
    })
  }

  #takeUntil(minute: number): void {
    while (this.#first + this.#sums.length - 1 < minute) this.#take()
  }

  #take(): void {
    const { world } = this.#stream
    const minute = this.#first + this.#sums.length - 1
    const [from, to] = this.#stream.rowsOf(minute, minute + 1)
    const rows = this.#stream.rows.view(from, to)
    const sums = (this.#sums.at(-1) ?? new Float64Array()).slice()
    for (let row = 0; row < rows.length; row += 1) {
      const groups =
        this.#groupsOf[(rows.entry[row] as number) * world.cells.length + (rows.cell[row] as number)]
      if (groups === undefined) continue
      const bad =
        (rows.systemErrors[row] as number) + (rows.businessErrors[row] as number) + (rows.shed[row] as number)
      for (const group of groups) {
        const at = group * FIELDS
        sums[at] = (sums[at] as number) + (rows.requests[row] as number)
        sums[at + 1] = (sums[at + 1] as number) + bad
        sums[at + 2] = (sums[at + 2] as number) + (rows.slow[row] as number)
      }
    }
    this.#sums.push(sums)
  }
}

export function placeOf(world: World, { entry, region, branch }: Group): FaultPlace {
  const { service = '', operation = '', txnCode = '', channel = '' } = world.entries[entry] ?? {}
  return { service, operation, txnCode, channel, site: '', region, branch }
}
