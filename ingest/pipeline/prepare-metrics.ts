// What happens to one message of metrics before it may join a batch: the walk; then, for the rare message, points
// that the store cannot hold are cut out, lists among attributes become texts, and points beyond the bounds on series
// are folded into one series per metric or left out. The clock is an argument; the register of series is the one
// thing that remembers.

import type { DeadLetter } from '../records/dead-letter.ts'
import { bareExemplars, foldPoints, flattenAttributes, splitPoints } from './point-split.ts'
import { isMasking, NO_MASKING, type Masking } from '../store/masking.ts'
import { AHEAD_OF_NOW_MS, instant, resourceKeys, type Prepared, type TimeBounds } from './prepared.ts'
import type { SeriesRegister } from './series-register.ts'
import type { TimeRange } from './walk.ts'
import {
  DEFAULT_METRIC_LIMITS,
  pointTimeMs,
  walkMetrics,
  type MetricLimits,
  type PointCounts,
  type WalkedMetrics,
} from './walk-metrics.ts'
import { Malformed, withoutStrangers } from './wire-reader.ts'

export const METRICS_FORMAT = 'otlp_proto metrics'

/** A message of metrics; its rows are data points. */
export type PreparedMetrics = Prepared & {
  readonly counts: PointCounts
  /** Marks of series that were not written down when the message came. */
  readonly unstored: readonly number[]
  /** Points that went to the overflow series of their metric. */
  readonly foldedPoints: number
}

/** The attribute of an overflow series, as OpenTelemetry's SDKs name theirs. */
export const OVERFLOW_KEY = 'otel.metric.overflow'

// KeyValue { key: 'otel.metric.overflow', value: { bool_value: true } }
const OVERFLOW_ATTRIBUTE = Buffer.concat([
  Buffer.from([0x0a, OVERFLOW_KEY.length]),
  Buffer.from(OVERFLOW_KEY),
  Buffer.from([0x12, 0x02, 0x10, 0x01]),
])
const SANE_FROM_MS = Date.UTC(2000, 0, 1)
const HOUR_MS = 3_600_000
const NO_COUNTS: PointCounts = {
  samples_int: 0,
  samples_float: 0,
  histograms: 0,
  exp_histograms: 0,
  summaries: 0,
  exemplars: 0,
}

type Walked = Extract<WalkedMetrics, { kind: 'walked' }>

export function prepareMetrics(
  bytes: Uint8Array,
  origin: string,
  nowMs: number,
  bounds: TimeBounds,
  register: SeriesRegister,
  masking: Masking = NO_MASKING,
  limits: MetricLimits = DEFAULT_METRIC_LIMITS,
): PreparedMetrics {
  const range: TimeRange = { fromMs: nowMs - bounds.retentionMs + HOUR_MS, toMs: nowMs + bounds.aheadMs }
  const walk = (part: Uint8Array) => {
    const walked = walkMetrics(part, range, register.seed, limits)
    if (walked.kind === 'malformed') throw new Malformed(walked.reason)
    return walked
  }
  try {
    let kept: Uint8Array = bytes
    let walked = walk(kept)
    const rejected: Rejected = { deadLetters: [], sentences: [], rows: 0, expired: 0 }
    if (walked.hasStrangers) {
      kept = withoutStrangers(kept)
      walked = walk(kept)
    }
    if (walked.outOfRange > 0) {
      kept = cutByTime(kept, range, origin, rejected)
      walked = walk(kept)
    }
    if (walked.hasLists) {
      kept = flattenAttributes(kept)
      walked = walk(kept)
    }
    // The engine has no place to mask what exemplars carry, so what may be sensitive is left out.
    const { hasExemplarNumbers, hasExemplarAttributes } = walked
    const sent = Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength)
    const isConfigured = () => masking.patterns.length > 0 || masking.keys.some((key) => sent.includes(key))
    if (isMasking(masking) && (hasExemplarNumbers || (hasExemplarAttributes && isConfigured()))) {
      kept = bareExemplars(kept)
      walked = walk(kept)
    }
    let aheadRows = 0
    if (walked.latestMs > nowMs + AHEAD_OF_NOW_MS) {
      const source = kept
      const split = splitPoints(
        source,
        (_, from, to) => pointTimeMs(source, from, to) <= nowMs + AHEAD_OF_NOW_MS,
      )
      aheadRows = split.removedPoints
      rejected.sentences.push(
        `${aheadRows} data points lie more than ${AHEAD_OF_NOW_MS / 60_000} minutes ahead of now (${instant(nowMs)}); they are stored, check the sender's clock`,
      )
    }
    const { unstored, verdicts } = register.admit(walked.metrics, walked.marks)
    let foldedPoints = 0
    if (verdicts !== undefined) {
      const names = [...new Set(beyondBounds(walked, verdicts))]
      const within = splitPoints(kept, (index) => verdicts[index] === 'kept')
      const beyond = verdicts.filter((verdict) => verdict !== 'kept')
      const {
        kept: foldable,
        keptPoints,
        removedPoints,
      } = splitPoints(within.removed, (index) => beyond[index] === 'folded')
      kept = Buffer.concat([within.kept, foldPoints(foldable, OVERFLOW_ATTRIBUTE)])
      walked = walk(kept)
      foldedPoints = keptPoints
      if (keptPoints > 0)
        rejected.sentences.push(
          `${keptPoints} data points of ${listed(names)} are beyond the bound on series (SURETY_SERIES_MAX_PER_METRIC) and were folded into one series with ${OVERFLOW_KEY}=true`,
        )
      if (removedPoints > 0) {
        rejected.rows += removedPoints
        rejected.sentences.push(
          `${removedPoints} data points of ${listed(names)} were not stored: too many metric names today`,
        )
      }
    }
    return {
      bytes: kept,
      rows: walked.points,
      earliestMs: walked.earliestMs,
      latestMs: walked.latestMs,
      counts: walked.counts,
      resources: resourceKeys(kept, walked.resources),
      // An overflow series is written down with every batch that has one: it is rare and has no mark.
      unstored: foldedPoints === 0 ? unstored : [...unstored, Number.NaN],
      foldedPoints,
      origin,
      deadLetters: rejected.deadLetters,
      rejectedRows: rejected.rows,
      rejection: rejected.sentences.join('. '),
      expiredRows: rejected.expired,
      plainRecords: 0,
      aheadRows,
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error
    const reason = error.message
    return {
      bytes: new Uint8Array(),
      rows: 0,
      earliestMs: 0,
      latestMs: 0,
      counts: NO_COUNTS,
      resources: [],
      unstored: [],
      foldedPoints: 0,
      origin,
      deadLetters: [{ reason: 'malformed', detail: reason, origin, format: METRICS_FORMAT, payload: bytes }],
      rejectedRows: 0,
      rejection: reason,
      expiredRows: 0,
      aheadRows: 0,
      plainRecords: 0,
    }
  }
}

type Rejected = { deadLetters: DeadLetter[]; sentences: string[]; rows: number; expired: number }

function cutByTime(bytes: Uint8Array, range: TimeRange, origin: string, rejected: Rejected): Buffer {
  const isIn =
    (of: Uint8Array, { fromMs, toMs }: TimeRange) =>
    (_: number, from: number, to: number) => {
      const ms = pointTimeMs(of, from, to)
      return ms >= fromMs && ms <= toMs
    }
  const split = splitPoints(bytes, isIn(bytes, range))
  const sane = { fromMs: SANE_FROM_MS, toMs: range.toMs }
  const late = splitPoints(split.removed, isIn(split.removed, sane))
  rejected.rows = split.removedPoints
  rejected.expired = late.keptPoints
  if (late.removedPoints > 0) {
    const detail = `${late.removedPoints} data points lie outside ${instant(sane.fromMs)} to ${instant(sane.toMs)}; check time_unix_nano and the sender's clock`
    rejected.sentences.push(detail)
    rejected.deadLetters.push({
      reason: 'time-out-of-range',
      detail,
      origin,
      format: METRICS_FORMAT,
      payload: late.removed,
    })
  }
  if (late.keptPoints > 0) {
    rejected.sentences.push(
      `${late.keptPoints} data points lie before ${instant(range.fromMs)}, older than the retention of samples; they were not stored`,
    )
  }
  return split.kept
}

function beyondBounds({ metrics }: Walked, verdicts: readonly string[]): string[] {
  return metrics
    .filter(({ from, to }) => verdicts.slice(from, to).some((verdict) => verdict !== 'kept'))
    .map(({ name }) => name.slice(0, 200))
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length > 5 ? `${shown} and ${names.length - 5} more metrics` : shown
}
