// What happens to one message before it may join a batch: the walk, and for the rare message with spans that
// the store cannot hold, the split. Pure: the outcome is a value, the clock an argument.

import type { DeadLetter } from '../records/dead-letter.ts'
import { tracesFromJson } from './json-to-proto.ts'
import { KEY_SIGNATURES } from './key-signature.ts'
import { splitByTime } from './time-split.ts'
import { DEFAULT_WALK_LIMITS, walkTraces, type TimeRange, type Walked, type WalkLimits } from './walk.ts'

export const TRACES_FORMAT = 'otlp_proto traces'
export const JSON_TRACES_FORMAT = 'otlp_json traces'

/** A message as it may join a batch. */
export type Prepared = {
  /** Bytes for the engine; empty when nothing of the message is to be stored. */
  readonly bytes: Uint8Array
  readonly spans: number
  /** Earliest and latest start of these spans, ms since epoch; 0 without spans. */
  readonly earliestMs: number
  readonly latestMs: number
  /** Whether any attribute is more than a scalar; the statement for scalars alone is cheaper. */
  readonly hasLists: boolean
  /** Whether a span may hold a number that is to be masked; the statement without masking is cheaper. */
  readonly hasNumbers: boolean
  /** Marks of the spans' attribute keys (key-signature.ts); what is not marked is not there. */
  readonly keys: Uint8Array
  /** Raw bytes of each resource as a latin1 text, for knowing which were stored before. */
  readonly resources: readonly string[]
  readonly origin: string
  readonly deadLetters: readonly DeadLetter[]
  /** It is a dead letter that is sent again: when it is refused, no second letter is made of it. */
  readonly isReplay?: boolean
  /** Spans set aside or expired, and why: what a door tells its sender. */
  readonly rejectedSpans: number
  readonly rejection: string
  readonly expiredSpans: number
}

/** Instants a span may start at. */
export type TimeBounds = {
  /** Older spans would vanish at insert: the retention of raw spans, ms. */
  readonly retentionMs: number
  /** Further ahead no clock is believed, ms. */
  readonly aheadMs: number
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
): Prepared {
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
      bytes,
      ...facts(walked),
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
  return {
    bytes: split.kept,
    ...facts(walked),
    spans: split.keptSpans,
    resources,
    origin,
    deadLetters,
    rejectedSpans: split.removedSpans,
    rejection: sentences.join('. '),
    expiredSpans,
  }
}

function facts(walked: Extract<Walked, { kind: 'walked' }>) {
  const { spans, earliestMs, latestMs, hasLists, hasNumbers, keys } = walked
  return { spans, earliestMs, latestMs, hasLists, hasNumbers, keys }
}

/** The same for OTLP/JSON. What is set aside because of the JSON keeps its bytes as they came. */
export function prepareJsonTraces(
  json: Uint8Array,
  origin: string,
  nowMs: number,
  bounds: TimeBounds,
): Prepared {
  const transcoded = tracesFromJson(json)
  if (transcoded.kind === 'refused') return malformed(json, JSON_TRACES_FORMAT, origin, transcoded.reason)
  return prepareTraces(transcoded.bytes, origin, nowMs, bounds)
}

function malformed(payload: Uint8Array, format: string, origin: string, detail: string): Prepared {
  return nothing(origin, [{ reason: 'malformed', detail, origin, format, payload }], 0, detail)
}

function nothing(
  origin: string,
  deadLetters: readonly DeadLetter[],
  rejectedSpans: number,
  rejection: string,
): Prepared {
  return {
    bytes: new Uint8Array(),
    spans: 0,
    earliestMs: 0,
    latestMs: 0,
    hasLists: false,
    hasNumbers: false,
    keys: NO_KEYS,
    resources: [],
    origin,
    deadLetters,
    rejectedSpans,
    rejection,
    expiredSpans: 0,
  }
}

function resourceKeys(bytes: Uint8Array, bounds: readonly number[]): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const keys: string[] = []
  for (let index = 0; index < bounds.length; index += 2) {
    keys.push(view.toString('latin1', bounds[index], bounds[index + 1]))
  }
  return keys
}

function instant(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : `${ms} ms since 1970`
}
