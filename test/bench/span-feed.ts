// Spans that keep coming at a rate, as from Collectors: whole requests, written to the broker when they are due, whatever
// happened to the ones before. What was late is made up for and said.

import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import { BenchFailure } from './bench-definition.ts'
import { buildSpanPool, identityOf, restamp, type PooledRequest } from './span-pool.ts'
import { PARTITIONS, type SpanTopic } from './span-topic.ts'

const SPANS_PER_REQUEST = 512
const POOL_REQUESTS = 128
const SEED = 11
// Spans of a request started within the second before it is written.
const SPREAD_MS = 1000
const TICK_MS = 10
const REQUESTS_PER_SEND = 4
// What is asked for by number was written between these times ago.
const PAST_MS_MIN = 30_000
const PAST_MS_MAX = 90_000
// Beyond those of any backlog: copies of the same number are the same spans.
const FIRST_COPY = 1 << 26

export interface SpanFeed {
  /** From now on; 0 rests. */
  setRate(spansPerSecond: number): void
  /** Spans that the broker has acknowledged. */
  sent(): number
  /** How far behind its plan the feed ever was since the rate was set, ms. */
  behindMsMax(): number
  /** A span that was acknowledged half a minute ago or more, drawn by `fraction`; undefined before. */
  pastSpan(fraction: number): { readonly traceId: string; readonly txnId: string } | undefined
  /** One of the services that send. */
  service(fraction: number): string
  stop(): Promise<void>
}

export async function openSpanFeed({ kafka, topic }: SpanTopic, lifecycle: Lifecycle): Promise<SpanFeed> {
  const pool = buildSpanPool({
    seed: SEED,
    requests: POOL_REQUESTS,
    spreadMs: SPREAD_MS,
    customers: true,
  })
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  let rate = 0
  let setAt = performance.now()
  let sinceSet = 0
  let [copies, acknowledged, behindMsMax] = [0, 0, 0]
  const stopping = new AbortController()
  let failure: Error | undefined
  const past: { copy: number; atMs: number }[] = []

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const elapsedMs = performance.now() - setAt
      const due = Math.floor((elapsedMs * rate) / 1000 / SPANS_PER_REQUEST) - sinceSet
      if (due <= 0) {
        await sleep(TICK_MS)
        continue
      }
      behindMsMax = Math.max(behindMsMax, ((due - 1) * SPANS_PER_REQUEST * 1000) / rate)
      const messages = Array.from({ length: Math.min(due, REQUESTS_PER_SEND) }, () => {
        const copy = FIRST_COPY + copies
        copies += 1
        past.push({ copy, atMs: Date.now() - SPREAD_MS })
        return { value: stamped(copy, Date.now() - SPREAD_MS), partition: copies % PARTITIONS }
      })
      sinceSet += messages.length
      await producer.send({ topic, acks: 1, messages })
      acknowledged += messages.length
      while (past.length > 0 && (past[0]?.atMs ?? 0) < Date.now() - PAST_MS_MAX) past.shift()
    }
  }

  const stamped = (copy: number, atMs: number) =>
    restamp(pool[copy % pool.length] as PooledRequest, copy, atMs)
  const running = run().catch((error: unknown) => {
    failure = new BenchFailure('The broker does not take spans.', { cause: error })
  })
  const stop = async () => {
    stopping.abort()
    await running
    await producer.disconnect()
    if (failure !== undefined) throw failure
  }
  lifecycle.add('feed', stop)

  return {
    setRate(spansPerSecond) {
      rate = spansPerSecond
      setAt = performance.now()
      sinceSet = 0
      behindMsMax = 0
    },
    sent: () => acknowledged * SPANS_PER_REQUEST,
    behindMsMax: () => behindMsMax,
    pastSpan(fraction) {
      const old = past.filter(({ atMs }) => atMs < Date.now() - PAST_MS_MIN)
      const chosen = old[Math.floor(fraction * old.length)]
      if (chosen === undefined) return undefined
      const { places } = pool[chosen.copy % pool.length] as PooledRequest
      const place = places[Math.floor(fraction * 1e6) % places.length]
      return place === undefined ? undefined : identityOf(stamped(chosen.copy, chosen.atMs), place)
    },
    service: (fraction) => pool[Math.floor(fraction * pool.length)]?.service ?? '',
    stop,
  }
}
