// Writes OTLP metric requests as bytes, the way an exporter would, from plain objects.

import { field, fixed64, integerField, keyValue, varint, type Attributes } from './otlp.ts'

type Times = {
  readonly atNs: bigint
  readonly startNs?: bigint
  readonly attributes?: Attributes
  /** Bit 0: no recorded value. */
  readonly flags?: number
}
export type ExemplarInput = {
  readonly atNs: bigint
  readonly value: number | bigint
  readonly traceId?: Uint8Array
  readonly spanId?: Uint8Array
  readonly attributes?: Attributes
}
/** bigint is sent as an integer, number as a float; undefined as no value. */
export type NumberInput = Times & {
  readonly value?: number | bigint
  readonly exemplars?: readonly ExemplarInput[]
}
export type HistogramInput = Times & {
  readonly count: number
  readonly sum?: number
  readonly min?: number
  readonly max?: number
  readonly bounds: readonly number[]
  readonly buckets: readonly number[]
  readonly exemplars?: readonly ExemplarInput[]
}
export type ExpHistogramInput = Times & {
  readonly count: number
  readonly sum?: number
  readonly scale: number
  readonly zeroCount?: number
  readonly positive?: { readonly offset: number; readonly counts: readonly number[] }
  readonly negative?: { readonly offset: number; readonly counts: readonly number[] }
}
export type SummaryInput = Times & {
  readonly count: number
  readonly sum: number
  readonly quantiles: readonly (readonly [quantile: number, value: number])[]
}

/** 1 delta, 2 cumulative */
export type Temporality = 1 | 2
export type MetricInput = {
  readonly name: string
  readonly unit?: string
  readonly description?: string
} & (
  | { readonly gauge: readonly NumberInput[] }
  | {
      readonly sum: readonly NumberInput[]
      readonly temporality: Temporality
      readonly isMonotonic?: boolean
    }
  | { readonly histogram: readonly HistogramInput[]; readonly temporality: Temporality }
  | { readonly expHistogram: readonly ExpHistogramInput[]; readonly temporality: Temporality }
  | { readonly summary: readonly SummaryInput[] }
)

export function double(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([varint((number << 3) | 1), bytes])
}

const packed = (number: number, pieces: readonly Buffer[]) => field(number, Buffer.concat(pieces))
const word = (value: number) => fixed64(1, BigInt(value)).subarray(1)
const optional = (number: number, value: number | undefined) =>
  value === undefined ? [] : [double(number, value)]
const zigzag = (value: number) => (value << 1) ^ (value >> 31)

function common(numbers: { attributes: number; flags: number }, point: Times): Buffer[] {
  return [
    ...Object.entries(point.attributes ?? {}).map(([key, value]) =>
      field(numbers.attributes, keyValue(key, value)),
    ),
    ...(point.startNs === undefined ? [] : [fixed64(2, point.startNs)]),
    fixed64(3, point.atNs),
    ...(point.flags === undefined ? [] : [integerField(numbers.flags, point.flags)]),
  ]
}

function exemplar(input: ExemplarInput): Buffer {
  return Buffer.concat([
    fixed64(2, input.atNs),
    typeof input.value === 'bigint' ? fixed64(6, input.value) : double(3, input.value),
    ...(input.spanId === undefined ? [] : [field(4, input.spanId)]),
    ...(input.traceId === undefined ? [] : [field(5, input.traceId)]),
    ...Object.entries(input.attributes ?? {}).map(([key, value]) => field(7, keyValue(key, value))),
  ])
}

export function numberPoint(point: NumberInput): Buffer {
  const { value } = point
  return Buffer.concat([
    ...common({ attributes: 7, flags: 8 }, point),
    ...(value === undefined ? [] : [typeof value === 'bigint' ? fixed64(6, value) : double(4, value)]),
    ...(point.exemplars ?? []).map((input) => field(5, exemplar(input))),
  ])
}

function histogramPoint(point: HistogramInput): Buffer {
  return Buffer.concat([
    ...common({ attributes: 9, flags: 10 }, point),
    fixed64(4, BigInt(point.count)),
    ...optional(5, point.sum),
    packed(6, point.buckets.map(word)),
    packed(
      7,
      point.bounds.map((bound) => double(1, bound).subarray(1)),
    ),
    ...(point.exemplars ?? []).map((input) => field(8, exemplar(input))),
    ...optional(11, point.min),
    ...optional(12, point.max),
  ])
}

function expHistogramPoint(point: ExpHistogramInput): Buffer {
  const buckets = (number: number, input: ExpHistogramInput['positive']) =>
    input === undefined
      ? []
      : [
          field(
            number,
            Buffer.concat([
              integerField(1, zigzag(input.offset)),
              packed(
                2,
                input.counts.map((count) => varint(count)),
              ),
            ]),
          ),
        ]
  return Buffer.concat([
    ...common({ attributes: 1, flags: 10 }, point),
    fixed64(4, BigInt(point.count)),
    ...optional(5, point.sum),
    integerField(6, zigzag(point.scale)),
    fixed64(7, BigInt(point.zeroCount ?? 0)),
    ...buckets(8, point.positive),
    ...buckets(9, point.negative),
  ])
}

function summaryPoint(point: SummaryInput): Buffer {
  return Buffer.concat([
    ...common({ attributes: 7, flags: 8 }, point),
    fixed64(4, BigInt(point.count)),
    double(5, point.sum),
    ...point.quantiles.map(([quantile, value]) =>
      field(6, Buffer.concat([double(1, quantile), double(2, value)])),
    ),
  ])
}

function data(metric: MetricInput): Buffer {
  const points = (bytes: readonly Buffer[]) => Buffer.concat(bytes.map((point) => field(1, point)))
  if ('gauge' in metric) return field(5, points(metric.gauge.map(numberPoint)))
  if ('summary' in metric) return field(11, points(metric.summary.map(summaryPoint)))
  const temporality = integerField(2, metric.temporality)
  if ('sum' in metric) {
    const isMonotonic = integerField(3, metric.isMonotonic === false ? 0 : 1)
    return field(7, Buffer.concat([points(metric.sum.map(numberPoint)), temporality, isMonotonic]))
  }
  if ('histogram' in metric)
    return field(9, Buffer.concat([points(metric.histogram.map(histogramPoint)), temporality]))
  return field(10, Buffer.concat([points(metric.expHistogram.map(expHistogramPoint)), temporality]))
}

export function metricBytes(metric: MetricInput): Buffer {
  return Buffer.concat([
    field(1, metric.name),
    ...(metric.description === undefined ? [] : [field(2, metric.description)]),
    ...(metric.unit === undefined ? [] : [field(3, metric.unit)]),
    data(metric),
  ])
}

/** An `ExportMetricsServiceRequest` of one resource and scope. */
export function metricRequest(
  resource: Attributes,
  metrics: readonly MetricInput[],
  scope: { readonly name: string; readonly version?: string } = { name: 'test' },
): Buffer {
  const attributes = Object.entries(resource).map(([key, value]) => field(1, keyValue(key, value)))
  const scopeBytes = Buffer.concat([field(1, scope.name), field(2, scope.version ?? '1')])
  return field(
    1,
    Buffer.concat([
      field(1, Buffer.concat(attributes)),
      field(
        2,
        Buffer.concat([field(1, scopeBytes), ...metrics.map((metric) => field(2, metricBytes(metric)))]),
      ),
    ]),
  )
}
