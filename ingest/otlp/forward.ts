// The gateway's way with a request: check it, hand its protobuf bytes on, answer when that is acknowledged. Nothing is
// stored here, dead letters neither: the sender of a malformed request is told, and what its bytes cannot say alone
// (retention, series) is judged where they are stored.

import type { MemoryBudget } from '../pipeline/accumulator.ts'
import { REPEAT_WINDOW_MS } from '../pipeline/journal.ts'
import { buildRecentDigests } from '../pipeline/recent-digests.ts'
import type { SignalPath } from '../pipeline/signal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { requestDigest, withinPatience, type Take, type Taken } from './take.ts'

/** Hands the bytes of one request on; never rejects. `too-large`: never again, `away`: send again. */
export type Produce = (
  digest: string,
  body: Uint8Array,
) => Promise<{ readonly kind: 'acknowledged' } | { readonly kind: 'too-large' | 'away'; message: string }>

export type ForwardParts = {
  /** `prepare` judges a message; what it makes of it is not used. */
  readonly signal: Pick<SignalPath, 'name' | 'words' | 'prepare' | 'fromJson'>
  readonly produce: Produce
  readonly budget: MemoryBudget
  readonly clock: Clock
  readonly metrics: Metrics
}

// About 30 MB: half an hour of requests at 100 a second, or ten minutes at 250.
const DIGESTS_MAX = 150_000

/** @returns a function like `buildTake`'s; a request repeated within ten minutes is handed on once by this process */
export function buildForward({ signal, produce, budget, clock, metrics }: ForwardParts): Take {
  const acknowledged = buildRecentDigests<true>(REPEAT_WINDOW_MS, DIGESTS_MAX)
  const pending = new Map<string, Promise<Taken>>()

  function malformed(door: string, detail: string): Taken {
    metrics.messages.inc({ door, result: 'malformed' })
    return { kind: 'refused', message: `The body is not an ${signal.words.request}: ${detail}` }
  }

  async function forward(body: Uint8Array, door: string, digest: string): Promise<Taken> {
    const prepared = signal.prepare(body, door)
    const [letter] = prepared.deadLetters
    if (letter?.reason === 'malformed') return malformed(door, letter.detail)
    budget.take(body.length)
    const produced = await produce(digest, body).finally(() => budget.give(body.length))
    if (produced.kind === 'away') return { kind: 'busy', message: `${produced.message}; send again` }
    if (produced.kind === 'too-large') {
      metrics.messages.inc({ door, result: 'refused' })
      return { kind: 'refused', message: produced.message }
    }
    acknowledged.note(digest, true, clock.now())
    metrics.messages.inc({ door, result: 'forwarded' })
    return { kind: 'stored', rejectedRows: prepared.rejectedRows, message: prepared.rejection }
  }

  return async (sent, door, sender = '', form = 'protobuf') => {
    metrics.bytes.inc({ door }, sent.length)
    let body = sent
    if (form === 'json') {
      const transcoded = signal.fromJson(sent)
      if (transcoded.kind === 'refused') return malformed(door, transcoded.reason)
      body = transcoded.bytes
    }
    if (body.length === 0) return { kind: 'stored', rejectedRows: 0, message: '' }
    const digest = requestDigest(signal.name, sender, body)
    if (acknowledged.find(digest, clock.now()) !== undefined) {
      metrics.messages.inc({ door, result: 'repeated' })
      return { kind: 'stored', rejectedRows: 0, message: '' }
    }
    let taken = pending.get(digest)
    if (taken === undefined) {
      taken = forward(body, door, digest).finally(() => pending.delete(digest))
      pending.set(digest, taken)
    } else metrics.messages.inc({ door, result: 'repeated' })
    return withinPatience(taken, 'Kafka is slow; send the same request again')
  }
}
