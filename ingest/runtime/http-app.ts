// The HTTP application that every role hangs its routes on: health, metrics, problem+json, the check that keeps
// foreign web pages out, and the door guard before every route that does not say otherwise. Builds, never listens.

import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { DoorGuard } from './door-guard.ts'
import { guardRoutes, type CallerSlot, type RouteRefusal } from './guarded-routes.ts'
import type { Health } from './health.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { buildServer, type Tls } from './tls.ts'

export type HttpAppParts = {
  readonly logger: Logger
  readonly health: Health
  readonly metrics: Metrics
  /** Host names beyond loopback that requests may be addressed to. */
  readonly allowedHosts: readonly string[]
  /** Who may pass; without it everybody who can connect. */
  readonly guard?: DoorGuard | undefined
  /** Who else is known; filled later, by the role that knows people. */
  readonly slot?: CallerSlot | undefined
  /** Without it plain HTTP. */
  readonly tls?: Tls | undefined
}

// Known to the OpenAPI plugin, which lives downstream of here.
const HIDDEN = { hide: true } as FastifySchema

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

// What every route asks for that does not say its access: new routes begin behind the guard, not before it.
const READ = { door: 'api', scope: 'read' } as const

export function buildHttpApp(parts: HttpAppParts): FastifyInstance {
  const { logger, health, metrics, allowedHosts, guard, slot, tls } = parts
  const app = buildServer(
    {
      // A service name is part of a path; the router's own bound of 100 is too short for hostile ones.
      routerOptions: { maxParamLength: 2048 },
      bodyLimit: 1_048_576,
      onRefused: (status) => metrics.refusedRequests.inc({ door: 'api', status }),
    },
    tls,
  )
  closeAfterAnswers(app)
  app.addHook('onRequest', async (request, reply) => {
    const refusal = foreignRequest(request, [...LOOPBACK, ...allowedHosts])
    if (refusal !== undefined) {
      await reply
        .code(403)
        .type(PROBLEM_JSON)
        .send(problem(403, 'SURETY_FOREIGN_REQUEST', 'Forbidden', refusal))
    }
  })
  if (guard !== undefined) {
    const refuse = (reply: FastifyReply, { status, code, message, headers }: Omit<RouteRefusal, 'kind'>) =>
      reply
        .code(status)
        .headers(headers)
        .type(PROBLEM_JSON)
        .send(problem(status, code, STATUS_CODES[status] ?? '', message))
    guardRoutes(app, {
      guard,
      people: slot === undefined ? undefined : { slot, refuse },
      accessOf: (request) => {
        const access = request.routeOptions.config?.access ?? READ
        return typeof access === 'function' ? access(request) : access
      },
      refuse,
    })
  }
  app.addHook('onRoute', ({ method, url, config }) => {
    const isRead = [method].flat().every((word) => word === 'GET' || word === 'HEAD')
    if (!isRead && config?.access === undefined)
      throw new Error(`The route ${String(method)} ${url} must say its access: whom it lets in`)
  })
  app.get('/healthz', { schema: HIDDEN, config: { access: 'open' } }, () => ({ status: 'alive' }))
  app.get('/readyz', { schema: HIDDEN }, async (_, reply) => {
    const report = await health.check()
    return reply.code(report.ready ? 200 : 503).send(report)
  })
  app.get('/metrics', { schema: HIDDEN }, async (_, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .type(PROBLEM_JSON)
      .send(
        problem(
          404,
          'SURETY_NOT_FOUND',
          'Not found',
          `There is nothing at ${request.method} ${request.url.split('?')[0]}. The API is described at /api/v1/openapi.json.`,
        ),
      ),
  )
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, logger))
  return app
}

const CLOSE_POLL_MS = 20

/**
 * Makes `close()` end soon after the last answer is out. Node waits for connections that a sender keeps alive, and
 * for those that a browser opened and never used, until their time-outs, which are longer than any stop may take.
 */
export function closeAfterAnswers(app: FastifyInstance): void {
  let answering = 0
  let isClosing = false
  app.addHook('onRequest', (_, reply, done) => {
    answering += 1
    reply.raw.once('close', () => (answering -= 1))
    done()
  })
  app.addHook('onSend', (_, reply, payload, done) => {
    if (isClosing) void reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('preClose', (done) => {
    isClosing = true
    const timer = setInterval(() => {
      if (answering === 0) app.server.closeAllConnections()
    }, CLOSE_POLL_MS)
    app.server.once('close', () => clearInterval(timer))
    timer.unref()
    done()
  })
}

export const PROBLEM_JSON = 'application/problem+json'

/** RFC 9457 problem details with our stable code. */
export function problem(
  status: number,
  code: string,
  title: string,
  detail: string,
  errors?: readonly { place: string; message: string }[],
) {
  return { type: 'about:blank', title, status, detail, code, ...(errors === undefined ? {} : { errors }) }
}

type Reply = {
  code(status: number): Reply
  type(type: string): Reply
  header(name: string, value: string): Reply
  send(body: unknown): unknown
}

// One place that maps codes to status.
function answerError(
  error: FastifyError & { retryable?: boolean },
  request: FastifyRequest,
  reply: Reply,
  logger: Logger,
): unknown {
  const status = error.statusCode ?? 500
  if (error.retryable === true) {
    return reply
      .code(503)
      .header('retry-after', '5')
      .type(PROBLEM_JSON)
      .send(problem(503, error.code, 'Busy', `${error.message}. Nothing was lost; ask again in 5 seconds.`))
  }
  if (status < 500) {
    const errors = error.validation?.map((issue) => ({
      place: `${error.validationContext ?? 'request'}${issue.instancePath.replaceAll('/', '.')}`,
      message: issue.message ?? 'is not valid',
    }))
    const code = error.validation === undefined ? error.code : 'SURETY_INVALID_REQUEST'
    const detail =
      errors === undefined
        ? error.message
        : errors.map(({ place, message }) => `${place}: ${message}`).join('; ')
    return reply
      .code(status)
      .type(PROBLEM_JSON)
      .send(problem(status, code, error.name === 'Error' ? 'Invalid request' : error.name, detail, errors))
  }
  logger.error({ err: error, url: request.url }, 'a request failed')
  return reply
    .code(500)
    .type(PROBLEM_JSON)
    .send(
      problem(
        500,
        error.code ?? 'SURETY_INTERNAL',
        'Internal error',
        'Surety could not answer; the cause is in its log.',
      ),
    )
}

/**
 * DNS rebinding and cross-site requests: a page from elsewhere may make a browser call us, but it cannot hide
 * the host it called, nor where it comes from.
 * @returns why the request is refused, or undefined
 */
export function foreignRequest(
  request: Pick<FastifyRequest, 'headers'>,
  hosts: readonly string[],
): string | undefined {
  const host = request.headers.host ?? ''
  if (!hosts.includes(hostName(host))) {
    return `The Host header «${host.slice(0, 100)}» is not one of ${hosts.join(', ')}. Add it to SURETY_ALLOWED_HOSTS if it is yours.`
  }
  const { origin } = request.headers
  if (origin === undefined) return undefined
  const originHost = URL.canParse(origin) ? hostName(new URL(origin).host) : ''
  if (hosts.includes(originHost)) return undefined
  return `The Origin header «${origin.slice(0, 100)}» is not one of ${hosts.join(', ')}. Surety does not answer other sites' pages.`
}

function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, '')
}
