// A store that holds a day of integer counters, through Kafka and Surety's own ingest: what `storage` weighs a sample by.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { sizesAtRest, type Sizes } from './at-rest.ts'
import type { BenchContext } from './bench-definition.ts'
import { watchIngest } from './ingest-run.ts'
import { buildMetricPool, SERIES_PER_INSTANCE } from './metric-pool.ts'
import { fillTopic, openSpanTopic } from './span-topic.ts'
import { openSurety, writeReturnCodes } from './surety-side.ts'

const SEED = 19
// A day at 30 s.
const ROUNDS = 2880
const STEP_MS = 30_000
// Instances come in requests of ten, an even number of them a round.
const INSTANCES_STEP = 20

/** What the help of a bench says about its data. */
export const SAMPLES = `Samples: counters of 24 hours at 30 s, of about 2,000 series by default; each grows by its own rate (mean 0.4 to 400 a
step, log-uniform), times 0.7 to 1.3 at random, rounded up or down at random. Once on the grid, once up to 40 ms late.`

/** @returns sizes at rest, merged, and how many samples are there */
export async function samplesAtRest(
  {
    samples,
    jitterMs,
    folder,
  }: { readonly samples: number; readonly jitterMs: number; readonly folder: string },
  { lifecycle, say }: BenchContext,
): Promise<{ readonly sizes: Sizes; readonly samples: number }> {
  const topic = await openSpanTopic(join(folder, 'broker'), lifecycle, 'metrics')
  const instances =
    Math.max(1, Math.round(samples / ROUNDS / SERIES_PER_INSTANCE / INSTANCES_STEP)) * INSTANCES_STEP
  const fromMs = Math.floor(Date.now() / STEP_MS) * STEP_MS - (ROUNDS + 1) * STEP_MS
  const pool = buildMetricPool({
    seed: SEED,
    instances,
    rounds: ROUNDS,
    churn: 0,
    jitterMs,
    fromMs,
    only: 'counters',
  })
  await fillTopic(topic, { requests: pool.requests, valueOf: (copy) => pool.request(copy), say })
  const dataDir = join(folder, 'surety')
  mkdirSync(dataDir, { recursive: true })
  const returnCodes = writeReturnCodes(folder)
  const { child, url } = await openSurety({ dataDir, topic, group: 'samples', returnCodes }, lifecycle)
  await watchIngest(child, url, pool.points, say, { waitsForMerges: false, tables: ['samples_int'] })
  await child.stop()
  await topic.close()
  return { sizes: await sizesAtRest(dataDir), samples: pool.points }
}
