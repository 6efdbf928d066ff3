import { expect, test } from 'vitest'
import { percentile } from './questions.ts'

test.each([
  { name: 'the only value is every percentile', values: [3], ratio: 0.99, want: 3 },
  { name: 'the median of an odd number is the middle', values: [9, 1, 5], ratio: 0.5, want: 5 },
  {
    name: 'p95 of twenty leaves one above',
    values: Array.from({ length: 20 }, (_, i) => i + 1),
    ratio: 0.95,
    want: 19,
  },
  {
    name: 'p99 of twenty is the largest',
    values: Array.from({ length: 20 }, (_, i) => i + 1),
    ratio: 0.99,
    want: 20,
  },
])('$name', ({ values, ratio, want }) => {
  expect(percentile(values, ratio)).toBe(want)
})

test('no values have no percentile', () => {
  expect(percentile([], 0.5)).toBeNaN()
})
