// The seam between batches of bytes and the engine. Embedded: a file in memory that the engine reads
// (spool-transport.ts). A server: the same statements over a stream, to come. Bytes never stand inside SQL:
// with the embedded engine a blank line would end them and the rest would run as statements.

export type InsertJob = {
  /** The bytes, in pieces; read once per statement. */
  readonly body: readonly Uint8Array[]
  readonly format: 'ProtobufList' | 'JSONEachRow'
  /**
   * Run in order over the same bytes; each gets the source of its rows for a structure (`a UInt8, …`).
   * A failed statement ends the job; running the whole job again is safe.
   */
  readonly statements: readonly {
    readonly sql: (source: (structure: string) => string) => string
    /** Names exactly this content; a repeat of it changes nothing. */
    readonly token: string
  }[]
  /** Inline settings beyond the transport's own, `a=1, b='x'`. */
  readonly settings?: string
}

export interface InsertTransport {
  /** @throws StoreError */
  insert(job: InsertJob): Promise<void>
  close(): Promise<void>
}
