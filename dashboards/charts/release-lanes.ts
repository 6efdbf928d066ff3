// Where releases stand on the time axis of a chart: one lane for the chart's own service, one for all others. Markers that would
// cover each other become one. Pure: instants in, shares of the axis out.

import type { ReleaseItem } from '../../query/http/release-schemas.ts'

/** A gray release serves part of the customers, from its first traffic to its end. */
export type Stretch = {
  readonly release: ReleaseItem
  /** Shares of the axis, 0–1. */
  readonly start: number
  readonly width: number
  /** Whether it began before the axis, or lasts beyond it. */
  readonly isCutLeft: boolean
  readonly isOpen: boolean
}

/** One or more releases that stand at nearly one place; in order of time. */
export type Marker = {
  readonly releases: readonly ReleaseItem[]
  /** Share of the axis, 0–1, of the first of them. */
  readonly at: number
}

export type Lane = { readonly markers: readonly Marker[]; readonly stretches: readonly Stretch[] }

export type Axis = { readonly fromMs: number; readonly toMs: number; readonly widthPx: number }

/** When it began to serve; of one that does not serve yet when it was told. */
export function releaseAtMs({ readyAt, startedAt }: ReleaseItem): number {
  return Date.parse(readyAt ?? startedAt)
}

export function isGray({ scope }: ReleaseItem): boolean {
  return scope.selectors.length > 0 || (scope.weightPercent !== null && scope.weightPercent < 100)
}

/** @param service  whose chart it is; releases of it stand in the first lane */
export function releaseLanes(
  releases: readonly ReleaseItem[],
  service: string,
  axis: Axis,
): { readonly own: Lane; readonly others: Lane } {
  const inTime = releases.toSorted((a, b) => releaseAtMs(a) - releaseAtMs(b) || (a.id < b.id ? -1 : 1))
  const isOwn = (release: ReleaseItem) => release.service === service
  return {
    own: lane(inTime.filter(isOwn), axis),
    others: lane(
      inTime.filter((release) => !isOwn(release)),
      axis,
    ),
  }
}

/** What a marker takes on the screen: a shape, or a shape with a number beside it. */
const markerPx = ({ releases }: Marker) => (releases.length === 1 ? 18 : 40)

function lane(inTime: readonly ReleaseItem[], axis: Axis): Lane {
  const lengthMs = axis.toMs - axis.fromMs
  if (!(lengthMs > 0)) return { markers: [], stretches: [] }
  const place = (atMs: number) => (atMs - axis.fromMs) / lengthMs
  const cover = (one: Marker, next: Marker) =>
    (next.at - one.at) * axis.widthPx < (markerPx(one) + markerPx(next)) / 2
  const markers: Marker[] = []
  for (const release of inTime) {
    const at = place(releaseAtMs(release))
    if (!(at >= 0 && at <= 1)) continue
    let marker: Marker = { releases: [release], at }
    // A marker that took in another is wider, and may reach the one before it.
    for (let last = markers.at(-1); last !== undefined && cover(last, marker); last = markers.at(-1)) {
      markers.pop()
      marker = { releases: [...last.releases, ...marker.releases], at: last.at }
    }
    markers.push(marker)
  }
  return { markers, stretches: inTime.flatMap((release) => stretchOf(release, place)) }
}

function stretchOf(release: ReleaseItem, place: (atMs: number) => number): Stretch[] {
  if (release.readyAt === null || !isGray(release)) return []
  const start = place(Date.parse(release.readyAt))
  const end = release.endedAt === null ? 1 : Math.min(1, place(Date.parse(release.endedAt)))
  if (!(start <= 1 && end >= 0 && end > start)) return []
  const shown = Math.max(0, start)
  return [
    { release, start: shown, width: end - shown, isCutLeft: start < 0, isOpen: release.endedAt === null },
  ]
}
