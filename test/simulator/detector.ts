// Where the alarm comes from: a share of bad requests of an entry, by region, branch or teller group, that chance does not make,
// against the hour before. Sums run along, so that a day costs no more than its rows.

import type { Fault, FaultMeasure } from '../../query/blame/case.ts'
import type { Stream } from './stream.ts'

const WINDOW = 3
const BASE = 60
/** Of three minutes; of a single one that is beyond doubt. */
const Z = 6
const Z_AT_ONCE = 14
const LEAST = 6
const FIELDS = 3
/** Minutes vary by more than chance. */
const SPREAD = { errors: 0.35, latency: 0.15 }

export class Detector {
  readonly #stream: Stream
  #next: number
  readonly #groups: { readonly entry: number }[] = []
  /** Groups that a row of an entry and cell counts in, at `entry × cells + cell`. */
  readonly #groupsOf: (readonly number[] | undefined)[] = []
  readonly #ring: Float64Array[] = []
  readonly #base: Float64Array
  readonly #now: Float64Array

  constructor(stream: Stream) {
    this.#stream = stream
    this.#next = stream.fromMinute
    const { world } = stream
    const ids = new Map<string, number>()
    const groupOf = (entry: number, key: string): number => {
      const known = ids.get(`${String(entry)}|${key}`)
      if (known !== undefined) return known
      ids.set(`${String(entry)}|${key}`, this.#groups.length)
      this.#groups.push({ entry })
      return this.#groups.length - 1
    }
    world.entries.forEach(({ cellBase }, entry) => {
      world.places.forEach(({ region, branch, teller }, place) => {
        this.#groupsOf[entry * world.cells.length + cellBase + place] = [
          groupOf(entry, ''),
          groupOf(entry, region),
          groupOf(entry, branch),
          groupOf(entry, `${branch}|${teller}`),
        ]
      })
    })
    this.#base = new Float64Array(this.#groups.length * FIELDS)
    this.#now = new Float64Array(this.#groups.length * FIELDS)
  }

  /** @returns a fault when the minutes that end at `toMinute` are not as usual */
  look(toMinute: number, ignored: ReadonlySet<number> = new Set()): Fault | undefined {
    while (this.#next < toMinute) this.#take()
    if (this.#ring.length < WINDOW + 15) return undefined
    const newest = this.#ring.at(-1) ?? new Float64Array()
    const before = this.#ring.at(-2) ?? new Float64Array()
    let best: { readonly z: number; readonly entry: number; readonly measure: FaultMeasure } | undefined
    for (const [group, { entry }] of this.#groups.entries()) {
      if (ignored.has(entry)) continue
      const at = group * FIELDS
      for (const measure of ['errors', 'latency'] as const) {
        const field = measure === 'errors' ? 1 : 2
        const share = ((this.#base[at + field] ?? 0) + 0.5) / ((this.#base[at] ?? 0) + 50)
        const score = (counts: Float64Array, minutes: number) => {
          const expected = share * (counts[at] ?? 0)
          const excess = (counts[at + field] ?? 0) - expected
          return { excess, z: excess / Math.sqrt(expected + (expected * SPREAD[measure]) ** 2 / minutes + 1) }
        }
        const window = score(this.#now, WINDOW)
        if (window.excess < LEAST || window.z < Z) continue
        const last = score(newest, 1)
        const isSeenTwice = last.z > 2 && score(before, 1).z > 2
        if (!isSeenTwice && last.z < Z_AT_ONCE) continue
        if (best === undefined || window.z > best.z) best = { z: window.z, entry, measure }
      }
    }
    return best === undefined ? undefined : faultOf(this.#stream, best.entry, best.measure, toMinute)
  }

  #take(): void {
    const { world } = this.#stream
    const [from, to] = this.#stream.rowsOf(this.#next, this.#next + 1)
    const rows = this.#stream.rows.view(from, to)
    const counts = new Float64Array(this.#groups.length * FIELDS)
    for (let row = 0; row < rows.length; row += 1) {
      const groups =
        this.#groupsOf[(rows.entry[row] as number) * world.cells.length + (rows.cell[row] as number)]
      if (groups === undefined) continue
      const bad =
        (rows.systemErrors[row] as number) + (rows.businessErrors[row] as number) + (rows.shed[row] as number)
      for (const group of groups) {
        const at = group * FIELDS
        counts[at] = (counts[at] as number) + (rows.requests[row] as number)
        counts[at + 1] = (counts[at + 1] as number) + bad
        counts[at + 2] = (counts[at + 2] as number) + (rows.slow[row] as number)
      }
    }
    this.#ring.push(counts)
    const leaving = this.#ring.at(-1 - WINDOW)
    const forgotten = this.#ring.length > WINDOW + BASE ? this.#ring.shift() : undefined
    for (let at = 0; at < counts.length; at += 1) {
      this.#now[at] = (this.#now[at] as number) + (counts[at] as number) - (leaving?.[at] ?? 0)
      this.#base[at] = (this.#base[at] as number) + (leaving?.[at] ?? 0) - (forgotten?.[at] ?? 0)
    }
    this.#next += 1
  }
}

function faultOf(stream: Stream, entry: number, measure: FaultMeasure, toMinute: number): Fault {
  const { service = '', operation = '', txnCode = '', channel = '' } = stream.world.entries[entry] ?? {}
  return {
    id: `fault-${String(toMinute)}`,
    origin: 'detector',
    name: '',
    measure,
    place: { service, operation, txnCode, channel, site: '', region: '', branch: '' },
    alarmAtMs: toMinute * 60_000,
    endedAtMs: undefined,
  }
}
