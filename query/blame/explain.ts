// Which release caused this fault, or what else: `explain`. Pure: the same case gives the same bytes. The steps are files of their
// own; here they are put in order.

import type { Explanation, Told } from '../http/fault-schemas.ts'
import { expectedZ, requestsNeeded } from '../statistics/power.ts'
import type { FaultCase } from './case.ts'
import {
  caseColumns,
  dispersionBefore,
  MINUTE_MS,
  sliceSeries,
  touchesOf,
  usualBefore,
  type CaseColumns,
} from './case-columns.ts'
import { competition, type CompetingCause } from './competing.ts'
import {
  contrastFrame,
  exposureContrast,
  jointContrast,
  type ContrastFrame,
  type ExposureContrast,
} from './contrast.ts'
import { rounded } from './evidence.ts'
import { judge, type Judged, type Leader } from './judged.ts'
import { findOnset, type Onset } from './onset.ts'
import { order } from './place-causes.ts'
import { posteriors, verdictOf } from './posterior.ts'
import { blastRadius, callChain } from './reach.ts'
import { rollbackOf } from './rollback.ts'
import { withoutStartUps } from './start-up.ts'
import * as words from './words.ts'

/** Log-likelihood of a step that needs no closer look, and how many parts are looked at else. */
const CLEAR_ONSET = 60
/** Below it the step may be chance, and is set against what exposure shows. */
const SURE_ONSET = 25
const PARTS_MAX = 200
const PAIRS_OF = 6
/** Before it nobody is cleared for want of a name: a release that has begun just now may not have been seen in traffic yet. */
const EARLY_MS = 3 * MINUTE_MS
/** Minutes that must be known before the alarm, for anybody to be cleared. */
const USUAL_MINUTES_MIN = 5
/** What the joint exposure must describe better than either alone. */
const JOINT_GAIN = 5

export function explain(given: FaultCase): Explanation {
  const { case: faultCase, notes: setAside, count } = withoutStartUps(given)
  const notes = [...setAside, ...(given.leftOut ?? [])]
  const columns = caseColumns(faultCase)
  const { fault } = faultCase
  const alarmMinute = Math.floor(fault.alarmAtMs / MINUTE_MS)
  const ended = fault.endedAtMs === undefined ? undefined : Math.floor(fault.endedAtMs / MINUTE_MS) + 1
  const to = Math.min(faultCase.toMinute, Math.max(ended ?? faultCase.toMinute, alarmMinute + 1))
  const seen = onsetOf(columns, alarmMinute, to)
  if (seen === undefined && faultCase.rows.length === 0) return nothingSeen(faultCase, notes)
  const onset =
    seen !== undefined && seen.strength >= SURE_ONSET ? seen : onsetByExposure(columns, alarmMinute, to, seen)
  const frame = frameSince(columns, onset, to)
  const contrasts = faultCase.candidates.map((_, index) => exposureContrast(frame, index))
  const rivals = competition(columns, frame, onset, contrasts)
  const joint = interaction(frame, contrasts)
  const leader = leaderOf(faultCase, contrasts, joint)
  const judged = faultCase.candidates.flatMap((_, index) => {
    const result = judge(index, {
      columns,
      frame,
      onset,
      contrasts,
      competition: rivals,
      leader,
      joint: joint?.members.includes(index) === true ? joint.contrast : undefined,
    })
    return result === undefined ? [] : [result]
  })
  return conclude({
    faultCase,
    frame,
    onset,
    judged,
    causes: rivals.causes,
    joint: joint?.members,
    byService: rivals.shares.byService,
    notes,
    isStartUp: seen === undefined && count > frame.excess,
  })
}

/** Of the whole slice; of the part of it that deviates most clearly, when that shows it much better. */
function onsetOf(columns: CaseColumns, alarmMinute: number, to: number): Onset | undefined {
  const { fromMinute } = columns.case
  let best = findOnset(columns.series, fromMinute, alarmMinute, to)
  if (best !== undefined && best.strength >= CLEAR_ONSET) return best
  const parts = sliceSeries(columns, PARTS_MAX)
  const cost = Math.log(parts.length + 1)
  for (const series of parts) {
    const onset = findOnset(series, fromMinute, alarmMinute, to)
    if (onset === undefined || onset.strength - cost < 3) continue
    if (onset.strength - cost > 1.3 * (best?.strength ?? 0))
      best = { ...onset, strength: onset.strength - cost }
  }
  return best
}

function frameSince(columns: CaseColumns, onset: Onset, to: number): ContrastFrame {
  const usual = usualBefore(columns, onset.earliest)
  return contrastFrame(columns, usual, dispersionBefore(columns, onset.earliest), onset.at, to)
}

/**
 * Where the requests as a whole show no clear step (a handful of tellers, and somebody called): since a release began to serve, if those it serves
 * are clearly worse since then; else as far as was seen; else some time before the alarm.
 */
function onsetByExposure(
  columns: CaseColumns,
  alarmMinute: number,
  to: number,
  seen: Onset | undefined,
): Onset {
  const { candidates, fromMinute } = columns.case
  const none = { strength: 0, ratioBefore: 0, ratioAfter: 0 }
  let best: { z: number; minute: number } | undefined
  // Most began to serve before the first minute that is kept, and share a frame.
  const frames = new Map<number, ContrastFrame>()
  for (const [index, { release, isVisible }] of candidates.entries()) {
    const minute = Math.floor((release.readyAtMs ?? Infinity) / MINUTE_MS)
    if (!isVisible || minute > alarmMinute) continue
    const at = Math.max(minute, fromMinute + 10)
    const frame = frames.get(at) ?? frameSince(columns, { ...none, earliest: at, at, latest: at }, to)
    frames.set(at, frame)
    const { z } = exposureContrast(frame, index)
    if (z >= 4 && z > (best?.z ?? 0)) best = { z, minute: at }
  }
  if (best !== undefined && best.z ** 2 / 2 > (seen?.strength ?? 0))
    return { ...none, earliest: best.minute, at: best.minute, latest: alarmMinute }
  // A weak step may lie elsewhere: nobody is out because of it who was there before the alarm.
  if (seen !== undefined) return { ...seen, latest: Math.max(seen.latest, alarmMinute) }
  const at = Math.max(fromMinute + 1, alarmMinute - 15)
  return { ...none, earliest: Math.max(fromMinute, at - 15), at, latest: alarmMinute }
}

type Joint = { readonly members: readonly number[]; readonly contrast: ExposureContrast }

/** Two releases that do harm only together: their joint exposure describes the failing rows much better than either. */
function interaction(frame: ContrastFrame, contrasts: readonly ExposureContrast[]): Joint | undefined {
  const strong = contrasts
    .map((contrast, index) => ({ contrast, index }))
    .filter(({ contrast }) => contrast.z >= 2.5 && contrast.race.gain >= 2)
    .sort((a, b) => b.contrast.race.gain - a.contrast.race.gain || a.index - b.index)
    .slice(0, PAIRS_OF)
  let best: Joint | undefined
  for (const [at, left] of strong.entries())
    for (const right of strong.slice(at + 1)) {
      const contrast = jointContrast(frame, left.index, right.index)
      const alone = Math.max(left.contrast.race.gain, right.contrast.race.gain)
      if (contrast.race.gain < alone + JOINT_GAIN || contrast.explained < 0.6) continue
      if (best === undefined || contrast.race.gain > best.contrast.race.gain)
        best = { members: [left.index, right.index], contrast }
    }
  return best
}

function leaderOf(
  faultCase: FaultCase,
  contrasts: readonly ExposureContrast[],
  joint: Joint | undefined,
): Leader {
  if (joint !== undefined) {
    const names = joint.members.map((index) => nameAt(faultCase, index)).join(' + ')
    return { gain: joint.contrast.race.gain, name: words.told(names, names), members: joint.members }
  }
  let best = -1
  contrasts.forEach((contrast, index) => {
    const candidate = faultCase.candidates[index]
    const ready = candidate?.release.readyAtMs ?? candidate?.release.startedAtMs ?? Infinity
    if (contrast.z < 3 || contrast.explained < 0.3 || ready > faultCase.nowMs) return
    if (best < 0 || contrast.race.gain > (contrasts[best]?.race.gain ?? 0)) best = index
  })
  const name = best < 0 ? '' : nameAt(faultCase, best)
  return {
    gain: contrasts[best]?.race.gain ?? 0,
    name: words.told(name, name),
    members: best < 0 ? [] : [best],
  }
}

const nameAt = (faultCase: FaultCase, index: number): string => {
  const candidate = faultCase.candidates[index]
  return candidate === undefined ? '' : words.releaseName(candidate)
}

function conclude(parts: {
  readonly faultCase: FaultCase
  readonly frame: ContrastFrame
  readonly onset: Onset
  readonly judged: readonly Judged[]
  readonly causes: readonly CompetingCause[]
  readonly joint: readonly number[] | undefined
  readonly byService: ReadonlyMap<string, number>
  readonly notes: readonly Told[]
  /** Without the errors of instances that start there is no step, and fewer failures than those. */
  readonly isStartUp: boolean
}): Explanation {
  const { faultCase, frame, onset, judged, causes, joint } = parts
  const { releases, causes: causePosteriors } = posteriors(
    judged.map(({ candidate, llr, isVetoed }) => ({ id: candidate.release.id, llr, isOut: isVetoed })),
    causes,
  )
  const ranked = judged
    .map((item, at) => ({ ...item, posterior: releases[at] ?? 0 }))
    .sort(
      (a, b) =>
        b.posterior - a.posterior || b.llr - a.llr || order(a.candidate.release.id, b.candidate.release.id),
    )
  const competing = causes
    .map((cause, at) => ({ ...cause, posterior: causePosteriors[at] ?? 0 }))
    .sort((a, b) => b.posterior - a.posterior || order(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`))
  const [first] = ranked
  const isJoint = first !== undefined && joint?.includes(first.index) === true
  const same =
    first === undefined || first.posterior < 0.05
      ? []
      : isJoint
        ? ranked.filter(({ index }) => joint?.includes(index))
        : [
            first,
            ...ranked
              .slice(1)
              .filter((other) => cannotBeToldApart(frame, first, other))
              .slice(0, 3),
          ]
  const posterior = same.reduce((sum, item) => sum + item.posterior, 0)
  const rest = ranked.find((item) => !same.includes(item))?.posterior ?? 0
  const noRollout = competing.reduce((sum, item) => sum + item.posterior, 0)
  const named = competing[0]
  const reached = verdictOf({
    posterior,
    second: Math.max(rest, named?.posterior ?? 0),
    isProved: same.some((item) => item.isProved),
    noRollout,
    isCauseNamed: named !== undefined && named.kind !== 'unknown' && named.llr >= 3,
    isEveryoneOut: ranked.every((item) => item.isVetoed || item.isExonerated),
    isEarly: faultCase.nowMs - faultCase.fault.alarmAtMs < EARLY_MS,
    isShort:
      (faultCase.knownFromMinute ?? 0) >
      Math.floor(faultCase.fault.alarmAtMs / MINUTE_MS) - USUAL_MINUTES_MIN,
    isContrastOpen: ranked.some(
      (item) => !item.isVetoed && item.contrast.z >= 2.5 && item.contrast.explained >= 0.15,
    ),
  })
  const isStartUp = parts.isStartUp && reached !== 'blamed'
  // Where nothing is left, time alone would make a suspect of whoever came last.
  const verdict = isStartUp ? 'inconclusive' : reached
  const relief = isJoint
    ? (first?.contrast.explained ?? 0)
    : same.reduce((most, item) => Math.max(most, item.contrast.explained), 0)
  const deciding =
    verdict === 'inconclusive' || verdict === 'suspect' ? whatDecides(frame, ranked) : undefined
  const exemplars = first === undefined ? undefined : faultCase.exemplars?.[first.index]
  return {
    fault: faultCase.fault.id,
    decidedAt: new Date(faultCase.nowMs).toISOString(),
    onset: {
      earliest: instant(onset.earliest * MINUTE_MS),
      at: instant(onset.at * MINUTE_MS),
      latest: instant((onset.latest + 1) * MINUTE_MS),
    },
    verdict,
    headline: isStartUp
      ? words.headlineWords.started()
      : headline(verdict, same, isJoint, posterior, named, noRollout),
    notes: [...parts.notes],
    ranked: ranked.map(rankedCause),
    competing: competing.map(({ kind, name, posterior: p, llr, text }) => ({
      kind,
      name,
      posterior: rounded(p),
      llr: rounded(llr),
      text,
    })),
    set: same.length > 1 ? same.map(({ candidate }) => candidate.release.id) : [],
    rollback:
      verdict === 'blamed'
        ? rollbackOf(
            faultCase,
            same.map(({ index }) => index),
            relief,
          )
        : null,
    blastRadius: blastRadius(frame),
    callChain: callChain(
      faultCase,
      frame,
      parts.byService,
      verdict === 'blamed' || verdict === 'suspect' ? (first?.candidate.release.service ?? '') : '',
    ),
    wouldDecide: deciding?.text ?? null,
    minutesMissing: deciding?.minutes ?? null,
    exemplars: { failing: [...(exemplars?.failing ?? [])], healthy: [...(exemplars?.healthy ?? [])] },
    queries: (faultCase.queries ?? []).map(({ title, sql }) => ({ title, sql })),
  }
}

type Ranked = Judged & { readonly posterior: number }

/** The same requests met both: then the data says the same of both. */
function cannotBeToldApart(frame: ContrastFrame, first: Ranked, other: Ranked): boolean {
  if (other.isVetoed || other.isExonerated || other.posterior < first.posterior / 20) return false
  if (other.contrast.method !== first.contrast.method) return false
  const faultCase = frame.columns.case
  const [a, b] = [touchesOf(faultCase, first.index), touchesOf(faultCase, other.index)]
  let [both, either] = [0, 0]
  for (const row of frame.rows) {
    const [x, y] = [a[row] === 2, b[row] === 2]
    const n = faultCase.rows.requests[row] ?? 0
    if (x && y) both += n
    if (x || y) either += n
  }
  return either > 0 && both / either >= 0.98
}

const instant = (ms: number): string => new Date(ms).toISOString()

function rankedCause(item: Ranked): Explanation['ranked'][number] {
  const { release } = item.candidate
  const { contrast } = item
  return {
    release: release.id,
    service: release.service || release.target,
    versionFrom: release.versionFrom,
    versionTo: release.versionTo,
    changeType: release.changeType,
    scope: words.scopeName(item.candidate),
    readyAt: release.readyAtMs === undefined ? null : instant(release.readyAtMs),
    posterior: rounded(item.posterior),
    isExonerated: item.isExonerated,
    reason: item.reason,
    evidence: [...item.evidence],
    contrast:
      contrast.effect === undefined || contrast.method === 'none'
        ? null
        : {
            exposed: { requests: rounded(contrast.exposed.requests), bad: rounded(contrast.exposed.bad) },
            control: { requests: rounded(contrast.control.requests), bad: rounded(contrast.control.bad) },
            method: contrast.method,
            logOdds: rounded(contrast.effect.estimate),
            z: rounded(contrast.z),
          },
  }
}

function headline(
  verdict: Explanation['verdict'],
  same: readonly Ranked[],
  isJoint: boolean,
  posterior: number,
  named: (CompetingCause & { readonly posterior: number }) | undefined,
  noRollout: number,
): Told {
  const names = same.map(({ candidate }) => words.releaseName(candidate))
  if (verdict === 'blamed')
    return isJoint || names.length === 1
      ? words.headlineWords.blamed(names, posterior)
      : words.headlineWords.oneOf(names, posterior)
  if (verdict === 'suspect')
    return names.length > 1 && !isJoint
      ? words.headlineWords.oneOf(names, posterior)
      : words.headlineWords.suspect(names.join(' + '), posterior)
  if (verdict === 'inconclusive') return words.headlineWords.inconclusive()
  return named === undefined || named.kind === 'unknown'
    ? words.headlineWords.none()
    : words.headlineWords.notARollout(words.causeName(named.kind, named.name), noRollout)
}

/** What is missing for the likeliest that is not settled: traffic, or an experiment. */
function whatDecides(
  frame: ContrastFrame,
  ranked: readonly Ranked[],
): { readonly text: Told; readonly minutes: number | null } {
  const open = ranked.find((item) => !item.isVetoed && !item.isExonerated)
  if (open === undefined) return { text: words.decideWords.wait(), minutes: null }
  const name = words.releaseName(open.candidate)
  const { exposed, control, method } = open.contrast
  if (method === 'none' || exposed.requests <= 0 || control.requests <= 0)
    return { text: words.decideWords.pause(name), minutes: null }
  const all = exposed.requests + control.requests
  const ratios = {
    exposed: Math.min(
      0.95,
      (exposed.usual + Math.max(frame.excess, 1)) / Math.max(exposed.requests, frame.excess + 1),
    ),
    control: control.usual / control.requests,
  }
  const needed = requestsNeeded({
    controlRatio: ratios.control,
    exposedRatio: ratios.exposed,
    exposedShare: exposed.requests / all,
    phi: frame.phi,
  })
  const have = expectedZ(ratios, { exposed: exposed.requests, control: control.requests }, frame.phi)
  const missing = Math.max(0, needed - all)
  const perMinute = all / Math.max(1, frame.to - frame.from)
  if (have >= 4.9 || missing <= 0 || !Number.isFinite(missing) || perMinute <= 0)
    return { text: words.decideWords.pause(name), minutes: null }
  const minutes = Math.ceil(missing / perMinute)
  return { text: words.decideWords.traffic(name, missing, minutes), minutes }
}

/** A fault that its requests do not show: nothing is said of anyone. */
function nothingSeen(faultCase: FaultCase, notes: readonly Told[]): Explanation {
  return {
    fault: faultCase.fault.id,
    decidedAt: instant(faultCase.nowMs),
    onset: null,
    verdict: 'inconclusive',
    headline: words.headlineWords.nothing(),
    notes: [...notes],
    ranked: [],
    competing: [],
    set: [],
    rollback: null,
    blastRadius: {
      badRequests: 0,
      excessRequests: 0,
      channels: [],
      regions: [],
      branches: [],
      transactions: [],
    },
    callChain: [],
    wouldDecide: words.decideWords.wait(),
    minutesMissing: null,
    exemplars: { failing: [], healthy: [] },
    queries: (faultCase.queries ?? []).map(({ title, sql }) => ({ title, sql })),
  }
}
