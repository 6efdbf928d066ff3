// The log-spaced buckets that latencies are kept in: 16 a decade, bucket b from 10^(b/16) to 10^((b+1)/16) ns
// (ingest/store/schema/0037_trace_paths_1m.sql).

export const BUCKETS_PER_DECADE = 16
/** Slow is beyond the usual 95th percentile × 1.5: so many buckets more, 1.54 times. */
const SLOW_BUCKETS = 3
/** No bucket is that high: nothing is slow where nothing usual is known. */
const NEVER = 255

export type Histogram = { readonly buckets: readonly number[]; readonly weights: readonly number[] }

/** Upper edge of a bucket, ms. */
export const upperMs = (bucket: number) => 10 ** ((bucket + 1) / BUCKETS_PER_DECADE) / 1e6

/** @returns the bucket that holds the quantile; undefined without traffic */
export function quantileBucket({ buckets, weights }: Histogram, quantile: number): number | undefined {
  const all = weights.reduce((sum, weight) => sum + weight, 0)
  let below = 0
  for (const [index, bucket] of buckets.entries()) {
    below += weights[index] ?? 0
    if (below > 0 && below >= quantile * all) return bucket
  }
  return undefined
}

/** First bucket that is slow, and where it begins, ms. */
export function slowFrom(usual: Histogram): { readonly bucket: number; readonly ms: number } {
  const bucket = quantileBucket(usual, 0.95)
  const first = bucket === undefined ? NEVER : Math.min(NEVER, bucket + 1 + SLOW_BUCKETS)
  return { bucket: first, ms: upperMs(first - 1) }
}
