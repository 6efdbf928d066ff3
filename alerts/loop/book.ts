// Every track there is, found by step, by series and group, and by name.

import type { SliceQuestion } from '../../query/measure/question.ts'
import type { Slo } from '../../query/promises/slos.ts'
import type { WindowSums } from '../../query/slo/window-sums.ts'
import { allSums, type Track } from './track.ts'

export type StepMs = 10_000 | 60_000
export const STEPS: readonly StepMs[] = [10_000, 60_000]

export class Book {
  readonly #tracks = new Map<string, Track>()
  readonly #slos = new Map<string, Slo>()
  readonly #bySlo = new Map<string, Set<Track>>()
  /** By series and group: who counts these slices. */
  readonly #sums = new Map<string, Map<string, WindowSums[]>>()

  get size(): number {
    return this.#tracks.size
  }

  slos(): Iterable<Slo> {
    return this.#slos.values()
  }

  slo(name: string): Slo | undefined {
    return this.#slos.get(name)
  }

  enter(slo: Slo): void {
    this.#slos.set(slo.name, slo)
  }

  /** An SLO that is gone or changed, with its tracks. */
  leave(name: string): readonly Track[] {
    this.#slos.delete(name)
    const gone = [...(this.#bySlo.get(name) ?? [])]
    for (const track of gone) this.remove(track)
    return gone
  }

  add(track: Track): void {
    this.#tracks.set(track.id, track)
    this.#bySlo.set(track.slo.name, (this.#bySlo.get(track.slo.name) ?? new Set()).add(track))
    for (const { series, sums } of allSums(track)) {
      const groups = this.#sums.get(series) ?? new Map<string, WindowSums[]>()
      this.#sums.set(series, groups)
      // A probe has no groups of its own: it stands in for every one.
      const group = track.probe?.sums === sums ? '' : track.group
      groups.set(group, [...(groups.get(group) ?? []), sums])
    }
  }

  remove(track: Track): void {
    this.#tracks.delete(track.id)
    this.#bySlo.get(track.slo.name)?.delete(track)
    for (const { series, sums } of allSums(track)) {
      const groups = this.#sums.get(series)
      for (const [group, all] of groups ?? []) {
        const left = all.filter((one) => one !== sums)
        if (left.length === 0) groups?.delete(group)
        else groups?.set(group, left)
      }
      if (groups?.size === 0) this.#sums.delete(series)
    }
  }

  track(id: string): Track | undefined {
    return this.#tracks.get(id)
  }

  tracks(stepMs?: StepMs): Track[] {
    const all = [...this.#tracks.values()]
    return stepMs === undefined ? all : all.filter(({ slo }) => slo.stepMs === stepMs)
  }

  tracksOf(slo: Slo): Track[] {
    return [...(this.#bySlo.get(slo.name) ?? [])]
  }

  questions(stepMs: StepMs): SliceQuestion[] {
    const all = [...this.#slos.values()].flatMap((slo) => (slo.stepMs === stepMs ? slo.questions : []))
    // SLOs that ask the same share its answer.
    return [...new Map(all.map((question) => [question.series, question])).values()]
  }

  /** Who counts a slice of a series and group. */
  sumsOf(series: string, group: string): readonly WindowSums[] {
    return this.#sums.get(series)?.get(group) ?? []
  }

  groupsOf(series: string): Iterable<string> {
    return this.#sums.get(series)?.keys() ?? []
  }
}
