// Measures of a verdict that are no share of requests: error signatures that were never seen before, requests that do not come any
// more, what one request costs. They can make a release worse; not knowing them holds up no verdict. Pure.

import type { SignatureRow } from '../blame/case.ts'
import type { ReleaseVerdictWord } from '../http/release-schemas.ts'
import { confidenceSequence, mixtureLogRatio } from '../statistics/always-valid.ts'
import { ExposedShare } from '../statistics/exposed-share.ts'
import type { Reason } from './judge-ratio.ts'
import { INTERVAL_ALPHA, LOST_MARGIN, RESOURCE_MARGIN } from './measures.ts'
import type { Comparison } from './strata.ts'
import type { ReleaseTraffic } from './traffic.ts'

const SIGNATURES_MAX = 200
/** Fewer occurrences, or in fewer minutes, are a blip. */
const OCCURRENCES_MIN = 5
const OCCURRENCE_MINUTES_MIN = 3
/** Fewer earlier releases do not tell what is usual during one. */
const EARLIER_RELEASES_MIN = 2
/** What appears only so soon after a release may come with deploying. */
const STARTING_MINUTES = 10
/** A signature that came at this part of earlier releases comes with deploying. */
const USUAL_PART = 0.5

export type SignatureJudgement = {
  readonly verdict: ReleaseVerdictWord
  readonly reasons: readonly Reason[]
  /** The most frequent of those that make it worse, or of all new ones. */
  readonly worst: SignatureRow | undefined
  readonly worstCount: number
  readonly newOnes: number
}

export function judgeSignatures(
  traffic: ReleaseTraffic,
  comparison: Comparison,
  alpha: number,
): SignatureJudgement {
  const { contrast, signaturePasts, release } = traffic
  const isOfNew = ({ minute, version }: SignatureRow) =>
    minute >= comparison.sinceMinute && version === release.versionTo
  const rows = contrast.newSignatures.filter(isOfNew)
  const groups = new Map<string, SignatureRow[]>()
  for (const row of rows) groups.set(row.signature, [...(groups.get(row.signature) ?? []), row])
  const pasts = new Map(signaturePasts.map((past) => [past.signature, past]))
  const share = servedShare(traffic, comparison)
  const reasons = new Set<Reason>()
  for (const { signature } of (contrast.knownSignatures ?? []).filter(isOfNew))
    reasons.add(isUsual(pasts.get(signature)) ? 'usual-during-releases' : 'error-not-new')
  const judged = [...groups.values()].slice(0, SIGNATURES_MAX).map((found) => {
    const count = found.reduce((sum, row) => sum + row.count, 0)
    const seen = new Set(found.map(({ minute }) => minute))
    const first = found[0] as SignatureRow
    const past = pasts.get(first.signature)
    const isStarting = Math.max(...seen) < comparison.sinceMinute + STARTING_MINUTES
    const reason = notFlagged(
      { past, count, minutes: seen.size, isStarting },
      share,
      alpha / Math.max(1, groups.size),
    )
    if (reason !== undefined) reasons.add(reason)
    return { row: first, count, isWorse: reason === undefined }
  })
  judged.sort((a, b) => Number(b.isWorse) - Number(a.isWorse) || b.count - a.count)
  const [worst] = judged
  const isWorse = worst?.isWorse === true
  return {
    verdict: isWorse ? 'worse' : 'not-worse',
    reasons: isWorse ? [] : [...reasons].toSorted(),
    worst: worst?.row,
    worstCount: worst?.count ?? 0,
    newOnes: groups.size,
  }
}

type Past = ReleaseTraffic['signaturePasts'][number]

function isUsual(past: Past | undefined): boolean {
  return (
    past !== undefined &&
    past.releases >= EARLIER_RELEASES_MIN &&
    past.atReleases >= USUAL_PART * past.releases
  )
}

type Found = {
  readonly past: Past | undefined
  readonly count: number
  readonly minutes: number
  readonly isStarting: boolean
}

function notFlagged(
  { past, count, minutes, isStarting }: Found,
  share: number,
  alpha: number,
): Reason | undefined {
  // What comes with every release was in the versions before, too.
  if (isUsual(past)) return 'usual-during-releases'
  if (past !== undefined && past.earlierVersions > 0) return 'error-not-new'
  if (count < OCCURRENCES_MIN || minutes < OCCURRENCE_MINUTES_MIN) return 'few-and-transient'
  if (isStarting && past !== undefined && past.releases < EARLIER_RELEASES_MIN)
    return 'too-few-earlier-releases'
  const evidence = new ExposedShare()
  // Occurrences of one minute come together: a minute counts as one and a bit, not as its thousands.
  const independent = Math.min(count, minutes * 3)
  evidence.add(independent, independent, share)
  return evidence.logEvidenceAbove() >= Math.log(1 / alpha) ? undefined : 'not-significantly-higher'
}

/** Part of the service's requests that the new version served, against the others meanwhile or, without any, before. */
function servedShare({ contrast, release }: ReleaseTraffic, { sinceMinute }: Comparison): number {
  let exposed = 0
  let meanwhile = 0
  let before = 0
  for (const { minute, version, requests } of contrast.served) {
    if (minute >= sinceMinute && version === release.versionTo) exposed += requests
    else if (minute >= sinceMinute) meanwhile += requests
    else before += requests
  }
  const others = meanwhile > 0.05 * exposed ? meanwhile : meanwhile + before
  return exposed + others === 0 ? 0 : exposed / (exposed + others)
}

export type ChangeJudgement = {
  readonly verdict: ReleaseVerdictWord
  /** Part by which it is more (or, of throughput, less) than it would be: 0.2 is a fifth. */
  readonly change: number
  readonly low: number
  readonly high: number
}

const BLOCK_MINUTES = 5
/** Of the minutes that callers tell of; fewer, and the callers are hardly seen. */
const CALLS_MIN = 1000

/**
 * Throughput of whoever is in scope, against those outside, before and after; where everybody is, what the service served against
 * what it was called for. @returns undefined where neither is known: fewer requests alone may be anybody's doing
 */
export function judgeLost(
  traffic: ReleaseTraffic,
  comparison: Comparison,
  alpha: number,
): ChangeJudgement | undefined {
  const { contrast, release } = traffic
  if (release.readyAtMs === undefined) return undefined
  if (contrast.scopeCells === undefined) return judgeUnanswered(traffic, comparison, alpha)
  const inside = new Set(contrast.scopeCells)
  const { rows } = contrast
  const readyMinute = Math.floor(release.readyAtMs / 60_000)
  const minutes = new Map<number, { inside: number; outside: number }>()
  for (let place = 0; place < rows.length; place++) {
    const minute = rows.minute[place] ?? 0
    if (minute >= contrast.toMinute || (minute >= readyMinute && minute < comparison.sinceMinute)) continue
    const one = minutes.get(minute) ?? { inside: 0, outside: 0 }
    if (inside.has(rows.cell[place] ?? -1)) one.inside += rows.requests[place] ?? 0
    else one.outside += rows.requests[place] ?? 0
    minutes.set(minute, one)
  }
  return judgeBlocks(minutes, readyMinute, alpha)
}

/** A call that nobody answers is seen by its caller alone: served ÷ called falls. */
function judgeUnanswered(
  { contrast, release }: ReleaseTraffic,
  comparison: Comparison,
  alpha: number,
): ChangeJudgement | undefined {
  const readyMinute = Math.floor((release.readyAtMs ?? 0) / 60_000)
  const isLeftOut = (minute: number) =>
    minute >= contrast.toMinute || (minute >= readyMinute && minute < comparison.sinceMinute)
  const minutes = new Map<number, { inside: number; outside: number }>()
  const calls = { before: 0, after: 0 }
  for (const { minute, calls: outside } of contrast.called) {
    if (isLeftOut(minute)) continue
    const one = minutes.get(minute) ?? { inside: 0, outside: 0 }
    minutes.set(minute, { ...one, outside: one.outside + outside })
    calls[minute < readyMinute ? 'before' : 'after'] += outside
  }
  // Of minutes that nobody told of as a caller, nothing is known.
  for (const { minute, requests } of contrast.served) {
    const one = minutes.get(minute)
    if (one !== undefined) minutes.set(minute, { ...one, inside: one.inside + requests })
  }
  if (calls.before < CALLS_MIN || calls.after < CALLS_MIN) return undefined
  return judgeBlocks(minutes, readyMinute, alpha)
}

function judgeBlocks(
  minutes: ReadonlyMap<number, { readonly inside: number; readonly outside: number }>,
  readyMinute: number,
  alpha: number,
): ChangeJudgement | undefined {
  // Blocks of five minutes, so that the ratio of each is a number and neighbours are not the same.
  const ratios = { before: [] as number[], after: [] as number[] }
  const blocks = new Map<string, { inside: number; outside: number }>()
  for (const [minute, { inside: within, outside }] of minutes) {
    const key = `${minute < readyMinute ? 'before' : 'after'} ${Math.floor(minute / BLOCK_MINUTES)}`
    const block = blocks.get(key) ?? { inside: 0, outside: 0 }
    blocks.set(key, { inside: block.inside + within, outside: block.outside + outside })
  }
  for (const [key, block] of blocks) {
    if (block.outside === 0) continue
    const ratio = Math.log((block.inside + 0.5) / (block.outside + 0.5))
    ratios[key.startsWith('before') ? 'before' : 'after'].push(ratio)
  }
  const before = meanOf(ratios.before)
  const after = meanOf(ratios.after)
  if (before === undefined || after === undefined) return undefined
  return changed(after.mean - before.mean, after.variance + before.variance, alpha, 'less', LOST_MARGIN)
}

/** Instances under other loads spend another part of their time on themselves: then nothing is said. */
const LOAD_APART_MAX = 2
const RESOURCE_REQUESTS_MIN = 1000

/** CPU time a request on the new version against the others. @returns undefined without metrics of both under similar load */
export function judgeResources(
  { contrast, release }: ReleaseTraffic,
  alpha: number,
): ChangeJudgement | undefined {
  const sums = (uses: ReleaseTraffic['contrast']['resources']) => ({
    cpu: uses.reduce((sum, one) => sum + one.cpuSeconds, 0),
    requests: uses.reduce((sum, one) => sum + one.requests, 0),
    instanceMinutes: uses.reduce((sum, one) => sum + one.instanceMinutes, 0),
  })
  const exposed = sums(contrast.resources.filter(({ version }) => version === release.versionTo))
  const others = sums(contrast.resources.filter(({ version }) => version !== release.versionTo))
  const isKnown = [exposed, others].every(
    ({ cpu, requests, instanceMinutes }) =>
      requests >= RESOURCE_REQUESTS_MIN && cpu > 0 && instanceMinutes > 0,
  )
  if (!isKnown) return undefined
  const loads = exposed.requests / exposed.instanceMinutes / (others.requests / others.instanceMinutes)
  if (Math.max(loads, 1 / loads) > LOAD_APART_MAX) return undefined
  const ratio = Math.log(exposed.cpu / exposed.requests / (others.cpu / others.requests))
  // Totals have no spread of their own: a tenth is what instances differ by without any release.
  return changed(ratio, 0.1 ** 2, alpha, 'more', RESOURCE_MARGIN)
}

function changed(
  logRatio: number,
  variance: number,
  alpha: number,
  worseWhen: 'more' | 'less',
  margin: number,
): ChangeJudgement {
  const { low, high } = confidenceSequence(logRatio, variance, INTERVAL_ALPHA)
  const isCertain = mixtureLogRatio(logRatio, variance) >= Math.log(1 / alpha)
  const bad = worseWhen === 'more' ? Math.expm1(logRatio) : -Math.expm1(logRatio)
  const least = worseWhen === 'more' ? Math.expm1(high) : -Math.expm1(low)
  return {
    verdict: isCertain && bad > margin ? 'worse' : least <= margin ? 'not-worse' : 'cannot-tell',
    change: Math.expm1(logRatio),
    low: Math.expm1(low),
    high: Math.expm1(high),
  }
}

function meanOf(values: readonly number[]): { mean: number; variance: number } | undefined {
  if (values.length < 3) return undefined
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  // Neighbouring blocks are alike, so that fewer of them are independent than there are.
  return { mean, variance: Math.max(1e-6, (2 * squares) / (values.length - 1) / values.length) }
}
