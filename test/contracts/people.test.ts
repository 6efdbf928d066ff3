// Who signs in, how long it lasts, and what guessing costs; on the embedded engine and, when SURETY_TEST_DATABASE_URL names
// one, on a PostgreSQL server.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildPeople, type People } from '../../query/people/people.ts'
import { openDatabase, type Database, type DatabaseTarget } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-people-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const url = process.env['SURETY_TEST_DATABASE_URL']
const TARGETS: readonly { readonly name: string; readonly target: DatabaseTarget }[] = [
  { name: 'embedded', target: { kind: 'embedded', dataDir: folder } },
  ...(url === undefined ? [] : [{ name: 'server', target: { kind: 'server', url } } as const]),
]
const HOUR_MS = 3_600_000

describe.each(TARGETS)('$name', ({ target }) => {
  let database: Database
  let people: People
  let nowMs = Date.UTC(2026, 10, 21)
  let first = { name: '', password: '' }
  const from = '127.0.0.1'
  async function enter(name: string, password: string): Promise<string> {
    const signed = await people.signIn(name, password, from)
    if (signed.kind !== 'in') throw new Error(`not let in: ${signed.kind}`)
    return signed.token
  }

  beforeAll(async () => {
    database = await openDatabase(target)
    await database.script('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await migrateRegistry(database)
    people = buildPeople(database, () => new Date(nowMs))
    first = (await people.begin()) ?? first
    return () => database.close()
  })

  test('the first start makes one admin whose password is kept nowhere; the next makes none', async () => {
    expect(first).toMatchObject({
      name: 'admin',
      password: expect.stringMatching(/^[a-z2-9-]{23}$/) as string,
    })
    expect(await people.begin()).toBeUndefined()
    const dump = JSON.stringify(await database.rows('SELECT * FROM users'))
    expect(dump).not.toContain(first.password)
    expect(dump).toContain('scrypt$131072$8$1$')
  })

  test('a session is known by its token alone, which the database does not hold', async () => {
    const token = await enter('admin', first.password)
    expect(await people.whoIs(token)).toMatchObject({ name: 'admin', role: 'admin', mustChange: true })
    expect(await people.whoIs(`${token}x`)).toBeUndefined()
    expect(JSON.stringify(await database.rows('SELECT * FROM sessions'))).not.toContain(token)
    await people.signOut(token)
    expect(await people.whoIs(token)).toBeUndefined()
  })

  test('it ends after twelve idle hours, and after seven days however busy', async () => {
    const idle = await enter('admin', first.password)
    nowMs += 12 * HOUR_MS + 1
    expect(await people.whoIs(idle)).toBeUndefined()
    const busy = await enter('admin', first.password)
    for (let hour = 0; hour < 7 * 24 - 6; hour += 6) {
      nowMs += 6 * HOUR_MS
      expect(await people.whoIs(busy)).toBeDefined()
    }
    nowMs += 12 * HOUR_MS
    expect(await people.whoIs(busy)).toBeUndefined()
  })

  test('a new password ends the other sessions; what is unfit is refused with the reason', async () => {
    const { password } = await people.create({
      name: 'li',
      displayName: '李',
      role: 'operator',
      teams: ['pay'],
    })
    const [mine, other] = [await enter('li', password), await enter('li', password)]
    const next = 'correct horse battery'
    await expect(people.changePassword(mine, 'wrong', next)).rejects.toThrow(/current password/)
    await expect(people.changePassword(mine, password, 'short')).rejects.toThrow(
      /5 characters; take at least 12/,
    )
    await expect(people.changePassword(mine, password, 'my name is li, yes')).rejects.toThrow(/user name/)
    await expect(people.changePassword(mine, password, 'aaaaaaaaaaaab')).rejects.toThrow(/repeats/)
    await people.changePassword(mine, password, next)
    expect(await people.whoIs(other)).toBeUndefined()
    expect(await people.whoIs(mine)).toMatchObject({ displayName: '李', teams: ['pay'], mustChange: false })
    expect(await people.signIn('li', password, from)).toEqual({ kind: 'refused' })
  })

  test('who is disabled is out at once and not let in', async () => {
    const { password } = await people.create({ name: 'zhao', displayName: 'Zhao', role: 'viewer', teams: [] })
    const token = await enter('zhao', password)
    await people.disable('zhao')
    expect(await people.whoIs(token)).toBeUndefined()
    expect(await people.signIn('zhao', password, from)).toEqual({ kind: 'refused' })
  })

  test('guessing slows down, for names that are there and names that are not alike', async () => {
    nowMs += 2 * 24 * HOUR_MS
    for (const name of ['admin', 'nobody']) {
      const origin = `10.0.0.${name.length}`
      for (let failure = 0; failure < 5; failure += 1)
        expect(await people.signIn(name, 'wrong', origin)).toEqual({ kind: 'refused' })
      const right = name === 'admin' ? first.password : 'wrong'
      expect(await people.signIn(name, right, origin)).toEqual({ kind: 'later', retryAfterSeconds: 1 })
      nowMs += 1001
      expect(await people.signIn(name, 'wrong', origin)).toEqual({ kind: 'refused' })
      expect(await people.signIn(name, 'wrong', origin)).toEqual({ kind: 'later', retryAfterSeconds: 2 })
    }
    // Another name from the same address waits as well.
    expect((await people.signIn('li', 'wrong', '10.0.0.5')).kind).toBe('later')
    nowMs += 2 * HOUR_MS
    expect((await people.signIn('admin', first.password, '10.0.0.9')).kind).toBe('in')
  })

  test.each(["x'; DROP TABLE users; --", 'Upper', '', 'a'.repeat(64)])(
    'the name %j is refused',
    async (name) => {
      await expect(people.create({ name, displayName: '', role: 'viewer', teams: [] })).rejects.toThrow(
        /a user name has/,
      )
    },
  )

  test('a name is taken once', async () => {
    const again = people.create({ name: 'li', displayName: '', role: 'viewer', teams: [] })
    await expect(again).rejects.toThrow(/already/)
  })
})
