// Which release is which item of an order. Each release is one item at most, the likeliest pairs first. Pure.

import { addDays, startOfDate } from '../calendar/zoned-time.ts'
import { itemName, type OrderItem, type ReleaseOrderSpec } from '../registry/kinds/release-order.ts'
import type { TimeRange } from '../time-range.ts'
import { isSameEnvironment } from './environment-class.ts'
import type { Release } from './release.ts'
import { isSameVersion } from './version-match.ts'

const HOUR_MS = 3_600_000
/** Preparations begin before the window, and what is late comes after it. */
const BEFORE_MS = 12 * HOUR_MS
const AFTER_MS = 24 * HOUR_MS

export type Order = { readonly name: string; readonly spec: ReleaseOrderSpec }

/** The order's window, or its days from midnight to midnight. */
export function windowOf({ window, dates = [], timeZone }: ReleaseOrderSpec): TimeRange {
  if (window !== undefined) return { fromMs: Date.parse(window.from), toMs: Date.parse(window.to) }
  const sorted = dates.toSorted()
  const [first = '1970-01-01', last = first] = [sorted[0], sorted.at(-1)]
  return { fromMs: startOfDate(first, timeZone), toMs: startOfDate(addDays(last, 1), timeZone) }
}

export const isTakenBack = ({ state }: Release): boolean =>
  state === 'aborted' || state === 'rolled_back' || state === 'removed'

/** When it served, or at least began. */
export const beganAt = ({ readyAtMs, startedAtMs }: Release): number => readyAtMs ?? startedAtMs

/** Whether it is what the item says; `undefined`: the item says nothing of it. */
export function isPlannedVersion({ version }: OrderItem, release: Release): boolean | undefined {
  if (version === undefined) return undefined
  return [release.versionTo, release.configHash, release.vcsRevision].some((it) => isSameVersion(version, it))
}

/** @returns the release of each item, by the item's place in the order */
export function matchItems(
  { name, spec }: Order,
  releases: readonly Release[],
  namesOf: (service: string) => readonly string[],
): ReadonlyMap<number, Release> {
  const { fromMs, toMs } = windowOf(spec)
  const pairs = spec.items.flatMap((item, at) => {
    const names = new Set([itemName(item), ...namesOf(itemName(item))])
    return releases.flatMap((release) => {
      const isOfOrder =
        release.orderId !== '' && (release.orderId === name || release.orderId === spec.ticket)
      const isNear = beganAt(release) >= fromMs - BEFORE_MS && beganAt(release) <= toMs + AFTER_MS
      const isOther = release.orderId !== '' && !isOfOrder
      const isIt =
        (names.has(release.service) || names.has(release.toldService) || names.has(release.target)) &&
        release.changeType === item.changeType &&
        isSameEnvironment(item.environment ?? '', release.environment)
      if (!isIt || isOther || !(isOfOrder || isNear)) return []
      const planned = isPlannedVersion(item, release)
      const isInWindow = beganAt(release) >= fromMs && beganAt(release) <= toMs
      if (planned === false && !isOfOrder && !isInWindow) return []
      // What is wrong with it makes it less likely; of several tries the one that stands, then the last.
      const cost = (planned === false ? 8 : 0) + (isOfOrder ? 0 : 4) + (isTakenBack(release) ? 2 : 0)
      return [{ at, release, cost }]
    })
  })
  const found = new Map<number, Release>()
  const taken = new Set<Release>()
  const sorted = pairs.toSorted(
    (a, b) =>
      a.cost - b.cost ||
      beganAt(b.release) - beganAt(a.release) ||
      a.at - b.at ||
      (a.release.id < b.release.id ? -1 : 1),
  )
  for (const { at, release } of sorted) {
    if (found.has(at) || taken.has(release)) continue
    found.set(at, release)
    taken.add(release)
  }
  return found
}
