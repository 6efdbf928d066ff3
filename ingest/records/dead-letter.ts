// A message that could not be stored, set aside whole.

export type DeadLetterReason =
  /** The structural walk found lengths or wire types that do not fit. */
  | 'malformed'
  /** Spans whose start lies outside what the store can hold. */
  | 'time-out-of-range'
  /** The engine could not read the message. */
  | 'engine-refused'
  /** The message alone is more than the engine may use memory for. */
  | 'too-big'
  /** A release event that is not one. */
  | 'invalid-release-event'

export type DeadLetter = {
  readonly reason: DeadLetterReason
  /** What was wrong, in words. */
  readonly detail: string
  /** Where it came from: `otlp/http`, `kafka otlp_spans/3@1042`. */
  readonly origin: string
  /** How to read the payload: `otlp_proto traces`, `cloudevents json`. */
  readonly format: string
  readonly payload: Uint8Array
}
