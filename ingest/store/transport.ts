// The seam between batches of bytes and the engine. Embedded: a file in memory that the engine reads
// (spool-transport.ts). A server: the same statements, the bytes as the body of the request (stream-transport.ts). Bytes
// never stand inside SQL: with the embedded engine a blank line would end them and the rest would run as statements.

/** How protobuf bytes are read. */
export type ProtobufSchema = {
  /** The .proto file. */
  readonly path: string
  /** Message of one row; the bytes are a list of them, in an envelope. */
  readonly message: string
}

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
  /** Of ProtobufList bodies. */
  readonly schema?: ProtobufSchema
}

export interface InsertTransport {
  /** @throws StoreError */
  insert(job: InsertJob): Promise<void>
  close(): Promise<void>
}
