// Which told release is which version that began to serve. Nobody's clock is trusted: the nearest pair in time belongs together,
// each version's beginning to one release at most. Pure.

import type { StepKind } from '../../ingest/records/release-step.ts'
import { isSameEnvironment } from './environment-class.ts'
import type { StepGroup } from './group-steps.ts'
import { whatOfGroup } from './group-steps.ts'
import type { Appearance } from './traffic-changes.ts'
import { isRevision, isSameVersion } from './version-match.ts'

const HOUR_MS = 3_600_000
/** A quiet service has its first request so long after the last step. */
const AHEAD_MS = 24 * HOUR_MS
/** A clock may be a time zone off; what is told at its end only may have served for days. */
const BEHIND_MS = 12 * HOUR_MS
const BEHIND_OF_ENDS_MS = 7 * 24 * HOUR_MS
/** Where the version is called otherwise, time alone says so: not for long. */
const NAMELESS_BEHIND_MS = 5 * 60_000
const NAMELESS_AHEAD_MS = HOUR_MS

const BEGINNINGS: ReadonlySet<StepKind> = new Set(['started', 'step', 'ready'])
const BEFORE_BEGINNING: ReadonlySet<StepKind> = new Set(['requested', 'noted'])

/** When it began by what was told: the first step that is more than a wish. */
export function anchorOf({ steps }: StepGroup): number {
  const first = steps.find(({ kind }) => !BEFORE_BEGINNING.has(kind)) ?? steps[0]
  if (first === undefined) throw new Error('a group has at least one step')
  return first.at
}

/**
 * @param groups  of changes that traffic shows by version
 * @returns the beginning of each group that has one
 */
export function matchAppearances(
  groups: readonly StepGroup[],
  appearances: readonly Appearance[],
): ReadonlyMap<StepGroup, Appearance> {
  const byService = Map.groupBy(appearances, ({ service }) => service)
  const found = new Map<StepGroup, Appearance>()
  const taken = new Set<Appearance>()
  const assign = (costOf: (group: StepGroup, appearance: Appearance) => number | undefined) => {
    const pairs = groups.flatMap((group, at) =>
      found.has(group)
        ? []
        : (byService.get(group.steps[0]?.service ?? '') ?? []).flatMap((appearance, index) => {
            const cost = taken.has(appearance) ? undefined : costOf(group, appearance)
            return cost === undefined ? [] : [{ group, appearance, cost, at, index }]
          }),
    )
    // Equal costs go by time, which is the order of both lists.
    for (const { group, appearance } of pairs.toSorted(
      (a, b) => a.cost - b.cost || a.at - b.at || a.index - b.index,
    )) {
      if (found.has(group) || taken.has(appearance)) continue
      found.set(group, appearance)
      taken.add(appearance)
    }
  }
  assign(costByVersion)
  assign(costByTime)
  return found
}

function distance(group: StepGroup, atMs: number, behindMs: number, aheadMs: number): number | undefined {
  const anchor = anchorOf(group)
  const last = group.steps.at(-1)?.at ?? anchor
  if (atMs < anchor - behindMs || atMs > last + aheadMs) return undefined
  // Serving before it was begun is odder than after.
  return atMs >= anchor ? atMs - anchor : 2 * (anchor - atMs)
}

const environmentOf = ({ steps }: StepGroup) =>
  steps.find(({ environment }) => environment !== '')?.environment ?? ''

function costByVersion(group: StepGroup, appearance: Appearance): number | undefined {
  const { version, environment, atMs } = appearance
  const isIt = group.steps.some(
    (step) =>
      step.kind !== 'rolled_back' &&
      (isSameVersion(step.versionTo, version) || isSameVersion(step.vcsRevision, version)),
  )
  const isRetreat = group.steps.every(({ kind }) => kind === 'rolled_back' || kind === 'noted')
  const goesBack = isRetreat && isSameVersion(whatOfGroup(group.steps), version)
  if (!(isIt || goesBack) || !isSameEnvironment(environmentOf(group), environment)) return undefined
  const hasBeginning = group.steps.some(({ kind }) => BEGINNINGS.has(kind))
  // A service that is first seen has more often begun to send spans than to serve.
  const behindMs = appearance.isFirstOfService ? HOUR_MS : hasBeginning ? BEHIND_MS : BEHIND_OF_ENDS_MS
  return distance(group, atMs, behindMs, AHEAD_MS)
}

/** A release without a version, or one that is called by its commit, is the version that appears right after. */
function costByTime(
  group: StepGroup,
  { environment, atMs, isFirstOfService }: Appearance,
): number | undefined {
  const what = whatOfGroup(group.steps)
  const isNameless = group.steps.every(({ versionTo }) => versionTo === '') || isRevision(what)
  if (!isNameless || isFirstOfService || !isSameEnvironment(environmentOf(group), environment))
    return undefined
  return distance(group, atMs, NAMELESS_BEHIND_MS, NAMELESS_AHEAD_MS)
}
