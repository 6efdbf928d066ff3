// The seam between the gateway and Kafka: one value in, one answer out. The real side is kafkajs-produce.ts, the fake
// is memory-produce.ts.

/** The header that names a request: sha256 of sender and body, in hex. Consumers skip what repeats. */
export const DIGEST_HEADER = 'surety-digest'

export type ProduceRecord = {
  readonly topic: string
  /** Records of one key keep to one partition, as long as the topic keeps its number of partitions. */
  readonly key: string
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/**
 * `acknowledged`: every in-sync replica has it. `too-large`: the topic will never take it. `away`: whether it was
 * written is not known, or it was not; it may be sent again.
 */
export type Produced =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'too-large'; readonly message: string }
  | { readonly kind: 'away'; readonly message: string }

export interface ProducePort {
  /** Never rejects. Without a connection it answers `away` at once, so that nothing piles up. */
  send(record: ProduceRecord): Promise<Produced>
  /** undefined while the broker answers and has every topic; else a sentence that says what is missing. */
  notReadyReason(): string | undefined
  /** What was sent before is answered; what comes later is `away`. */
  close(): Promise<void>
}
