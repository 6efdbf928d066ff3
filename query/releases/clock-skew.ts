// How far the clock of a source of events is off, by what it told against what traffic showed. Pure.

import type { StepKind } from '../../ingest/records/release-step.ts'
import type { NamedStep } from './group-steps.ts'

/** A clock that is off by less is right. */
export const SKEW_MS_MIN = 30_000
/** From so many releases on a median means something. */
const RELEASES_MIN = 3
/** An event from the future by more is not a skewed clock but a wrong date, or a plan. */
export const FUTURE_MS_MIN = 5 * 60_000

/** A clock is off by the same each time; what people and quiet services make is not. */
const SPREAD_MS_MAX = 60_000

const SERVES: ReadonlySet<StepKind> = new Set(['ready', 'step'])

/**
 * A source is behind when all that it tells comes late by its clock and was told long before it served, each time by as much. Either
 * alone is a slow relay, or a service that few people ask.
 * @param releases  those whose first traffic is known
 * @returns ms by source that its clock is ahead (below 0: behind), only of clocks that are off
 */
export function clockSkews(
  releases: readonly { readonly steps: readonly NamedStep[]; readonly readyAtMs: number }[],
  steps: readonly NamedStep[],
): ReadonlyMap<string, number> {
  const behind = new Map<string, number[]>()
  for (const { steps: told, readyAtMs } of releases)
    for (const [source, own] of Map.groupBy(told, (step) => step.source)) {
      const serves = own.find((step) => SERVES.has(step.kind) && !isFuture(step))
      if (serves !== undefined) behind.set(source, [...(behind.get(source) ?? []), readyAtMs - serves.at])
    }
  const skews = new Map<string, number>()
  for (const [source, own] of Map.groupBy(steps, (step) => step.source)) {
    const offsets = own.filter((step) => !isFuture(step)).map(({ at, receivedAt }) => at - receivedAt)
    if (offsets.length === 0) continue
    const aheadMs = Math.max(...offsets)
    // What is told before it can have happened needs no second witness.
    if (aheadMs > SKEW_MS_MIN) skews.set(source, aheadMs)
    const differences = (behind.get(source) ?? []).toSorted((a, b) => a - b)
    const middle = medianOf(differences)
    const isSteady =
      differences.filter((one) => Math.abs(one - middle) <= SPREAD_MS_MAX).length * 4 >=
      differences.length * 3
    const behindMs = Math.min(middle, -aheadMs)
    if (differences.length >= RELEASES_MIN && isSteady && behindMs > SKEW_MS_MIN) skews.set(source, -behindMs)
  }
  return skews
}

/** @param sorted  ascending @returns 0 of nothing */
function medianOf(sorted: readonly number[]): number {
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
