// N trace requests as one: protobuf merges repeated fields, so a length before the concatenation is all the
// engine needs to read them as one list of ResourceSpans.

import { varint } from './varint.ts'

/** @returns pieces to be written one after another; the messages themselves are not copied */
export function envelope(messages: readonly Uint8Array[]): Uint8Array[] {
  const length = messages.reduce((sum, message) => sum + message.length, 0)
  return [varint(length), ...messages]
}
