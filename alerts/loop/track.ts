// One that is judged by itself: an objective of an SLO (or a composite as a whole) in one group, with its sums and its state.

import { createHash } from 'node:crypto'
import type { Judged, Slo } from '../../query/promises/slos.ts'
import { inEvents } from '../../query/promises/events.ts'
import type { StatusRow, ToldStatus, TrackName } from '../../query/promises/status-store.ts'
import { CompositeTimeslices } from '../../query/slo/composite-timeslices.ts'
import { evaluate, type Evaluation } from '../../query/slo/evaluate.ts'
import { excludedSlices, expandExclusions } from '../../query/slo/exclusion.ts'
import { observeComposite, readComposite } from '../../query/slo/observe-composite.ts'
import type { Budgeting } from '../../query/slo/model.ts'
import { observe } from '../../query/slo/observe.ts'
import type { SliceRange } from '../../query/slo/slice-ranges.ts'
import { sloStatus, statusOf } from '../../query/slo/slo-status.ts'
import { windowAt } from '../../query/slo/slo-window.ts'
import type { SloState } from '../../query/slo/slo-state.ts'
import { WindowSums, type OpenCounts } from '../../query/slo/window-sums.ts'

const HOUR_MS = 3_600_000
/** Slices held in memory: the windows up to six hours leave from there, and what comes late within an hour is put there. */
const HELD_MS = 7 * HOUR_MS
/** So far ahead recurring exclusions are known; expanded anew before it ends. */
const AHEAD_MS = 48 * HOUR_MS

/** What a track learnt beside slices. */
export type Extras = Pick<ToldStatus, 'backfill' | 'isMissing' | 'failure' | 'tooManyGroups'>

export type Track = {
  readonly slo: Slo
  readonly judged: Judged
  readonly group: string
  /** Names it in the registry's database. */
  readonly id: string
  /** Of everything that makes figures comparable with the past. */
  readonly fingerprint: string
  readonly parts: readonly { readonly series: string; readonly sums: WindowSums }[]
  readonly probe: { readonly series: string; readonly sums: WindowSums } | undefined
  /** Of a composite of Timeslices. */
  readonly whole: CompositeTimeslices | undefined
  state: SloState
  knownFromMs: number | undefined
  /** Whether any event was ever counted. */
  isMatched: boolean
  excludedToMs: number
  extras: Extras
}

export const NOTHING_KNOWN: Extras = {
  backfill: undefined,
  isMissing: false,
  failure: undefined,
  tooManyGroups: undefined,
}

export const trackId = (slo: Slo, judged: Judged, group: string) => `${slo.id}.${judged.objective}.${group}`

export const nameOf = ({ slo, judged, group }: Track): TrackName => ({
  slo: slo.name,
  objective: judged.objective,
  group,
})

export function fingerprintOf(
  { generation, stepMs, definition }: Slo,
  { parts, isComposite, compiled }: Judged,
) {
  const { budgeting } = compiled.policy
  const facts = [
    generation,
    stepMs,
    definition.window,
    budgeting,
    isComposite,
    parts.map(({ series, budgeting: own }) => [series, own]),
  ]
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32)
}

/** Without slices yet; exclusions are set. @param head  first slice that has not begun */
export function buildTrack(slo: Slo, judged: Judged, group: string, head: number, state: SloState): Track {
  const { compiled } = judged
  const build = (budgeting: Budgeting) =>
    new WindowSums({
      stepMs: slo.stepMs,
      budgeting,
      windows: compiled.windows,
      hotSlices: Math.ceil(HELD_MS / slo.stepMs),
      head,
    })
  const parts = judged.parts.map(({ series, budgeting }) => ({ series, sums: build(budgeting) }))
  const track: Track = {
    slo,
    judged,
    group,
    id: trackId(slo, judged, group),
    fingerprint: fingerprintOf(slo, judged),
    parts,
    probe:
      judged.probe === undefined
        ? undefined
        : { series: judged.probe, sums: build(compiled.policy.budgeting) },
    whole: wholeOf(judged, parts),
    state,
    knownFromMs: undefined,
    isMatched: false,
    excludedToMs: 0,
    extras: NOTHING_KNOWN,
  }
  exclude(track)
  return track
}

function wholeOf(
  { isComposite, compiled, parts: judgedParts }: Judged,
  parts: Track['parts'],
): CompositeTimeslices | undefined {
  if (!isComposite || compiled.policy.budgeting.method !== 'Timeslices') return undefined
  const timeslices = parts.flatMap(({ sums }, index) => {
    const budgeting = judgedParts[index]?.budgeting
    return budgeting?.method === 'Timeslices' ? [{ sums, budgeting }] : []
  })
  return new CompositeTimeslices(compiled, timeslices)
}

/** Those that are fed slices. */
export const allSums = ({ parts, probe }: Track) => (probe === undefined ? parts : [...parts, probe])

/** What is excluded of the track's windows, and a while ahead. */
export function excludedOf(
  { slo, judged }: Pick<Track, 'slo' | 'judged'>,
  headMs: number,
): readonly SliceRange[] {
  if (slo.exclusions.length === 0) return []
  const { policy, windows } = judged.compiled
  // At the beginning of a month burn windows reach further back than it.
  const reachMs = Math.max(0, ...windows.map((window) => (window.kind === 'rolling' ? window.durationMs : 0)))
  const fromMs = Math.min(windowAt(policy.window, headMs - 1).fromMs, headMs - reachMs)
  const { stretches } = expandExclusions(slo.exclusions, fromMs, headMs + AHEAD_MS)
  return excludedSlices(stretches, slo.stepMs)
}

function exclude(track: Track): void {
  const headMs = headMsOf(track)
  const ranges = excludedOf(track, headMs)
  for (const { sums } of allSums(track)) sums.setExclusions(ranges)
  track.whole?.setExclusions(ranges)
  track.excludedToMs = headMs + AHEAD_MS
}

/** Recurring work of the days to come. */
export function excludeAhead(track: Track): void {
  if (track.slo.exclusions.length > 0 && headMsOf(track) > track.excludedToMs - AHEAD_MS / 2) exclude(track)
}

export const headMsOf = ({ slo, parts }: Track) => (parts[0]?.sums.head ?? 0) * slo.stepMs

/** The end of the newest closed slice, or an instant of the open one. */
export function judge(track: Track, open?: OpenCounts & { readonly atMs: number }): Evaluation {
  const { judged, parts, state, probe, whole } = track
  const [first] = parts
  if (first === undefined) throw new RangeError(`${track.id} counts nothing`)
  if (whole !== undefined) {
    whole.sync()
    return evaluate(judged.compiled, state, whole.observe(judged.compiled, state))
  }
  const observation = judged.isComposite
    ? observeComposite(judged.compiled, weighed(track))
    : observe(judged.compiled, first.sums, state, { probe: probe?.sums, open })
  return evaluate(judged.compiled, state, observation)
}

/** The question could not be asked at an instant. */
export const judgeFailed = ({ judged, state }: Track, atMs: number): Evaluation =>
  evaluate(judged.compiled, state, { kind: 'failed', atMs })

const weighed = ({ judged, parts }: Track) =>
  parts.map(({ sums }, index) => ({
    sums,
    weight: judged.parts[index]?.weight ?? 1,
    budgetRatio: judged.parts[index]?.budgetRatio ?? judged.compiled.budgetRatio,
  }))

export function statusRow(track: Track, judgedAtMs: number): StatusRow {
  const { judged, parts, probe, state, slo, whole } = track
  const [first] = parts
  if (first === undefined) throw new RangeError(`${track.id} counts nothing`)
  const status =
    judged.isComposite && whole === undefined
      ? statusOf(judged.compiled, readComposite(judged.compiled, weighed(track)), state)
      : sloStatus(judged.compiled, whole?.sums ?? first.sums, state, probe?.sums)
  return {
    ...nameOf(track),
    judgedAtMs,
    generation: slo.generation,
    status: {
      ...(judged.compiled.policy.budgeting.method === 'Occurrences' ? inEvents(status) : status),
      ...track.extras,
      knownFromMs: track.knownFromMs,
      isUnmatched: !track.isMatched,
    },
  }
}
