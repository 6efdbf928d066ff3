// What the batch writer must know of a kind of telemetry: which statements store a batch, and how a batch that was
// interrupted is counted and put right. Bisecting, tokens, waiting, dead letters and recovery are the same for all.

import type { InsertJob, ProtobufSchema, Store } from '../store/store.ts'
import type { BatchWriter } from './batch-writer.ts'
import type { Transcoded } from './json-to-proto.ts'
import { NOTHING, type Prepared } from './prepared.ts'

export type SignalName = 'traces' | 'metrics' | 'logs'

/** One signal from message to rows: what a door hands its messages to. */
export type SignalPath = {
  readonly name: SignalName
  /** What its protobuf request is called, and what it counts; for sentences to senders. */
  readonly words: SignalWords
  /** @param origin as in dead letters */
  readonly prepare: (bytes: Uint8Array, origin: string) => Prepared
  /** OTLP/JSON to the bytes that `prepare` takes. */
  readonly fromJson: (json: Uint8Array) => Transcoded
  readonly writer: BatchWriter
}

type SignalWords = {
  readonly request: string
  readonly rows: string
  /** What an answer in JSON calls the number of rows that were not taken. */
  readonly rejected: string
}

export const SIGNAL_WORDS: Readonly<Record<SignalName, SignalWords>> = {
  traces: { request: 'ExportTraceServiceRequest', rows: 'spans', rejected: 'rejectedSpans' },
  metrics: { request: 'ExportMetricsServiceRequest', rows: 'data points', rejected: 'rejectedDataPoints' },
  logs: { request: 'ExportLogsServiceRequest', rows: 'events', rejected: 'rejectedLogRecords' },
}

export const SIGNAL_NAMES = Object.keys(SIGNAL_WORDS) as readonly SignalName[]

// `{`: the Collector's `otlp_json`. No request in protobuf begins so: it would be a group, which OTLP has none of.
const JSON_BEGINS = 0x7b

/** How a dead letter is to be read. */
export const protoFormat = (name: SignalName) => `otlp_proto ${name}`

export const jsonFormat = (name: SignalName) => `otlp_json ${name}`

/** A value whose form must be seen from its bytes. What is set aside because of its JSON keeps its bytes as they came. */
export function prepareEither(
  path: Pick<SignalPath, 'name' | 'prepare' | 'fromJson'>,
  value: Uint8Array,
  origin: string,
): Prepared {
  if (value[0] !== JSON_BEGINS) return path.prepare(value, origin)
  const transcoded = path.fromJson(value)
  if (transcoded.kind === 'proto') return path.prepare(transcoded.bytes, origin)
  const { reason: detail } = transcoded
  return {
    ...NOTHING,
    origin,
    deadLetters: [{ reason: 'malformed', detail, origin, format: jsonFormat(path.name), payload: value }],
    rejection: detail,
  }
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
  /** How the engine reads the envelope. */
  readonly schema: ProtobufSchema
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
  /** Counts what only this signal counts of a stored batch; messages without rows are not among them. */
  readonly tally?: (
    store: BatchAccess,
    items: readonly Item[],
    door: string,
    batchId: string,
  ) => Promise<void>
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
