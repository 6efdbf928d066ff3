// A store that holds a day of spans, through Kafka and Surety's own ingest: what `storage` weighs and `trace-queries`
// asks. The same options give the same spans, so that others can write them too, and questions know what to find.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchContext } from './bench-definition.ts'
import { watchIngest } from './ingest-run.ts'
import { buildSpanPool, type PooledRequest } from './span-pool.ts'
import { fillTopic, openSpanTopic, PARTITIONS, spansOver } from './span-topic.ts'
import { openSurety, writeReturnCodes } from './surety-side.ts'

export const SPANS_PER_REQUEST = 512
const POOL_REQUESTS = 256
const SEED = 7
const SPREAD_MS = 10_000
const HOUR_MS = 3_600_000
export const DAY_HOURS = 24

/** What the help of a bench says about its data. */
export const ENTROPY = `The spans: 60 services, 300 routes, 13 span and 9 resource attributes, about 450 bytes each, 8 a trace, evenly over
24 hours. Random in each: trace id (16 bytes, one for 8 spans), span id (8), start (ns), duration (log-uniform, ns),
transaction number (12 digits a trace), thread, branch, group, and on entry spans a customer number (6 digits,
allow-listed); channel and region one of two of the same length; 0.4 % fail. What repeats: services, routes, 256
resources, codes, and the order of kinds in a trace. No request is stored twice.`

/** Which spans: whoever has this can make them again. */
export type DayOfSpans = { readonly requests: number; readonly fromMs: number; readonly toMs: number }

export function dayOfSpans(spans: number, nowMs: number): DayOfSpans {
  const requests = Math.ceil(spans / SPANS_PER_REQUEST / PARTITIONS) * PARTITIONS
  return { requests, fromMs: nowMs - DAY_HOURS * HOUR_MS, toMs: nowMs - SPREAD_MS }
}

export function dayPool(): PooledRequest[] {
  return buildSpanPool({ seed: SEED, requests: POOL_REQUESTS, spreadMs: SPREAD_MS, customers: true })
}

/** @param copy 0 to `requests` − 1 */
export function dayRequest(pool: readonly PooledRequest[], copy: number, day: DayOfSpans): Buffer {
  return spansOver(pool, day)(copy)
}

/**
 * @param dataDir  a store that an earlier call left there is used as it is, if it holds as many spans
 * @returns which spans the store holds
 */
export async function loadDay(
  { spans, dataDir, folder }: { readonly spans: number; readonly dataDir: string; readonly folder: string },
  { lifecycle, say }: BenchContext,
): Promise<{ readonly day: DayOfSpans; readonly kafkaVersion: string }> {
  const note = join(dataDir, 'bench-day.json')
  if (existsSync(note)) {
    const known = JSON.parse(readFileSync(note, 'utf8')) as { day: DayOfSpans; kafkaVersion: string }
    if (known.day.requests === dayOfSpans(spans, 0).requests) {
      say(`${dataDir} holds ${known.day.requests * SPANS_PER_REQUEST} spans already`)
      return known
    }
  }
  say('starting Kafka')
  const topic = await openSpanTopic(join(folder, 'load'), lifecycle)
  const day = dayOfSpans(spans, Date.now())
  const rows = day.requests * SPANS_PER_REQUEST
  await fillTopic(topic, { requests: day.requests, valueOf: spansOver(dayPool(), day), say })
  mkdirSync(dataDir, { recursive: true })
  const returnCodes = writeReturnCodes(folder)
  const { child, url } = await openSurety({ dataDir, topic, group: 'load', returnCodes }, lifecycle)
  await watchIngest(child, url, rows, say, { waitsForMerges: false })
  await child.stop()
  await topic.close()
  const loaded = { day, kafkaVersion: topic.kafkaVersion }
  writeFileSync(note, JSON.stringify(loaded))
  return loaded
}
