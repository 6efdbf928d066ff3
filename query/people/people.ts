// Users, their sessions, and how signing in is slowed down when somebody guesses.
//
// A session begins with a password and ends by signing out, after IDLE without a request, or after LONGEST. Its cookie holds a
// random token; the database holds its hash.

import { createHash, randomBytes } from 'node:crypto'
import type { Database, Queries } from '../registry/database.ts'
import { hashPassword, isPassword, makePassword, passwordFault } from './passwords.ts'

export const ROLES = ['viewer', 'operator', 'admin'] as const
export type UserRole = (typeof ROLES)[number]

export type User = {
  readonly name: string
  readonly displayName: string
  readonly role: UserRole
  readonly teams: readonly string[]
  readonly mustChange: boolean
}

export type SignedIn =
  | { readonly kind: 'in'; readonly token: string; readonly user: User; readonly endsAt: Date }
  /** The same for a name that is not there, a wrong password and a user who was disabled. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'later'; readonly retryAfterSeconds: number }

export interface People {
  /** Makes the first admin when there is no user. @returns the password, which is kept nowhere; undefined when there are users */
  begin(): Promise<{ readonly name: string; readonly password: string } | undefined>
  signIn(name: string, password: string, origin: string): Promise<SignedIn>
  /** The user of a session that has not ended; its idle time begins anew. */
  whoIs(token: string): Promise<User | undefined>
  signOut(token: string): Promise<void>
  /** Ends every other session of the user. @throws PasswordRefused */
  changePassword(token: string, current: string, next: string): Promise<void>
  /** @throws PasswordRefused when the name is taken or unfit */
  create(user: Omit<User, 'mustChange'>): Promise<{ readonly password: string }>
  disable(name: string): Promise<void>
}

export class PasswordRefused extends Error {}

const ADMIN = 'admin'
const IDLE_MS = 12 * 3_600_000
const LONGEST_MS = 7 * 86_400_000
// A session that is used is written down anew at most this often.
const SEEN_EVERY_MS = 60_000
const FREE_FAILURES = 5
const SLOWEST_MS = 15 * 60_000
const FORGET_MS = 86_400_000
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/

export function buildPeople(database: Database, now: () => Date): People {
  const later = (ms: number) => new Date(now().getTime() + ms)

  async function insert(queries: Queries, user: Omit<User, 'mustChange'>, password: string): Promise<void> {
    await queries.rows(
      'INSERT INTO users (name, display_name, role, teams, password_hash, must_change, created_at) VALUES ($1, $2, $3, $4, $5, true, $6)',
      [user.name, user.displayName, user.role, user.teams, await hashPassword(password), now()],
    )
  }

  /** How long somebody of these names and addresses has to wait. */
  async function waitMs(subjects: readonly string[]): Promise<number> {
    const rows = await database.rows(
      'SELECT failures, last_at FROM sign_in_failures WHERE subject = ANY($1)',
      [subjects],
    )
    const waits = rows.map((row) => {
      const beyond = Number(row['failures']) - FREE_FAILURES
      if (beyond < 0) return 0
      const until = (row['last_at'] as Date).getTime() + Math.min(SLOWEST_MS, 1000 * 2 ** beyond)
      return until - now().getTime()
    })
    return Math.max(0, ...waits)
  }

  async function failed(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects)
      await database.rows(
        `INSERT INTO sign_in_failures (subject, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (subject) DO UPDATE SET last_at = excluded.last_at,
          failures = CASE WHEN sign_in_failures.last_at < $3 THEN 1 ELSE sign_in_failures.failures + 1 END`,
        [subject, now(), later(-FORGET_MS)],
      )
  }

  return {
    begin: () =>
      database.transaction(async (queries) => {
        const [row] = await queries.rows('SELECT count(*) AS users FROM users')
        if (Number(row?.['users']) > 0) return undefined
        const password = makePassword()
        await insert(queries, { name: ADMIN, displayName: ADMIN, role: 'admin', teams: [] }, password)
        return { name: ADMIN, password }
      }),

    async signIn(name, password, origin) {
      const subjects = [`name ${name.slice(0, 64)}`, `from ${origin}`]
      const wait = await waitMs(subjects)
      if (wait > 0) return { kind: 'later', retryAfterSeconds: Math.ceil(wait / 1000) }
      const [row] = await database.rows(
        `SELECT ${USER}, password_hash, disabled_at FROM users WHERE name = $1`,
        [name],
      )
      const kept = row?.['disabled_at'] === null ? (row['password_hash'] as string | null) : null
      if (!(await isPassword(password, kept ?? undefined)) || row === undefined) {
        await failed(subjects)
        return { kind: 'refused' }
      }
      await database.rows('DELETE FROM sign_in_failures WHERE subject = $1', [subjects[0] ?? ''])
      await database.rows('DELETE FROM sessions WHERE ends_at < $1 OR last_seen_at < $2', [
        now(),
        later(-IDLE_MS),
      ])
      const token = randomBytes(32).toString('base64url')
      const endsAt = later(LONGEST_MS)
      await database.rows(
        'INSERT INTO sessions (token_hash, user_name, created_at, last_seen_at, ends_at, origin) VALUES ($1, $2, $3, $3, $4, $5)',
        [hashOf(token), name, now(), endsAt, origin],
      )
      return { kind: 'in', token, user: toUser(row), endsAt }
    },

    async whoIs(token) {
      const [row] = await database.rows(
        `SELECT ${USER}, last_seen_at FROM sessions JOIN users ON users.name = user_name
        WHERE token_hash = $1 AND ends_at > $2 AND last_seen_at > $3 AND disabled_at IS NULL`,
        [hashOf(token), now(), later(-IDLE_MS)],
      )
      if (row === undefined) return undefined
      if (now().getTime() - (row['last_seen_at'] as Date).getTime() > SEEN_EVERY_MS)
        await database.rows('UPDATE sessions SET last_seen_at = $2 WHERE token_hash = $1', [
          hashOf(token),
          now(),
        ])
      return toUser(row)
    },

    async signOut(token) {
      await database.rows('DELETE FROM sessions WHERE token_hash = $1', [hashOf(token)])
    },

    async changePassword(token, current, next) {
      const [row] = await database.rows(
        'SELECT name, password_hash FROM sessions JOIN users ON users.name = user_name WHERE token_hash = $1',
        [hashOf(token)],
      )
      const name = typeof row?.['name'] === 'string' ? row['name'] : ''
      if (!(await isPassword(current, (row?.['password_hash'] as string | null) ?? undefined)))
        throw new PasswordRefused('the current password is another one')
      const fault = passwordFault(next, name)
      if (fault !== undefined) throw new PasswordRefused(`the new password ${fault}`)
      if (next === current) throw new PasswordRefused('the new password is the current one')
      const hash = await hashPassword(next)
      await database.transaction(async (queries) => {
        await queries.rows(
          'UPDATE users SET password_hash = $2, must_change = false, revision = revision + 1 WHERE name = $1',
          [name, hash],
        )
        await queries.rows('DELETE FROM sessions WHERE user_name = $1 AND token_hash <> $2', [
          name,
          hashOf(token),
        ])
      })
    },

    create: (user) =>
      database.transaction(async (queries) => {
        if (!NAME.test(user.name))
          throw new PasswordRefused(
            'a user name has lower case letters, digits, dots, hyphens and underscores, 63 at most',
          )
        const [taken] = await queries.rows('SELECT 1 FROM users WHERE name = $1', [user.name])
        if (taken !== undefined) throw new PasswordRefused(`there is a user «${user.name}» already`)
        const password = makePassword()
        await insert(queries, user, password)
        return { password }
      }),

    disable: (name) =>
      database.transaction(async (queries) => {
        await queries.rows('UPDATE users SET disabled_at = $2, revision = revision + 1 WHERE name = $1', [
          name,
          now(),
        ])
        await queries.rows('DELETE FROM sessions WHERE user_name = $1', [name])
      }),
  }
}

const USER = 'name, display_name, role, teams, must_change'

function toUser(row: Readonly<Record<string, unknown>>): User {
  return {
    name: row['name'] as string,
    displayName: row['display_name'] as string,
    role: row['role'] as UserRole,
    teams: row['teams'] as readonly string[],
    mustChange: row['must_change'] === true,
  }
}

// Tokens are random, so a fast hash is enough.
const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')
