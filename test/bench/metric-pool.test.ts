import { expect, test } from 'vitest'
import { walkMetrics } from '../../ingest/pipeline/walk-metrics.ts'
import { buildMetricPool } from './metric-pool.ts'

const FROM_MS = Date.UTC(2026, 10, 20)
const options = { seed: 1, instances: 20, rounds: 5, churn: 0.1, jitterMs: 0, fromMs: FROM_MS }

test('requests are well formed and hold the points that are promised', () => {
  const pool = buildMetricPool(options)
  let points = 0
  for (let copy = 0; copy < pool.requests; copy += 1) {
    const walked = walkMetrics(pool.request(copy), { fromMs: FROM_MS, toMs: FROM_MS + 5 * 30_000 })
    if (walked.kind !== 'walked') throw new Error(walked.reason)
    expect(walked.outOfRange).toBe(0)
    points += walked.points
  }
  expect(points).toBe(pool.points)
  expect(pool.integers + pool.floats + pool.histograms).toBe(pool.points)
})

test('a tenth of the instances gets another name, once each', () => {
  const pool = buildMetricPool(options)
  const names = new Set<string>()
  for (let copy = 0; copy < pool.requests; copy += 1) {
    for (const [name] of pool
      .request(copy)
      .toString('latin1')
      .matchAll(/pod-\d{6}/g))
      names.add(name)
  }
  expect(names.size).toBe(22)
  expect(pool.series).toBe(22 * 50)
})
