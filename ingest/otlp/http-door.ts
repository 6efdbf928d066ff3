// OTLP/HTTP for traces and metrics: `POST /v1/traces`, `POST /v1/metrics`, protobuf, gzip or plain. Answers after the rows are in.
// Refusals follow the OTLP specification: 400 never again, 429 and 503 with Retry-After, a google.rpc.Status body.

import { promisify } from 'node:util'
import { gunzip as gunzipCallback } from 'node:zlib'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import type { MemoryBudget } from '../pipeline/accumulator.ts'
import { closeAfterAnswers, foreignRequest } from '../runtime/http-app.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { exportResponse, rpcStatus } from './otlp-status.ts'
import type { Taken } from './take-traces.ts'

const gunzip = promisify(gunzipCallback)

export const HTTP_DOOR = 'otlp/http'

type Take = (bytes: Uint8Array, door: string) => Promise<Taken>

export type HttpDoorParts = {
  readonly takeTraces: Take
  readonly takeMetrics: Take
  readonly budget: MemoryBudget
  readonly metrics: Metrics
  readonly logger: Logger
  readonly allowedHosts: readonly string[]
  /** Largest body, as sent and inflated: SURETY_OTLP_BODY_BYTES_MAX. */
  readonly bodyBytesMax: number
}

const PROTOBUF = 'application/x-protobuf'
const RETRY_AFTER_SECONDS = '2'

const INVALID_ARGUMENT = 3
const PERMISSION_DENIED = 7
const RESOURCE_EXHAUSTED = 8
const UNIMPLEMENTED = 12
const INTERNAL = 13
const UNAVAILABLE = 14

export function buildHttpDoor(parts: HttpDoorParts): FastifyInstance {
  const { takeTraces, takeMetrics, budget, metrics, logger, allowedHosts, bodyBytesMax } = parts
  const app = Fastify({ bodyLimit: bodyBytesMax, requestTimeout: 60_000 })

  function refuse(reply: FastifyReply, status: number, code: number, message: string): FastifyReply {
    metrics.refusedRequests.inc({ door: HTTP_DOOR, status })
    if (status === 503 || status === 429) void reply.header('retry-after', RETRY_AFTER_SECONDS)
    return reply.code(status).type(PROTOBUF).send(rpcStatus(code, message))
  }

  const isFull = () => budget.used() >= budget.bytesMax
  const refuseFull = (reply: FastifyReply) =>
    refuse(
      reply,
      503,
      UNAVAILABLE,
      `Surety holds ${budget.used()} bytes that are not stored yet; send again in ${RETRY_AFTER_SECONDS} s`,
    )

  closeAfterAnswers(app)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser([PROTOBUF, 'application/protobuf'], { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  )
  app.addHook('onRequest', async (request, reply) => {
    const refusal = foreignRequest(request, ['localhost', '127.0.0.1', '[::1]', ...allowedHosts])
    if (refusal !== undefined) await refuse(reply, 403, PERMISSION_DENIED, refusal)
    else if (isFull()) await refuseFull(reply)
  })
  app.setNotFoundHandler((request, reply) =>
    refuse(
      reply,
      404,
      UNIMPLEMENTED,
      `There is no ${request.method} ${request.url.split('?')[0] ?? ''} here; traces go to POST /v1/traces, metrics to POST /v1/metrics`,
    ),
  )
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
      return refuse(reply, 413, RESOURCE_EXHAUSTED, tooLarge(bodyBytesMax))
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      const given = request.headers['content-type'] ?? 'none'
      return refuse(
        reply,
        415,
        INVALID_ARGUMENT,
        `Content-Type ${given} is not taken; send application/x-protobuf`,
      )
    }
    if ((error as { retryable?: boolean }).retryable === true)
      return refuse(reply, 503, UNAVAILABLE, error.message)
    if ((error.statusCode ?? 500) < 500)
      return refuse(reply, error.statusCode ?? 400, INVALID_ARGUMENT, error.message)
    logger.error({ err: error }, 'the OTLP door failed on a request')
    return refuse(reply, 500, INTERNAL, 'Surety could not take the request; the cause is in its log')
  })

  const exportTo = (take: Take) => async (request: FastifyRequest, reply: FastifyReply) => {
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
    // Asked again: many may have been let in while there was room and have sent their bodies since.
    if (isFull()) return refuseFull(reply)
    const taken = await take(bytes, HTTP_DOOR)
    if (taken.kind === 'busy') return refuse(reply, 503, UNAVAILABLE, taken.message)
    if (taken.kind === 'refused') return refuse(reply, 400, INVALID_ARGUMENT, taken.message)
    return reply.code(200).type(PROTOBUF).send(exportResponse(taken.rejectedRows, taken.message))
  }
  app.post('/v1/traces', exportTo(takeTraces))
  app.post('/v1/metrics', exportTo(takeMetrics))
  return app
}

function tooLarge(bytes: number): string {
  return `The body is over ${bytes} bytes (SURETY_OTLP_BODY_BYTES_MAX, inflated); send smaller batches`
}
