// Ten minutes of work: spans come in, people ask. Does memory stay, do answers stay fast, does ingest keep up?

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { random } from '../support/otlp.ts'
import { wholeNumber, type Bench, type BenchContext, type BenchReport } from './bench-definition.ts'
import { openFreshnessProbes } from './freshness-probes.ts'
import { cpuSeconds, rssPeakMb } from './process-usage.ts'
import { ask, buildLatencies, hasItems, percentile, type Question } from './questions.ts'
import { openSpanFeed, type SpanFeed } from './span-feed.ts'
import { openSpanTopic } from './span-topic.ts'
import { ingestStatusOf, openBenchFolder, openSurety, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const MINUTES_DEFAULT = 10
const RATE_DEFAULT = 50_000
const QUERIES_DEFAULT = 20
const SETTLE_MS = 40_000
const SAMPLE_MS = 5000
const SAY_EVERY_SAMPLES = 6
const UNANSWERED_MAX = 200
const SEED = 5

export const soak: Bench = {
  name: 'soak',
  summary: 'ten minutes at 50,000 spans and 20 queries a second: memory, answers, lag, parts',
  help: `npm run bench -- soak [--minutes N] [--rate N] [--queries N]

Spans come through Kafka at the rate while the API is asked, a question every 1/N s whether or not the one before was
answered: services of the last quarter of an hour, one service over it, its errors, the map, the newest spans of a
service, a trace and a transaction number of half a minute ago. Answers 503, which Surety gives when too many heavy questions wait, are
counted as refused; any other wrong answer fails the bench. Lag is measured as in freshness. Memory is the peak of the process. The first ${SETTLE_MS / 1000} s are not
counted. The broker, the feed and the questions run on the same cores as Surety.

  --minutes N  default ${MINUTES_DEFAULT}
  --rate N     spans a second, default ${figure(RATE_DEFAULT)}
  --queries N  a second, default ${QUERIES_DEFAULT}`,
  options: { minutes: { type: 'string' }, rate: { type: 'string' }, queries: { type: 'string' } },
  run: (values, context) =>
    run(
      {
        minutes: wholeNumber(values, 'minutes', MINUTES_DEFAULT, 1, 10_000),
        rate: wholeNumber(values, 'rate', RATE_DEFAULT, 512, 1_000_000),
        queries: wholeNumber(values, 'queries', QUERIES_DEFAULT, 1, 1000),
      },
      context,
    ),
}

type Plan = { readonly minutes: number; readonly rate: number; readonly queries: number }

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const topic = await openSpanTopic(folder, lifecycle)
  const returnCodes = writeReturnCodes(folder)
  const side = { dataDir: join(folder, 'surety'), topic, group: `soak-${Date.now()}`, returnCodes }
  const { child, url } = await openSurety(side, lifecycle)
  const feed = await openSpanFeed(topic, lifecycle)
  const probes = await openFreshnessProbes(topic, url, lifecycle)
  const latencies = buildLatencies()
  let refused = 0
  const samples: { parts: number; lagMessages: number }[] = []

  async function askAll(untilMs: number): Promise<void> {
    const nextQuestion = buildQuestions(feed)
    const asked = new Set<Promise<void>>()
    const failures: unknown[] = []
    for (let number = 0, startedAt = Date.now(); Date.now() < untilMs; number += 1) {
      await sleep(Math.max(0, startedAt + (number * 1000) / plan.queries - Date.now()))
      if (failures.length > 0) throw failures[0] as Error
      // So many at once that people would have gone: waiting longer would only hide it.
      if (asked.size >= UNANSWERED_MAX) throw new Error(`${UNANSWERED_MAX} questions wait for an answer`)
      const question = nextQuestion()
      const one: Promise<void> = ask(url, question)
        .then(({ ms, isRefused }) => {
          if (isRefused) refused += 1
          else latencies.add(question.kind, ms)
        })
        .catch((error: unknown) => void failures.push(error))
        .finally(() => asked.delete(one))
      asked.add(one)
    }
    await Promise.all(asked)
    if (failures.length > 0) throw failures[0] as Error
  }

  async function sample(untilMs: number): Promise<void> {
    while (Date.now() < untilMs) {
      await sleep(SAMPLE_MS)
      const status = await ingestStatusOf(url).catch(() => undefined)
      // Too busy to say: the next sample tells.
      if (status === undefined) continue
      const { spans, kafka } = status
      const lagMessages = (kafka ?? []).reduce((sum, partition) => sum + partition.lagMessages, 0)
      samples.push({ parts: spans.parts, lagMessages })
      if (samples.length % SAY_EVERY_SAMPLES === 0)
        say(
          `${figure(spans.rows)} spans, ${spans.parts} parts, ${lagMessages} records behind, ${rssPeakMb(child.pid)} MB, queries p99 ${figure(percentile(latencies.all(), 0.99))} ms`,
        )
    }
  }

  const work = async () => {
    say(`${plan.rate} spans and ${plan.queries} queries a second for ${plan.minutes} min`)
    feed.setRate(plan.rate)
    await sleep(SETTLE_MS)
    const before = { sent: feed.sent(), at: performance.now(), cpu: cpuSeconds(child.pid) }
    probes.begin()
    const untilMs = Date.now() + plan.minutes * 60_000
    await Promise.all([askAll(untilMs), sample(untilMs)])
    const seconds = (performance.now() - before.at) / 1000
    const rate = (feed.sent() - before.sent) / seconds
    const cores = (cpuSeconds(child.pid) - before.cpu) / seconds
    const lags = await probes.end()
    return { rate, cores, lags, behindMs: feed.behindMsMax(), rssMb: rssPeakMb(child.pid) }
  }
  const { rate, cores, lags, behindMs, rssMb } = await Promise.race([work(), child.ended])
  const parts = Math.max(0, ...samples.map((one) => one.parts))
  const [queryP50, queryP95, queryP99] = [0.5, 0.95, 0.99].map((ratio) => percentile(latencies.all(), ratio))
  const [lagP50, lagP99] = [0.5, 0.99].map((ratio) => percentile(lags, ratio))
  const kinds = buildQuestions(feed).kinds
  return {
    versions: { kafka: topic.kafkaVersion },
    table: [
      ['', 'p50 ms', 'p95 ms', 'p99 ms', 'number'],
      ...[
        ...kinds.map((kind) => [kind, latencies.of(kind)] as const),
        ['all queries', latencies.all()] as const,
        ['lag', lags] as const,
      ].map(([name, values]) => [
        name,
        ...[0.5, 0.95, 0.99].map((ratio) => figure(percentile(values, ratio))),
        figure(values.length),
      ]),
    ],
    notes: [
      `${figure(rate)} spans a second came in (the feed was at most ${figure(behindMs)} ms late), using ${figure(cores, 2)} cores; ${rssMb} MB at the peak, ${parts} parts at most; ${refused} questions were refused.`,
    ],
    result: {
      value: Math.round(queryP99 ?? Number.NaN),
      unit: 'ms',
      rssMb,
      queryP50Ms: Math.round(queryP50 ?? Number.NaN),
      queryP95Ms: Math.round(queryP95 ?? Number.NaN),
      queryP99Ms: Math.round(queryP99 ?? Number.NaN),
      lagP50Ms: Math.round(lagP50 ?? Number.NaN),
      lagP99Ms: Math.round(lagP99 ?? Number.NaN),
      parts,
      spansPerSecond: Math.round(rate),
      queries: latencies.all().length,
      refused,
      cores: Math.round(cores * 100) / 100,
      minutes: plan.minutes,
    },
  }
}

/** Questions in turn, as a few people with dashboards would ask them. */
function buildQuestions(feed: SpanFeed): (() => Question) & { readonly kinds: readonly string[] } {
  const next = random(SEED)
  const service = () => feed.service(next())
  const past = () => feed.pastSpan(next())
  const always = () => undefined
  const makers: Readonly<Record<string, () => Omit<Question, 'kind'>>> = {
    services: () => ({ path: '/api/v1/services', check: hasItems }),
    series: () => ({ path: `/api/v1/services/${service()}/series`, check: always }),
    errors: () => ({ path: `/api/v1/services/${service()}/errors`, check: always }),
    map: () => ({ path: '/api/v1/map', check: always }),
    search: () => ({ path: `/api/v1/traces?service=${service()}&limit=20`, check: hasItems }),
    trace: () => ({ path: `/api/v1/traces/${past()?.traceId ?? ''}`, check: always }),
    transaction: () => ({
      // Ingest may lag by more than the half minute; that is told as lag.
      path: `/api/v1/traces?attribute=bank.txn.id%3D${past()?.txnId ?? ''}&limit=20`,
      check: always,
    }),
  }
  const kinds = Object.keys(makers)
  let number = 0
  const question = () => {
    const kind = kinds[number % kinds.length] ?? ''
    number += 1
    return { kind, ...(makers[kind] as () => Omit<Question, 'kind'>)() }
  }
  return Object.assign(question, { kinds })
}
