// The release events door, POST /api/v1/releases/events, as a Fastify plugin. It reads the body as bytes,
// has it parsed and hands it to the store. States of a request: received → parsed → stored; a refused one
// ends before the store has heard of it.

import type { FastifyInstance, FastifyReply, FastifySchema } from 'fastify'
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
import { BODY_BYTES_MAX, NO_BODY, sendProblem, storeAndAnswer, type RefusedRelease } from './door-replies.ts'

export const RELEASE_EVENTS_PATH = '/api/v1/releases/events'
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
    status: keyof typeof REFUSALS,
    problems: readonly Problem[],
    body: Buffer,
  ) {
    onRefused?.({ door: ACCESS.door, status, receivedAt: clock.now(), problems, body })
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

      return storeAndAnswer(reply, store, parsed.records)
    },
  )
}

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
