// How long a sender may take and how many may be connected, for every HTTP server of ours; and what a sender is told whose
// request never became one: too slow, too long a head, another protocol.

import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

export type ConnectionLimits = {
  /** The head of a request must have come by then, ms. */
  readonly headersMs: number
  /** All of a request must have come by then, ms. */
  readonly requestMs: number
  /** How often Node looks for those who are late, ms. */
  readonly lookEveryMs: number
  /** Connections at once; beyond it new ones are closed. A connection costs about 20 kB. */
  readonly connectionsMax: number
}

/** Exporters give up after ten seconds themselves. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  lookEveryMs: 2000,
  connectionsMax: 2048,
}

type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

const HTTP2_PREFACE = 'PRI * HTTP/2.0'
const TLS_HANDSHAKE = 0x16

/** @returns the status and a sentence for whoever sent what was no request */
export function clientErrorAnswer(
  { code, rawPacket }: ClientError,
  { headersMs, requestMs }: Pick<ConnectionLimits, 'headersMs' | 'requestMs'>,
): { readonly status: number; readonly detail: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = `The request did not come in time: its head within ${headersMs / 1000} s, all of it within ${requestMs / 1000} s. Nothing was stored; send it again.`
    return { status: 408, detail }
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, detail: 'The head of the request is over 16 KiB. Nothing was stored.' }
  }
  if (rawPacket?.subarray(0, HTTP2_PREFACE.length).toString('latin1') === HTTP2_PREFACE) {
    return { status: 400, detail: 'This is HTTP/1.1; gRPC is spoken on SURETY_OTLP_GRPC_PORT.' }
  }
  if (rawPacket?.[0] === TLS_HANDSHAKE) {
    return { status: 400, detail: 'This is plain HTTP; connect without TLS, or set SURETY_TLS_CERT_FILE.' }
  }
  return { status: 400, detail: `This is not an HTTP request (${code ?? 'unreadable'}).` }
}

/** Answers where an answer can still be read, and closes. */
export function answerClientError(
  error: ClientError,
  socket: Socket,
  limits: ConnectionLimits,
): number | undefined {
  // An answer that has begun cannot become another one.
  const isAnswering =
    (socket as { _httpMessage?: { headersSent?: boolean } })._httpMessage?.headersSent === true
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy()
    return undefined
  }
  const { status, detail } = clientErrorAnswer(error, limits)
  const title = STATUS_CODES[status] ?? ''
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, code: 'SURETY_INVALID_REQUEST' })
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ].join('\r\n')
  socket.end(`${head}\r\n\r\n${body}`)
  return status
}
