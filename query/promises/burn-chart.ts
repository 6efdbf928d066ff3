// Burn rates over time from slices: each point is a true window that ends there, with and without what is excluded.

import type { Store } from '../../ingest/store/store.ts'
import type { SloBurnReply } from '../http/slo-schemas.ts'
import { sliceBuckets, type BucketCounts, type SliceBucket } from '../measure/slice-buckets.ts'
import { unitMs } from '../slo/budgeting.ts'
import { countWindow } from '../slo/count-window.ts'
import { excludedSlices, expandExclusions } from '../slo/exclusion.ts'
import { judgeWindow } from '../slo/judge-window.ts'
import { EMPTY, emptyColumns, MEASURED } from '../slo/slices.ts'
import type { CompiledPolicy } from '../slo/slo-policy.ts'
import { coverageRatio, type Counts } from '../slo/window-figures.ts'
import { iso, type TimeRange } from '../time-range.ts'
import { fittedCounts } from './fitted-counts.ts'
import type { Judged, Slo } from './slos.ts'

const NICE_SECONDS = [10, 60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400]
const BUCKETS_MAX = 100_000

/** What a chart cannot show, and the remedy. */
export class ChartRefused extends Error {}

/**
 * @param range      ends no later than what is judged: a window that ends after it would say that telemetry is missing
 * @param windowsMs  lengths, multiples of the SLO's slices
 * @throws ChartRefused, StoreError
 */
export async function burnChart(
  store: Pick<Store, 'ask'>,
  slo: Slo,
  judged: Judged,
  group: string,
  range: TimeRange,
  windowsMs: readonly number[],
  points: number,
): Promise<SloBurnReply> {
  const { compiled } = judged
  const [part] = judged.parts
  if (part === undefined || judged.isComposite)
    throw new ChartRefused('is of a composite; ask for the SLOs it is made of')
  const unitSeconds = unitMs(compiled.policy.budgeting, slo.stepMs) / 1000
  const spanSeconds = (range.toMs - range.fromMs) / 1000
  const isByEvents = compiled.policy.budgeting.method === 'Occurrences'
  const fitting = NICE_SECONDS.filter(
    (seconds) => seconds % unitSeconds === 0 && windowsMs.every((ms) => ms % (seconds * 1000) === 0),
  )
  const bucket = isByEvents
    ? (fitting.findLast((seconds) => seconds <= spanSeconds / points) ?? fitting[0])
    : unitSeconds
  if (bucket === undefined || windowsMs.some((ms) => ms % (bucket * 1000) !== 0))
    throw new ChartRefused(`must be multiples of the SLO's slice of ${unitSeconds} s`)
  const longest = Math.max(...windowsMs) / 1000
  const to = Math.floor(range.toMs / 1000 / bucket) * bucket
  const from = Math.floor(range.fromMs / 1000 / bucket) * bucket
  const first = from - longest
  if ((to - first) / bucket > BUCKETS_MAX)
    throw new ChartRefused('reads too many slices with this range; take a shorter range, or longer windows')
  const excluded = excludedSlices(
    expandExclusions(slo.exclusions, first * 1000, to * 1000).stretches,
    slo.stepMs,
  ).map((one) => ({ from: (one.from * slo.stepMs) / 1000, to: (one.to * slo.stepMs) / 1000 }))
  const found = await sliceBuckets(
    store,
    {
      series: part.series,
      stepSeconds: slo.stepMs / 1000,
      group,
      fromSecond: first,
      toSecond: to,
      bucketSeconds: bucket,
    },
    excluded,
  )
  const count = Math.max(0, (to - first) / bucket)
  const sums = prefixSums(compiled, found, excluded, { first, count, bucket, step: slo.stepMs / 1000 })
  const every = Math.max(1, Math.ceil((to - from) / bucket / points))
  return {
    from: iso(from * 1000),
    to: iso(to * 1000),
    stepSeconds: bucket * every,
    target: compiled.policy.objective,
    windows: windowsMs.map((windowMs) => {
      const length = windowMs / 1000 / bucket
      const made: SloBurnReply['windows'][number]['points'] = []
      for (let end = (from - first) / bucket + every; end <= count; end += every) {
        const { gross, net } = windowOf(sums, end - length, end)
        made.push({
          at: iso((first + end * bucket) * 1000),
          burnRate: burnOf(compiled, net),
          burnRateGross: burnOf(compiled, gross),
          coverage: coverageRatio(net) ?? null,
        })
      }
      return { windowSeconds: windowMs / 1000, points: made }
    }),
    thresholds: compiled.pairs.map(({ id, severity, factor }) => ({ pair: id, severity, factor })),
  }
}

function burnOf({ policy, budgetRatio }: CompiledPolicy, counts: Counts): number | null {
  const window = judgeWindow(counts, policy.missingData, policy.coverageFloor)
  return window.kind === 'known' ? window.errorRatio / budgetRatio : null
}

type Sums = { readonly gross: Float64Array; readonly net: Float64Array }
const FIELDS = 5

function windowOf({ gross, net }: Sums, from: number, to: number): { gross: Counts; net: Counts } {
  const between = (sums: Float64Array): Counts => {
    const at = (field: number) => (sums[to * FIELDS + field] ?? 0) - (sums[from * FIELDS + field] ?? 0)
    return { good: at(0), total: at(1), known: at(2), empty: at(3), expected: at(4) }
  }
  return { gross: between(gross), net: between(net) }
}

/** Sums from the first bucket up to each, so that any window is a difference. */
function prefixSums(
  compiled: CompiledPolicy,
  found: readonly SliceBucket[],
  excluded: readonly { readonly from: number; readonly to: number }[],
  { first, count, bucket, step }: { first: number; count: number; bucket: number; step: number },
): Sums {
  const gross = new Float64Array((count + 1) * FIELDS)
  const net = new Float64Array((count + 1) * FIELDS)
  const byStart = new Map(found.map((one) => [one.startSecond, one]))
  const isByEvents = compiled.policy.budgeting.method === 'Occurrences'
  for (let place = 0; place < count; place += 1) {
    const start = first + place * bucket
    const one = byStart.get(start)
    const away = excluded.reduce(
      (sum, stretch) =>
        sum + Math.max(0, Math.min(stretch.to, start + bucket) - Math.max(stretch.from, start)),
      0,
    )
    const whole = isByEvents ? eventsOf(one?.all, bucket / step) : unitOf(compiled, one?.all, start, bucket)
    const part = isByEvents ? eventsOf(one?.excluded, away / step) : away > 0 ? whole : eventsOf(undefined, 0)
    for (let field = 0; field < FIELDS; field += 1) {
      const [all, out] = [whole[field] ?? 0, part[field] ?? 0]
      gross[(place + 1) * FIELDS + field] = (gross[place * FIELDS + field] ?? 0) + all
      net[(place + 1) * FIELDS + field] = (net[place * FIELDS + field] ?? 0) + all - out
    }
  }
  return { gross, net }
}

type Five = readonly [number, number, number, number, number]

const eventsOf = (counts: BucketCounts | undefined, expected: number): Five => [
  counts?.good ?? 0,
  counts?.total ?? 0,
  counts?.known ?? 0,
  counts?.empty ?? 0,
  expected,
]

/** A bucket that is one time slice, judged as a whole. */
function unitOf(
  { policy }: CompiledPolicy,
  counts: BucketCounts | undefined,
  start: number,
  bucket: number,
): Five {
  const stepMs = bucket * 1000
  const from = start / bucket
  const columns = emptyColumns(stepMs, from, 1)
  const slices = bucket / (policy.stepMs / 1000)
  // As the arithmetic has it: a time slice is known when nine tenths of its steps are.
  if (counts !== undefined && counts.known >= slices * 0.9) {
    const { good, total } = fittedCounts(counts)
    columns.good[0] = good
    columns.total[0] = total
    columns.state[0] = total === 0 ? EMPTY : MEASURED
  }
  const { gross } = countWindow(columns, policy.budgeting, { from, to: from + 1 })
  return [gross.good, gross.total, gross.known, gross.empty, gross.expected]
}
