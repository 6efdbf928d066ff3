// The schema as a cluster gets it: rendered from the same files, every statement read by the engine's own parser, nothing
// left that only one host would have. That it works is shown in store.test.ts, on a front without Keeper.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildClusterRenderer, clusterCommand, clusterQuestion } from '../../ingest/store/cluster-sql.ts'
import { literal } from '../../ingest/store/literal.ts'
import { AS_WRITTEN, readMigrations, renderAll } from '../../ingest/store/migrate.ts'
import { renderingFor } from '../../ingest/store/server-store.ts'
import type { Store } from '../../ingest/store/store.ts'
import { openTestStore } from '../support/empty-data.ts'

const folder = mkdtempSync(join(tmpdir(), 'surety-ddl-'))
const cluster = { name: 'bank', database: 'surety' }
let store: Store
beforeAll(async () => void (store = await openTestStore(folder)))
afterAll(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** As the engine's parser understands it. @throws StoreError when it does not */
async function parsed(sql: string): Promise<string> {
  const [row] = await store.rows(`SELECT formatQuerySingleLine(${literal(sql)}) AS text`)
  return String(row?.['text'])
}

const RENDERED = {
  embedded: renderAll(AS_WRITTEN),
  server: renderAll(renderingFor({ database: 'surety' })),
  cluster: renderAll(renderingFor({ database: 'surety', cluster })),
  'cluster by macro': renderAll(
    renderingFor({ database: 'surety', cluster: { ...cluster, name: '{cluster}' } }),
  ),
}

test.each(Object.entries(RENDERED))(
  'every statement of «%s» is one that the engine reads',
  async (_, statements) => {
    expect(statements.length).toBeGreaterThanOrEqual(readMigrations().flatMap((one) => one.statements).length)
    for (const sql of statements) expect(await parsed(sql)).toMatch(/^(?:CREATE|ALTER|DROP|EXCHANGE|INSERT) /)
  },
)

test('the check sees what the engine does not read', async () => {
  await expect(
    parsed('CREATE TABLE surety_local.t ON CLUSTER (x UInt8) ENGINE = ReplicatedMergeTree ORDER'),
  ).rejects.toThrow('Syntax error')
})

describe('on a cluster', () => {
  const ddl = RENDERED.cluster

  test('every statement but copies reaches all hosts', () => {
    expect(ddl.filter((sql) => !sql.startsWith('INSERT ') && !sql.includes(" ON CLUSTER 'bank'"))).toEqual([])
  })

  test('every table is replicated, at a place in Keeper of its own', async () => {
    // A Null table keeps nothing.
    const engines = ddl.filter(
      (sql) => sql.startsWith('CREATE TABLE IF NOT EXISTS') && !sql.endsWith('ENGINE = Null'),
    )
    expect(engines.length).toBeGreaterThan(12)
    const places = engines.map((sql) =>
      /ENGINE = Replicated\w*MergeTree\('([^']+)', '([^']+)'/.exec(sql)?.slice(1).join(' '),
    )
    expect(places).not.toContain(undefined)
    expect(new Set(places).size).toBe(places.length)
    for (const sql of ddl) expect(await parsed(sql)).not.toMatch(/ENGINE = (?!Replicated)\w*MergeTree/)
  })

  test('every replicated table remembers 10,000 tokens for a week, and none is of one host alone', () => {
    const tables = ddl.filter((sql) => /ENGINE = Replicated/.test(sql) && !sql.includes('schema_migrations'))
    for (const sql of tables) {
      expect(sql).toContain(
        'replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 604800',
      )
      expect(sql).not.toContain('non_replicated')
    }
  })

  test('every table has a public name, spread by what a repeat does not change', () => {
    const local = ddl.flatMap((sql) => /^CREATE TABLE IF NOT EXISTS surety_local\.(\w+)/.exec(sql)?.[1] ?? [])
    const spread = Object.fromEntries(
      ddl.flatMap((sql) => {
        const match =
          /^CREATE OR REPLACE TABLE surety\.(\w+) .*Distributed\('bank', 'surety_local', '(\w+)', (.+)\)$/.exec(
            sql,
          )
        return match === null ? [] : [[match[1], match[3]] as const]
      }),
    )
    expect(Object.keys(spread).toSorted()).toEqual(
      local.filter((name) => !name.endsWith('_made_anew')).toSorted(),
    )
    expect(spread).toMatchObject({
      spans: 'sipHash64(trace_id)',
      dead_letters: 'sipHash64(origin)',
      resources: 'sipHash64(res_id)',
      release_events: 'sipHash64(source, id)',
    })
    for (const key of Object.values(spread)) expect(key).not.toMatch(/rand|now/)
  })

  test('views read and fill the tables of their own host', () => {
    const views = ddl.filter((sql) => sql.startsWith('CREATE MATERIALIZED VIEW'))
    expect(views.length).toBeGreaterThan(4)
    for (const sql of views) {
      expect(sql).toMatch(/VIEW IF NOT EXISTS surety_local\.\w+ ON CLUSTER 'bank' TO surety_local\.\w+ AS/)
      expect(sql).toMatch(/\bFROM surety_local\.(?:spans|otlp_metrics)\b/)
      expect(sql.replaceAll(/surety_local\./g, '')).not.toMatch(/surety\./)
    }
  })

  test('a table that is made anew has another place in Keeper in every attempt', () => {
    const again = renderAll(renderingFor({ database: 'surety', cluster }))
    const place = (statements: readonly string[]) =>
      statements.flatMap((sql) => /'(\/clickhouse\/[^']*_made_anew[^']*)'/.exec(sql)?.[1] ?? [])
    expect(place(ddl)).toHaveLength(3)
    expect(place(again)).not.toEqual(place(ddl))
  })

  test('what no rule knows is refused instead of run on one host', () => {
    const renderer = buildClusterRenderer(cluster, 'a')
    for (const sql of [
      'CREATE TABLE t (x UInt8) ENGINE = MergeTree ORDER BY x',
      'RENAME TABLE a TO b',
      'ALTER TABLE unknown ADD COLUMN x UInt8',
      'OPTIMIZE TABLE spans',
    ]) {
      expect(() => renderer.statements(sql)).toThrow(/no rule for a cluster|no CREATE TABLE before/)
    }
    expect(() => clusterCommand('RENAME TABLE a TO b', cluster)).toThrow('no rule for a cluster')
  })
})

test.each([
  {
    sql: 'ALTER TABLE spans DELETE WHERE batch = 1 SETTINGS mutations_sync = 2',
    want: "ALTER TABLE surety_local.spans ON CLUSTER 'bank' DELETE WHERE batch = 1 SETTINGS mutations_sync = 2",
  },
  {
    sql: 'ALTER TABLE spans MODIFY TTL toDateTime(ts) + INTERVAL 3 DAY SETTINGS materialize_ttl_after_modify=1',
    want: "ALTER TABLE surety_local.spans ON CLUSTER 'bank' MODIFY TTL toDateTime(ts) + INTERVAL 3 DAY SETTINGS materialize_ttl_after_modify=1",
  },
  {
    sql: 'OPTIMIZE TABLE spans FINAL',
    want: "OPTIMIZE TABLE surety_local.spans ON CLUSTER 'bank' FINAL",
  },
  {
    sql: 'SYSTEM SYNC REPLICA spans LIGHTWEIGHT',
    want: "SYSTEM SYNC REPLICA ON CLUSTER 'bank' surety_local.spans LIGHTWEIGHT",
  },
])('«$sql» changes the local tables of all hosts', async ({ sql, want }) => {
  expect(clusterCommand(sql, cluster)).toBe(want)
  await parsed(want)
})

test('what is asked of system tables is asked of all hosts, by the local database', async () => {
  const asked = clusterQuestion(
    'SELECT count() FROM system.parts WHERE database = currentDatabase() AND (SELECT count() FROM system.mutations) = 0',
    cluster,
  )
  expect(asked).toBe(
    "SELECT count() FROM cluster('bank', system.parts) WHERE database = 'surety_local' AND (SELECT count() FROM clusterAllReplicas('bank', system.mutations)) = 0",
  )
  await parsed(asked)
  expect(clusterQuestion('SELECT count() FROM spans', cluster)).toBe('SELECT count() FROM spans')
})
