// How long it takes until the history of a hundred new SLOs is measured: thirty days of the demo bank's past.

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { wholeNumber, type Bench, type BenchContext, type BenchReport } from './bench-definition.ts'
import { openChild } from './child.ts'
import { writeDemoPast } from './demo-past.ts'
import { cpuSeconds, rssPeakMb } from './process-usage.ts'
import { applySlos, metricOf, sloItems, type BenchSlo } from './slo-side.ts'
import { openBenchFolder, suretyAlone, suretyDoors } from './surety-side.ts'
import { figure } from './table.ts'
import { SERVICES } from '../../deploy/demo/topology.ts'

const REGIONS = ['east', 'north', 'south', 'west']
const CHANNELS = ['mobile', 'counter', 'web', 'openapi']
/** Days of spans; counts reach back four times as far before them. */
const SPAN_DAYS = 7

export const sloBackfill: Bench = {
  name: 'slo-backfill',
  summary: '100 SLOs over 30 days of history: seconds until all of it is measured',
  help: `npm run bench -- slo-backfill [--slos N]

The demo bank's past is written, Surety is started on it, the SLOs are applied (minutes, 30 days, each another question), and
it is waited until all their history is measured and judged. value is seconds from applying on.

  --slos N  default 100`,
  options: { slos: { type: 'string' } },
  run: (values, context) => run(wholeNumber(values, 'slos', 100, 1, 10_000), context),
}

async function run(slos: number, { lifecycle, say }: BenchContext): Promise<BenchReport> {
  const folder = openBenchFolder(lifecycle)
  const dataDir = join(folder, 'surety')
  say('writing the bank’s past')
  const past = await writeDemoPast(dataDir, SPAN_DAYS, suretyDoors)
  const child = await openChild(suretyAlone(dataDir, ['ingest', 'query', 'alerts']))
  lifecycle.add('Surety', () => child.stop())
  const url = child.ready[1] ?? ''
  const work = async () => {
    await sleep(5000)
    say(`applying ${figure(slos)} SLOs`)
    const before = { at: performance.now(), cpu: cpuSeconds(child.pid) }
    await applySlos(url, dataDir, slosOf(slos))
    for (;;) {
      await sleep(500)
      if ((await metricOf(url, 'surety_slo_definitions')) < slos) continue
      const items = await sloItems(url)
      if (items.length >= slos && items.every(({ toldAt, backfill }) => toldAt !== null && backfill === null))
        break
    }
    const seconds = (performance.now() - before.at) / 1000
    const items = await sloItems(url)
    const coverage = items.map(({ window }) => window?.net.coverage ?? 0).toSorted((a, b) => a - b)
    return { seconds, cpu: cpuSeconds(child.pid) - before.cpu, coverage }
  }
  const { seconds, cpu, coverage } = await Promise.race([work(), child.ended])
  const slices = slos * 30 * 1440
  const median = coverage[Math.floor(coverage.length / 2)] ?? 0
  return {
    versions: {},
    table: [
      ['SLOs', 'seconds', 'CPU s', 'slices/s', 'median coverage'],
      [figure(slos), figure(seconds, 1), figure(cpu, 1), figure(slices / seconds), figure(median, 3)],
    ],
    notes: [`On ${figure(past.requests)} requests of the past; ${rssPeakMb(child.pid)} MB at the peak.`],
    result: {
      value: Math.round(seconds * 10) / 10,
      unit: 's',
      seconds: Math.round(seconds * 10) / 10,
      cpuSeconds: Math.round(cpu * 10) / 10,
      slos,
      days: 30,
      slices,
      medianCoverage: Math.round(median * 1000) / 1000,
      leastCoverage: Math.round((coverage[0] ?? 0) * 1000) / 1000,
      rssMb: rssPeakMb(child.pid),
    },
  }
}

function slosOf(count: number): BenchSlo[] {
  return Array.from({ length: count }, (_, index) => {
    const service = SERVICES[index % SERVICES.length] ?? ''
    const place = Math.floor(index / SERVICES.length)
    return {
      name: `slo-${index}`,
      service,
      where: {
        service,
        ...(place === 0 ? {} : { region: REGIONS[place % REGIONS.length] ?? '' }),
        ...(place < REGIONS.length
          ? {}
          : { channel: CHANNELS[Math.floor(place / REGIONS.length) % CHANNELS.length] ?? '' }),
      },
      step: '60s',
      window: '30d',
    }
  })
}
