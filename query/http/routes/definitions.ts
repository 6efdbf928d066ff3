// Definitions one by one: systems, services, teams, users, calendars, exclusions, SLOs … The same four routes for every kind.

import { validatorCompiler } from 'fastify-type-provider-zod'
import type { FastifySchema, FastifySchemaCompiler } from 'fastify'
import { z } from 'zod'
import { mayRead, systemsOf } from '../../people/read-scope.ts'
import { writeCheck } from '../../people/write-rules.ts'
import { checkObject, DEFINITIONS, isOwnKind, MetadataShape } from '../../registry/kinds.ts'
import { KINDS, type Kind, type Wanted } from '../../registry/object.ts'
import type { ApiParts } from '../api.ts'
import { authorOfRequest, principalOf } from '../authors.ts'
import { readDocumentsOfApi } from '../documents.ts'
import { toDefinition } from '../definitions.ts'
import { InvalidRequest, noContent, notFound, notModified } from '../errors.ts'
import { ApiRefusal, bodyRefused } from '../refusals.ts'
import {
  Conflict,
  Definition,
  DefinitionsQuery,
  DefinitionsReply,
  NameParams,
  WriteQuery,
} from '../registry-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function definitionRoutes(app: TypedApp, parts: ApiParts): void {
  for (const kind of KINDS) routesOf(app, parts, kind)
}

// The body is described by its shape and checked by its kind, which says more about what is wrong.
const bodyUnchecked: FastifySchemaCompiler<FastifySchema> = (route) =>
  route.httpPart === 'body'
    ? (value: unknown) => ({ value })
    : (validatorCompiler as unknown as typeof bodyUnchecked)(route)

function routesOf(app: TypedApp, parts: ApiParts, kind: Kind): void {
  const { registry, cursors } = parts
  const { plural, document, spec } = DEFINITIONS[kind]
  const tags = ['registry']
  const base = `/api/v1/registry/${plural}`

  app.get(
    base,
    {
      schema: {
        summary: `${document}: all of them, in order of name`,
        tags,
        querystring: DefinitionsQuery,
        response: { 200: DefinitionsReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { limit, cursor, label, ...filter } = call.query
      const listing = { kind, label, ...filter }
      const after = cursor === undefined ? undefined : cursors.read(listing, cursor)
      if (cursor !== undefined && after === undefined)
        throw new InvalidRequest('cursor', 'is none of this list with these filters; begin without one')
      const labels = labelsOf(label)
      const within = systemsOf(principalOf(call).scope)
      const found = await registry.list(kind, { ...filter, labels, within, after, limit: limit + 1 })
      const items = found.slice(0, limit)
      const last = items.at(-1)
      const next = found.length > limit && last !== undefined ? cursors.make(listing, last.name) : null
      return { items: items.map(toDefinition), next }
    },
  )

  app.get(
    `${base}/:name`,
    {
      schema: {
        summary: `${document}: one of them`,
        description: 'The ETag is its revision; with If-None-Match it is not sent again.',
        tags,
        params: NameParams,
        response: { 200: Definition, 404: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const object = await registry.get(kind, name)
      if (object === undefined || !mayRead(principalOf(request).scope, object.system))
        return notFound(reply, `There is no ${kind} «${name}».`)
      void reply.header('etag', etagOf(object.revision)).header('cache-control', 'no-cache')
      if (tagsOf(request.headers['if-none-match']).includes(object.revision)) return notModified(reply)
      return toDefinition(object)
    },
  )

  app.put(
    `${base}/:name`,
    {
      config: { access: { door: 'api', scope: 'operate' } },
      validatorCompiler: bodyUnchecked as never,
      schema: {
        summary: `${document}: make or change one`,
        description:
          'If-None-Match: * makes it, If-Match: "REVISION" changes what was read at that revision; if it has changed meanwhile, the answer is 409 with both versions.',
        tags,
        params: NameParams,
        querystring: WriteQuery,
        body: (spec === undefined
          ? z.record(z.string(), z.unknown()).describe(`a document of ${DEFINITIONS[kind].apiVersion}`)
          : z.object({ metadata: MetadataShape.optional(), spec })) as z.ZodType,
        response: {
          200: Definition,
          201: Definition,
          400: Problem,
          409: Conflict,
          428: Problem,
          503: Problem,
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const wanted = await wantedOf(parts, kind, name, request.body)
      const check = writeCheck(principalOf(request))
      const expected = await expectedRevision(parts, kind, name, request.headers)
      const author = authorOfRequest(request, request.query.reason)
      const object = await registry.put(wanted, author, expected, check)
      void reply.code(expected === 0 ? 201 : 200).header('etag', etagOf(object.revision))
      return toDefinition(object)
    },
  )

  app.delete(
    `${base}/:name`,
    {
      config: { access: { door: 'api', scope: 'operate' } },
      schema: {
        summary: `${document}: delete one`,
        tags,
        params: NameParams,
        querystring: WriteQuery,
        response: { 204: z.null(), 404: Problem, 409: Conflict, 428: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      const author = authorOfRequest(request, request.query.reason)
      const expected = await expectedRevision(parts, kind, name, request.headers)
      const isGone = await registry.remove(kind, name, author, expected, writeCheck(principalOf(request)))
      return isGone ? noContent(reply) : notFound(reply, `There is no ${kind} «${name}».`)
    },
  )
}

async function wantedOf(parts: ApiParts, kind: Kind, name: string, body: unknown): Promise<Wanted> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw bodyRefused([{ path: [], message: 'must be an object with metadata and spec' }])
  if (isOwnKind(kind)) {
    const { metadata = {}, spec, ...others } = body as Record<string, unknown>
    const unknown = Object.keys(others).map((key) => ({
      path: [key],
      message: 'unknown field; there are metadata and spec',
    }))
    const checked = checkObject(kind, name, metadata, spec)
    if ('wanted' in checked && unknown.length === 0) return checked.wanted
    throw bodyRefused([...unknown, ...('faults' in checked ? checked.faults : [])])
  }
  const { objects } = await readDocumentsOfApi(parts, [{ file: 'body', text: JSON.stringify(body) }])
  const [wanted] = objects
  if (wanted === undefined || objects.length > 1 || wanted.kind !== kind || wanted.name !== name)
    throw bodyRefused([{ path: [], message: `must be one document of the ${kind} «${name}»` }])
  return wanted
}

/** @returns undefined for whatever is there, once it is there @throws ApiRefusal without a precondition */
async function expectedRevision(
  { registry }: ApiParts,
  kind: Kind,
  name: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Promise<number | undefined> {
  const match = headers['if-match']
  if (headers['if-none-match'] === '*') return 0
  if (match === '*') {
    if ((await registry.get(kind, name)) !== undefined) return undefined
    throw new ApiRefusal(404, 'SURETY_NOT_FOUND', `There is no ${kind} «${name}» to change.`)
  }
  const [revision] = tagsOf(match)
  if (revision !== undefined) return revision
  throw new ApiRefusal(
    428,
    'SURETY_REVISION_REQUIRED',
    'Say what you read: If-Match with the ETag of what is to be changed, If-None-Match: * for what is to be made.',
  )
}

const etagOf = (revision: number) => `"${revision}"`

/** Revisions in a list of entity tags; what is none of ours is left out. */
function tagsOf(header: string | string[] | undefined): number[] {
  return [header ?? ''].flat().flatMap((text) => {
    const found = text.matchAll(/(?:^|,)\s*(?:W\/)?"(\d{1,15})"\s*(?=,|$)/g)
    return [...found].map((match) => Number(match[1]))
  })
}

/** @throws InvalidRequest */
function labelsOf(
  label: string | readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined {
  if (label === undefined) return undefined
  return Object.fromEntries(
    [label].flat().map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new InvalidRequest('label', 'must be key=value')
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}
