// One message as it may join a batch, whatever its signal.

import type { DeadLetter } from '../records/dead-letter.ts'

export type Prepared = {
  /** Bytes for the engine; empty when nothing of the message is to be stored. */
  readonly bytes: Uint8Array
  /** Facts in these bytes: spans, data points. */
  readonly rows: number
  /** Earliest and latest time of these facts, ms since epoch; 0 without any. */
  readonly earliestMs: number
  readonly latestMs: number
  /** Raw bytes of each resource as a latin1 text, for knowing which were stored before. */
  readonly resources: readonly string[]
  readonly origin: string
  readonly deadLetters: readonly DeadLetter[]
  /** Facts set aside or expired, and why: what a door tells its sender. */
  readonly rejectedRows: number
  readonly rejection: string
  readonly expiredRows: number
  /** Stored facts that lie more than AHEAD_OF_NOW_MS ahead of our clock. */
  readonly aheadRows: number
  /** Records of a kind that is not kept: log records that are no events. */
  readonly plainRecords: number
  /** It is a dead letter that is sent again: when it is refused, no second letter is made of it. */
  readonly isReplay?: boolean
}

/** A message of which nothing is to be stored. */
export const NOTHING: Prepared = {
  bytes: new Uint8Array(),
  rows: 0,
  earliestMs: 0,
  latestMs: 0,
  resources: [],
  origin: '',
  deadLetters: [],
  rejectedRows: 0,
  rejection: '',
  expiredRows: 0,
  aheadRows: 0,
  plainRecords: 0,
}

/** Clocks differ by seconds; what lies further ahead is told apart. */
export const AHEAD_OF_NOW_MS = 300_000

/** Instants a fact may lie at. */
export type TimeBounds = {
  /** Older facts would vanish at insert: the retention of their table, ms. */
  readonly retentionMs: number
  /** Further ahead no clock is believed, ms. */
  readonly aheadMs: number
}

/** The raw bytes of each resource, by [start, end) pairs, as texts that can be looked up. */
export function resourceKeys(bytes: Uint8Array, bounds: readonly number[]): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const keys: string[] = []
  for (let index = 0; index < bounds.length; index += 2) {
    keys.push(view.toString('latin1', bounds[index], bounds[index + 1]))
  }
  return keys
}

/** An instant in a sentence to a sender, however absurd. */
export function instant(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString() : `${ms} ms since 1970`
}
