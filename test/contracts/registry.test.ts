// The registry on the embedded engine and, when SURETY_TEST_DATABASE_URL names one, on a PostgreSQL server.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Database, type DatabaseTarget } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { buildRegistry, RevisionConflict, type Registry, type Wanted } from '../../query/registry/registry.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-registry-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const url = process.env['SURETY_TEST_DATABASE_URL']
const TARGETS: readonly { readonly name: string; readonly target: DatabaseTarget }[] = [
  { name: 'embedded', target: { kind: 'embedded', dataDir: folder } },
  ...(url === undefined ? [] : [{ name: 'server', target: { kind: 'server', url } } as const]),
]
const author = { actor: 'wang', origin: '127.0.0.1', reason: 'CHG-1' }
const team = (name: string, spec: Wanted['spec'] = { mail: `${name}@bank.example` }): Wanted => ({
  kind: 'team',
  name,
  spec,
})

describe.each(TARGETS)('$name', ({ target }) => {
  let database: Database
  let registry: Registry
  let atMs = Date.UTC(2026, 10, 21)

  beforeAll(async () => {
    database = await openDatabase(target)
    await database.script('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await migrateRegistry(database)
    registry = buildRegistry(database, () => new Date((atMs += 1000)))
    return () => database.close()
  })

  test('a second start migrates nothing; a registry of a newer release is refused', async () => {
    expect(await migrateRegistry(database)).toEqual([])
    await database.rows("INSERT INTO schema_migrations (name) VALUES ('9999_later.sql')")
    await expect(migrateRegistry(database)).rejects.toThrow(/newer release \(9999_later.sql\)/)
    await database.rows("DELETE FROM schema_migrations WHERE name = '9999_later.sql'")
  })

  test('an object is created, changed and deleted, each with its row in the audit', async () => {
    const created = await registry.put(team('payments'), author)
    expect(created).toMatchObject({ revision: 1, spec: { mail: 'payments@bank.example' } })
    const changed = await registry.put(team('payments', { mail: 'new@bank.example' }), author, 1)
    expect(changed.revision).toBe(2)
    await registry.remove('team', 'payments', { ...author, reason: '' }, 2)
    expect(await registry.get('team', 'payments')).toBeUndefined()
    const rows = await registry.audit({ kind: 'team', name: 'payments', limit: 10 })
    expect(rows).toMatchObject([
      { action: 'delete', reason: '', before: { mail: 'new@bank.example' }, after: null },
      { action: 'update', before: { mail: 'payments@bank.example' }, after: { mail: 'new@bank.example' } },
      { action: 'create', actor: 'wang', origin: '127.0.0.1', reason: 'CHG-1', before: null },
    ])
  })

  test('the same again changes nothing and leaves no row, whatever the order of members', async () => {
    await registry.put(team('risk', { a: 1, b: { c: [1, 2], d: undefined } }), author)
    const again = await registry.put(team('risk', { b: { c: [1, 2] }, a: 1 }), author)
    expect(again.revision).toBe(1)
    expect(await registry.audit({ kind: 'team', name: 'risk', limit: 10 })).toHaveLength(1)
  })

  test('who did not see the last change is told so with what it is now, and changes nothing', async () => {
    await registry.put(team('loans', { v: 1 }), author)
    await registry.put(team('loans', { v: 2 }), author, 1)
    const late = registry.put(team('loans', { v: 3 }), author, 1)
    await expect(late).rejects.toThrow(RevisionConflict)
    await expect(late).rejects.toMatchObject({ current: { revision: 2, spec: { v: 2 } } })
    await expect(registry.put(team('loans', { v: 3 }), author, 0)).rejects.toThrow(/revision 2 now/)
    await expect(registry.remove('team', 'gone', author, 4)).rejects.toThrow(/it is gone/)
    expect((await registry.get('team', 'loans'))?.spec).toEqual({ v: 2 })
  })

  test('of many who change the same at once one wins and the others are told', async () => {
    const { revision } = await registry.put(team('race', { n: -1 }), author)
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => registry.put(team('race', { n }), author, revision)),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await registry.get('team', 'race'))?.revision).toBe(revision + 1)
  })

  test('files are applied as a whole: a failing check leaves nothing behind', async () => {
    const before = await registry.list('team')
    const check = () => {
      throw new Error('dangling')
    }
    const wanted = [team('new-one'), team('loans', { v: 9 })]
    await expect(registry.apply(wanted, author, { check })).rejects.toThrow('dangling')
    expect(await registry.list('team')).toEqual(before)
  })

  test('a dry run tells what would change; pruning deletes only kinds that were named', async () => {
    await registry.put({ kind: 'calendar', name: 'bank', spec: {} }, author)
    const wanted = [team('loans', { v: 2 }), team('fresh')]
    const told = await registry.apply(wanted, author, { dryRun: true, prune: ['team'] })
    expect(told.map(({ action, object }) => `${action} ${object.name}`)).toEqual([
      'create fresh',
      'delete race',
      'delete risk',
    ])
    expect(await registry.get('team', 'fresh')).toBeUndefined()
    const done = await registry.apply(wanted, author, {
      prune: ['team'],
      check: (objects) => expect(objects.map(({ name }) => name).sort()).toEqual(['bank', 'fresh', 'loans']),
    })
    expect(done).toHaveLength(3)
    expect((await registry.list('team')).map(({ name }) => name)).toEqual(['fresh', 'loans'])
    expect(await registry.apply(wanted, author, { prune: ['team'] })).toEqual([])
  })

  test('names are values: what they hold is not executed', async () => {
    const name = `x'); DROP TABLE objects; -- \${7 * 7} {{1}}`
    await registry.put(team(name, { text: name }), { ...author, reason: name })
    expect((await registry.get('team', name))?.spec).toEqual({ text: name })
    await registry.remove('team', name, author)
  })

  test('pages follow names byte by byte', async () => {
    await registry.apply(
      ['b', 'B', 'ä', '支付'].map((name) => team(name)),
      author,
      { prune: ['team'] },
    )
    const names: string[] = []
    for (let after = ''; ;) {
      const [next] = await registry.list('team', { after, limit: 1 })
      if (next === undefined) break
      names.push(next.name)
      after = next.name
    }
    expect(names).toEqual(['B', 'b', 'ä', '支付'])
  })

  test('the audit can only be added to', async () => {
    for (const sql of ["UPDATE audit SET actor = 'x'", 'DELETE FROM audit', 'TRUNCATE audit'])
      await expect(database.rows(sql)).rejects.toThrow(/only added to/)
  })

  test('what was written is there after a restart', async () => {
    if (target.kind === 'server') return
    const before = await registry.list('team')
    await database.close()
    database = await openDatabase(target)
    registry = buildRegistry(database, () => new Date(atMs))
    expect(await migrateRegistry(database)).toEqual([])
    expect(await registry.list('team')).toEqual(before)
  })
})

test('a server that is not there is named with what to look at', async () => {
  await expect(openDatabase({ kind: 'server', url: 'postgres://127.0.0.1:1/none' })).rejects.toThrow(
    /does not answer .* look at SURETY_DATABASE_URL/,
  )
})
