// The two protobuf messages that the OTLP doors answer with. So small that they are written by hand.

import { varint } from '../pipeline/varint.ts'

/** google.rpc.Status: the body of a refusal. Codes: 3 invalid argument, 8 resource exhausted, 13 internal, 14 unavailable. */
export function rpcStatus(code: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0x08, code]), delimited(0x12, Buffer.from(message, 'utf8'))])
}

/** ExportTraceServiceResponse or ExportMetricsServiceResponse, alike on the wire; empty when everything was stored. */
export function exportResponse(rejectedRows: number, message: string): Buffer {
  if (rejectedRows === 0 && message === '') return Buffer.alloc(0)
  const partial = Buffer.concat([
    rejectedRows === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x08]), varint(rejectedRows)]),
    delimited(0x12, Buffer.from(message, 'utf8')),
  ])
  return delimited(0x0a, partial)
}

function delimited(tag: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), varint(body.length), body])
}
