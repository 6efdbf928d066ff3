// OTLP's messages as tables, for reading them from JSON: name in JSON → field number, kind, repeated or not. Rows
// stand in the order of their numbers, which is the order they are written in. A kind that is no scalar is the
// name of another table. Nothing but tables lives here.
// Source: opentelemetry-proto v1.11 (trace, metrics, logs, resource, common; Apache-2.0).

/** `id16` and `id8` are bytes in hexadecimal (OTLP's own rule); `bytes` are base64. */
export type Scalar =
  | 'string'
  | 'bytes'
  | 'id16'
  | 'id8'
  | 'bool'
  | 'int32'
  | 'sint32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed64'
  | 'double'

export type FieldRow = readonly [number: number, kind: string, repeated?: 'repeated']
/** `oneof`: only one of the fields may be there. */
export type MessageTable = {
  readonly fields: Readonly<Record<string, FieldRow>>
  readonly oneof?: true
}
/** Names as a sender may write them instead of the number. */
export type EnumTable = { readonly names: readonly string[] }
export type Tables = Readonly<Record<string, MessageTable | EnumTable>>

/** What every signal shares. */
export const COMMON_MESSAGES = {
  AnyValue: {
    oneof: true,
    fields: {
      stringValue: [1, 'string'],
      boolValue: [2, 'bool'],
      intValue: [3, 'int64'],
      doubleValue: [4, 'double'],
      arrayValue: [5, 'ArrayValue'],
      kvlistValue: [6, 'KeyValueList'],
      bytesValue: [7, 'bytes'],
    },
  },
  ArrayValue: { fields: { values: [1, 'AnyValue', 'repeated'] } },
  KeyValueList: { fields: { values: [1, 'KeyValue', 'repeated'] } },
  KeyValue: { fields: { key: [1, 'string'], value: [2, 'AnyValue'] } },
  InstrumentationScope: {
    fields: {
      name: [1, 'string'],
      version: [2, 'string'],
      attributes: [3, 'KeyValue', 'repeated'],
      droppedAttributesCount: [4, 'uint32'],
    },
  },
  EntityRef: {
    fields: {
      schemaUrl: [1, 'string'],
      type: [2, 'string'],
      idKeys: [3, 'string', 'repeated'],
      descriptionKeys: [4, 'string', 'repeated'],
    },
  },
  Resource: {
    fields: {
      attributes: [1, 'KeyValue', 'repeated'],
      droppedAttributesCount: [2, 'uint32'],
      entityRefs: [3, 'EntityRef', 'repeated'],
    },
  },
} as const satisfies Tables

export const TRACE_MESSAGES = {
  ...COMMON_MESSAGES,
  ExportTraceServiceRequest: { fields: { resourceSpans: [1, 'ResourceSpans', 'repeated'] } },
  ResourceSpans: {
    fields: {
      resource: [1, 'Resource'],
      scopeSpans: [2, 'ScopeSpans', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  ScopeSpans: {
    fields: {
      scope: [1, 'InstrumentationScope'],
      spans: [2, 'Span', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  Span: {
    fields: {
      traceId: [1, 'id16'],
      spanId: [2, 'id8'],
      traceState: [3, 'string'],
      parentSpanId: [4, 'id8'],
      name: [5, 'string'],
      kind: [6, 'SpanKind'],
      startTimeUnixNano: [7, 'fixed64'],
      endTimeUnixNano: [8, 'fixed64'],
      attributes: [9, 'KeyValue', 'repeated'],
      droppedAttributesCount: [10, 'uint32'],
      events: [11, 'Event', 'repeated'],
      droppedEventsCount: [12, 'uint32'],
      links: [13, 'Link', 'repeated'],
      droppedLinksCount: [14, 'uint32'],
      status: [15, 'Status'],
      flags: [16, 'fixed32'],
    },
  },
  Event: {
    fields: {
      timeUnixNano: [1, 'fixed64'],
      name: [2, 'string'],
      attributes: [3, 'KeyValue', 'repeated'],
      droppedAttributesCount: [4, 'uint32'],
    },
  },
  Link: {
    fields: {
      traceId: [1, 'id16'],
      spanId: [2, 'id8'],
      traceState: [3, 'string'],
      attributes: [4, 'KeyValue', 'repeated'],
      droppedAttributesCount: [5, 'uint32'],
      flags: [6, 'fixed32'],
    },
  },
  Status: { fields: { message: [2, 'string'], code: [3, 'StatusCode'] } },
  SpanKind: {
    names: [
      'SPAN_KIND_UNSPECIFIED',
      'SPAN_KIND_INTERNAL',
      'SPAN_KIND_SERVER',
      'SPAN_KIND_CLIENT',
      'SPAN_KIND_PRODUCER',
      'SPAN_KIND_CONSUMER',
    ],
  },
  StatusCode: { names: ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'] },
} as const satisfies Tables

const TIMES = { startTimeUnixNano: [2, 'fixed64'], timeUnixNano: [3, 'fixed64'] } as const
const NUMBERS = { dataPoints: [1, 'NumberDataPoint', 'repeated'] } as const
const TEMPORALITY = { aggregationTemporality: [2, 'AggregationTemporality'] } as const

export const METRIC_MESSAGES = {
  ...COMMON_MESSAGES,
  ExportMetricsServiceRequest: { fields: { resourceMetrics: [1, 'ResourceMetrics', 'repeated'] } },
  ResourceMetrics: {
    fields: {
      resource: [1, 'Resource'],
      scopeMetrics: [2, 'ScopeMetrics', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  ScopeMetrics: {
    fields: {
      scope: [1, 'InstrumentationScope'],
      metrics: [2, 'Metric', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  Metric: {
    fields: {
      name: [1, 'string'],
      description: [2, 'string'],
      unit: [3, 'string'],
      gauge: [5, 'Gauge'],
      sum: [7, 'Sum'],
      histogram: [9, 'Histogram'],
      exponentialHistogram: [10, 'ExponentialHistogram'],
      summary: [11, 'Summary'],
      metadata: [12, 'KeyValue', 'repeated'],
    },
  },
  Gauge: { fields: NUMBERS },
  Sum: { fields: { ...NUMBERS, ...TEMPORALITY, isMonotonic: [3, 'bool'] } },
  Histogram: { fields: { dataPoints: [1, 'HistogramDataPoint', 'repeated'], ...TEMPORALITY } },
  ExponentialHistogram: {
    fields: { dataPoints: [1, 'ExponentialHistogramDataPoint', 'repeated'], ...TEMPORALITY },
  },
  Summary: { fields: { dataPoints: [1, 'SummaryDataPoint', 'repeated'] } },
  NumberDataPoint: {
    fields: {
      ...TIMES,
      asDouble: [4, 'double'],
      exemplars: [5, 'Exemplar', 'repeated'],
      asInt: [6, 'sfixed64'],
      attributes: [7, 'KeyValue', 'repeated'],
      flags: [8, 'uint32'],
    },
  },
  HistogramDataPoint: {
    fields: {
      ...TIMES,
      count: [4, 'fixed64'],
      sum: [5, 'double'],
      bucketCounts: [6, 'fixed64', 'repeated'],
      explicitBounds: [7, 'double', 'repeated'],
      exemplars: [8, 'Exemplar', 'repeated'],
      attributes: [9, 'KeyValue', 'repeated'],
      flags: [10, 'uint32'],
      min: [11, 'double'],
      max: [12, 'double'],
    },
  },
  ExponentialHistogramDataPoint: {
    fields: {
      attributes: [1, 'KeyValue', 'repeated'],
      ...TIMES,
      count: [4, 'fixed64'],
      sum: [5, 'double'],
      scale: [6, 'sint32'],
      zeroCount: [7, 'fixed64'],
      positive: [8, 'Buckets'],
      negative: [9, 'Buckets'],
      flags: [10, 'uint32'],
      exemplars: [11, 'Exemplar', 'repeated'],
      min: [12, 'double'],
      max: [13, 'double'],
      zeroThreshold: [14, 'double'],
    },
  },
  Buckets: { fields: { offset: [1, 'sint32'], bucketCounts: [2, 'uint64', 'repeated'] } },
  SummaryDataPoint: {
    fields: {
      ...TIMES,
      count: [4, 'fixed64'],
      sum: [5, 'double'],
      quantileValues: [6, 'ValueAtQuantile', 'repeated'],
      attributes: [7, 'KeyValue', 'repeated'],
      flags: [8, 'uint32'],
    },
  },
  ValueAtQuantile: { fields: { quantile: [1, 'double'], value: [2, 'double'] } },
  Exemplar: {
    fields: {
      timeUnixNano: [2, 'fixed64'],
      asDouble: [3, 'double'],
      spanId: [4, 'id8'],
      traceId: [5, 'id16'],
      asInt: [6, 'sfixed64'],
      filteredAttributes: [7, 'KeyValue', 'repeated'],
    },
  },
  AggregationTemporality: {
    names: [
      'AGGREGATION_TEMPORALITY_UNSPECIFIED',
      'AGGREGATION_TEMPORALITY_DELTA',
      'AGGREGATION_TEMPORALITY_CUMULATIVE',
    ],
  },
} as const satisfies Tables

export const LOG_MESSAGES = {
  ...COMMON_MESSAGES,
  ExportLogsServiceRequest: { fields: { resourceLogs: [1, 'ResourceLogs', 'repeated'] } },
  ResourceLogs: {
    fields: {
      resource: [1, 'Resource'],
      scopeLogs: [2, 'ScopeLogs', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  ScopeLogs: {
    fields: {
      scope: [1, 'InstrumentationScope'],
      logRecords: [2, 'LogRecord', 'repeated'],
      schemaUrl: [3, 'string'],
    },
  },
  LogRecord: {
    fields: {
      timeUnixNano: [1, 'fixed64'],
      severityNumber: [2, 'int32'],
      severityText: [3, 'string'],
      body: [5, 'AnyValue'],
      attributes: [6, 'KeyValue', 'repeated'],
      droppedAttributesCount: [7, 'uint32'],
      flags: [8, 'fixed32'],
      traceId: [9, 'id16'],
      spanId: [10, 'id8'],
      observedTimeUnixNano: [11, 'fixed64'],
      eventName: [12, 'string'],
    },
  },
} as const satisfies Tables
