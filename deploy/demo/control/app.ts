// The control API and its page. Builds, never listens. Every answer is JSON but the page's own files; errors are
// problem+json (RFC 9457) that name the field and the remedy.

import { readFile } from 'node:fs/promises'
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify'
import type { z } from 'zod'
import type { Bank, Outcome, Refusal } from '../bank.ts'
import type { ReleaseSender } from '../release-events.ts'
import { BRANCHES, ENVIRONMENT, SITES } from '../topology.ts'
import type { Traffic } from '../traffic.ts'
import { reasonToRefuse } from './guard.ts'
import { DeploymentBody, FaultBody, RollbackBody, SiteBody, StressBody } from './schemas.ts'

export type ControlParts = {
  readonly suretyUrl: string
  readonly bank: Bank
  readonly traffic: Pick<Traffic, 'state' | 'setStress'>
  readonly releases: Pick<ReleaseSender, 'state'>
}

type Problem = {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
}

const PAGE_FILES = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/scenarios.js': ['scenarios.js', 'text/javascript; charset=utf-8'],
  '/words.js': ['words.js', 'text/javascript; charset=utf-8'],
} as const

const BODY_BYTES_MAX = 16_384
const STATUS_OF: Readonly<Record<Refusal['why'], number>> = { conflict: 409, invalid: 400, missing: 404 }

export function buildControl(parts: ControlParts): FastifyInstance {
  const { bank } = parts
  const app = Fastify({ logger: false, bodyLimit: BODY_BYTES_MAX })
  // JSON alone: a foreign form could post plain text without asking the browser first.
  app.removeContentTypeParser('text/plain')

  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    })
    const { host, origin } = request.headers
    const fetchSite = request.headers['sec-fetch-site']
    // Following a link to the page is not driving the bank.
    const visits = request.headers['sec-fetch-mode'] === 'navigate' && request.method === 'GET'
    const reason = reasonToRefuse({
      host,
      origin,
      fetchSite: typeof fetchSite === 'string' && !visits ? fetchSite : undefined,
    })
    if (reason === undefined) return
    await refuse(reply, { status: 403, code: 'DEMO_FOREIGN', title: 'Foreign request', detail: reason })
  })

  app.get('/api/state', () => ({
    at: new Date().toISOString(),
    environment: ENVIRONMENT,
    suretyUrl: parts.suretyUrl,
    sites: SITES,
    branches: BRANCHES,
    traffic: parts.traffic.state(),
    releaseEvents: parts.releases.state(),
    ...bank.state(),
  }))

  app.post('/api/deployments', async (request, reply) => {
    const body = parse(DeploymentBody, request.body)
    if (body.kind === 'problem') return refuse(reply, body.problem)
    const { service, version, scope, fault } = body.value
    return answer(
      reply,
      await bank.deploy({
        service,
        version,
        scope: scope.kind === 'branch' ? { ...scope, branches: [...new Set(scope.branches)] } : scope,
        fault: fault === undefined ? undefined : { ...fault, latencyMs: fault.latencyMs },
      }),
    )
  })

  app.post('/api/rollbacks', async (request, reply) => {
    const body = parse(RollbackBody, request.body)
    if (body.kind === 'problem') return refuse(reply, body.problem)
    return answer(reply, await bank.rollBack(body.value.service))
  })

  app.post('/api/faults', (request, reply) => {
    const body = parse(FaultBody, request.body)
    if (body.kind === 'problem') return refuse(reply, body.problem)
    const { service, version, site, kind, ratio, latencyMs } = body.value
    return answer(reply, bank.addFault({ service, version, site, kind, ratio, latencyMs }))
  })

  app.post('/api/sites', (request, reply) => {
    const body = parse(SiteBody, request.body)
    if (body.kind === 'problem') return refuse(reply, body.problem)
    return answer(reply, bank.setSite(body.value.site, body.value.state === 'down'))
  })

  app.post('/api/stress', (request, reply) => {
    const body = parse(StressBody, request.body)
    if (body.kind === 'problem') return refuse(reply, body.problem)
    parts.traffic.setStress(body.value.perSecond)
    return answer(reply, { kind: 'done', value: undefined })
  })

  app.delete<{ Params: { id: string } }>('/api/faults/:id', (request, reply) =>
    answer(reply, bank.removeFault(request.params.id)),
  )

  app.delete('/api/faults', (_request, reply) => answer(reply, bank.clearFaults()))

  for (const [path, [file, type]] of Object.entries(PAGE_FILES)) {
    app.get(path, async (_request, reply) => {
      await reply.type(type).send(await readFile(new URL(`./page/${file}`, import.meta.url)))
    })
  }
  // Browsers ask for it on their own.
  app.get('/favicon.ico', (_request, reply) => reply.code(204).send())

  app.setNotFoundHandler((request, reply) =>
    refuse(reply, {
      status: 404,
      code: 'DEMO_NOT_FOUND',
      title: 'No such address',
      detail: `${request.method} ${request.url} does not exist; the page is at / and the state at /api/state`,
    }),
  )

  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    const status = error.statusCode ?? 500
    return refuse(reply, {
      status,
      code: status < 500 ? 'DEMO_REQUEST' : 'DEMO_FAILED',
      title: status < 500 ? 'The request cannot be read' : 'The bank could not do this',
      detail:
        status === 415
          ? 'send the body as application/json'
          : [error.message, causeOf(error)].filter(Boolean).join(': '),
    })
  })
  return app
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : ''
}

type Parsed<Value> =
  { readonly kind: 'value'; readonly value: Value } | { readonly kind: 'problem'; readonly problem: Problem }

function parse<Shape extends z.ZodType>(shape: Shape, body: unknown): Parsed<z.output<Shape>> {
  const parsed = shape.safeParse(body ?? {})
  if (parsed.success) return { kind: 'value', value: parsed.data }
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.map(String).join('.') || 'body',
    message: issue.message,
  }))
  return {
    kind: 'problem',
    problem: {
      status: 400,
      code: 'DEMO_INVALID',
      title: 'The request is not valid',
      detail: errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
      errors,
    },
  }
}

function answer(reply: FastifyReply, outcome: Outcome<unknown>): FastifyReply {
  if (outcome.kind === 'done') return reply.code(200).send({ done: true, value: outcome.value ?? null })
  const { why, field, reason, remedy } = outcome
  return refuse(reply, {
    status: STATUS_OF[why],
    code: `DEMO_${why.toUpperCase()}`,
    title: 'The bank refused',
    detail: `${field}: ${reason}; ${remedy}`,
    errors: [{ field, message: `${reason}; ${remedy}` }],
  })
}

function refuse(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', ...problem }))
}
