// What happens to one message before it may join a batch: the walk, and for the rare message with spans that
// the store cannot hold, the split. Pure: the outcome is a value, the clock an argument.

import type { DeadLetter } from '../records/dead-letter.ts'
import { KEY_SIGNATURES } from './key-signature.ts'
import { AHEAD_OF_NOW_MS, instant, resourceKeys, type Prepared, type TimeBounds } from './prepared.ts'
import { splitByTime } from './time-split.ts'
import { DEFAULT_WALK_LIMITS, walkTraces, type TimeRange, type Walked, type WalkLimits } from './walk.ts'
import { withoutStrangers } from './wire-reader.ts'

export const TRACES_FORMAT = 'otlp_proto traces'

/** A message of traces; its rows are spans. */
export type PreparedTraces = Prepared & {
  /** Whether any attribute is more than a scalar; the statement for scalars alone is cheaper. */
  readonly hasLists: boolean
  /** Whether a span may hold a number that is to be masked; the statement without masking is cheaper. */
  readonly hasNumbers: boolean
  /** Marks of the spans' attribute keys (key-signature.ts); what is not marked is not there. */
  readonly keys: Uint8Array
  /** From here on a start counts as ahead of now, ms since epoch. */
  readonly aheadFromMs: number
}

// Before this, a time is not late but wrong (zero, seconds for nanoseconds).
const SANE_FROM_MS = Date.UTC(2000, 0, 1)
const DAY_MS = 86_400_000
const NO_KEYS = new Uint8Array(KEY_SIGNATURES)

export function prepareTraces(
  bytes: Uint8Array,
  origin: string,
  nowMs: number,
  bounds: TimeBounds,
  limits: WalkLimits = DEFAULT_WALK_LIMITS,
): PreparedTraces {
  // A part is dropped when its newest row expires, so the day at the edge is still there; an hour of margin
  // keeps a slow insert from racing the retention.
  const range: TimeRange = { fromMs: nowMs - bounds.retentionMs + DAY_MS / 24, toMs: nowMs + bounds.aheadMs }
  const walked = walkTraces(bytes, range, limits)
  if (walked.kind === 'malformed') {
    return malformed(bytes, TRACES_FORMAT, origin, walked.reason)
  }
  const resources = resourceKeys(bytes, walked.resources)
  if (walked.outOfRange === 0) {
    return {
      ...nothing(origin, [], 0, ''),
      bytes: walked.hasStrangers ? withoutStrangers(bytes) : bytes,
      ...facts(walked),
      ...ahead(bytes, walked.latestMs, nowMs),
      resources,
    }
  }
  const split = splitByTime(bytes, range)
  const sane = splitByTime(split.removed, { fromMs: SANE_FROM_MS, toMs: range.toMs })
  const expiredSpans = sane.keptSpans
  const insaneSpans = sane.removedSpans
  const sentences = []
  const deadLetters: DeadLetter[] = []
  if (insaneSpans > 0) {
    const detail = `${insaneSpans} spans start between ${instant(sane.removedFromMs)} and ${instant(sane.removedToMs)}, outside ${instant(SANE_FROM_MS)} to ${instant(range.toMs)}; check start_time_unix_nano and the sender's clock`
    sentences.push(detail)
    deadLetters.push({
      reason: 'time-out-of-range',
      detail,
      origin,
      format: TRACES_FORMAT,
      payload: sane.removed,
    })
  }
  if (expiredSpans > 0) {
    sentences.push(
      `${expiredSpans} spans start before ${instant(range.fromMs)}, older than the retention of raw spans; they were not stored`,
    )
  }
  const { rejection, ...rest } = ahead(split.kept, walked.latestMs, nowMs)
  if (rejection !== '') sentences.push(rejection)
  return {
    bytes: split.kept,
    ...facts(walked),
    ...rest,
    rows: split.keptSpans,
    resources,
    origin,
    deadLetters,
    rejectedRows: split.removedSpans,
    rejection: sentences.join('. '),
    expiredRows: expiredSpans,
    plainRecords: 0,
  }
}

/** What lies ahead of now is stored where it says, and told apart. @param bytes holds only spans in range */
function ahead(bytes: Uint8Array, latestMs: number, nowMs: number) {
  const aheadFromMs = nowMs + AHEAD_OF_NOW_MS
  if (latestMs <= aheadFromMs) return { aheadRows: 0, aheadFromMs, rejection: '' }
  const { removedSpans: aheadRows, removedToMs } = splitByTime(bytes, { fromMs: 0, toMs: aheadFromMs })
  const rejection = `${aheadRows} spans start up to ${instant(removedToMs)}, more than ${AHEAD_OF_NOW_MS / 60_000} minutes ahead of now (${instant(nowMs)}); they are stored, check the sender's clock`
  return { aheadRows, aheadFromMs, rejection }
}

function facts(walked: Extract<Walked, { kind: 'walked' }>) {
  const { spans: rows, earliestMs, latestMs, hasLists, hasNumbers, keys } = walked
  return { rows, earliestMs, latestMs, hasLists, hasNumbers, keys }
}

function malformed(payload: Uint8Array, format: string, origin: string, detail: string): PreparedTraces {
  return nothing(origin, [{ reason: 'malformed', detail, origin, format, payload }], 0, detail)
}

function nothing(
  origin: string,
  deadLetters: readonly DeadLetter[],
  rejectedRows: number,
  rejection: string,
): PreparedTraces {
  return {
    bytes: new Uint8Array(),
    rows: 0,
    earliestMs: 0,
    latestMs: 0,
    hasLists: false,
    hasNumbers: false,
    keys: NO_KEYS,
    resources: [],
    origin,
    deadLetters,
    rejectedRows,
    rejection,
    expiredRows: 0,
    aheadRows: 0,
    plainRecords: 0,
    aheadFromMs: 0,
  }
}
