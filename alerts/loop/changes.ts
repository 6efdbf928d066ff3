// What judging changed, by track, until it is kept.

import type { Evaluation } from '../../query/slo/evaluate.ts'
import type { Changed } from './state-store.ts'
import type { Track } from './track.ts'

export class Changes {
  readonly #byTrack = new Map<string, { track: Track; transitions: Changed['transitions'][number][] }>()

  /** The track takes the new state; a first judgement is a change, too. */
  take(track: Track, { state, transitions }: Evaluation): void {
    const isFirst = track.state.judgedAtMs === undefined && state.judgedAtMs !== undefined
    track.state = state
    if (transitions.length > 0 || isFirst) this.#add(track, transitions)
  }

  /** Of a track that changed twice the newest state, and all transitions. */
  join(changes: readonly Changed[]): void {
    for (const { track, transitions } of changes) this.#add(track, transitions)
  }

  all(): Changed[] {
    return [...this.#byTrack.values()]
  }

  #add(track: Track, transitions: Changed['transitions']): void {
    const entry = this.#byTrack.get(track.id) ?? { track, transitions: [] }
    this.#byTrack.set(track.id, { track, transitions: [...entry.transitions, ...transitions] })
  }
}
