import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { migrate, readMigrations, type Migration } from './migrate.ts'

const migration = (number: number, ...statements: string[]): Migration => ({
  number,
  name: `000${number}_t${number}.sql`,
  statements,
  checksum: `sum${number}`,
})
const MIGRATIONS = [
  migration(1, 'CREATE TABLE t1'),
  migration(2, 'CREATE TABLE t2', 'CREATE MATERIALIZED VIEW t2_mv'),
  migration(3, 'CREATE TABLE t3'),
]

type Row = { readonly number: number; readonly name: string; readonly checksum: string }
const rowOf = ({ number, name, checksum }: Migration): Row => ({ number, name, checksum })

/** A store that remembers its migrations and does nothing else. */
function openTarget(done: readonly Row[] = []) {
  const rows = [...done]
  const commands: string[] = []
  let failing = ''
  return {
    rowsDone: rows,
    commands,
    failOn: (sql: string) => void (failing = sql),
    command(sql: string) {
      if (sql === failing) return Promise.reject(new Error(`the engine refuses ${sql}`))
      commands.push(sql)
      const inserted =
        /^INSERT INTO schema_migrations .* VALUES \((\d+), '([^']*)', '([^']*)', now\(\)\)$/.exec(sql)
      if (inserted !== null)
        rows.push({ number: Number(inserted[1]), name: inserted[2] ?? '', checksum: inserted[3] ?? '' })
      return Promise.resolve()
    },
    // The engine answers integers of 32 bits as numbers and may answer others as texts.
    rows: () => Promise.resolve(rows.map((row) => ({ ...row, number: String(row.number) }))),
  }
}
const ddl = (commands: readonly string[]) => commands.filter((sql) => /^CREATE (?:TABLE t|MAT)/.test(sql))

test('an empty store takes all migrations in order, each recorded after its last statement', async () => {
  const target = openTarget()
  expect(await migrate(target, MIGRATIONS)).toEqual(MIGRATIONS.map(({ name }) => name))
  expect(target.commands[0]).toMatch(/^CREATE TABLE IF NOT EXISTS schema_migrations/)
  expect(target.commands.slice(1).map((sql) => sql.slice(0, 60))).toEqual([
    'CREATE TABLE t1',
    expect.stringContaining('INSERT INTO schema_migrations') as string,
    'CREATE TABLE t2',
    'CREATE MATERIALIZED VIEW t2_mv',
    expect.stringContaining('INSERT INTO schema_migrations') as string,
    'CREATE TABLE t3',
    expect.stringContaining('INSERT INTO schema_migrations') as string,
  ])
  expect(target.rowsDone).toEqual(MIGRATIONS.map(rowOf))
})

test('a store that is up to date takes nothing', async () => {
  const target = openTarget(MIGRATIONS.map(rowOf))
  expect(await migrate(target, MIGRATIONS)).toEqual([])
  expect(ddl(target.commands)).toEqual([])
  expect(target.rowsDone).toHaveLength(3)
})

test('an older store takes only what it lacks', async () => {
  const target = openTarget(MIGRATIONS.slice(0, 1).map(rowOf))
  expect(await migrate(target, MIGRATIONS)).toEqual(['0002_t2.sql', '0003_t3.sql'])
  expect(ddl(target.commands)).toEqual([
    'CREATE TABLE t2',
    'CREATE MATERIALIZED VIEW t2_mv',
    'CREATE TABLE t3',
  ])
})

test('a migration that failed half-way is not recorded and runs whole the next time', async () => {
  const target = openTarget()
  target.failOn('CREATE MATERIALIZED VIEW t2_mv')
  await expect(migrate(target, MIGRATIONS)).rejects.toThrow('the engine refuses')
  expect(target.rowsDone.map(({ number }) => number)).toEqual([1])
  target.failOn('')
  expect(await migrate(target, MIGRATIONS)).toEqual(['0002_t2.sql', '0003_t3.sql'])
  expect(ddl(target.commands)).toEqual([
    'CREATE TABLE t1',
    'CREATE TABLE t2',
    'CREATE TABLE t2',
    'CREATE MATERIALIZED VIEW t2_mv',
    'CREATE TABLE t3',
  ])
})

test('a released file that changed is refused by name, with the way out, before anything else runs', async () => {
  const target = openTarget(MIGRATIONS.slice(0, 2).map((done) => ({ ...rowOf(done), checksum: 'other' })))
  await expect(migrate(target, MIGRATIONS)).rejects.toThrow(
    'schema/0001_t1.sql changed after it was applied. Put it back as released and make the change in the next number.',
  )
  expect(ddl(target.commands)).toEqual([])
})

test('a store that is newer than this release is refused, and both numbers are named', async () => {
  const target = openTarget([...MIGRATIONS, migration(4)].map(rowOf))
  await expect(migrate(target, MIGRATIONS)).rejects.toMatchObject({
    code: 'SURETY_STORE_SCHEMA',
    retryable: false,
    message: expect.stringMatching(/has schema 4, this release knows 3\. .*restore a backup/) as string,
  })
  expect(ddl(target.commands)).toEqual([])
})

describe('files', () => {
  let folder = ''
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  function files(contents: Readonly<Record<string, string>>): URL {
    folder = mkdtempSync(join(tmpdir(), 'surety-schema-'))
    for (const [name, text] of Object.entries(contents)) writeFileSync(join(folder, name), text)
    return pathToFileURL(`${folder}/`)
  }

  test.each([
    {
      name: 'a gap',
      contents: { '0001_a.sql': 'A;', '0003_c.sql': 'C;' },
      want: /0003_c\.sql: expected number 2/,
    },
    {
      name: 'a number given twice',
      contents: { '0001_a.sql': 'A;', '0001_b.sql': 'B;' },
      want: /0001_b\.sql: expected number 2/,
    },
    { name: 'a start at 2', contents: { '0002_a.sql': 'A;' }, want: /0002_a\.sql: expected number 1/ },
    { name: 'no number', contents: { 'spans.sql': 'A;' }, want: /spans\.sql: expected number 1/ },
  ])('with $name are refused', ({ contents, want }) => {
    expect(() => readMigrations(files(contents))).toThrow(want)
  })

  test('are read in order and taken apart at semicolons that end a line; comment lines are left out', () => {
    const migrations = readMigrations(
      files({
        '0002_b.sql': 'B;',
        '0001_a.sql':
          "-- What; this is.\nCREATE A\n(\n  x String COMMENT 'one; two'\n);\n\n-- And;\nCREATE B;\n",
        'README.md': 'not a migration',
      }),
    )
    expect(migrations.map(({ number, name, statements }) => ({ number, name, statements }))).toEqual([
      {
        number: 1,
        name: '0001_a.sql',
        statements: ["CREATE A\n(\n  x String COMMENT 'one; two'\n)", 'CREATE B'],
      },
      { number: 2, name: '0002_b.sql', statements: ['B'] },
    ])
  })

  test('of one content have one checksum; any change gives another', () => {
    const [a, b, c] = ['CREATE A;', 'CREATE A;', 'CREATE A; '].map(
      (text) => readMigrations(files({ '0001_a.sql': text }))[0]?.checksum,
    )
    expect(a).toBe(b)
    expect(a).not.toBe(c)
  })

  test('that this release ships can all be run again: DDL here has no transaction', () => {
    const migrations = readMigrations()
    expect(migrations.length).toBeGreaterThanOrEqual(8)
    // A table that is made anew under another name is filled and exchanged; the file drops what an earlier run left.
    const isMadeAnew = (sql: string, statements: readonly string[]) => {
      const table = /^(?:INSERT INTO|EXCHANGE TABLES \w+ AND) (\w+)/.exec(sql)?.[1]
      return table !== undefined && statements.includes(`DROP TABLE IF EXISTS ${table}`)
    }
    const onceOnly = migrations.flatMap(({ statements }) =>
      statements.filter(
        (sql) => !/\bIF (?:NOT )?EXISTS\b|^ALTER TABLE/.test(sql) && !isMadeAnew(sql, statements),
      ),
    )
    expect(onceOnly).toEqual([])
  })
})
