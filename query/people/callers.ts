// Who sends a request, and whether he may: the one place that makes a principal of a cookie, a token or of nothing, and holds it
// against the table of routes. It knows HTTP headers, and no route's work.
//
// States of a request: known by a bearer token or a session's cookie, or unknown → a visitor, or asked to sign in → judged
// (permission, one-time password, scope) → let on with its principal.

import type { FastifyRequest } from 'fastify'
import type { Admitted, DoorGuard } from '../../ingest/runtime/door-guard.ts'
import type { Callers, RouteRefusal } from '../../ingest/runtime/guarded-routes.ts'
import type { LocalToken } from './local-token.ts'
import type { People } from './people.ts'
import { permissionOf, type Permission } from './permissions.ts'
import { LOCAL, may, ofFileToken, VISITOR, type Principal } from './principal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set by the callers for every route that is not open. */
    principal?: Principal | undefined
    /** From where; set with the principal. */
    callerAddress?: string | undefined
  }
}

export type CallersParts = {
  readonly people: People
  readonly guard: DoorGuard
  readonly localToken: LocalToken
  /** Whether somebody unknown reads: on loopback only. */
  readonly visitorsRead: boolean
  /** Whether browsers reach us by TLS, ours or a proxy's. */
  readonly isSecure: boolean
  /** A proxy in front of us is the only one to reach us. */
  readonly isProxied: boolean
}

type Judged = Admitted | RouteRefusal

export function buildCallers({
  people,
  guard,
  localToken,
  visitorsRead,
  isSecure,
  isProxied,
}: CallersParts): Callers {
  const admitted = (request: FastifyRequest, principal: Principal): Admitted => {
    request.principal = principal
    return { kind: 'admitted', token: principal.name, charge: () => undefined }
  }

  return {
    check(routes) {
      const unknown = routes.filter(({ method, url }) => permissionOf(method, url) === undefined)
      if (unknown.length === 0) return
      const list = unknown.map(({ method, url }) => `${method} ${url}`).join(', ')
      throw new Error(`query/people/permissions.ts does not say who may call ${list}`)
    },

    async judge(request, access, ask) {
      const url = request.routeOptions.url
      // What is not there is told to readers alone.
      const permission = url === undefined ? 'read' : permissionOf(request.method, url)
      if (permission === undefined) return refusal(403, 'SURETY_NOT_ALLOWED', 'Nobody may call this.')
      if (permission === 'open') return 'open'
      if (permission === 'door') return access === 'open' ? 'open' : ask(access)

      const bearer = bearerOf(request)
      const cookie = bearer === undefined ? sessionSecret(request.headers.cookie, isSecure) : undefined
      if (cookie !== undefined && !isReading(request.method) && !isOwnPage(request))
        return refusal(
          403,
          'SURETY_CROSS_SITE',
          'A session changes something only from a page of Surety itself. Programs send a token instead of a cookie.',
        )
      if (bearer !== undefined) {
        const principal = localToken.is(bearer) ? LOCAL : await people.ofToken(bearer)
        if (principal !== undefined) return judged(request, principal, permission)
        if (guard.asks) return ofFile(request, permission, ask)
        if (permission !== 'probe')
          return refusal(
            401,
            'SURETY_TOKEN_REFUSED',
            'The token is not known here; it may have ended or been revoked.',
            { 'www-authenticate': 'Bearer realm="surety", error="invalid_token"' },
          )
      }
      const principal = cookie === undefined ? undefined : await people.ofSession(cookie)
      if (principal !== undefined) return judged(request, principal, permission)
      if (guard.asks) return ask({ door: 'api', scope: 'read' })
      if (visitorsRead || permission === 'probe') return judged(request, VISITOR, permission)
      return refusal(401, 'SURETY_NOT_SIGNED_IN', notSignedIn(cookie !== undefined), {
        'www-authenticate': 'Bearer realm="surety"',
      })
    },
  }

  /** A bearer that is none of ours: the file of tokens says. */
  function ofFile(
    request: FastifyRequest,
    permission: Permission,
    ask: Parameters<Callers['judge']>[2],
  ): Judged {
    const scope = permission === 'operate' || permission === 'audit' ? 'operate' : 'read'
    const answer = ask({ door: 'api', scope })
    if (answer.kind === 'refused') return answer
    const { kind, ...others } = judged(request, ofFileToken(answer.token, scope), permission)
    return kind === 'admitted' ? answer : ({ kind, ...others } as RouteRefusal)
  }

  function judged(request: FastifyRequest, principal: Principal, permission: Permission): Judged {
    request.callerAddress = callerAddress(request, isProxied)
    if (principal.mustChange && !['self', 'who', 'probe'].includes(permission))
      return refusal(
        403,
        'SURETY_PASSWORD_CHANGE',
        'The password was told once and has to be replaced first: PUT /api/v1/session/password.',
      )
    if (!may(principal, permission)) return notAllowed(principal, permission)
    if (permission === 'read-all' && principal.scope !== 'everything')
      return refusal(
        403,
        'SURETY_SCOPE',
        'This is not told apart by system, and you may read some systems only.',
      )
    return admitted(request, principal)
  }
}

const refusal = (
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): RouteRefusal => ({ kind: 'refused', status, code, message, headers })

function notSignedIn(hadSession: boolean): string {
  const how = 'Sign in (POST /api/v1/session), or send the header «Authorization: Bearer TOKEN».'
  return hadSession ? `The session has ended. ${how}` : how
}

function notAllowed(principal: Principal, permission: Permission): RouteRefusal {
  if (principal.kind === 'visitor')
    return refusal(401, 'SURETY_NOT_SIGNED_IN', `Visitors read. ${notSignedIn(false)}`, {
      'www-authenticate': 'Bearer realm="surety"',
    })
  const message =
    permission === 'self'
      ? 'This is for users in a session; a token does not stand for one.'
      : `This takes the permission «${permission}»; ${principal.name} has not got it${principal.tokenScopes === undefined ? ` as ${principal.role}` : ' by this token'}.`
  return refusal(403, 'SURETY_NOT_ALLOWED', message)
}

const isReading = (method: string) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** A browser says itself where a request comes from; a page of another port is another page. */
export function isOwnPage(request: Pick<FastifyRequest, 'headers'>): boolean {
  const { 'sec-fetch-site': site, origin, host } = request.headers
  if (site !== undefined) return site === 'same-origin'
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === host
}

const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i
const HEADER_MAX = 4096

/** @returns '' for a header that is no bearer's: shown, and known to nobody */
function bearerOf({ headers: { authorization } }: FastifyRequest): string | undefined {
  if (authorization === undefined || authorization === '') return undefined
  return BEARER.exec(authorization.slice(0, HEADER_MAX))?.[1] ?? ''
}

/** A browser keeps `__Host-` for this host alone, over TLS. */
export const cookieName = (isSecure: boolean) => (isSecure ? '__Host-surety_session' : 'surety_session')

export function sessionSecret(header: string | undefined, isSecure: boolean): string | undefined {
  const prefix = `${cookieName(isSecure)}=`
  const pair = (header ?? '')
    .slice(0, HEADER_MAX)
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
  const secret = pair?.slice(prefix.length)
  return secret === undefined || !/^[\w-]{43}$/.test(secret) ? undefined : secret
}

/** Where a request comes from: behind a proxy what that says last, since callers may have put something before. */
export function callerAddress(request: FastifyRequest, isProxied: boolean): string {
  const forwarded = isProxied ? String(request.headers['x-forwarded-for'] ?? '') : ''
  const last = forwarded.split(',').at(-1)?.trim() ?? ''
  return (last === '' ? (request.socket.remoteAddress ?? '') : last).slice(0, 64)
}
