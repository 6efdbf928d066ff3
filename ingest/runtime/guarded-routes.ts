// The door guard on a Fastify application: asks before a body is read, charges when it has come. Which door and
// scope a route is, the application says; how a refusal is written, too. Where people are known, they are asked first.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Admitted, DoorGuard, Refusal } from './door-guard.ts'
import type { Scope } from './tokens.ts'

/** What a route asks for. `open`: nothing, for whoever can connect. */
export type Access = 'open' | { readonly door: string; readonly scope: Scope }

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Said by a route that is not read with the scope `read`; by a function where the address decides. */
    access?: Access | ((request: FastifyRequest) => Access)
  }
  interface FastifyRequest {
    /** Set once the guard has let the request pass; unset at open routes. */
    admitted?: Admitted | undefined
  }
}

/** A refusal as far as HTTP tells it. */
export type RouteRefusal = Pick<Refusal, 'message' | 'headers'> & {
  readonly kind: 'refused'
  readonly status: number
  readonly code: string
}

/** Knows callers beyond bearers of the file's tokens, and judges routes for all of them. */
export interface Callers {
  /** Refuses a route that nobody may call because nobody said who may. @throws Error naming it */
  check(routes: readonly RouteKey[]): void
  /** @param ask  what the guard says to this request for a scope */
  judge(
    request: FastifyRequest,
    access: Access,
    ask: (access: Exclude<Access, 'open'>) => Admitted | Refusal,
  ): Promise<'open' | Admitted | RouteRefusal>
}

export type RouteKey = { readonly method: string; readonly url: string }

/** Filled by the role that knows people, before the application listens. */
export type CallerSlot = { callers?: Callers }

export type GuardedRoutes = {
  readonly guard: DoorGuard
  /** Where people are known: they are asked first, and their refusals are the application's to write, too. */
  readonly people?:
    | { readonly slot: CallerSlot; readonly refuse: (reply: FastifyReply, refusal: RouteRefusal) => unknown }
    | undefined
  readonly accessOf: (request: FastifyRequest) => Access
  /** Sends the refusal in the application's own form; headers and status are its to set. */
  readonly refuse: (reply: FastifyReply, refusal: Refusal) => unknown
}

/** To be called before routes are added. */
export function guardRoutes(app: FastifyInstance, { guard, people, accessOf, refuse }: GuardedRoutes): void {
  app.decorateRequest('admitted')
  app.addHook('onRequest', async (request, reply) => {
    const access = accessOf(request)
    const { authorization, 'content-length': length } = request.headers
    const declaredBytes = length === undefined ? undefined : Number(length)
    const ask = (asked: Exclude<Access, 'open'>) => guard.admit({ ...asked, authorization, declaredBytes })
    const callers = people?.slot.callers
    if (callers !== undefined) {
      const judged = await callers.judge(request, access, ask)
      if (judged === 'open') return
      if (judged.kind === 'admitted') request.admitted = judged
      else await people?.refuse(reply, judged)
      return
    }
    if (access === 'open') return
    const answer = ask(access)
    if (answer.kind === 'admitted') request.admitted = answer
    else await refuse(reply, answer)
  })
  const routes: RouteKey[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const word of [method].flat()) routes.push({ method: word, url })
  })
  app.addHook('onReady', (done) => {
    people?.slot.callers?.check(routes)
    done()
  })
  app.addHook('preHandler', async (request, reply) => {
    // Other bodies came with their length, or are none.
    const refusal = Buffer.isBuffer(request.body) ? request.admitted?.charge(request.body.length) : undefined
    if (refusal !== undefined) await refuse(reply, refusal)
  })
}
