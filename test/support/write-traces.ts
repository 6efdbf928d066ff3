// Sends traces through the ordinary writing path of a store, without a door before it.

import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import type { Store } from '../../ingest/store/store.ts'
import { traceRequest, type ResourceInput } from './otlp.ts'
import { traceTree, type TreeNode } from './trace-tree.ts'

const DAY_MS = 86_400_000
let batches = 0

export async function writeResources(store: Store, resources: readonly ResourceInput[]): Promise<void> {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const writer = buildBatchWriter({
    signal: buildTraceSignal({ rules: [], metrics, clock: systemClock }),
    store,
    deadLetters: buildDeadLetterBox(store, metrics, logger, systemClock),
    metrics,
    logger,
    clock: systemClock,
  })
  const times = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
  const prepared = prepareTraces(traceRequest(resources), 'test', Date.now(), times)
  const told = { token: `traces-${(batches += 1)}`, door: 'test', patienceMs: 0 }
  const written = await writer.write([prepared], told)
  if (written.kind !== 'stored' || written.refused.size > 0) throw new Error('the traces were refused')
}

/** @returns ids of the traces, hexadecimal */
export async function writeTraces(
  store: Store,
  traces: readonly { readonly startMs: number; readonly root: TreeNode }[],
): Promise<string[]> {
  const trees = traces.map(({ startMs, root }) => traceTree(startMs, root))
  await writeResources(
    store,
    trees.flatMap(({ resources }) => resources),
  )
  return trees.map(({ traceId }) => traceId)
}
