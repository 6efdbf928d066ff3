// What the batch writer must know of a kind of telemetry: which statements store a batch, and how a batch that was
// interrupted is counted and put right. Bisecting, tokens, waiting, dead letters and recovery are the same for all.

import type { InsertJob, Store } from '../store/store.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { Prepared } from './prepared.ts'

export type SignalName = 'traces' | 'metrics'

/** One signal from message to rows: what a door hands its messages to. */
export type SignalPath = {
  readonly name: SignalName
  /** What its protobuf request is called, and what it counts; for sentences to senders. */
  readonly words: { readonly request: string; readonly rows: string }
  /** @param origin as in dead letters */
  readonly prepare: (bytes: Uint8Array, origin: string) => Prepared
  readonly writer: BatchWriter
}

export const SIGNAL_WORDS: Readonly<Record<SignalName, SignalPath['words']>> = {
  traces: { request: 'ExportTraceServiceRequest', rows: 'spans' },
  metrics: { request: 'ExportMetricsServiceRequest', rows: 'data points' },
}

/** Rows by table. */
export type RowCounts = Readonly<Record<string, number>>

export type Plan = {
  /** In order; the last one brings the facts and is the only one whose repeat must be told by its token. */
  readonly statements: InsertJob['statements']
  /** To be called when they have run. */
  readonly stored: () => void
}

export interface Signal<Item extends Prepared> {
  readonly name: SignalName
  /** How to read a dead letter of this signal. */
  readonly format: string
  /** Settings with which the engine reads the envelope. */
  readonly settings: string
  /**
   * @param token    names the content
   * @param batchId  SQL expression of the batch id
   */
  plan(part: readonly Item[], token: string, batchId: string): Plan
  /** Statements over nothing, as wide as they can get: do they run at all? */
  probe(): InsertJob['statements']
  /** Rows that these messages make, by table. */
  wanted(items: readonly Item[]): RowCounts
  /** Rows of the batch that are really there, by table. @throws StoreError */
  found(store: BatchAccess, batchId: string, items: readonly Item[]): Promise<RowCounts>
  /** Counts what only this signal counts of a stored batch. */
  readonly tally?: (batch: readonly Item[], door: string) => void
  /** Whether a batch whose rows are all there is left as it is; otherwise it is written anew. */
  readonly keepsWhole: boolean
  /** Takes out what is there of a batch. @throws StoreError */
  remove(store: BatchAccess, batchId: string, items: readonly Item[]): Promise<void>
  /** Makes anew what was derived from the batch's rows. @throws StoreError */
  rederive(store: BatchAccess, batchId: string, items: readonly Item[]): Promise<void>
}

export type BatchAccess = Pick<Store, 'command' | 'rows'>

/**
 * Times of a batch's facts, ms since epoch, both ends inclusive. A double keeps nanoseconds of today to 256 ns, so
 * either end may be on the wrong side of its millisecond: one more is taken.
 */
export function timesOf(items: readonly Prepared[]): { readonly fromMs: number; readonly toMs: number } {
  return {
    fromMs: items.reduce(
      (least, { earliestMs }) => Math.min(least, earliestMs - 1),
      Number.POSITIVE_INFINITY,
    ),
    toMs: items.reduce((most, { latestMs }) => Math.max(most, latestMs + 1), Number.NEGATIVE_INFINITY),
  }
}
