// Right or wrong, by the truth; shares with their intervals.

import { poissonInterval, wilson } from '../../query/statistics/counts.ts'
import type { DayOutcome } from './run-day.ts'
import type { Outcome } from './run-incident.ts'
import type { Answer } from './scene.ts'
import { INCIDENT_CLASSES, type IncidentClass } from './world.ts'

/** Blamed: the first, or the set of at most two that it cannot be told apart from, has a culprit. */
export function isRightBlame(outcome: Outcome, answer: Answer): boolean {
  return rankOf(outcome, answer) === 1
}

/** Place of the first culprit; a set of two shares its place. Infinity when it is not ranked. */
export function rankOf({ truth }: Outcome, { ranked, set }: Answer): number {
  if (set.length <= 2 && set.some((key) => truth.culprits.includes(key))) return 1
  const rank = ranked.findIndex((key) => truth.culprits.includes(key))
  return rank < 0 ? Infinity : rank + 1
}

/** The culprit is blamed, or nobody where nobody did it. */
export function isRight(outcome: Outcome, answer: Answer): boolean {
  const { verdict } = answer.judgement
  if (outcome.truth.culprits.length === 0) return verdict !== 'blamed'
  return verdict === 'blamed' && isRightBlame(outcome, answer)
}

/** A share of cases with its 95 % interval (Wilson). */
export type Share = {
  readonly hits: number
  readonly of: number
  readonly ratio: number
  readonly low: number
  readonly high: number
}

export function share<T>(list: readonly T[], isHit: (item: T) => boolean): Share {
  const hits = list.filter(isHit).length
  return {
    hits,
    of: list.length,
    ratio: list.length === 0 ? Number.NaN : hits / list.length,
    ...wilson(hits, list.length),
  }
}

export type ClassScore = {
  readonly kind: string
  readonly incidents: number
  readonly noticed: number
  readonly precision: Share
  readonly recall: Share
  readonly recallOrSuspect: Share
  readonly ac1: Share
  readonly ac3: Share
  readonly falseBlame: Share
  readonly inconclusive: number
  readonly secondsToVerdict: { readonly p50: number; readonly p95: number; readonly decided: number }
}

export type Calibration = {
  readonly ece: number
  readonly bins: readonly {
    readonly from: number
    readonly to: number
    readonly count: number
    readonly said: number
    readonly true: number
  }[]
}

export type JudgeScore = {
  readonly judge: string
  readonly all: ClassScore
  readonly classes: readonly ClassScore[]
  /** Recalls that the targets name. */
  readonly targets: {
    readonly immediateWithControl: Share
    readonly silent: Share
    readonly delayed: Share
    /** Of them, those with requests that the release did not serve, to compare with: nothing else can prove it. */
    readonly delayedWithControl: Share
    readonly delayedOrSuspect: Share
    readonly tiny: Share
    readonly full: Share
  }
  /** Of blames with a suggestion: those whose replay without it loses four fifths of the bad requests. */
  readonly effectiveRollbacks: Share
  readonly calibration: Calibration
  readonly days: {
    readonly days: number
    readonly alarms: number
    readonly faults: number
    readonly blames: number
    readonly suspects: number
    readonly withRollback: number
    readonly blamesPer60Days: Rate
    readonly faultsPerDay: Rate
    readonly suspectsPerDay: Rate
  }
}

/** Events by unit of time with their 95 % interval (Poisson). */
export type Rate = { readonly value: number; readonly low: number; readonly high: number }

function rate(events: number, units: number): Rate {
  if (units === 0) return { value: Number.NaN, low: 0, high: Infinity }
  const { low, high } = poissonInterval(events)
  return { value: events / units, low: low / units, high: high / units }
}

type Case = { readonly outcome: Outcome; readonly answer: Answer | undefined }

export function scoreJudge(
  judge: string,
  outcomes: readonly Outcome[],
  days: readonly DayOutcome[],
): JudgeScore {
  const cases = outcomes.map((outcome): Case => ({
    outcome,
    answer: outcome.answers.find((one) => one.judge === judge),
  }))
  const of = (...kinds: readonly IncidentClass[]) =>
    cases.filter(({ outcome }) => kinds.some((kind) => kind === outcome.truth.kind))
  const onDays = days.flatMap(({ answers }) => answers.filter((answer) => answer.judge === judge))
  const blames = onDays.filter(({ judgement }) => judgement.verdict === 'blamed')
  const suspects = onDays.filter(({ judgement }) => judgement.verdict === 'suspect').length
  const faults = days.reduce((sum, day) => sum + day.faults, 0)
  return {
    judge,
    all: scoreClass('all', cases),
    classes: INCIDENT_CLASSES.flatMap((kind) => (of(kind).length === 0 ? [] : [scoreClass(kind, of(kind))])),
    targets: {
      immediateWithControl: share(
        of('R1', 'R3', 'R6').filter(({ outcome }) => outcome.truth.hasControl),
        isBlamed,
      ),
      silent: share(of('R2'), isBlamed),
      delayed: share(of('R4'), isBlamed),
      delayedWithControl: share(
        of('R4').filter(({ outcome }) => outcome.truth.hasControl),
        isBlamed,
      ),
      delayedOrSuspect: share(of('R4'), isBlamedOrFirstSuspect),
      tiny: share(
        of('R5').filter(({ outcome }) => outcome.truth.expectedZ >= 4),
        isBlamed,
      ),
      full: share(of('R7'), isBlamedOrFirstSuspect),
    },
    effectiveRollbacks: share(
      cases.flatMap(({ answer }) => (answer?.relief === undefined ? [] : [answer.relief])),
      (relief) => relief >= 0.8,
    ),
    calibration: calibrationOf(cases),
    days: {
      days: days.length,
      alarms: days.reduce((sum, { alarms }) => sum + alarms, 0),
      faults,
      blames: blames.length,
      suspects,
      withRollback: blames.filter(({ rollback }) => rollback !== undefined && rollback.length > 0).length,
      blamesPer60Days: rate(blames.length, days.length / 60),
      faultsPerDay: rate(faults, days.length),
      suspectsPerDay: rate(suspects, days.length),
    },
  }
}

const isBlamed = ({ outcome, answer }: Case) => answer !== undefined && isRight(outcome, answer)
const isBlamedOrFirstSuspect = ({ outcome, answer }: Case) =>
  answer !== undefined &&
  (answer.judgement.verdict === 'blamed' || answer.judgement.verdict === 'suspect') &&
  isRightBlame(outcome, answer)

function scoreClass(kind: string, cases: readonly Case[]): ClassScore {
  const answered = cases.flatMap(({ outcome, answer }) => (answer === undefined ? [] : [{ outcome, answer }]))
  const caused = cases.filter(({ outcome }) => outcome.truth.culprits.length > 0)
  const causedAnswered = answered.filter(({ outcome }) => outcome.truth.culprits.length > 0)
  const innocent = cases.filter(({ outcome }) => outcome.truth.culprits.length === 0)
  const decided = answered
    .filter(
      ({ answer }) => answer.judgement.verdict === 'blamed' || answer.judgement.verdict === 'not-a-rollout',
    )
    .map(({ answer }) => answer.afterMinutes * 60)
    .toSorted((a, b) => a - b)
  return {
    kind,
    incidents: cases.length,
    noticed: answered.length,
    precision: share(
      answered.filter(({ answer }) => answer.judgement.verdict === 'blamed'),
      ({ outcome, answer }) => outcome.truth.culprits.length > 0 && isRightBlame(outcome, answer),
    ),
    recall: share(caused, isBlamed),
    recallOrSuspect: share(caused, isBlamedOrFirstSuspect),
    ac1: share(causedAnswered, ({ outcome, answer }) => rankOf(outcome, answer) <= 1),
    ac3: share(causedAnswered, ({ outcome, answer }) => rankOf(outcome, answer) <= 3),
    falseBlame: share(innocent, ({ answer }) => answer?.judgement.verdict === 'blamed'),
    inconclusive: answered.filter(({ answer }) => answer.judgement.verdict === 'inconclusive').length,
    secondsToVerdict: { p50: quantile(decided, 0.5), p95: quantile(decided, 0.95), decided: decided.length },
  }
}

const quantile = (sorted: readonly number[], at: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(at * sorted.length) - 1)] ?? Number.NaN

const BINS = 10

/** How far said and true lie apart: posterior of the first release of each answer against whether it did it. */
function calibrationOf(cases: readonly Case[]): Calibration {
  const said = cases.flatMap(({ outcome, answer }) => {
    const first = answer?.judgement.ranked[0]
    return answer === undefined || first === undefined
      ? []
      : [
          {
            posterior: first.posterior,
            isTrue: outcome.truth.culprits.length > 0 && rankOf(outcome, answer) === 1,
          },
        ]
  })
  const bins = Array.from({ length: BINS }, (_, bin) => {
    const mine = said.filter(({ posterior }) => Math.min(BINS - 1, Math.floor(posterior * BINS)) === bin)
    const mean = (of: (one: (typeof mine)[number]) => number) =>
      mine.length === 0 ? 0 : mine.reduce((sum, one) => sum + of(one), 0) / mine.length
    return {
      from: bin / BINS,
      to: (bin + 1) / BINS,
      count: mine.length,
      said: mean(({ posterior }) => posterior),
      true: mean(({ isTrue }) => (isTrue ? 1 : 0)),
    }
  })
  const ece = bins.reduce(
    (sum, bin) => sum + (bin.count / Math.max(1, said.length)) * Math.abs(bin.said - bin.true),
    0,
  )
  return { ece, bins }
}

/** Cases that one got right and the other did not, and McNemar's exact two-sided p. */
export function paired(outcomes: readonly Outcome[], one: string, other: string) {
  const isFirst = (outcome: Outcome, judge: string) => {
    const answer = outcome.answers.find((candidate) => candidate.judge === judge)
    return answer !== undefined && rankOf(outcome, answer) === 1
  }
  const caused = outcomes.filter(({ truth, fault }) => truth.culprits.length > 0 && fault !== undefined)
  const onlyOne = caused.filter((outcome) => isFirst(outcome, one) && !isFirst(outcome, other)).length
  const onlyOther = caused.filter((outcome) => !isFirst(outcome, one) && isFirst(outcome, other)).length
  const n = onlyOne + onlyOther
  let tail = 0
  let term = 0.5 ** n
  for (let k = 0; k <= Math.min(onlyOne, onlyOther); k += 1) {
    tail += term
    term *= (n - k) / (k + 1)
  }
  return {
    onlyOne,
    onlyOther,
    difference: (onlyOne - onlyOther) / Math.max(1, caused.length),
    p: Math.min(1, 2 * tail),
  }
}
