// What measuring and judging ten thousand SLOs costs a Surety that takes 50,000 spans a second: the same process before and after they
// are there.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import { cpuSeconds, rssPeakMb } from './process-usage.ts'
import { applySlos, metricOf, sloItems, type BenchSlo } from './slo-side.ts'
import { openSpanFeed } from './span-feed.ts'
import { openSpanTopic } from './span-topic.ts'
import { openBenchFolder, openSurety, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const SETTLE_MS = 30_000
const BUDGET = 0.25
/** Of critical tiers, in slices of ten seconds, judged while they are open. */
const CRITICAL_EVERY = 20
// Of the feed's bank (test/support/bank-spans.ts).
const SERVICES = 60
const ROUTES_PER_SERVICE = 5
const CHANNELS = ['mobile', 'counter', 'atm', 'web', 'openapi']
const REGIONS = ['east', 'north', 'south', 'west']
const SITES = ['sh-a', 'sh-b', 'bj-a']

export const sloMeasure: Bench = {
  name: 'slo-measure',
  summary: '10,000 SLOs measured and judged while 50,000 spans a second come in: share of a core',
  help: `npm run bench -- slo-measure [--slos N] [--rate N] [--seconds N]

Spans come through Kafka at the rate. The process is measured without SLOs for a while, then the SLOs are applied (one in ${CRITICAL_EVERY}
in slices of 10 s, the others of 60 s), what is to be measured of the past is measured, and it is measured again. coreShare is what
the process used more, in cores: measuring, writing slices, judging, states, statuses. Its figure has the noise of both.

  --slos N     default 10000
  --rate N     spans a second, default 50000
  --seconds N  of each of the two, default 120`,
  options: { slos: { type: 'string' }, rate: { type: 'string' }, seconds: { type: 'string' } },
  run: (values, context) =>
    run(
      {
        slos: wholeNumber(values, 'slos', 10_000, 10, 50_000),
        rate: wholeNumber(values, 'rate', 50_000, 512, 1_000_000),
        seconds: wholeNumber(values, 'seconds', 120, 60, 3600),
      },
      context,
    ),
}

type Plan = Readonly<Record<'slos' | 'rate' | 'seconds', number>>

async function run(plan: Plan, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const dataDir = join(folder, 'surety')
  const topic = await openSpanTopic(folder, lifecycle)
  const { child, url } = await openSurety(
    {
      dataDir,
      topic,
      group: `slo-measure-${Date.now()}`,
      returnCodes: writeReturnCodes(folder),
      roles: ['ingest', 'query', 'alerts'],
    },
    lifecycle,
  )
  const feed = await openSpanFeed(topic, lifecycle)
  const used = async () => {
    const before = { cpu: cpuSeconds(child.pid), at: performance.now(), sent: feed.sent() }
    await sleep(plan.seconds * 1000)
    const seconds = (performance.now() - before.at) / 1000
    return {
      cores: (cpuSeconds(child.pid) - before.cpu) / seconds,
      rate: (feed.sent() - before.sent) / seconds,
    }
  }
  const work = async () => {
    feed.setRate(plan.rate)
    say(`${figure(plan.rate)} spans a second, no SLO`)
    await sleep(SETTLE_MS)
    const without = await used()
    say(`applying ${figure(plan.slos)} SLOs`)
    const appliedAt = performance.now()
    await applySlos(url, dataDir, slosOf(plan.slos))
    const applySeconds = (performance.now() - appliedAt) / 1000
    say(`applied in ${figure(applySeconds, 1)} s; waiting for what is measured of the past`)
    await untilMeasured(url, plan.slos)
    const readySeconds = (performance.now() - appliedAt) / 1000
    say(`ready after ${figure(readySeconds, 1)} s; measuring`)
    const cyclesBefore = await metricOf(url, 'surety_slo_cycles_total')
    const missedBefore = await metricOf(url, 'surety_slo_missed_cycles_total')
    const withSlos = await used()
    const cycles = (await metricOf(url, 'surety_slo_cycles_total')) - cyclesBefore
    const missed = (await metricOf(url, 'surety_slo_missed_cycles_total')) - missedBefore
    const known = (await sloItems(url)).filter(({ knownFrom }) => knownFrom !== null).length
    return { without, withSlos, applySeconds, readySeconds, cycles, missed, known }
  }
  const { without, withSlos, applySeconds, readySeconds, cycles, missed, known } = await Promise.race([
    work(),
    child.ended,
  ])
  const coreShare = Math.round((withSlos.cores - without.cores) * 1000) / 1000
  const rssMb = rssPeakMb(child.pid)
  return {
    versions: { kafka: topic.kafkaVersion },
    table: [
      ['', 'cores', 'spans/s'],
      ['without SLOs', figure(without.cores, 2), figure(without.rate)],
      [`${figure(plan.slos)} SLOs`, figure(withSlos.cores, 2), figure(withSlos.rate)],
    ],
    notes: [
      `${figure(cycles)} cycles, ${missed} instants judged late; ${figure(known)} of the SLOs have known slices; applied in ${figure(applySeconds, 1)} s, ready after ${figure(readySeconds, 1)} s; ${rssMb} MB at the peak.`,
    ],
    result: {
      value: coreShare,
      unit: 'cores',
      coreShare,
      coresWithout: Math.round(without.cores * 100) / 100,
      coresWith: Math.round(withSlos.cores * 100) / 100,
      slos: plan.slos,
      known,
      cycles,
      missed,
      spansPerSecond: Math.round(withSlos.rate),
      applySeconds: Math.round(applySeconds),
      readySeconds: Math.round(readySeconds),
      rssMb,
      budget: BUDGET,
      withinBudget: coreShare <= BUDGET,
    },
  }
}

/** Different questions all: an operation, a channel, a region and a site of a service of the feed. */
function slosOf(count: number): BenchSlo[] {
  const each = (number: number) => Array.from({ length: number }, (_, index) => index)
  const places = each(SERVICES).flatMap((service) =>
    each(ROUTES_PER_SERVICE).flatMap((route) =>
      CHANNELS.flatMap((channel) =>
        REGIONS.flatMap((region) =>
          SITES.map((site) => ({
            service: `service-${service}`,
            operation: `POST /api/v1/route-${(service * ROUTES_PER_SERVICE + route) % 300}`,
            channel,
            region,
            site,
          })),
        ),
      ),
    ),
  )
  if (places.length < count) throw new BenchFailure(`${places.length} places are fewer than ${count} SLOs`)
  return places.slice(0, count).map((where, index) => ({
    name: `slo-${index}`,
    service: where.service,
    where,
    step: index % CRITICAL_EVERY === 0 ? '10s' : '60s',
    window: '30d',
  }))
}

async function untilMeasured(url: string, slos: number): Promise<void> {
  for (;;) {
    await sleep(5000)
    if ((await metricOf(url, 'surety_slo_definitions')) < slos) continue
    const items = await sloItems(url)
    if (items.length >= slos && items.every(({ toldAt, backfill }) => toldAt !== null && backfill === null))
      return
  }
}
