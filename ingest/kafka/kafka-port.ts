// The seam between the consumer loop and Kafka: what the loop needs, in its words. The real side is
// kafkajs-port.ts, the fake is memory-port.ts. Nothing of a Kafka client's own types appears here.
//
// States of one partition, as the loop sees them:
//
//   onAssigned called ─▶ (awaited) ─▶ delivering ⇄ paused ─▶ onRevoked called ─▶ (awaited) ─▶ gone
//        commit, seek and pause work from here …                         … up to here
//
// What the port promises:
// - No record of a partition is delivered before `onAssigned` has resolved. Delivery then starts at the
//   committed offset, or where `commit` or `seek` inside `onAssigned` moved it.
// - An intent is committed as (offset = its first record, metadata = the intent). On the next assignment its
//   records therefore come again by themselves, in order; there is nothing to fetch separately.
// - Offsets are committed by `commit` alone, each under the membership the partition was assigned with: the
//   broker refuses it once the group has moved on.
// - A rebalance takes every partition away and gives the new set: onRevoked(all), then onAssigned(all new).
//   The group waits for `onRevoked`, so that work in flight ends here before another member begins.
// - The port never gives up: a broker that is absent, a topic that is missing, a handler that throws lead to a
//   new attempt after a bounded back-off, until `close`. Records not committed by then are delivered again.

export type TopicPartition = { readonly topic: string; readonly partition: number }

/** A partition as it was handed out. `assignment` grows with every rebalance and tells old work from new. */
export type AssignedPartition = TopicPartition & { readonly assignment: number }

export type KafkaRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly key: Buffer | null
  /** null is a tombstone; an empty value is an empty Buffer. */
  readonly value: Buffer | null
  /** Of a header that is given more than once, the last value. */
  readonly headers: Readonly<Record<string, Buffer>>
  readonly timestampMs: number
  /** Set when it stands for a whole batch of records that could not be unpacked; its value is the batch's bytes. */
  readonly unreadable?: {
    readonly firstOffset: bigint
    readonly lastOffset: bigint
    readonly reason: string
  }
}

/** What the group has committed for one partition. */
export type Committed = {
  /** undefined: nothing was committed yet */
  readonly offset: bigint | undefined
  /** '' when nothing was given */
  readonly metadata: string
}

export type PartitionLag = AssignedPartition & {
  /** the offset that the next record written to the partition will get */
  readonly highWatermark: bigint
  /** the offset that is delivered next; highWatermark − position records are waiting */
  readonly position: bigint
  readonly paused: boolean
}

export interface KafkaBatch extends AssignedPartition {
  /** At least one record, offsets ascending, gaps possible (compaction, transactions, retention). */
  readonly records: readonly KafkaRecord[]
  readonly highWatermark: bigint
  /** Tells the group at once that we live. The port does so on a timer by itself; never rejects. */
  heartbeat(): Promise<void>
  /** True once the partition was revoked, sought away, or the port is closing: taking over is pointless. */
  isStale(): boolean
}

export interface KafkaHandlers {
  /**
   * New partitions, possibly none. Awaited before their first record; the place to read `committed` and to
   * finish an intent. A rejection ends the membership and leads to a new attempt.
   */
  onAssigned(partitions: readonly AssignedPartition[]): Promise<void>
  /**
   * The same set goes away. Awaited, for at most `revokeTimeoutMs`, before the group moves on; `commit` still
   * works while it runs, unless the connection was lost. May be called while an `onBatch` is still pending.
   */
  onRevoked(partitions: readonly AssignedPartition[]): Promise<void>
  /**
   * Resolves when the records were taken over (not yet committed); the next batch of any partition waits for
   * it, so prefer `pause` to a long wait. A rejection means not taken: the records come again after a back-off.
   */
  onBatch(batch: KafkaBatch): Promise<void>
}

export interface KafkaPort {
  /** Starts joining, fetching and delivering, and returns at once. To be called once. */
  run(handlers: KafkaHandlers): void
  /**
   * Commits offset and metadata of one partition. Pass on the partition object that was handed out: with its
   * `assignment` a commit that is late by a whole rebalance is refused even if the partition came back here.
   *
   * @param offset the next record to be delivered after a restart
   * @throws KafkaError SURETY_KAFKA_STALE when the partition is no longer ours: drop the work, never retry
   */
  commit(
    partition: TopicPartition & { readonly assignment?: number },
    offset: bigint,
    metadata: string,
  ): Promise<void>
  /** Reads back what was committed, in the order asked. Needs no assignment. */
  committed(partitions: readonly TopicPartition[]): Promise<readonly (TopicPartition & Committed)[]>
  /** Delivery goes on at this offset. Batches already handed over turn stale. */
  seek(partition: TopicPartition, offset: bigint): void
  /** No further batch of these is handed over. Holds until `resume` or the next rebalance. */
  pause(partitions: readonly TopicPartition[]): void
  resume(partitions: readonly TopicPartition[]): void
  paused(): readonly AssignedPartition[]
  lag(): readonly PartitionLag[]
  /** undefined while every topic is there and the group is joined; else a sentence that says what is missing. */
  notReadyReason(): string | undefined
  /** Calls onRevoked, leaves the group and ends every connection; bounded, and it never rejoins. */
  close(): Promise<void>
}

export type KafkaErrorCode =
  /** No broker answers, or a connection broke. */
  | 'SURETY_KAFKA_UNREACHABLE'
  /** The broker answered that it cannot do this at the moment (starting, moving a leader). */
  | 'SURETY_KAFKA_BUSY'
  /** The partition, or the group membership, is no longer ours. */
  | 'SURETY_KAFKA_STALE'
  | 'SURETY_KAFKA_TOPIC_MISSING'
  /** The topic does not take a value of this size. */
  | 'SURETY_KAFKA_TOO_LARGE'
  /** Access, encryption, group or codec settings do not fit the broker: a person has to change something. */
  | 'SURETY_KAFKA_CONFIG'
  /** The port was closed. */
  | 'SURETY_KAFKA_CLOSED'
  /** Anything else. */
  | 'SURETY_KAFKA_FAILED'

const RETRYABLE: Readonly<Record<KafkaErrorCode, boolean>> = {
  SURETY_KAFKA_UNREACHABLE: true,
  SURETY_KAFKA_BUSY: true,
  SURETY_KAFKA_STALE: false,
  SURETY_KAFKA_TOPIC_MISSING: true,
  SURETY_KAFKA_TOO_LARGE: false,
  SURETY_KAFKA_CONFIG: false,
  SURETY_KAFKA_CLOSED: false,
  SURETY_KAFKA_FAILED: false,
}

export class KafkaError extends Error {
  readonly code: KafkaErrorCode
  readonly retryable: boolean

  constructor(code: KafkaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KafkaError'
    this.code = code
    this.retryable = RETRYABLE[code]
  }
}
