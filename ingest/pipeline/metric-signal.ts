// Metrics for the batch writer: resources and series that may be new, then the batch.

import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { insertResources } from '../store/insert-spans.ts'
import {
  countMetricBatch,
  deleteMetricBatch,
  insertMetrics,
  insertSeries,
  METRIC_TABLES,
  METRICS_SCHEMA,
} from '../store/insert-metrics.ts'
import { NO_MASKING, type Masking } from '../store/masking.ts'
import { METRICS_FORMAT, type PreparedMetrics } from './prepare-metrics.ts'
import { buildResourceMemory } from './resource-memory.ts'
import type { SeriesRegister } from './series-register.ts'
import { timesOf, type Signal } from './signal.ts'

type Source = (structure: string) => string

export function buildMetricSignal(
  register: SeriesRegister,
  metrics: Metrics,
  clock: Clock,
  masking: Masking = NO_MASKING,
): Signal<PreparedMetrics> {
  const resources = buildResourceMemory(clock, masking)
  return {
    name: 'metrics',
    format: METRICS_FORMAT,
    schema: METRICS_SCHEMA,
    plan(part, token, batchId) {
      const unseen = resources.unseen(part)
      // Masked before the hash is taken: every statement must come to the same, so all mask or none does.
      const ofResource = resources.mayHoldNumbers(part) ? masking : NO_MASKING
      const hasSeries = part.some(({ unstored }) => register.hasUnstored(unstored))
      return {
        statements: [
          ...(unseen.length === 0
            ? []
            : [
                { sql: (source: Source) => insertResources(source, ofResource), token: `${token}/resources` },
              ]),
          ...(hasSeries
            ? [
                {
                  sql: (source: Source) => insertSeries(source, ofResource, masking),
                  token: `${token}/series`,
                },
              ]
            : []),
          { sql: (source: Source) => insertMetrics(source, batchId, ofResource), token },
        ],
        stored() {
          resources.remember(unseen)
          for (const { unstored } of part) register.stored(unstored)
        },
      }
    },
    probe: () => [
      { sql: (source: Source) => insertSeries(source, masking, masking), token: 'canary/series' },
      { sql: (source: Source) => insertMetrics(source, '0', masking), token: 'canary/metrics' },
    ],
    wanted: (items) =>
      Object.fromEntries(
        METRIC_TABLES.map((table) => [table, items.reduce((sum, { counts }) => sum + counts[table], 0)]),
      ),
    found: (store, batchId, items) => countMetricBatch(store, batchId, timesOf(items)),
    tally(_store, batch, door) {
      metrics.foldedPoints.inc(
        { door },
        batch.reduce((sum, { foldedPoints }) => sum + foldedPoints, 0),
      )
      metrics.activeSeries.set(register.size())
      return Promise.resolve()
    },
    // Series carry no batch: whether they are there is known only after writing them.
    keepsWhole: false,
    remove: (store, batchId, items) => deleteMetricBatch(store, batchId, timesOf(items)),
    rederive: () => Promise.resolve(),
  }
}
