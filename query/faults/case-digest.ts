// What everything that a decision was made on comes to: the same case has the same digest, and gives the same explanation.

import { createHash } from 'node:crypto'
import type { FaultCase } from '../blame/case.ts'

/** @returns hexadecimal; depends on the values, not on where keys stand */
export function caseDigest(fault: FaultCase): string {
  const hash = createHash('sha256')
  add(fault)
  return hash.digest('hex').slice(0, 32)

  function add(value: unknown): void {
    if (ArrayBuffer.isView(value)) {
      hash.update(`#${value.byteLength}:`)
      hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    } else if (Array.isArray(value)) {
      hash.update(`[${value.length}:`)
      for (const one of value) add(one)
    } else if (typeof value === 'object' && value !== null) {
      // What is undefined and what is missing are the same.
      const entries = Object.entries(value)
        .filter(([, one]) => one !== undefined)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
      hash.update(`{${entries.length}:`)
      for (const [key, one] of entries) {
        add(key)
        add(one)
      }
    } else if (typeof value === 'string') hash.update(`"${value.length}:${value}`)
    else hash.update(`${String(value)};`)
  }
}
