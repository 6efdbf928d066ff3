// Takes metric requests apart, point by point: for the rare message with points that cannot be stored as they are.
// It may copy; what comes out is valid OTLP again.

import { varint } from './varint.ts'
import { METRIC_DATA, type PointShape } from './walk-metrics.ts'
import { messageFields, type Field } from './wire-reader.ts'

export type PointSplit = {
  /** The message with only the points that were kept; empty when none was. */
  readonly kept: Buffer
  readonly keptPoints: number
  /** The same resources, scopes and metrics with only the others. */
  readonly removed: Buffer
  readonly removedPoints: number
}

type Halves = { readonly kept: Buffer[]; readonly removed: Buffer[] }

const DATA_LEVEL = 3
const POINT_LEVEL = 4
const FILTERED_ATTRIBUTES = 7 // Exemplar.filtered_attributes
// ExportMetricsServiceRequest → resource_metrics 1 → scope_metrics 2 → metrics 2 → data → data_points 1
const DOWN: readonly ((number: number) => boolean)[] = [
  (number) => number === 1,
  (number) => number === 2,
  (number) => number === 2,
  (number) => METRIC_DATA[number] !== undefined,
  (number) => number === 1,
]

/**
 * @param bytes   a message that the walk has accepted
 * @param isKept  asked once per point, in the order of the walk, with the point's bytes [from, to)
 */
export function splitPoints(
  bytes: Uint8Array,
  isKept: (index: number, from: number, to: number) => boolean,
): PointSplit {
  let [keptPoints, removedPoints] = [0, 0]

  function halves(from: number, to: number, level: number): Halves {
    const kept: Buffer[] = []
    const removed: Buffer[] = []
    for (const field of messageFields(bytes, from, to)) {
      const whole = slice(bytes, field.tagAt, field.end)
      if (field.wireType !== 2 || DOWN[level]?.(field.number) !== true) {
        kept.push(whole)
        removed.push(whole)
      } else if (level === POINT_LEVEL) {
        if (isKept(keptPoints + removedPoints, field.valueAt, field.end)) {
          keptPoints += 1
          kept.push(whole)
        } else {
          removedPoints += 1
          removed.push(whole)
        }
      } else {
        const [keptBefore, removedBefore] = [keptPoints, removedPoints]
        const inner = halves(field.valueAt, field.end, level + 1)
        if (keptPoints > keptBefore) kept.push(delimited(field.number, inner.kept))
        if (removedPoints > removedBefore) removed.push(delimited(field.number, inner.removed))
      }
    }
    return { kept, removed }
  }

  const { kept, removed } = halves(0, bytes.length, 0)
  return {
    kept: keptPoints === 0 ? Buffer.alloc(0) : Buffer.concat(kept),
    keptPoints,
    removed: removedPoints === 0 ? Buffer.alloc(0) : Buffer.concat(removed),
    removedPoints,
  }
}

/**
 * The same points under one series per metric: resource and scope are left out and each point's attributes replaced.
 * @param keyValue the one attribute they get, a KeyValue's bytes
 */
export function foldPoints(bytes: Uint8Array, keyValue: Buffer): Buffer {
  const metrics: Buffer[] = []
  for (const resource of inside(bytes, 0, bytes.length, 0)) {
    for (const scope of inside(bytes, resource.valueAt, resource.end, 1)) {
      for (const metric of inside(bytes, scope.valueAt, scope.end, 2)) {
        const attribute = (number: number) => delimited(number, [keyValue])
        metrics.push(
          delimited(
            2,
            mapPoints(bytes, metric, (fields, shape) =>
              withAttributes(bytes, fields, shape, (_, number) => attribute(number)),
            ),
          ),
        )
      }
    }
  }
  return metrics.length === 0 ? Buffer.alloc(0) : delimited(1, [delimited(2, metrics)])
}

/** The same message with every attribute of a point that is a list, a map or bytes as one text. */
export function flattenAttributes(bytes: Uint8Array): Buffer {
  return Buffer.concat(
    rewrite(bytes, 0, bytes.length, 0, (metric) =>
      mapPoints(bytes, metric, (fields, shape) =>
        withAttributes(bytes, fields, shape, (attributes, number) =>
          Buffer.concat(attributes.map((field) => delimited(number, flatKeyValue(bytes, field)))),
        ),
      ),
    ),
  )
}

function rewrite(
  bytes: Uint8Array,
  from: number,
  to: number,
  level: number,
  ofMetric: (metric: Field) => Buffer[],
): Buffer[] {
  return messageFields(bytes, from, to).map((field) => {
    if (field.wireType !== 2 || DOWN[level]?.(field.number) !== true)
      return slice(bytes, field.tagAt, field.end)
    const isMetric = level + 1 === DATA_LEVEL
    return delimited(
      field.number,
      isMetric ? ofMetric(field) : rewrite(bytes, field.valueAt, field.end, level + 1, ofMetric),
    )
  })
}

/** A metric with its points made anew. */
function mapPoints(
  bytes: Uint8Array,
  metric: Field,
  pointOf: (fields: readonly Field[], shape: PointShape) => Buffer[],
): Buffer[] {
  return messageFields(bytes, metric.valueAt, metric.end).map((data) => {
    const shape = data.wireType === 2 ? METRIC_DATA[data.number] : undefined
    if (shape === undefined) return slice(bytes, data.tagAt, data.end)
    return delimited(
      data.number,
      messageFields(bytes, data.valueAt, data.end).map((point) =>
        point.number === 1 && point.wireType === 2
          ? delimited(1, pointOf(messageFields(bytes, point.valueAt, point.end), shape))
          : slice(bytes, point.tagAt, point.end),
      ),
    )
  })
}

/** A point with its attributes made anew. */
function withAttributes(
  bytes: Uint8Array,
  fields: readonly Field[],
  { attributes: number }: PointShape,
  attributesOf: (attributes: readonly Field[], number: number) => Buffer,
): Buffer[] {
  const isAttribute = (field: Field) => field.number === number && field.wireType === 2
  const rest = fields.filter((field) => !isAttribute(field)).map(({ tagAt, end }) => slice(bytes, tagAt, end))
  return [...rest, attributesOf(fields.filter(isAttribute), number)]
}

/** The same message without the attributes of its exemplars; what they point to stays. */
export function bareExemplars(bytes: Uint8Array): Buffer {
  const bare = (exemplar: Field) =>
    delimited(
      exemplar.number,
      messageFields(bytes, exemplar.valueAt, exemplar.end)
        .filter(({ number }) => number !== FILTERED_ATTRIBUTES)
        .map(({ tagAt, end }) => slice(bytes, tagAt, end)),
    )
  return Buffer.concat(
    rewrite(bytes, 0, bytes.length, 0, (metric) =>
      mapPoints(bytes, metric, (fields, { exemplars }) =>
        fields.map((field) =>
          field.number === exemplars && field.wireType === 2
            ? bare(field)
            : slice(bytes, field.tagAt, field.end),
        ),
      ),
    ),
  )
}

function inside(bytes: Uint8Array, from: number, to: number, level: number): Field[] {
  return messageFields(bytes, from, to).filter(
    ({ number, wireType }) => wireType === 2 && DOWN[level]?.(number) === true,
  )
}

const STRING = 1
const BOOL = 2
const INT = 3
const DOUBLE = 4
const ARRAY = 5
const MAP = 6
const BYTES = 7
const WIRE_TYPES: Readonly<Record<number, number>> = { 1: 2, 2: 0, 3: 0, 4: 1, 5: 2, 6: 2, 7: 2 }
const DEPTH_MAX = 16

function flatKeyValue(bytes: Uint8Array, keyValue: Field): Buffer[] {
  return messageFields(bytes, keyValue.valueAt, keyValue.end).map((field) => {
    if (field.number !== 2 || field.wireType !== 2) return slice(bytes, field.tagAt, field.end)
    const isFlat = messageFields(bytes, field.valueAt, field.end).every(({ number }) => number < ARRAY)
    if (isFlat) return slice(bytes, field.tagAt, field.end)
    return delimited(2, [delimited(STRING, [Buffer.from(anyValueText(bytes, field))])])
  })
}

/** An AnyValue as one text: a text as it is, all else as JSON. @param field holds it */
export function anyValueText(bytes: Uint8Array, field: Field): string {
  const value = anyValue(bytes, field, 0)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

type Flat = string | readonly Flat[] | { readonly [key: string]: Flat }

/** An AnyValue as texts, the way the store keeps attributes: bytes as base64, numbers and booleans by name. */
function anyValue(bytes: Uint8Array, field: Field, depth: number): Flat {
  if (depth > DEPTH_MAX) return ''
  const member = messageFields(bytes, field.valueAt, field.end).at(-1)
  if (member === undefined) return ''
  if (member.wireType !== WIRE_TYPES[member.number]) return ''
  const view = slice(bytes, member.valueAt, member.end)
  const values = () =>
    messageFields(bytes, member.valueAt, member.end).filter(
      ({ number, wireType }) => number === 1 && wireType === 2,
    )
  switch (member.number) {
    case STRING:
      return view.toString('utf8')
    case BOOL:
      return view.some((byte) => byte !== 0) ? 'true' : 'false'
    case INT:
      return String(BigInt.asIntN(64, readVarint(view)))
    case DOUBLE:
      return view.length === 8 ? String(view.readDoubleLE()) : ''
    case ARRAY:
      return values().map((value) => anyValue(bytes, value, depth + 1))
    case MAP:
      return Object.fromEntries(
        values().map((entry) => {
          const fields = messageFields(bytes, entry.valueAt, entry.end)
          const key = fields.find(({ number, wireType }) => number === 1 && wireType === 2)
          const value = fields.find(({ number, wireType }) => number === 2 && wireType === 2)
          return [
            key === undefined ? '' : slice(bytes, key.valueAt, key.end).toString('utf8'),
            value === undefined ? '' : anyValue(bytes, value, depth + 1),
          ]
        }),
      )
    case BYTES:
      return view.toString('base64')
    default:
      return ''
  }
}

function readVarint(view: Buffer): bigint {
  return view.reduce((value, byte, index) => value | (BigInt(byte & 127) << BigInt(7 * index)), 0n)
}

function slice(bytes: Uint8Array, from: number, to: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
}

function delimited(number: number, pieces: readonly Buffer[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([varint((number << 3) | 2), varint(length), ...pieces])
}
