// Where the alarm comes from: the project's detector over each entry, as a whole, by region, by branch and by teller group. Which
// series are worth its look is known from running sums, so that a day costs little more than its rows.

import type { Fault, FaultMeasure } from '../../query/blame/case.ts'
import { detect } from '../../query/blame/detect.ts'
import type { Stream } from './stream.ts'

const WINDOWS = [2, 5, 15, 45]
const MINUTES = 90
const BAD_MIN = 4
const FIELDS = 3

type Group = { readonly entry: number; readonly region: string; readonly branch: string }

export class Detector {
  readonly #stream: Stream
  readonly #first: number
  readonly #groups: Group[] = []
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

  /** @returns the deviations of the minutes that end at `toMinute`, the greatest of each entry and measure, greatest first */
  look(toMinute: number, ignored: ReadonlySet<number> = new Set()): readonly Fault[] {
    while (this.#first + this.#sums.length - 1 < toMinute) this.#take()
    const newest = this.#sums.length - 1
    const oldest = Math.max(0, newest - MINUTES)
    const best = new Map<string, { surprise: number; group: Group; measure: FaultMeasure }>()
    for (const [number, group] of this.#groups.entries()) {
      if (ignored.has(group.entry) || !this.#isWorthALook(number, oldest, newest)) continue
      const column = (field: number) =>
        Float64Array.from(
          { length: newest - oldest },
          (_, at) => this.#sum(oldest + at + 1, number, field) - this.#sum(oldest + at, number, field),
        )
      const found = detect({
        stepMs: 60_000,
        startMs: (this.#first + oldest) * 60_000,
        requests: column(0),
        bad: column(1),
        slow: column(2),
      })
      for (const { measure, surprise } of found) {
        const key = `${String(group.entry)}|${measure}`
        if (surprise > (best.get(key)?.surprise ?? 0)) best.set(key, { surprise, group, measure })
      }
    }
    return [...best.values()]
      .toSorted((a, b) => b.surprise - a.surprise)
      .map(({ group, measure }) => faultOf(this.#stream, group, measure, toMinute))
  }

  #sum(minute: number, group: number, field: number): number {
    return this.#sums[minute]?.[group * FIELDS + field] ?? 0
  }

  /** What the detector asks of a window first, of sums. */
  #isWorthALook(group: number, oldest: number, newest: number): boolean {
    return WINDOWS.some((minutes) => {
      const from = newest - minutes
      if (from < oldest + 10) return false
      const past = this.#sum(from, group, 0) - this.#sum(oldest, group, 0)
      const now = this.#sum(newest, group, 0) - this.#sum(from, group, 0)
      return [1, 2].some((field) => {
        const bad = this.#sum(newest, group, field) - this.#sum(from, group, field)
        const before = (this.#sum(from, group, field) - this.#sum(oldest, group, field) + 1) / (past + 200)
        return bad >= BAD_MIN && bad >= 2 * before * now
      })
    })
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

function faultOf(stream: Stream, group: Group, measure: FaultMeasure, toMinute: number): Fault {
  const { service = '', operation = '', txnCode = '', channel = '' } = stream.world.entries[group.entry] ?? {}
  return {
    id: `fault-${String(toMinute)}`,
    origin: 'detector',
    name: '',
    measure,
    place: { service, operation, txnCode, channel, site: '', region: group.region, branch: group.branch },
    alarmAtMs: toMinute * 60_000,
    endedAtMs: undefined,
  }
}
