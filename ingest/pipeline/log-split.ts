// Takes log requests apart, record by record: for messages that hold records that are not stored, or bodies that are more
// than the engine reads. It may copy; what comes out is valid OTLP again.

import { anyValueText } from './point-split.ts'
import { varint } from './varint.ts'
import { messageFields, type Field } from './wire-reader.ts'

const BODY = 5
const STRING = 1
const RECORD_LEVEL = 2
// ExportLogsServiceRequest → resource_logs 1 → scope_logs 2 → log_records 2
const DOWN = [1, 2, 2]

/**
 * @param bytes   a message that the walk has accepted
 * @param isKept  asked once per record, in the order of the walk
 * @returns the message with only these records; empty when there is none
 */
export function keepRecords(bytes: Uint8Array, isKept: (index: number) => boolean): Buffer {
  let seen = 0
  let kept = 0
  const down = (from: number, to: number, level: number): Buffer[] =>
    messageFields(bytes, from, to).flatMap((field) => {
      if (field.wireType !== 2 || field.number !== DOWN[level]) return [slice(bytes, field.tagAt, field.end)]
      if (level === RECORD_LEVEL) {
        seen += 1
        if (!isKept(seen - 1)) return []
        kept += 1
        return [slice(bytes, field.tagAt, field.end)]
      }
      const before = kept
      const inner = down(field.valueAt, field.end, level + 1)
      return kept === before ? [] : [delimited(field.number, inner)]
    })
  const pieces = down(0, bytes.length, 0)
  return kept === 0 ? Buffer.alloc(0) : Buffer.concat(pieces)
}

/** The same message with every body that is a map as its JSON. */
export function flattenBodies(bytes: Uint8Array): Buffer {
  const down = (from: number, to: number, level: number): Buffer[] =>
    messageFields(bytes, from, to).map((field) => {
      if (field.wireType !== 2 || field.number !== DOWN[level]) return slice(bytes, field.tagAt, field.end)
      if (level < RECORD_LEVEL) return delimited(field.number, down(field.valueAt, field.end, level + 1))
      return delimited(
        field.number,
        messageFields(bytes, field.valueAt, field.end).map((inner) => flatBody(bytes, inner)),
      )
    })
  return Buffer.concat(down(0, bytes.length, 0))
}

function flatBody(bytes: Uint8Array, field: Field): Buffer {
  if (field.number !== BODY || field.wireType !== 2) return slice(bytes, field.tagAt, field.end)
  return delimited(BODY, [delimited(STRING, [Buffer.from(anyValueText(bytes, field))])])
}

function slice(bytes: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
}

function delimited(number: number, pieces: readonly Buffer[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([varint((number << 3) | 2), varint(length), ...pieces])
}
