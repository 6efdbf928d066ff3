// How a release stands, by its steps and by what serves. Pure.

import type { StepKind } from '../../ingest/records/release-step.ts'
import type { ReleaseStage, ReleaseState } from './release.ts'
import { PAUSE_MS, type VersionSighting } from './version-sighting.ts'

/** What traffic says of a release's version and the one before it. */
export type Served = {
  /** End of the version's last stretch; undefined while it serves. */
  readonly untilMs: number | undefined
  /** End of the last stretch of the version before; undefined while it serves. */
  readonly beforeUntilMs: number | undefined
  /** Whether the version before took requests after this one had stopped. */
  readonly isBack: boolean
  readonly hasBefore: boolean
}

const STATES: Readonly<Record<Exclude<StepKind, 'noted'>, ReleaseState>> = {
  requested: 'requested',
  started: 'in_progress',
  step: 'in_progress',
  ready: 'serving',
  completed: 'completed',
  paused: 'paused',
  aborted: 'aborted',
  failed: 'aborted',
  rolled_back: 'rolled_back',
  removed: 'removed',
}
const ENDED: ReadonlySet<ReleaseState> = new Set(['completed', 'aborted', 'rolled_back', 'removed'])
/** Tools tell of the last steps in any order. */
const DISORDER_MS = 5 * 60_000
/** The last requests of two versions that stop together are never at the same second. */
const BACK_MS = 5 * 60_000

export type Life = { readonly state: ReleaseState; readonly endedAtMs: number | undefined }

/** @param stages  in order of time @param readyAtMs  first traffic; undefined: none, or traffic does not show it */
export function lifeOf(
  stages: readonly Pick<ReleaseStage, 'kind' | 'atMs'>[],
  readyAtMs: number | undefined,
  served: Served | undefined,
): Life {
  const told = toldLife(stages)
  if (readyAtMs === undefined || served === undefined) return told
  const { untilMs, beforeUntilMs, isBack, hasBefore } = served
  if (isBack && untilMs !== undefined && told.state !== 'aborted' && told.state !== 'removed')
    return { state: 'rolled_back', endedAtMs: told.state === 'rolled_back' ? told.endedAtMs : untilMs }
  if (ENDED.has(told.state) || told.state === 'paused') return told
  // The version before takes nothing any more, or there was none: it is all of it.
  if (!hasBefore) return { state: 'completed', endedAtMs: readyAtMs }
  if (beforeUntilMs !== undefined)
    return { state: 'completed', endedAtMs: Math.max(readyAtMs, beforeUntilMs) }
  return { state: 'serving', endedAtMs: undefined }
}

function toldLife(stages: readonly Pick<ReleaseStage, 'kind' | 'atMs'>[]): Life {
  const decisive = stages.filter(({ kind }) => kind !== 'noted')
  const last = decisive.at(-1)
  if (last === undefined) return { state: 'in_progress', endedAtMs: undefined }
  const end = decisive.findLast(({ kind }) => ENDED.has(stateOf(kind)))
  const isOver = end !== undefined && last.atMs - end.atMs <= DISORDER_MS
  const kind = isOver ? end.kind : last.kind
  const state = stateOf(kind)
  return { state, endedAtMs: ENDED.has(state) ? (isOver ? end : last).atMs : undefined }
}

const stateOf = (kind: StepKind): ReleaseState => (kind === 'noted' ? 'in_progress' : STATES[kind])

/**
 * @param place  all versions of the service in the environment
 * @param nextReturn  when a version comes back by another release after an instant; Infinity: never
 */
export function servedOf(
  place: readonly VersionSighting[],
  version: string,
  versionFrom: string,
  readyAtMs: number,
  nextReturn: (version: string, afterMs: number) => number,
): Served {
  const ends = (name: string, beforeMs: number) =>
    place
      .filter((one) => one.version === name)
      .flatMap(({ stretches }) => stretches.filter(({ fromMs }) => fromMs < beforeMs).map(({ toMs }) => toMs))
  // Over is what stopped while others went on: a whole service may be idle.
  const newestMs = Math.max(...place.flatMap(({ stretches }) => stretches.map(({ toMs }) => toMs)))
  const isOver = (endMs: number) => endMs < newestMs - PAUSE_MS
  const endMs = Math.max(readyAtMs, ...ends(version, nextReturn(version, readyAtMs)))
  const untilMs = isOver(endMs) ? endMs : undefined
  const beforeEndMs = Math.max(-Infinity, ...ends(versionFrom, nextReturn(versionFrom, readyAtMs)))
  const hasBefore = versionFrom !== '' && beforeEndMs > -Infinity
  return {
    untilMs,
    beforeUntilMs: hasBefore && isOver(beforeEndMs) ? beforeEndMs : undefined,
    isBack: untilMs !== undefined && ends(versionFrom, Infinity).some((at) => at > untilMs + BACK_MS),
    hasBefore,
  }
}
