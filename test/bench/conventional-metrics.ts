// The peer of ingest-metrics: kafkajs consumer → protobufjs decode → rows in JavaScript → JSONEachRow → the tables of the
// Collector's ClickHouse exporter (collector-metric-tables.ts), in the same engine. Its best form, as for spans
// (conventional-pipeline.ts): compiled decoders for the fields that become columns, JSON put together by hand, what a
// resource and a metric share written once, one insert a table for each batch of 100,000 points, read from a file in
// tmpfs. It does less than Surety: no intent, no walk, no bound on series, no fsync, no deduplication.

import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'
import type { Store } from '../../ingest/store/store.ts'
import {
  METRIC_TABLE_NAMES,
  metricColumns,
  metricTable,
  type MetricTableName,
} from './collector-metric-tables.ts'
import { field, mapField, quote, valueText, type KeyValue, type Long } from './conventional-json.ts'
import { runConventional, type ConventionalItem } from './conventional-run.ts'

type NumberPoint = {
  readonly attributes: readonly KeyValue[]
  readonly start_time_unix_nano: Long
  readonly time_unix_nano: Long
  readonly value?: 'as_double' | 'as_int'
  readonly as_double: number
  readonly as_int: Long
  readonly flags: number
}
type HistogramPoint = Omit<NumberPoint, 'value' | 'as_double' | 'as_int'> & {
  readonly count: Long
  readonly sum: number
  readonly bucket_counts: readonly Long[]
  readonly explicit_bounds: readonly number[]
  readonly min: number
  readonly max: number
}
type Metric = {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly gauge: { readonly data_points: readonly NumberPoint[] } | null
  readonly sum: {
    readonly data_points: readonly NumberPoint[]
    readonly aggregation_temporality: number
    readonly is_monotonic: boolean
  } | null
  readonly histogram: {
    readonly data_points: readonly HistogramPoint[]
    readonly aggregation_temporality: number
  } | null
}
type Request = {
  readonly resource_metrics: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] } | null
    readonly scope_metrics: readonly {
      readonly scope: { readonly name: string; readonly version: string } | null
      readonly metrics: readonly Metric[]
    }[]
  }[]
}

const RESOURCES_REMEMBERED_MAX = 100_000

function buildDecoder(): (bytes: Uint8Array) => Request {
  protobuf.Reader.discardUnknown = true
  const proto = readFileSync(new URL('../../ingest/store/otlp-metrics.proto', import.meta.url), 'utf8')
  const type = protobuf.parse(proto, { keepCase: true }).root.lookupType('Envelope')
  return (bytes) => type.decode(bytes) as unknown as Request
}

// Exact below 2^53, as sums of halves; counters above it would need more.
const integer = ({ high, low }: Long) => high * 4_294_967_296 + (low >>> 0)
const seconds = (time: Long) => Math.floor(integer(time) / 1e9)

type Item = ConventionalItem & { readonly tables: Readonly<Record<MetricTableName, Buffer>> }

function buildRowMaker(): (request: Request) => Item {
  const resources = new Map<string, string>()

  function resourceJson(attributes: readonly KeyValue[]): string {
    let key = ''
    for (const attribute of attributes) key += `${attribute.key}\u0000${valueText(attribute.value)}\u0000`
    const known = resources.get(key)
    if (known !== undefined) return known
    const service = attributes.find((attribute) => attribute.key === 'service.name')?.value ?? null
    const json = `"ServiceName":${quote(valueText(service))}${mapField('ResourceAttributes', attributes)}`
    if (resources.size < RESOURCES_REMEMBERED_MAX) resources.set(key, json)
    return json
  }

  const common = (
    head: string,
    point: Pick<NumberPoint, 'attributes' | 'start_time_unix_nano' | 'time_unix_nano' | 'flags'>,
  ) =>
    `{${head}${mapField('Attributes', point.attributes)},"StartTimeUnix":${seconds(point.start_time_unix_nano)},"TimeUnix":${seconds(point.time_unix_nano)}${point.flags === 0 ? '' : `,"Flags":${point.flags}`}`
  const number = (point: NumberPoint) => (point.value === 'as_int' ? integer(point.as_int) : point.as_double)

  return (request) => {
    let [sums, gauges, histograms] = ['', '', '']
    let rows = 0
    for (const { resource, scope_metrics } of request.resource_metrics) {
      const resourcePart = resourceJson(resource?.attributes ?? [])
      for (const { scope, metrics } of scope_metrics) {
        const scopePart = `${field('ScopeName', scope?.name ?? '')}${field('ScopeVersion', scope?.version ?? '')}`
        for (const { name, description, unit, sum, gauge, histogram } of metrics) {
          const head = `${resourcePart}${scopePart},"MetricName":${quote(name)}${field('MetricDescription', description)}${field('MetricUnit', unit)}`
          for (const point of sum?.data_points ?? []) {
            sums += `${common(head, point)},"Value":${number(point)},"AggregationTemporality":${sum?.aggregation_temporality ?? 0},"IsMonotonic":${sum?.is_monotonic ?? false}}\n`
            rows += 1
          }
          for (const point of gauge?.data_points ?? []) {
            gauges += `${common(head, point)},"Value":${number(point)}}\n`
            rows += 1
          }
          for (const point of histogram?.data_points ?? []) {
            histograms += `${common(head, point)},"Count":${integer(point.count)},"Sum":${point.sum},"BucketCounts":[${point.bucket_counts.map(integer).join(',')}],"ExplicitBounds":[${point.explicit_bounds.join(',')}],"Min":${point.min},"Max":${point.max},"AggregationTemporality":${histogram?.aggregation_temporality ?? 0}}\n`
            rows += 1
          }
        }
      }
    }
    const tables = {
      otel_metrics_sum: Buffer.from(sums),
      otel_metrics_gauge: Buffer.from(gauges),
      otel_metrics_histogram: Buffer.from(histograms),
    }
    // Stands for the size in the bound on memory: the largest of the three.
    return { bytes: tables.otel_metrics_sum, rows, tables }
  }
}

async function write(store: Store, batch: readonly Item[], token: string): Promise<void> {
  for (const table of METRIC_TABLE_NAMES) {
    const body = batch.map(({ tables }) => tables[table]).filter(({ length }) => length > 0)
    if (body.length === 0) continue
    const { names, structure } = metricColumns(table)
    const sql = (source: (structure: string) => string) =>
      `INSERT INTO ${table} (${names}) SELECT ${names} FROM ${source(structure)}`
    await store.transport.insert({
      body,
      format: 'JSONEachRow',
      statements: [{ sql, token: `${token}/${table}` }],
    })
  }
}

await runConventional<Item>(async (store) => {
  for (const name of METRIC_TABLE_NAMES) await store.command(metricTable(name))
  const decode = buildDecoder()
  const itemOf = buildRowMaker()
  return {
    itemOf: (value) => itemOf(decode(value)),
    write: (batch, token) => write(store, batch, token),
  }
})
