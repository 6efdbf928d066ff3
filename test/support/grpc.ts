// Asks a gRPC server with bytes as they are, and reads what it answers, its retry advice included.

import { once } from 'node:events'
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2'
import {
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { protobufReader } from './protobuf.ts'

export const EXPORT_TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

export type GrpcAnswer = {
  /** The status by name: `OK`, `INVALID_ARGUMENT`. */
  readonly code: string
  readonly details: string
  /** Seconds of google.rpc.RetryInfo in grpc-status-details-bin; undefined when there is none. */
  readonly retryAfterSeconds: number | undefined
  /** The answer's message; undefined when there is none. */
  readonly bytes: Buffer | undefined
}

export type GrpcClient = {
  call(body: Uint8Array, path?: string, headers?: Readonly<Record<string, string>>): Promise<GrpcAnswer>
  close(): void
}

export type GrpcClientOptions = {
  readonly gzip?: boolean
  /** PEM. With it over TLS: who signed the server's certificate, and the client's own. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer }
}

export function openGrpcClient(url: string, { gzip = false, tls }: GrpcClientOptions = {}): GrpcClient {
  const security =
    tls === undefined
      ? credentials.createInsecure()
      : credentials.createSsl(tls.ca, tls.key ?? null, tls.cert ?? null)
  const client = new Client(new URL(url).host, security, {
    ...(gzip ? { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip } : {}),
    // TLS asks for a server by name, and a test's server has an address alone.
    ...(tls === undefined ? {} : { 'grpc.ssl_target_name_override': 'localhost' }),
    'grpc.enable_retries': 0,
    'grpc.use_local_subchannel_pool': 1,
  })
  const asIs = (bytes: Buffer) => bytes
  return {
    call: (body, path = EXPORT_TRACES, headers = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata()
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value)
        client.makeUnaryRequest(path, asIs, asIs, Buffer.from(body), metadata, (error, bytes) => {
          resolve(error === null ? ok(bytes) : refusal(error))
        })
      }),
    close: () => client.close(),
  }
}

const ok = (bytes: Buffer | undefined): GrpcAnswer => ({
  code: 'OK',
  details: '',
  retryAfterSeconds: undefined,
  bytes,
})

function refusal({ code, details, metadata }: ServiceError): GrpcAnswer {
  const [bytes] = metadata.get('grpc-status-details-bin')
  const retryAfterSeconds = Buffer.isBuffer(bytes) ? retryInfo(bytes) : undefined
  return { code: status[code], details, retryAfterSeconds, bytes: undefined }
}

// As documented: google/rpc/status.proto, google/rpc/error_details.proto.
const readRpc = protobufReader(`
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
`)

/** @param bytes google.rpc.Status @returns seconds of its google.rpc.RetryInfo */
export function retryInfo(bytes: Uint8Array): number | undefined {
  const { details = [] } = readRpc('Status', bytes) as {
    readonly details?: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]
  }
  const any = details.find(({ typeUrl }) => typeUrl === 'type.googleapis.com/google.rpc.RetryInfo')
  if (any === undefined) return undefined
  const { retryDelay } = readRpc('RetryInfo', any.value) as {
    readonly retryDelay: { readonly seconds: string }
  }
  return Number(retryDelay.seconds)
}

/** A call written frame by frame, for what no client would send. */
export async function openRawCall(url: string, headers: Readonly<Record<string, string>> = {}) {
  const session: ClientHttp2Session = connect(url)
  session.on('error', () => undefined)
  await once(session, 'connect')
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: EXPORT_TRACES,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  stream.on('error', () => undefined)
  const answered = new Promise<{ readonly status: string; readonly message: string }>((resolve) => {
    const read = (given: IncomingHttpHeaders) => {
      if (given['grpc-status'] === undefined) return
      const message = decodeURIComponent([given['grpc-message']].flat()[0] ?? '')
      resolve({ status: status[Number(given['grpc-status'])] ?? '', message })
    }
    stream.on('response', read)
    stream.on('trailers', read)
    stream.on('close', () => resolve({ status: `stream closed (${stream.rstCode})`, message: '' }))
    stream.resume()
  })
  return { session, stream, answered, close: () => session.destroy() }
}

/** One message as gRPC frames it. */
export function grpcFrame(message: Uint8Array, isCompressed = false): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt8(isCompressed ? 1 : 0, 0)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}
