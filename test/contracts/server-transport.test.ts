// A ClickHouse server as the store: what it is asked and how, what it is when it goes wrong, and what is refused at start.
// What holds for every store is in store.test.ts and recovery.test.ts, which run on servers too.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildDeriver } from '../../ingest/derived/deriver.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { prepareTraces, type PreparedTraces } from '../../ingest/pipeline/prepare.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { openServerStore } from '../../ingest/store/server-store.ts'
import { DEFAULT_RETENTION, openStore, type ServerTarget, type Store } from '../../ingest/store/store.ts'
import { bankRequests } from '../support/bank-spans.ts'
import { makeCertificate } from '../support/certificates.ts'
import { openClickHouseFront, type ClickHouseFront, type Fault } from '../support/clickhouse-front.ts'
import { field, traceRequest } from '../support/otlp.ts'
import { SERVER_KINDS, type StorePlaceForTests } from '../support/test-stores.ts'

const DAY_MS = 86_400_000
const SPANS = 32
// Spans lie on both sides of a minute, as they do in life.
const startNs = BigInt(Math.floor((Date.now() - 600_000) / 60_000) * 60_000 + 55_000) * 1_000_000n

function writerOn(store: Store) {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
  const signal = buildTraceSignal({ rules: [], metrics, clock: systemClock })
  return buildBatchWriter({ signal, store, deadLetters, metrics, logger, clock: systemClock })
}
const prepared = (bytes: Uint8Array) =>
  prepareTraces(bytes, 'kafka otlp_spans/0@1', Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS })
const batchOf = (seed: number): PreparedTraces[] =>
  bankRequests({ seed, requests: 2, spansPerRequest: SPANS, startNs }).map(prepared)
const identity = (token: string, patienceMs = 20_000) => ({ token, door: 'kafka', patienceMs })

async function counts(store: Store): Promise<Readonly<Record<string, number>>> {
  const [row] = await store.rows(
    'SELECT (SELECT count() FROM spans) AS spans, (SELECT countIf(kind IN (2, 5)) FROM spans) AS requests, (SELECT sum(requests) FROM requests_10s) AS counted, (SELECT sum(rows) FROM batches) AS brought',
  )
  return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]))
}

async function expectSpans(store: Store, spans: number): Promise<void> {
  const { requests, ...found } = await counts(store)
  expect(found).toEqual({ spans, counted: requests, brought: spans })
}

function frontOf({ front }: StorePlaceForTests): ClickHouseFront {
  if (front === undefined) throw new Error('this needs a front')
  return front
}

describe.each(SERVER_KINDS)('$name', (kind) => {
  let place: StorePlaceForTests
  let store: Store
  let stored = 0
  beforeAll(async () => {
    place = await kind.make()
    store = await place.open()
  })
  afterAll(async () => {
    await store.close()
    await place.remove()
  })

  test('bytes that look like SQL are bytes, in every place where they may come', async () => {
    const hostile =
      '\n\nDROP TABLE spans\n\n;DROP TABLE spans; --\n\'"`) FORMAT Null\n\nTRUNCATE TABLE spans\n'
    const id = (fill: number) => ({ traceId: Buffer.alloc(16, fill), spanId: Buffer.from('\n\nDROP T') })
    const span = {
      ...id(10),
      name: hostile,
      kind: 2,
      startNs,
      endNs: startNs + 1n,
      attributes: { [hostile]: hostile, 'bank.txn.id': hostile },
    }
    const bytes = traceRequest([
      { attributes: { 'service.name': hostile, [hostile]: hostile }, spans: [span] },
    ])
    const written = await writerOn(store).write([prepared(bytes)], identity(`hostile/${hostile}`))
    expect(written).toEqual({ kind: 'stored', refused: new Map() })
    const rows = await store.rows('SELECT service, operation, txn_id, attr_k FROM spans')
    expect(rows).toEqual([{ service: hostile, operation: hostile, txn_id: hostile, attr_k: [hostile] }])
    // As JSON lines, too.
    await store.insertRows(
      'dead_letters',
      { at: "DateTime64(3, 'UTC')", detail: 'String' },
      [{ at: Date.now(), detail: hostile }],
      hostile,
    )
    expect(await store.rows(`SELECT detail FROM dead_letters`)).toEqual([{ detail: hostile }])
    await store.command('TRUNCATE TABLE spans')
    for (const table of ['requests_10s', 'batches']) await store.command(`TRUNCATE TABLE ${table}`)
  })

  test.runIf(kind.hasFront)(
    'statement in the URL, bytes in the body, and neither in the place of the other',
    async () => {
      const front = frontOf(place)
      const before = front.requests.length
      const writer = writerOn(store)
      await writer.write(batchOf(1), identity('kafka/otlp_spans/0/0-1/1'))
      await writer.write(batchOf(1), identity('kafka/otlp_spans/0/2-3/1'))
      stored += 4 * SPANS
      const inserts = front.requests.slice(before).filter(({ sql }) => sql.includes('FORMAT ProtobufList'))
      const bytes = batchOf(1).reduce((sum, { bytes: body }) => sum + body.length, 0)
      // Resources first; they are known from then on.
      expect(inserts.map(({ sql }) => /^INSERT INTO (\w+)/.exec(sql)?.[1])).toEqual([
        'resources',
        'spans',
        'spans',
      ])
      for (const { sql, url, bodyBytes } of inserts) {
        expect(bodyBytes).toBeGreaterThan(bytes)
        expect(bodyBytes).toBeLessThan(bytes + 10)
        expect(sql).toMatch(/insert_deduplication_token='kafka\/otlp_spans\/0\/\d-\d\/1/)
        for (const setting of ['async_insert=0', 'insert_deduplicate=1', "format_schema_source='string'"]) {
          expect(sql).toContain(setting)
        }
        expect(url).not.toContain('session_id')
      }
      await expectSpans(store, stored)
    },
  )

  // Each needs hands on the server, so these run on fronts alone.
  const insert = /^INSERT INTO spans/
  const faults: { name: string; does: Fault['does'] }[] = [
    { name: 'the connection is reset before the statement ran', does: { kind: 'reset', when: 'before' } },
    { name: 'the connection is reset after the rows are in', does: { kind: 'reset', when: 'after' } },
    {
      name: 'the server has too many parts',
      does: { kind: 'answer', status: 500, code: 252, text: 'Too many parts' },
    },
    { name: 'Keeper is away', does: { kind: 'answer', status: 500, code: 999, text: 'Session expired' } },
    {
      name: 'a table is read-only',
      does: { kind: 'answer', status: 500, code: 242, text: 'Table is in readonly mode' },
    },
    {
      name: 'a quorum is not reached',
      does: { kind: 'answer', status: 500, code: 319, text: 'Unknown status' },
    },
    { name: 'a proxy finds no server', does: { kind: 'answer', status: 502, text: 'Bad Gateway' } },
    {
      name: 'the password is refused for a moment',
      does: { kind: 'answer', status: 403, code: 516, text: 'Authentication failed' },
    },
  ]
  test.runIf(kind.hasFront).each(faults)('$name: waited for, then stored once', async ({ name, does }) => {
    place.front?.fault({ on: insert, does })
    place.front?.fault({ on: insert, does })
    const batch = batchOf(100 + faults.findIndex((fault) => fault.name === name))
    expect(await writerOn(store).write(batch, identity(`kafka/${name}`))).toMatchObject({ kind: 'stored' })
    stored += 2 * SPANS
    await expectSpans(store, stored)
  })

  test.runIf(kind.hasFront)(
    'the server goes away and comes back: batches wait, then are stored once',
    async () => {
      const front = frontOf(place)
      await front.stop()
      const writer = writerOn(store)
      const writing = Promise.all(
        [200, 201].map((seed) => writer.write(batchOf(seed), identity(`kafka/away/${seed}`))),
      )
      await expect(store.rows('SELECT 1')).rejects.toMatchObject({
        code: 'SURETY_STORE_BUSY',
        message: `The ClickHouse server at ${front.url} does not answer (ECONNREFUSED)`,
      })
      await front.start()
      expect(await writing).toMatchObject([{ kind: 'stored' }, { kind: 'stored' }])
      stored += 4 * SPANS
      await expectSpans(store, stored)
    },
  )

  test.runIf(kind.hasFront)(
    'Surety dies after the server has the rows: the intent is completed, exactly once',
    async () => {
      const front = frontOf(place)
      front.fault({ on: insert, does: { kind: 'reset', when: 'after' } })
      const dying = writerOn(store)
      const given = await dying.write(batchOf(300), identity('kafka/died', -1))
      expect(given).toMatchObject({ kind: 'given-up', error: { code: 'SURETY_STORE_BUSY' } })
      for (let round = 0; round < 2; round += 1) {
        expect(await writerOn(store).finish(batchOf(300), identity('kafka/died'))).toMatchObject({
          kind: 'stored',
        })
      }
      stored += 2 * SPANS
      await expectSpans(store, stored)
    },
  )

  test('two processes complete the same intent at once: stored once', async () => {
    const batch = batchOf(301)
    await Promise.all([1, 2].map(() => writerOn(store).write(batch, identity('kafka/both'))))
    stored += 2 * SPANS
    await expectSpans(store, stored)
  })

  test('calls and attribute values are derived, over joins of tables that are spread', async () => {
    const deriver = buildDeriver({
      store,
      clock: { now: () => Date.now() + 300_000 },
      logger: buildLogger('silent'),
      beside: (work) => work(),
      requests1mDays: 90,
    })
    expect((await deriver.tick()).service_edges_1m).toBeGreaterThan(0)
    const [edges] = await store.rows(
      `SELECT sum(requests) AS calls, (SELECT countIf(kind IN (3, 4)) FROM spans) AS wanted, countIf(callee != '' OR peer != '') AS named, count() AS edges FROM service_edges_1m`,
    )
    expect(Number(edges?.['calls'])).toBeGreaterThan(0)
    expect(Number(edges?.['calls'])).toBe(Number(edges?.['wanted']))
    expect(edges?.['named']).toEqual(edges?.['edges'])
  })

  test('what the engine cannot read is refused alone, its neighbours are stored', async () => {
    const raw = prepared(
      field(
        1,
        field(
          2,
          field(
            2,
            Buffer.concat([field(1, Buffer.alloc(16, 1)), Buffer.from([0x39, 0, 0, 0, 0, 0, 0, 0, 0])]),
          ),
        ),
      ),
    )
    const bad = {
      ...raw,
      rows: 1,
      deadLetters: [],
      bytes: field(1, field(2, field(2, Buffer.from([0x28, 0xff])))),
    }
    const written = await writerOn(store).write([...batchOf(302), bad], identity('kafka/bad'))
    expect(written.kind === 'stored' && [...written.refused.keys()]).toEqual([bad])
    stored += 2 * SPANS
    await expectSpans(store, stored)
  })

  test.runIf(kind.hasFront).each([
    {
      name: 'memory',
      does: { kind: 'answer', status: 500, code: 241, text: 'Memory limit exceeded' },
      want: 'SURETY_STORE_TOO_BIG',
    },
    {
      name: 'a proxy’s limit',
      does: { kind: 'answer', status: 413, text: 'Too large' },
      want: 'SURETY_STORE_TOO_BIG',
    },
    {
      name: 'data',
      does: { kind: 'answer', status: 400, code: 33, text: 'Cannot read all data' },
      want: 'SURETY_STORE_REFUSED',
    },
    {
      name: 'a grant',
      does: { kind: 'answer', status: 403, code: 497, text: 'Not enough privileges' },
      want: 'SURETY_STORE_ACCESS',
    },
    {
      name: 'another server',
      does: { kind: 'answer', status: 404, text: '<html>' },
      want: 'SURETY_STORE_QUERY',
    },
  ] as const)('an answer about $name is told apart', async ({ does, want }) => {
    place.front?.fault({ on: /telling/, does })
    await expect(store.rows("SELECT 'telling'")).rejects.toMatchObject({ code: want })
  })
})

describe('at start', () => {
  let front: ClickHouseFront
  const target = (more: Partial<ServerTarget> = {}): ServerTarget => ({
    urls: [front.url],
    user: 'default',
    password: '',
    database: 'surety',
    ...more,
  })
  async function begin(options: Parameters<typeof openClickHouseFront>[0] = {}): Promise<void> {
    front = await openClickHouseFront(options)
    onTestFinished(() => front.close())
  }
  const open = (more: Partial<ServerTarget> = {}) => openStore({ dataDir: '/nowhere', server: target(more) })

  test.each([
    { version: '25.7.8.71', isRefused: true },
    { version: '24.8.14.39', isRefused: true },
    { version: '18.16.1', isRefused: true },
    { version: 'unknown', isRefused: true },
    { version: '25.8.1.5101', isRefused: false },
    { version: '26.1.1.1-altinity', isRefused: false },
  ])('version $version', async ({ version, isRefused }) => {
    await begin({ version })
    const migrated = openServerStore(target(), DEFAULT_RETENTION, { migrates: true })
    if (!isRefused) return (await migrated).close()
    await expect(migrated).rejects.toMatchObject({
      code: 'SURETY_STORE_VERSION',
      message: `The ClickHouse server is version ${version}; this release needs 25.8 or newer. Update the server, or unset SURETY_CLICKHOUSE_URL to use the embedded engine.`,
    })
  })

  test('a wrong password is told without the password', async () => {
    await begin({ user: 'surety', password: 'right' })
    const refused = open({ user: 'surety', password: 's3cret' })
    await expect(refused).rejects.toMatchObject({
      code: 'SURETY_STORE_ACCESS',
      message: expect.stringMatching(
        /does not let user surety do this: .*SURETY_CLICKHOUSE_PASSWORD_FILE/,
      ) as string,
    })
    await refused.catch((error: unknown) =>
      expect(JSON.stringify(error) + String(error)).not.toContain('s3cret'),
    )
  })

  test('a server that no migration reached is told what to run, and is not changed', async () => {
    await begin()
    await expect(open()).rejects.toMatchObject({
      code: 'SURETY_STORE_SCHEMA',
      message: expect.stringMatching(
        /^The store has schema 0, this release needs \d+\. Run «surety migrate» once/,
      ) as string,
    })
    expect(front.requests.filter(({ sql }) => /^(?:CREATE|ALTER|INSERT|DROP)/.test(sql))).toEqual([])
  })

  test('another retention than the server has is told apart from a change', async () => {
    await begin()
    await (await openServerStore(target(), DEFAULT_RETENTION, { migrates: true })).close()
    const retention = { ...DEFAULT_RETENTION, spansDays: 30 }
    await expect(openStore({ dataDir: '/nowhere', server: target(), retention })).rejects.toThrow(
      'The server keeps spans for 7 days, this configuration says 30',
    )
    await (await openServerStore(target(), retention, { migrates: true })).close()
    await (await openStore({ dataDir: '/nowhere', server: target(), retention })).close()
  })

  test('a cluster that the server does not know, and macros that it lacks, are named', async () => {
    await begin({ cluster: 'bank', macros: ['shard'] })
    const cluster = (name: string) => ({ cluster: { name, database: 'surety' } })
    await expect(open(cluster('bnak'))).rejects.toThrow('The server knows no cluster bnak')
    await expect(open(cluster('bank'))).rejects.toThrow('The server has no macro replica')
  })

  test('of several addresses the next is tried when one cannot be reached', async () => {
    await begin()
    await (await openServerStore(target(), DEFAULT_RETENTION, { migrates: true })).close()
    const urls = ['http://127.0.0.1:1', front.url]
    await expect(open({ urls })).rejects.toThrow('http://127.0.0.1:1 does not answer (ECONNREFUSED)')
    const store = await open({ urls: [front.url, 'http://127.0.0.1:1'] })
    onTestFinished(() => store.close())
    await front.stop()
    await expect(store.rows('SELECT 1')).rejects.toThrow(front.url)
    await expect(store.rows('SELECT 1')).rejects.toThrow('http://127.0.0.1:1')
    await front.start()
    expect(await store.rows('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('over TLS the server is believed by its CA alone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'surety-tls-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const { certFile, keyFile } = makeCertificate(folder, 'clickhouse')
    const [cert, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')]
    await begin({ tls: { cert, key } })
    await expect(open()).rejects.toThrow('SURETY_CLICKHOUSE_CA_FILE names whom to believe')
    const store = await openServerStore(target({ ca: cert }), DEFAULT_RETENTION, { migrates: true })
    expect(store.place).toMatchObject({ kind: 'server', url: front.url })
    await store.close()
  })
})
