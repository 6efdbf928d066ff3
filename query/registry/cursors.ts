// Where a list goes on, as a text that only Surety makes: signed, and good for one list with one set of filters.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { canonical } from './json.ts'

export interface Cursors {
  /** @param listing  what is listed and by which filters @param key  after which the next page begins */
  make(listing: unknown, key: string): string
  /** @returns the key, or undefined when it was not made here or not for this list */
  read(listing: unknown, cursor: string): string | undefined
}

const SIGNATURE_BYTES = 16
const CURSOR_MAX = 4096

export function buildCursors(secret: string): Cursors {
  const signature = (listing: unknown, key: string) =>
    createHmac('sha256', secret)
      .update(canonical([listing, key]))
      .digest()
      .subarray(0, SIGNATURE_BYTES)
  return {
    make: (listing, key) => Buffer.concat([signature(listing, key), Buffer.from(key)]).toString('base64url'),
    read(listing, cursor) {
      if (cursor.length > CURSOR_MAX || !/^[\w-]+$/.test(cursor)) return undefined
      const bytes = Buffer.from(cursor, 'base64url')
      if (bytes.length < SIGNATURE_BYTES) return undefined
      const key = bytes.subarray(SIGNATURE_BYTES).toString()
      return timingSafeEqual(signature(listing, key), bytes.subarray(0, SIGNATURE_BYTES)) ? key : undefined
    },
  }
}
