// Writes release windows down once their hour has come, and again when what is said of them changed. After a pause what was missed
// is caught up.

import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Store } from '../../ingest/store/store.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { ordersOf } from '../../query/releases/orders.ts'
import type { Signer } from '../../query/windows/record-chain.ts'
import { windowsIn, type WindowPlan } from '../../query/windows/release-window.ts'
import { currentWindow, writeRecord } from '../../query/windows/window-store.ts'
import type { VerdictMetrics } from './verdict-metrics.ts'

/** Verdicts change for three days; after that a window is settled. */
const BACK_MS = 5 * 86_400_000

export type RecordParts = {
  readonly store: Store
  readonly registry: Registry
  readonly database: Database
  readonly plan: WindowPlan
  readonly signer: Signer | undefined
  readonly metrics: VerdictMetrics
  readonly logger: Logger
  readonly clock: Clock
}

/** @returns how many records were written @throws RegistryError, StoreError */
export async function writeWindowRecords(parts: RecordParts): Promise<number> {
  const { store, registry, database, plan, signer, metrics, logger, clock } = parts
  const nowMs = clock.now()
  const range = { fromMs: nowMs - BACK_MS, toMs: nowMs }
  const due = windowsIn(plan, range).filter(({ verdictAtMs }) => verdictAtMs <= nowMs)
  if (due.length === 0) return 0
  const orders = await ordersOf({ store, registry }, range, nowMs)
  let written = 0
  for (const window of due) {
    const verdict = await currentWindow(database, window, plan.timeZone, orders)
    // Of nights before there was anything to say only the last is written down.
    if (verdict.lines.length === 0 && window !== due.at(-1)) continue
    const record = await writeRecord(database, verdict, signer, new Date(nowMs))
    if (record === undefined) continue
    written++
    metrics.records.inc({ signed: record.signature === null ? 'no' : 'yes' })
    logger.info(
      {
        window: window.id,
        sequence: record.sequence,
        verdict: verdict.verdict,
        signed: record.signature !== null,
      },
      'a release window is written down',
    )
  }
  return written
}
