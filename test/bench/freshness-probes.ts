// How long after it was given to Kafka a span can be found: single spans, written to the topic beside all others, in turn
// to each partition, and looked for through the API. The time is from handing the record to the producer (so it holds the
// producer's own round trip) until an answer that holds the span was read; questions follow each other in `POLL_MS`, so a
// time is too long by up to that and one answer.

import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import { traceRequest } from '../support/otlp.ts'
import { BenchFailure } from './bench-definition.ts'
import { PARTITIONS, type SpanTopic } from './span-topic.ts'

const SERVICE = 'freshness-probe'
const EVERY_MS = 100
export const POLL_MS = 25
// More than come within the longest lag that is still told apart: 50 s.
const LIMIT = 500
const LATE_MS = 60_000

export interface FreshnessProbes {
  /** Starts a new count. */
  begin(): void
  /** Waits until every probe of this count was found. @returns ms of each @throws BenchFailure when one is lost */
  end(): Promise<number[]>
}

export async function openFreshnessProbes(
  { kafka, topic }: SpanTopic,
  url: string,
  lifecycle: Lifecycle,
): Promise<FreshnessProbes> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const stopping = new AbortController()
  const waiting = new Map<string, number>()
  let found: number[] = []
  let isSending = false
  let number = 0
  let failure: Error | undefined

  async function send(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (isSending) {
        number += 1
        const traceId = Buffer.alloc(16, 0xfe)
        traceId.writeUInt32BE(number, 0)
        waiting.set(traceId.toString('hex'), performance.now())
        const partition = number % PARTITIONS
        // Not awaited: a broker that takes its time must not thin out the probes.
        producer.send({ topic, acks: 1, messages: [{ value: probe(traceId), partition }] }).catch(fail)
      }
      await sleep(EVERY_MS)
    }
  }

  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (waiting.size > 0) {
        const reply = await fetch(`${url}/api/v1/traces?service=${SERVICE}&from=-2m&limit=${LIMIT}`)
        const answer = (await reply.json()) as { items?: readonly { traceId: string }[] }
        const now = performance.now()
        for (const { traceId } of answer.items ?? []) {
          const sentAt = waiting.get(traceId)
          if (sentAt === undefined) continue
          waiting.delete(traceId)
          found.push(now - sentAt)
        }
      }
      await sleep(POLL_MS)
    }
  }

  function fail(error: unknown): void {
    failure ??= new BenchFailure(`The probes ended: ${String(error)}`, { cause: error })
  }
  const running = Promise.all([send(), look()]).catch(fail)
  lifecycle.add('probes', async () => {
    stopping.abort()
    await running
    await producer.disconnect()
  })

  return {
    begin() {
      found = []
      waiting.clear()
      isSending = true
    },
    async end() {
      isSending = false
      const deadline = performance.now() + LATE_MS
      while (waiting.size > 0) {
        if (failure !== undefined) throw failure
        if (performance.now() > deadline)
          throw new BenchFailure(`${waiting.size} probes were not found within ${LATE_MS / 1000} s.`)
        await sleep(POLL_MS)
      }
      return found
    },
  }
}

function probe(traceId: Buffer): Buffer {
  const startNs = BigInt(Date.now()) * 1_000_000n
  const span = {
    traceId,
    spanId: traceId.subarray(0, 8),
    name: 'probe',
    startNs,
    endNs: startNs + 1_000_000n,
  }
  return traceRequest([{ attributes: { 'service.name': SERVICE }, spans: [span] }])
}
