// What is not as it should be with a release. Pure.

import { isLimited } from './scope-width.ts'
import { isFuture, SKEW_MS_MIN } from './clock-skew.ts'
import type { StepGroup } from './group-steps.ts'
import { RELEASE_REMARKS, type Release, type ReleaseRemark } from './release.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** A service, or a version, may take so long to show. */
const NEVER_REPORTED_MS = 10 * MINUTE_MS
const NEVER_SERVED_MS = 30 * MINUTE_MS
/** Instances drain for so long. */
const DRAINED_MS = 60 * MINUTE_MS

export type RemarkContext = {
  readonly nowMs: number
  readonly grayOpenDays: number
  readonly skews: ReadonlyMap<string, number>
  /** Whether its kind of change shows in traffic by a version. */
  readonly isVersioned: boolean
  readonly hasReported: boolean
  /** Last request of the version before, ms since 1970; undefined: there was none, or none after this one began. */
  readonly beforeServedMs: number | undefined
}

/** @param release  all but its remarks @param group  undefined: nobody told it */
export function remarksOf(
  release: Omit<Release, 'remarks'>,
  group: StepGroup | undefined,
  context: RemarkContext,
): ReleaseRemark[] {
  const found = new Set<ReleaseRemark>(
    group === undefined ? ['no-event'] : remarksOfTold(release, group, context),
  )
  const { endedAtMs, state, readyAtMs } = release
  const { nowMs, beforeServedMs, grayOpenDays } = context
  if (state === 'completed' && endedAtMs !== undefined && (beforeServedMs ?? 0) > endedAtMs + DRAINED_MS)
    found.add('not-drained')
  const begunMs = readyAtMs ?? release.startedAtMs
  const isOpen = endedAtMs === undefined && state !== 'requested'
  const isPartial = isLimited(release.scope) || (beforeServedMs ?? 0) > nowMs - DAY_MS
  if (isOpen && isPartial && nowMs - begunMs > grayOpenDays * DAY_MS) found.add('left-open')
  return RELEASE_REMARKS.filter((remark) => found.has(remark))
}

function remarksOfTold(
  release: Omit<Release, 'remarks'>,
  group: StepGroup,
  { nowMs, skews, isVersioned, hasReported }: RemarkContext,
): ReleaseRemark[] {
  const { readyAtMs, receivedAtMs, startedAtMs, state } = release
  const { steps } = group
  const isService = release.service !== ''
  const servedMs = readyAtMs ?? Infinity
  const isWaiting = state === 'requested' || state === 'aborted'
  return [
    ...mark('late-event', (receivedAtMs ?? 0) > servedMs + MINUTE_MS),
    ...mark(
      'skewed-clock',
      steps.some(({ source }) => Math.abs(skews.get(source) ?? 0) > SKEW_MS_MIN),
    ),
    ...mark('future-event', steps.some(isFuture)),
    ...mark('alias', release.toldService !== ''),
    ...mark('never-reported', isService && !hasReported && nowMs - startedAtMs > NEVER_REPORTED_MS),
    ...mark(
      'never-served',
      isVersioned &&
        hasReported &&
        readyAtMs === undefined &&
        !isWaiting &&
        nowMs - startedAtMs > NEVER_SERVED_MS,
    ),
    ...mark('duplicate-events', group.hasDuplicates),
    ...mark('out-of-order', isOutOfOrder(steps)),
  ]
}

const mark = (remark: ReleaseRemark, is: boolean): ReleaseRemark[] => (is ? [remark] : [])

/** Later steps came before earlier ones. */
function isOutOfOrder(steps: StepGroup['steps']): boolean {
  return steps.some((step, at) => {
    const before = steps[at - 1]
    return before !== undefined && before.at < step.at && before.receivedAt > step.receivedAt
  })
}

/** Adds `same-minute` to releases of one service that began to serve in the same minute. */
export function withSameMinute(releases: readonly Release[]): readonly Release[] {
  const minuteOf = ({ service, target, environment, readyAtMs }: Release) =>
    readyAtMs === undefined || (service === '' && target === '')
      ? undefined
      : JSON.stringify([
          service,
          service === '' ? target : '',
          environment,
          Math.floor(readyAtMs / MINUTE_MS),
        ])
  const counts = new Map<string, number>()
  for (const release of releases) {
    const key = minuteOf(release)
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return releases.map((release) => {
    const key = minuteOf(release)
    if (key === undefined || (counts.get(key) ?? 0) < 2) return release
    const all: readonly ReleaseRemark[] = [...release.remarks, 'same-minute']
    return { ...release, remarks: RELEASE_REMARKS.filter((remark) => all.includes(remark)) }
  })
}
