// Which releases may have done it, nearest first, and how each is told in the case. Pure.

import type { Release } from '../releases/release.ts'
import type { Candidate, Cell, Fault, PlaceRow, TraceRows, Touch } from './case.ts'
import { TOUCHED_NEW } from './case.ts'
import { isInScope, isKnownByCell, isVisible } from './release-touch.ts'

export const CANDIDATES_MAX = 64
const LOOK_BACK_MS = 72 * 3_600_000
const MINUTE_MS = 60_000

const TAKEN_BACK = new Set(['aborted', 'rolled_back', 'removed'])

/** When it took effect, as far as known. */
const effectiveMs = ({ readyAtMs, startedAtMs }: Release) => readyAtMs ?? startedAtMs

/** Nothing served before: it cannot have made anything worse that was there. Whoever begins to call it has a release of his own. */
const isFirstOfService = ({ changeType, service, versionFrom }: Release) =>
  changeType === 'code' && service !== '' && versionFrom === ''

/**
 * Releases that took effect, or were to, within three days before the alarm and not after the decision; those of services that the
 * fault's traces touch first, then nearest to the alarm.
 */
export function candidateReleases(
  releases: readonly Release[],
  fault: Fault,
  touched: ReadonlySet<string>,
  nowMs: number,
): { readonly kept: readonly Release[]; readonly left: number } {
  const inTime = releases.filter((release) => {
    const at = effectiveMs(release)
    return (
      !isFirstOfService(release) &&
      at >= fault.alarmAtMs - LOOK_BACK_MS &&
      at <= nowMs &&
      release.startedAtMs <= nowMs
    )
  })
  const isNear = ({ service }: Release) => service === '' || touched.has(service)
  const far = (release: Release) => Math.abs(effectiveMs(release) - fault.alarmAtMs)
  const ordered = inTime.toSorted(
    (a, b) => Number(isNear(b)) - Number(isNear(a)) || far(a) - far(b) || (a.id < b.id ? -1 : 1),
  )
  return {
    kept: ordered.slice(0, CANDIDATES_MAX),
    left: Math.max(0, ordered.length - CANDIDATES_MAX),
  }
}

/** Cells inside a release's scope: as told where cells can tell it, else those that met its version. */
export function scopeCells(
  release: Release,
  cells: readonly Cell[],
  rows: TraceRows,
  isNew: (touch: number) => boolean,
): readonly number[] | undefined {
  const { scope } = release
  if (scope.selectors.length === 0) return undefined
  if (isKnownByCell(scope)) return cells.flatMap((cell, index) => (isInScope(cell, scope) ? [index] : []))
  if (!isVisible(release)) return undefined
  const met = new Set<number>()
  for (let row = 0; row < rows.length; row++) if (isNew(rows.touch[row] ?? 0)) met.add(rows.cell[row] ?? 0)
  return [...met].toSorted((a, b) => a - b)
}

/** Share of a service's requests on a version, by minute. */
export function exposureOf(
  { service, versionTo }: Release,
  places: readonly PlaceRow[],
  fromMinute: number,
  toMinute: number,
): readonly number[] {
  const all = new Float64Array(toMinute - fromMinute)
  const on = new Float64Array(toMinute - fromMinute)
  for (const place of places) {
    if (place.service !== service) continue
    const at = place.minute - fromMinute
    all[at] = (all[at] ?? 0) + place.requests
    if (place.version === versionTo) on[at] = (on[at] ?? 0) + place.requests
  }
  return Array.from(all, (requests, at) => (requests === 0 ? 0 : (on[at] ?? 0) / requests))
}

export function candidatesOf(
  releases: readonly Release[],
  told: {
    readonly cells: readonly Cell[]
    readonly touches: readonly (readonly Touch[])[]
    readonly rows: TraceRows
    readonly places: readonly PlaceRow[]
    readonly fromMinute: number
    readonly toMinute: number
    readonly nowMs: number
  },
): Candidate[] {
  return releases.map((release, index) => {
    const isNew = (touch: number) => told.touches[touch]?.[index] === TOUCHED_NEW
    return {
      release,
      isVisible: isVisible(release),
      scopeCells: scopeCells(release, told.cells, told.rows, isNew),
      exposure:
        isVisible(release) && release.changeType !== 'client'
          ? exposureOf(release, told.places, told.fromMinute, told.toMinute)
          : [],
      isBeingRolledBack:
        TAKEN_BACK.has(release.state) ||
        release.stages.some(({ kind, atMs }) => TAKEN_BACK.has(kind) && atMs <= told.nowMs + MINUTE_MS),
    }
  })
}
