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
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** On each side of ready. */
const SIDE_MINUTES = 60
const ROUNDS = 5
const BUDGET_SECONDS = 1
const BUDGET_RATIO = 50
const GATE_BUDGET_MS = 50
/** Nothing of what views make is asked here but minutes, which are made of the same spans at once, without latency. */
const VIEWS = [
  'requests_10s_mv',
  'requests_1m_mv',
  'service_requests_1m_mv',
  'trace_roots_mv',
  'error_signatures_mv',
]
/** What happens of a thousand requests, for as many minutes' rows as a bank has: the rest is well. */
const OUTCOMES = `multiIf(chance < 15, 'business_reject', chance < 20, 'system_error', chance < 23, 'business_error', chance < 24, 'shed', 'ok')`

export const ledger: Bench = {
  name: 'ledger',
  summary: 'before and after of 2,000 releases over 30 days, against raw spans; a gate asking for a verdict',
  help: `npm run bench -- ledger [--releases N] [--services N] [--spans N] [--hours N] [--questions N]

A bank's ${DAYS} days: minutes of all services for all of them, and their spans for the first hours, out of which those hours' minutes are
made; the other days' minutes are those of these hours again. Releases are spread over services and days, an hour is asked on both
sides. seconds is the question of all releases from the minutes, median of ${ROUNDS}. Spans are asked of the releases that lie in their
hours, in two forms, each of which must say the same as the minutes do: a scan of what lies between, scaled by hours, and one of the
hours around releases alone, scaled by releases. ratio is against the faster; what is scaled is said. Then a Surety with as many
verdicts is asked GET …/releases/ID/verdict, one after the other.

  --releases N   default 2000
  --services N   default 40
  --spans N      an hour, default 10000000: half of them requests
  --hours N      of spans, default 4
  --questions N  to the gate, default 1000`,
  options: {
    releases: { type: 'string' },
    services: { type: 'string' },
    spans: { type: 'string' },
    hours: { type: 'string' },
    questions: { type: 'string' },
  },
  run: (values, context) =>
    run(
      {
        releases: wholeNumber(values, 'releases', 2000, 720, 20_000),
        services: wholeNumber(values, 'services', 40, 1, 200),
        spans: wholeNumber(values, 'spans', 10_000_000, 100_000, 100_000_000),
        hours: wholeNumber(values, 'hours', 4, 3, 24),
        questions: wholeNumber(values, 'questions', 1000, 20, 100_000),
      },
      context,
    ),
}

type Plan = Readonly<Record<'releases' | 'services' | 'spans' | 'hours' | 'questions', number>>

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
  const sharedHours = plan.hours
  const inSpans = releases.filter(
    ({ readyAtMs }) => readyAtMs + SIDE_MINUTES * MINUTE_MS <= fromMs + sharedHours * HOUR_MS,
  )
  // Of all services, as two thousand releases are: a scan reads them all.
  const askedOfSpans = { ...effectsAsked(inSpans, SIDE_MINUTES), names: asked.names }
  const said = JSON.stringify(await store.ask(releaseEffectsStatement, askedOfSpans, HEAVY))
  const peers = []
  for (const peer of PEERS) {
    const raw = await timed(() => store.ask(peer.question, askedOfSpans, HEAVY))
    if (JSON.stringify(raw.rows) !== said)
      throw new BenchFailure(`Spans (${peer.name}) do not say the same as minutes: one of them is wrong`)
    const times = peer.scale === 'hours' ? (DAYS * 24) / sharedHours : plan.releases / inSpans.length
    say(
      `spans, ${peer.name}: ${figure(raw.seconds, 3)} s of ${inSpans.length} releases in ${sharedHours} hours; × ${figure(times, 1)}`,
    )
    peers.push({ ...peer, seconds: raw.seconds * times, measured: raw.seconds, times })
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
      ...peers.map(({ name, seconds, measured, times }) => [
        `the same from spans, ${name}: ${figure(measured, 3)} s × ${figure(times, 1)}`,
        figure(seconds, 1),
      ]),
      ['a gate, p50', figure(gate.p50 / 1000, 4)],
      ['a gate, p95', figure(gate.p95 / 1000, 4)],
    ],
    notes: [
      `${figure(plan.spans)} spans an hour of ${plan.services} services, half of them requests; spans lie there for ${sharedHours} hours of ${DAYS} days with ${inSpans.length} releases, and what they took is scaled to all. Minutes are asked of all.`,
    ],
    result: {
      value: rounded(rollup.seconds),
      unit: 's',
      seconds: rounded(rollup.seconds),
      ratio: Math.round(ratio * 10) / 10,
      peer: {
        name: `raw spans, ${best.name}`,
        seconds: rounded(best.seconds),
        measuredSeconds: rounded(best.measured),
        scaledBy: Math.round(best.times * 10) / 10,
      },
      p95GateMs: Math.round(gate.p95 * 10) / 10,
      p50GateMs: Math.round(gate.p50 * 10) / 10,
      releases: plan.releases,
      spansPerHour: plan.spans,
      spanHours: sharedHours,
      services: plan.services,
      budget: { seconds: BUDGET_SECONDS, ratio: BUDGET_RATIO, p95GateMs: GATE_BUDGET_MS },
      withinBudget: rollup.seconds <= BUDGET_SECONDS && ratio >= BUDGET_RATIO && gate.p95 <= GATE_BUDGET_MS,
    },
  }
}

const HEAVY = { lane: 'heavy', secondsMax: 300 } as const
const rounded = (seconds: number) => Math.round(seconds * 1000) / 1000

/** Of the statement: where minutes come from. */
const MINUTES_PART = /SELECT indexOf\([^\n]* AS at, weighted[\s\S]*?WHERE traffic = 'live'/
const SPAN_MINUTES = `SELECT indexOf({names:Array(String)}, service) * 4294967296 + toUnixTimestamp(toStartOfHour(toDateTime(ts, 'UTC'))) AS slot,
    toUnixTimestamp(toStartOfMinute(toDateTime(ts, 'UTC'))) AS at,
    sum(weight) AS requests, sumIf(weight, outcome IN ('system_error', 'business_error', 'shed')) AS failed
  FROM spans
  PREWHERE service IN ({names:Array(String)}) AND ts >= {from:DateTime('UTC')} AND ts < {to:DateTime('UTC')}
  WHERE kind IN (2, 5) AND traffic = 'live'MORE
  GROUP BY service, slot, at`
const AROUND = ` AND (service, toStartOfHour(toDateTime(ts, 'UTC'))) IN (
    SELECT tupleElement(one, 1), toDateTime(arrayJoin(range(toUInt32(intDiv(toUInt32(tupleElement(one, 2) - {length:UInt32}), 3600) * 3600), toUInt32(tupleElement(one, 2) + {length:UInt32}), 3600)), 'UTC')
    FROM (SELECT arrayJoin(arrayZip({services:Array(String)}, arrayMap(one -> toUInt32(one), {readies:Array(String)}))) AS one))`

/** The same statement, its minutes made of spans: of all that lie between, or only of the hours around a release. */
const PEERS = [
  { name: 'all that lie between', more: '', scale: 'hours' as const },
  { name: 'the hours around releases', more: AROUND, scale: 'releases' as const },
].map(({ name, more, scale }) => {
  if (!MINUTES_PART.test(releaseEffectsStatement.sql))
    throw new BenchFailure('The statement reads minutes otherwise than the bench knows')
  return {
    name,
    scale,
    question: {
      ...releaseEffectsStatement,
      name: `release-effects of spans, ${name}`,
      sql: releaseEffectsStatement.sql.replace(MINUTES_PART, () => SPAN_MINUTES.replace('MORE', () => more)),
    },
  }
})

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
  for (const view of VIEWS) await store.command(`DROP VIEW IF EXISTS ${view}`)
  // Columns that nobody asks here need not be written in full: identities take most of a span.
  await store.command('ALTER TABLE spans DROP INDEX IF EXISTS trace_id_bloom')
  await store.command(
    'ALTER TABLE spans MODIFY COLUMN trace_id CODEC(ZSTD(1)), MODIFY COLUMN span_id CODEC(ZSTD(1))',
  )
  const startedAt = performance.now()
  for (let hour = 0; hour < plan.hours; hour++) {
    const hourMs = fromMs + hour * HOUR_MS
    await store.command(
      `INSERT INTO spans (ts, duration_ns, service, version, operation, kind, outcome, weight, traffic)
      SELECT fromUnixTimestamp64Milli(toInt64(${hourMs} + intDiv(number * ${HOUR_MS}, ${plan.spans})), 'UTC'), 1000000 + cityHash64(number) % 9000000,
        concat('service-', toString(number % ${plan.services})), '1.0', concat('op-', toString(intDiv(number, ${plan.services}) % 7)), if(bitAnd(cityHash64(number, 2), 1) = 0, 2, 3),
        ${OUTCOMES}, 1000, 'live' FROM (SELECT number, cityHash64(number, 1, ${hour}) % 1000 AS chance FROM numbers(${plan.spans})) SETTINGS async_insert = 0`,
    )
    const spans = (hour + 1) * plan.spans
    say(`${hour + 1} hours of spans, ${figure(spans / ((performance.now() - startedAt) / 1000))} spans/s`)
  }
  await store.command(
    `INSERT INTO service_requests_1m (service, bucket, version, system, traffic, outcome, requests, weighted, last_at)
    SELECT service, toStartOfMinute(toDateTime(ts, 'UTC')) AS bucket, version, system, traffic, outcome, count(), sum(weight), bucket + 60
    FROM spans WHERE kind IN (2, 5) GROUP BY service, bucket, version, system, traffic, outcome SETTINGS async_insert = 0`,
  )
  const repeats = Math.ceil((DAYS * 24) / plan.hours)
  // A day at a time, as it comes: a part of each.
  for (let day = 0; day < DAYS; day++) {
    const [from, to] = [day * DAY_MS, (day + 1) * DAY_MS].map((ms) => (fromMs + ms) / 1000)
    await store.command(
      `INSERT INTO service_requests_1m (service, bucket, version, system, traffic, outcome, requests, weighted, last_at)
      SELECT service, toDateTime(toUnixTimestamp(bucket) + repeat * ${plan.hours * 3600}, 'UTC') AS moved, concat('1.', toString(repeat)), system, traffic, outcome, requests, weighted, moved + 60
      FROM (SELECT * FROM service_requests_1m WHERE bucket < toDateTime(${(fromMs + plan.hours * HOUR_MS) / 1000}, 'UTC')) AS first
      CROSS JOIN (SELECT number + 1 AS repeat FROM numbers(${repeats - 1})) AS again
      WHERE moved >= toDateTime(${from}, 'UTC') AND moved < toDateTime(${to}, 'UTC') SETTINGS async_insert = 0`,
    )
  }
  const [minutes] = await store.rows('SELECT count() AS rows FROM service_requests_1m')
  say(`${figure(Number(minutes?.['rows']))} rows of minutes`)
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
