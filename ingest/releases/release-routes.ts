// The release events door, POST /api/v1/releases/events, as a Fastify plugin. It reads the body as bytes,
// has it parsed and hands it to the store. States of a request: received → parsed → stored; a refused one
// ends before the store has heard of it.

import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifySchema } from 'fastify'
import type { ReleaseEventRecord } from '../records/release-event.ts'
import type { Clock } from '../runtime/clock.ts'
import {
  ACCEPTED_MEDIA_TYPES,
  BATCH_EVENTS_MAX,
  BATCH_TYPE,
  JSON_TYPE,
  parseReleaseEvent,
  STRUCTURED_TYPE,
  type Problem,
} from './parse-release-event.ts'
import type { ReleaseEventStore } from './release-event-store.ts'

export const RELEASE_EVENTS_PATH = '/api/v1/releases/events'
/** Bytes of one request. A full batch then has about 1 KiB per event, which a CDEvent needs. */
export const BODY_BYTES_MAX = 1024 * 1024
/** Long enough for a store to finish a merge or a restart; senders that wait less only add to the queue. */
export const RETRY_AFTER_SECONDS = 5

/** A request that was turned away, for counters and the dead-letter list. */
export type RefusedRelease = {
  readonly status: 400 | 413 | 415
  /** ms since 1970 */
  readonly receivedAt: number
  readonly problems: readonly Problem[]
  /** As received; empty when it was not read (413, 415). */
  readonly body: Buffer
}

export type ReleaseRoutesOptions = {
  readonly store: ReleaseEventStore
  readonly clock: Clock
  readonly onRefused?: (refusal: RefusedRelease) => void
}

/**
 * To be registered (`app.register(releaseRoutes, { store, clock })`), which gives it parsers of its own.
 *
 * Replies: 201 when something new was stored, 200 when all of it was known; 400, 413, 415 and 503 as
 * problem details (RFC 9457). Errors that the store does not call retryable go on to the application.
 */
export async function releaseRoutes(app: FastifyInstance, options: ReleaseRoutesOptions): Promise<void> {
  const { store, clock, onRefused } = options

  // Only here: whatever parsers the application has, this door takes bytes of three media types.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser([...ACCEPTED_MEDIA_TYPES], { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })

  function refuse(
    reply: FastifyReply,
    status: RefusedRelease['status'],
    problems: readonly Problem[],
    body: Buffer,
  ) {
    onRefused?.({ status, receivedAt: clock.now(), problems, body })
    return sendProblem(reply, status, REFUSALS[status].code, REFUSALS[status].detail, problems)
  }

  app.setErrorHandler<Error & { readonly code?: string }>((error, _request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      const message = `is larger than ${BODY_BYTES_MAX} bytes (1 MiB); send the events in smaller batches`
      return refuse(reply, 413, [{ place: 'body', message }], NO_BODY)
    }
    if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
      reply.header('accept-post', ACCEPTED_MEDIA_TYPES.join(', '))
      const message = `must be one of ${ACCEPTED_MEDIA_TYPES.join(', ')}`
      return refuse(reply, 415, [{ place: 'content-type', message }], NO_BODY)
    }
    throw error
  })

  app.post(
    RELEASE_EVENTS_PATH,
    { bodyLimit: BODY_BYTES_MAX, schema: DESCRIPTION, config: { access: ACCESS } },
    async (request, reply) => {
      const encoding = request.headers['content-encoding'] ?? 'identity'
      if (encoding.toLowerCase() !== 'identity') {
        reply.header('accept-encoding', 'identity')
        const message = 'must be identity; send the body uncompressed'
        return refuse(reply, 415, [{ place: 'content-encoding', message }], NO_BODY)
      }
      // Fastify reads no body when there is neither content type nor length.
      const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY
      const parsed = parseReleaseEvent({ headers: request.headers, body, receivedAt: clock.now() })
      if (parsed.kind === 'refused') return refuse(reply, 400, parsed.problems, body)

      const records = withoutTwins(parsed.records)
      const twins = parsed.records.length - records.length
      try {
        const added = records.length === 0 ? { stored: 0, duplicates: 0 } : await store.add(records)
        reply.code(added.stored > 0 ? 201 : 200)
        return { stored: added.stored, duplicates: added.duplicates + twins }
      } catch (error) {
        if (!isRetryable(error)) throw error
        reply.header('retry-after', String(RETRY_AFTER_SECONDS))
        const detail = `The store cannot take events now. Send the same request again after ${RETRY_AFTER_SECONDS} s; events that were stored are not stored twice.`
        return sendProblem(
          reply,
          503,
          typeof error.code === 'string' ? error.code : 'SURETY_STORE_BUSY',
          detail,
        )
      }
    },
  )
}

const NO_BODY = Buffer.alloc(0)
const ACCESS = { door: 'releases', scope: 'releases' } as const

// For the OpenAPI document, whose plugin lives downstream of here; nothing is validated or serialised by it.
const DESCRIPTION = {
  summary: 'Store release events, each source and id once',
  description: `One CloudEvent (${STRUCTURED_TYPE}), a batch of at most ${BATCH_EVENTS_MAX} (${BATCH_TYPE}, all or nothing), a binary CloudEvent (ce- headers) or a bare CDEvent (${JSON_TYPE}); at most ${BODY_BYTES_MAX} bytes. Answers {"stored": n, "duplicates": n}: 201 when something was new, 200 when all was known. 400, 413 and 415 are problem+json that names each place; 503 says to send the same request again.`,
  tags: ['releases'],
} as FastifySchema

const REFUSALS = {
  400: {
    code: 'SURETY_RELEASE_EVENT_INVALID',
    detail: 'Nothing of this request was stored. Mend what errors names and send it again.',
  },
  413: {
    code: 'SURETY_RELEASE_EVENT_TOO_LARGE',
    detail: `Nothing of this request was stored. At most ${BODY_BYTES_MAX} bytes (1 MiB) are accepted.`,
  },
  415: {
    code: 'SURETY_RELEASE_EVENT_MEDIA_TYPE',
    detail: `Nothing of this request was stored. Accepted: ${ACCEPTED_MEDIA_TYPES.join(', ')}, uncompressed.`,
  },
} as const

function sendProblem(
  reply: FastifyReply,
  status: number,
  code: string,
  detail: string,
  errors?: readonly Problem[],
): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      title: STATUS_CODES[status] ?? '',
      status,
      detail,
      code,
      ...(errors === undefined ? {} : { errors }),
    })
}

/** The first of each (`source`, `id`). A source is a URI-reference and holds no line break. */
function withoutTwins(records: readonly ReleaseEventRecord[]): ReleaseEventRecord[] {
  const byIdentity = new Map<string, ReleaseEventRecord>()
  for (const event of records) {
    const identity = `${event.source}\n${event.id}`
    if (!byIdentity.has(identity)) byIdentity.set(identity, event)
  }
  return [...byIdentity.values()]
}

const isRetryable = (
  error: unknown,
): error is Error & { readonly retryable: true; readonly code?: unknown } =>
  error instanceof Error && 'retryable' in error && error.retryable === true
