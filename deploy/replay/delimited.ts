// Files of length-delimited protobuf messages: a varint with the length, then the message, and so on to the end.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export type Delimited = { readonly offset: number; readonly length: number }

/** What is wrong with a file, and at which byte. */
export class CutOff extends Error {
  readonly offset: number

  constructor(offset: number, message: string) {
    super(message)
    this.offset = offset
  }
}

const WINDOW_BYTES = 8 * 1024 * 1024
const VARINT_BYTES_MAX = 10
/** One message; a bank's largest requests have some megabytes. */
const MESSAGE_BYTES_MAX = 1024 * 1024 * 1024

export interface DelimitedFile {
  /**
   * Every message from the first on. Its bytes are good until the next is asked for.
   * @throws CutOff where the file is no such sequence
   */
  messages(): Iterable<Delimited & { readonly bytes: Uint8Array }>
  /** Bytes of one that was found before, the caller's own. */
  read(message: Delimited): Uint8Array
  close(): void
}

/** @throws the system's error when it cannot be opened */
export function openDelimited(path: string): DelimitedFile {
  const fd = openSync(path, 'r')
  const { size } = fstatSync(fd)
  let window: Buffer = Buffer.alloc(0)
  let windowAt = 0

  function at(offset: number, length: number): Buffer {
    if (offset < windowAt || offset + length > windowAt + window.length) {
      window = readAt(offset, Math.max(length, Math.min(WINDOW_BYTES, size - offset)))
      windowAt = offset
    }
    return window.subarray(offset - windowAt, offset - windowAt + length)
  }
  function readAt(offset: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const count = readSync(fd, buffer, done, length - done, offset + done)
      if (count === 0) throw new CutOff(offset + done, 'became shorter while it was read')
      done += count
    }
    return buffer
  }

  return {
    *messages() {
      let offset = 0
      while (offset < size) {
        const head = at(offset, Math.min(VARINT_BYTES_MAX, size - offset))
        const { value, bytes } = varintAt(head, offset)
        const begin = offset + bytes
        if (value > MESSAGE_BYTES_MAX)
          throw new CutOff(
            offset,
            `says that a message of ${value} bytes follows; the file holds no length-delimited messages, or is damaged here`,
          )
        if (begin + value > size)
          throw new CutOff(
            offset,
            `ends within a message: ${value} bytes were to follow, ${size - begin} are there`,
          )
        yield { offset: begin, length: value, bytes: at(begin, value) }
        offset = begin + value
      }
    },
    read: ({ offset, length }) => readAt(offset, length),
    close: () => closeSync(fd),
  }
}

function varintAt(head: Uint8Array, offset: number): { readonly value: number; readonly bytes: number } {
  let value = 0
  for (let place = 0; place < head.length; place += 1) {
    const byte = head[place] ?? 0
    value += (byte & 0x7f) * 2 ** (7 * place)
    if (byte < 0x80) return { value, bytes: place + 1 }
  }
  throw new CutOff(offset, 'ends within the length of a message, or holds no length-delimited messages')
}
