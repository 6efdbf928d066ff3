// What the exposed are compared with: the same minute, entry and cell on the version before where both serve; else the same
// people before, set against others at the same time; else only before and after. Pure.

import { TOUCHED_NEW, TOUCHED_OLD, UNTOUCHED, type Touch, type TraceRows } from '../blame/case.ts'
import type { Contrast } from '../http/fault-schemas.ts'
import type { Release } from '../releases/release.ts'
import { isVisible, type ReleaseTraffic } from './traffic.ts'

export const COUNTED = ['systemErrors', 'businessErrors', 'shed', 'rejects', 'slow'] as const
export type Counted = (typeof COUNTED)[number]
export type Counts = Record<Counted, number> & { requests: number }

/** One minute × entry × cell in which both sides had requests. */
export type Stratum = { readonly minute: number; readonly exposed: Counts; readonly control: Counts }

/** Sides before and after, of one entry. */
export type FourSides = {
  readonly insideBefore: Counts
  readonly insideAfter: Counts
  readonly outsideBefore: Counts
  readonly outsideAfter: Counts
  /** The same slot one day earlier, where it is kept. */
  readonly insideDay: Counts
  readonly outsideDay: Counts
}

export type Control =
  /** The version before, in the same minute, entry and cell. */
  | 'old-version'
  /** Cells outside the scope, before and after. */
  | 'outside-scope'
  /** Entries that never touch the service, before and after. */
  | 'untouched-entries'
  | 'none'

export type Comparison = {
  readonly method: Contrast['method']
  readonly control: Control
  /** First minute that counts. */
  readonly sinceMinute: number
  /** 1 for the first scope, one more for each widening: the error rate is shared out over them. */
  readonly stage: number
  /** Selects by what cells do not tell: whoever is exposed may differ from the others in his own cell. */
  readonly isSelfSelected: boolean
  readonly exposedRequests: number
  readonly controlRequests: number
  /** Of the last minutes with traffic. */
  readonly exposedPerMinute: number
  /** Of `concurrent`. */
  readonly strata: readonly Stratum[]
  /** Of the other methods, by entry. */
  readonly sides: readonly FourSides[]
  /** Bad and all requests by minute before the release, of the exposed and of the others: how unsteady they are by themselves. */
  readonly unsteadiness: readonly {
    readonly minute: number
    readonly isInside: boolean
    readonly counts: Counts
  }[]
}

const MINUTE_MS = 60_000
/** A pod that starts fails for half a minute; that alone is no verdict. */
const SETTLE_MINUTES = 1
/** Before is at most so long. */
const BEFORE_MINUTES_MAX = 240
const RECENT_MINUTES = 15
const CELL_ATTRIBUTES: ReadonlySet<string> = new Set(['channel', 'site', 'region', 'branch', 'teller'])
/** Share of the exposed that must have somebody to be compared with. */
const CONTROLLED_MIN = 0.5
/** An entry touches a service from this share of its requests on. */
const TOUCHING_MIN = 0.01

export const noCounts = (): Counts => ({
  requests: 0,
  systemErrors: 0,
  businessErrors: 0,
  shed: 0,
  rejects: 0,
  slow: 0,
})

/** @returns undefined when nothing was exposed yet */
export function compare(traffic: ReleaseTraffic): Comparison | undefined {
  const { release, contrast } = traffic
  const { rows, toMinute, scopeCells } = contrast
  const touches = touchesOf(traffic)
  const showsVersion = isVisible(traffic)
  if (release.readyAtMs === undefined) return undefined
  const readyMinute = Math.floor(release.readyAtMs / MINUTE_MS)
  const { sinceMinute, stage } = lastWidening(release, readyMinute)
  const inScope = scopeCells === undefined ? undefined : new Set(scopeCells)
  const isInside = (cell: number) => inScope === undefined || inScope.has(cell)
  const isExposed = (place: number) => {
    const touch = touches[at(rows.touch, place)] ?? UNTOUCHED
    return showsVersion ? touch === TOUCHED_NEW : touch !== UNTOUCHED && isInside(at(rows.cell, place))
  }
  const isAfter = (minute: number) => minute >= sinceMinute && minute < toMinute
  let exposedRequests = 0
  const byMinute = new Map<number, number>()
  for (let place = 0; place < rows.length; place++) {
    const minute = at(rows.minute, place)
    if (!isAfter(minute) || !isExposed(place)) continue
    exposedRequests += at(rows.requests, place)
    byMinute.set(minute, (byMinute.get(minute) ?? 0) + at(rows.requests, place))
  }
  if (exposedRequests === 0) return undefined
  const recentFrom = Math.max(sinceMinute, toMinute - RECENT_MINUTES)
  let recent = 0
  for (const [minute, requests] of byMinute) if (minute >= recentFrom) recent += requests
  const common = {
    sinceMinute,
    stage,
    exposedRequests,
    exposedPerMinute: recent / Math.max(1, toMinute - recentFrom),
  }
  const isSelfSelected = release.scope.selectors.some(({ attribute }) => !CELL_ATTRIBUTES.has(attribute))
  const strata = showsVersion ? strataOf(traffic, isAfter) : []
  const controlled = strata.reduce((sum, one) => sum + one.exposed.requests, 0)
  if (controlled >= CONTROLLED_MIN * exposedRequests)
    return {
      ...common,
      method: 'concurrent',
      control: 'old-version',
      isSelfSelected,
      controlRequests: strata.reduce((sum, one) => sum + one.control.requests, 0),
      strata,
      sides: [],
      unsteadiness: [],
    }
  const length = Math.min(BEFORE_MINUTES_MAX, Math.max(15, toMinute - sinceMinute))
  const before = { from: Math.max(contrast.fromMinute, readyMinute - length), to: readyMinute }
  const beside = (isOutside: (place: number, table: TraceRows) => boolean, control: Control): Comparison => {
    const { sides, unsteadiness } = sidesOf(traffic, {
      before,
      isAfter,
      isInside: (place, table) =>
        !isOutside(place, table) &&
        (touches[at(table.touch, place)] ?? UNTOUCHED) !== UNTOUCHED &&
        isInside(at(table.cell, place)),
      isExposed,
      isOutside,
    })
    const controlRequests = sides.reduce((sum, one) => sum + one.outsideAfter.requests, 0)
    const hasControl =
      controlRequests > 0 &&
      sides.some((one) => one.outsideBefore.requests > 0 && one.insideBefore.requests > 0)
    return {
      ...common,
      method: hasControl ? 'difference-in-differences' : 'before-after',
      control: hasControl ? control : 'none',
      isSelfSelected: false,
      controlRequests: hasControl
        ? controlRequests
        : sides.reduce((sum, one) => sum + one.insideBefore.requests, 0),
      strata: [],
      sides,
      unsteadiness,
    }
  }
  const exposedCells = inScope ?? cellsOf(rows, isExposed, isAfter)
  const outsideScope = (place: number, table: TraceRows) =>
    !exposedCells.has(at(table.cell, place)) && (touches[at(table.touch, place)] ?? UNTOUCHED) === TOUCHED_OLD
  const scoped = beside(outsideScope, 'outside-scope')
  if (scoped.method !== 'before-after') return scoped
  const untouched = untouchedEntries(traffic)
  return beside((place, table) => untouched.has(at(table.entry, place)), 'untouched-entries')
}

/** The scope that holds now, since when, and how often it was widened. */
function lastWidening(release: Release, readyMinute: number): { sinceMinute: number; stage: number } {
  const since = readyMinute + SETTLE_MINUTES
  const steps = release.stages.filter(
    ({ kind, atMs }) => kind === 'step' && Math.floor(atMs / MINUTE_MS) > readyMinute,
  )
  const last = steps.at(-1)
  return last === undefined
    ? { sinceMinute: since, stage: 1 }
    : {
        sinceMinute: Math.max(since, Math.floor(last.atMs / MINUTE_MS) + SETTLE_MINUTES),
        stage: steps.length + 1,
      }
}

function strataOf(traffic: ReleaseTraffic, isAfter: (minute: number) => boolean): Stratum[] {
  const { rows, cells, entries, fromMinute } = traffic.contrast
  const touches = touchesOf(traffic)
  const found = new Map<number, Stratum>()
  for (let place = 0; place < rows.length; place++) {
    const minute = at(rows.minute, place)
    const touch = touches[at(rows.touch, place)] ?? UNTOUCHED
    if (touch === UNTOUCHED || !isAfter(minute)) continue
    const key =
      ((minute - fromMinute) * (entries.length + 1) + at(rows.entry, place)) * (cells.length + 1) +
      at(rows.cell, place)
    let stratum = found.get(key)
    if (stratum === undefined)
      found.set(key, (stratum = { minute, exposed: noCounts(), control: noCounts() }))
    addCounts(touch === TOUCHED_NEW ? stratum.exposed : stratum.control, rows, place)
  }
  return [...found.values()].filter((one) => one.exposed.requests > 0 && one.control.requests > 0)
}

type Sided = {
  readonly before: { readonly from: number; readonly to: number }
  readonly isAfter: (minute: number) => boolean
  readonly isInside: (place: number, table: TraceRows) => boolean
  readonly isExposed: (place: number) => boolean
  readonly isOutside: (place: number, table: TraceRows) => boolean
}

function sidesOf(traffic: ReleaseTraffic, sided: Sided) {
  const { before, isAfter, isInside, isExposed, isOutside } = sided
  const { dayBefore } = traffic
  const { rows } = traffic.contrast
  const touches = touchesOf(traffic)
  const byEntry = new Map<number, { -readonly [Side in keyof FourSides]: Counts }>()
  // Entries that are not touched are one control for all that are.
  const isShared = (place: number, table: TraceRows) =>
    (touches[at(table.touch, place)] ?? UNTOUCHED) === UNTOUCHED
  const sidesFor = (entry: number) => {
    let sides = byEntry.get(entry)
    if (sides === undefined)
      byEntry.set(
        entry,
        (sides = {
          insideBefore: noCounts(),
          insideAfter: noCounts(),
          outsideBefore: noCounts(),
          outsideAfter: noCounts(),
          insideDay: noCounts(),
          outsideDay: noCounts(),
        }),
      )
    return sides
  }
  const shared = { outsideBefore: noCounts(), outsideAfter: noCounts(), outsideDay: noCounts() }
  const steady = new Map<string, { minute: number; isInside: boolean; counts: Counts }>()
  const noteSteady = (minute: number, inside: boolean, place: number) => {
    const key = `${minute} ${inside}`
    let one = steady.get(key)
    if (one === undefined) steady.set(key, (one = { minute, isInside: inside, counts: noCounts() }))
    addCounts(one.counts, rows, place)
  }
  for (let place = 0; place < rows.length; place++) {
    const minute = at(rows.minute, place)
    const entry = at(rows.entry, place)
    const isPast = minute >= before.from && minute < before.to
    if (!isPast && !isAfter(minute)) continue
    if (isOutside(place, rows)) {
      const to = isShared(place, rows) ? shared : sidesFor(entry)
      addCounts(isPast ? to.outsideBefore : to.outsideAfter, rows, place)
      if (isPast) noteSteady(minute, false, place)
    } else if (isPast ? isInside(place, rows) : isExposed(place)) {
      addCounts(isPast ? sidesFor(entry).insideBefore : sidesFor(entry).insideAfter, rows, place)
      if (isPast) noteSteady(minute, true, place)
    }
  }
  if (dayBefore !== undefined)
    for (let place = 0; place < dayBefore.length; place++) {
      if (!isAfter(at(dayBefore.minute, place)) && !isAfter(at(dayBefore.minute, place) + 1440)) continue
      const entry = at(dayBefore.entry, place)
      if (isOutside(place, dayBefore))
        addCounts(
          isShared(place, dayBefore) ? shared.outsideDay : sidesFor(entry).outsideDay,
          dayBefore,
          place,
        )
      else if (isInside(place, dayBefore)) addCounts(sidesFor(entry).insideDay, dayBefore, place)
    }
  const sides = [...byEntry.values()].filter((one) => one.insideAfter.requests > 0)
  // One control must not be counted once for each entry: then entries are taken together.
  if (shared.outsideAfter.requests === 0) return { sides, unsteadiness: [...steady.values()] }
  const together = { insideBefore: noCounts(), insideAfter: noCounts(), insideDay: noCounts(), ...shared }
  for (const one of sides) {
    addAll(together.insideBefore, one.insideBefore)
    addAll(together.insideAfter, one.insideAfter)
    addAll(together.insideDay, one.insideDay)
  }
  return { sides: sides.length === 0 ? [] : [together], unsteadiness: [...steady.values()] }
}

function cellsOf(
  rows: TraceRows,
  isExposed: (place: number) => boolean,
  isAfter: (minute: number) => boolean,
): ReadonlySet<number> {
  const found = new Set<number>()
  for (let place = 0; place < rows.length; place++)
    if (isAfter(at(rows.minute, place)) && isExposed(place)) found.add(at(rows.cell, place))
  return found
}

function untouchedEntries(traffic: ReleaseTraffic): ReadonlySet<number> {
  const { rows } = traffic.contrast
  const touches = touchesOf(traffic)
  const all = new Map<number, number>()
  const touched = new Map<number, number>()
  for (let place = 0; place < rows.length; place++) {
    const entry = at(rows.entry, place)
    const requests = at(rows.requests, place)
    all.set(entry, (all.get(entry) ?? 0) + requests)
    if ((touches[at(rows.touch, place)] ?? UNTOUCHED) !== UNTOUCHED)
      touched.set(entry, (touched.get(entry) ?? 0) + requests)
  }
  return new Set(
    [...all].flatMap(([entry, requests]) =>
      (touched.get(entry) ?? 0) < TOUCHING_MIN * requests ? [entry] : [],
    ),
  )
}

function addCounts(to: Counts, rows: TraceRows, place: number): void {
  to.requests += at(rows.requests, place)
  to.systemErrors += at(rows.systemErrors, place)
  to.businessErrors += at(rows.businessErrors, place)
  to.shed += at(rows.shed, place)
  to.rejects += at(rows.rejects, place)
  to.slow += at(rows.slow, place)
}

export function addAll(to: Counts, of: Counts): void {
  to.requests += of.requests
  for (const key of COUNTED) to[key] += of[key]
}

/** How a trace met the service, by `TraceRows.touch`. */
const touchesOf = ({ contrast }: ReleaseTraffic): readonly Touch[] =>
  contrast.touches.map((one) => one[0] ?? UNTOUCHED)

const at = (column: Int32Array | Float64Array, place: number): number => column[place] ?? 0
