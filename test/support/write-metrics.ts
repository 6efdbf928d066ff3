// Sends metrics through the ordinary writing path of a store, without a door before it.

import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { buildMetricSignal } from '../../ingest/pipeline/metric-signal.ts'
import { prepareMetrics } from '../../ingest/pipeline/prepare-metrics.ts'
import { buildSeriesRegister } from '../../ingest/pipeline/series-register.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import type { Store } from '../../ingest/store/store.ts'

const DAY_MS = 86_400_000
let batches = 0

/** @param requests  bytes of ExportMetricsServiceRequest */
export async function writeMetrics(store: Store, requests: readonly Uint8Array[]): Promise<void> {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const register = buildSeriesRegister(
    { perMetricMax: 1000, seriesMax: 10_000, namesMax: 1000 },
    systemClock,
    7,
  )
  const writer = buildBatchWriter({
    signal: buildMetricSignal(register, metrics, systemClock),
    store,
    deadLetters: buildDeadLetterBox(store, metrics, logger, systemClock),
    metrics,
    logger,
    clock: systemClock,
  })
  const times = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
  const prepared = requests.map((bytes) => prepareMetrics(bytes, 'test', Date.now(), times, register))
  const told = { token: `metrics-${(batches += 1)}`, door: 'test', patienceMs: 0 }
  const written = await writer.write(prepared, told)
  if (written.kind !== 'stored' || written.refused.size > 0) throw new Error('the metrics were refused')
}
