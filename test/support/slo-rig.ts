// The SLO loop on a real store and a real registry, with a clock that the test moves: requests are put in, rounds are run, and what
// was kept is read back.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry as PromRegistry } from 'prom-client'
import { buildLoopMetrics } from '../../alerts/loop/loop-metrics.ts'
import { buildSloLoop, type SloLoop } from '../../alerts/loop/loop.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Store } from '../../ingest/store/store.ts'
import { PARSERS } from '../../query/parsers.ts'
import { buildBoard, type Standing } from '../../query/promises/board.ts'
import { transitionsAfter, type KeptTransition } from '../../query/promises/transitions.ts'
import { readBundle } from '../../query/registry/bundle.ts'
import { openDatabase, type Database } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { idOf, KINDS, type Author } from '../../query/registry/object.ts'
import { buildRegistry, type Registry } from '../../query/registry/registry.ts'
import { makeEmptyRegistry, openTestStore } from './empty-data.ts'

const AUTHOR: Author = { actor: 'test', via: 'test', origin: '', reason: '', request: 'test' }

export type Requests = {
  readonly service?: string
  /** ms since epoch; the first of them. */
  readonly fromMs: number
  readonly count: number
  /** Apart, ms. */
  readonly everyMs: number
  readonly outcome?: 'ok' | 'system_error' | 'business_reject'
  readonly region?: string
  readonly operation?: string
}

export type SloRig = {
  readonly store: Store
  readonly database: Database
  readonly registry: Registry
  /** ms since epoch; a whole hour, some hours ago. */
  readonly beginMs: number
  nowMs: number
  loop: SloLoop
  /** A loop that knows nothing but what is kept. The one before is stopped. */
  restart(): Promise<void>
  /** Another process of the same registry. */
  another(): SloLoop
  put(...requests: readonly Requests[]): Promise<void>
  /** Documents, applied as one bundle. */
  apply(text: string, bundle?: string): Promise<void>
  /** Moves the clock to an instant, with a round each step on the way. */
  runTo(ms: number, everyMs?: number): Promise<void>
  standings(): Promise<Standing[]>
  condition(slo: string): Promise<string | undefined>
  transitions(): Promise<KeptTransition[]>
  close(): Promise<void>
}

const HOUR_MS = 3_600_000
const TEAM = `apiVersion: surety/v1
kind: Team
metadata: { name: pay-team }
spec: {}
---
apiVersion: surety/v1
kind: System
metadata: { name: core-payment }
spec: { team: pay-team, tier: general, type: payment, origin: in-house }
---
apiVersion: surety/v1
kind: Service
metadata: { name: pay }
spec: { system: core-payment }
`

export async function openSloRig(database?: Database): Promise<SloRig> {
  const folder = mkdtempSync(join(tmpdir(), 'surety-slo-rig-'))
  const store = await openTestStore(folder)
  if (database === undefined) await makeEmptyRegistry(folder)
  const kept = database ?? (await openDatabase({ kind: 'embedded', dataDir: folder }))
  await migrateRegistry(kept)
  const logger = buildLogger('silent')
  const registry = buildRegistry(kept, () => new Date())
  const beginMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - 4 * HOUR_MS
  const build = () =>
    buildSloLoop({
      store,
      registry,
      database: kept,
      clock: { now: () => rig.nowMs },
      logger,
      metrics: buildLoopMetrics(new PromRegistry()),
      limits: { spansDays: 7, requests10sDays: 14, requests1mDays: 90, metricsDays: 30 },
    })
  const rig: SloRig = {
    store,
    database: kept,
    registry,
    beginMs,
    nowMs: beginMs,
    loop: undefined as never,
    async restart() {
      await rig.loop.stop()
      rig.loop = build()
    },
    another: build,
    async put(...requests) {
      for (const {
        service = 'pay',
        fromMs,
        count,
        everyMs,
        outcome = 'ok',
        region = '',
        operation = '',
      } of requests)
        await store.command(
          `INSERT INTO spans (ts, duration_ns, service, operation, kind, outcome, region, weight, traffic, parent_id)
          SELECT fromUnixTimestamp64Milli(toInt64(${fromMs} + number * ${everyMs}), 'UTC'), 1000000, '${service}', '${operation}', 2, '${outcome}', '${region}', 1000, 'live', toFixedString('', 8) FROM numbers(${count})`,
        )
    },
    async apply(text, bundle = 'test') {
      const objects = new Map((await registry.all(KINDS)).map((object) => [idOf(object), object]))
      const read = readBundle([{ file: 'test.yaml', text }], PARSERS, (kind, name) =>
        objects.get(idOf({ kind, name })),
      )
      const wrong = read.problems.filter(({ severity }) => severity === 'error')
      if (wrong.length > 0)
        throw new Error(wrong.map(({ path, message }) => `${path}: ${message}`).join('\n'))
      await registry.apply(read.objects, AUTHOR, { bundle })
    },
    async runTo(ms, everyMs = 60_000) {
      while (rig.nowMs < ms) {
        rig.nowMs = Math.min(ms, rig.nowMs + everyMs)
        await rig.loop.tick()
      }
    },
    standings: () => buildBoard(store, registry).standings('everything'),
    async condition(slo) {
      const found = (await rig.standings()).find((one) => one.slo.name === slo)
      return found?.row?.status.condition
    },
    transitions: () => transitionsAfter(kept, 0, 10_000),
    async close() {
      await rig.loop.stop()
      if (database === undefined) await kept.close()
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  rig.loop = build()
  await rig.apply(TEAM, 'systems')
  return rig
}

/** An availability SLO of `pay` over a day in slices of a minute, unless said otherwise. */
export function sloDocument({
  name = 'pay-available',
  target = 0.99,
  window = '1d',
  step = '60s',
  service = 'pay',
  where = `{ service: ${service} }`,
  extra = '',
  annotations = '',
}: Readonly<
  Partial<Record<'name' | 'window' | 'step' | 'service' | 'where' | 'extra' | 'annotations', string>> & {
    target?: number
  }
> = {}): string {
  return `apiVersion: openslo/v1
kind: SLO
metadata:
  name: ${name}
  annotations:
    surety/step: ${step}
${annotations}
spec:
  service: ${service}
  indicator:
    metadata: { name: ${name} }
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Surety, spec: { outcomes: [ok, business_reject] } } }
        total: { metricSource: { type: Surety, spec: { signal: requests, where: ${where}${extra} } } }
  timeWindow: [{ duration: ${window}, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: ${target} }]
`
}
