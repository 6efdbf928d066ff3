// What the change effect ledger costs: before and after of two thousand releases of a month from minute rollups, and the same
// question of raw spans; and how fast a gate is told a verdict.

import { join } from 'node:path'
import { DEFAULT_RETENTION, openEmbeddedStore, type Store } from '../../ingest/store/store.ts'
import { openDatabase } from '../../query/registry/database.ts'
import { migrateRegistry } from '../../query/registry/migrate.ts'
import { effectsAsked, releaseEffectsStatement, type Ready } from '../../query/reports/release-effects.ts'
import { releaseEffect } from '../../query/verdicts/effect.ts'
import { releaseVerdict } from '../../query/verdicts/release-verdict.ts'
import { keepVerdict } from '../../query/verdicts/verdict-store.ts'
import { play } from '../support/verdict-traffic.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import { openChild } from './child.ts'
import { ask, buildLatencies, percentile } from './questions.ts'
import { openBenchFolder, suretyAlone } from './surety-side.ts'
import { figure } from './table.ts'

const DAYS = 30
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** On each side of ready. */
const SIDE_MINUTES = 60
const ROUNDS = 5
const BUDGET_SECONDS = 1
const BUDGET_RATIO = 50
const GATE_BUDGET_MS = 50
/** Views that neither side asks: filling them would be most of the bench. */
const UNASKED = ['requests_10s_mv', 'requests_1m_mv', 'trace_roots_mv', 'error_signatures_mv']

export const ledger: Bench = {
  name: 'ledger',
  summary: 'before and after of 2,000 releases over 30 days, against raw spans; a gate asking for a verdict',
  help: `npm run bench -- ledger [--releases N] [--services N] [--spans N] [--questions N]

Spans of ${DAYS} days are put into the store by its own engine, through the view that fills service_requests_1m; releases are spread over
services and days. seconds is the question of all releases from the minutes, median of ${ROUNDS}; the peer asks the same of the spans, in the
faster of two forms, and must answer the same. Then a Surety with as many verdicts is asked GET …/releases/ID/verdict one after the
other. The more requests a minute, the more raw spans cost and the less minutes do: a bank's ratio is far above the bench's.

  --releases N   default 2000
  --services N   default 10
  --spans N      default 60000000: 139 a minute and service
  --questions N  to the gate, default 1000`,
  options: {
    releases: { type: 'string' },
    services: { type: 'string' },
    spans: { type: 'string' },
    questions: { type: 'string' },
  },
  run: (values, context) =>
    run(
      {
        releases: wholeNumber(values, 'releases', 2000, 10, 20_000),
        services: wholeNumber(values, 'services', 10, 1, 200),
        spans: wholeNumber(values, 'spans', 60_000_000, 100_000, 2_000_000_000),
        questions: wholeNumber(values, 'questions', 1000, 20, 100_000),
      },
      context,
    ),
}

type Plan = Readonly<Record<'releases' | 'services' | 'spans' | 'questions', number>>

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const dataDir = join(folder, 'surety')
  const store = await openEmbeddedStore(dataDir, { ...DEFAULT_RETENTION, spansDays: DAYS + 30 })
  let isOpen = true
  lifecycle.add('store', async () => {
    if (isOpen) await store.close()
  })
  const fromMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAYS * DAY_MS
  await fill(store, plan, fromMs, say)
  const releases = releasesOf(plan, fromMs)
  const asked = effectsAsked(releases, SIDE_MINUTES)
  const rollup = await timed(() => store.ask(releaseEffectsStatement, asked, HEAVY))
  say(`minutes: ${figure(rollup.seconds, 3)} s`)
  const peers = []
  for (const peer of PEERS) {
    const raw = await timed(() => store.ask(peer.question, asked, HEAVY))
    say(`spans, ${peer.name}: ${figure(raw.seconds, 3)} s`)
    if (JSON.stringify(raw.rows) !== JSON.stringify(rollup.rows))
      throw new BenchFailure(`Spans (${peer.name}) do not say the same as minutes: one of them is wrong`)
    peers.push({ ...peer, seconds: raw.seconds })
  }
  if (rollup.rows.length !== plan.releases)
    throw new BenchFailure(`${rollup.rows.length} of ${plan.releases} releases were answered`)
  const best = peers.reduce((one, other) => (other.seconds < one.seconds ? other : one))
  const [version] = await store.rows('SELECT version() AS version')
  await store.close()
  isOpen = false
  const gate = await askGate(plan, dataDir, { lifecycle, say })
  const ratio = best.seconds / rollup.seconds
  return {
    versions: { engine: String(version?.['version']) },
    table: [
      ['', 'seconds'],
      [`${figure(plan.releases)} releases from minutes`, figure(rollup.seconds, 3)],
      ...peers.map(({ name, seconds }) => [`the same from spans, ${name}`, figure(seconds, 3)]),
      ['a gate, p50', figure(gate.p50 / 1000, 4)],
      ['a gate, p95', figure(gate.p95 / 1000, 4)],
    ],
    notes: [
      `${figure(plan.spans)} spans of ${plan.services} services over ${DAYS} days: ${figure(plan.spans / (DAYS * 1440 * plan.services))} a minute and service. The ratio grows with them.`,
    ],
    result: {
      value: rounded(rollup.seconds),
      unit: 's',
      seconds: rounded(rollup.seconds),
      ratio: Math.round(ratio * 10) / 10,
      peer: { name: `raw spans, ${best.name}`, seconds: rounded(best.seconds) },
      p95GateMs: Math.round(gate.p95 * 10) / 10,
      p50GateMs: Math.round(gate.p50 * 10) / 10,
      releases: plan.releases,
      spans: plan.spans,
      services: plan.services,
      budget: { seconds: BUDGET_SECONDS, ratio: BUDGET_RATIO, p95GateMs: GATE_BUDGET_MS },
      withinBudget: rollup.seconds <= BUDGET_SECONDS && ratio >= BUDGET_RATIO && gate.p95 <= GATE_BUDGET_MS,
    },
  }
}

const HEAVY = { lane: 'heavy', secondsMax: 300 } as const
const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000

const SPAN_MINUTES = `SELECT service, toStartOfMinute(toDateTime(ts, 'UTC')) AS bucket, sum(weight) AS requests,
    sumIf(weight, outcome IN ('system_error', 'business_error', 'shed')) AS failed
  FROM spans
  PREWHERE service IN ({services:Array(String)}) AND ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')}
  WHERE kind IN (2, 5) AND traffic = 'live'MORE
  GROUP BY service, bucket`
const AROUND = ` AND (service, toStartOfMinute(toDateTime(ts, 'UTC'))) IN (
    SELECT tupleElement(one, 1), toDateTime(arrayJoin(range(toUInt32(tupleElement(one, 2) - {length:UInt32}), toUInt32(tupleElement(one, 2) + {length:UInt32}), 60)), 'UTC')
    FROM (SELECT arrayJoin(arrayZip({services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one))`

/** The same statement, its minutes made of spans: of all that lie between, or only of those around a release. */
const PEERS = [
  { name: 'grouped by minute', more: '' },
  { name: 'filtered to the minutes around releases', more: AROUND },
].map(({ name, more }) => ({
  name,
  question: {
    ...releaseEffectsStatement,
    name: `release-effects of spans, ${name}`,
    sql: releaseEffectsStatement.sql.replace(
      /SELECT service, bucket, weighted AS requests[\s\S]*?traffic = 'live'/,
      () => SPAN_MINUTES.replace('MORE', () => more),
    ),
  },
}))

async function timed<Row>(question: () => Promise<Row[]>): Promise<{ rows: Row[]; seconds: number }> {
  let rows = await question()
  const seconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    rows = await question()
    seconds.push((performance.now() - startedAt) / 1000)
  }
  return { rows, seconds: percentile(seconds, 0.5) }
}

async function fill(store: Store, plan: Plan, fromMs: number, say: (text: string) => void): Promise<void> {
  for (const view of UNASKED) await store.command(`DROP VIEW IF EXISTS ${view}`)
  const perDay = Math.ceil(plan.spans / DAYS)
  const startedAt = performance.now()
  for (let day = 0; day < DAYS; day++) {
    const dayMs = fromMs + day * DAY_MS
    await store.command(
      `INSERT INTO spans (ts, duration_ns, service, version, operation, kind, outcome, weight, traffic)
      SELECT fromUnixTimestamp64Milli(toInt64(${dayMs} + intDiv(number * ${DAY_MS}, ${perDay})), 'UTC'), 1000000 + cityHash64(number) % 9000000,
        concat('service-', toString(number % ${plan.services})), concat('1.', toString(${day})), concat('op-', toString(number % 7)), 2,
        if(cityHash64(number, 1) % 500 = 0, 'system_error', 'ok'), 1000, 'live' FROM numbers(${perDay}) SETTINGS async_insert = 0`,
    )
    if (day % 10 === 9)
      say(
        `${day + 1} days, ${figure(((day + 1) * perDay) / ((performance.now() - startedAt) / 1000))} spans/s`,
      )
  }
}

/** Spread over services and days, each with an hour on both sides. */
function releasesOf({ releases, services }: Plan, fromMs: number): readonly Ready[] {
  const spread = DAYS * DAY_MS - 2 * (SIDE_MINUTES + 1) * MINUTE_MS
  return Array.from({ length: releases }, (_, place) => ({
    service: `service-${place % services}`,
    readyAtMs: fromMs + (SIDE_MINUTES + 1) * MINUTE_MS + Math.floor((place * spread) / releases),
  }))
}

async function askGate(plan: Plan, dataDir: string, { lifecycle, say }: BenchContext) {
  const database = await openDatabase({ kind: 'embedded', dataDir })
  await migrateRegistry(database)
  const traffic = play({ minutes: 20, added: { system: 0.05 } })
  const verdict = releaseVerdict(traffic)
  const effect = releaseEffect(traffic)
  for (let place = 0; place < plan.releases; place++)
    await keepVerdict(
      database,
      {
        release: { ...traffic.release, id: `r-${place}`, service: `service-${place % plan.services}` },
        verdict: { ...verdict, release: `r-${place}` },
        effect,
        nextAtMs: undefined,
        system: undefined,
        team: undefined,
        vendor: undefined,
      },
      () => [],
    )
  await database.close()
  say(`${figure(plan.releases)} verdicts are kept; asking`)
  const child = await openChild(suretyAlone(dataDir, ['ingest', 'query']))
  lifecycle.add('Surety', () => child.stop())
  const url = child.ready[1] ?? ''
  const latencies = buildLatencies()
  for (let number = -20; number < plan.questions; number++) {
    const id = `r-${(number + 20) % plan.releases}`
    const { ms, isRefused } = await ask(url, {
      kind: 'verdict',
      path: `/api/v1/releases/${id}/verdict`,
      check: (answer) =>
        (answer as { release?: string }).release === id ? undefined : 'is of another release',
    })
    if (isRefused) throw new BenchFailure('a question for a verdict was refused as too many')
    // The first ones find nothing prepared.
    if (number >= 0) latencies.add('verdict', ms)
  }
  return { p50: percentile(latencies.all(), 0.5), p95: percentile(latencies.all(), 0.95) }
}
