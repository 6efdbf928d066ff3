// Releases judged from their spans: written the ordinary way, derived, gathered, judged by the loop, and kept. The clock is the test's.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry as PromRegistry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildVerdictLoop, type VerdictLoop } from '../../alerts/verdicts/verdict-loop.ts'
import { buildVerdictMetrics } from '../../alerts/verdicts/verdict-metrics.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Store } from '../../ingest/store/store.ts'
import { buildLandscape } from '../../query/profiles/landscape.ts'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { buildRegistry } from '../../query/registry/registry.ts'
import { readVerdict } from '../../query/verdicts/verdict-store.ts'
import { derive } from '../support/derive.ts'
import { makeEmptyRegistry, openTestStore } from '../support/empty-data.ts'
import type { TreeNode } from '../support/trace-tree.ts'
import { random } from '../support/verdict-traffic.ts'
import { writeTraces } from '../support/write-traces.ts'

const MINUTE_MS = 60_000
const MINUTES = 40
const BEGIN_MS = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS - (MINUTES + 10) * MINUTE_MS
const READY_MS = BEGIN_MS + 20 * MINUTE_MS
/** A minute and service. */
const REQUESTS = 30

let store: Store
let database: Database
let loop: VerdictLoop
let nowMs = BEGIN_MS + MINUTES * MINUTE_MS
const dataDir = mkdtempSync(join(tmpdir(), 'surety-judging-'))
const promRegistry = new PromRegistry()

type Callee = {
  readonly service: string
  readonly version: string
  readonly fails: boolean
  readonly rejects: boolean
}

/** A request of a branch at a gateway, which calls one service. */
function request({ service, version, fails, rejects }: Callee, region: string): TreeNode {
  const http = fails ? 500 : rejects ? 422 : 200
  const attributes = { 'bank.region': region, 'bank.channel': 'mobile' }
  return {
    service: 'gateway',
    name: `POST /${service}`,
    http,
    attributes,
    calls: [
      {
        service: 'gateway',
        name: 'POST',
        kind: 3,
        http,
        attributes,
        calls: [{ service, version, name: 'run', http, attributes, system: 'core' }],
      },
    ],
  }
}

beforeAll(async () => {
  await makeEmptyRegistry(dataDir)
  store = await openTestStore(dataDir)
  database = await openDatabase({ kind: 'embedded', dataDir })
  const next = random(7)
  const traces: { startMs: number; root: TreeNode }[] = []
  for (let minute = 0; minute < MINUTES; minute++)
    for (let number = 0; number < REQUESTS; number++) {
      const startMs = BEGIN_MS + minute * MINUTE_MS + number * 2000
      const isAfter = startMs >= READY_MS
      const region = number % 2 === 0 ? 'east' : 'west'
      const isCanary = isAfter && next() < 0.5
      const callees = [
        // A weighted canary that fails, one that does not, one that rejects, and a region whose people always failed more.
        { service: 'transfer', version: isCanary ? '2' : '1', fails: isCanary && next() < 0.15 },
        { service: 'query', version: isCanary ? '2' : '1', fails: next() < 0.01 },
        {
          service: 'limit',
          version: isCanary ? '2' : '1',
          fails: false,
          rejects: next() < (isCanary ? 0.4 : 0.05),
        },
        {
          service: 'branch',
          version: isAfter && region === 'east' ? '2' : '1',
          fails: region === 'east' && next() < 0.1,
        },
      ]
      for (const callee of callees)
        traces.push({ startMs, root: request({ rejects: false, ...callee }, region) })
    }
  for (let from = 0; from < traces.length; from += 3000)
    await writeTraces(store, traces.slice(from, from + 3000))
  await derive(store)
  const registry = buildRegistry(database, () => new Date(nowMs))
  loop = buildVerdictLoop({
    store,
    database,
    registry,
    landscape: buildLandscape(registry),
    metrics: buildVerdictMetrics(promRegistry),
    logger: buildLogger('silent'),
    clock: { now: () => nowMs, monotonic: () => nowMs } as never,
  })
}, 400_000)
afterAll(async () => {
  await database.close()
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})

const verdictOf = async (id: string) => (await readVerdict(database, id))?.verdict

test('every release that nobody told of is judged by its own requests', { timeout: 300_000 }, async () => {
  expect(await loop.round()).toBeGreaterThanOrEqual(4)
  const failing = await verdictOf('transfer@2')
  expect(failing).toMatchObject({ verdict: 'worse', fault: 'technical' })
  expect(failing?.measures[0]).toMatchObject({
    measure: 'system_error',
    verdict: 'worse',
    contrast: { method: 'concurrent' },
  })
  expect(await verdictOf('limit@2')).toMatchObject({ verdict: 'worse', fault: 'business' })
  const fine = await verdictOf('query@2')
  expect(fine).toMatchObject({ verdict: 'cannot-tell', fault: null })
  expect(fine?.requestsMissing).toBeGreaterThan(0)
  expect(fine?.minutesMissing).toBeGreaterThan(0)
  // Everybody in the region is on it, and they failed as much before.
  const region = await verdictOf('branch@2')
  expect(region?.verdict).not.toBe('worse')
  expect(region?.measures[0]?.contrast?.method).toBe('difference-in-differences')
})

test(
  'what is not due is left alone, and the same traffic gives the same words',
  { timeout: 300_000 },
  async () => {
    expect(await loop.round()).toBe(0)
    const before = await verdictOf('transfer@2')
    nowMs += 30_000
    expect(await loop.round()).toBeGreaterThanOrEqual(4)
    const after = await verdictOf('transfer@2')
    expect({ ...after, decidedAt: '' }).toEqual({ ...before, decidedAt: '' })
    expect(await database.rows('SELECT count(*)::integer AS told FROM release_verdict_events')).toEqual([
      { told: 2 },
    ])
  },
)

test(
  'a store that does not answer costs a round, counted, and the next one works',
  { timeout: 300_000 },
  async () => {
    const registry = buildRegistry(database, () => new Date(nowMs))
    let asked = 0
    const failing = {
      ...store,
      ask: ((question: { name: string }, ...rest: unknown[]) => {
        if (question.name === 'entries-seen.sql' && (asked += 1) <= 2)
          return Promise.reject(new Error('busy'))
        return (store.ask as (...all: unknown[]) => Promise<unknown>)(question, ...rest)
      }) as Store['ask'],
    }
    const metrics = buildVerdictMetrics(new PromRegistry())
    const troubled = buildVerdictLoop({
      store: failing,
      database,
      registry,
      landscape: buildLandscape(registry),
      metrics,
      logger: buildLogger('silent'),
      clock: { now: () => nowMs, monotonic: () => nowMs } as never,
    })
    nowMs += 30_000
    expect(await troubled.round()).toBeGreaterThanOrEqual(4)
    expect((await metrics.failures.get()).values[0]?.value).toBe(2)
    nowMs += 60_000
    expect(await troubled.round()).toBeGreaterThanOrEqual(4)
    expect((await metrics.failures.get()).values[0]?.value).toBe(2)
  },
)
