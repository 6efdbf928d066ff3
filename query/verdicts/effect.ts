// What a release cost: requests that failed beyond what its control leads one to expect, the minutes in which they did, and how long
// it was. Pure. Of everything that spends error budget: system errors, business errors, shed requests.

import { TOUCHED_NEW, UNTOUCHED } from '../blame/case.ts'
import { addAll, compare, noCounts, type Comparison, type Counts } from './strata.ts'
import { isVisible, type ReleaseTraffic } from './traffic.ts'

export type ReleaseEffect = {
  readonly method: Comparison['method']
  readonly exposedRequests: number
  readonly badRequests: number
  /** Beyond what was to be expected; never below 0. */
  readonly excessRequests: number
  /** Minutes in which more failed than is no harm. */
  readonly badMinutes: number
  /** First and last of them, ms since 1970; undefined without any. */
  readonly worseSinceMs: number | undefined
  /** End of the last of them, when at least ten minutes without followed or nobody was exposed any more; undefined: it lasts. */
  readonly recoveredAtMs: number | undefined
}

const MINUTE_MS = 60_000
/** As the margin of errors. */
const HARMFUL_RATIO = 0.005
const HARMFUL_REQUESTS = 2
/** What one minute shows by chance alone is none. */
const CHANCE_DEVIATIONS = 3
/** Requests of the whole time that a minute's own control is weighed against: one minute alone is a rough ratio. */
const STEADYING = 200
const CALM_MINUTES = 10

const badOf = (counts: Counts) => counts.systemErrors + counts.businessErrors + counts.shed

/** @returns undefined when nothing was exposed yet */
export function releaseEffect(traffic: ReleaseTraffic): ReleaseEffect | undefined {
  const comparison = compare(traffic)
  if (comparison === undefined) return undefined
  const minutes = minutesOf(traffic, comparison.sinceMinute)
  const usual = usualRatio(comparison)
  const bad: number[] = []
  let excessRequests = 0
  let exposedRequests = 0
  let badRequests = 0
  let lastExposed = comparison.sinceMinute
  for (const [minute, { exposed, control }] of minutes) {
    if (exposed.requests === 0) continue
    lastExposed = Math.max(lastExposed, minute)
    const expected =
      comparison.method === 'concurrent'
        ? (badOf(control) + usual * STEADYING) / (control.requests + STEADYING)
        : usual
    const excess = badOf(exposed) - expected * exposed.requests
    excessRequests += excess
    exposedRequests += exposed.requests
    badRequests += badOf(exposed)
    const harmful = Math.max(HARMFUL_REQUESTS, HARMFUL_RATIO * exposed.requests)
    const chance = CHANCE_DEVIATIONS * Math.sqrt(Math.max(0, expected * exposed.requests))
    if (excess >= harmful && excess >= chance) bad.push(minute)
  }
  bad.sort((a, b) => a - b)
  const [first] = bad
  const last = bad.at(-1)
  const calmSince = traffic.contrast.toMinute - CALM_MINUTES
  const isOver = last !== undefined && (last < calmSince || lastExposed < traffic.contrast.toMinute - 2)
  return {
    method: comparison.method,
    exposedRequests,
    badRequests,
    excessRequests: Math.max(0, excessRequests),
    badMinutes: bad.length,
    worseSinceMs: first === undefined ? undefined : first * MINUTE_MS,
    recoveredAtMs: isOver ? (last + 1) * MINUTE_MS : undefined,
  }
}

type Sides = { readonly exposed: Counts; readonly control: Counts }

function minutesOf(traffic: ReleaseTraffic, sinceMinute: number): ReadonlyMap<number, Sides> {
  const { rows, touches, toMinute, scopeCells } = traffic.contrast
  const inside = scopeCells === undefined ? undefined : new Set(scopeCells)
  const showsVersion = isVisible(traffic)
  const minutes = new Map<number, Sides>()
  for (let place = 0; place < rows.length; place++) {
    const minute = rows.minute[place] ?? 0
    const touch = touches[rows.touch[place] ?? 0]?.[0] ?? UNTOUCHED
    if (minute < sinceMinute || minute >= toMinute || touch === UNTOUCHED) continue
    const isExposed = showsVersion
      ? touch === TOUCHED_NEW
      : inside === undefined || inside.has(rows.cell[place] ?? -1)
    let sides = minutes.get(minute)
    if (sides === undefined) minutes.set(minute, (sides = { exposed: noCounts(), control: noCounts() }))
    const to = isExposed ? sides.exposed : sides.control
    to.requests += rows.requests[place] ?? 0
    to.systemErrors += rows.systemErrors[place] ?? 0
    to.businessErrors += rows.businessErrors[place] ?? 0
    to.shed += rows.shed[place] ?? 0
  }
  return minutes
}

/** Bad ratio without the release: of the control, or of the exposed before, moved as the others moved. */
function usualRatio({ method, control, strata, sides }: Comparison): number {
  const total = { inside: noCounts(), before: noCounts(), after: noCounts() }
  if (method === 'concurrent') {
    for (const one of strata) addAll(total.after, one.control)
    return ratio(total.after)
  }
  for (const one of sides) {
    addAll(total.inside, one.insideBefore)
    addAll(total.before, one.outsideBefore)
    addAll(total.after, one.outsideAfter)
  }
  const moved = control === 'none' ? 0 : ratio(total.after) - ratio(total.before)
  return Math.max(0, ratio(total.inside) + moved)
}

const ratio = (counts: Counts) => (counts.requests === 0 ? 0 : badOf(counts) / counts.requests)
