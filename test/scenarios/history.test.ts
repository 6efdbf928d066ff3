// The demo's past in a real store: exact counts, once however often it is begun, and rollups that are written directly
// equal to what the path makes of the same hour.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterEach, expect, test, vi } from 'vitest'
import { bankWorld } from '../../deploy/demo/history/bank-world.ts'
import { castOf } from '../../deploy/demo/history/cast.ts'
import { demoWorld } from '../../deploy/demo/history/history.ts'
import { deriveHours } from '../../deploy/demo/history/hours.ts'
import { play, type Stage } from '../../deploy/demo/history/play.ts'
import { buildRequestWriter, insertRollups } from '../../deploy/demo/history/rollups.ts'
import { buildSpanWriter } from '../../deploy/demo/history/spans.ts'
import {
  HISTORY_FILE,
  readHistoryState,
  writeHistoryState,
  type HistoryState,
} from '../../deploy/demo/history/state.ts'
import type { World } from '../../deploy/demo/history/world.ts'
import { writeHistory, type HistoryOrder } from '../../deploy/demo/history/write.ts'
import { serve } from '../../deploy/serve.ts'
import { buildDeriver } from '../../ingest/derived/deriver.ts'
import type { IngestRole } from '../../ingest/main.ts'
import type { ProcessParts } from '../../ingest/process.ts'
import type { ReleaseEventsReply, ServicesReply } from '../../query/http/schemas.ts'
import { makeEmptyData } from '../support/empty-data.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { present } from '../support/present.ts'

// Every test counts; the limit is for one that stands still.
const STILL_MS = 300_000
vi.setConfig({ testTimeout: STILL_MS })

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const KEEPS = { spansDays: 7, requests10sDays: 14, requests1mDays: 90, metricsDays: 30 }
/** Three hours of spans, twelve of rollups before them. */
const DAYS = 0.125
const world = bankWorld({ peakPerSecond: 4, oneIn: 16 })

type Surety = {
  readonly url: string
  readonly parts: ProcessParts
  readonly ingest: IngestRole
  stop(): Promise<void>
}
const dirs: string[] = []
let surety: Surety | undefined

async function start(dataDir = newDir()): Promise<Surety & { readonly dataDir: string }> {
  await makeEmptyData(dataDir)
  let given: Pick<Surety, 'parts' | 'ingest'> | undefined
  const env = {
    SURETY_DATA_DIR: dataDir,
    SURETY_HTTP_PORT: '0',
    SURETY_OTLP_HTTP_PORT: '0',
    SURETY_OTLP_GRPC_PORT: '0',
    SURETY_LOG_LEVEL: 'error',
    SURETY_VISITORS: 'viewer',
  }
  const { url, lifecycle } = await serve(['ingest', 'query'], env, undefined, (ingest, parts) => {
    given = { ingest, parts }
    return Promise.resolve()
  })
  surety = { url, ...present(given), stop: () => lifecycle.stop() }
  return { ...surety, dataDir }
}

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'surety-history-'))
  dirs.push(dir)
  return dir
}

afterEach(async () => {
  await surety?.stop()
  surety = undefined
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

const write = (of: Surety & { readonly dataDir: string }, order: Partial<HistoryOrder> = {}) =>
  writeHistory(
    { ...of.ingest, ...of.parts, dataDir: of.dataDir, retention: KEEPS },
    { world, seed: 5, days: DAYS, ...order },
  )

/** Requests by service and version, and spans, as they are played; of traces before the spans only what starts before. */
function played(of: World, seed: number, { fromMs, spansFromMs, endMs }: HistoryState) {
  const cast = castOf(of, endMs)
  const requests: Record<string, number> = {}
  let minuteMs = 0
  const stage: Stage = {
    minute: (minute) => void (minuteMs = minute * MINUTE_MS),
    trace: () => undefined,
    server(_step, resource, startNs) {
      if (minuteMs < spansFromMs && minuteMs + startNs / 1e6 >= spansFromMs) return
      const { service, version } = present(cast.resources[resource])
      const key = `${service} ${version}`
      requests[key] = (requests[key] ?? 0) + 1
    },
    client: () => undefined,
  }
  const [from, seam, end] = [fromMs / MINUTE_MS, spansFromMs / MINUTE_MS, endMs / MINUTE_MS]
  play(cast, seed, from, seam, stage)
  return { spans: play(cast, seed, seam, end, stage), requests }
}

/** What is stored: spans, samples, and requests by service and version in each rollup. */
async function stored({ store }: ProcessParts) {
  const one = async (sql: string) => Number((await store.rows(sql))[0]?.['n'])
  const requests = async (table: string) =>
    Object.fromEntries(
      (
        await store.rows(
          `SELECT concat(service, ' ', version) AS name, sum(requests) AS n, sum(weighted) AS w FROM ${table} GROUP BY name`,
        )
      ).map(({ name, n, w }) => {
        expect(Number(w)).toBe(Number(n) * 1000 * world.oneIn)
        return [String(name), Number(n)]
      }),
    )
  return {
    spans: await one('SELECT count() AS n FROM spans'),
    samples: await one('SELECT (SELECT count() FROM samples_int) + (SELECT count() FROM samples_float) AS n'),
    events: await one('SELECT count() AS n FROM release_events'),
    requests_10s: await requests('requests_10s'),
    requests_1m: await requests('requests_1m'),
  }
}

test('a past is written once, counts what was played, and is answered by the API', async () => {
  const running = await start()
  const shares: number[] = []
  const outcome = await write(running, { onProgress: (share) => shares.push(share) })
  const { fromMs, spansFromMs, endMs } = present(readHistoryState(running.dataDir))
  const all = played(world, 5, present(readHistoryState(running.dataDir)))
  const minutes = (endMs - spansFromMs) / MINUTE_MS
  expect(outcome).toMatchObject({ kind: 'written', spans: all.spans })
  // Four nodes and sixteen containers with six gauges each.
  expect(outcome.points).toBe(minutes * 20 * 6)
  const before = await stored(running.parts)
  expect(before).toMatchObject({
    spans: all.spans,
    samples: outcome.points,
    requests_10s: all.requests,
    requests_1m: all.requests,
  })
  expect(shares).toEqual(shares.toSorted((a, b) => a - b))
  expect(shares.at(-1)).toBe(1)

  const { items } = (await (await fetch(`${running.url}/api/v1/services?from=-1d`)).json()) as ServicesReply
  expect(Object.fromEntries(items.map((item) => [`${item.service} ${item.version}`, item.requests]))).toEqual(
    Object.fromEntries(Object.entries(all.requests).map(([name, count]) => [name, count * world.oneIn])),
  )
  expect(items.every(({ sampled, p50Ms }) => sampled && p50Ms !== null && p50Ms > 0)).toBe(true)
  const hours = await running.parts.store.rows(
    `SELECT count() AS n, sum(r) AS requests FROM (SELECT bucket, sum(requests) AS r FROM requests_1h FINAL GROUP BY bucket)`,
  )
  const wholeHours = Math.floor(endMs / HOUR_MS) - fromMs / HOUR_MS
  expect(Number(hours[0]?.['n'])).toBe(wholeHours)

  expect(await write(running)).toEqual({ kind: 'known', spans: 0, points: 0, requests: 0 })
  expect(await stored(running.parts)).toEqual(before)
})

test('past rollouts are release events', async () => {
  const running = await start()
  // A rollout within the twelve hours before, whatever the hour is now.
  const soon: World = {
    ...world,
    rollouts: [
      {
        service: 'limit',
        from: '1.8.0',
        to: '1.9.0',
        stages: [
          {
            daysAgo: 0,
            hour: ((Date.now() / HOUR_MS + 8 - 2) % 24) - ((Date.now() / HOUR_MS + 8) % 24 < 2 ? 24 : 0),
            scope: { kind: 'whole' },
          },
        ],
      },
    ],
  }
  expect((await write(running, { world: soon })).kind).toBe('written')
  const reply = (await (
    await fetch(`${running.url}/api/v1/releases/events?from=-1d`)
  ).json()) as ReleaseEventsReply
  expect(reply.items.map(({ service, version, action }) => [service, version, action])).toEqual([
    ['limit', '1.9.0', 'upgraded'],
  ])
})

test.each([
  { phase: 'rollups', at: 0.05 },
  { phase: 'spans', at: 0.55 },
] as const)('a past that was stopped in its $phase adds up when it goes on', async ({ phase, at }) => {
  const running = await start()
  const stopping = new AbortController()
  const order = { days: 1 }
  const stopped = await write(running, {
    ...order,
    signal: stopping.signal,
    onProgress: (share) => (share >= at ? stopping.abort() : undefined),
  })
  expect(stopped.kind).toBe('stopped')
  const state = present(readHistoryState(running.dataDir))
  expect(state).toMatchObject({ phase })
  expect(state.done).toBeGreaterThan(0)
  // As a crash between storing a batch and noting it would leave it: the batch is there, the note is not.
  await writeHistoryState(running.dataDir, { ...state, done: state.done - 1 })
  expect(await write(running, { ...order, seed: 6 })).toMatchObject({ kind: 'other' })
  expect((await write(running, order)).kind).toBe('written')
  const { spans, requests } = played(world, 5, state)
  expect(await stored(running.parts)).toMatchObject({
    spans,
    samples: ((state.endMs - state.spansFromMs) / MINUTE_MS) * 20 * 6,
    requests_1m: requests,
    requests_10s: requests,
  })
})

test('the demo killed at its first start goes on at its second', async () => {
  const dataDir = newDir()
  const env = {
    SURETY_DATA_DIR: dataDir,
    SURETY_DEMO_HISTORY: '1',
    SURETY_DEMO_RATE: '4',
    SURETY_DEMO_PORT: '0',
  }
  const demo = spawnSurety(['demo'], env)
  await expect
    .poll(() => readHistoryState(dataDir)?.phase, { timeout: STILL_MS, interval: 20 })
    .toMatch(/spans|metrics|rest/)
  demo.kill('SIGKILL')
  await demo.ended
  const state = present(readHistoryState(dataDir))
  expect(state.phase).not.toBe('complete')
  const running = await start(dataDir)
  const demos = demoWorld({ SURETY_DEMO_RATE: 4 })
  expect((await write(running, { world: demos, seed: 1, days: 1 })).kind).toBe('written')
  const rows = (sql: string) => running.parts.store.rows(sql)
  const [spans] = await rows('SELECT count() AS n, uniqExact(span_id) AS ids FROM spans')
  const { spans: expected, requests } = played(demos, 1, state)
  expect([Number(spans?.['n']), Number(spans?.['ids'])]).toEqual([expected, expected])
  const [minutes] = await rows('SELECT sum(requests) AS n FROM requests_1m')
  expect(Number(minutes?.['n'])).toBe(Object.values(requests).reduce((sum, count) => sum + count, 0))
})

test('a store that holds requests gets no past', async () => {
  const running = await start()
  const nowMinute = Math.floor(Date.now() / MINUTE_MS)
  const cast = castOf(world, Date.now())
  await fetch(`${running.ingest.otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: new Uint8Array(buildSpanWriter(cast, 1)(nowMinute - 2, nowMinute).bytes),
  })
  expect((await write(running)).kind).toBe('occupied')
  expect(readHistoryState(running.dataDir)).toBeUndefined()
  expect(HISTORY_FILE).toMatch(/\.json$/)
})

test('rollups written directly equal those that the path makes of the same hour, in every column', async () => {
  const running = await start()
  const { store } = running.parts
  const fromMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 30 * HOUR_MS
  const troubled: World = {
    ...world,
    peakPerSecond: 30,
    // Trouble in every hour, so that all outcomes are compared.
    incidents: world.incidents.map((incident) => ({
      ...incident,
      from: { daysAgo: 9, hour: 0 },
      to: { daysAgo: 0, hour: 0 },
    })),
  }
  const cast = castOf(troubled, fromMs + 30 * HOUR_MS)
  const [from, to] = [fromMs / MINUTE_MS, fromMs / MINUTE_MS + 60]
  const tables = ['requests_10s', 'requests_1m', 'requests_1h']

  async function snapshot() {
    const all: Record<string, unknown> = {}
    for (const table of tables) {
      const columns = await store.rows(
        `SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '${table}' AND name != 'derivation' ORDER BY position`,
      )
      await store.command(`OPTIMIZE TABLE ${table} FINAL`)
      const shown = columns.map(({ name, type }) =>
        String(type).startsWith('AggregateFunction')
          ? `finalizeAggregation(${String(name)}) AS ${String(name)}`
          : String(name),
      )
      all[table] = await store.rows(`SELECT ${shown.join(', ')} FROM ${table} ORDER BY ALL`)
      await store.command(`TRUNCATE TABLE ${table}`)
    }
    await store.command('TRUNCATE TABLE derivations')
    return all
  }

  const rows = buildRequestWriter(cast, 3)(from, to)
  await insertRollups({ store, cast, rules: [] }, rows, ['requests_1m', 'requests_10s'], 'direct')
  await deriveHours(store, fromMs, fromMs + 2 * HOUR_MS, Date.now())
  const direct = await snapshot()

  const { bytes } = buildSpanWriter(cast, 3)(from, to)
  const path = running.ingest.paths.traces
  const identity = { token: 'path', door: 'test', patienceMs: 10_000 }
  await path.writer.write([path.prepare(bytes, 'test')], identity)
  // The deriver's own hours, as soon as a clock that is ahead lets it.
  const clock = { ...running.parts.clock, now: () => Date.now() + 20 * MINUTE_MS }
  const deriver = buildDeriver({
    store,
    clock,
    logger: pino({ level: 'silent' }),
    beside: (work) => work(),
    requests1mDays: 90,
  })
  while ((await deriver.tick()).requests_1h > 0);
  const byPath = await snapshot()

  expect((direct['requests_1m'] as unknown[]).length).toBeGreaterThan(1000)
  expect(new Set((direct['requests_1m'] as { outcome: string }[]).map(({ outcome }) => outcome))).toEqual(
    new Set(['ok', 'business_reject', 'system_error']),
  )
  for (const table of tables) expect([table, byPath[table]]).toEqual([table, direct[table]])
})
