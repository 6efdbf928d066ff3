// What is derived after the rows are in, against the real engine: who calls whom by minute, requests by hour; again when
// late rows come, once however often it is done.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { buildDeriver } from '../../ingest/derived/deriver.ts'
import { buildDeadLetterBox } from '../../ingest/pipeline/dead-letter-box.ts'
import { prepareTraces } from '../../ingest/pipeline/prepare.ts'
import { buildBatchWriter } from '../../ingest/pipeline/batch-writer.ts'
import { buildTraceSignal } from '../../ingest/pipeline/trace-signal.ts'
import { systemClock } from '../../ingest/runtime/clock.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { buildMetrics } from '../../ingest/runtime/metrics.ts'
import { StoreError, type Store } from '../../ingest/store/store.ts'
import { attributeKeys, attributeValues } from '../../query/reports/attributes.ts'
import { serviceItems } from '../../query/reports/services.ts'
import { serviceSeries } from '../../query/reports/service-series.ts'
import { serviceMap } from '../../query/reports/map.ts'
import { openTestStore } from '../support/empty-data.ts'
import { traceRequest, type Attributes, type SpanInput } from '../support/otlp.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const HOSTILE = `'; \n\nDROP TABLE spans\n\n-- {from:UInt32}`

let folder: string
let store: Store
// The batches' own time is the engine's, so the clock runs ahead of it; where rows come late, by little more than what a
// bucket takes to settle.
let aheadMs: number
const clock = { now: () => Date.now() + aheadMs }
const minuteMs = Math.floor((Date.now() - 10 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS
const range = { fromMs: minuteMs, toMs: minuteMs + 2 * MINUTE_MS }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'surety-derived-'))
  store = await openTestStore(folder)
  aheadMs = 5 * MINUTE_MS
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

const deriverOn = (on: Pick<Store, 'ask'> = store) =>
  buildDeriver({
    store: on,
    clock,
    logger: buildLogger('silent'),
    beside: (work) => work(),
    requests1mDays: 90,
  })

let sequence = 0
const id = (bytes: number) => {
  sequence += 1
  const buffer = Buffer.alloc(bytes, 0x11)
  buffer.writeUInt32BE(sequence, bytes - 4)
  return buffer
}

type Sent = { readonly service: string; readonly version?: string; readonly span: Partial<SpanInput> }

async function send(spans: readonly Sent[]): Promise<void> {
  const metrics = buildMetrics()
  const logger = buildLogger('silent')
  const deadLetters = buildDeadLetterBox(store, metrics, logger, systemClock)
  const writer = buildBatchWriter({
    signal: buildTraceSignal({ rules: [], metrics, clock: systemClock }),
    store,
    deadLetters,
    metrics,
    logger,
    clock: systemClock,
  })
  const request = traceRequest(
    spans.map(({ service, version = '1', span }) => {
      const startNs = span.startNs ?? BigInt(minuteMs + 1000) * 1_000_000n
      return {
        attributes: { 'service.name': service, 'service.version': version },
        spans: [
          { traceId: id(16), spanId: id(8), name: 'op', startNs, endNs: startNs + 10_000_000n, ...span },
        ],
      }
    }),
  )
  const prepared = prepareTraces(request, 'test', Date.now(), { retentionMs: 7 * DAY_MS, aheadMs: DAY_MS })
  const written = await writer.write([prepared], {
    token: `t${(sequence += 1)}`,
    door: 'test',
    patienceMs: 0,
  })
  expect(written).toMatchObject({ kind: 'stored', refused: new Map() })
}

/** A call and, unless nothing answers, its answer. */
function call(
  caller: string,
  callee: string | undefined,
  {
    attributes = {},
    status = 200,
    durationMs = 20,
    answerMs = 5,
    answerAtMs = minuteMs + 1100,
    kind = 3,
  }: {
    attributes?: Attributes
    status?: number
    durationMs?: number
    answerMs?: number
    answerAtMs?: number
    kind?: number
  } = {},
): Sent[] {
  const traceId = id(16)
  const spanId = id(8)
  const startNs = BigInt(minuteMs + 1000) * 1_000_000n
  const answerNs = BigInt(answerAtMs) * 1_000_000n
  const calling: Sent = {
    service: caller,
    span: {
      traceId,
      spanId,
      kind,
      startNs,
      endNs: startNs + BigInt(durationMs) * 1_000_000n,
      attributes: { 'http.response.status_code': status, ...attributes },
    },
  }
  if (callee === undefined) return [calling]
  const answer: Sent = {
    service: callee,
    span: {
      traceId,
      parentSpanId: spanId,
      kind: kind === 4 ? 5 : 2,
      startNs: answerNs,
      endNs: answerNs + BigInt(answerMs) * 1_000_000n,
      attributes: { 'http.response.status_code': status },
    },
  }
  return [calling, answer]
}

const mapOf = () => serviceMap(store, range, 'live')
const byText = (a: unknown, b: unknown) => String(a).localeCompare(String(b))
const edgesOf = async () =>
  (await mapOf()).edges
    .map(({ caller, callee, calleeKind, requests }) => [caller, callee, calleeKind, requests])
    .toSorted(byText)

describe('who calls whom', () => {
  test('both sides of a call are one edge, with rate, errors and latency on both', async () => {
    await send([
      ...call('shop', 'pay'),
      ...call('shop', 'pay', { status: 500, durationMs: 40, answerMs: 30 }),
    ])
    expect(await deriverOn().tick()).toEqual({
      service_edges_1m: 1,
      trace_paths_1m: 1,
      requests_1h: expect.any(Number) as number,
    })
    const map = await mapOf()
    expect(map.derivedUntil).toBe(new Date(minuteMs + MINUTE_MS).toISOString())
    expect(map.nodes).toEqual([
      { kind: 'service', name: 'pay', requests: 2, ratePerSecond: 2 / 120, errorRatio: 0.5 },
      { kind: 'service', name: 'shop', requests: 0, ratePerSecond: 0, errorRatio: null },
    ])
    expect(map.edges).toEqual([
      {
        caller: 'shop',
        callee: 'pay',
        calleeKind: 'service',
        requests: 2,
        ratePerSecond: 2 / 120,
        errorRatio: 0.5,
        calleeErrorRatio: 0.5,
        callerP95Ms: expect.closeTo(40, 0) as number,
        calleeP95Ms: expect.closeTo(30, 0) as number,
      },
    ])
  })

  test('what nothing answers is a peer by the best name there is', async () => {
    await send([
      ...call('shop', undefined, { attributes: { 'server.address': 'db-1.bank' } }),
      ...call('shop', undefined, {
        attributes: { 'server.address': '10.0.0.1', 'peer.service': 'core' },
        status: 503,
      }),
      ...call('shop', undefined, { attributes: { 'messaging.destination.name': 'postings' }, kind: 4 }),
      ...call('shop', undefined, { attributes: { 'db.system.name': 'oracle' } }),
      ...call('shop', undefined),
      ...call(HOSTILE, undefined, { attributes: { 'peer.service': HOSTILE } }),
    ])
    await deriverOn().tick()
    expect(await edgesOf()).toEqual(
      [
        ['shop', 'db-1.bank', 'peer', 1],
        ['shop', 'core', 'peer', 1],
        ['shop', 'postings', 'peer', 1],
        ['shop', 'oracle', 'peer', 1],
        ['shop', 'unknown', 'peer', 1],
        [HOSTILE, HOSTILE, 'peer', 1],
      ].toSorted(byText),
    )
    const { nodes, edges } = await mapOf()
    expect(nodes).toContainEqual({
      kind: 'peer',
      name: 'core',
      requests: 1,
      ratePerSecond: 1 / 120,
      errorRatio: 1,
    })
    expect(edges.find(({ callee }) => callee === 'core')).toMatchObject({
      calleeErrorRatio: null,
      calleeP95Ms: null,
    })
  })

  test('messages are calls too; sampled calls count for what they stand for', async () => {
    const [calling, answer] = call('shop', 'mailer', {
      kind: 4,
      attributes: { 'sampling.probability': 0.25 },
    })
    await send([calling, answer].filter((span) => span !== undefined))
    await deriverOn().tick()
    expect(await edgesOf()).toEqual([['shop', 'mailer', 'service', 4]])
  })

  test('an answer in the next minute still answers; one of another trace does not', async () => {
    const foreign = call('shop', 'pay')
    await send([
      ...call('shop', 'late', { answerAtMs: minuteMs + 80_000 }),
      ...foreign.map((sent) => ({ ...sent, span: { ...sent.span, traceId: id(16) } })),
    ])
    await deriverOn().tick()
    expect(await edgesOf()).toEqual([
      ['shop', 'late', 'service', 1],
      ['shop', 'unknown', 'peer', 1],
    ])
  })
})

describe('a minute is derived once it is over and quiet, and again when it changes', () => {
  test('not before its batches have settled', async () => {
    await send(call('shop', 'pay'))
    aheadMs = 5000
    expect(await deriverOn().tick()).toMatchObject({ service_edges_1m: 0 })
    aheadMs = 25_000
    expect(await deriverOn().tick()).toMatchObject({ service_edges_1m: 1 })
  })

  test('once, until rows come late; then they replace what was', async () => {
    const deriver = deriverOn()
    const [calling, answer] = call('shop', 'pay')
    if (calling === undefined || answer === undefined) throw new Error('both sides')
    await send([calling])
    aheadMs = 20_100
    await deriver.tick()
    expect(await edgesOf()).toEqual([['shop', 'unknown', 'peer', 1]])
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 0 })
    await sleep(1000)
    await send([answer])
    aheadMs = 10 * MINUTE_MS
    expect(await deriverOn().tick()).toMatchObject({ service_edges_1m: 1 })
    expect(await edgesOf()).toEqual([['shop', 'pay', 'service', 1]])
  })

  test('what is left over from long ago keeps nothing new waiting', async () => {
    aheadMs = MINUTE_MS
    const old = Array.from({ length: 6 }, (_, index) => minuteMs - (60 + index) * MINUTE_MS)
    for (const atMs of [...old, minuteMs]) {
      const startNs = BigInt(atMs + 1000) * 1_000_000n
      await send([{ service: 'pay', span: { kind: 2, startNs, endNs: startNs + 1_000_000n } }])
    }
    // Every statement takes a second.
    let tookMs = 0
    const deriver = buildDeriver({
      store: {
        ask: (...asked) => {
          tookMs += 1000
          return store.ask(...asked)
        },
      },
      clock: { now: () => clock.now() + tookMs },
      logger: buildLogger('silent'),
      beside: (work) => work(),
      requests1mDays: 90,
    })
    const marked = async () =>
      (await store.rows('SELECT DISTINCT name, toUnixTimestamp(bucket) AS at FROM derivations')).map(
        ({ name, at }) => `${String(name)} ${String(at)}`,
      )
    await deriver.tick()
    const first = await marked()
    expect(first).toContain(`trace_paths_1m ${minuteMs / 1000}`)
    expect(first).toContain(`service_edges_1m ${minuteMs / 1000}`)
    expect(first.filter((one) => one.startsWith('trace_paths_1m')).length).toBeLessThan(6)
    for (let found = 1; found > 0;)
      found = Object.values(await deriver.tick()).reduce((sum, buckets) => sum + buckets, 0)
    const all = await marked()
    for (const atMs of old) {
      expect(all).toContain(`trace_paths_1m ${atMs / 1000}`)
      expect(all).toContain(`service_edges_1m ${atMs / 1000}`)
    }
  })

  test('traces whose ids begin alike are two: the failed call of one excuses no failure of the other', async () => {
    const at = BigInt(minuteMs + 1000) * 1_000_000n
    const [one, other, request] = [id(16), id(16), id(8)]
    expect(one.subarray(0, 8)).toEqual(other.subarray(0, 8))
    const times = { startNs: at, endNs: at + 1_000_000n }
    await send([
      {
        service: 'pay',
        span: { ...times, traceId: one, kind: 2, attributes: { 'http.response.status_code': 500 } },
      },
      {
        service: 'pay',
        span: {
          ...times,
          traceId: other,
          spanId: request,
          kind: 2,
          attributes: { 'http.response.status_code': 200 },
        },
      },
      {
        service: 'pay',
        span: {
          ...times,
          traceId: other,
          parentSpanId: request,
          kind: 3,
          attributes: { 'http.response.status_code': 500 },
        },
      },
    ])
    await deriverOn().tick()
    expect(
      await store.rows(
        'SELECT toUInt32(sum(requests)) AS requests, toUInt32(sum(bad)) AS bad FROM instance_requests_1m',
      ),
    ).toEqual([{ requests: 2, bad: 1000 }])
  })

  test('a failure that was passed on by callers without spans of their calls is that of the deepest alone', async () => {
    const at = BigInt(minuteMs + 1000) * 1_000_000n
    const trace = id(16)
    const times = { startNs: at, endNs: at + 1_000_000n, traceId: trace, kind: 2 }
    const bad = { 'http.response.status_code': 500 }
    const [web, pay, ledger] = [id(8), id(8), id(8)]
    await send([
      { service: 'web', span: { ...times, spanId: web, attributes: bad } },
      { service: 'pay', span: { ...times, spanId: pay, parentSpanId: web, attributes: bad } },
      { service: 'ledger', span: { ...times, spanId: ledger, parentSpanId: pay, attributes: bad } },
      { service: 'limit', span: { ...times, parentSpanId: pay, attributes: {} } },
    ])
    await deriverOn().tick()
    expect(
      await store.rows(
        'SELECT toString(service) AS name, toUInt32(sum(bad)) AS failed FROM instance_requests_1m GROUP BY name ORDER BY name',
      ),
    ).toEqual([
      { name: 'ledger', failed: 1000 },
      { name: 'limit', failed: 0 },
      { name: 'pay', failed: 0 },
      { name: 'web', failed: 0 },
    ])
  })

  test('dying before its mark leaves nothing that counts', async () => {
    await send([...call('shop', 'pay'), ...call('shop', 'pay')])
    const dying: Pick<Store, 'ask'> = {
      ask: (question, parameters, options) =>
        question.name === 'mark-derived.sql'
          ? Promise.reject(new StoreError('SURETY_STORE_BUSY', 'killed'))
          : store.ask(question, parameters, options),
    }
    await expect(deriverOn(dying).tick()).rejects.toThrow('killed')
    await expect(deriverOn(dying).tick()).rejects.toThrow('killed')
    expect(await edgesOf()).toEqual([])
    await deriverOn().tick()
    expect(await edgesOf()).toEqual([['shop', 'pay', 'service', 2]])
    await store.command('OPTIMIZE TABLE service_edges_1m FINAL')
    expect(await edgesOf()).toEqual([['shop', 'pay', 'service', 2]])
  })
})

describe('a clock that is set', () => {
  test('back: what was derived while it was ahead is derived anew, once, and late rows are in it', async () => {
    const deriver = deriverOn()
    const [calling, answer] = call('shop', 'pay')
    if (calling === undefined || answer === undefined) throw new Error('both sides')
    await send([calling])
    aheadMs = 2 * HOUR_MS
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 1 })
    await send([answer])
    aheadMs = 30_000
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 1 })
    expect(await edgesOf()).toEqual([['shop', 'pay', 'service', 1]])
    aheadMs = 40_000
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 0 })
    expect(await deriverOn().tick()).toMatchObject({ service_edges_1m: 0 })
  })

  test('forward, or a machine that slept: what came before is not forgotten', async () => {
    const deriver = deriverOn()
    await deriver.tick()
    await send(call('shop', 'pay'))
    aheadMs = 5 * HOUR_MS
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 1 })
    expect(await deriver.tick()).toMatchObject({ service_edges_1m: 0 })
  })
})

describe('attribute keys and values to suggest', () => {
  const suggesting = { prefix: '', service: '', limit: 50 }
  const startNs = BigInt(Date.now() - 30_000) * 1_000_000n
  const carrying = (service: string, attributes: Attributes): Sent => ({
    service,
    span: { startNs, endNs: startNs, attributes },
  })

  test('come from lately started spans, most frequent first', async () => {
    await send([
      carrying('shop', { 'bank.channel': 'mobile', 'cart.size': 3, 'http.response.status_code': 200 }),
      carrying('shop', { 'bank.channel': 'mobile', 'cart.size': 4 }),
      carrying('pay', {
        'bank.channel': 'counter',
        [HOSTILE]: HOSTILE,
        'bank.txn.id': 'tx-1',
        huge: 'x'.repeat(300),
      }),
    ])
    aheadMs = 1000
    const deriver = deriverOn()
    await deriver.sampleAttributes()
    await deriver.sampleAttributes()
    expect(await attributeValues(store, 'bank.channel', suggesting)).toEqual(['mobile', 'counter'])
    expect(await attributeValues(store, 'bank.channel', { ...suggesting, service: 'pay' })).toEqual([
      'counter',
    ])
    expect(await attributeValues(store, 'bank.channel', { ...suggesting, prefix: 'mo' })).toEqual(['mobile'])
    expect(await attributeValues(store, 'http.response.status_code', suggesting)).toEqual(['200'])
    expect(await attributeValues(store, HOSTILE, suggesting)).toEqual([HOSTILE])
    expect(await attributeKeys(store, { ...suggesting, prefix: 'cart' })).toEqual(['cart.size'])
    expect(await attributeKeys(store, { ...suggesting, prefix: HOSTILE })).toEqual([HOSTILE])
    const keys = await attributeKeys(store, suggesting)
    expect(keys).toContain('service.name')
    expect(keys).not.toContain('bank.txn.id')
    expect(keys).not.toContain('huge')
  })

  test('a key with a value of its own on every span has a hundred at most', async () => {
    await send(Array.from({ length: 150 }, (_, index) => carrying('shop', { serial: index })))
    aheadMs = 1000
    await deriverOn().sampleAttributes()
    expect(await attributeValues(store, 'serial', { ...suggesting, limit: 500 })).toHaveLength(100)
  })
})

describe('requests by hour', () => {
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 3 * HOUR_MS
  const inHour = (index: number, durationMs: number): Sent => {
    const startNs = BigInt(hourMs + index * MINUTE_MS) * 1_000_000n
    return {
      service: 'shop',
      span: { startNs, endNs: startNs + BigInt(durationMs) * 1_000_000n, traceState: 'ot=th:8' },
    }
  }
  const hours = async () =>
    store.rows(
      `SELECT toUnixTimestamp(bucket) * 1000 AS at, sum(requests) AS requests, sum(weighted) AS weighted, sum(duration_ns_sum) AS duration,
        round(quantilesBFloat16Merge(0.5, 0.95, 0.99)(latency)[1] / 1e6) AS p50
      FROM requests_1h WHERE (bucket, derivation) IN (SELECT bucket, max(derivation) FROM derivations WHERE name = 'requests_1h' GROUP BY bucket)
      GROUP BY bucket`,
    )

  test('are what their minutes are, also when rows come late', async () => {
    await send([inHour(0, 10), inHour(59, 10)])
    aheadMs = 60_100
    expect(await deriverOn().tick()).toMatchObject({ requests_1h: 1 })
    const first = { at: hourMs, requests: 2, weighted: 4000, duration: 20_000_000, p50: 10 }
    expect(await hours()).toEqual([first])
    await sleep(1000)
    await send([inHour(30, 30), inHour(31, 30), inHour(32, 30)])
    aheadMs = 20 * MINUTE_MS
    expect(await deriverOn().tick()).toMatchObject({ requests_1h: 1 })
    expect(await hours()).toEqual([
      { at: hourMs, requests: 5, weighted: 10_000, duration: 110_000_000, p50: 30 },
    ])
  })

  test('long ranges are answered from hours, and from minutes where there is no hour yet', async () => {
    const scope = { site: '', channel: '', region: '', traffic: 'live' }
    const thisMinuteMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS
    // The newest span stands in an hour that is not over.
    const nowMs = thisMinuteMs % HOUR_MS === 0 ? thisMinuteMs + MINUTE_MS : thisMinuteMs
    const long = { fromMs: nowMs - 3 * DAY_MS, toMs: nowMs + 1000 }
    const newest = BigInt(nowMs - MINUTE_MS) * 1_000_000n
    await send([
      inHour(0, 10),
      inHour(-24 * 60, 30),
      {
        service: 'shop',
        span: {
          startNs: newest,
          endNs: newest + 20_000_000n,
          attributes: { 'http.response.status_code': 500 },
        },
      },
    ])
    const answers = async () => ({
      services: (await serviceItems(store, long, scope, { nowMs, minutesDays: 90 })).items,
      series: (await serviceSeries(store, 'shop', long, undefined, scope, { nowMs, minutesDays: 90 }))
        .versions,
    })
    const fromMinutes = await answers()
    aheadMs = 2 * MINUTE_MS
    expect((await deriverOn().tick()).requests_1h).toBeGreaterThanOrEqual(2)
    const fromHours = await answers()
    expect(fromHours.series).toEqual(fromMinutes.series)
    expect(fromHours.services).toEqual(fromMinutes.services)
    expect(fromHours.services).toMatchObject([
      {
        requests: 5,
        sampled: true,
        errorRatio: 0.2,
        lastSeenAt: new Date(nowMs - MINUTE_MS + 10_000).toISOString(),
      },
    ])
    expect(fromHours.series[0]?.points).toHaveLength(3)
    // Hours alone still answer when their minutes are gone.
    await store.command('TRUNCATE TABLE requests_1m')
    await store.command('TRUNCATE TABLE requests_10s')
    await store.command('TRUNCATE TABLE service_requests_1m')
    const [left] = (await serviceItems(store, long, scope, { nowMs, minutesDays: 90 })).items
    expect(left).toMatchObject({ requests: 4, errorRatio: 0 })
    expect(left?.p99Ms).toBeCloseTo(30, 0)
  })

  test('a list over ten minutes and more is by whole minutes, the one that is not over included', async () => {
    const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + 27_000
    const at = (agoMs: number): Sent => {
      const startNs = BigInt(nowMs - agoMs) * 1_000_000n
      return {
        service: 'shop',
        span: { startNs, endNs: startNs + 1_000_000n, attributes: { 'bank.channel': 'all' } },
      }
    }
    // Just before and after the edges of the minutes that a range of ten minutes touches.
    await send([at(0), at(26_000), at(28_000), at(600_000), at(626_000), at(628_000), at(1_000)])
    const of = (channel: string, toMs: number) => {
      const within = { fromMs: toMs - 600_000, toMs }
      return serviceItems(
        store,
        within,
        { site: '', channel, region: '', traffic: 'live' },
        { nowMs, minutesDays: 90 },
      )
    }
    const now = await of('', nowMs)
    expect(now.range).toEqual({ fromMs: nowMs - 627_000, toMs: nowMs })
    expect(now.items).toMatchObject([{ requests: 6 }])
    const past = await of('', nowMs - 60_000)
    expect(past.range.toMs).toBe(nowMs - 87_000)
    expect(past.items).toMatchObject([{ requests: 3 }])
    const counts = ({ items }: typeof now) => items.map(({ requests, p99Ms }) => [requests, p99Ms])
    expect(counts(await of('all', nowMs))).toEqual(counts(now))
    expect(counts(await of('all', nowMs - 60_000))).toEqual(counts(past))
  })

  test.each([
    { name: 'lately, ragged at both ends', endsAgoMs: 0 },
    { name: 'days ago, by the minute', endsAgoMs: 2 * DAY_MS },
  ])('services as wholes answer as their parts do: $name', async ({ endsAgoMs }) => {
    const nowMs = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS + 27_000
    const toMs = nowMs - endsAgoMs
    const at = (agoMs: number, durationMs: number, code: number): Sent => {
      const startNs = BigInt(toMs - agoMs) * 1_000_000n
      const attributes = { 'http.response.status_code': code, 'bank.channel': 'all' }
      return {
        service: agoMs % 3 === 0 ? 'shop' : 'bank',
        span: { startNs, endNs: startNs + BigInt(durationMs) * 1_000_000n, attributes },
      }
    }
    // Every 7 s over five minutes, so that each edge has some on either side.
    await send(
      Array.from({ length: 43 }, (_, index) =>
        at(index * 7000 + 500, 10 + index, index % 5 === 0 ? 500 : 200),
      ),
    )
    for (const [fromAgoMs, toAgoMs] of [
      [285_000, 0],
      [190_000, 11_000],
      [60_000, 20_000],
      [27_000, 7000],
      [40_000, 35_000],
    ] as const) {
      const within = { fromMs: toMs - fromAgoMs, toMs: toMs - toAgoMs }
      const of = (channel: string) =>
        serviceItems(
          store,
          within,
          { site: '', channel, region: '', traffic: 'live' },
          { nowMs, minutesDays: 90 },
        )
      const whole = await of('')
      const part = await of('all')
      expect(whole.range).toEqual(part.range)
      expect(whole.items.length).toBeGreaterThan(0)
      const told = ({ lastSeenAt, ...item }: (typeof whole.items)[number]) =>
        endsAgoMs === 0 ? { lastSeenAt, ...item } : item
      expect(whole.items.map(told)).toEqual(part.items.map(told))
    }
  })

  test('an upgrade finds minutes without hours, once', async () => {
    await send([inHour(0, 10)])
    await store.command('TRUNCATE TABLE batches')
    const deriver = deriverOn()
    expect(await deriver.tick()).toMatchObject({ requests_1h: 1 })
    expect(await hours()).toHaveLength(1)
    expect(await deriver.tick()).toMatchObject({ requests_1h: 0 })
    expect(await deriverOn().tick()).toMatchObject({ requests_1h: 0 })
  })
})
