// The door guard on a Fastify application: asks before a body is read, charges when it has come. Which door and
// scope a route is, the application says; how a refusal is written, too.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Admitted, DoorGuard, Refusal } from './door-guard.ts'
import type { Scope } from './tokens.ts'

/** What a route asks for. `open`: nothing, for whoever can connect. */
export type Access = 'open' | { readonly door: string; readonly scope: Scope }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Said by a route that is not read with the scope `read`. */
    access?: Access
  }
  interface FastifyRequest {
    /** Set once the guard has let the request pass; unset at open routes. */
    admitted?: Admitted | undefined
  }
}

export type GuardedRoutes = {
  readonly guard: DoorGuard
  readonly accessOf: (request: FastifyRequest) => Access
  /** Sends the refusal in the application's own form; headers and status are its to set. */
  readonly refuse: (reply: FastifyReply, refusal: Refusal) => unknown
}

/** To be called before routes are added. */
export function guardRoutes(app: FastifyInstance, { guard, accessOf, refuse }: GuardedRoutes): void {
  app.decorateRequest('admitted')
  app.addHook('onRequest', async (request, reply) => {
    const access = accessOf(request)
    if (access === 'open') return
    const { authorization, 'content-length': length } = request.headers
    const answer = guard.admit({
      ...access,
      authorization,
      declaredBytes: length === undefined ? undefined : Number(length),
    })
    if (answer.kind === 'admitted') request.admitted = answer
    else await refuse(reply, answer)
  })
  app.addHook('preHandler', async (request, reply) => {
    // Other bodies came with their length, or are none.
    const refusal = Buffer.isBuffer(request.body) ? request.admitted?.charge(request.body.length) : undefined
    if (refusal !== undefined) await refuse(reply, refusal)
  })
}
