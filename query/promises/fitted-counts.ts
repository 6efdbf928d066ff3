// Counts as sums take them: below 2^32. Four million events in one slice are scaled down together; their ratio stays.

import { COUNT_MAX } from '../slo/slices.ts'

export function fittedCounts({ good, total }: { readonly good: number; readonly total: number }): {
  readonly good: number
  readonly total: number
} {
  if (total <= COUNT_MAX) return { good: Math.min(good, total), total }
  return { good: Math.floor((good / total) * COUNT_MAX), total: COUNT_MAX }
}
