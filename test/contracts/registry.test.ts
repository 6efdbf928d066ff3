// What the registry promises, on the embedded engine and on a PostgreSQL server.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { ConsentNeeded, RevisionConflict, RulesBroken } from '../../query/registry/errors.ts'
import { checkObject } from '../../query/registry/kinds.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import type { Author, OwnKind, Wanted } from '../../query/registry/object.ts'
import { buildRegistry, type Registry } from '../../query/registry/registry.ts'
import { REGISTRY_KINDS, type RegistryPlace } from '../support/test-registries.ts'

const author: Author = { actor: 'wang', via: 'session', origin: '127.0.0.1', reason: 'CHG-1', request: 'r1' }

function wanted(kind: OwnKind, name: string, spec: unknown = {}, metadata: unknown = {}): Wanted {
  const checked = checkObject(kind, name, metadata, spec)
  if ('faults' in checked) throw new Error(JSON.stringify(checked.faults))
  return checked.wanted
}
const team = (name: string, description = name) => wanted('team', name, { description })
const system = (name: string, more: object = {}) =>
  wanted('system', name, { team: 'pay', tier: 'critical', type: 'core', origin: 'in-house', ...more })
const user = (name: string, role: string, more: object = {}) => wanted('user', name, { role, ...more })
const slo = (name: string, question: string, target: number): Wanted => ({
  kind: 'slo',
  name,
  spec: { target },
  question,
  place: { service: 'transfer' },
})

describe.each(REGISTRY_KINDS)('$name', (kind) => {
  let place: RegistryPlace
  let database: Database
  let registry: Registry
  let atMs = Date.UTC(2026, 10, 21)
  const build = () => buildRegistry(database, () => new Date((atMs += 1000)))

  beforeAll(async () => {
    place = await kind.make()
    database = await place.open()
    registry = build()
  })
  afterAll(async () => {
    await database.close()
    await place.remove()
  })
  const names = async (of: Wanted['kind'], filter = {}) =>
    (await registry.list(of, filter)).map(({ name }) => name)
  const auditOf = (of: string, name: string) => registry.audit({ kind: of, name, limit: 20 })

  test('a second start migrates nothing; a registry of a newer release is refused', async () => {
    expect(await migrateRegistry(database)).toEqual([])
    await database.rows("INSERT INTO schema_migrations (name) VALUES ('9999_later.sql')")
    await expect(migrateRegistry(database)).rejects.toThrow(/newer release \(9999_later.sql\)/)
    await database.rows("DELETE FROM schema_migrations WHERE name = '9999_later.sql'")
  })

  test('an object is created, changed and deleted, each with its row in the audit', async () => {
    const created = await registry.put(team('loans', 'a'), author)
    expect(created).toMatchObject({ revision: 1, generation: 1, spec: { description: 'a', contacts: [] } })
    expect((await registry.put(team('loans', 'b'), author, 1)).revision).toBe(2)
    expect(await registry.remove('team', 'loans', { ...author, reason: '' }, 2)).toBe(true)
    expect(await registry.get('team', 'loans')).toBeUndefined()
    expect(await auditOf('team', 'loans')).toMatchObject([
      { action: 'delete', reason: '', before: { spec: { description: 'b' }, revision: 2 }, after: null },
      {
        action: 'update',
        before: { spec: { description: 'a' } },
        after: { spec: { description: 'b' }, revision: 2 },
      },
      {
        action: 'create',
        actor: 'wang',
        via: 'session',
        origin: '127.0.0.1',
        reason: 'CHG-1',
        request: 'r1',
        before: null,
      },
    ])
  })

  test('1.14 the same again changes nothing and leaves no row, whatever the order of members', async () => {
    const of = (metadata: object) => wanted('team', 'risk', { contacts: [], description: 'x' }, metadata)
    await registry.put(of({ labels: { b: '1', a: '2' } }), author)
    const again = await registry.put(of({ labels: { a: '2', b: '1' } }), author)
    expect(again.revision).toBe(1)
    expect(await auditOf('team', 'risk')).toHaveLength(1)
  })

  test('who did not see the last change is told so with both versions, and changes nothing', async () => {
    await registry.put(team('pay', '1'), author)
    await registry.put(team('pay', '2'), author, 1)
    const late = registry.put(team('pay', '3'), author, 1)
    await expect(late).rejects.toThrow(RevisionConflict)
    await expect(late).rejects.toMatchObject({
      current: { revision: 2, spec: { description: '2' } },
      wanted: { spec: { description: '3' } },
    })
    await expect(registry.put(team('pay', '3'), author, 0)).rejects.toThrow(/revision 2 now/)
    await expect(registry.remove('team', 'gone', author, 4)).rejects.toThrow(/it is gone/)
    expect((await registry.get('team', 'pay'))?.spec['description']).toBe('2')
  })

  test('of many who change the same at once one wins and the others are told', async () => {
    const { revision } = await registry.put(team('race'), author)
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => registry.put(team('race', `n${n}`), author, revision)),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await registry.get('team', 'race'))?.revision).toBe(revision + 1)
    expect(await auditOf('team', 'race')).toHaveLength(2)
  })

  test('nothing is named that is not there, and nothing goes that is named', async () => {
    const dangling = registry.put(system('core', { team: 'nobody', dependsOn: [{ system: 'none' }] }), author)
    await expect(dangling).rejects.toThrow(RulesBroken)
    await expect(dangling).rejects.toMatchObject({
      faults: [
        { object: 'system/core', path: 'spec.dependsOn[0].system', message: /no system «none»/ },
        { object: 'system/core', path: 'spec.team' },
      ].map(
        (fault) => expect.objectContaining({ ...fault, message: expect.any(String) as string }) as object,
      ),
    })
    expect(await registry.get('system', 'core')).toBeUndefined()
    await registry.put(system('core'), author)
    await expect(registry.remove('team', 'pay', author)).rejects.toThrow(
      /system\/core spec\.team: names the team «pay», which cannot be deleted/,
    )
    // Beneath the checks the database itself refuses.
    const raw = database.rows(
      "INSERT INTO object_references VALUES ('system', 'core', 'spec.x', 'team', 'nobody')",
    )
    await expect(raw).rejects.toThrow(/foreign key/)
  })

  test('objects that name each other are applied together, in whatever order', async () => {
    const pair = [
      system('a', { dependsOn: [{ system: 'b' }] }),
      system('b', { dependsOn: [{ system: 'a', need: 'soft' }] }),
    ]
    const { changes } = await registry.apply(pair, author, { bundle: '' })
    expect(changes.map(({ action }) => action)).toEqual(['create', 'create'])
    await expect(registry.remove('system', 'a', author)).rejects.toThrow(RulesBroken)
  })

  test('organisations are a tree', async () => {
    const organisation = (name: string, parent?: string) =>
      wanted('organisation', name, { type: 'branch', ...(parent === undefined ? {} : { parent }) })
    await registry.apply(
      [organisation('head'), organisation('east', 'head'), organisation('ji-nan', 'east')],
      author,
      {
        bundle: '',
      },
    )
    await expect(registry.put(organisation('head', 'ji-nan'), author)).rejects.toThrow(/is above itself/)
    await expect(registry.put(organisation('head', 'head'), author)).rejects.toThrow(/is above itself/)
    expect((await registry.get('organisation', 'head'))?.spec['parent']).toBeUndefined()
  })

  test('a name in telemetry belongs to one service', async () => {
    await registry.put(
      wanted('service', 'transfer', { system: 'core', telemetryNames: ['Transfer Svc'] }),
      author,
    )
    const second = wanted('service', 'transfer2', { telemetryNames: ['Transfer Svc'] })
    await expect(registry.put(second, author)).rejects.toThrow(/«Transfer Svc» names another service/)
    await expect(
      registry.put(wanted('service', 'x', { telemetryNames: ['transfer'] }), author),
    ).rejects.toThrow(RulesBroken)
  })

  test('owner and system come through service and system, and follow them', async () => {
    await registry.put(slo('transfer-availability', 'q1', 0.999), author)
    expect(await registry.get('slo', 'transfer-availability')).toMatchObject({ owner: 'pay', system: 'core' })
    expect(await names('slo', { team: 'pay' })).toEqual(['transfer-availability'])
    expect(await names('slo', { system: 'a' })).toEqual([])
    await registry.put(system('core', { team: 'risk' }), author)
    expect(await registry.get('slo', 'transfer-availability')).toMatchObject({ owner: 'risk' })
    await registry.put(system('core'), author)
  })

  test('2.11 another target keeps the generation, another question begins one', async () => {
    const first = await registry.get('slo', 'transfer-availability')
    expect(await registry.put(slo('transfer-availability', 'q1', 0.99), author)).toMatchObject({
      generation: 1,
      revision: 2,
    })
    const next = await registry.put(slo('transfer-availability', 'q2', 0.99), author)
    expect(next).toMatchObject({ generation: 2, revision: 3, id: first?.id })
    await registry.remove('slo', 'transfer-availability', author)
    const again = await registry.put(slo('transfer-availability', 'q2', 0.99), author)
    expect(again.generation).toBe(1)
    expect(again.id).not.toBe(first?.id)
  })

  test('somebody can always administer', async () => {
    await registry.put(user('root', 'admin'), author)
    for (const step of [
      () => registry.remove('user', 'root', author),
      () => registry.put(user('root', 'operator'), author),
      () => registry.put(user('root', 'admin', { disabled: true }), author),
    ])
      await expect(step()).rejects.toThrow(/nobody could administer/)
    await registry.put(user('second', 'admin'), author)
    expect(await registry.remove('user', 'root', author)).toBe(true)
  })

  test('a failing check leaves nothing behind, of changes and of the audit', async () => {
    const before = await registry.changeNumber()
    const check = (changes: readonly { after: unknown }[]) => {
      expect(changes).toMatchObject([{ after: { revision: 1 } }, { after: { revision: 3 } }])
      return Promise.reject(new Error('not yours'))
    }
    const objects = [team('new-one'), team('pay', '9')]
    await expect(registry.apply(objects, author, { bundle: '', check })).rejects.toThrow('not yours')
    expect(await registry.get('team', 'new-one')).toBeUndefined()
    expect(await registry.changeNumber()).toBe(before)
  })

  test('a dry run tells what would change and changes nothing; what is deleted needs its plan', async () => {
    await registry.apply([team('f1'), team('f2'), team('f3')], author, { bundle: 'files' })
    const next = [team('f1'), team('f2', 'changed'), team('f4')]
    const options = { bundle: 'files', prune: true } as const
    const told = await registry.apply(next, author, { ...options, dryRun: true })
    expect(told.changes.map(({ action, object }) => `${action} ${object.name}`)).toEqual([
      'update f2',
      'create f4',
      'delete f3',
    ])
    expect(told.unchanged).toBe(1)
    expect(await names('team', { text: 'F' })).toEqual(['f1', 'f2', 'f3'])
    await expect(registry.apply(next, author, options)).rejects.toThrow(ConsentNeeded)
    await expect(registry.apply(next, author, options)).rejects.toThrow(/would delete team\/f3/)
    const { plan } = told
    await registry.put(team('f2', 'by hand'), author)
    await expect(registry.apply(next, author, { ...options, plan })).rejects.toThrow(
      /not what the plan was made for/,
    )
    const again = await registry.apply(next, author, { ...options, dryRun: true })
    const done = await registry.apply(next, author, { ...options, plan: again.plan })
    expect(done.changes).toHaveLength(3)
    expect(await names('team', { text: 'f' })).toEqual(['f1', 'f2', 'f4'])
    // What was made by hand, or from other files, is not theirs to delete.
    expect(await names('team')).toContain('pay')
    expect((await registry.apply(next, author, options)).changes).toEqual([])
  })

  test('a change by hand leaves an object in its set of files', async () => {
    const changed = await registry.put(team('f1', 'hand'), author)
    expect(changed.bundle).toBe('files')
  })

  test('names and texts are values: what they hold is not executed', async () => {
    const text = `x'); DROP TABLE objects; -- \${7 * 7} {{1}} <script>`
    await registry.put(team('odd', text), { ...author, reason: `${text}\u0000`, actor: text })
    expect((await registry.get('team', 'odd'))?.spec['description']).toBe(text)
    expect(await auditOf('team', 'odd')).toMatchObject([{ actor: text, reason: text }])
    expect(await names('team', { text: "%'; --" })).toEqual([])
    expect(await registry.list('team', { labels: { "'": '"}' } })).toEqual([])
  })

  test('pages follow names byte by byte', async () => {
    await registry.apply(
      ['b', 'B', 'a', 'Z.9'].map((one) => wanted('calendar', one)),
      author,
      { bundle: '' },
    )
    const found: string[] = []
    for (let after = ''; ;) {
      const [next] = await registry.list('calendar', { after, limit: 1 })
      if (next === undefined) break
      found.push(next.name)
      after = next.name
    }
    expect(found).toEqual(['B', 'Z.9', 'a', 'b'])
  })

  test('a reader of some systems sees these, and what is part of none', async () => {
    await registry.put(wanted('service', 'free'), author)
    expect(await names('system', { within: ['a'] })).toEqual(['a'])
    expect(await names('service', { within: ['a'] })).toEqual(['free'])
    expect(await names('service', { within: ['core'] })).toEqual(['free', 'transfer'])
  })

  test('labels are looked for, one value or one of several', async () => {
    await registry.put(
      wanted('calendar', 'labelled', {}, { labels: { zone: ['east', 'west'], tier: '1' } }),
      author,
    )
    expect(await names('calendar', { labels: { tier: '1' } })).toEqual(['labelled'])
    expect(await names('calendar', { labels: { tier: '2' } })).toEqual([])
  })

  test('the audit is found by time, author, kind, name, action and request', async () => {
    await registry.put(team('asked'), { ...author, actor: 'zhao', request: 'r9' })
    const [row] = await registry.audit({ actor: 'zhao', limit: 5 })
    expect(row).toMatchObject({ name: 'asked', request: 'r9', action: 'create' })
    const at = row?.at ?? new Date(0)
    const found = async (filter: object) =>
      (await registry.audit({ limit: 50, name: 'asked', ...filter })).length
    expect(await found({ from: at })).toBe(1)
    expect(await found({ to: at })).toBe(0)
    expect(await found({ action: 'delete' })).toBe(0)
    expect(await found({ request: 'r9', kind: 'team' })).toBe(1)
    expect(await found({ before: row?.id ?? 0 })).toBe(0)
  })

  test('the audit can only be added to', async () => {
    for (const sql of ["UPDATE audit SET actor = 'x'", 'DELETE FROM audit', 'TRUNCATE audit'])
      await expect(database.rows(sql)).rejects.toThrow(/only added to/)
  })

  test('a hand at the database leaves its row, too', async () => {
    await database.rows(
      "UPDATE objects SET spec = '{\"description\": \"sql\"}' WHERE kind = 'team' AND name = 'asked'",
    )
    expect(await auditOf('team', 'asked')).toMatchObject([
      { via: 'database', actor: expect.stringMatching(/surety|postgres/) as string, action: 'update' },
      { actor: 'zhao' },
    ])
  })

  test('every table that holds something of people is audited', async () => {
    const rows = await database.rows(
      `SELECT c.relname AS name, EXISTS (SELECT 1 FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE t.tgrelid = c.oid AND p.proname = 'audit_change') AS audited
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1`,
    )
    // References follow from objects; failures, keys, what the SLO loop remembers and faults are Surety's own.
    const rest = [
      'audit',
      'fault_alarms',
      'fault_decisions',
      'fault_events',
      'faults',
      'object_references',
      'release_verdict_changes',
      'release_verdict_events',
      'release_verdicts',
      'release_window_records',
      'schema_migrations',
      'secrets',
      'sign_in_failures',
      'slo_backfills',
      'slo_leader',
      'slo_progress',
      'slo_publishers',
      'slo_states',
      'slo_transitions',
    ]
    expect(rows.filter(({ audited }) => audited !== true).map(({ name }) => name)).toEqual(rest)
    expect(rows.length).toBeGreaterThan(rest.length)
  })

  test('one leads, and another follows when the lead is given back', async () => {
    const first = await database.lead(1)
    expect(first).toBeDefined()
    expect(await database.lead(1)).toBeUndefined()
    const other = await database.lead(2)
    expect(other).toBeDefined()
    await first?.release()
    await first?.ended
    // A server notices the end of a connection in its own time.
    let second = await database.lead(1)
    while (second === undefined) second = await database.lead(1)
    await second.release()
    await other?.release()
  })

  test('nothing is written while it stands still', async () => {
    if (place.server !== undefined) return
    let isWritten = false
    let writing: Promise<unknown> = Promise.resolve()
    await database.still(async () => {
      writing = registry.put(team('later'), author).then(() => (isWritten = true))
      await new Promise((resolve) => setImmediate(resolve))
      expect(isWritten).toBe(false)
    })
    await writing
    expect(isWritten).toBe(true)
  })

  test('what was written is there after a restart', async () => {
    const before = await registry.all(['team', 'system'])
    await database.close()
    database = await place.open()
    registry = build()
    expect(await registry.all(['team', 'system'])).toEqual(before)
  })

  test('a server that went away is waited for: the error says so, and the next question finds it again', async () => {
    if (place.server === undefined) return
    const lead = await database.lead(7)
    await place.server.kill()
    await lead?.ended
    await expect(registry.get('team', 'pay')).rejects.toMatchObject({
      code: 'SURETY_REGISTRY_UNAVAILABLE',
      retryable: true,
    })
    await expect(registry.put(team('pay', 'x'), author)).rejects.toMatchObject({ retryable: true })
    await place.server.start()
    expect((await registry.get('team', 'pay'))?.spec['description']).toBe('2')
  })
})

test('a server that is not there is named with what to look at', async () => {
  await expect(openDatabase({ kind: 'server', url: 'postgres://127.0.0.1:1/none' })).rejects.toThrow(
    /does not answer .* look at SURETY_DATABASE_URL/,
  )
})
