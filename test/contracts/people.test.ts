// Who signs in, how long it lasts, what guessing costs, and what tokens may; on the embedded engine and on a PostgreSQL server.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPeople, type People, type SignedIn, type Verifier } from '../../query/people/people.ts'
import { hashPassword } from '../../query/people/passwords.ts'
import type { Principal } from '../../query/people/principal.ts'
import { openRegistry } from '../../query/open-registry.ts'
import { checkObject } from '../../query/registry/kinds.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Author } from '../../query/registry/object.ts'
import type { Registry } from '../../query/registry/registry.ts'
import { REGISTRY_KINDS, type RegistryPlace } from '../support/test-registries.ts'

const HOUR_MS = 3_600_000

describe.each(REGISTRY_KINDS)('$name', (kind) => {
  let place: RegistryPlace
  let database: Database
  let registry: Registry
  let people: People
  let nowMs = Date.UTC(2026, 10, 21)
  let first = { name: '', password: '' }
  const now = () => new Date(nowMs)
  const from = (origin: string): Author => ({
    actor: 'visitor',
    via: 'password',
    origin,
    reason: '',
    request: 'r',
  })
  const author: Author = { actor: 'admin', via: 'session', origin: '10.0.0.1', reason: '', request: 'r' }

  async function put(name: string, spec: object): Promise<void> {
    const checked = checkObject('user', name, { displayName: `${name} 李` }, spec)
    if ('faults' in checked) throw new Error(JSON.stringify(checked.faults))
    await registry.put(checked.wanted, author)
  }
  async function enter(name: string, password: string, origin = '10.9.0.1') {
    const signed = await people.signIn(name, password, from(origin))
    if (signed.kind !== 'in') throw new Error(`not let in: ${signed.kind}`)
    return signed
  }
  const auditOf = (of: string, name: string) => registry.audit({ kind: of, name, limit: 20 })

  beforeAll(async () => {
    place = await kind.make()
    await (await place.open()).close()
    const opened = await openRegistry(place.target, now)
    ;({ database, registry, people } = opened)
    first = opened.firstAdmin ?? first
  })
  afterAll(async () => {
    await database.close()
    await place.remove()
  })

  test('the first start makes one admin whose password is kept nowhere; the next tells none', async () => {
    expect(first).toMatchObject({
      name: 'admin',
      password: expect.stringMatching(/^[a-z2-9-]{23}$/) as string,
    })
    expect(await people.begin()).toBeUndefined()
    const dump = JSON.stringify([
      await database.rows('SELECT * FROM passwords'),
      await database.rows('SELECT * FROM audit'),
      await database.rows('SELECT * FROM objects'),
    ])
    expect(dump).not.toContain(first.password)
    expect(dump).toContain('scrypt$32768$8$3$')
    expect(await registry.get('user', 'admin')).toMatchObject({ spec: { role: 'admin' } })
  })

  test('a session is known by its secret alone, which the database does not hold', async () => {
    const { secret, principal } = await enter('admin', first.password)
    expect(principal).toMatchObject({ name: 'admin', role: 'admin', mustChange: true, scope: 'everything' })
    expect(await people.ofSession(secret)).toMatchObject({ name: 'admin' })
    expect(await people.ofSession(`${secret}x`)).toBeUndefined()
    expect(JSON.stringify(await database.rows('SELECT * FROM sessions'))).not.toContain(secret)
    const [session] = await people.sessions('admin')
    expect(session).toMatchObject({ user: 'admin', provider: 'password', origin: '10.9.0.1' })
    expect(await people.endSession(session?.id ?? '', 'somebody-else', author)).toBe(false)
    expect(await people.endSession(session?.id ?? '', 'admin', author)).toBe(true)
    expect(await people.ofSession(secret)).toBeUndefined()
    expect(await auditOf('session', session?.id ?? '')).toMatchObject([
      { action: 'delete' },
      { action: 'create', actor: 'admin', via: 'password', origin: '10.9.0.1' },
    ])
    const rows = JSON.stringify(await auditOf('session', session?.id ?? ''))
    expect(rows).not.toContain('secret_hash')
  })

  test('it ends after eight idle hours, and after seven days however busy', async () => {
    const idle = await enter('admin', first.password)
    nowMs += 8 * HOUR_MS + 1
    expect(await people.ofSession(idle.secret)).toBeUndefined()
    const busy = await enter('admin', first.password)
    for (let hour = 0; hour < 7 * 24 - 6; hour += 6) {
      nowMs += 6 * HOUR_MS
      expect(await people.ofSession(busy.secret)).toBeDefined()
    }
    nowMs += 6 * HOUR_MS
    expect(await people.ofSession(busy.secret)).toBeUndefined()
  })

  test('a new password ends the other sessions; what is unfit is refused with the reason', async () => {
    await put('li-wei', { role: 'operator' })
    const password = await people.resetPassword('li-wei', author)
    const [mine, other] = [await enter('li-wei', password), await enter('li-wei', password)]
    expect(mine.principal.mustChange).toBe(true)
    const change = (current: string, next: string) =>
      people.changePassword(mine.principal, current, next, { ...author, actor: 'li-wei' })
    const next = 'correct horse battery'
    await expect(change('wrong', next)).rejects.toThrow(/current password/)
    await expect(change(password, 'short')).rejects.toThrow(/5 characters; take at least 12/)
    await expect(change(password, 'my name is Li-Wei, yes')).rejects.toThrow(/user name/)
    await expect(change(password, 'aaaaaaaaaaaab')).rejects.toThrow(/repeats/)
    await expect(change(password, password)).rejects.toThrow(/is the current one/)
    await change(password, next)
    expect(await people.ofSession(other.secret)).toBeUndefined()
    expect(await people.ofSession(mine.secret)).toMatchObject({ displayName: 'li-wei 李', mustChange: false })
    expect(await people.signIn('li-wei', password, from('10.9.0.2'))).toEqual({ kind: 'refused' })
    await enter('li-wei', next)
    expect((await auditOf('password', 'li-wei')).map(({ action, actor }) => [action, actor])).toEqual([
      ['update', 'li-wei'],
      ['create', 'admin'],
    ])
  })

  test('what changes in the user holds from the next request on', async () => {
    const { secret } = await enter('li-wei', 'correct horse battery')
    await put('li-wei', { role: 'viewer' })
    expect(await people.ofSession(secret)).toMatchObject({ role: 'viewer' })
    await put('li-wei', { role: 'viewer', disabled: true })
    expect(await people.ofSession(secret)).toBeUndefined()
    expect(await people.signIn('li-wei', 'correct horse battery', from('10.9.0.3'))).toEqual({
      kind: 'refused',
    })
    await registry.remove('user', 'li-wei', author)
    expect(await database.rows("SELECT 1 FROM passwords WHERE user_name = 'li-wei'")).toEqual([])
    expect(await people.sessions('li-wei')).toEqual([])
  })

  test('guessing slows down, for names that are there and names that are not alike', async () => {
    nowMs += 2 * 24 * HOUR_MS
    for (const name of ['admin', 'nobody']) {
      const attempt = (password: string) => people.signIn(name, password, from(`10.0.0.${name.length}`))
      for (let failure = 0; failure < 5; failure += 1)
        expect(await attempt('wrong')).toEqual({ kind: 'refused' })
      const right = name === 'admin' ? first.password : 'wrong'
      expect(await attempt(right)).toEqual({ kind: 'later', retryAfterSeconds: 1 })
      nowMs += 1001
      expect(await attempt('wrong')).toEqual({ kind: 'refused' })
      expect(await attempt('wrong')).toEqual({ kind: 'later', retryAfterSeconds: 2 })
    }
    // Who is elsewhere is not locked out by it.
    await enter('admin', first.password, '10.0.0.99')
    expect(
      await registry.audit({ kind: 'session', action: 'refuse', name: 'admin', limit: 50 }),
    ).toHaveLength(6)
    const unknown = await registry.audit({ action: 'refuse', name: 'a user that is not there', limit: 50 })
    expect(unknown.length).toBeGreaterThanOrEqual(6)
  })

  test('many guesses at the same time gain nothing', async () => {
    nowMs += 2 * 24 * HOUR_MS
    const tries = await Promise.all(
      Array.from({ length: 20 }, () => people.signIn('admin', 'wrong', from('10.7.0.1'))),
    )
    expect(tries.filter((one: SignedIn) => one.kind === 'refused')).toHaveLength(5)
    expect(tries.filter((one: SignedIn) => one.kind === 'later')).toHaveLength(15)
  })

  test('an address that tries many names waits, whatever part of its network it uses', async () => {
    const outcomes: string[] = []
    for (let n = 0; n < 31; n += 1)
      outcomes.push((await people.signIn(`name-${n}`, 'wrong', from(`2001:db8:1:2:${n}::1`))).kind)
    expect(outcomes.slice(0, 30)).not.toContain('later')
    expect(outcomes[30]).toBe('later')
    expect((await people.signIn('name-x', 'wrong', from('2001:db8:1:3::1'))).kind).toBe('refused')
  })

  test('a token stands for its user, for its scopes, until its end', async () => {
    await put('robot', { role: 'operator', type: 'program' })
    await expect(people.resetPassword('robot', author)).rejects.toThrow(/is a program/)
    const wanted = { user: 'robot', name: 'ci', scopes: ['read', 'write'] as const, endsAt: undefined }
    const { id, secret } = await people.createToken(wanted, author)
    expect(secret).toMatch(/^surety_[\w-]{43}$/)
    expect(JSON.stringify(await database.rows('SELECT * FROM api_tokens'))).not.toContain(secret)
    expect(await people.ofToken(secret)).toMatchObject({
      name: 'robot',
      via: 'token ci',
      role: 'operator',
      tokenScopes: ['read', 'write'],
    } satisfies Partial<Principal>)
    expect(await people.ofToken(`${secret}x`)).toBeUndefined()
    await expect(people.createToken(wanted, author)).rejects.toThrow(/has a token «ci» already/)
    await expect(
      people.createToken({ ...wanted, name: 'b', scopes: ['administer'] }, author),
    ).rejects.toThrow(/administer is more than a operator may|administer is more than/)
    await expect(people.createToken({ ...wanted, name: 'b', endsAt: now() }, author)).rejects.toThrow(
      /in the past/,
    )
    await expect(people.createToken({ ...wanted, user: 'nobody' }, author)).rejects.toThrow(
      /no user «nobody»/,
    )
    const short = await people.createToken(
      { ...wanted, name: 'short', endsAt: new Date(nowMs + HOUR_MS) },
      author,
    )
    expect(await people.ofToken(short.secret)).toBeDefined()
    nowMs += HOUR_MS
    expect(await people.ofToken(short.secret)).toBeUndefined()
    expect((await people.tokens('robot')).map(({ name }) => name)).toEqual(['ci', 'short'])
    expect(await people.revokeToken(id, 'somebody', author)).toBe(false)
    expect(await people.revokeToken(id, undefined, author)).toBe(true)
    expect(await people.ofToken(secret)).toBeUndefined()
    expect(JSON.stringify(await auditOf('token', id))).not.toContain('secret_hash')
  })

  test('a program does not sign in, not even with a password that was put there', async () => {
    await database.rows(
      "INSERT INTO passwords (user_name, hash, is_one_time, changed_at) VALUES ('robot', $1, false, now())",
      [await hashPassword('correct horse battery')],
    )
    expect((await people.signIn('robot', 'correct horse battery', from('10.5.0.1'))).kind).toBe('refused')
  })

  test('a reader of an organisation reads its systems and those below', async () => {
    const own = (of: 'organisation' | 'team' | 'system', name: string, spec: object) => {
      const checked = checkObject(of, name, {}, spec)
      if ('faults' in checked) throw new Error(JSON.stringify(checked.faults))
      return checked.wanted
    }
    const system = { team: 't', tier: 'general', type: 'core', origin: 'in-house' }
    await registry.apply(
      [
        own('organisation', 'bank', { type: 'head-office' }),
        own('organisation', 'leasing', { type: 'subsidiary', parent: 'bank' }),
        own('organisation', 'leasing-east', { type: 'branch', parent: 'leasing' }),
        own('team', 't', {}),
        own('system', 'core', { ...system, organisation: 'bank' }),
        own('system', 'lease', { ...system, organisation: 'leasing' }),
        own('system', 'lease-east', { ...system, organisation: 'leasing-east' }),
        own('system', 'extra', system),
      ],
      author,
      { bundle: '' },
    )
    await put('reader', { role: 'viewer', scope: { organisations: ['leasing'], systems: ['extra'] } })
    const { principal } = await enter('reader', await people.resetPassword('reader', author), '10.4.0.1')
    expect(principal.scope).toEqual({ systems: new Set(['lease', 'lease-east', 'extra']) })
  })

  test('a directory of the bank may say who somebody is, for users that are here', async () => {
    const asked: (string | undefined)[] = []
    const directory: Verifier = {
      name: 'ldap',
      verify: (user, secret) =>
        Promise.resolve(asked.push(user) > 0 && user !== undefined && secret === 'of the bank'),
    }
    const both = buildPeople({ database, registry, now, verifiers: [directory] })
    await put('zhou', { role: 'viewer' })
    const signed = await both.signIn('zhou', 'of the bank', from('10.3.0.1'))
    expect(signed).toMatchObject({ kind: 'in', principal: { name: 'zhou', mustChange: false } })
    expect(await both.sessions('zhou')).toMatchObject([{ provider: 'ldap' }])
    expect((await both.signIn('stranger', 'of the bank', from('10.3.0.1'))).kind).toBe('refused')
    expect(asked).toEqual(['zhou', undefined])
    const vouched = await both.openSession('zhou', 'oidc', from('10.3.0.2'))
    expect(await both.ofSession(vouched.secret)).toMatchObject({ name: 'zhou' })
  })
})
