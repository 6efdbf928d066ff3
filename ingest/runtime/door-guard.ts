// Who may pass which door, and how much: the one judgement behind HTTP, gRPC and the API. It knows no framework;
// each door asks with the facts of a request and says a refusal in its own form.
//
// States of a request: asked → refused (401, 403, 413, 429), or admitted → charged with its bytes → refused (413)
// or let on.

import { buildAllowance, type Allowance } from './allowance.ts'
import type { Clock } from './clock.ts'
import type { Metrics } from './metrics.ts'
import { NO_TOKEN, type Scope, type Token, type TokenLimits, type Tokens } from './tokens.ts'

/** The facts of a request that the judgement needs. */
export type DoorRequest = {
  /** The door's name, as in our metrics: `otlp/http`, `otlp/grpc`, `releases`, `api`. */
  readonly door: string
  readonly scope: Scope
  /** The Authorization header or metadata value. */
  readonly authorization: string | undefined
  /** What the sender says its body measures; undefined when it does not say. */
  readonly declaredBytes?: number | undefined
}

export type RefusalReason = 'no-token' | 'unknown-token' | 'expired-token' | 'scope' | 'body-size' | 'rate'

export type Refusal = {
  readonly kind: 'refused'
  readonly reason: RefusalReason
  readonly status: 401 | 403 | 413 | 429
  /** The stable code of problem details. */
  readonly code: 'SURETY_TOKEN_REFUSED' | 'SURETY_TOKEN_SCOPE' | 'SURETY_TOKEN_LIMIT'
  /** google.rpc.Code, for doors that speak google.rpc.Status. */
  readonly rpcCode: 16 | 7 | 8
  /** One sentence or two for the sender: what is wrong and what to do. Names no secret. */
  readonly message: string
  /** WWW-Authenticate, Retry-After; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

export type Admitted = {
  readonly kind: 'admitted'
  /** The token's name; `none` when no token was asked for. */
  readonly token: string
  /**
   * Charges the request with the size of its body, inflated. May be called again as more becomes known; only what
   * is above the size before counts.
   * @param bytes the whole body so far
   */
  charge(bytes: number): Refusal | undefined
}

export interface DoorGuard {
  /** Whether it asks for tokens at all. */
  readonly asks: boolean
  admit(request: DoorRequest): Admitted | Refusal
}

export type DoorGuardParts = { readonly tokens: Tokens; readonly clock: Clock; readonly metrics: Metrics }

/** Asks nobody for anything and counts all the same: for loopback. */
export function buildOpenGuard(metrics: Metrics): DoorGuard {
  return {
    asks: false,
    admit({ door }) {
      const labels = { door, token: NO_TOKEN }
      metrics.doorRequests.inc(labels)
      let charged = 0
      return {
        kind: 'admitted',
        token: NO_TOKEN,
        charge(bytes) {
          metrics.doorBytes.inc(labels, Math.max(0, bytes - charged))
          charged = Math.max(charged, bytes)
          return undefined
        },
      }
    },
  }
}

/** What one name may still send. Tokens that share a name share this, so changing over gives nothing extra. */
type Allowances = {
  readonly limits: TokenLimits
  readonly requests: Allowance | undefined
  readonly bytes: Allowance | undefined
}

/** Asks every request for a bearer token with the door's scope. */
export function buildDoorGuard({ tokens, clock, metrics }: DoorGuardParts): DoorGuard {
  const allowances = new Map<string, Allowances>()
  const seen = new Map<string, { readonly door: string; readonly token: string }>()

  // What a name that is gone has left behind would otherwise grow with every change of names.
  tokens.onChange((names) => {
    for (const name of allowances.keys()) if (!names.has(name)) allowances.delete(name)
    for (const [key, labels] of seen) {
      if (names.has(labels.token)) continue
      metrics.doorRequests.remove(labels)
      metrics.doorBytes.remove(labels)
      for (const reason of TOKEN_REASONS) metrics.doorRefusals.remove({ ...labels, reason })
      seen.delete(key)
    }
  })

  function allowancesOf(token: Token): Allowances {
    const kept = allowances.get(token.name)
    if (kept !== undefined && areSame(kept.limits, token.limits)) return kept
    const { requestsPerSecond, bytesPerSecond } = token.limits
    const fresh = {
      limits: token.limits,
      requests: requestsPerSecond === undefined ? undefined : buildAllowance(requestsPerSecond, clock),
      bytes: bytesPerSecond === undefined ? undefined : buildAllowance(bytesPerSecond, clock),
    }
    allowances.set(token.name, fresh)
    return fresh
  }

  function judge(request: DoorRequest): { token: Token } | Verdict {
    const { authorization, scope } = request
    if (authorization === undefined || authorization === '') return noToken()
    const presented = BEARER.exec(authorization.slice(0, AUTHORIZATION_CHARACTERS_MAX))?.[1]
    const token = presented === undefined ? undefined : tokens.find(presented)
    if (token === undefined) return unknownToken(presented === undefined)
    if (token.notAfter !== undefined && clock.now() >= token.notAfter) return expired(token)
    if (!token.scopes.has(scope)) return scopeMissing(token, scope)
    return { token }
  }

  return {
    asks: true,
    admit(request) {
      const { door, declaredBytes } = request

      function refused({ named, ...refusal }: Verdict): Refusal {
        const token = named ?? NO_TOKEN
        if (named !== undefined) seen.set(`${door}\n${named}`, { door, token: named })
        metrics.doorRefusals.inc({ door, token, reason: refusal.reason })
        return { kind: 'refused', ...refusal }
      }

      const judged = judge(request)
      if (!('token' in judged)) return refused(judged)
      const { token } = judged
      const { requests, bytes, limits } = allowancesOf(token)
      if (declaredBytes !== undefined && isOver(declaredBytes, limits))
        return refused(bodyTooLarge(token, declaredBytes))
      const waits = [
        { waitMs: requests?.waitMs() ?? 0, limit: 'requestsPerSecond' as const },
        { waitMs: bytes?.waitMs() ?? 0, limit: 'bytesPerSecond' as const },
      ]
      const longest = waits.reduce((a, b) => (b.waitMs > a.waitMs ? b : a))
      if (longest.waitMs > 0) return refused(tooMuch(token, longest.limit, longest.waitMs))

      const labels = { door, token: token.name }
      seen.set(`${door}\n${token.name}`, labels)
      metrics.doorRequests.inc(labels)
      requests?.spend(1)
      let charged = 0
      const spend = (size: number) => {
        if (size <= charged) return
        bytes?.spend(size - charged)
        metrics.doorBytes.inc(labels, size - charged)
        charged = size
      }
      // At once, so that many bodies under way count before they have come.
      spend(declaredBytes ?? 0)
      return {
        kind: 'admitted',
        token: token.name,
        charge(size) {
          spend(size)
          return isOver(size, limits) ? refused(bodyTooLarge(token, size)) : undefined
        },
      }
    },
  }
}

/** A refusal before it is counted. */
type Verdict = Omit<Refusal, 'kind'> & { readonly named: string | undefined }

const TOKEN_REASONS = ['expired-token', 'scope', 'body-size', 'rate'] as const satisfies RefusalReason[]
// RFC 6750: b64token, the scheme in any case.
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i
const AUTHORIZATION_CHARACTERS_MAX = 1024
const REALM = 'Bearer realm="surety"'

function areSame(a: TokenLimits, b: TokenLimits): boolean {
  return a.requestsPerSecond === b.requestsPerSecond && a.bytesPerSecond === b.bytesPerSecond
}

const isOver = (bytes: number, { bodyBytesMax }: TokenLimits) =>
  bodyBytesMax !== undefined && bytes > bodyBytesMax

function unauthorized(reason: RefusalReason, message: string, challenge: string, named?: string): Verdict {
  return {
    reason,
    status: 401,
    code: 'SURETY_TOKEN_REFUSED',
    rpcCode: 16,
    message: `${message} Nothing was stored.`,
    headers: { 'www-authenticate': challenge },
    named,
  }
}

const noToken = () =>
  unauthorized(
    'no-token',
    'This door asks for a token: send the header «Authorization: Bearer TOKEN».',
    REALM,
  )

const unknownToken = (isGarbled: boolean) =>
  unauthorized(
    'unknown-token',
    isGarbled
      ? 'The Authorization header is not «Bearer TOKEN».'
      : 'The token is not known here; it may have been revoked.',
    `${REALM}, error="invalid_token"`,
  )

const expired = ({ name, notAfter }: Token) =>
  unauthorized(
    'expired-token',
    `The token «${name}» ended at ${new Date(notAfter ?? 0).toISOString()}; ask for a new one.`,
    `${REALM}, error="invalid_token"`,
    name,
  )

function scopeMissing({ name, scopes }: Token, scope: Scope): Verdict {
  return {
    reason: 'scope',
    status: 403,
    code: 'SURETY_TOKEN_SCOPE',
    rpcCode: 7,
    message: `The token «${name}» lacks the scope «${scope}» that this door asks for; it has ${[...scopes].join(', ')}. Nothing was stored.`,
    headers: { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
    named: name,
  }
}

function bodyTooLarge({ name, limits }: Token, bytes: number): Verdict {
  return {
    reason: 'body-size',
    status: 413,
    code: 'SURETY_TOKEN_LIMIT',
    rpcCode: 8,
    message: `The body is ${bytes} bytes long; the token «${name}» may send ${limits.bodyBytesMax ?? 0} at a time (bodyBytesMax, inflated). Send smaller batches. Nothing was stored.`,
    headers: {},
    named: name,
  }
}

function tooMuch(
  { name, limits }: Token,
  limit: 'requestsPerSecond' | 'bytesPerSecond',
  waitMs: number,
): Verdict {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return {
    reason: 'rate',
    status: 429,
    code: 'SURETY_TOKEN_LIMIT',
    rpcCode: 8,
    message: `The token «${name}» sends more than its ${limit} of ${limits[limit] ?? 0}; send again in ${seconds} s. Nothing was stored.`,
    headers: { 'retry-after': String(seconds) },
    named: name,
  }
}
