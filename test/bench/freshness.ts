// How long after Kafka has it a span can be found, at several rates.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  UsageError,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
  type OptionValues,
} from './bench-definition.ts'
import { openFreshnessProbes, POLL_MS } from './freshness-probes.ts'
import { percentile } from './questions.ts'
import { openSpanFeed } from './span-feed.ts'
import { openSpanTopic } from './span-topic.ts'
import { ingestStatusOf, openBenchFolder, openSurety, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const RATES_DEFAULT = [5000, 20_000, 50_000]
const SECONDS_DEFAULT = 60
const SETTLE_MS = 5000

export const freshness: Bench = {
  name: 'freshness',
  summary: 'Kafka append to queryable at 5,000, 20,000 and 50,000 spans a second',
  help: `npm run bench -- freshness [--rates N,N,…] [--seconds N]

Spans come through Kafka at each rate in turn. Among them go single spans, ten a second, in turn to each partition; the API is
asked for them (GET /api/v1/traces?service=…) again ${POLL_MS} ms after each answer. A time is from handing the record to the
producer to having read an answer that holds its span, so it holds the producer's round trip and up to one poll.
Every probe must be found. The broker, the feed and the probes run on the same cores as Surety.

  --rates N,N,…  spans a second, default ${RATES_DEFAULT.join(',')}
  --seconds N    at each rate, default ${SECONDS_DEFAULT}`,
  options: { rates: { type: 'string' }, seconds: { type: 'string' } },
  run: (values, context) =>
    run(ratesOf(values), wholeNumber(values, 'seconds', SECONDS_DEFAULT, 1, 86_400), context),
}

function ratesOf({ rates }: OptionValues): number[] {
  if (typeof rates !== 'string') return RATES_DEFAULT
  const numbers = rates.split(',').map(Number)
  if (numbers.every((rate) => Number.isInteger(rate) && rate >= 512 && rate <= 1_000_000)) return numbers
  throw new UsageError(`--rates ${rates}: must be whole numbers from 512 to 1000000, comma-separated`)
}

type Step = {
  readonly wanted: number
  readonly rate: number
  readonly behindMs: number
  readonly parts: number
  readonly latencies: readonly number[]
}

async function run(
  rates: readonly number[],
  seconds: number,
  { lifecycle, say }: BenchContext,
): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const topic = await openSpanTopic(folder, lifecycle)
  const returnCodes = writeReturnCodes(folder)
  const side = { dataDir: join(folder, 'surety'), topic, group: `freshness-${Date.now()}`, returnCodes }
  const { child, url } = await openSurety(side, lifecycle)
  const feed = await openSpanFeed(topic, lifecycle)
  const probes = await openFreshnessProbes(topic, url, lifecycle)

  async function step(wanted: number): Promise<Step> {
    say(`${wanted} spans a second for ${seconds} s`)
    feed.setRate(wanted)
    await sleep(SETTLE_MS)
    const before = { sent: feed.sent(), at: performance.now() }
    probes.begin()
    await sleep(seconds * 1000)
    const rate = ((feed.sent() - before.sent) / (performance.now() - before.at)) * 1000
    const latencies = await probes.end()
    const { spans } = await ingestStatusOf(url)
    say(`p50 ${figure(percentile(latencies, 0.5))} ms, p99 ${figure(percentile(latencies, 0.99))} ms`)
    return { wanted, rate, behindMs: feed.behindMsMax(), parts: spans.parts, latencies }
  }
  const work = async () => {
    const steps: Step[] = []
    for (const rate of rates) steps.push(await step(rate))
    return steps
  }
  const steps = await Promise.race([work(), child.ended])
  const rounded = (values: readonly number[], ratio: number) => Math.round(percentile(values, ratio))
  const judged = steps.find(({ wanted }) => wanted === 20_000) ?? steps.at(-1)
  return {
    versions: { kafka: topic.kafkaVersion },
    table: [
      ['spans/s', 'reached', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms', 'probes', 'parts', 'feed late, ms'],
      ...steps.map(({ wanted, rate, latencies, parts, behindMs }) => [
        figure(wanted),
        figure(rate),
        ...[0.5, 0.9, 0.99, 1].map((ratio) => figure(rounded(latencies, ratio))),
        figure(latencies.length),
        figure(parts),
        figure(behindMs),
      ]),
    ],
    notes: [
      'From handing a record to the producer to reading an answer of the API that holds its span.',
      'SURETY_LINGER_MS is at its default, 1000: half of a time is waiting for company.',
    ],
    result: {
      value: rounded(judged?.latencies ?? [], 0.99),
      unit: 'ms',
      ...Object.fromEntries(
        steps.flatMap(({ wanted, latencies }) => [
          [`p50At${wanted / 1000}k`, rounded(latencies, 0.5)],
          [`p99At${wanted / 1000}k`, rounded(latencies, 0.99)],
        ]),
      ),
      seconds,
    },
  }
}
