// Takes a message apart by time: the spans that the store can hold, and those it cannot. Runs only for the
// rare message with a start time out of range, so it may copy; both halves are valid OTLP again.

import { varint } from './varint.ts'
import { spanStartMs, type TimeRange } from './walk.ts'
import { messageFields } from './wire-reader.ts'

export type TimeSplit = {
  /** The message without the spans out of range; empty when none is left. */
  readonly kept: Buffer
  readonly keptSpans: number
  /** The same resources and scopes with only the spans out of range. */
  readonly removed: Buffer
  readonly removedSpans: number
  /** Start of the earliest and of the latest removed span, ms since epoch. */
  readonly removedFromMs: number
  readonly removedToMs: number
}

/** @param bytes a message that the walk has accepted */
export function splitByTime(bytes: Uint8Array, range: TimeRange): TimeSplit {
  let keptSpans = 0
  let removedSpans = 0
  let removedFromMs = Number.POSITIVE_INFINITY
  let removedToMs = 0

  const isInside = (from: number, to: number): boolean => {
    const startMs = spanStartMs(bytes, from, to)
    const inside = startMs >= range.fromMs && startMs <= range.toMs
    if (inside) keptSpans += 1
    else {
      removedSpans += 1
      removedFromMs = Math.min(removedFromMs, startMs)
      removedToMs = Math.max(removedToMs, startMs)
    }
    return inside
  }

  const kept: Buffer[] = []
  const removed: Buffer[] = []
  for (const resourceSpans of messageFields(bytes, 0, bytes.length)) {
    if (resourceSpans.number !== 1) continue
    const halves: [Buffer[], Buffer[]] = [[], []]
    const spansBefore = [keptSpans, removedSpans]
    for (const part of messageFields(bytes, resourceSpans.valueAt, resourceSpans.end)) {
      const whole = slice(bytes, part.tagAt, part.end)
      if (part.number !== 2) {
        halves[0].push(whole)
        halves[1].push(whole)
        continue
      }
      const scopeHalves: [Buffer[], Buffer[]] = [[], []]
      for (const field of messageFields(bytes, part.valueAt, part.end)) {
        const piece = slice(bytes, field.tagAt, field.end)
        if (field.number !== 2) {
          scopeHalves[0].push(piece)
          scopeHalves[1].push(piece)
        } else scopeHalves[isInside(field.valueAt, field.end) ? 0 : 1].push(piece)
      }
      halves[0].push(delimited(2, scopeHalves[0]))
      halves[1].push(delimited(2, scopeHalves[1]))
    }
    if (keptSpans > (spansBefore[0] ?? 0)) kept.push(delimited(1, halves[0]))
    if (removedSpans > (spansBefore[1] ?? 0)) removed.push(delimited(1, halves[1]))
  }
  return {
    kept: Buffer.concat(kept),
    keptSpans,
    removed: Buffer.concat(removed),
    removedSpans,
    removedFromMs: removedSpans === 0 ? 0 : removedFromMs,
    removedToMs,
  }
}

function slice(bytes: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
}

function delimited(number: number, pieces: readonly Buffer[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([Buffer.from([(number << 3) | 2]), varint(length), ...pieces])
}
