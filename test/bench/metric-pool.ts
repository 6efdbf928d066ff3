// Millions of metric points of a hundred thousand series from encoded requests of instances: each round of a scrape
// writes times and values into them in place. Pure; where the rounds go is decided by the bench.
//
// One instance has 50 series in the shape of OpenTelemetry's conventions: 25 integer counters, 10 integer gauges, 10 float
// gauges, 5 histograms of 12 buckets. Counters grow by what their rate makes likely, integers of memory move by
// pages, floats are noisy in every digit. A share of instances is replaced over the run: new name, counters at zero.

import { metricRequest, type MetricInput } from '../support/otlp-metrics.ts'
import { random } from '../support/otlp.ts'

export const SERIES_PER_INSTANCE = 50
const INSTANCES_PER_REQUEST = 10
const COUNTERS = 25
const INTEGER_GAUGES = 10
const FLOAT_GAUGES = 10
const HISTOGRAMS = 5
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const BUCKETS = BOUNDS.length + 1
const STEP_MS = 30_000
const INSTANCE_NUMBER_DIGITS = 6
const PAGE = 4096
// Stands where times will be; no other eight bytes of a template are these.
const TIME_MARK = 0x7ead_beef_1234_5678n
const INSTANCE_MARK = 'pod-'

export type MetricPoolOptions = {
  readonly seed: number
  /** A multiple of 10. */
  readonly instances: number
  readonly rounds: number
  /** Share of the instances that is replaced over the run, 0 to 1. */
  readonly churn: number
  /** Points are this much late at random, ms; 0: on the grid. */
  readonly jitterMs: number
  /** Time of the first round, ms; the others follow every 30 s. */
  readonly fromMs: number
  /** Default all; `counters`: 50 integer counters. */
  readonly only?: 'counters'
}

export interface MetricPool {
  readonly requests: number
  readonly points: number
  /** Counts of points by the table that Surety keeps them in. */
  readonly integers: number
  readonly floats: number
  readonly histograms: number
  readonly series: number
  /** Each number once, those of one instance in order: values go on from the ones before. */
  request(copy: number): Buffer
}

type Kind = 'counter' | 'integer' | 'float' | 'histogram'
type Point = { readonly timeAt: number; readonly kind: Kind }
type Instance = {
  number: number
  startMs: number
  readonly numberAt: number
  readonly points: readonly Point[]
  readonly values: Float64Array
  /** Mean growth by round, by point. */
  readonly rates: Float64Array
  readonly buckets: readonly Float64Array[]
}
type Group = { readonly template: Buffer; readonly instances: readonly Instance[] }

export function buildMetricPool(options: MetricPoolOptions): MetricPool {
  const { instances, rounds, churn, jitterMs, fromMs } = options
  const next = random(options.seed)
  const kinds = kindsOf(options.only)
  const groups = Array.from({ length: instances / INSTANCES_PER_REQUEST }, (_, group) =>
    buildGroup(group * INSTANCES_PER_REQUEST, kinds, fromMs, next),
  )
  const replaced = Math.round(instances * churn)
  let newest = instances

  /** How many of the instances are to be replaced until that round, spread evenly over instances and rounds. */
  const isReplaced = (instance: number, round: number) => {
    if (replaced === 0 || round === 0 || instance % Math.floor(instances / replaced) !== 0) return false
    const turn = instance / Math.floor(instances / replaced)
    return turn < replaced && 1 + (turn % (rounds - 1)) === round
  }

  const count = (...wanted: Kind[]) =>
    kinds.filter((kind) => wanted.includes(kind)).length * instances * rounds
  return {
    requests: groups.length * rounds,
    points: instances * rounds * SERIES_PER_INSTANCE,
    integers: count('counter', 'integer'),
    floats: count('float'),
    histograms: count('histogram'),
    series: (instances + (rounds > 1 ? replaced : 0)) * SERIES_PER_INSTANCE,
    request(copy) {
      const round = Math.floor(copy / groups.length)
      const groupNumber = copy % groups.length
      const { template: blank, instances: members } = groups[groupNumber] as Group
      const bytes = Buffer.from(blank)
      members.forEach((instance, index) => {
        if (isReplaced(groupNumber * INSTANCES_PER_REQUEST + index, round)) {
          instance.number = newest
          newest += 1
          instance.startMs = fromMs + round * STEP_MS
          instance.values.fill(0)
          for (const buckets of instance.buckets) buckets.fill(0)
        }
        stamp(bytes, instance, fromMs + round * STEP_MS + Math.floor(next() * jitterMs), next)
      })
      return bytes
    },
  }
}

function kindsOf(only: 'counters' | undefined): Kind[] {
  const many = (kind: Kind, length: number) => Array.from({ length }, () => kind)
  if (only === 'counters') return many('counter', SERIES_PER_INSTANCE)
  return [
    ...many('counter', COUNTERS),
    ...many('integer', INTEGER_GAUGES),
    ...many('float', FLOAT_GAUGES),
    ...many('histogram', HISTOGRAMS),
  ]
}

function buildGroup(first: number, kinds: readonly Kind[], fromMs: number, next: () => number): Group {
  const requests = Array.from({ length: INSTANCES_PER_REQUEST }, (_, index) => template(first + index, kinds))
  const bytes = Buffer.concat(requests)
  const mark = Buffer.alloc(8)
  mark.writeBigUInt64LE(TIME_MARK)
  let at = 0
  const instances = requests.map((_, index): Instance => {
    const numberAt = bytes.indexOf(INSTANCE_MARK, at) + INSTANCE_MARK.length
    const points = kinds.map((kind): Point => {
      const timeAt = bytes.indexOf(mark, at)
      at = timeAt + 8
      return { timeAt, kind }
    })
    return {
      number: first + index,
      startMs: fromMs - 3_600_000,
      numberAt,
      points,
      values: Float64Array.from(kinds, (kind) => (kind === 'counter' ? Math.floor(next() * 1e6) : 0)),
      rates: Float64Array.from(kinds, () => Math.exp(next() * 7 - 1)),
      buckets: kinds.map((kind) => new Float64Array(kind === 'histogram' ? BUCKETS : 0)),
    }
  })
  return { template: bytes, instances }
}

function template(instance: number, kinds: readonly Kind[]): Buffer {
  const service = instance % 60
  const site = ['sh-a', 'sh-b', 'bj-a'][instance % 3] ?? ''
  const times = { atNs: TIME_MARK, startNs: 1n }
  const metrics = kinds.map((kind, index): MetricInput => {
    const route = `/api/v1/route-${(service * 5 + index) % 300}`
    switch (kind) {
      case 'counter':
        return {
          name: ['http.server.requests', 'rpc.server.requests', 'db.client.operations'][index % 3] ?? '',
          unit: '{request}',
          sum: [
            {
              ...times,
              value: 1n,
              attributes: {
                'http.route': route,
                'http.response.status_code': index % 2 === 0 ? 200 : 500,
                'bank.channel': 'mobile',
              },
            },
          ],
          temporality: 2,
        }
      case 'integer':
        return {
          name: ['container.memory.usage', 'jvm.memory.used'][index % 2] ?? '',
          unit: 'By',
          gauge: [{ ...times, value: 1n, attributes: { pool: `pool-${index}` } }],
        }
      case 'float':
        return {
          name: ['container.cpu.utilization', 'jvm.cpu.recent_utilization'][index % 2] ?? '',
          unit: '1',
          gauge: [{ ...times, value: 1.5, attributes: { cpu: String(index) } }],
        }
      case 'histogram':
      default:
        return {
          name: 'http.server.request.duration',
          unit: 's',
          histogram: [
            {
              ...times,
              count: 1,
              sum: 1.5,
              bounds: BOUNDS,
              buckets: Array.from({ length: BUCKETS }, () => 1),
              attributes: { 'http.route': route, 'http.request.method': 'POST' },
            },
          ],
          temporality: 2,
        }
    }
  })
  return metricRequest(
    {
      'service.name': `service-${service}`,
      'service.namespace': `system-${service % 12}`,
      'service.version': `2.${service % 7}.0`,
      'service.instance.id': `${INSTANCE_MARK}${String(instance).padStart(INSTANCE_NUMBER_DIGITS, '0')}`,
      'deployment.environment.name': 'prod',
      'bank.site': site,
      'cloud.availability_zone': `${site}-1`,
      'k8s.cluster.name': `${site}-01`,
    },
    metrics,
    { name: 'io.opentelemetry.runtime', version: '2.9.0' },
  )
}

// A point is: start (tag, 8 bytes), time (tag, 8 bytes), then the value (tag, 8 bytes), or of a histogram count, sum (tag, 8
// bytes each) and the buckets (tag, length, 8 bytes each).
const AFTER = 9
const BUCKETS_AFTER = 2 * AFTER + 1

function stamp(bytes: Buffer, instance: Instance, atMs: number, next: () => number): void {
  bytes.write(String(instance.number).padStart(INSTANCE_NUMBER_DIGITS, '0'), instance.numberAt, 'latin1')
  const at = BigInt(atMs) * 1_000_000n
  const start = BigInt(instance.startMs) * 1_000_000n
  instance.points.forEach(({ timeAt, kind }, index) => {
    bytes.writeBigUInt64LE(at, timeAt)
    bytes.writeBigUInt64LE(start, timeAt - AFTER)
    const rate = instance.rates[index] ?? 0
    const valueAt = timeAt + AFTER
    if (kind === 'counter') {
      const value = (instance.values[index] ?? 0) + Math.floor(rate * (0.7 + 0.6 * next()) + next())
      instance.values[index] = value
      writeInteger(bytes, value, valueAt)
    } else if (kind === 'integer') {
      const pages = Math.max(1000, (instance.values[index] || 65_536) + Math.floor((next() - 0.5) * 64))
      instance.values[index] = pages
      writeInteger(bytes, pages * PAGE, valueAt)
    } else if (kind === 'float') {
      bytes.writeDoubleLE(Math.min(1, rate / 1000 + 0.3 * next()), valueAt)
    } else {
      const buckets = instance.buckets[index] as Float64Array
      let count = 0
      for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
        const share = bucket < 6 ? 0.15 : 0.02
        buckets[bucket] = (buckets[bucket] ?? 0) + Math.floor(rate * share * 2 * next() + next())
        count += buckets[bucket] ?? 0
        writeInteger(bytes, buckets[bucket] ?? 0, valueAt + BUCKETS_AFTER + bucket * 8)
      }
      const sum = (instance.values[index] ?? 0) + rate * next()
      instance.values[index] = sum
      writeInteger(bytes, count, valueAt)
      bytes.writeDoubleLE(sum, valueAt + AFTER)
    }
  })
}

function writeInteger(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value >>> 0, at)
  bytes.writeUInt32LE(Math.floor(value / 4_294_967_296), at + 4)
}
