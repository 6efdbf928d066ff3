// The history of the demo's own bank, for the process that owns the store: what is told on the way stands here, what is
// written in write.ts.

import type { IngestConfig } from '../../../ingest/config.ts'
import type { IngestRole } from '../../../ingest/main.ts'
import { retentionOf, type ProcessParts } from '../../../ingest/process.ts'
import type { DemoConfig } from '../config.ts'
import { bankWorld } from './bank-world.ts'
import { buildProgress, type Out } from './progress.ts'
import { HISTORY_FILE } from './state.ts'
import type { World } from './world.ts'
import { writeHistory } from './write.ts'

/** One trace in so many is kept of the past: a week of them is a million spans, and rates count what they stand for. */
const ONE_IN = 64

export type DemoHistoryParts = {
  readonly ingest: Pick<IngestRole, 'paths' | 'releases' | 'rules'>
  readonly parts: Pick<ProcessParts, 'store' | 'clock'>
  readonly config: IngestConfig
  readonly signal: AbortSignal
  readonly out: Out
}

export const demoWorld = (demo: Pick<DemoConfig, 'SURETY_DEMO_RATE'>): World =>
  bankWorld({ peakPerSecond: demo.SURETY_DEMO_RATE, oneIn: ONE_IN })

/** @throws StoreError */
export async function demoHistory(
  demo: DemoConfig,
  { ingest, parts, config, signal, out }: DemoHistoryParts,
) {
  const dataDir = config.SURETY_DATA_DIR
  if (config.SURETY_CLICKHOUSE_URL !== undefined) {
    out.write('The demo bank gets a past in the embedded store only; this one is a server\n')
    return undefined
  }
  const outcome = await writeHistory(
    { ...ingest, ...parts, dataDir, retention: retentionOf(config) },
    {
      world: demoWorld(demo),
      seed: demo.SURETY_DEMO_SEED,
      days: demo.SURETY_DEMO_HISTORY,
      onProgress: buildProgress("Writing the bank's past", out),
      signal,
    },
  )
  if (outcome.kind === 'occupied')
    out.write(
      `${dataDir} holds requests already, so the demo bank gets no past; an empty directory (SURETY_DATA_DIR) would have one\n`,
    )
  if (outcome.kind === 'other')
    out.write(
      `${dataDir}/${HISTORY_FILE}: another past was begun here and not finished; start with the SURETY_DEMO_RATE and SURETY_DEMO_SEED of then, or with an empty directory\n`,
    )
  return outcome
}
