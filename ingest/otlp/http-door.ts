// OTLP/HTTP: `POST /v1/traces` and its kin, protobuf or JSON, gzip or plain. Answers after the rows are in, in the
// form of the request. Refusals follow the OTLP specification: 400 never again, 429 and 503 with Retry-After, a
// google.rpc.Status body.

import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip as gunzipCallback } from 'node:zlib'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { MemoryBudget } from '../pipeline/accumulator.ts'
import type { ConnectionLimits } from '../runtime/connection-limits.ts'
import type { DoorGuard, Refusal } from '../runtime/door-guard.ts'
import { guardRoutes } from '../runtime/guarded-routes.ts'
import { closeAfterAnswers, foreignRequest } from '../runtime/http-app.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { SIGNAL_NAMES, type SignalName } from '../pipeline/signal.ts'
import { buildServer, type Tls } from '../runtime/tls.ts'
import {
  exportResponse,
  exportResponseJson,
  fullSentence,
  RETRY_AFTER_MS,
  rpcStatus,
  rpcStatusJson,
  tooLarge,
} from './otlp-status.ts'
import { BodyRefused, buildBodyReader } from './read-body.ts'
import { senderOf, type Takes } from './take.ts'

const gunzip = promisify(gunzipCallback)

export const HTTP_DOOR = 'otlp/http'

export type HttpDoorParts = {
  readonly takes: Takes
  readonly budget: MemoryBudget
  readonly metrics: Metrics
  readonly logger: Logger
  readonly allowedHosts: readonly string[]
  /** Largest body, as sent and inflated: SURETY_OTLP_BODY_BYTES_MAX. */
  readonly bodyBytesMax: number
  /** Who may send; without it everybody who can connect. */
  readonly guard?: DoorGuard | undefined
  /** Without it plain HTTP. */
  readonly tls?: Tls | undefined
  /** How long senders may take; tests are in a hurry. */
  readonly limits?: ConnectionLimits | undefined
}

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'
// A sender that says nothing for so long within a body has gone, or means harm.
const BODY_STALL_MS = 10_000
const isJson = ({ headers }: FastifyRequest) =>
  headers['content-type']?.split(';')[0]?.trim().toLowerCase() === JSON_TYPE

const INVALID_ARGUMENT = 3
const DEADLINE_EXCEEDED = 4
const PERMISSION_DENIED = 7
const RESOURCE_EXHAUSTED = 8
const UNIMPLEMENTED = 12
const INTERNAL = 13
const UNAVAILABLE = 14

export function buildHttpDoor(parts: HttpDoorParts): FastifyInstance {
  const { takes, budget, metrics, logger, allowedHosts, bodyBytesMax, guard, tls } = parts
  const onRefused = (status: number | string) => metrics.refusedRequests.inc({ door: HTTP_DOOR, status })
  const app = buildServer({ bodyLimit: bodyBytesMax, limits: parts.limits, onRefused }, tls)
  const readBody = buildBodyReader(
    { bytesMax: bodyBytesMax, receivingMax: Math.max(budget.bytesMax, bodyBytesMax), stallMs: BODY_STALL_MS },
    tooLarge(bodyBytesMax),
  )

  function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
    metrics.refusedRequests.inc({ door: HTTP_DOOR, status })
    const mayComeAgain = status === 503 || status === 429
    if (mayComeAgain && !reply.hasHeader('retry-after'))
      void reply.header('retry-after', String(RETRY_AFTER_MS / 1000))
    const retryAfterMs = mayComeAgain ? Number(reply.getHeader('retry-after')) * 1000 : undefined
    void reply.code(status)
    return isJson(reply.request)
      ? reply.type(JSON_TYPE).send(rpcStatusJson(code, message, retryAfterMs))
      : reply.type(PROTOBUF).send(rpcStatus(code, message, retryAfterMs))
  }

  const refuseByGuard = (reply: FastifyReply, { status, rpcCode, message, headers }: Refusal) =>
    refuse(reply.headers(headers), status, rpcCode, message)

  closeAfterAnswers(app)
  app.removeAllContentTypeParsers()
  const types = [PROTOBUF, 'application/protobuf', JSON_TYPE]
  app.addContentTypeParser(types, (request: FastifyRequest, body: IncomingMessage) => {
    const { 'content-length': length } = request.headers
    return readBody(length === undefined ? undefined : Number(length), body)
  })
  app.addHook('onRequest', async (request, reply) => {
    const refusal = foreignRequest(request, ['localhost', '127.0.0.1', '[::1]', ...allowedHosts])
    const full = fullSentence(budget)
    if (refusal !== undefined) await refuse(reply, 403, PERMISSION_DENIED, refusal)
    else if (full !== undefined) await refuse(reply, 503, UNAVAILABLE, full)
  })
  const access = { door: HTTP_DOOR, scope: 'ingest' } as const
  if (guard !== undefined) guardRoutes(app, { guard, accessOf: () => access, refuse: refuseByGuard })
  app.setNotFoundHandler((request, reply) =>
    refuse(
      reply,
      404,
      UNIMPLEMENTED,
      `There is no ${request.method} ${request.url.split('?')[0] ?? ''} here; there are ${SIGNAL_NAMES.map((name) => `POST /v1/${name}`).join(', ')}`,
    ),
  )
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof BodyRefused) {
      const code = { 408: DEADLINE_EXCEEDED, 413: RESOURCE_EXHAUSTED, 503: UNAVAILABLE }[error.statusCode]
      return refuse(reply, error.statusCode, code, error.message)
    }
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      const given = request.headers['content-type'] ?? 'none'
      return refuse(
        reply,
        415,
        INVALID_ARGUMENT,
        `Content-Type ${given} is not taken; send application/x-protobuf or application/json`,
      )
    }
    if ((error as { retryable?: boolean }).retryable === true)
      return refuse(reply, 503, UNAVAILABLE, error.message)
    if ((error.statusCode ?? 500) < 500)
      return refuse(reply, error.statusCode ?? 400, INVALID_ARGUMENT, error.message)
    logger.error({ err: error }, 'the OTLP door failed on a request')
    return refuse(reply, 500, INTERNAL, 'Surety could not take the request; the cause is in its log')
  })

  const exportTo = (name: SignalName) => async (request: FastifyRequest, reply: FastifyReply) => {
    const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
    if (encoding !== 'gzip' && encoding !== 'identity') {
      return refuse(
        reply,
        415,
        INVALID_ARGUMENT,
        `Content-Encoding ${encoding} is not taken; send gzip or none`,
      )
    }
    const sent = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    let bytes = sent
    if (encoding === 'gzip') {
      try {
        bytes = await gunzip(sent, { maxOutputLength: bodyBytesMax })
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
          return refuse(reply, 413, RESOURCE_EXHAUSTED, tooLarge(bodyBytesMax))
        }
        return refuse(
          reply,
          400,
          INVALID_ARGUMENT,
          `The body is not gzip (${(error as Error).message}) although Content-Encoding says so`,
        )
      }
    }
    const overdrawn = request.admitted?.charge(bytes.length)
    if (overdrawn !== undefined) return refuseByGuard(reply, overdrawn)
    // Asked again: many may have been let in while there was room and have sent their bodies since.
    const full = fullSentence(budget)
    if (full !== undefined) return refuse(reply, 503, UNAVAILABLE, full)
    const form = isJson(request) ? 'json' : 'protobuf'
    const taken = await takes[name](bytes, HTTP_DOOR, senderOf(request.admitted), form)
    if (taken.kind === 'busy') return refuse(reply, 503, UNAVAILABLE, taken.message)
    if (taken.kind === 'refused') return refuse(reply, 400, INVALID_ARGUMENT, taken.message)
    return form === 'json'
      ? reply.type(JSON_TYPE).send(exportResponseJson(taken.rejectedRows, taken.message, name))
      : reply.type(PROTOBUF).send(exportResponse(taken.rejectedRows, taken.message))
  }
  for (const name of SIGNAL_NAMES) app.post(`/v1/${name}`, exportTo(name))
  return app
}
