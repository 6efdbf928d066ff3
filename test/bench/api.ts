// How fast the API answers what people ask of it most: over the demo bank's past, at rest and while spans pour in.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROLES } from '../../deploy/environment.ts'
import { askAtPace, type Answered } from './api-asker.ts'
import {
  applyDemoSlos,
  buildQuestions,
  ENDPOINTS,
  NOT_SERVED_YET,
  untilMeasured,
  type Endpoint,
  type NextQuestion,
} from './api-endpoints.ts'
import { wholeNumber, type Bench, type BenchContext, type BenchReport } from './bench-definition.ts'
import { writeDemoPast } from './demo-past.ts'
import { ask, buildLatencies, percentile, type Latencies } from './questions.ts'
import { openSpanFeed } from './span-feed.ts'
import { openSpanTopic } from './span-topic.ts'
import { openBenchFolder, openSurety, suretyDoors, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const DAYS_DEFAULT = 7
const RATE_DEFAULT = 50_000
const QUESTIONS_DEFAULT = 40
const SECONDS_DEFAULT = 120
const QUERIES_DEFAULT = 10
const SETTLE_MS = 20_000
const BUDGET_MS = 300
/** Below this part of the rate the load was not what it is said to be. */
const RATE_KEPT = 0.95

export const api: Bench = {
  name: 'api',
  summary: "the 12 most used endpoints on the demo's past, idle and at 50,000 spans a second: p95",
  help: `npm run bench -- api [--days N] [--rate N] [--questions N] [--seconds N] [--queries N]

Writes the demo bank's past as «surety demo» does at its first start (N days of spans and metrics, counts of four times as many days
before), applies the example SLOs, waits until their history is measured, and asks Surety's API over HTTP until the last byte was read: ${ENDPOINTS.join(', ')}. Ranges run
from a quarter of an hour to 30 days. First one question at a time with nothing else to do, then at a pace, whether or not
the one before was answered and from a thread of their own, while spans come through Kafka; feed, broker and questions run
on the same cores. Any answer
but 200 fails the bench; 503 (too many heavy questions wait) is counted as refused and keeps the result out of budget, and so
does a feed that comes to less than 95 % of its rate.

value is the p95 of all answers under load; perEndpoint has each endpoint's p95, idle and under load.

  --days N       default ${DAYS_DEFAULT}: with the counts before them 35 days
  --rate N       spans a second, default ${figure(RATE_DEFAULT)}
  --questions N  of each endpoint at rest, default ${QUESTIONS_DEFAULT}
  --seconds N    under load, default ${SECONDS_DEFAULT}, after ${SETTLE_MS / 1000} s that are not counted
  --queries N    a second under load, default ${QUERIES_DEFAULT}`,
  options: {
    days: { type: 'string' },
    rate: { type: 'string' },
    questions: { type: 'string' },
    seconds: { type: 'string' },
    queries: { type: 'string' },
  },
  run: (values, context) =>
    run(
      {
        days: wholeNumber(values, 'days', DAYS_DEFAULT, 1, 30),
        rate: wholeNumber(values, 'rate', RATE_DEFAULT, 512, 1_000_000),
        questions: wholeNumber(values, 'questions', QUESTIONS_DEFAULT, 4, 10_000),
        seconds: wholeNumber(values, 'seconds', SECONDS_DEFAULT, 5, 36_000),
        queries: wholeNumber(values, 'queries', QUERIES_DEFAULT, 1, 1000),
      },
      context,
    ),
}

type Plan = Readonly<Record<'days' | 'rate' | 'questions' | 'seconds' | 'queries', number>>
type Asked = { readonly latencies: Latencies; readonly refused: number }

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const dataDir = join(folder, 'surety')
  say(`writing ${plan.days} days of the bank's past, and counts of the ${plan.days * 4} days before`)
  const past = await writeDemoPast(dataDir, plan.days, suretyDoors)
  const topic = await openSpanTopic(join(folder, 'feed'), lifecycle)
  const { child, url } = await openSurety(
    { dataDir, topic, group: `api-${Date.now()}`, returnCodes: writeReturnCodes(folder), roles: ROLES },
    lifecycle,
  )
  const feed = await openSpanFeed(topic, lifecycle)

  const work = async () => {
    await applyDemoSlos(url, dataDir)
    say('measuring the history of the SLOs')
    await untilMeasured(url)
    const next = await buildQuestions(url)
    const { served, missing } = await whatIsServed(url, next)
    say(`asking at rest: ${plan.questions} of each of ${served.length} endpoints`)
    const idle = await askInTurn(url, next, served, plan.questions)
    feed.setRate(plan.rate)
    await sleep(SETTLE_MS)
    say(`asking ${plan.queries} a second while ${figure(plan.rate)} spans a second come in`)
    const before = { sent: feed.sent(), at: performance.now() }
    const load = gather(
      await askAtPace({ url, endpoints: served, seconds: plan.seconds, queries: plan.queries }),
    )
    const rate = ((feed.sent() - before.sent) / (performance.now() - before.at)) * 1000
    const behindMs = feed.behindMsMax()
    feed.setRate(0)
    return { served, missing, idle, load, rate, behindMs }
  }
  const { served, missing, idle, load, rate, behindMs } = await Promise.race([work(), child.ended])
  const p = (values: readonly number[], ratio = 0.95) => Math.round(percentile(values, ratio) * 10) / 10
  const [p95Ms, p95IdleMs] = [p(load.latencies.all()), p(idle.latencies.all())]
  const perEndpoint = Object.fromEntries(
    served.map((endpoint) => [
      endpoint,
      { p95Ms: p(load.latencies.of(endpoint)), p95IdleMs: p(idle.latencies.of(endpoint)) },
    ]),
  )
  const refused = idle.refused + load.refused
  const line = (name: string, of: (latencies: Latencies) => readonly number[]) => [
    name,
    ...[idle, load].flatMap(({ latencies }) =>
      [0.5, 0.95].map((ratio) => figure(p(of(latencies), ratio), 1)),
    ),
    figure(of(load.latencies).length),
  ]
  return {
    versions: { kafka: topic.kafkaVersion },
    table: [
      ['ms', 'idle p50', 'p95', 'under load p50', 'p95', 'questions'],
      ...served.map((endpoint) => line(endpoint, (latencies) => latencies.of(endpoint))),
      line('all', (latencies) => latencies.all()),
    ],
    notes: [
      `${figure(past.spans)} spans, ${figure(past.points)} points, counts of ${figure(past.requests)} requests of the bank's past; then ${figure(rate)} spans a second came in (the feed was at most ${figure(behindMs)} ms late).`,
      `${refused} questions were refused.${missing.length === 0 ? '' : ` Not served yet: ${missing.join(', ')}.`}`,
    ],
    result: {
      value: p95Ms,
      unit: 'ms',
      p95Ms,
      p95IdleMs,
      perEndpoint,
      missing,
      refused,
      spansPerSecond: Math.round(rate),
      feedBehindMs: Math.round(behindMs),
      questions: load.latencies.all().length,
      budget: BUDGET_MS,
      withinBudget:
        p95Ms <= BUDGET_MS && refused === 0 && missing.length === 0 && rate >= RATE_KEPT * plan.rate,
    },
  }
}

/** Every endpoint asked once; caches and compiled code are warm after it. */
async function whatIsServed(url: string, next: NextQuestion) {
  const served: Endpoint[] = []
  const missing: Endpoint[] = []
  for (const endpoint of ENDPOINTS) {
    const question = next(endpoint)
    const isAbsent =
      NOT_SERVED_YET.includes(endpoint) && (await fetch(`${url}${question.path}`)).status === 404
    if (isAbsent) missing.push(endpoint)
    else {
      await ask(url, question)
      served.push(endpoint)
    }
  }
  return { served, missing }
}

async function askInTurn(
  url: string,
  next: NextQuestion,
  served: readonly Endpoint[],
  rounds: number,
): Promise<Asked> {
  const answered: Answered[] = []
  for (let round = 0; round < rounds; round += 1)
    for (const endpoint of served) answered.push({ endpoint, ...(await ask(url, next(endpoint))) })
  return gather(answered)
}

function gather(answered: readonly Answered[]): Asked {
  const latencies = buildLatencies()
  for (const { endpoint, ms } of answered) latencies.add(endpoint, ms)
  return { latencies, refused: answered.filter(({ isRefused }) => isRefused).length }
}
