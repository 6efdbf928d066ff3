// Users as they sign in: passwords, sessions, tokens. Who a user is and what he may, his object in the registry says; here is
// how he proves it.
//
// A session begins with a proof and ends by signing out, after IDLE without a request, or after LONGEST. Its cookie holds a
// random secret; the database holds its hash. What changes in the user's object holds from the next request on.

import { createHash, randomBytes } from 'node:crypto'
import { makeToken } from '../../ingest/runtime/tokens.ts'
import { authored, noteRefusal, suretyAuthor } from '../registry/authored.ts'
import type { Database, Queries } from '../registry/database.ts'
import type { UserSpec } from '../registry/kinds/people.ts'
import { checkObject } from '../registry/kinds.ts'
import type { Author, Metadata } from '../registry/object.ts'
import type { Registry } from '../registry/registry.ts'
import { hashPassword, isOutdated, isPassword, makePassword, passwordFault } from './passwords.ts'
import { ROLE_PERMISSIONS, type TokenScope } from './permissions.ts'
import type { Principal } from './principal.ts'
import { resolveScope } from './read-scope.ts'
import { buildThrottle } from './throttle.ts'

/** Says whether somebody is who he says: a directory of the bank (LDAP) stands beside our own passwords. */
export interface Verifier {
  /** Kept with the session: who vouched. */
  readonly name: string
  /** @param user  undefined: there is none of this name, or he may not sign in; the same work all the same */
  verify(user: string | undefined, secret: string): Promise<boolean>
}

export type SignedIn =
  | { readonly kind: 'in'; readonly secret: string; readonly principal: Principal; readonly endsAt: Date }
  /** The same for a name that is not there, a wrong password and a user who was disabled. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfterSeconds: number }

export type Session = {
  readonly id: string
  readonly user: string
  readonly provider: string
  readonly origin: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly endsAt: Date
}

export type ApiToken = {
  readonly id: string
  readonly user: string
  readonly name: string
  readonly scopes: readonly TokenScope[]
  readonly createdAt: Date
  readonly endsAt: Date | undefined
  readonly lastUsedAt: Date | undefined
}

export interface People {
  /** Makes the first admin where nobody could ever sign in. @returns the password, which is kept nowhere */
  begin(): Promise<{ readonly name: string; readonly password: string } | undefined>
  signIn(name: string, secret: string, author: Author): Promise<SignedIn>
  /** Begins a session for somebody whom another provider (OIDC) vouches for. @throws PeopleRefusal when he may not */
  openSession(user: string, provider: string, author: Author): Promise<Extract<SignedIn, { kind: 'in' }>>
  /** Who a session's secret stands for; its idle time begins anew. */
  ofSession(secret: string): Promise<Principal | undefined>
  ofToken(secret: string): Promise<Principal | undefined>
  /** @param user  undefined: of all */
  sessions(user: string | undefined): Promise<Session[]>
  /** @param user  whose it must be; undefined: anybody's @returns whether there was one */
  endSession(id: string, user: string | undefined, author: Author): Promise<boolean>
  /** Ends every other session of the user. @throws PeopleRefusal */
  changePassword(principal: Principal, current: string, next: string, author: Author): Promise<void>
  /** A new password that is told once; ends all sessions of the user. @throws PeopleRefusal */
  resetPassword(user: string, author: Author): Promise<string>
  tokens(user: string | undefined): Promise<ApiToken[]>
  /** @returns the token, which is kept nowhere @throws PeopleRefusal */
  createToken(
    wanted: { user: string; name: string; scopes: readonly TokenScope[]; endsAt: Date | undefined },
    author: Author,
  ): Promise<{ readonly id: string; readonly secret: string }>
  revokeToken(id: string, user: string | undefined, author: Author): Promise<boolean>
}

/** What a user asked for himself cannot be done. */
export class PeopleRefusal extends Error {
  readonly code: 'SURETY_PASSWORD_REFUSED' | 'SURETY_USER_REFUSED' | 'SURETY_TOKEN_INVALID'
  readonly statusCode: 400 | 404 | 429

  constructor(code: PeopleRefusal['code'], message: string, statusCode: PeopleRefusal['statusCode'] = 400) {
    super(message)
    this.name = 'Refused'
    this.code = code
    this.statusCode = statusCode
  }
}

const ADMIN = 'admin'
const IDLE_MS = 8 * 3_600_000
const LONGEST_MS = 7 * 86_400_000
// What is used is written down anew at most this often.
const SEEN_EVERY_MS = 60_000
const SESSIONS_MAX = 50
const TOKENS_MAX = 50
const LIST_MAX = 1000
const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export type PeopleParts = {
  readonly database: Database
  readonly registry: Registry
  readonly now: () => Date
  /** Asked in turn when our own passwords do not fit. */
  readonly verifiers?: readonly Verifier[]
}

export function buildPeople({ database, registry, now, verifiers = [] }: PeopleParts): People {
  const later = (ms: number) => new Date(now().getTime() + ms)
  const throttle = buildThrottle(database, now)
  const change = <Result>(author: Author, work: (queries: Queries) => Promise<Result>) =>
    authored(database, author, now(), work)

  const own: Verifier = {
    name: 'password',
    async verify(user, secret) {
      const [row] = await database.rows('SELECT hash FROM passwords WHERE user_name = $1', [user ?? ''])
      const kept = row?.['hash'] as string | undefined
      const fits = await isPassword(secret, kept)
      if (fits && kept !== undefined && isOutdated(kept))
        await database.rows('UPDATE passwords SET hash = $2 WHERE user_name = $1', [
          user ?? '',
          await hashPassword(secret),
        ])
      return fits
    },
  }

  async function openSession(
    queries: Queries,
    user: string,
    provider: string,
    author: Author,
  ): Promise<Extract<SignedIn, { kind: 'in' }>> {
    await queries.rows('DELETE FROM sessions WHERE ends_at < $1 OR last_seen_at < $2', [
      now(),
      later(-IDLE_MS),
    ])
    // The oldest give way: signing in for ever fills nothing.
    await queries.rows(
      `DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user_name = $1 ORDER BY last_seen_at DESC OFFSET ${SESSIONS_MAX - 1})`,
      [user],
    )
    const secret = randomBytes(32).toString('base64url')
    const endsAt = later(LONGEST_MS)
    await queries.rows(
      `INSERT INTO sessions (id, secret_hash, user_name, provider, origin, created_at, last_seen_at, ends_at)
      VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
      [makeId(), hashOf(secret), user, provider, author.origin, now(), endsAt],
    )
    const principal = await sessionPrincipal(queries, secret)
    if (principal === undefined) throw new PeopleRefusal('SURETY_USER_REFUSED', `«${user}» may not sign in`)
    return { kind: 'in', secret, principal, endsAt }
  }

  async function sessionPrincipal(queries: Queries, secret: string): Promise<Principal | undefined> {
    const [row] = await queries.rows(
      `SELECT s.id, s.user_name, s.last_seen_at, s.ends_at, o.spec, o.metadata, s.provider = 'password' AND coalesce(p.is_one_time, false) AS must_change
      FROM sessions s JOIN objects o ON o.kind = 'user' AND o.name = s.user_name LEFT JOIN passwords p ON p.user_name = s.user_name
      WHERE s.secret_hash = $1 AND s.ends_at > $2 AND s.last_seen_at > $3`,
      [hashOf(secret), now(), later(-IDLE_MS)],
    )
    if (row === undefined) return undefined
    const base = await userPrincipal(queries, row)
    if (base === undefined) return undefined
    if (isDue(row['last_seen_at']))
      await queries.rows('UPDATE sessions SET last_seen_at = $2 WHERE secret_hash = $1', [
        hashOf(secret),
        now(),
      ])
    const session = { id: row['id'] as string, endsAt: row['ends_at'] as Date }
    return { ...base, session, mustChange: row['must_change'] === true }
  }

  const isDue = (at: unknown) => !(at instanceof Date) || now().getTime() - at.getTime() > SEEN_EVERY_MS

  return {
    async begin() {
      const [row] = await database.rows('SELECT count(*) AS there FROM passwords')
      if (Number(row?.['there']) > 0) return undefined
      const author = suretyAuthor('first start')
      const kept = await registry.get('user', ADMIN)
      if (kept === undefined) {
        const checked = checkObject('user', ADMIN, {}, { role: 'admin' })
        if ('wanted' in checked) await registry.put(checked.wanted, author)
      }
      const password = makePassword()
      const hash = await hashPassword(password)
      // Of several that start together one tells.
      const made = await change(author, (queries) =>
        queries.rows(
          'INSERT INTO passwords (user_name, hash, is_one_time, changed_at) VALUES ($1, $2, true, $3) ON CONFLICT DO NOTHING RETURNING 1',
          [ADMIN, hash, now()],
        ),
      )
      return made.length === 0 ? undefined : { name: ADMIN, password }
    },

    async signIn(name, secret, author) {
      const waitMs = await throttle.begin(name, author.origin)
      if (waitMs > 0) return { kind: 'later', retryAfterSeconds: Math.ceil(waitMs / 1000) }
      const user = await registry.get('user', name)
      const spec = user?.spec as UserSpec | undefined
      const mayTry = spec !== undefined && !spec.disabled && spec.type === 'person'
      for (const verifier of [own, ...verifiers]) {
        if (!(await verifier.verify(mayTry ? name : undefined, secret)) || !mayTry) continue
        await throttle.succeeded(name, author.origin)
        return change({ ...author, actor: name, via: verifier.name }, (queries) =>
          openSession(queries, name, verifier.name, author),
        )
      }
      // What stands for a name may be a password that went into the wrong field.
      const known = { kind: 'session', name: user === undefined ? 'a user that is not there' : name }
      await noteRefusal(database, { ...author, reason: 'wrong name or password' }, now(), known)
      return { kind: 'refused' }
    },

    openSession: (user, provider, author) =>
      change({ ...author, actor: user, via: provider }, (queries) =>
        openSession(queries, user, provider, author),
      ),

    ofSession: (secret) => sessionPrincipal(database, secret),

    async ofToken(secret) {
      const [row] = await database.rows(
        `SELECT t.id, t.name AS token, t.user_name, t.scopes, t.last_used_at, o.spec, o.metadata
        FROM api_tokens t JOIN objects o ON o.kind = 'user' AND o.name = t.user_name
        WHERE t.secret_hash = $1 AND (t.ends_at IS NULL OR t.ends_at > $2)`,
        [hashOf(secret), now()],
      )
      if (row === undefined) return undefined
      const base = await userPrincipal(database, row)
      if (base === undefined) return undefined
      if (isDue(row['last_used_at']))
        await database.rows('UPDATE api_tokens SET last_used_at = $2 WHERE id = $1', [
          row['id'] as string,
          now(),
        ])
      const tokenScopes = row['scopes'] as readonly TokenScope[]
      return { ...base, via: `token ${String(row['token'])}`, tokenScopes }
    },

    async sessions(user) {
      const rows = await database.rows(
        `SELECT id, user_name, provider, origin, created_at, last_seen_at, ends_at FROM sessions
        WHERE ($1::text IS NULL OR user_name = $1) AND ends_at > $2 AND last_seen_at > $3 ORDER BY last_seen_at DESC LIMIT ${LIST_MAX}`,
        [user ?? null, now(), later(-IDLE_MS)],
      )
      return rows.map((row) => ({
        id: row['id'] as string,
        user: row['user_name'] as string,
        provider: row['provider'] as string,
        origin: row['origin'] as string,
        createdAt: row['created_at'] as Date,
        lastSeenAt: row['last_seen_at'] as Date,
        endsAt: row['ends_at'] as Date,
      }))
    },

    endSession: (id, user, author) => removeOne('sessions', id, user, author),

    async changePassword(principal, current, next, author) {
      const refuse = (message: string) => new PeopleRefusal('SURETY_PASSWORD_REFUSED', message)
      // Guessing the current one in a session that was left open is guessing, too.
      const waitMs = await throttle.begin(principal.name, author.origin)
      if (waitMs > 0)
        throw new PeopleRefusal(
          'SURETY_PASSWORD_REFUSED',
          `too many wrong passwords; wait ${Math.ceil(waitMs / 1000)} seconds`,
          429,
        )
      if (!(await own.verify(principal.name, current))) throw refuse('the current password is another one')
      await throttle.succeeded(principal.name, author.origin)
      const fault = passwordFault(next, principal.name)
      if (fault !== undefined) throw refuse(`the new password ${fault}`)
      if (next === current) throw refuse('the new password is the current one')
      const hash = await hashPassword(next)
      await change(author, async (queries) => {
        await queries.rows(
          'UPDATE passwords SET hash = $2, is_one_time = false, changed_at = $3 WHERE user_name = $1',
          [principal.name, hash, now()],
        )
        await queries.rows('DELETE FROM sessions WHERE user_name = $1 AND id <> $2', [
          principal.name,
          principal.session?.id ?? '',
        ])
      })
    },

    async resetPassword(user, author) {
      const spec = (await registry.get('user', user))?.spec as UserSpec | undefined
      if (spec === undefined)
        throw new PeopleRefusal('SURETY_USER_REFUSED', `There is no user «${user}»`, 404)
      if (spec.type === 'program')
        throw new PeopleRefusal(
          'SURETY_USER_REFUSED',
          `«${user}» is a program; it has tokens and no password`,
        )
      const password = makePassword()
      const hash = await hashPassword(password)
      await change(author, async (queries) => {
        await queries.rows(
          `INSERT INTO passwords (user_name, hash, is_one_time, changed_at) VALUES ($1, $2, true, $3)
          ON CONFLICT (user_name) DO UPDATE SET hash = $2, is_one_time = true, changed_at = $3`,
          [user, hash, now()],
        )
        await queries.rows('DELETE FROM sessions WHERE user_name = $1', [user])
        await queries.rows('DELETE FROM sign_in_failures WHERE subject = $1 OR subject LIKE $2', [
          `user ${user}`,
          `both ${user.replaceAll(/[\\%_]/g, '\\$&')} %`,
        ])
      })
      return password
    },

    async tokens(user) {
      const rows = await database.rows(
        `SELECT id, user_name, name, scopes, created_at, ends_at, last_used_at FROM api_tokens
        WHERE $1::text IS NULL OR user_name = $1 ORDER BY user_name, name LIMIT ${LIST_MAX}`,
        [user ?? null],
      )
      return rows.map((row) => ({
        id: row['id'] as string,
        user: row['user_name'] as string,
        name: row['name'] as string,
        scopes: row['scopes'] as readonly TokenScope[],
        createdAt: row['created_at'] as Date,
        endsAt: (row['ends_at'] as Date | null) ?? undefined,
        lastUsedAt: (row['last_used_at'] as Date | null) ?? undefined,
      }))
    },

    async createToken({ user, name, scopes, endsAt }, author) {
      const refuse = (message: string, status: 400 | 404 = 400) =>
        new PeopleRefusal('SURETY_TOKEN_INVALID', message, status)
      const spec = (await registry.get('user', user))?.spec as UserSpec | undefined
      if (spec === undefined) throw refuse(`There is no user «${user}»`, 404)
      if (!TOKEN_NAME.test(name)) throw refuse('name: must be 1 to 64 letters, digits, «.», «_», «-»')
      const beyond = scopes.filter((scope) => !ROLE_PERMISSIONS[spec.role].includes(scope))
      if (beyond.length > 0) throw refuse(`scopes: ${beyond.join(', ')} is more than a ${spec.role} may`)
      if (endsAt !== undefined && endsAt.getTime() <= now().getTime())
        throw refuse('endsAt: lies in the past')
      const secret = makeToken()
      const id = makeId()
      return change(author, async (queries) => {
        const rows = await queries.rows('SELECT name FROM api_tokens WHERE user_name = $1', [user])
        if (rows.some((row) => row['name'] === name))
          throw refuse(`name: «${user}» has a token «${name}» already; revoke it, or take another name`)
        if (rows.length >= TOKENS_MAX) throw refuse(`«${user}» has ${TOKENS_MAX} tokens; revoke some`)
        await queries.rows(
          'INSERT INTO api_tokens (id, secret_hash, user_name, name, scopes, created_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)',
          [id, hashOf(secret), user, name, [...new Set(scopes)], now(), endsAt ?? null],
        )
        return { id, secret }
      })
    },

    revokeToken: (id, user, author) => removeOne('api_tokens', id, user, author),
  }

  async function removeOne(
    table: 'sessions' | 'api_tokens',
    id: string,
    user: string | undefined,
    author: Author,
  ): Promise<boolean> {
    const sql = `DELETE FROM ${table} WHERE id = $1 AND ($2::text IS NULL OR user_name = $2) RETURNING 1`
    return change(author, async (queries) => (await queries.rows(sql, [id, user ?? null])).length > 0)
  }
}

/** What a user is now; undefined when he may not come in. */
async function userPrincipal(
  queries: Queries,
  row: Readonly<Record<string, unknown>>,
): Promise<Principal | undefined> {
  const name = row['user_name'] as string
  const spec = row['spec'] as UserSpec
  if (spec.disabled) return undefined
  return {
    kind: 'user',
    name,
    displayName: (row['metadata'] as Metadata).displayName ?? name,
    via: 'session',
    role: spec.role,
    teams: spec.teams,
    scope: await resolveScope(queries, spec.scope),
    tokenScopes: undefined,
    mustChange: false,
  }
}

const makeId = () => randomBytes(9).toString('base64url')

// Secrets are random, so a fast hash is enough.
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex')
