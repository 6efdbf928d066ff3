// One measure that is a share of requests: errors, rejects, slow ones. Whether the exposed are worse off than their control, by a
// test that may be looked at always. Pure.

import type { Contrast } from '../http/fault-schemas.ts'
import type { NOT_FLAGGED_REASONS, ReleaseVerdictWord } from '../http/release-schemas.ts'
import { confidenceSequence, mixtureLogRatio } from '../statistics/always-valid.ts'
import { ExposedShare, ratioUpper } from '../statistics/exposed-share.ts'
import {
  differenceInDifferences,
  logit,
  overDispersion,
  pooled,
  type LogOdds,
} from '../statistics/log-odds.ts'
import { INTERVAL_ALPHA, marginOf, type RatioMeasure } from './measures.ts'
import { addAll, noCounts, type Comparison, type Counts, type FourSides, type Stratum } from './strata.ts'

export type Reason = (typeof NOT_FLAGGED_REASONS)[number]

export type RatioJudgement = {
  readonly verdict: ReleaseVerdictWord
  readonly contrast: Contrast
  /** Of the ratio, exposed − what the control leads one to expect. */
  readonly difference: number
  readonly low: number
  readonly high: number
  readonly margin: number
  readonly reasons: readonly Reason[]
  /** It would be worse if there were a control. */
  readonly isStepUncontrolled: boolean
  /** Requests of the exposed until it can be told, when the release is harmless; undefined: it is told. */
  readonly requestsMissing: number | undefined
}

/** Spread of what a control may differ by itself, in log risk: the less alike it is, the larger. */
const UNLIKENESS = {
  'old-version': 0,
  'outside-scope': 0.15,
  'untouched-entries': 0.4,
  none: 0.7,
} as const
/** Where a header decides who is exposed, people in one cell may differ, too. */
const SELF_SELECTED = 0.3
const REQUESTS_MIN = 30
/** Of the margin: a difference below is not worth a verdict, however certain. */
const MATERIAL_PART = 0.1
const MINUTES_MIN = 5
const BLOCK_MINUTES = 5
const REQUESTS_CAP = 1e9

/** @param alpha  chance of calling it worse when it is not, over all looks */
export function judgeRatio(
  comparison: Comparison,
  measure: RatioMeasure,
  toMinute: number,
  alpha: number,
): RatioJudgement {
  const judged =
    comparison.method === 'concurrent'
      ? concurrent(comparison, measure, alpha)
      : beforeAfter(comparison, measure, alpha)
  const { contrast, high, expectedRatio, isHigher, isHigherForGood } = judged
  const margin = marginOf(measure.margin, expectedRatio)
  const hasEnough =
    comparison.exposedRequests >= REQUESTS_MIN && toMinute - comparison.sinceMinute >= MINUTES_MIN
  const isControlled = comparison.control !== 'none'
  // What is certain and next to nothing is no harm.
  const isMaterial = judged.difference >= MATERIAL_PART * margin
  const isWorse = isHigherForGood && isControlled && isMaterial
  const isHarmless = !isWorse && high <= margin && hasEnough
  const verdict: ReleaseVerdictWord = isWorse ? 'worse' : isHarmless ? 'not-worse' : 'cannot-tell'
  const reasons: Reason[] = []
  if (!isWorse && contrast.exposed.bad > 0) {
    if (isHigher && !isHigherForGood) reasons.push('few-and-transient')
    else if (!isHigher && judged.difference > 0) reasons.push('not-significantly-higher')
  }
  return {
    verdict,
    contrast,
    difference: judged.difference,
    low: judged.low,
    high,
    margin,
    reasons,
    isStepUncontrolled: isHigherForGood && !isControlled,
    requestsMissing:
      verdict === 'cannot-tell' ? requestsMissing({ ...judged, ...contrast.exposed, margin }) : undefined,
  }
}

type Judged = {
  readonly contrast: Contrast
  readonly difference: number
  readonly low: number
  readonly high: number
  /** Ratio that the exposed would have if the release changed nothing. */
  readonly expectedRatio: number
  readonly isHigher: boolean
  /** Also without the minute that speaks most against it: a blip is no verdict. */
  readonly isHigherForGood: boolean
  readonly dispersion: number
}

function concurrent(comparison: Comparison, { counted }: RatioMeasure, alpha: number): Judged {
  const { strata } = comparison
  const exposed = { requests: 0, bad: 0 }
  const control = { requests: 0, bad: 0 }
  const excessByMinute = new Map<number, number>()
  for (const one of strata) {
    exposed.requests += one.exposed.requests
    exposed.bad += one.exposed[counted]
    control.requests += one.control.requests
    control.bad += one.control[counted]
    const { bad, share } = shareOf(one, counted)
    const excess = one.exposed[counted] - bad * share
    excessByMinute.set(one.minute, (excessByMinute.get(one.minute) ?? 0) + excess)
  }
  const share = sharesOf(strata, counted, undefined)
  const dispersion = dispersionOf(strata, counted, share.interval(INTERVAL_ALPHA).estimate)
  const unlikeness = UNLIKENESS['old-version'] + (comparison.isSelfSelected ? 2 * SELF_SELECTED : 0)
  const limit = Math.log(1 / alpha)
  const isHigher = share.logEvidenceAbove(unlikeness, dispersion) >= limit
  const isHigherForGood =
    isHigher &&
    sharesOf(strata, counted, worstMinute(excessByMinute)).logEvidenceAbove(unlikeness, dispersion) >= limit
  // Half the chance for each of the two bounds, so that the better one may be taken.
  const risk = share.interval(INTERVAL_ALPHA / 2, dispersion)
  const ratio = exposed.requests === 0 ? 0 : exposed.bad / exposed.requests
  const expectedRatio =
    exposed.bad > 0 && Number.isFinite(risk.estimate)
      ? Math.min(1, ratio / Math.exp(risk.estimate))
      : share.bad > 0
        ? share.expected / exposed.requests
        : 0
  const upper = ratioUpper(exposed.bad, exposed.requests, INTERVAL_ALPHA / 2, dispersion) - expectedRatio
  const low = Number.isFinite(risk.low) ? expectedRatio * Math.expm1(risk.low) : -expectedRatio
  const high = Math.min(upper, Number.isFinite(risk.high) ? expectedRatio * Math.expm1(risk.high) : upper)
  const variance = share.bad > 0 ? scoreVariance(strata, counted) : 0
  return {
    contrast: {
      exposed,
      control,
      method: 'concurrent',
      logOdds: share.bad > 0 ? risk.estimate : 0,
      z: variance > 0 ? (share.observed - share.expected) / Math.sqrt(dispersion * variance) : 0,
    },
    difference: ratio - expectedRatio,
    low: share.bad > 0 ? low : -ratioUpper(control.bad, control.requests, INTERVAL_ALPHA / 2),
    high: Math.max(high, low),
    expectedRatio,
    isHigher,
    isHigherForGood,
    dispersion,
  }
}

function beforeAfter(comparison: Comparison, { counted }: RatioMeasure, alpha: number): Judged {
  const { sides, control: kind, method, unsteadiness } = comparison
  const hasControl = kind !== 'none'
  const total = { insideAfter: noCounts(), outsideAfter: noCounts(), insideBefore: noCounts() }
  for (const one of sides) {
    addAll(total.insideAfter, one.insideAfter)
    addAll(total.outsideAfter, one.outsideAfter)
    addAll(total.insideBefore, one.insideBefore)
  }
  const effect = pooled(
    sides.flatMap((one) => {
      const own = effectOf(one, counted, hasControl)
      return own === undefined ? [] : [own]
    }),
  )
  const dispersion = [true, false].reduce(
    (most, isInside) => Math.max(most, blockDispersion(unsteadiness, isInside, counted)),
    1,
  )
  const unlike = UNLIKENESS[kind]
  const estimate = effect?.estimate ?? 0
  const variance = (effect?.variance ?? Infinity) * dispersion + unlike * unlike
  const isHigher = estimate > 0 && mixtureLogRatio(estimate, variance) >= Math.log(1 / alpha)
  const { low, high } = confidenceSequence(estimate, variance, INTERVAL_ALPHA / 2)
  const exposed = { requests: total.insideAfter.requests, bad: total.insideAfter[counted] }
  const compared = hasControl ? total.outsideAfter : total.insideBefore
  const ratio = exposed.requests === 0 ? 0 : exposed.bad / exposed.requests
  const odds = (p: number) => (p + 1e-9) / (1 - p + 1e-9)
  const expectedAt = (logOdds: number) => {
    const o = odds(Math.max(ratio, 0.5 / Math.max(1, exposed.requests))) * Math.exp(-logOdds)
    return o / (1 + o)
  }
  const expectedRatio = effect === undefined ? ratio : Math.min(expectedAt(estimate), 1)
  const at = (logOdds: number) => {
    const o = odds(expectedRatio) * Math.exp(logOdds)
    return o / (1 + o) - expectedRatio
  }
  const upper = ratioUpper(exposed.bad, exposed.requests, INTERVAL_ALPHA / 2, dispersion) - expectedRatio
  return {
    contrast: {
      exposed,
      control: { requests: compared.requests, bad: compared[counted] },
      method,
      logOdds: estimate,
      z: Number.isFinite(variance) ? estimate / Math.sqrt(variance) : 0,
    },
    difference: ratio - expectedRatio,
    low: Number.isFinite(low) ? at(low) : -expectedRatio,
    high: Number.isFinite(high) ? Math.min(at(high), upper) : upper,
    expectedRatio,
    isHigher,
    // Sums over the whole time: a single minute among many cannot carry them unless it is most of it.
    isHigherForGood: isHigher && exposed.bad >= 5,
    dispersion,
  }
}

/** Inside after against before, less what happened outside meanwhile; and the same against yesterday, where that is kept. */
function effectOf(one: FourSides, counted: keyof Counts, hasControl: boolean): LogOdds | undefined {
  const of = (counts: Counts) => logit(counts[counted], counts.requests)
  const nothing = { estimate: 0, variance: 0 }
  const against = (inside: Counts, outside: Counts): LogOdds | undefined =>
    inside.requests === 0 || (hasControl && outside.requests === 0)
      ? undefined
      : differenceInDifferences({
          insideAfter: nothing,
          insideBefore: of(inside),
          outsideAfter: nothing,
          outsideBefore: hasControl ? of(outside) : nothing,
        })
  const before = against(one.insideBefore, one.outsideBefore)
  const day = against(one.insideDay, one.outsideDay)
  const past = before === undefined || day === undefined ? (before ?? day) : alike(before, day)
  if (past === undefined) return undefined
  const inside = of(one.insideAfter)
  const outside = hasControl ? of(one.outsideAfter) : nothing
  return {
    estimate: past.estimate + inside.estimate - outside.estimate,
    variance: past.variance + inside.variance + outside.variance,
  }
}

/** Two pasts as one: what they differ by beyond chance is how little one may trust them. */
function alike(one: LogOdds, other: LogOdds): LogOdds | undefined {
  const both = pooled([one, other])
  if (both === undefined) return undefined
  const apart = (one.estimate - other.estimate) ** 2 - one.variance - other.variance
  return { estimate: both.estimate, variance: both.variance + Math.max(0, apart) / 4 }
}

function shareOf(one: Stratum, counted: keyof Counts) {
  return {
    bad: one.exposed[counted] + one.control[counted],
    share: one.exposed.requests / (one.exposed.requests + one.control.requests),
  }
}

function sharesOf(
  strata: readonly Stratum[],
  counted: keyof Counts,
  without: number | undefined,
): ExposedShare {
  const shares = new ExposedShare()
  for (const one of strata) {
    if (one.minute === without) continue
    const { bad, share } = shareOf(one, counted)
    shares.add(one.exposed[counted], bad, share)
  }
  return shares
}

function worstMinute(excess: ReadonlyMap<number, number>): number | undefined {
  let worst: number | undefined
  for (const [minute, value] of excess)
    if (value > 0 && (worst === undefined || value > (excess.get(worst) ?? 0))) worst = minute
  return worst
}

function scoreVariance(strata: readonly Stratum[], counted: keyof Counts): number {
  return strata.reduce((total, one) => {
    const { bad, share } = shareOf(one, counted)
    return total + bad * share * (1 - share)
  }, 0)
}

/** How much more the exposed share of bad ones moves between blocks of minutes than chance lets it, about the effect itself. */
function dispersionOf(strata: readonly Stratum[], counted: keyof Counts, logRisk: number): number {
  const blocks = new Map<number, { observed: number; expected: number; variance: number }>()
  const risk = Math.exp(Math.max(-6, Math.min(6, logRisk)))
  for (const one of strata) {
    const { bad, share } = shareOf(one, counted)
    if (bad <= 0) continue
    const p = (share * risk) / (share * risk + 1 - share)
    const key = Math.floor(one.minute / BLOCK_MINUTES)
    let block = blocks.get(key)
    if (block === undefined) blocks.set(key, (block = { observed: 0, expected: 0, variance: 0 }))
    block.observed += one.exposed[counted]
    block.expected += bad * p
    block.variance += bad * p * (1 - p)
  }
  // Blocks with next to nothing in them would make chance look like clusters.
  const kept = [...blocks.values()].filter(({ variance }) => variance >= 1)
  if (kept.length < 4) return 1
  const chi = kept.reduce((total, one) => total + (one.observed - one.expected) ** 2 / one.variance, 0)
  return Math.max(1, chi / (kept.length - 1))
}

function blockDispersion(
  unsteadiness: Comparison['unsteadiness'],
  isInside: boolean,
  counted: keyof Counts,
): number {
  const blocks = new Map<number, { bad: number; requests: number }>()
  for (const one of unsteadiness) {
    if (one.isInside !== isInside) continue
    const key = Math.floor(one.minute / BLOCK_MINUTES)
    const block = blocks.get(key) ?? { bad: 0, requests: 0 }
    blocks.set(key, {
      bad: block.bad + one.counts[counted],
      requests: block.requests + one.counts.requests,
    })
  }
  return overDispersion(blocks.values())
}

type Missing = Pick<Judged, 'difference' | 'high' | 'expectedRatio' | 'dispersion'> & {
  readonly requests: number
  readonly bad: number
  readonly margin: number
}

/** Until the bound falls below the margin when the exposed go on as the control: half of what they are apart by now is chance. */
function requestsMissing(of: Missing): number {
  const { requests, bad, difference, high, expectedRatio, margin, dispersion } = of
  let needed = Math.max(REQUESTS_MIN, requests)
  const width = (all: number) =>
    ratioUpper(expectedRatio * all, all, INTERVAL_ALPHA / 2, dispersion) - expectedRatio
  while (needed < REQUESTS_CAP && width(needed) > margin) needed *= 1.1
  const room = Math.max(margin / 4, margin - Math.max(0, difference) / 2)
  // Bounds of few bad ones fall with the number of requests, of many with its root.
  const narrower = requests * Math.max(1, (high - difference) / room) ** (bad < 10 ? 1 : 2)
  return Math.max(1, Math.ceil(Math.min(REQUESTS_CAP, Math.max(needed, narrower)) - requests))
}
