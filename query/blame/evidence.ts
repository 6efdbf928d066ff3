// Evidence terms E1–E7 of one candidate: each a log-likelihood ratio and a sentence. E2's arithmetic is contrast.ts.

import { countZ } from '../statistics/counts.ts'
import { logPoisson } from '../statistics/counts.ts'
import type { Evidence, Told } from '../http/fault-schemas.ts'
import { TOUCHED_NEW, UNTOUCHED, type Candidate, type FaultCase } from './case.ts'
import { at, MINUTE_MS, touchesOf, type CaseColumns } from './case-columns.ts'
import type { ContrastFrame, ExposureContrast } from './contrast.ts'
import type { Onset } from './onset.ts'
import { CERTIFICATE, type originShares } from './other-causes.ts'
import { isUsualAtReleases } from './start-up.ts'
import * as words from './words.ts'

export const VETO = -99
const LOOK_BACK_MINUTES = 72 * 60
/** How much of the lag's likelihood counts: releases cluster, so one near the onset is less of a coincidence than f says. */
const TIME_TRUST = 0.6

export const term = (
  name: Evidence['term'],
  llr: number,
  figures: Readonly<Record<string, number>>,
  text: Told,
): Evidence => ({
  term: name,
  llr: llr === VETO ? VETO : rounded(Math.max(-8, Math.min(8, llr))),
  figures: Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, rounded(value)])),
  text,
})

/** Six significant digits: the same bytes from the same input, and no noise in what is shown. */
export const rounded = (value: number): number =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : value > 0 ? 1e9 : value < 0 ? -1e9 : 0

/** E1: was it there, and how long before? */
export function timeEvidence(candidate: Candidate, faultCase: FaultCase, onset: Onset): Evidence {
  const { release } = candidate
  const ready = release.readyAtMs ?? (candidate.isVisible ? undefined : release.startedAtMs)
  const onsetMs = onset.at * MINUTE_MS
  if (ready === undefined) return term('E1', VETO, {}, words.timeWords.neverServed())
  const slack = MINUTE_MS + (release.readyFrom === 'traffic' ? 0 : faultCase.clockSlackMs)
  const limit = Math.min((onset.latest + 1) * MINUTE_MS, Math.max(faultCase.fault.alarmAtMs, onsetMs)) + slack
  if (ready > limit)
    return term(
      'E1',
      VETO,
      { minutesAfter: (ready - onsetMs) / MINUTE_MS },
      words.timeWords.veto((ready - onsetMs) / MINUTE_MS),
    )
  // A release that widens takes effect anew with each step.
  const steps = release.stages
    .filter(({ kind, atMs }) => (kind === 'step' || kind === 'completed') && atMs > ready && atMs <= limit)
    .map(({ atMs }) => atMs)
  const last = Math.max(ready, ...steps)
  const lag = Math.max(0, (onsetMs + MINUTE_MS / 2 - last) / MINUTE_MS)
  const llr = TIME_TRUST * Math.log(lagDensity(lag) * LOOK_BACK_MINUTES) - 0.3 * Math.log(1 + steps.length)
  return term('E1', llr, { lagMinutes: lag }, words.timeWords.lag(lag))
}

/** Density of minutes between a change and the fault it causes: most at once, some within hours, few at any time. */
export function lagDensity(lagMinutes: number): number {
  const sigma = 1.2
  const lag = Math.max(0.01, lagMinutes)
  const soon = Math.exp(-lag / 6) / 6
  const later = Math.exp(-((Math.log(lag / 60) / sigma) ** 2) / 2) / (lag * sigma * Math.sqrt(2 * Math.PI))
  return 0.75 * soon + 0.2 * later + 0.05 / LOOK_BACK_MINUTES
}

/** E3: does the fault follow its share of traffic, and end with it? */
export function doseEvidence(
  candidate: Candidate,
  contrast: ExposureContrast,
  columns: CaseColumns,
  onset: Onset,
): Evidence | undefined {
  const recovery = recoveryEvidence(candidate, columns, onset)
  if (recovery !== undefined) return recovery
  const gone = wentAway(contrast, columns.case, onset)
  if (gone !== undefined) return gone
  const m = contrast.byMinute
  let [least, most, excess] = [1, 0, 0]
  const from = onset.at - columns.case.fromMinute
  const minutes: { share: number; n: number; x: number; k: number; usual: number }[] = []
  for (let minute = Math.max(0, from); minute < m.exposed.length; minute++) {
    const [x, o] = [at(m.exposed, minute), at(m.others, minute)]
    if (x + o <= 0) continue
    const share = x / (x + o)
    least = Math.min(least, share)
    most = Math.max(most, share)
    const k = at(m.exposedBad, minute) + at(m.othersBad, minute)
    const usual = at(m.exposedUsual, minute) + at(m.othersUsual, minute)
    excess += k - usual
    minutes.push({ share, n: x + o, x, k, usual })
  }
  if (minutes.length < 6 || excess < 20 || most < 0.02 || most < 2 * least) return undefined
  const [allX, allN] = [
    minutes.reduce((sum, { x }) => sum + x, 0),
    minutes.reduce((sum, { n }) => sum + n, 0),
  ]
  let ratio = 0
  for (const { x, n, k, usual } of minutes)
    ratio +=
      logPoisson(k, usual + (excess * x) / allX + 1e-9) - logPoisson(k, usual + (excess * n) / allN + 1e-9)
  const llr = Math.max(-2, Math.min(2, ratio / 4))
  if (Math.abs(llr) < 0.5) return undefined
  return term(
    'E3',
    llr,
    { leastShare: least, mostShare: most, excess },
    llr > 0 ? words.doseWords.follows() : words.doseWords.ignores(),
  )
}

function recoveryEvidence(
  candidate: Candidate,
  { case: faultCase, series }: CaseColumns,
  onset: Onset,
): Evidence | undefined {
  const { release } = candidate
  const back = release.stages.findLast(
    ({ kind }) => kind === 'rolled_back' || kind === 'aborted' || kind === 'removed',
  )
  const isBack = release.state === 'rolled_back' || release.state === 'aborted' || release.state === 'removed'
  const endedAt = isBack ? (release.endedAtMs ?? back?.atMs) : undefined
  if (endedAt === undefined) return undefined
  const gone = Math.floor(endedAt / MINUTE_MS)
  if (gone < onset.at || gone + 2 >= faultCase.toMinute) return undefined
  const sum = (from: number, to: number): { n: number; k: number } => {
    let [n, k] = [0, 0]
    for (
      let minute = Math.max(0, from - faultCase.fromMinute);
      minute < Math.min(series.bad.length, to - faultCase.fromMinute);
      minute++
    ) {
      n += at(series.requests, minute)
      k += at(series.bad, minute)
    }
    return { n, k }
  }
  const before = sum(Math.max(onset.at, gone - 10), gone)
  const after = sum(gone + 2, faultCase.toMinute)
  if (before.n <= 0 || after.n <= 0) return undefined
  const [was, is] = [before.k / before.n, after.k / after.n]
  const rose = was - onset.ratioBefore
  const expected = after.n * was
  if (rose <= 0 || expected < 5) return undefined
  const left = (is - onset.ratioBefore) / rose
  const figures = { before: was, after: is }
  if (left < 0.25) return term('E3', Math.min(8, expected / 2), figures, words.doseWords.recovered(was, is))
  if (left > 0.6) return term('E3', -6, figures, words.doseWords.stayed(was, is))
  return undefined
}

/** A deploy blip: bad for a minute or three, then as usual while the version still serves. */
function wentAway(contrast: ExposureContrast, faultCase: FaultCase, onset: Onset): Evidence | undefined {
  const m = contrast.byMinute
  const from = Math.max(0, onset.at - faultCase.fromMinute)
  const length = m.exposed.length
  const sum = (start: number, end: number): { n: number; k: number; usual: number } => {
    let [n, k, usual] = [0, 0, 0]
    for (let minute = start; minute < Math.min(length, end); minute++) {
      n += at(m.exposed, minute)
      k += at(m.exposedBad, minute)
      usual += at(m.exposedUsual, minute)
    }
    return { n, k, usual }
  }
  const first = sum(from, from + 3)
  const later = sum(from + 3, length)
  if (length - from < 5 || first.n <= 0 || first.k - first.usual < 3) return undefined
  const expected = (later.n * (first.k - first.usual)) / first.n
  if (expected < 6 || later.k - later.usual > 0.15 * expected) return undefined
  return term(
    'E3',
    -5,
    { firstBad: first.k, laterBad: later.k, laterExpected: expected },
    words.doseWords.wentAway(),
  )
}

/** E4: does the fault keep to its scope? */
export function scopeEvidence(candidate: Candidate, frame: ContrastFrame): Evidence | undefined {
  const { scopeCells } = candidate
  if (scopeCells === undefined || frame.excess < 5) return undefined
  const { rows, cells } = frame.columns.case
  const isInside = new Uint8Array(cells.length)
  for (const cell of scopeCells) isInside[cell] = 1
  let [inside, insideBad, all, usualInside] = [0, 0, 0, 0]
  for (let index = 0; index < frame.rows.length; index++) {
    const row = at(frame.rows, index)
    const n = at(rows.requests, row)
    all += n
    if (isInside[at(rows.cell, row)] !== 1) continue
    inside += n
    insideBad += at(frame.columns.bad, row)
    usualInside += at(frame.weight, index)
  }
  const traffic = all > 0 ? inside / all : 0
  if (traffic <= 0 || traffic >= 0.98) return undefined
  const share = Math.min(1, Math.max(0, (insideBad - usualInside) / frame.excess))
  const llr = share < 0.1 ? -5 : Math.max(-3, Math.min(2, Math.log(share / traffic)))
  return term('E4', llr, { share, traffic }, words.scopeWords(share, traffic))
}

/** E5: where failures begin, and how far that is from it. */
export function originEvidence(
  candidate: Candidate,
  faultCase: FaultCase,
  contrast: ExposureContrast,
  shares: ReturnType<typeof originShares>,
): Evidence | undefined {
  const { service, versionTo } = candidate.release
  if (service === '' || shares.excess < 5) return undefined
  const here =
    versionTo === '' || !candidate.isVisible || !shares.byVersion.has(`${service} ${versionTo}`)
      ? candidate.isVisible && versionTo !== ''
        ? 0
        : (shares.byService.get(service) ?? 0)
      : Math.min(shares.byService.get(service) ?? 0, shares.byVersion.get(`${service} ${versionTo}`) ?? 0)
  const ratio = Math.min(1, here / shares.excess)
  const ef = contrast.exposed.bad
  const nf = contrast.others.bad
  const ep = Math.max(0, contrast.exposed.requests - contrast.exposed.bad)
  const ochiai = ef > 0 ? ef / Math.sqrt((ef + nf) * (ef + ep)) : 0
  if (ratio >= 0.2)
    return term('E5', 3 * ratio, { originRatio: ratio, ochiai }, words.originWords.here(ratio, ochiai))
  const [origin] = [...shares.byService, ...shares.byPeer].sort(
    (a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1),
  )
  if (origin === undefined) return undefined
  const hops = hopsBetween(faultCase.calls, service, origin[0])
  const figures = { originRatio: ratio, ochiai, hops: hops ?? -1 }
  if (hops === undefined)
    return shares.byService.has(origin[0])
      ? term('E5', -1.5, figures, words.originWords.apart(origin[0]))
      : undefined
  return term('E5', Math.max(-1.5, hops * Math.log(0.75)), figures, words.originWords.hops(origin[0], hops))
}

/** Calls between two services, whichever calls; undefined when nothing connects them within five. */
export function hopsBetween(
  calls: readonly (readonly [string, string])[],
  from: string,
  to: string,
): number | undefined {
  const reach = (forward: boolean): number | undefined => {
    let front = new Set([from])
    const seen = new Set(front)
    for (let hops = 0; hops <= 5; hops++) {
      if (front.has(to)) return hops
      const next = new Set<string>()
      for (const [caller, callee] of calls) {
        const [a, b] = forward ? [caller, callee] : [callee, caller]
        if (front.has(a) && !seen.has(b)) next.add(b)
      }
      for (const service of next) seen.add(service)
      front = next
    }
    return undefined
  }
  const found = [reach(true), reach(false)].filter((hops) => hops !== undefined)
  return found.length === 0 ? undefined : Math.min(...found)
}

/** What a new error says where the new version has all requests. */
export const NOVEL_WITHOUT_CONTROL = 1.5
/** Errors that name what a service runs on and calls: as new as those of new code when a disk is full or a job holds a lock. */
const ENVIRONMENT =
  /lock|time-?d? ?out|connect|refused|reset by|unreachable|unknown ?host|dns|no space|disk|quota|thrott|unavailable|too many|certificate|ssl|tls|permission|denied/i

/** E6: errors that were never there before, on the new version alone; or errors that every release of this service makes. */
export function noveltyEvidence(
  candidate: Candidate,
  faultCase: FaultCase,
  onset: Onset,
): Evidence | undefined {
  const { service, versionTo } = candidate.release
  if (service === '' || versionTo === '' || !candidate.isVisible) return undefined
  const sums = new Map<string, { before: number; since: number; onNew: number; type: string }>()
  for (const row of faultCase.signatures) {
    if (row.service !== service) continue
    const sum = sums.get(row.signature) ?? { before: 0, since: 0, onNew: 0, type: row.type || row.message }
    if (row.minute < onset.earliest && row.version !== versionTo) sum.before += row.count
    if (row.minute >= onset.earliest) {
      sum.since += row.count
      if (row.version === versionTo) sum.onNew += row.count
    }
    sums.set(row.signature, sum)
  }
  let [onNew, all] = [0, 0]
  for (const row of faultCase.places)
    if (row.service === service && row.minute >= onset.earliest) {
      all += row.requests
      if (row.version === versionTo) onNew += row.requests
    }
  const traffic = all > 0 ? onNew / all : 1
  const [top] = [...sums]
    .filter(([, sum]) => sum.since > 0)
    .sort((a, b) => b[1].since - a[1].since || (a[0] < b[0] ? -1 : 1))
  if (top === undefined) return undefined
  const [signature, sum] = top
  const past = faultCase.signaturePasts.find(
    (known) => known.service === service && known.signature === signature,
  )
  if (past !== undefined && isUsualAtReleases(past))
    return term(
      'E6',
      -4,
      { atReleases: past.atReleases, releases: past.releases },
      words.noveltyWords.usual(past.atReleases, past.releases),
    )
  const ratio = sum.onNew / sum.since
  const isNovel = sum.before === 0 && (past?.earlierVersions ?? 0) === 0
  // A certificate that expires is new as well, and no version brings it.
  if (!isNovel || ratio < 0.8 || sum.since < 3 || CERTIFICATE.test(sum.type)) return undefined
  // Where the new version has all requests anyway, «on the new version alone» says little.
  const llr =
    traffic > 0.8
      ? ENVIRONMENT.test(sum.type)
        ? 0.5
        : NOVEL_WITHOUT_CONTROL
      : Math.min(4, sum.since * Math.log(Math.max(ratio, 0.01) / Math.max(traffic, 0.02)))
  return term(
    'E6',
    llr,
    { share: ratio, traffic, count: sum.since },
    words.noveltyWords.novel(sum.type, ratio),
  )
}

/** E7: without a control group only time and place are left. Entries that call it against entries that do not. */
export function stepEvidence(index: number, { columns, windowRows, usual, phi }: ContrastFrame): Evidence {
  const { case: faultCase, bad } = columns
  const { rows, entries, cells } = faultCase
  const touch = touchesOf(faultCase, index)
  const sums = entries.map(() => ({ n: 0, k: 0, usual: 0, touched: 0, isNew: 0 }))
  for (const row of windowRows) {
    const sum = sums[at(rows.entry, row)]
    if (sum === undefined) continue
    const n = at(rows.requests, row)
    sum.n += n
    sum.k += at(bad, row)
    sum.usual += n * at(usual.ratio, at(rows.entry, row) * cells.length + at(rows.cell, row))
    if (touch[row] !== UNTOUCHED) sum.touched += n
    if (touch[row] === TOUCHED_NEW) sum.isNew += n
  }
  const seen = sums.filter(({ n }) => n > 0)
  const touching = seen.filter(({ touched, n }) => touched >= 0.3 * n)
  const others = seen.filter(({ touched, n }) => touched < 0.05 * n)
  const isHit = (one: { readonly k: number; readonly usual: number }): boolean =>
    countZ(one.k, one.usual, phi) >= 3
  const othersK = others.reduce((sum, { k }) => sum + k, 0)
  const othersUsual = others.reduce((sum, one) => sum + one.usual, 0)
  const excess = Math.max(
    1e-9,
    seen.reduce((sum, one) => sum + Math.max(0, one.k - one.usual), 0),
  )
  const hit = touching.filter(isHit).length
  const figures = { entries: touching.length, entriesHit: hit, othersBad: othersK, othersUsual }
  if (countZ(othersK, othersUsual, phi) >= 4 && (othersK - othersUsual) / excess > 0.2)
    return term('E7', -5, figures, words.stepWords.others())
  if (touching.length === 0 || hit === 0)
    return term('E7', -3, figures, words.stepWords.flat(hit, touching.length))
  if (others.length === 0) return term('E7', 0.5 + hit / touching.length, figures, words.stepWords.alone())
  return term('E7', 1 + (2 * hit) / touching.length, figures, words.stepWords.flat(hit, touching.length))
}
