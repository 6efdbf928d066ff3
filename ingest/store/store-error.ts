// What can go wrong in the store, in the classes that a caller treats differently. Driver errors are
// classified here and nowhere else, by the engine's error number.

/**
 * SURETY_STORE_BUSY: try again. _REFUSED: this data, never. _TOO_BIG: less of it. _QUERY: our statement is wrong.
 * _SCHEMA: the store was made by another release.
 */
export type StoreErrorCode =
  | 'SURETY_STORE_BUSY'
  | 'SURETY_STORE_REFUSED'
  | 'SURETY_STORE_TOO_BIG'
  | 'SURETY_STORE_QUERY'
  | 'SURETY_STORE_SCHEMA'

export class StoreError extends Error {
  readonly code: StoreErrorCode
  readonly retryable: boolean
  /** The engine's own error number; 0 when the engine was not reached. */
  readonly engineCode: number

  constructor(code: StoreErrorCode, message: string, engineCode = 0, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.code = code
    this.retryable = code === 'SURETY_STORE_BUSY'
    this.engineCode = engineCode
  }
}

// Numbers and names: ClickHouse src/Common/ErrorCodes.cpp (Apache-2.0).
const BAD_DATA = new Set([
  6, // CANNOT_PARSE_TEXT
  26, // CANNOT_PARSE_QUOTED_STRING
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  128, // TOO_LARGE_ARRAY_SIZE
  131, // TOO_LARGE_STRING_SIZE
  190, // SIZES_OF_ARRAYS_DONT_MATCH
  246, // CORRUPTED_DATA
  407, // DECIMAL_OVERFLOW
  434, // PROTOBUF_BAD_CAST
  444, // UNKNOWN_PROTOBUF_FORMAT
  691, // UNKNOWN_ELEMENT_OF_ENUM
])
const TOO_BIG = new Set([
  158, // TOO_MANY_ROWS
  241, // MEMORY_LIMIT_EXCEEDED
  307, // TOO_MANY_BYTES
  396, // TOO_MANY_ROWS_OR_BYTES
])
const BUSY = new Set([
  3, // UNEXPECTED_END_OF_FILE (of a part or a connection, not of data)
  74, // CANNOT_READ_FROM_FILE_DESCRIPTOR
  75, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
  76, // CANNOT_OPEN_FILE
  159, // TIMEOUT_EXCEEDED
  164, // READONLY
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  236, // ABORTED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  252, // TOO_MANY_PARTS
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  999, // KEEPER_EXCEPTION
])

/** @returns the error in our terms; a StoreError passes through */
export function classifyStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const engineCode = Number((error as { clickhouseCode?: unknown } | undefined)?.clickhouseCode) || 0
  if (BAD_DATA.has(engineCode)) return new StoreError('SURETY_STORE_REFUSED', message, engineCode, error)
  if (TOO_BIG.has(engineCode)) return new StoreError('SURETY_STORE_TOO_BIG', message, engineCode, error)
  if (BUSY.has(engineCode)) return new StoreError('SURETY_STORE_BUSY', message, engineCode, error)
  return new StoreError('SURETY_STORE_QUERY', message, engineCode, error)
}
