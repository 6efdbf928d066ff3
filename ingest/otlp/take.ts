// What every OTLP door does with a request of any signal once it has its bytes: prepare, wait for the batch, say what
// became of it. How that is said is the door's own.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Accumulator } from '../pipeline/accumulator.ts'
import type { DeadLetterBox } from '../pipeline/dead-letter-box.ts'
import { JournalError, type Journal, type JournalItem } from '../pipeline/journal.ts'
import type { Prepared } from '../pipeline/prepared.ts'
import { jsonFormat, type SignalName, type SignalPath } from '../pipeline/signal.ts'
import type { DeadLetter } from '../records/dead-letter.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Admitted } from '../runtime/door-guard.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { NO_TOKEN } from '../runtime/tokens.ts'

/** What became of a request. `busy`: nothing was stored, send it again. `refused`: never again. */
export type Taken =
  | { readonly kind: 'stored'; readonly rejectedRows: number; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'busy'; readonly message: string }

/** Senders are told apart by the names of their tokens, where tokens are asked for. */
export function senderOf(admitted: Pick<Admitted, 'token'> | undefined): string {
  return admitted === undefined || admitted.token === NO_TOKEN ? '' : admitted.token
}

/** How a request is written. What is JSON becomes protobuf before anything else. */
export type OtlpForm = 'protobuf' | 'json'

/** One function per signal. */
export type Take = (bytes: Uint8Array, door: string, sender?: string, form?: OtlpForm) => Promise<Taken>
export type Takes = Readonly<Record<SignalName, Take>>

/** A request as its batch holds it: what is stored of it, and the bytes that the journal keeps meanwhile. */
export type DoorItem = Prepared & JournalItem

export type TakeParts = {
  readonly accumulator: Accumulator<DoorItem>
  readonly journal: Pick<Journal, 'isStored'>
  readonly deadLetters: DeadLetterBox
  readonly clock: Clock
  readonly metrics: Metrics
  readonly signal: SignalPath
}

// Dead letters of a hostile sender must not fill the store: beyond this many a minute they are only counted.
const DEAD_LETTERS_PER_MINUTE_MAX = 600
// A sender gets its answer before common exporters' time-out of 10 s. Its request stays on the way to the store.
const PATIENCE_MS = 8000

/**
 * @returns a function that takes the inflated bytes of one request, the door's name and, where senders are told
 *   apart, the sender's; a request that the same sender repeats byte for byte within ten minutes is stored once
 */
export function buildTake({ accumulator, journal, deadLetters, clock, metrics, signal }: TakeParts): Take {
  const pending = new Map<string, Promise<Taken>>()
  let letterWindow = { startedAt: 0, count: 0 }

  function mayKeepLetter(): boolean {
    const now = clock.now()
    if (Math.abs(now - letterWindow.startedAt) > 60_000) letterWindow = { startedAt: now, count: 0 }
    letterWindow.count += 1
    return letterWindow.count <= DEAD_LETTERS_PER_MINUTE_MAX
  }

  /** @throws StoreError when a dead letter cannot be kept for now */
  async function refuseMalformed(letter: DeadLetter, door: string): Promise<Taken> {
    metrics.messages.inc({ door, result: 'malformed' })
    if (mayKeepLetter()) await deadLetters.add([letter], `${door}-dead/${clock.now()}/${crypto.randomUUID()}`)
    return { kind: 'refused', message: `The body is not an ${signal.words.request}: ${letter.detail}` }
  }

  /** @throws StoreError when a dead letter cannot be kept for now */
  async function store(body: Uint8Array, door: string, digest: string): Promise<Taken> {
    const prepared = signal.prepare(body, door)
    const [letter] = prepared.deadLetters
    if (letter?.reason === 'malformed') return refuseMalformed(letter, door)
    const keepsLetters = prepared.deadLetters.length === 0 || mayKeepLetter()
    const item = { ...prepared, ...(keepsLetters ? {} : { deadLetters: [] }), digest, body }
    const settled = await accumulator.add(item)
    if (settled.kind === 'given-up') {
      const why = settled.error instanceof JournalError ? settled.error.message : 'Surety is stopping'
      return { kind: 'busy', message: `${why}; the ${signal.words.rows} are not stored yet, send them again` }
    }
    if (settled.refusal !== undefined) {
      metrics.messages.inc({ door, result: 'refused' })
      return { kind: 'refused', message: `The store cannot read the body: ${settled.refusal}` }
    }
    metrics.messages.inc({ door, result: 'stored' })
    return { kind: 'stored', rejectedRows: prepared.rejectedRows, message: prepared.rejection }
  }

  return async (sent, door, sender = '', form = 'protobuf') => {
    metrics.bytes.inc({ door }, sent.length)
    let body = sent
    if (form === 'json') {
      const transcoded = signal.fromJson(sent)
      if (transcoded.kind === 'refused') {
        const { reason: detail } = transcoded
        const letter = { reason: 'malformed', detail, origin: door, payload: sent } as const
        return refuseMalformed({ ...letter, format: jsonFormat(signal.name) }, door)
      }
      body = transcoded.bytes
    }
    if (body.length === 0) return { kind: 'stored', rejectedRows: 0, message: '' }
    const digest = requestDigest(signal.name, sender, body)
    if (journal.isStored(digest)) {
      metrics.messages.inc({ door, result: 'repeated' })
      return { kind: 'stored', rejectedRows: 0, message: '' }
    }
    let taken = pending.get(digest)
    if (taken === undefined) {
      taken = store(body, door, digest).finally(() => pending.delete(digest))
      pending.set(digest, taken)
    } else metrics.messages.inc({ door, result: 'repeated' })
    return withinPatience(taken, 'The store is busy; send the same request again, it is stored once')
  }
}

/** Names a request: the same bytes of the same sender have the same digest, in hex. */
export function requestDigest(name: SignalName, sender: string, body: Uint8Array): string {
  // The same bytes can be a request of either signal. Traces carry no mark, so that digests of earlier releases hold.
  const kind = name === 'traces' ? '' : `\u0000${name} `
  return createHash('sha256').update(`${kind}${sender}\n`).update(body).digest('hex')
}

/** @param sentence  what a sender is told whose answer is not there in time */
export async function withinPatience(taken: Promise<Taken>, sentence: string): Promise<Taken> {
  const over = new AbortController()
  const busy = { kind: 'busy', message: sentence } as const
  try {
    return await Promise.race([taken, sleep(PATIENCE_MS, busy, { signal: over.signal, ref: false })])
  } finally {
    taken.catch(() => undefined)
    over.abort()
  }
}
