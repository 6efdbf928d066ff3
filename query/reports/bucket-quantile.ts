// Quantiles of observations that are known by bucket. Pure arithmetic; where buckets come from never lives here.

/** Observations in (from, to], spread evenly; `isExponential` spreads them evenly over the logarithm. */
export type Bucket = {
  readonly from: number
  readonly to: number
  readonly count: number
  readonly isExponential?: boolean
}

/**
 * Buckets of explicit bounds. Like Prometheus, the first begins at zero when its bound is positive; the last, which has
 * no bound, is taken as lying at the largest bound.
 */
export function explicitBuckets(bounds: readonly number[], counts: readonly number[]): Bucket[] {
  return counts.map((count, index) => {
    const last = bounds.at(-1) ?? 0
    const to = bounds[index] ?? last
    const from = index === 0 ? Math.min(0, to) : (bounds[index - 1] ?? last)
    return { from, to, count }
  })
}

/**
 * @param quantile  0–1
 * @param buckets   may overlap (histograms of different bounds)
 * @returns the value below which that part of the observations lies; undefined without observations
 */
export function bucketQuantile(quantile: number, buckets: readonly Bucket[]): number | undefined {
  const filled = buckets.filter(({ count }) => count > 0)
  const total = filled.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return undefined
  const edges = [...new Set(filled.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b)
  const wanted = quantile * total
  let below = 0
  for (const [index, edge] of edges.entries()) {
    // First what lies at this very value, then what lies between it and the next edge.
    const here = filled.reduce(
      (sum, { from, to, count }) => sum + (from === edge && to === edge ? count : 0),
      0,
    )
    if (here > 0 && below + here >= wanted) return edge
    below += here
    const next = edges[index + 1]
    if (next === undefined) return edge
    const over = filled.filter(({ from, to }) => from <= edge && to >= next && from < to)
    const inside = over.reduce((sum, bucket) => sum + share(bucket, edge, next), 0)
    if (inside > 0 && below + inside >= wanted) {
      const part = Math.max(0, (wanted - below) / inside)
      const byLogarithm = over.every(({ isExponential }) => isExponential === true) && edge * next > 0
      return byLogarithm ? edge * (next / edge) ** part : edge + (next - edge) * part
    }
    below += inside
  }
  return edges.at(-1)
}

/** Observations of a bucket that lie within (from, to]. */
function share(bucket: Bucket, from: number, to: number): number {
  if (bucket.isExponential === true && bucket.from * bucket.to > 0) {
    return (bucket.count * Math.log(to / from)) / Math.log(bucket.to / bucket.from)
  }
  return (bucket.count * (to - from)) / (bucket.to - bucket.from)
}
