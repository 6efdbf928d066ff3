// The structural walk of an OTLP metric request: lengths down to the fields of a data point, the number of points by
// the table they go to, times out of range, and for each point a mark of the series it belongs to, made from the raw
// bytes of its resource, scope, metric and attributes. It decodes no attribute.

import { mayBeSensitive } from './number-run.ts'
import type { TimeRange } from './walk.ts'
import { fixed64Ms, Malformed, WireReader } from './wire-reader.ts'

/** Bounds of one message. */
export type MetricLimits = {
  /** Data points in one message. */
  readonly pointsMax: number
  /** Fields in all points of one message together. */
  readonly fieldsMax: number
  /** Bytes of the buckets of one point: ten thousand buckets are a mistake. */
  readonly bucketBytesMax: number
}

export const DEFAULT_METRIC_LIMITS: MetricLimits = {
  pointsMax: 200_000,
  fieldsMax: 4_000_000,
  bucketBytesMax: 80_000,
}

/** Rows that a message makes, by table. */
export type PointCounts = {
  readonly samples_int: number
  readonly samples_float: number
  readonly histograms: number
  readonly exp_histograms: number
  readonly summaries: number
  readonly exemplars: number
}

/** Points that follow one another in one metric of one resource and scope. */
export type MetricRun = { readonly name: string; readonly from: number; readonly to: number }

export type WalkedMetrics =
  | {
      readonly kind: 'walked'
      readonly points: number
      readonly outOfRange: number
      /** Earliest and latest time within the range, ms since epoch; both 0 without such a point. */
      readonly earliestMs: number
      readonly latestMs: number
      readonly counts: PointCounts
      /** Whether fields that the engine must not see stand beside the resource_metrics (withoutStrangers). */
      readonly hasStrangers: boolean
      /** Whether an attribute of a point is more than a scalar. */
      readonly hasLists: boolean
      /** Whether exemplars carry attributes, and whether one may hold a number that is to be masked. */
      readonly hasExemplarAttributes: boolean
      readonly hasExemplarNumbers: boolean
      readonly resources: readonly number[]
      readonly metrics: readonly MetricRun[]
      /** The series of each point in order, 53 bits; equal for equal bytes, different for all but none. */
      readonly marks: readonly number[]
    }
  | { readonly kind: 'malformed'; readonly reason: string }

/** Metric.data: field number → where a point of that kind keeps what the walk looks at. */
export const METRIC_DATA: Readonly<Record<number, PointShape>> = {
  5: { table: undefined, attributes: 7, exemplars: 5, buckets: [] },
  7: { table: undefined, attributes: 7, exemplars: 5, buckets: [] },
  9: { table: 'histograms', attributes: 9, exemplars: 8, buckets: [6, 7] },
  10: { table: 'exp_histograms', attributes: 1, exemplars: 11, buckets: [8, 9] },
  11: { table: 'summaries', attributes: 7, exemplars: 0, buckets: [6] },
}
export type PointShape = {
  /** undefined for numbers: the point says whether it is an integer. */
  readonly table: 'histograms' | 'exp_histograms' | 'summaries' | undefined
  readonly attributes: number
  readonly exemplars: number
  readonly buckets: readonly number[]
}

const RESOURCE_METRICS = 1
const RESOURCE = 1 // ResourceMetrics.resource
const SCOPE_METRICS = 2 // ResourceMetrics.scope_metrics
const SCOPE = 1 // ScopeMetrics.scope
const METRICS = 2 // ScopeMetrics.metrics
const NAME = 1 // Metric.name
const DATA_POINTS = 1 // of every kind
const TIME = 3 // time_unix_nano, of every kind
const AS_INT_TAG = (6 << 3) | 1 // NumberDataPoint.as_int
const VALUE_TAG = (2 << 3) | 2 // KeyValue.value
const FILTERED_ATTRIBUTES_TAG = (7 << 3) | 2 // Exemplar.filtered_attributes
const LIST_TAG_FROM = 5 << 3 // AnyValue: 1 to 4 are scalars

/**
 * @param bytes  one `ExportMetricsServiceRequest`, also the Collector's `otlp_proto`
 * @param seed   of the marks; marks of different seeds cannot be compared
 */
export function walkMetrics(
  bytes: Uint8Array,
  range: TimeRange,
  seed = 0,
  limits: MetricLimits = DEFAULT_METRIC_LIMITS,
): WalkedMetrics {
  const walker = new MetricWalker(bytes, range, seed, limits)
  try {
    walker.request()
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'malformed', reason: error.message }
    throw error
  }
  return { kind: 'walked', ...walker.found() }
}

/** Time of a data point, ms since epoch with fractions; 0 when it does not say. */
export function pointTimeMs(bytes: Uint8Array, from: number, to: number): number {
  let ms = 0
  for (const field of new WireReader(bytes).fields(from, to)) {
    if (field.number === TIME && field.wireType === 1) ms = fixed64Ms(bytes, field.valueAt)
  }
  return ms
}

class MetricWalker extends WireReader {
  private points = 0
  private outOfRange = 0
  private earliestMs = 0
  private latestMs = 0
  private hasStrangers = false
  private hasLists = false
  private hasExemplarAttributes = false
  private hasExemplarNumbers = false
  private fieldsSeen = 0
  private readonly counts = {
    samples_int: 0,
    samples_float: 0,
    histograms: 0,
    exp_histograms: 0,
    summaries: 0,
    exemplars: 0,
  }
  private readonly resources: number[] = []
  private readonly metrics: MetricRun[] = []
  private readonly marks: number[] = []
  // Two hashes of 32 bits (FNV-1a with different primes), carried from level to level.
  private a = 0
  private b = 0
  private readonly range: TimeRange
  private readonly seed: number
  private readonly limits: MetricLimits

  constructor(bytes: Uint8Array, range: TimeRange, seed: number, limits: MetricLimits) {
    super(bytes)
    this.range = range
    this.seed = seed
    this.limits = limits
  }

  found() {
    const { points, outOfRange, earliestMs, latestMs, counts, hasLists, resources, metrics, marks } = this
    const { hasStrangers, hasExemplarAttributes, hasExemplarNumbers } = this
    return {
      points,
      outOfRange,
      earliestMs,
      latestMs,
      counts,
      hasStrangers,
      hasLists,
      hasExemplarAttributes,
      hasExemplarNumbers,
      resources,
      metrics,
      marks,
    }
  }

  request(): void {
    const end = this.bytes.length
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === RESOURCE_METRICS) this.resourceMetrics(this.delimited(tag, end, 'resource_metrics'))
      else {
        this.hasStrangers = true
        this.skip(tag, end)
      }
    }
  }

  private resourceMetrics(end: number): void {
    const known = this.resources.length
    const from = this.at
    this.a = 0x811c9dc5 ^ this.seed
    this.b = 0x9747b28c ^ this.seed
    // A writer may put the resource behind its metrics, and marks need it first.
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === RESOURCE) {
        const resourceEnd = this.delimited(tag, end, 'resource')
        this.resources.push(this.at, resourceEnd)
        this.hash(this.at, resourceEnd)
        this.message(resourceEnd)
      } else this.skip(tag, end)
    }
    if (this.resources.length === known) this.resources.push(end, end)
    this.at = from
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === SCOPE_METRICS) this.scopeMetrics(this.delimited(tag, end, 'scope_metrics'))
      else this.skip(tag, end)
    }
  }

  private scopeMetrics(end: number): void {
    const { a, b } = this
    const from = this.at
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === SCOPE) {
        const scopeEnd = this.delimited(tag, end, 'scope')
        this.hash(this.at, scopeEnd)
        this.at = scopeEnd
      } else this.skip(tag, end)
    }
    this.at = from
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === METRICS) this.metric(this.delimited(tag, end, 'metrics'))
      else this.skip(tag, end)
    }
    this.a = a
    this.b = b
  }

  private metric(end: number): void {
    const { a, b } = this
    const from = this.at
    let name = ''
    // All that describes the metric; description and unit too, so that a change of theirs is written down.
    while (this.at < end) {
      const tag = this.tag(end)
      const number = tag >>> 3
      if (METRIC_DATA[number] === undefined && (tag & 7) === 2) {
        const fieldEnd = this.delimited(tag, end, 'a field of a metric')
        this.hash(this.at, fieldEnd, number)
        if (number === NAME) name = Buffer.from(this.bytes.subarray(this.at, fieldEnd)).toString('utf8')
        this.at = fieldEnd
      } else this.skip(tag, end)
    }
    this.at = from
    const first = this.points
    while (this.at < end) {
      const tag = this.tag(end)
      const shape = METRIC_DATA[tag >>> 3]
      if (shape === undefined) this.skip(tag, end)
      else this.data(shape, tag >>> 3, this.delimited(tag, end, 'the data of a metric'))
    }
    if (this.points > first) this.metrics.push({ name, from: first, to: this.points })
    this.a = a
    this.b = b
  }

  private data(shape: PointShape, number: number, end: number): void {
    const { a, b } = this
    const from = this.at
    this.mix(number)
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 !== DATA_POINTS && (tag & 7) === 0) this.mix((tag << 2) ^ this.varint(end))
      else this.skip(tag, end)
    }
    this.at = from
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag >>> 3 === DATA_POINTS) this.point(shape, this.delimited(tag, end, 'data_points'))
      else this.skip(tag, end)
    }
    this.a = a
    this.b = b
  }

  private point(shape: PointShape, end: number): void {
    const { a, b } = this
    let timeMs = 0
    let isInteger = false
    while (this.at < end) {
      const tag = this.tag(end)
      const number = tag >>> 3
      this.fieldsSeen += 1
      if (number === TIME) {
        if ((tag & 7) !== 1) throw this.wrongType('time_unix_nano', tag, 1)
        if (this.at + 8 > end) throw this.cutShort('time_unix_nano', 8, end)
        timeMs = fixed64Ms(this.bytes, this.at)
        this.at += 8
      } else if (number === shape.attributes && (tag & 7) === 2) {
        this.attribute(this.delimited(tag, end, 'attributes'))
      } else {
        if (shape.table === undefined && tag === AS_INT_TAG) isInteger = true
        else if (number === shape.exemplars && (tag & 7) === 2) this.counts.exemplars += 1
        const before = this.at
        if (number === shape.exemplars && (tag & 7) === 2)
          this.exemplar(this.delimited(tag, end, 'exemplars'))
        else this.skip(tag, end)
        if (this.at - before > this.limits.bucketBytesMax && shape.buckets.includes(number)) {
          throw new Malformed(
            `byte ${before}: more than ${this.limits.bucketBytesMax} bytes of buckets in one data point`,
          )
        }
      }
    }
    this.points += 1
    this.counts[shape.table ?? (isInteger ? 'samples_int' : 'samples_float')] += 1
    this.marks.push((this.a >>> 0) * 0x20_0000 + (this.b >>> 11))
    this.a = a
    this.b = b
    if (timeMs < this.range.fromMs || timeMs > this.range.toMs) this.outOfRange += 1
    else {
      if (timeMs < this.earliestMs || this.latestMs === 0) this.earliestMs = timeMs
      if (timeMs > this.latestMs) this.latestMs = timeMs
    }
    if (this.points > this.limits.pointsMax) {
      throw new Malformed(
        `more than ${this.limits.pointsMax} data points in one message; send smaller batches`,
      )
    }
    if (this.fieldsSeen > this.limits.fieldsMax) {
      throw new Malformed(`more than ${this.limits.fieldsMax} fields in one message; send smaller batches`)
    }
  }

  /** Whether its attributes, which the store keeps as they are, may hold a sensitive number. */
  private exemplar(end: number): void {
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag !== FILTERED_ATTRIBUTES_TAG) {
        this.skip(tag, end)
        continue
      }
      const attributeEnd = this.delimited(tag, end, 'filtered_attributes')
      this.hasExemplarAttributes = true
      while (this.at < attributeEnd) {
        const inner = this.varint(attributeEnd)
        if (inner !== VALUE_TAG) {
          this.skip(inner, attributeEnd)
          continue
        }
        const valueEnd = this.delimited(inner, attributeEnd, 'attribute value')
        if (!this.hasExemplarNumbers) this.hasExemplarNumbers = mayBeSensitive(this.bytes, this.at, valueEnd)
        this.at = valueEnd
      }
    }
  }

  /** A KeyValue: hashed whole; whether its value is more than a scalar is seen from its first byte. */
  private attribute(end: number): void {
    this.hash(this.at, end)
    while (this.at < end) {
      const tag = this.tag(end)
      if (tag !== VALUE_TAG) {
        this.skip(tag, end)
        continue
      }
      const valueEnd = this.delimited(tag, end, 'attribute value')
      if (this.at < valueEnd && (this.bytes[this.at] ?? 0) >= LIST_TAG_FROM) this.hasLists = true
      this.at = valueEnd
    }
  }

  private hash(from: number, to: number, number = 0): void {
    const { bytes } = this
    let { a, b } = this
    for (let at = from; at < to; at += 1) {
      const byte = bytes[at] ?? 0
      a = Math.imul(a ^ byte, 0x01000193)
      b = Math.imul(b ^ byte, 0x85ebca6b)
      b ^= b >>> 13
    }
    this.a = a
    this.b = b
    // The length closes the text, so that neighbours cannot trade bytes.
    this.mix(to - from + number * 0x100_0000)
  }

  private mix(value: number): void {
    this.a = Math.imul(this.a ^ value, 0x01000193)
    this.b = Math.imul(this.b ^ value, 0x85ebca6b)
    this.b ^= this.b >>> 13
  }
}
