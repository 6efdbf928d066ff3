// OTLP/gRPC: `TraceService/Export` and its kin. The request's bytes are passed on as they are, never decoded here.
// Answers after the rows are in. Refusals follow the OTLP specification: INVALID_ARGUMENT never again, UNAVAILABLE
// with google.rpc.RetryInfo later.
//
// States of a call: opened → refused before its body is read, or receiving → taken → answered.
// A stop refuses what is receiving (it is sent again elsewhere) and waits for what was taken.

import { once } from 'node:events'
import { constants, type Http2Server, type ServerHttp2Session } from 'node:http2'
import { createServer as createPlainServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  status as codes,
  type handleUnaryCall,
  type ServerInterceptor,
} from '@grpc/grpc-js'
import type { MemoryBudget } from '../pipeline/accumulator.ts'
import { SIGNAL_NAMES, type SignalName } from '../pipeline/signal.ts'
import type { Admitted, DoorGuard, Refusal } from '../runtime/door-guard.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Tls } from '../runtime/tls.ts'
import { exportResponse, fullSentence, RETRY_AFTER_MS, rpcStatus, tooLarge } from './otlp-status.ts'
import { senderOf, type Takes } from './take.ts'

export const GRPC_DOOR = 'otlp/grpc'

export type GrpcDoorParts = {
  readonly takes: Takes
  readonly budget: MemoryBudget
  readonly metrics: Metrics
  readonly logger: Logger
  /** Largest message, as sent and inflated: SURETY_OTLP_BODY_BYTES_MAX. */
  readonly bodyBytesMax: number
  /** Who may pass; without it everybody who can connect. */
  readonly guard?: DoorGuard | undefined
  /** Without it plain text. */
  readonly tls?: Tls | undefined
}

export interface GrpcDoor {
  /** @returns the address as exporters want it, `http://127.0.0.1:4317` @throws EADDRINUSE and its kin */
  listen(address: { readonly host: string; readonly port: number }): Promise<string>
  /** Resolves when every call that was taken has its answer; the caller sees to it that their batch is written. */
  close(): Promise<void>
}

const METHODS: Readonly<Record<SignalName, string>> = {
  traces: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
}

const CONNECTIONS_MAX = 512
const STREAMS_PER_CONNECTION_MAX = 100
// Calls whose message is still coming, over all connections: what is coming is not yet in the memory budget.
const RECEIVING_MAX = 128
const RECEIVE_TIMEOUT_MS = 30_000
// A peer that vanished without a word is found by our own ping.
const KEEPALIVE_MS = 60_000
const KEEPALIVE_TIMEOUT_MS = 20_000
const IDLE_MS = 10 * 60_000
// Exporters' keepalive pings every ten seconds at the most often; a call in between starts the count again.
const PINGS_MAX = 30
const PINGS_WINDOW_MS = 60_000
const HANDSHAKE_TIMEOUT_MS = 10_000
// After its last answer a connection gets this long to end by itself.
const PARTING_MS = 1000
// Answers travel in a header: common clients take eight kilobytes of headers, and other scripts grow ninefold.
const MESSAGE_CHARACTERS_MAX = 600

type Refused = { readonly code: codes; readonly details: string; readonly metadata?: Metadata }

export function buildGrpcDoor(parts: GrpcDoorParts): GrpcDoor {
  const { takes, budget, metrics, logger, bodyBytesMax, guard, tls } = parts
  const receiving = new Set<(refusal: Refused) => void>()
  const taking = new Set<Promise<void>>()
  const sockets = new Set<Socket>()
  const admitted = new WeakMap<Metadata, Admitted>()
  let isClosing = false

  const server = new Server({
    'grpc.max_receive_message_length': bodyBytesMax,
    'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION_MAX,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_connection_idle_ms': IDLE_MS,
    'grpc.enable_channelz': 0,
    interceptors: [watchOver],
  })
  const exportTo =
    (name: SignalName): handleUnaryCall<Buffer, Buffer> =>
    ({ request, metadata }, answer) => {
      const answered = take(name, request, admitted.get(metadata))
        .catch(failure)
        .then((taken) => (Buffer.isBuffer(taken) ? answer(null, taken) : answer(taken)))
        .finally(() => taking.delete(answered))
      taking.add(answered)
    }
  for (const name of SIGNAL_NAMES) server.register(METHODS[name], exportTo(name), asIs, asIs, 'unary')
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  reachInside(server, exportTo('traces'))

  // Connections are accepted here, which bounds their number and leaves TLS and its renewal to us.
  const accept = (socket: Socket) => injector.injectConnection(socket)
  const listener = tls === undefined ? createPlainServer(accept) : buildTlsListener(tls, accept)
  listener.maxConnections = CONNECTIONS_MAX
  listener.on('drop', () => metrics.refusedRequests.inc({ door: GRPC_DOOR, status: 'CONNECTIONS_MAX' }))
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })

  async function take(
    name: SignalName,
    message: Buffer,
    sender: Admitted | undefined,
  ): Promise<Buffer | Refused> {
    const overdrawn = sender?.charge(message.length)
    if (overdrawn !== undefined) return guardRefusal(overdrawn)
    // Asked again: many may have been let in while there was room and have sent their messages since.
    const full = fullSentence(budget)
    if (full !== undefined) return comeAgain(full)
    const taken = await takes[name](message, GRPC_DOOR, senderOf(sender))
    if (taken.kind === 'busy') return comeAgain(taken.message)
    if (taken.kind === 'refused') return refused(codes.INVALID_ARGUMENT, taken.message)
    return exportResponse(taken.rejectedRows, taken.message)
  }

  function failure(error: unknown): Refused {
    if ((error as { retryable?: boolean }).retryable === true) return comeAgain((error as Error).message)
    logger.error({ err: error }, 'the OTLP/gRPC door failed on a request')
    return refused(codes.INTERNAL, 'Surety could not take the request; the cause is in its log')
  }

  /** What speaks against reading the message of a call. */
  function refusalBefore(path: string, metadata: Metadata): Refused | undefined {
    if (!Object.values(METHODS).includes(path))
      return refused(
        codes.UNIMPLEMENTED,
        `There is no ${path.slice(0, 200)} here; there are ${Object.values(METHODS)
          .map((method) => method.slice(1))
          .join(', ')}`,
      )
    if (isClosing) return comeAgain('Surety is stopping; send again')
    const authorization = metadata.get('authorization')[0]?.toString()
    const answer = guard?.admit({ door: GRPC_DOOR, scope: 'ingest', authorization })
    if (answer?.kind === 'refused') return guardRefusal(answer)
    if (answer !== undefined) admitted.set(metadata, answer)
    const full = fullSentence(budget)
    if (full !== undefined) return comeAgain(full)
    if (receiving.size >= RECEIVING_MAX)
      return comeAgain(`Surety is receiving ${RECEIVING_MAX} messages at once already; send again`)
    return undefined
  }

  /** Refuses before the message is read, bounds the time it may take to come, and counts what is refused. */
  function watchOver(method: { readonly path: string }, call: Parameters<ServerInterceptor>[1]) {
    const send = call.sendStatus.bind(call)
    // grpc-js sends its own refusals (size, deadline) past every interceptor, but through this method.
    call.sendStatus = (given) => {
      const { code } = given
      if (code !== codes.OK)
        metrics.refusedRequests.inc({ door: GRPC_DOOR, status: codes[code ?? codes.UNKNOWN] })
      // Ours carry metadata; of grpc-js' own only those over the size have this code.
      const isTooLarge = code === codes.RESOURCE_EXHAUSTED && (given.metadata ?? null) === null
      send(isTooLarge ? refused(codes.RESOURCE_EXHAUSTED, tooLarge(bodyBytesMax)) : given)
    }
    let timer: NodeJS.Timeout | undefined
    const refuse = (refusal: Refused) => {
      received()
      call.sendStatus(refusal)
    }
    const received = () => {
      clearTimeout(timer)
      receiving.delete(refuse)
    }
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata(metadata, pass) {
            const refusal = refusalBefore(method.path, metadata)
            if (refusal !== undefined) {
              call.sendStatus(refusal)
              return
            }
            receiving.add(refuse)
            timer = setTimeout(
              () =>
                refuse(
                  refused(
                    codes.DEADLINE_EXCEEDED,
                    `The message did not come within ${RECEIVE_TIMEOUT_MS} ms`,
                  ),
                ),
              RECEIVE_TIMEOUT_MS,
            )
            timer.unref()
            pass(metadata)
          },
          onReceiveHalfClose(pass) {
            received()
            pass()
          },
          onCancel: received,
        }),
    })
  }

  return {
    async listen({ host, port }) {
      // `localhost` may mean two addresses and a listener has one; every client tries this one.
      listener.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port })
      await once(listener, 'listening')
      listener.on('error', (error) =>
        logger.error({ err: error }, 'the OTLP/gRPC door cannot accept connections'),
      )
      const name = host.includes(':') ? `[${host}]` : host
      return `${tls === undefined ? 'http' : 'https'}://${name}:${(listener.address() as AddressInfo).port}`
    },
    async close() {
      isClosing = true
      // Ends with the last connection. What tryShutdown reports cannot be waited for: Node 24 has begun to close the
      // sessions by the time it looks, and it takes that for their end.
      const parted = new Promise<void>((resolve) => {
        listener.close(() => resolve())
      })
      server.tryShutdown(() => undefined)
      for (const refuse of receiving) refuse(comeAgain('Surety is stopping; send again'))
      await Promise.all(taking)
      // Whoever does not part after its answers is left.
      const grace = new AbortController()
      await Promise.race([
        parted,
        sleep(PARTING_MS, undefined, { signal: grace.signal }).catch(() => undefined),
      ])
      grace.abort()
      server.forceShutdown()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const asIs = (bytes: Buffer) => bytes

function buildTlsListener(tls: Tls, accept: (socket: Socket) => void) {
  const listener = createTlsServer(
    { ...tls.serverOptions, ...tls.context(), ALPNProtocols: ['h2'], handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    accept,
  )
  tls.onChange((context) => listener.setSecureContext(context))
  return listener
}

function refused(code: codes, message: string, retryAfterMs?: number): Refused {
  // Cutting may leave half a character, which a header cannot carry.
  const details = message.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed()
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', rpcStatus(code, details, retryAfterMs))
  return { code, details, metadata }
}

const comeAgain = (message: string) => refused(codes.UNAVAILABLE, message, RETRY_AFTER_MS)

const GUARD_CODES = {
  7: codes.PERMISSION_DENIED,
  8: codes.RESOURCE_EXHAUSTED,
  16: codes.UNAUTHENTICATED,
} as const satisfies Record<Refusal['rpcCode'], codes>

function guardRefusal({ rpcCode, message, headers }: Refusal): Refused {
  const seconds = headers['retry-after']
  return refused(GUARD_CODES[rpcCode], message, seconds === undefined ? undefined : Number(seconds) * 1000)
}

/** What grpc-js has no option for. Should a release rename these members, its plain behaviour is back: tests say so. */
function reachInside(server: Server, answerUnknown: handleUnaryCall<Buffer, Buffer>): void {
  const inside = server as unknown as {
    readonly http2Servers?: ReadonlyMap<Http2Server, unknown>
    handlers: ReadonlyMap<string, unknown>
    _retrieveHandler(path: string): unknown
  }
  for (const http2Server of inside.http2Servers?.keys() ?? []) http2Server.on('session', limitPings)
  // An unknown method reaches the interceptor, which says what there is.
  inside._retrieveHandler = (path) =>
    inside.handlers.get(path) ?? {
      func: answerUnknown,
      serialize: asIs,
      deserialize: asIs,
      type: 'unary',
      path,
    }
}

/** Pings are answered at once and cost nothing to send: a connection that does nothing else is closed. */
function limitPings(session: ServerHttp2Session): void {
  let pings = 0
  let since = Date.now()
  session.on('stream', () => (pings = 0))
  session.on('ping', () => {
    const now = Date.now()
    if (now - since > PINGS_WINDOW_MS) {
      pings = 0
      since = now
    }
    pings += 1
    if (pings <= PINGS_MAX) return
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
    session.destroy()
  })
}
