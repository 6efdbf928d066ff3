// Who asks, as routes need it: the principal that the callers set, the author that the audit names.

import type { FastifyRequest } from 'fastify'
import { authorOf, type Principal } from '../people/principal.ts'
import type { Author } from '../registry/object.ts'

/** @throws Error when the route is open: then nobody was asked who he is */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === undefined) throw new Error(`${request.url} is open and asks who calls it`)
  return request.principal
}

export function authorOfRequest(request: FastifyRequest, reason = ''): Author {
  return authorOf(principalOf(request), request.callerAddress ?? '', reason)
}
