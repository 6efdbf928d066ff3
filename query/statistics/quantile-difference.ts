// By how much a quantile of exposed requests' latency lies above that of the others. Quantiles are of buckets.

import { bucketQuantile, type Bucket } from '../reports/bucket-quantile.ts'
import { Z_95 } from './counts.ts'

/** Exposed − control at quantile q (0–1) with its interval: rank intervals of both sides, errors added as squares. Undefined without counts. */
export function quantileDifference(
  exposed: readonly Bucket[],
  control: readonly Bucket[],
  q: number,
  z = Z_95,
): { readonly difference: number; readonly low: number; readonly high: number } | undefined {
  const left = quantileInterval(exposed, q, z)
  const right = quantileInterval(control, q, z)
  if (left === undefined || right === undefined) return undefined
  const difference = left.at - right.at
  return {
    difference,
    low: difference - Math.hypot(left.at - left.low, right.high - right.at),
    high: difference + Math.hypot(left.high - left.at, right.at - right.low),
  }
}

function quantileInterval(
  buckets: readonly Bucket[],
  q: number,
  z: number,
): { readonly at: number; readonly low: number; readonly high: number } | undefined {
  const all = buckets.reduce((sum, bucket) => sum + bucket.count, 0)
  const at = bucketQuantile(q, buckets)
  if (at === undefined) return undefined
  const half = z * Math.sqrt((q * (1 - q)) / all)
  return {
    at,
    low: bucketQuantile(Math.max(0, q - half), buckets) ?? at,
    high: bucketQuantile(Math.min(1, q + half), buckets) ?? at,
  }
}
