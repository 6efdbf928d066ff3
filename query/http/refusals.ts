// What the registry and the people refuse, as problem+json with stable codes. Set on the plugin that holds their routes; what is
// not theirs goes on to the application.

import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { problem, PROBLEM_JSON } from '../../ingest/runtime/http-app.ts'
import { PeopleRefusal } from '../people/people.ts'
import { NotAllowed } from '../people/write-rules.ts'
import { ConsentNeeded, RevisionConflict, RulesBroken } from '../registry/errors.ts'
import type { Fault } from '../registry/kinds.ts'
import { pathText } from '../openslo/problem.ts'
import type { DocumentProblem } from '../registry/bundle.ts'
import { toChangeItem, toDefinition } from './definitions.ts'

/** A request that is well-formed and still refused, with its own status, code and headers. */
export class ApiRefusal extends Error {
  readonly statusCode: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    statusCode: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'ApiRefusal'
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}

/** What somebody sent is not what may be kept: each place with its remedy. */
export class ContentRefused extends Error {
  readonly code: 'SURETY_INVALID_REQUEST' | 'SURETY_DOCUMENTS_INVALID'
  readonly errors: readonly { place: string; message: string }[]

  constructor(code: ContentRefused['code'], errors: ContentRefused['errors']) {
    super(errors.map(({ place, message }) => `${place}: ${message}`).join('; '))
    this.name = 'ContentRefused'
    this.code = code
    this.errors = errors
  }
}

export const bodyRefused = (faults: readonly Fault[]) =>
  new ContentRefused(
    'SURETY_INVALID_REQUEST',
    faults.map(({ path, message }) => ({ place: `body.${pathText(path)}`, message })),
  )

const ERRORS_MAX = 200

/** @param problems  at least one error */
export const documentsRefused = (problems: readonly DocumentProblem[]) =>
  new ContentRefused(
    'SURETY_DOCUMENTS_INVALID',
    problems
      .filter(({ severity }) => severity === 'error')
      .slice(0, ERRORS_MAX)
      .map(({ file, line, path, message, remedy }) => ({
        place: `${file}:${line}${path === '' ? '' : ` ${path}`}`,
        message: remedy === undefined ? message : `${message}; ${remedy}`,
      })),
  )

const DETAIL_MAX = 2000
const TITLES: Readonly<Record<number, string>> = {
  400: 'Invalid request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Conflict',
  428: 'Precondition required',
  429: 'Too many requests',
}

export function refuseInWords(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, _, reply) => {
    const send = (
      status: number,
      code: string,
      more: object = {},
      errors?: readonly { place: string; message: string }[],
    ): FastifyReply =>
      reply
        .code(status)
        .type(PROBLEM_JSON)
        .send({
          ...problem(status, code, TITLES[status] ?? 'Refused', error.message.slice(0, DETAIL_MAX), errors),
          ...more,
        })
    if (error instanceof ApiRefusal) {
      void reply.headers(error.headers)
      return send(error.statusCode, error.code)
    }
    if (error instanceof ContentRefused) return send(400, error.code, {}, error.errors)
    if (error instanceof NotAllowed || error instanceof PeopleRefusal)
      return send(error.statusCode, error.code)
    if (error instanceof RevisionConflict) {
      const { current, wanted } = error
      return send(409, 'SURETY_REVISION_CONFLICT', {
        current: current === undefined ? null : toDefinition(current),
        yours: { metadata: wanted.metadata ?? {}, spec: wanted.spec },
      })
    }
    if (error instanceof RulesBroken) {
      const errors = error.faults.map(({ object, path, message }) => ({
        place: `${object}${path === '' ? '' : ` ${path}`}`,
        message,
      }))
      return send(409, 'SURETY_RULES_BROKEN', {}, errors)
    }
    if (error instanceof ConsentNeeded) {
      const { plan, changes } = error.applied
      return send(409, 'SURETY_CONSENT_NEEDED', { plan, changes: changes.map(toChangeItem) })
    }
    throw error
  })
}
