// How fast spans are found and counted among a day of them, while more come in. Questions go to Surety's own API over
// HTTP, one at a time.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { random } from '../support/otlp.ts'
import { sizesAtRest } from './at-rest.ts'
import { wholeNumber, type Bench, type BenchContext, type BenchReport } from './bench-definition.ts'
import { dayPool, dayRequest, ENTROPY, loadDay, SPANS_PER_REQUEST, type DayOfSpans } from './day-of-spans.ts'
import {
  ask,
  buildLatencies,
  hasItems,
  hasNone,
  percentile,
  type Latencies,
  type Question,
} from './questions.ts'
import { openSpanFeed } from './span-feed.ts'
import { identityOf } from './span-pool.ts'
import { openSpanTopic } from './span-topic.ts'
import { ingestStatusOf, openBenchFolder, openSurety, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const SPANS_DEFAULT = 10_000_000
const RATE_DEFAULT = 20_000
const QUESTIONS_DEFAULT = 200
// The dear ones are asked less often: one in five.
const DEAR_EVERY = 5
const SETTLE_MS = 10_000
const SEED = 3

const KINDS = {
  byId: { title: 'trace by id', isDear: false, msMax: 10 },
  attribute: { title: 'allow-listed attribute, 24 h', isDear: false, msMax: 20 },
  search: { title: 'service, newest 20, 24 h', isDear: false, msMax: undefined },
  seriesDay: { title: 'one service over 24 h', isDear: false, msMax: undefined },
  anyAttribute: { title: 'any attribute, 24 h', isDear: true, msMax: 1500 },
  redDay: { title: 'RED of all services, 24 h', isDear: true, msMax: undefined },
} as const
type Kind = keyof typeof KINDS
const ORDER = Object.keys(KINDS) as Kind[]

export const traceQueries: Bench = {
  name: 'trace-queries',
  summary: 'finding and counting spans among 10 million while 20,000 a second come in',
  help: `npm run bench -- trace-queries [--spans N] [--rate N] [--questions N] [--data-dir DIR]

Fills a store as the bench storage does (N spans of one day, merged), starts Surety on it and puts questions to its API
over HTTP, one at a time, first at rest, then while spans arrive through Kafka at the rate:

  byId          GET /api/v1/traces/ID, a trace anywhere in the day; its 8 spans must come
  attribute     GET /api/v1/traces?attribute=…, in turn bank.txn.id and customer.id, which is in SURETY_SEARCH_KEYS by
                default; over the 24 hours, newest 20; the span must be found
  search        newest 20 spans of a service, over the 24 hours
  seriesDay     one service over the 24 hours, by version
  anyAttribute  an attribute that every span carries and no filter knows (user.group), a value that none has, over the 24
                hours: every span is looked at
  redDay        requests, errors, latency of every service and version over the 24 hours

Cold and warm: each question names another trace, number or service, so what it looks for was not read before; the
engine keeps no uncompressed blocks. Marks and filters stay in the engine's caches after the first questions, files
in the system's page cache as memory allows (the store has about 60 bytes a span). Times are until the last byte was read; the
result holds the p95 under ingest.

${ENTROPY}

  --spans N       default ${figure(SPANS_DEFAULT)}
  --rate N        spans a second meanwhile, default ${figure(RATE_DEFAULT)}; the feed and the broker run on the same cores
  --questions N   of each cheap kind, default ${QUESTIONS_DEFAULT}; a ${DEAR_EVERY}th of it of each dear kind
  --data-dir DIR  a store that storage or trace-queries left there with as many spans is used`,
  options: {
    spans: { type: 'string' },
    rate: { type: 'string' },
    questions: { type: 'string' },
    'data-dir': { type: 'string' },
  },
  run(values, context) {
    const dataDir = values['data-dir']
    return run(
      {
        spans: wholeNumber(values, 'spans', SPANS_DEFAULT, 10_000, 200_000_000),
        rate: wholeNumber(values, 'rate', RATE_DEFAULT, 0, 1_000_000),
        questions: wholeNumber(values, 'questions', QUESTIONS_DEFAULT, DEAR_EVERY, 100_000),
        dataDir: typeof dataDir === 'string' ? dataDir : undefined,
      },
      context,
    )
  },
}

type Plan = {
  readonly spans: number
  readonly rate: number
  readonly questions: number
  readonly dataDir: string | undefined
}

async function run(plan: Plan, context: BenchContext): Promise<BenchReport> {
  const { lifecycle, say } = context
  const folder = openBenchFolder(lifecycle)
  const dataDir = plan.dataDir ?? join(folder, 'surety')
  const { day } = await loadDay({ spans: plan.spans, dataDir, folder }, context)
  say('merging')
  const { engine } = await sizesAtRest(dataDir)
  const topic = await openSpanTopic(join(folder, 'feed'), lifecycle)
  const returnCodes = writeReturnCodes(folder)
  const group = `queries-${Date.now()}`
  const { child, url } = await openSurety({ dataDir, topic, group, returnCodes }, lifecycle)
  const feed = await openSpanFeed(topic, lifecycle)
  const asker = buildAsker(url, day)

  const work = async () => {
    say('asking at rest')
    const atRest = await asker(plan.questions, say)
    feed.setRate(plan.rate)
    await sleep(SETTLE_MS)
    say(`asking while ${plan.rate} spans a second come in`)
    const before = { sent: feed.sent(), at: performance.now() }
    const underIngest = await asker(plan.questions, say)
    const rate = ((feed.sent() - before.sent) / (performance.now() - before.at)) * 1000
    const behindMs = feed.behindMsMax()
    feed.setRate(0)
    return { atRest, underIngest, rate, behindMs, status: await ingestStatusOf(url) }
  }
  const { atRest, underIngest, rate, behindMs, status } = await Promise.race([work(), child.ended])
  const p95 = (kind: Kind) => Math.round(percentile(underIngest.of(kind), 0.95) * 10) / 10
  const line = (kind: Kind) => [
    KINDS[kind].title,
    ...[atRest, underIngest].flatMap((side) =>
      [0.5, 0.95].map((ratio) => figure(percentile(side.of(kind), ratio), 1)),
    ),
    KINDS[kind].msMax === undefined ? '' : figure(KINDS[kind].msMax),
    figure(underIngest.of(kind).length),
  ]
  return {
    versions: { engine, kafka: topic.kafkaVersion },
    table: [
      ['ms', 'at rest p50', 'p95', 'under ingest p50', 'p95', 'budget', 'questions'],
      ...ORDER.map(line),
    ],
    notes: [
      `${figure(day.requests * SPANS_PER_REQUEST)} spans of one day, then ${figure(rate)} spans a second came in (the feed was at most ${figure(behindMs)} ms late); ${status.spans.parts} parts in the end.`,
    ],
    result: {
      value: p95('byId'),
      unit: 'ms',
      ...Object.fromEntries(ORDER.map((kind) => [`${kind}Ms`, p95(kind)])),
      atRest: Object.fromEntries(
        ORDER.map((kind) => [`${kind}Ms`, Math.round(percentile(atRest.of(kind), 0.95) * 10) / 10]),
      ),
      spans: day.requests * SPANS_PER_REQUEST,
      spansPerSecond: Math.round(rate),
    },
  }
}

function buildAsker(url: string, day: DayOfSpans) {
  const pool = dayPool()
  const next = random(SEED)
  const range = `from=${new Date(day.fromMs).toISOString()}&to=now`
  let number = 0

  function somebody() {
    const copy = Math.floor(next() * day.requests)
    const { places } = pool[copy % pool.length] ?? { places: [] }
    const stamped = dayRequest(pool, copy, day)
    // Every eighth span is the entry span of its trace.
    const place = places[Math.floor((next() * places.length) / 8) * 8]
    if (place === undefined) throw new Error(`request ${copy} has no spans`)
    return identityOf(stamped, place)
  }

  const service = () => pool[Math.floor(next() * pool.length)]?.service ?? ''

  const questions: Readonly<Record<Kind, () => Omit<Question, 'kind'>>> = {
    byId: () => ({
      path: `/api/v1/traces/${somebody().traceId}`,
      check: (answer) => {
        const { spans } = answer as { spans: readonly unknown[] }
        return spans.length === 8 ? undefined : `${spans.length} spans instead of 8`
      },
    }),
    attribute: () => {
      const { txnId, customerId } = somebody()
      number += 1
      const attribute = number % 2 === 0 ? `bank.txn.id%3D${txnId}` : `customer.id%3D${customerId ?? ''}`
      return { path: `/api/v1/traces?${range}&limit=20&attribute=${attribute}`, check: hasItems }
    },
    search: () => ({
      path: `/api/v1/traces?${range}&limit=20&service=${service()}`,
      check: hasItems,
    }),
    seriesDay: () => ({
      path: `/api/v1/services/${service()}/series?${range}`,
      check: (answer) => {
        const { versions } = answer as { versions: readonly unknown[] }
        return versions.length > 0 ? undefined : 'no version was found'
      },
    }),
    anyAttribute: () => ({
      path: `/api/v1/traces?${range}&limit=20&attribute=user.group%3Dnobody-${(number += 1)}`,
      check: hasNone,
    }),
    redDay: () => ({ path: `/api/v1/services?${range}`, check: hasItems }),
  }

  return async (count: number, say: (text: string) => void): Promise<Latencies> => {
    const latencies = buildLatencies()
    const last = Math.floor(count / DEAR_EVERY) * DEAR_EVERY
    for (let round = 0; round < last; round += 1) {
      for (const kind of ORDER) {
        if (KINDS[kind].isDear && round % DEAR_EVERY !== 0) continue
        // One that was given up counts with the time that it took.
        const { ms, isRefused } = await ask(url, { kind, ...questions[kind]() })
        if (isRefused) say(`${kind} was refused after ${Math.round(ms)} ms`)
        latencies.add(kind, ms)
      }
      if (round % 50 === 49) say(`${round + 1} of ${last} rounds`)
    }
    return latencies
  }
}
