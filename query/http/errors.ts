// Refusals of the query API: problem+json with a stable code, a place and a remedy.

import type { FastifyReply } from 'fastify'
import { problem, PROBLEM_JSON } from '../../ingest/runtime/http-app.ts'
import type { Clock } from '../../ingest/runtime/clock.ts'
import { parseRange, type TimeRange } from '../time-range.ts'

/** A request that is well-formed and still cannot be answered. */
export class InvalidRequest extends Error {
  readonly statusCode = 400
  readonly code = 'SURETY_INVALID_REQUEST'
  readonly validation: readonly { instancePath: string; message: string }[]
  readonly validationContext = 'querystring'

  constructor(place: string, message: string) {
    super(`${place} ${message}`)
    this.name = 'InvalidRequest'
    this.validation = [{ instancePath: `/${place}`, message }]
  }
}

/** @throws InvalidRequest naming `from` or `to` */
export function rangeOf(query: { from: string; to: string }, clock: Clock): TimeRange {
  const range = parseRange(query.from, query.to, clock.now())
  if ('place' in range) throw new InvalidRequest(range.place, range.message)
  return range
}

export function notFound(reply: FastifyReply, detail: string): never {
  return reply
    .code(404)
    .type(PROBLEM_JSON)
    .send(problem(404, 'SURETY_NOT_FOUND', 'Not found', detail)) as never
}

/** Done, and nothing to tell. Typed for handlers whose answer has a shape. */
export function noContent(reply: FastifyReply): never {
  return reply.code(204).send() as never
}

/** The caller has it as it is. */
export function notModified(reply: FastifyReply): never {
  return reply.code(304).send() as never
}
