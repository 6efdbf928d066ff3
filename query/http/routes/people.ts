// Signing in and out, one's own password, sessions and tokens, and the password that an admin gives.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { callerAddress, cookieName, isOwnPage } from '../../people/callers.ts'
import { may, type Principal } from '../../people/principal.ts'
import { PERMISSIONS } from '../../people/permissions.ts'
import { systemsOf } from '../../people/read-scope.ts'
import type { ApiParts } from '../api.ts'
import { authorOfRequest, principalOf } from '../authors.ts'
import { noContent, notFound } from '../errors.ts'
import { ApiRefusal } from '../refusals.ts'
import {
  IdParams,
  NameParams,
  OwnersQuery,
  PasswordBody,
  PasswordMade,
  SessionsReply,
  SignInBody,
  TokenBody,
  TokenMade,
  TokensReply,
  Who,
  WriteQuery,
} from '../registry-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function peopleRoutes(app: TypedApp, { people, browsers, clock }: ApiParts): void {
  const tags = ['people']
  const config = { access: { door: 'api', scope: 'read' } } as const
  const cookie = (secret: string, seconds: number) =>
    `${cookieName(browsers.isSecure)}=${secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${browsers.isSecure ? '; Secure' : ''}`

  app.post(
    '/api/v1/session',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Sign in with a password; the session is in a cookie',
        tags,
        body: SignInBody,
        response: { 200: Who, 400: Problem, 401: Problem, 403: Problem, 429: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      // Nor may another page sign its reader in as somebody else.
      const { origin, 'sec-fetch-site': site } = request.headers
      if ((origin !== undefined || site !== undefined) && !isOwnPage(request))
        throw new ApiRefusal(403, 'SURETY_CROSS_SITE', 'Signing in is for pages of Surety itself.')
      const { user, password } = request.body
      const address = callerAddress(request, browsers.isProxied)
      const signed = await people.signIn(user, password, {
        actor: 'visitor',
        via: 'password',
        origin: address,
        reason: 'sign in',
        request: crypto.randomUUID(),
      })
      if (signed.kind === 'later')
        throw new ApiRefusal(
          429,
          'SURETY_SIGN_IN_LATER',
          `Too many wrong passwords; try again in ${signed.retryAfterSeconds} seconds.`,
          { 'retry-after': String(signed.retryAfterSeconds) },
        )
      if (signed.kind === 'refused')
        throw new ApiRefusal(
          401,
          'SURETY_SIGN_IN_REFUSED',
          'The name or the password is wrong, or the user is disabled.',
        )
      const seconds = Math.floor((signed.endsAt.getTime() - clock.now()) / 1000)
      void reply.header('set-cookie', cookie(signed.secret, seconds)).header('cache-control', 'no-store')
      return toWho(signed.principal)
    },
  )

  app.get(
    '/api/v1/session',
    {
      schema: {
        summary: 'Who am I, and what may I do?',
        tags,
        response: { 200: Who, 401: Problem, 503: Problem },
      },
    },
    (request, reply) => {
      void reply.header('cache-control', 'no-store')
      return toWho(principalOf(request))
    },
  )

  app.delete(
    '/api/v1/session',
    { config, schema: { summary: 'Sign out', tags, response: { 204: z.null(), 503: Problem } } },
    async (request, reply) => {
      const { session, name } = principalOf(request)
      if (session !== undefined)
        await people.endSession(session.id, name, authorOfRequest(request, 'sign out'))
      return noContent(reply.header('set-cookie', cookie('', 0)))
    },
  )

  app.put(
    '/api/v1/session/password',
    {
      config,
      schema: {
        summary: 'Change my password; my other sessions end',
        tags,
        body: PasswordBody,
        response: { 204: z.null(), 400: Problem, 429: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { current, next } = request.body
      const principal = principalOf(request)
      if (principal.kind !== 'user') throw notAUser()
      await people.changePassword(principal, current, next, authorOfRequest(request, 'own password'))
      return noContent(reply)
    },
  )

  app.get(
    '/api/v1/sessions',
    {
      schema: {
        summary: 'My sessions',
        tags,
        querystring: OwnersQuery,
        response: { 200: SessionsReply, 503: Problem },
      },
    },
    async (call) => {
      const mine = principalOf(call).session?.id
      const items = await people.sessions(ownerOf(call, call.query.user))
      return {
        items: items.map((session) => ({
          ...session,
          createdAt: session.createdAt.toISOString(),
          lastSeenAt: session.lastSeenAt.toISOString(),
          endsAt: session.endsAt.toISOString(),
          isThis: session.id === mine,
        })),
      }
    },
  )

  app.delete(
    '/api/v1/sessions/:id',
    {
      config,
      schema: {
        summary: 'End a session of mine; of anybody for those who administer',
        tags,
        params: IdParams,
        querystring: WriteQuery,
        response: { 204: z.null(), 404: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const author = authorOfRequest(request, request.query.reason)
      const isGone = await people.endSession(request.params.id, whose(request), author)
      return isGone ? noContent(reply) : notFound(reply, 'There is no such session.')
    },
  )

  app.get(
    '/api/v1/tokens',
    {
      schema: {
        summary: 'My tokens',
        tags,
        querystring: OwnersQuery,
        response: { 200: TokensReply, 503: Problem },
      },
    },
    async (call) => {
      const items = await people.tokens(ownerOf(call, call.query.user))
      return {
        items: items.map((token) => ({
          ...token,
          scopes: [...token.scopes],
          createdAt: token.createdAt.toISOString(),
          endsAt: token.endsAt?.toISOString() ?? null,
          lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
        })),
      }
    },
  )

  app.post(
    '/api/v1/tokens',
    {
      config,
      schema: {
        summary: 'Make a token of mine; of anybody for those who administer',
        tags,
        querystring: WriteQuery,
        body: TokenBody,
        response: { 201: TokenMade, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { name, scopes, endsAt, user } = request.body
      const owner = ownerOf(request, user)
      if (owner === undefined) throw notAUser()
      const wanted = {
        user: owner,
        name,
        scopes,
        endsAt: endsAt === undefined ? undefined : new Date(endsAt),
      }
      const { id, secret } = await people.createToken(wanted, authorOfRequest(request, request.query.reason))
      void reply.code(201).header('cache-control', 'no-store')
      return { id, token: secret }
    },
  )

  app.delete(
    '/api/v1/tokens/:id',
    {
      config,
      schema: {
        summary: 'Revoke a token of mine; of anybody for those who administer',
        tags,
        params: IdParams,
        querystring: WriteQuery,
        response: { 204: z.null(), 404: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const author = authorOfRequest(request, request.query.reason)
      const isGone = await people.revokeToken(request.params.id, whose(request), author)
      return isGone ? noContent(reply) : notFound(reply, 'There is no such token.')
    },
  )

  app.post(
    '/api/v1/registry/users/:name/password',
    {
      config,
      schema: {
        summary: 'Give a user a password that is good for one sign-in; his sessions end',
        tags,
        params: NameParams,
        querystring: WriteQuery,
        response: { 200: PasswordMade, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const author = authorOfRequest(request, request.query.reason)
      void reply.header('cache-control', 'no-store')
      return { password: await people.resetPassword(request.params.name, author) }
    },
  )
}

const notAUser = () =>
  new ApiRefusal(
    400,
    'SURETY_INVALID_REQUEST',
    'You are no user; say whose it is by «user» where there is one.',
  )

/** @returns a user's name; undefined for all, and for whoever is no user and names none @throws ApiRefusal */
function ownerOf(request: FastifyRequest, asked: string | undefined): string | undefined {
  const principal = principalOf(request)
  const own = principal.kind === 'user' ? principal.name : undefined
  if (asked === undefined || asked === own) return own
  if (may(principal, 'administer')) return asked === '*' ? undefined : asked
  throw new ApiRefusal(403, 'SURETY_NOT_ALLOWED', 'What belongs to other users is for those who administer.')
}

/** Whose sessions and tokens a caller may end: his own, or anybody's. */
function whose(request: FastifyRequest): string | undefined {
  const principal = principalOf(request)
  return may(principal, 'administer') ? undefined : principal.name
}

function toWho(principal: Principal): Who {
  const { kind, name, displayName, via, role, teams, scope, mustChange, session } = principal
  return {
    kind,
    name,
    displayName,
    via,
    role,
    teams: [...teams],
    systems: systemsOf(scope)?.toSorted() ?? null,
    permissions: PERMISSIONS.filter((permission) => permission !== 'door' && may(principal, permission)),
    mustChangePassword: mustChange,
    endsAt: session?.endsAt.toISOString() ?? null,
  }
}
