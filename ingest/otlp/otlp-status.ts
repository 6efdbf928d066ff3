// What the OTLP doors answer with: two small protobuf messages written by hand, the same as JSON, and the sentences
// that every door says.

import type { MemoryBudget } from '../pipeline/accumulator.ts'
import { SIGNAL_WORDS, type SignalName } from '../pipeline/signal.ts'
import { varint } from '../pipeline/varint.ts'

/** When a sender that was turned away may come again. */
export const RETRY_AFTER_MS = 2000

/** Why nothing more is taken for now; undefined while there is room. */
export function fullSentence(budget: Pick<MemoryBudget, 'used' | 'bytesMax'>): string | undefined {
  return budget.used() < budget.bytesMax
    ? undefined
    : `Surety holds ${budget.used()} bytes that are not stored yet; send again in ${RETRY_AFTER_MS / 1000} s`
}

export function tooLarge(bytesMax: number): string {
  return `The body is over ${bytesMax} bytes (SURETY_OTLP_BODY_BYTES_MAX, inflated); send smaller batches`
}

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

/**
 * google.rpc.Status: the body of a refusal. Codes: 3 invalid argument, 8 resource exhausted, 13 internal, 14 unavailable.
 * @param retryAfterMs  says google.rpc.RetryInfo too
 */
export function rpcStatus(code: number, message: string, retryAfterMs?: number): Buffer {
  const parts = [Buffer.from([0x08, code]), delimited(0x12, Buffer.from(message, 'utf8'))]
  if (retryAfterMs !== undefined) {
    const seconds = varint(Math.floor(retryAfterMs / 1000))
    const nanos = varint((retryAfterMs % 1000) * 1e6)
    const delay = Buffer.concat([Buffer.from([0x08]), seconds, Buffer.from([0x10]), nanos])
    const any = [delimited(0x0a, Buffer.from(RETRY_INFO)), delimited(0x12, delimited(0x0a, delay))]
    parts.push(delimited(0x1a, Buffer.concat(any)))
  }
  return Buffer.concat(parts)
}

/** The same for a sender of JSON. */
export function rpcStatusJson(code: number, message: string, retryAfterMs?: number): string {
  const details =
    retryAfterMs === undefined
      ? {}
      : { details: [{ '@type': RETRY_INFO, retryDelay: `${retryAfterMs / 1000}s` }] }
  return JSON.stringify({ code, message, ...details })
}

/** ExportTraceServiceResponse and its kin, alike on the wire; empty when everything was stored. */
export function exportResponse(rejectedRows: number, message: string): Buffer {
  if (rejectedRows === 0 && message === '') return Buffer.alloc(0)
  const partial = Buffer.concat([
    rejectedRows === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x08]), varint(rejectedRows)]),
    delimited(0x12, Buffer.from(message, 'utf8')),
  ])
  return delimited(0x0a, partial)
}

/** The same for a sender of JSON; 64-bit numbers are strings there. */
export function exportResponseJson(rejectedRows: number, message: string, name: SignalName): string {
  if (rejectedRows === 0 && message === '') return '{}'
  return JSON.stringify({
    partialSuccess: { [SIGNAL_WORDS[name].rejected]: String(rejectedRows), errorMessage: message },
  })
}

function delimited(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(body.length), body])
}
