// Which attribute keys a message may hold, at a few nanoseconds an attribute: a mark per (length, last byte) of a
// key. A mark may stand for another key of the same shape; a missing mark is proof of absence.

export const KEY_SIGNATURES = 4096

/** @returns the mark of the key in bytes [from, to) */
export function keySignature(bytes: Uint8Array, from: number, to: number): number {
  return (((to - from) & 63) << 6) | ((bytes[to - 1] ?? 0) & 63)
}

/** @returns whether any of the messages may hold the key; false is certain */
export function mayHold(marks: readonly Uint8Array[], key: string): boolean {
  const bytes = Buffer.from(key)
  const signature = keySignature(bytes, 0, bytes.length)
  return marks.some((message) => message[signature] === 1)
}
