// What everything upstream and downstream relies on in the store, against the real engine: one token is one
// insert, nothing of one query reaches the next, lanes keep apart, the schema is what it says.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { METRIC_TABLES } from '../../ingest/store/insert-metrics.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { RULES_MAX } from '../../ingest/return-codes.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import type { Bindable } from '../../ingest/store/bind.ts'
import type { ReturnCodeRule } from '../../ingest/store/insert-spans.ts'
import { AS_WRITTEN, renderAll } from '../../ingest/store/migrate.ts'
import { applyRetention } from '../../ingest/store/retention.ts'
import { renderingFor } from '../../ingest/store/server-store.ts'
import {
  DEFAULT_RETENTION,
  openEmbeddedStore,
  StoreError,
  type InsertTransport,
  type Retention,
  type Statement,
  type Store,
} from '../../ingest/store/store.ts'
import { attributeKeys, attributeValues } from '../../query/reports/attributes.ts'
import { observedCalls } from '../../query/reports/dependencies.ts'
import { ingestStatus } from '../../query/reports/ingest-status.ts'
import { journeyLosses } from '../../query/reports/journey-losses.ts'
import { journeys } from '../../query/reports/journeys.ts'
import { serviceMap } from '../../query/reports/map.ts'
import { namedEvents } from '../../query/reports/events.ts'
import { releaseEffects } from '../../query/reports/release-effects.ts'
import { releaseEvents } from '../../query/reports/release-events.ts'
import { serviceErrors } from '../../query/reports/service-errors.ts'
import { seenVersions } from '../../query/reports/service-seen.ts'
import { searchSpans } from '../../query/reports/search.ts'
import { serviceSeries } from '../../query/reports/service-series.ts'
import { serviceItems } from '../../query/reports/services.ts'
import { traceById } from '../../query/reports/trace.ts'
import { settledHours } from '../../query/reports/wholes.ts'
import { openTestStore } from '../support/empty-data.ts'
import { traceRequest } from '../support/otlp.ts'
import { eventually } from '../support/surety.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { STORE_KINDS, type StoreKind, type StorePlaceForTests } from '../support/test-stores.ts'

const DAY_MS = 86_400_000
const LANES = ['light', 'heavy', 'blame', 'insert', 'admin'] as const

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'surety-store-'))
  folders.push(folder)
  return folder
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** An ad-hoc question; its row is what comes. */
const question = <Row>(
  sql: string,
  row: z.ZodType<Row>,
): Statement<Readonly<Record<string, Bindable>>, Row> => ({
  name: 'ad hoc',
  sql,
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
  row,
})

async function one<Row = Record<string, unknown>>(store: Store, sql: string): Promise<Row> {
  const [row] = await store.rows(sql)
  return row as Row
}

function writerOn(store: Store, rules: readonly ReturnCodeRule[] = []) {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
  return buildBatchWriter({
    signal: buildTraceSignal({ rules, metrics, clock: systemClock }),
    store,
    deadLetters,
    metrics,
    logger,
    clock: systemClock,
  })
}

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const startNs = BigInt(Date.now() - 60_000) * 1_000_000n

/** Three requests with a call each: 6 spans, 3 of them requests and roots. */
const request = traceRequest([
  {
    attributes: { 'service.name': 'ledger', 'service.version': '1.4.2' },
    spans: [0, 1, 2].flatMap((index) => {
      const traceId = Buffer.from(TRACE_ID, 'hex')
      traceId.writeUInt8(index, 15)
      const spanId = Buffer.alloc(8, index + 1)
      const times = { startNs, endNs: startNs + 20_000_000n }
      return [
        { traceId, spanId, name: 'POST /postings', kind: 2, ...times },
        {
          traceId,
          spanId: Buffer.alloc(8, index + 101),
          parentSpanId: spanId,
          name: 'INSERT',
          kind: 3,
          ...times,
        },
      ]
    }),
  },
])

const lostJourney = traceRequest([
  {
    attributes: { 'service.name': 'gateway' },
    spans: [
      {
        traceId: Buffer.alloc(16, 7),
        spanId: Buffer.alloc(8, 7),
        name: 'POST /transfer',
        startNs,
        endNs: startNs,
        attributes: { 'bank.txn.code': 'transfer', 'http.response.status_code': 500 },
      },
    ],
  },
])

/** Gone when the test is over. */
async function openNew(kind: StoreKind): Promise<Store> {
  const place = await kind.make()
  onTestFinished(() => place.remove())
  const store = await place.open()
  onTestFinished(() => store.close())
  return store
}

/** As after a restart: a writer that remembers nothing. */
async function write(
  store: Store,
  token: string,
  body: Uint8Array = request,
  rules: readonly ReturnCodeRule[] = [],
): Promise<void> {
  const bounds = { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS }
  const prepared = prepareTraces(body, 'kafka', Date.now(), bounds)
  const identity = { token, door: 'kafka', patienceMs: 0 }
  expect(await writerOn(store, rules).write([prepared], identity)).toEqual({
    kind: 'stored',
    refused: new Map(),
  })
}

const totals = async (store: Store) =>
  Object.fromEntries(
    Object.entries(
      await one(
        store,
        `SELECT (SELECT count() FROM spans) AS spans, (SELECT sum(requests) FROM requests_10s) AS requests_10s,
          (SELECT sum(requests) FROM requests_1m) AS requests_1m, (SELECT sum(duration_ns_sum) FROM requests_1m) AS duration_ns,
          (SELECT count() FROM trace_roots) AS trace_roots, (SELECT count() FROM batches) AS batches, (SELECT sum(rows) FROM batches) AS batch_rows`,
      ),
    ).map(([name, value]) => [name, Number(value)]),
  )
const times = (count: number) => ({
  spans: 6 * count,
  requests_10s: 3 * count,
  requests_1m: 3 * count,
  duration_ns: 60_000_000 * count,
  trace_roots: 3 * count,
  batches: count,
  batch_rows: 6 * count,
})

describe.each(STORE_KINDS)('one token is one insert: $name', (kind) => {
  let place: StorePlaceForTests
  let store: Store
  beforeAll(async () => {
    place = await kind.make()
    store = await place.open()
  })
  afterAll(async () => {
    await store.close()
    await place.remove()
  })

  test('repeated, it changes neither the spans nor anything that views make of them', async () => {
    await write(store, 'kafka/otlp_spans/0/0-0/a')
    expect(await totals(store)).toEqual(times(1))
    await write(store, 'kafka/otlp_spans/0/0-0/a')
    await Promise.all([write(store, 'kafka/otlp_spans/0/0-0/a'), write(store, 'kafka/otlp_spans/0/0-0/a')])
    expect(await totals(store)).toEqual(times(1))
  })

  test('after a restart it is still known', async () => {
    await store.close()
    store = await place.open()
    await write(store, 'kafka/otlp_spans/0/0-0/a')
    expect(await totals(store)).toEqual(times(1))
  })

  test('the same rows under another token are other rows: a bank may well send the same span twice', async () => {
    await write(store, 'kafka/otlp_spans/0/1-1/a')
    expect(await totals(store)).toEqual(times(2))
  })

  test('other rows under a known token are dropped: a token must name its content', async () => {
    await write(store, 'kafka/otlp_spans/0/1-1/a', Buffer.concat([request, request]))
    expect(await totals(store)).toEqual(times(2))
  })

  test('two batches with the same token at the same time are stored once', async () => {
    await Promise.all(Array.from({ length: 4 }, () => write(store, 'kafka/otlp_spans/0/2-2/a')))
    expect(await totals(store)).toEqual(times(3))
  })

  test('resources are one row for each hash, however often they are written', async () => {
    const row = await one(store, 'SELECT count() AS rows, uniqExact(res_id) AS ids FROM resources FINAL')
    expect(row).toEqual({ rows: 1, ids: 1 })
  })

  test('an empty batch goes in and stores nothing: it tells whether an unknown error is the store', async () => {
    const before = await totals(store)
    let canaries = 0
    const transport: InsertTransport = {
      ...store.transport,
      async insert(job) {
        if (job.statements.some(({ token }) => token !== 'canary'))
          throw new StoreError('SURETY_STORE_QUERY', 'never seen before', 49)
        canaries += 1
        await store.transport.insert(job)
      },
    }
    const prepared = prepareTraces(request, 'kafka', Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS })
    const written = await writerOn({ ...store, transport }).write([prepared], {
      token: 'unknown',
      door: 'kafka',
      patienceMs: 0,
    })
    expect(written).toEqual({ kind: 'stored', refused: new Map([[prepared, 'never seen before']]) })
    expect(canaries).toBe(1)
    expect(await totals(store)).toEqual(before)
    expect(await one(store, 'SELECT reason, detail, size FROM dead_letters')).toEqual({
      reason: 'engine-refused',
      detail: 'never seen before',
      size: request.length,
    })
  })
})

test.each(STORE_KINDS)(
  'the largest return-code map works on every row, exact codes and prefixes: $name',
  async (kind) => {
    const store = await openNew(kind)
    const rules = Array.from({ length: RULES_MAX }, (_, index): ReturnCodeRule => {
      const code = `${String(index).padStart(4, '0')}${'x'.repeat(58)}`
      return index % 2 === 0 ? { code, outcome: 'shed' } : { code: `${code}*`, outcome: 'business_error' }
    })
    const codes = ['0000', '0001', '0998', '0999', '1000'].map((code) => `${code}${'x'.repeat(58)}`)
    const spans = codes.map((code, index) => ({
      traceId: Buffer.alloc(16, 1),
      spanId: Buffer.alloc(8, index + 1),
      name: 'op',
      startNs,
      endNs: startNs,
      attributes: { 'bank.return.code': code },
    }))
    await write(store, 'codes', traceRequest([{ attributes: {}, spans }]), rules)
    const rows = await store.rows('SELECT outcome FROM spans ORDER BY span_id')
    expect(rows.map(({ outcome }) => outcome)).toEqual([
      'shed',
      'business_error',
      'shed',
      'business_error',
      'ok',
    ])
  },
)

describe.each(STORE_KINDS)('nothing of one query reaches the next: $name', (kind) => {
  let place: StorePlaceForTests
  let store: Store
  beforeAll(async () => {
    place = await kind.make()
    store = await place.open()
  })
  afterAll(async () => {
    await store.close()
    await place.remove()
  })

  const COLUMNS = { at: "DateTime64(3, 'UTC')", origin: 'String' }
  const now = new Date().toISOString().slice(0, 23).replace('T', ' ')
  const letter = { at: now, origin: 'sticky' }
  const lettersStored = async () => {
    const row = await one<{ c: number }>(
      store,
      `SELECT count() AS c FROM dead_letters WHERE origin = 'sticky'`,
    )
    return row.c
  }

  // What `ask` itself sets inline is left out; four at a time reach every connection of a lane.
  const OWN =
    "('max_execution_time', 'output_format_json_validate_utf8', 'output_format_json_quote_64bit_integers')"
  const changed = question(
    `SELECT arraySort(groupArray(concat(name, '=', value))) AS settings, sleep(0.02) AS slept FROM system.settings WHERE changed AND name NOT IN ${OWN}`,
    z.object({ settings: z.array(z.string()) }),
  )
  const token = question(
    `SELECT value, sleep(0.02) AS slept FROM system.settings WHERE name = 'insert_deduplication_token'`,
    z.object({ value: z.string() }),
  )
  async function onEveryLane<Row>(
    statement: Statement<Readonly<Record<string, Bindable>>, Row>,
  ): Promise<Row[]> {
    const asked = LANES.flatMap((lane) => [1, 2, 3, 4].map(() => store.ask(statement, {}, { lane })))
    return (await Promise.all(asked)).flat()
  }

  test('a token ends with its insert, and so does every other setting', async () => {
    const before = await onEveryLane(changed)
    expect(new Set(before.map(({ settings }) => JSON.stringify(settings))).size).toBe(1)
    await Promise.all([1, 2, 3, 4].map((index) => write(store, `sticky-${index}`)))
    expect(await onEveryLane(token)).toEqual(Array.from({ length: 4 * LANES.length }, () => ({ value: '' })))
    expect(await onEveryLane(changed)).toEqual(before)
  })

  test('the same rows without a token are stored beside those with one', async () => {
    await store.insertRows('dead_letters', COLUMNS, [letter], 'letter-token')
    await store.insertRows('dead_letters', COLUMNS, [letter], 'letter-token')
    expect(await lettersStored()).toBe(1)
    await store.command(
      `INSERT INTO dead_letters (at, origin) SELECT at, origin FROM dead_letters WHERE origin = 'sticky'`,
    )
    expect(await lettersStored()).toBe(2)
    await store.insertRows('dead_letters', COLUMNS, [letter], 'another-token')
    expect(await lettersStored()).toBe(3)
  })

  test.runIf(kind.name === 'embedded engine')(
    'a failed insert leaves no setting and no file behind',
    async () => {
      let path = ''
      const sql = (source: (structure: string) => string) => {
        path = /file\('([^']+)'/.exec(source('x UInt8'))?.[1] ?? ''
        return `INSERT INTO no_such_table SELECT x FROM ${source('x UInt8')}`
      }
      const job = {
        body: [Buffer.from('{"x":1}')],
        format: 'JSONEachRow' as const,
        statements: [{ sql, token: 'lost' }],
      }
      await expect(store.transport.insert(job)).rejects.toMatchObject({ code: 'SURETY_STORE_QUERY' })
      expect(path).not.toBe('')
      expect(existsSync(path)).toBe(false)
      expect(await onEveryLane(token)).toEqual(
        Array.from({ length: 4 * LANES.length }, () => ({ value: '' })),
      )
    },
  )

  test('two hundred questions at once each get their own answer', async () => {
    const echo = question(
      'SELECT {number:UInt32} AS number, {text:String} AS text, {list:Array(String)} AS list',
      z.object({ number: z.number(), text: z.string(), list: z.array(z.string()) }),
    )
    const wanted = Array.from({ length: 200 }, (_, index) => ({
      number: index,
      text: `it's ${index}`,
      list: [`a${index}`, `'b'${index}`],
    }))
    expect((await Promise.all(wanted.map((given) => store.ask(echo, given)))).flat()).toEqual(wanted)
  })

  test.each([
    { name: 'quotes and SQL', text: `'; DROP TABLE spans; --` },
    { name: 'a blank line and SQL', text: '\n\nDROP TABLE spans\n\n' },
    { name: 'a backslash at the end', text: 'C:\\' },
    { name: 'backslashes before quotes', text: `\\'\\\\' OR 1 = 1 --` },
    { name: 'what looks like a placeholder', text: '{text:String} {other:UInt8} ${x}' },
    { name: 'what looks like a comment', text: '/* -- # */' },
    { name: 'a NUL in the middle', text: 'before\0after' },
    { name: 'control characters and line ends', text: '\b\f\r\n\t\v\u{1b}' },
    { name: 'text beyond ASCII', text: '转账 «limit» 😀 \u{2028}' },
    { name: 'two mebibytes of quotes', text: `'`.repeat(2 * 1024 * 1024) },
    { name: 'nothing', text: '' },
  ])('$name is bound as text', async ({ text }) => {
    const echo = question(
      'SELECT {text:String} AS text, length({list:Array(String)}) AS items, {list:Array(String)}[1] AS first',
      z.object({ text: z.string(), items: z.coerce.number(), first: z.string() }),
    )
    const small = text.slice(0, 1_000_000)
    expect(await store.ask(echo, { text, list: [small, 'b'] })).toEqual([{ text, items: 2, first: small }])
    expect((await totals(store))['spans']).toBeGreaterThan(0)
  })
})

describe('lanes', () => {
  let store: Store
  beforeAll(async () => void (store = await openTestStore(newFolder())))
  afterAll(() => store.close())

  const sleeping = question('SELECT sleep({seconds:Float64}) AS slept', z.looseObject({}))
  const light = question('SELECT 1 AS one', z.object({ one: z.number() }))

  // Of so many heavy questions two run at a time. Who waited for their places would come after all but the last two of them;
  // who does not may still be slower than the first ones on a busy machine.
  const HEAVY = 6
  const HEAVY_BEFORE_MAX = 4

  test('heavy questions never hold up light ones or inserts', async () => {
    const order: string[] = []
    const heavy = Array.from({ length: HEAVY }, async () => {
      await store.ask(sleeping, { seconds: 2 }, { lane: 'heavy' })
      order.push('heavy')
    })
    const others = Array.from({ length: 20 }, async () => {
      await store.ask(light, {})
      order.push('light')
    })
    const insert = write(store, 'beside-heavy').then(() => order.push('insert'))
    await Promise.all([...others, insert, ...heavy])
    const before = order.slice(0, 21 + HEAVY_BEFORE_MAX)
    expect(before.filter((lane) => lane !== 'heavy').toSorted()).toEqual([
      'insert',
      ...Array.from({ length: 20 }, () => 'light'),
    ])
  })

  test('what explains faults waits for no page and no derivation', async () => {
    const order: string[] = []
    const asked = (lane: 'heavy' | 'blame', seconds: number) => async () => {
      await store.ask(sleeping, { seconds }, { lane })
      order.push(lane)
    }
    const heavy = Array.from({ length: HEAVY }, asked('heavy', 2))
    const blame = Array.from({ length: 4 }, asked('blame', 0.01))
    await Promise.all([...heavy, ...blame])
    const before = order.slice(0, 4 + HEAVY_BEFORE_MAX)
    expect(before.filter((lane) => lane === 'blame')).toHaveLength(4)
  })

  test('a full lane says busy at once, and answers again when it has room', async () => {
    // Four connections and 200 that wait.
    const running = [1, 2, 3, 4].map(() => store.ask(sleeping, { seconds: 0.5 }))
    const answers = await Promise.allSettled(Array.from({ length: 207 }, () => store.ask(light, {})))
    const busy = answers
      .filter((answer) => answer.status === 'rejected')
      .map(({ reason }) => reason as unknown)
    expect(busy).toHaveLength(7)
    for (const error of busy) {
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({
        code: 'SURETY_STORE_BUSY',
        retryable: true,
        message: 'The store has 200 light queries waiting; try again in a few seconds',
      })
    }
    await Promise.all(running)
    expect(await store.ask(light, {})).toEqual([{ one: 1 }])
  })

  test('a question that takes too long is ended, as busy', async () => {
    const endless = question('SELECT count() AS c FROM numbers(1000000000000)', z.looseObject({}))
    await expect(store.ask(endless, {}, { lane: 'heavy', secondsMax: 1 })).rejects.toMatchObject({
      code: 'SURETY_STORE_BUSY',
      engineCode: 159,
    })
  })

  test('a wrong statement is ours to mend, never retried', async () => {
    await expect(
      store.ask(question('SELECT nothing FROM nowhere', z.looseObject({})), {}),
    ).rejects.toMatchObject({
      code: 'SURETY_STORE_QUERY',
      retryable: false,
    })
  })
})

describe.each(STORE_KINDS)('schema and questions: $name', (kind) => {
  let place: StorePlaceForTests
  let store: Store
  beforeAll(async () => {
    place = await kind.make()
    store = await place.open()
    await write(store, 'questions')
  })
  afterAll(async () => {
    await store.close()
    await place.remove()
  })
  // A cluster has it once, beside the public names.
  const journal = () => (store.place.kind === 'cluster' ? [] : ['schema_migrations'])

  test('every table is there, and every column says what it holds', async () => {
    const tables = await store.rows(
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name`,
    )
    expect(tables.map(({ name }) => name)).toEqual([
      'attribute_values',
      'batches',
      'dead_letter_replays',
      'dead_letters',
      'derivations',
      'error_signatures',
      'events',
      'exemplars',
      'exp_histograms',
      'histograms',
      'instance_requests_1m',
      'release_events',
      'release_steps',
      'requests_10s',
      'requests_1h',
      'requests_1m',
      'resources',
      'samples_float',
      'samples_int',
      ...journal(),
      'series',
      'service_edges_1m',
      'service_requests_1h',
      'service_requests_1m',
      'sli_slices',
      'slo_figures',
      'slo_statuses',
      'spans',
      'summaries',
      'trace_failures_1m',
      'trace_paths_1m',
      'trace_roots',
    ])
    const silent = await store.rows(
      `SELECT table, name FROM system.columns WHERE database = currentDatabase() AND comment = ''
        AND table NOT IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView')`,
    )
    expect(silent).toEqual([])
  })

  test('every table survives a loss of power and knows the tokens of its last 10,000 inserts', async () => {
    const tables = await store.rows(
      `SELECT name, create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'`,
    )
    const lacking = (setting: string) =>
      tables.filter(({ ddl }) => !String(ddl).includes(setting)).map(({ name }) => name)
    expect(tables.length).toBeGreaterThan(8)
    expect(lacking('fsync_after_insert = 1')).toEqual([])
    expect(lacking('fsync_part_directory = 1')).toEqual([])
    // Migrations are written one at a time by one process and have no token.
    expect(lacking('non_replicated_deduplication_window = 10000')).toEqual(journal())
  })

  test('every view that fills a table is there', async () => {
    const views = await store.rows(
      `SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'MaterializedView' ORDER BY name`,
    )
    expect(views.map(({ name }) => name)).toEqual([
      'batches_mv',
      'error_signatures_mv',
      'exemplars_mv',
      'exp_histograms_mv',
      'histograms_mv',
      'requests_10s_mv',
      'requests_1m_mv',
      'samples_float_mv',
      'samples_int_mv',
      'service_requests_1m_mv',
      'summaries_mv',
      'trace_roots_mv',
    ])
  })

  test('every question of the reports runs', async () => {
    const asked = new Set<string>()
    const recording: Store = {
      ...store,
      ask: (statement, parameters, options) => {
        asked.add(statement.name)
        return store.ask(statement, parameters, options)
      },
    }
    const nowMs = Date.now()
    const range = { fromMs: nowMs - 900_000, toMs: nowMs }
    const scope = { site: '', channel: '', region: '', traffic: 'live' }
    const { items } = await serviceItems(recording, range, scope, { nowMs, minutesDays: 90 })
    expect(items).toEqual([
      expect.objectContaining({ service: 'ledger', version: '1.4.2', requests: 3, errorRatio: 0 }),
    ])
    const series = await serviceSeries(recording, 'ledger', range, undefined, scope, {
      nowMs,
      minutesDays: 90,
    })
    expect(series.versions).toEqual([
      expect.objectContaining({
        version: '1.4.2',
        points: [expect.objectContaining({ requests: 3, bad: 0 })],
      }),
    ])
    expect(series.versions[0]?.latency[0]?.p50Ms).toBeCloseTo(20, 0)
    const trace = await traceById(recording, TRACE_ID.replace(/..$/, '00'), nowMs, 7)
    expect(trace?.spans.map(({ name, resource }) => [name, resource['service.name']])).toEqual([
      ['POST /postings', 'ledger'],
      ['INSERT', 'ledger'],
    ])
    expect(await traceById(recording, 'f'.repeat(32), nowMs, 7)).toBeUndefined()
    expect(await serviceErrors(recording, 'ledger', range, 'live', 10)).toEqual([])
    expect(await serviceMap(recording, range, 'live')).toMatchObject({ derivedUntil: null, edges: [] })
    const suggesting = { prefix: '', service: '', limit: 10 }
    expect(await attributeKeys(recording, suggesting)).toEqual([])
    expect(await attributeValues(recording, 'bank.channel', suggesting)).toEqual([])
    const found = await searchSpans(recording, range, { attributes: [] }, 10, [], () => nowMs)
    expect(found).toHaveLength(6)
    expect(await releaseEvents(recording, range, '', 10)).toEqual([])
    const anyEvent = { service: '', kind: '', name: '', limit: 10 }
    expect(await namedEvents(recording, range, anyEvent)).toEqual([])
    const status = await ingestStatus(recording, nowMs, null)
    expect(status).toMatchObject({
      spans: { rows: 6 },
      rowsPerSecond: 0.1,
      deadLetters: { total: 0, newest: [] },
    })
    expect(await settledHours(recording, { ...range, fromMs: nowMs - DAY_MS })).toEqual({
      hours: [],
      derivations: [],
    })
    expect(await seenVersions(recording, ['ledger'], 'live', nowMs)).toMatchObject([{ version: '1.4.2' }])
    expect(await observedCalls(recording, ['ledger'], range, 'live')).toEqual([])
    const everywhere = { traffic: 'live', entries: undefined }
    expect(await journeys(recording, range, everywhere, 10)).toEqual([])
    await write(store, 'journeys', lostJourney)
    expect(await journeys(recording, range, everywhere, 10)).toMatchObject([{ item: { lost: 1 } }])
    const losses = await journeyLosses(recording, 'transfer', range, everywhere)
    expect(losses).toMatchObject({ lost: 1000, losses: [{ culprit: { service: 'gateway' } }] })
    const ready = { service: 'ledger', readyAtMs: nowMs - 60_000 }
    expect(await releaseEffects(recording, [ready], 30)).toHaveLength(1)
    // Those of metrics are asked in metrics.test.ts.
    const files = readdirSync(new URL('../../query/reports/', import.meta.url)).filter(
      (name) => name.endsWith('.sql') && !name.startsWith('metric-'),
    )
    expect([...asked].sort()).toEqual(files.sort())
  })
})

test.each(STORE_KINDS)(
  'every migration can be run again over data, changes none of it, and leaves every view working: $name',
  async (kind) => {
    const place = await kind.make()
    onTestFinished(() => place.remove())
    const store = await place.open()
    onTestFinished(() => store.close())
    await write(store, 'before')
    const rendering = place.target === undefined ? AS_WRITTEN : renderingFor(place.target)
    for (const sql of renderAll(rendering)) if (!sql.startsWith('CREATE DATABASE')) await store.command(sql)
    expect(await totals(store)).toEqual(times(1))
    await write(store, 'after')
    expect(await totals(store)).toEqual(times(2))
    expect(await one(store, 'SELECT sum(weighted) AS weighted FROM requests_10s')).toEqual({ weighted: 6000 })
  },
)

describe.each(STORE_KINDS)('retention: $name', (kind) => {
  let place: StorePlaceForTests
  let store: Store
  const reopen = async (retention: Retention) => {
    await store.close()
    store = await place.open(retention)
  }
  beforeAll(async () => {
    place = await kind.make()
    store = await place.open()
  })
  afterAll(async () => {
    await store.close()
    await place.remove()
  })

  const ALL: Retention = {
    spansDays: 3,
    requests10sDays: 4,
    requests1mDays: 5,
    requests1hDays: 8,
    deadLettersDays: 6,
    metricsDays: 6,
    eventsDays: 6,
  }
  const METRICS = [...METRIC_TABLES, 'series', 'events']
  const TABLES = [
    'spans',
    'trace_roots',
    'requests_10s',
    'requests_1m',
    'service_requests_1m',
    'error_signatures',
    'service_edges_1m',
    'trace_paths_1m',
    'trace_failures_1m',
    'instance_requests_1m',
    'requests_1h',
    'service_requests_1h',
    'derivations',
    'sli_slices',
    'slo_figures',
    'attribute_values',
    'dead_letter_replays',
    'dead_letters',
    ...METRICS,
  ]
  const insertAged = (name: string, days: number) =>
    store.command(`INSERT INTO spans (ts, service) SELECT now64(9) - INTERVAL ${days * 24} HOUR, '${name}'`)
  const services = async () =>
    (await store.rows('SELECT service FROM spans ORDER BY service')).map(({ service }) => service)

  test('the schema carries the defaults, so nothing changes at the first start', async () => {
    expect(await applyRetention(store, DEFAULT_RETENTION)).toEqual([])
    expect(await one(store, 'SELECT count() AS c FROM system.mutations')).toEqual({ c: 0 })
  })

  test('another retention is put in place once, table by table', async () => {
    expect((await applyRetention(store, ALL)).sort()).toEqual(TABLES.toSorted())
    expect(await applyRetention(store, ALL)).toEqual([])
    expect(await applyRetention(store, { ...ALL, deadLettersDays: 7 })).toEqual([
      'dead_letter_replays',
      'dead_letters',
    ])
    const changes = await one(store, 'SELECT count() AS c FROM system.mutations')
    await reopen({ ...ALL, deadLettersDays: 7 })
    expect(await one(store, 'SELECT count() AS c FROM system.mutations')).toEqual(changes)
    await reopen(DEFAULT_RETENTION)
    expect(await applyRetention(store, DEFAULT_RETENTION)).toEqual([])
  })

  test('reopening keeps what is stored', async () => {
    await insertAged('hour', 1 / 24)
    await insertAged('day', 1)
    await insertAged('five-days', 5)
    await reopen(DEFAULT_RETENTION)
    expect(await services()).toEqual(['day', 'five-days', 'hour'])
  })

  test('a shorter retention also holds for what was stored before', async () => {
    await reopen({ ...DEFAULT_RETENTION, spansDays: 2 })
    await eventually(services, (names) => !names.includes('five-days'))
    expect(await services()).toEqual(['day', 'hour'])
  })

  test('a row that is older than the retention when it comes vanishes at the insert', async () => {
    await insertAged('five-days', 5)
    expect(await services()).toEqual(['day', 'hour'])
  })

  test('a longer retention also holds for what was stored before', async () => {
    await reopen({ ...DEFAULT_RETENTION, spansDays: 30 })
    const soonestEnd = () =>
      one<{ days: number }>(
        store,
        `SELECT dateDiff('day', now(), min(delete_ttl_info_max)) AS days FROM system.parts
          WHERE database = currentDatabase() AND table = 'spans' AND active AND rows > 0`,
      )
    expect((await eventually(soonestEnd, ({ days }) => days > 20)).days).toBeGreaterThanOrEqual(28)
    expect(await services()).toEqual(['day', 'hour'])
  })
})

describe('one process at a time', () => {
  const folder = newFolder()

  test('a directory that another process holds is refused, with the process and the variable; a crash frees it', async () => {
    const first = await openEmbeddedStore(folder)
    await write(first, 'held')
    let spooled = ''
    const sql = (source: (structure: string) => string) => {
      spooled = /file\('([^']+)'/.exec(source('at Int64'))?.[1] ?? ''
      return `INSERT INTO dead_letters (at) SELECT at FROM ${source('at Int64')}`
    }
    await first.transport.insert({
      body: [Buffer.from('{"at":1}')],
      format: 'JSONEachRow',
      statements: [{ sql, token: 't' }],
    })
    await first.close()

    const holder = spawnSurety(['serve'], { SURETY_DATA_DIR: folder })
    onTestFinished(async () => {
      holder.kill('SIGKILL')
      await holder.ended
    })
    await holder.ready()
    const refusal = openEmbeddedStore(folder)
    await expect(refusal).rejects.toMatchObject({ code: 'SURETY_STORE_BUSY' })
    await expect(refusal).rejects.toThrow(
      `The data directory ${folder} is in use by process ${holder.pid}. Stop that process, or set SURETY_DATA_DIR to another directory.`,
    )
    // The refusal leaves the holder's mark alone.
    await expect(openEmbeddedStore(folder)).rejects.toThrow(`process ${holder.pid}`)

    holder.kill('SIGKILL')
    await holder.ended
    mkdirSync(dirname(spooled), { recursive: true })
    const left = join(dirname(spooled), '99.bin')
    writeFileSync(left, 'half a batch')
    const again = await openEmbeddedStore(folder)
    expect(existsSync(left)).toBe(false)
    expect(await one(again, 'SELECT count() AS c FROM spans')).toEqual({ c: 6 })
    await again.close()
    expect(existsSync(dirname(spooled))).toBe(false)
  })
})
