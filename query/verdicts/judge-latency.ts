// Latency as a distribution: by how much its quantiles moved, and whether the middle moved although few requests became slow. Pure.

import { TOUCHED_NEW, TOUCHED_OLD } from '../blame/case.ts'
import type { LatencyRow } from '../blame/gather-contrast.ts'
import { bucketQuantile, type Bucket } from '../reports/bucket-quantile.ts'
import { ExposedShare } from '../statistics/exposed-share.ts'

export type LatencyShift = {
  readonly quantiles: readonly {
    readonly quantile: number
    readonly exposedMs: number
    readonly controlMs: number
  }[]
  /** The middle moved by a fifth and 5 ms or more, beyond chance and beyond what minutes may differ by. */
  readonly isMoved: boolean
}

const QUANTILES = [0.5, 0.95, 0.99] as const
const MOVED_PART = 0.2
const MOVED_MS = 5
// These rows are not told apart by minute: what a busy hour does to both sides unevenly is allowed for, in log risk.
const UNLIKENESS = 0.15
/** Requests of one second wait behind one another, so that less than their number is independent. */
const DISPERSION = 4

/** @returns undefined without requests on both sides since the release */
export function latencyShift(rows: readonly LatencyRow[], alpha: number): LatencyShift | undefined {
  const entries = new Set(rows.map(({ entry }) => entry))
  const evidence = new ExposedShare()
  const all = { exposed: [] as Bucket[], control: [] as Bucket[] }
  for (const entry of entries) {
    const of = (touch: number) =>
      bucketsOf(rows.filter((row) => row.entry === entry && row.touch === touch && row.isAfter))
    const exposed = of(TOUCHED_NEW)
    const control = of(TOUCHED_OLD)
    const median = bucketQuantile(0.5, control)
    if (median === undefined || exposed.length === 0) continue
    all.exposed.push(...exposed)
    // Weighed like the exposed, so that another mix of entries moves nothing.
    const weight = size(exposed) / size(control)
    all.control.push(...control.map((bucket) => ({ ...bucket, count: bucket.count * weight })))
    const above = (buckets: readonly Bucket[]) => size(buckets.filter(({ from }) => from >= median))
    evidence.add(
      above(exposed),
      above(exposed) + above(control),
      size(exposed) / (size(exposed) + size(control)),
    )
  }
  const quantiles = QUANTILES.flatMap((quantile) => {
    const exposedMs = bucketQuantile(quantile, all.exposed)
    const controlMs = bucketQuantile(quantile, all.control)
    return exposedMs === undefined || controlMs === undefined ? [] : [{ quantile, exposedMs, controlMs }]
  })
  const [middle] = quantiles
  if (middle === undefined) return undefined
  const moved = middle.exposedMs - middle.controlMs
  return {
    quantiles,
    isMoved:
      moved >= MOVED_MS &&
      moved >= MOVED_PART * middle.controlMs &&
      evidence.logEvidenceAbove(UNLIKENESS, DISPERSION) >= Math.log(1 / alpha),
  }
}

function bucketsOf(rows: readonly LatencyRow[]): Bucket[] {
  const sorted = rows.toSorted((a, b) => a.upperMs - b.upperMs)
  return sorted.map((row, index) => ({
    from: sorted[index - 1]?.upperMs ?? 0,
    to: row.upperMs,
    count: row.count,
  }))
}

const size = (buckets: readonly Bucket[]) => buckets.reduce((sum, { count }) => sum + count, 0)
