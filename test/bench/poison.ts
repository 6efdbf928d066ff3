// Bad messages among good ones: does ingest keep its speed, and is every good span there?

import { join } from 'node:path'
import { field, fixed64, integerField, random } from '../support/otlp.ts'
import {
  UsageError,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
  type OptionValues,
} from './bench-definition.ts'
import { watchIngest, type IngestRun } from './ingest-run.ts'
import { buildSpanPool } from './span-pool.ts'
import { fillTopic, openSpanTopic, PARTITIONS, shiftOf, spansOver, untilDrained } from './span-topic.ts'
import { auditStore, type Audit } from './store-audit.ts'
import { openBenchFolder, openSurety, writeReturnCodes } from './surety-side.ts'
import { figure } from './table.ts'

const SPANS_DEFAULT = 3_000_000
const SHARE_DEFAULT = 0.001
const ROUNDS_DEFAULT = 2
const SPANS_PER_REQUEST = 512
const POOL_REQUESTS = 256
const SEED = 13
const OLDEST_MS = 20 * 60_000
const SPREAD_MS = 10_000

export const poison: Bench = {
  name: 'poison',
  summary: 'throughput with 0.1 % bad messages against none, and good spans lost to them',
  help: `npm run bench -- poison [--spans N] [--share R] [--rounds N]

The same topic is read twice by Surety: as it is, and with a share of its records replaced by bad ones, in turn: cut short, not
protobuf at all, and well framed with one span that only the engine refuses (which is found by halving its batch).
The ratio is spans a second with bad records to without; wall is from joining the group to the last good row queryable.
Afterwards rows, distinct spans and rollups are audited: every good span must be there once, every bad record among
the dead letters.

  --spans N  good spans, default ${figure(SPANS_DEFAULT)}, in records of ${SPANS_PER_REQUEST}
  --share R  bad records to all, default ${SHARE_DEFAULT}
  --rounds N  each side so often, in turn; the faster run of each counts, default ${ROUNDS_DEFAULT}`,
  options: { spans: { type: 'string' }, share: { type: 'string' }, rounds: { type: 'string' } },
  run(values, context) {
    const spans = wholeNumber(values, 'spans', SPANS_DEFAULT, 10_000, 200_000_000)
    const rounds = wholeNumber(values, 'rounds', ROUNDS_DEFAULT, 1, 20)
    return run(
      Math.ceil(spans / SPANS_PER_REQUEST / PARTITIONS) * PARTITIONS,
      shareOf(values),
      rounds,
      context,
    )
  },
}

function shareOf({ share }: OptionValues): number {
  if (share === undefined) return SHARE_DEFAULT
  const ratio = Number(share)
  if (ratio > 0 && ratio <= 0.5) return ratio
  throw new UsageError(`--share ${String(share)}: must be a number above 0 and up to 0.5`)
}

type Side = { readonly run: IngestRun; readonly audit: Audit; readonly good: number; readonly bad: number }

async function run(
  requests: number,
  share: number,
  rounds: number,
  context: BenchContext,
): Promise<BenchReport> {
  const folder = openBenchFolder(context.lifecycle)
  const nowMs = Date.now()
  const perSecond = ({ run: { rows, wallSeconds } }: Side) => rows / wallSeconds
  const perCpu = ({ run: { rows, cpuSeconds } }: Side) => rows / cpuSeconds
  const turns: { clean: Side; poisoned: Side }[] = []
  for (let turn = 1; turn <= rounds; turn += 1) {
    turns.push({
      clean: await measure(`clean ${turn}`, requests, 0, nowMs, folder, context),
      poisoned: await measure(`poisoned ${turn}`, requests, share, nowMs, folder, context),
    })
  }
  const fastest = (sides: readonly Side[]) =>
    sides.reduce((best, side) => (perSecond(side) > perSecond(best) ? side : best))
  const clean = fastest(turns.map((turn) => turn.clean))
  const poisoned = fastest(turns.map((turn) => turn.poisoned))
  const throughputRatio = perSecond(poisoned) / perSecond(clean)
  const lostGood = Math.max(...turns.map(({ poisoned: { good, audit: books } }) => good - books.distinct))
  const { audit } = poisoned
  const sides = [clean, poisoned]
  const line = (what: string, cell: (side: Side) => string) => [what, ...sides.map(cell)]
  return {
    versions: {},
    table: [
      ['', 'none bad', `${share * 100} % bad`],
      line('good spans', ({ good }) => figure(good)),
      line('bad records', ({ bad }) => figure(bad)),
      line('spans a second', (side) => figure(perSecond(side))),
      line('spans per CPU-second', (side) => figure(perCpu(side))),
      line('good spans lost', (side) => figure(side.good - side.audit.distinct)),
      line('spans doubled', (side) => figure(side.audit.rows - side.audit.distinct)),
      line('requests wrong in the rollups', (side) => figure(side.audit.rollupError)),
      line('dead letters', (side) => figure(side.audit.deadLetters)),
      line('peak resident memory, MB', ({ run: { rssMb } }) => figure(rssMb)),
    ],
    notes: ['Both sides read the same good spans; a bad record takes the place of a good one.'],
    result: {
      value: Math.round(throughputRatio * 100) / 100,
      unit: 'ratio',
      throughputRatio: Math.round(throughputRatio * 100) / 100,
      cpuRatio: Math.round((perCpu(poisoned) / perCpu(clean)) * 100) / 100,
      lostGood,
      duplicated: audit.rows - audit.distinct,
      rollupError: audit.rollupError,
      bad: poisoned.bad,
      deadLetters: audit.deadLetters,
      spans: poisoned.good,
    },
  }
}

async function measure(
  name: string,
  requests: number,
  share: number,
  nowMs: number,
  folder: string,
  { lifecycle, say }: BenchContext,
): Promise<Side> {
  const sideSays = (text: string) => say(`${name}: ${text}`)
  const topic = await openSpanTopic(join(folder, name, 'broker'), lifecycle)
  const pool = buildSpanPool({ seed: SEED, requests: POOL_REQUESTS, spreadMs: SPREAD_MS })
  const times = { requests, fromMs: nowMs - OLDEST_MS, toMs: nowMs - SPREAD_MS }
  const next = random(SEED)
  const isBad = Array.from({ length: requests }, () => next() < share)
  const numbers = isBad.flatMap((bad, copy) => (bad ? [copy] : []))
  const numberOf = new Map(numbers.map((copy, number) => [copy, number]))
  const goodOf = spansOver(pool, times)
  await fillTopic(topic, {
    requests,
    say: sideSays,
    valueOf(copy) {
      const number = numberOf.get(copy)
      return number === undefined ? goodOf(copy) : spoilt(goodOf(copy), number, shiftOf(copy, times))
    },
  })
  const spans = (requests - numbers.length) * SPANS_PER_REQUEST
  const dataDir = join(folder, name, 'surety')
  const side = {
    dataDir,
    topic,
    group: `poison-${name.replace(' ', '-')}`,
    returnCodes: writeReturnCodes(folder),
  }
  const { child, url } = await openSurety(side, lifecycle)
  const ingestRun = await Promise.race([watchIngest(child, url, spans, sideSays), child.ended])
  // Bad records at the end of the topic come after the last good row.
  await Promise.race([untilDrained(topic, side.group), child.ended])
  await child.stop()
  await topic.close()
  return { run: ingestRun, audit: await auditStore(dataDir), good: spans, bad: numbers.length }
}

/** A record that cannot be stored, of three kinds in turn. */
function spoilt(request: Buffer, number: number, startMs: number): Buffer {
  if (number % 3 === 0) return request.subarray(0, request.length - 1000)
  if (number % 3 === 1) return Buffer.from(`\n\nDROP TABLE spans; -- ${number}`)
  // A name that is a number: the lengths are right, so only the engine finds it.
  const span = Buffer.concat([
    field(1, Buffer.alloc(16, 0xbd)),
    field(2, Buffer.alloc(8, 0xbd)),
    fixed64(7, BigInt(Math.round(startMs)) * 1_000_000n),
    integerField(5, 7),
  ])
  return Buffer.concat([request, field(1, field(2, field(2, span)))])
}
