// What every OTLP door does with a request of traces once it has its bytes: prepare, wait for the batch, say what
// became of it. How that is said is the door's own.

import type { Accumulator } from '../pipeline/accumulator.ts'
import type { DeadLetterBox } from '../pipeline/dead-letter-box.ts'
import { prepareTraces, type Prepared, type TimeBounds } from '../pipeline/prepare.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Metrics } from '../runtime/metrics.ts'

/** What became of a request. `busy`: nothing was stored, send it again. `refused`: never again. */
export type Taken =
  | { readonly kind: 'stored'; readonly rejectedSpans: number; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'busy'; readonly message: string }

export type TakeParts = {
  readonly accumulator: Accumulator<Prepared>
  readonly deadLetters: DeadLetterBox
  readonly clock: Clock
  readonly metrics: Metrics
  readonly timeBounds: TimeBounds
}

// Dead letters of a hostile sender must not fill the store: beyond this many a minute they are only counted.
const DEAD_LETTERS_PER_MINUTE_MAX = 600

/** @returns a function that takes the inflated bytes of one request and the door's name */
export function buildTakeTraces({ accumulator, deadLetters, clock, metrics, timeBounds }: TakeParts) {
  let letterWindow = { startedAt: 0, count: 0 }

  function mayKeepLetter(): boolean {
    const now = clock.now()
    if (now - letterWindow.startedAt > 60_000) letterWindow = { startedAt: now, count: 0 }
    letterWindow.count += 1
    return letterWindow.count <= DEAD_LETTERS_PER_MINUTE_MAX
  }

  /** @throws StoreError when a dead letter cannot be kept for now */
  return async (bytes: Uint8Array, door: string): Promise<Taken> => {
    if (bytes.length === 0) return { kind: 'stored', rejectedSpans: 0, message: '' }
    metrics.bytes.inc({ door }, bytes.length)
    const prepared = prepareTraces(bytes, door, clock.now(), timeBounds)
    const [letter] = prepared.deadLetters
    if (letter?.reason === 'malformed') {
      metrics.messages.inc({ door, result: 'malformed' })
      if (mayKeepLetter())
        await deadLetters.add([letter], `${door}-dead/${clock.now()}/${crypto.randomUUID()}`)
      return { kind: 'refused', message: `The body is not an ExportTraceServiceRequest: ${letter.detail}` }
    }
    const keepsLetters = prepared.deadLetters.length === 0 || mayKeepLetter()
    const settled = await accumulator.add(keepsLetters ? prepared : { ...prepared, deadLetters: [] })
    if (settled.kind === 'given-up') {
      return { kind: 'busy', message: 'The store is busy and the spans were not stored; send them again' }
    }
    if (settled.refusal !== undefined) {
      metrics.messages.inc({ door, result: 'refused' })
      return { kind: 'refused', message: `The store cannot read the body: ${settled.refusal}` }
    }
    metrics.messages.inc({ door, result: 'stored' })
    return { kind: 'stored', rejectedSpans: prepared.rejectedSpans, message: prepared.rejection }
  }
}
