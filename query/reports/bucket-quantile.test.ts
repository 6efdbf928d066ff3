import { expect, test } from 'vitest'
import { bucketQuantile, explicitBuckets, type Bucket } from './bucket-quantile.ts'

const bounds = [10, 20, 40]
test.each<{ name: string; quantile: number; buckets: Bucket[]; want: number | undefined }>([
  {
    name: 'nothing has no quantile',
    quantile: 0.5,
    buckets: explicitBuckets(bounds, [0, 0, 0, 0]),
    want: undefined,
  },
  {
    name: 'within a bucket by its part',
    quantile: 0.5,
    buckets: explicitBuckets(bounds, [0, 10, 0, 0]),
    want: 15,
  },
  {
    name: 'the first bucket begins at zero',
    quantile: 0.5,
    buckets: explicitBuckets(bounds, [10, 0, 0, 0]),
    want: 5,
  },
  {
    name: 'beyond the last bound it is the last bound',
    quantile: 0.99,
    buckets: explicitBuckets(bounds, [1, 0, 0, 99]),
    want: 40,
  },
  { name: 'across buckets', quantile: 0.75, buckets: explicitBuckets(bounds, [50, 0, 50, 0]), want: 30 },
  {
    name: 'histograms of other bounds add up',
    quantile: 0.5,
    buckets: [...explicitBuckets([10, 20], [0, 10, 0]), ...explicitBuckets([15], [0, 10])],
    want: 15,
  },
  {
    name: 'an exponential bucket by its logarithm',
    quantile: 0.5,
    buckets: [{ from: 1, to: 4, count: 10, isExponential: true }],
    want: 2,
  },
  {
    name: 'negative buckets',
    quantile: 0.5,
    buckets: [{ from: -4, to: -1, count: 10, isExponential: true }],
    want: -2,
  },
])('$name', ({ quantile, buckets, want }) => {
  const got = bucketQuantile(quantile, buckets)
  if (want === undefined) expect(got).toBeUndefined()
  else expect(got).toBeCloseTo(want, 9)
})
