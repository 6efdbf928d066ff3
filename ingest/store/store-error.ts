// What can go wrong in the store, in the classes that a caller treats differently. Driver errors are
// classified here and nowhere else, by the engine's error number.

/**
 * SURETY_STORE_BUSY: try again. _REFUSED: this data, never. _TOO_BIG: less of it. _QUERY: our statement is wrong.
 * _SCHEMA: the store was made by another release. _ACCESS: the server does not let us. _VERSION: the server is too old.
 */
export type StoreErrorCode =
  | 'SURETY_STORE_BUSY'
  | 'SURETY_STORE_REFUSED'
  | 'SURETY_STORE_TOO_BIG'
  | 'SURETY_STORE_QUERY'
  | 'SURETY_STORE_SCHEMA'
  | 'SURETY_STORE_ACCESS'
  | 'SURETY_STORE_VERSION'

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
  198, // DNS_ERROR (of a replica)
  201, // QUOTA_EXCEEDED
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  203, // NO_FREE_CONNECTION
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  225, // NO_ZOOKEEPER
  236, // ABORTED
  242, // TABLE_IS_READ_ONLY
  243, // NOT_ENOUGH_SPACE
  244, // UNEXPECTED_ZOOKEEPER_ERROR
  252, // TOO_MANY_PARTS
  279, // ALL_CONNECTION_TRIES_FAILED
  285, // TOO_FEW_LIVE_REPLICAS
  286, // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  289, // REPLICA_IS_NOT_IN_QUORUM
  319, // UNKNOWN_STATUS_OF_INSERT
  394, // QUERY_WAS_CANCELLED
  439, // CANNOT_SCHEDULE_TASK
  473, // DEADLOCK_AVOIDED
  735, // QUERY_WAS_CANCELLED_BY_CLIENT
  999, // KEEPER_EXCEPTION
])

const ACCESS = new Set([
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
])

/** @returns the embedded engine's error in our terms; a StoreError passes through */
export function classifyStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const message = error instanceof Error ? error.message : String(error)
  const engineCode = Number((error as { clickhouseCode?: unknown } | undefined)?.clickhouseCode) || 0
  return new StoreError(codeOf(engineCode), message, engineCode, error)
}

/** What a server said: by its error number, or by the HTTP status when whoever answered is no ClickHouse. */
export function classifyReply({ origin, user, status, code, text }: ServerReply): StoreError {
  const said = text.trim().slice(0, 4000)
  if (ACCESS.has(code) || (code === 0 && (status === 401 || status === 403))) {
    const what = `${origin} does not let user ${user} do this`
    const remedy =
      'Look at SURETY_CLICKHOUSE_USER, SURETY_CLICKHOUSE_PASSWORD_FILE and the grants of the user.'
    return new StoreError('SURETY_STORE_ACCESS', `${what}: ${said || `HTTP ${status}`}. ${remedy}`, code)
  }
  if (code !== 0) return new StoreError(codeOf(code), said, code)
  const what = `${origin} answered HTTP ${status} and no ClickHouse error number`
  if ([408, 425, 429, 500, 502, 503, 504].includes(status)) {
    return new StoreError('SURETY_STORE_BUSY', `${what}; a proxy, or a server that is starting: ${said}`)
  }
  if (status === 413) return new StoreError('SURETY_STORE_TOO_BIG', `${what}: ${said}`)
  const remedy = 'SURETY_CLICKHOUSE_URL must name the HTTP port of a ClickHouse server (8123; 8443 with TLS)'
  return new StoreError('SURETY_STORE_QUERY', `${what}; ${remedy}: ${said}`)
}

export type ServerReply = {
  readonly origin: string
  readonly user: string
  /** HTTP status. */
  readonly status: number
  /** X-ClickHouse-Exception-Code; 0 when there was none. */
  readonly code: number
  readonly text: string
}

/** No answer came: whether the statement ran is not known, and running it again must be safe. */
export function unreachable(origin: string, cause: unknown): StoreError {
  const { code, name, message } = cause as { code?: string; name?: string; message?: string }
  const reason = name === 'TimeoutError' ? 'no answer in time' : (code ?? message ?? String(cause))
  const isCertificate = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME|SSL|TLS/.test(String(code))
  const remedy = isCertificate ? '; SURETY_CLICKHOUSE_CA_FILE names whom to believe' : ''
  const text = `The ClickHouse server at ${origin} does not answer (${reason})${remedy}`
  return new StoreError('SURETY_STORE_BUSY', text, 0, cause)
}

function codeOf(engineCode: number): StoreErrorCode {
  if (BAD_DATA.has(engineCode)) return 'SURETY_STORE_REFUSED'
  if (TOO_BIG.has(engineCode)) return 'SURETY_STORE_TOO_BIG'
  if (BUSY.has(engineCode)) return 'SURETY_STORE_BUSY'
  return 'SURETY_STORE_QUERY'
}
