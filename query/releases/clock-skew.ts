// How far the clock of a source of events is off, by what it told against what traffic showed. Pure.

import type { StepKind } from '../../ingest/records/release-step.ts'
import type { NamedStep } from './group-steps.ts'

/** A clock that is off by less is right. */
export const SKEW_MS_MIN = 30_000
/** From so many releases on a median means something. */
const RELEASES_MIN = 3
/** An event from the future by more is not a skewed clock but a wrong date, or a plan. */
export const FUTURE_MS_MIN = 5 * 60_000

const SERVES: ReadonlySet<StepKind> = new Set(['ready', 'step'])

/**
 * @param releases  those whose first traffic is known
 * @returns ms by source that its clock is ahead (below 0: behind), only of clocks that are off
 */
export function clockSkews(
  releases: readonly { readonly steps: readonly NamedStep[]; readonly readyAtMs: number }[],
  steps: readonly NamedStep[],
): ReadonlyMap<string, number> {
  const differences = new Map<string, number[]>()
  for (const { steps: told, readyAtMs } of releases)
    for (const [source, own] of Map.groupBy(told, (step) => step.source)) {
      const difference = differenceOf(own, readyAtMs)
      if (difference !== undefined) differences.set(source, [...(differences.get(source) ?? []), difference])
    }
  const skews = new Map<string, number>()
  for (const [source, list] of differences) {
    const skew = medianOf(list)
    if (list.length >= RELEASES_MIN && Math.abs(skew) > SKEW_MS_MIN) skews.set(source, skew)
  }
  // What is told before it can have happened needs no second witness.
  for (const { source, at, receivedAt } of steps) {
    const ahead = at - receivedAt
    if (ahead > SKEW_MS_MIN && ahead <= FUTURE_MS_MIN && ahead > (skews.get(source) ?? 0))
      skews.set(source, ahead)
  }
  return skews
}

/** Told − measured of the step that says «it serves»; else by how much the beginning or the end contradict it. */
function differenceOf(steps: readonly NamedStep[], readyAtMs: number): number | undefined {
  const live = steps.filter(({ at, receivedAt }) => at - receivedAt <= FUTURE_MS_MIN)
  const serves = live.find(({ kind }) => SERVES.has(kind))
  if (serves !== undefined) return serves.at - readyAtMs
  const begun = live.find(({ kind }) => kind === 'started')
  const ended = live.findLast(({ kind }) => kind === 'completed')
  if (begun !== undefined && begun.at > readyAtMs) return begun.at - readyAtMs
  if (ended !== undefined && ended.at < readyAtMs) return ended.at - readyAtMs
  return begun === undefined || ended === undefined ? undefined : 0
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

/** When a step happened by our clock: corrected, and not after we heard of it. */
export function instantOfStep(step: NamedStep, skews: ReadonlyMap<string, number>): number {
  if (isFuture(step)) return step.receivedAt
  return step.at - (skews.get(step.source) ?? 0)
}

export const isFuture = ({ at, receivedAt }: Pick<NamedStep, 'at' | 'receivedAt'>): boolean =>
  at - receivedAt > FUTURE_MS_MIN
