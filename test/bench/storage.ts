// How many bytes a span takes at rest, with the default indexes and look-ups, beside the Collector exporter's tables.

import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { sizesAtRest, type Sizes } from './at-rest.ts'
import {
  BenchFailure,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
} from './bench-definition.ts'
import { collectorSizes } from './collector-at-rest.ts'
import { LOOK_UP, tableOf } from './collector-tables.ts'
import { SAMPLES, samplesAtRest } from './day-of-samples.ts'
import { ENTROPY, loadDay, SPANS_PER_REQUEST } from './day-of-spans.ts'
import { openBenchFolder } from './surety-side.ts'
import { figure } from './table.ts'

const SPANS_DEFAULT = 10_000_000
const SAMPLES_DEFAULT = 5_760_000
const JITTER_MS = 40
// Spans and what finds them: trace ids, resources, batches. What is counted from them comes on top and is shown beside.
const SPAN_TABLES = ['spans', 'trace_roots', 'resources', 'batches']
const SAMPLE_TABLES = ['samples_int', 'series', 'resources']
const COLUMNS_SHOWN = 12

export const storage: Bench = {
  name: 'storage',
  summary:
    'bytes a span and a sample at rest, spans beside the tables of the Collector’s ClickHouse exporter',
  help: `npm run bench -- storage [--spans N] [--samples N] [--data-dir DIR]

Sends N spans (${figure(SPANS_DEFAULT)}) of one day through Kafka into Surety with its defaults, merges every table to the end
and weighs: spans with their filters, trace look-up, resources, batches. Beside it the same bytes in the tables that the
OpenTelemetry Collector's ClickHouse exporter makes (map columns, its indexes, its look-up), in the same engine, merged
alike. The ratio is against its smaller form, with bloom filters; on an engine with full-text indexes the exporter makes
the larger one.

${ENTROPY}

${SAMPLES} A sample is weighed with its series and
resources.

  --spans N       default ${figure(SPANS_DEFAULT)}
  --samples N     default ${figure(SAMPLES_DEFAULT)}, rounded to whole series; 0 leaves them out
  --data-dir DIR  keep Surety's store there; one that an earlier run left is used again (trace-queries takes it too)

Needs about 0.6 GB of disk per million spans in the temporary folder (TMPDIR).`,
  options: { spans: { type: 'string' }, samples: { type: 'string' }, 'data-dir': { type: 'string' } },
  run(values, context) {
    const spans = wholeNumber(values, 'spans', SPANS_DEFAULT, 10_000, 200_000_000)
    const dataDir = values['data-dir']
    const samples = wholeNumber(values, 'samples', SAMPLES_DEFAULT, 0, 1_000_000_000)
    return run({ spans, samples, dataDir: typeof dataDir === 'string' ? dataDir : undefined }, context)
  },
}

async function run(
  plan: { readonly spans: number; readonly samples: number; readonly dataDir: string | undefined },
  context: BenchContext,
): Promise<BenchReport> {
  const { say } = context
  const folder = openBenchFolder(context.lifecycle)
  const dataDir = plan.dataDir ?? join(folder, 'surety')
  const { day, kafkaVersion } = await loadDay({ spans: plan.spans, dataDir, folder }, context)
  const spans = day.requests * SPANS_PER_REQUEST
  say('merging')
  const ours = await sizesAtRest(dataDir)
  if (plan.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
  checkRows(ours, 'spans', spans)
  say("filling the Collector's tables")
  const theirs = await collectorSizes(join(folder, 'collector'), day, say)
  checkRows(theirs, tableOf('bloom'), spans)
  checkRows(theirs, tableOf('text'), spans)

  const sampled = async (name: string, jitterMs: number) => {
    if (plan.samples === 0) return undefined
    say(`samples: ${name}`)
    const { sizes, samples } = await samplesAtRest(
      { samples: plan.samples, jitterMs, folder: join(folder, name) },
      context,
    )
    return { bytes: bytesOf(sizes, SAMPLE_TABLES) / samples, samples }
  }
  const regular = await sampled('regular', 0)
  const jittered = await sampled('jittered', JITTER_MS)

  const perSpan = (sizes: Sizes, tables: readonly string[]) => bytesOf(sizes, tables) / spans
  const bytesPerSpan = perSpan(ours, SPAN_TABLES)
  const rollups = ours.tables.map(({ table }) => table).filter((table) => !SPAN_TABLES.includes(table))
  const bloom = perSpan(theirs, [tableOf('bloom'), LOOK_UP])
  const fullText = perSpan(theirs, [tableOf('text'), LOOK_UP])
  const row = (what: string, ...values: (number | undefined)[]) => [
    what,
    ...values.map((value) => (value === undefined ? '' : figure(value, 2))),
  ]
  return {
    versions: { engine: ours.engine, kafka: kafkaVersion },
    table: [
      ['bytes a span', 'Surety', 'Collector, bloom filters', 'Collector, full text'],
      row('spans with filters and look-ups', bytesPerSpan, bloom, fullText),
      row(
        '· the table of spans',
        perSpan(ours, ['spans']),
        bloom - perSpan(theirs, [LOOK_UP]),
        fullText - perSpan(theirs, [LOOK_UP]),
      ),
      row(
        '· its skip indexes',
        indexBytes(ours, 'spans') / spans,
        indexBytes(theirs, tableOf('bloom')) / spans,
        indexBytes(theirs, tableOf('text')) / spans,
      ),
      row(
        '· look-up of trace ids',
        perSpan(ours, ['trace_roots']),
        perSpan(theirs, [LOOK_UP]),
        perSpan(theirs, [LOOK_UP]),
      ),
      row('counts by 10 s, minute, hour, calls, errors', perSpan(ours, rollups)),
      row('bytes a sample, integers on the grid', regular?.bytes),
      row(`bytes a sample, up to ${JITTER_MS} ms late`, jittered?.bytes),
      ['', '', '', ''],
      ...ours.columns
        .filter(({ table }) => table === 'spans')
        .slice(0, COLUMNS_SHOWN)
        .map(({ column, bytes }) => row(`spans.${column}`, bytes / spans)),
    ],
    notes: [
      `${figure(spans)} spans of 24 hours, every table merged to one part a day.`,
      `Counts of one day at ${figure(spans / 86_400)} spans/s: at higher rates a bucket counts more spans in a row of the same size.`,
    ],
    result: {
      value: round(bytesPerSpan),
      unit: 'B/span',
      bytesPerSpan: round(bytesPerSpan),
      ...(regular === undefined || jittered === undefined
        ? {}
        : {
            bytesPerSample: round(regular.bytes),
            bytesPerSampleJittered: round(jittered.bytes),
            samples: regular.samples,
          }),
      rollupBytesPerSpan: round(perSpan(ours, rollups)),
      peer: {
        name: 'OpenTelemetry Collector ClickHouse exporter tables, bloom filters',
        value: round(bloom),
        fullText: round(fullText),
      },
      ratio: round(bloom / bytesPerSpan),
      ratioFullText: round(fullText / bytesPerSpan),
      spans,
    },
  }
}

const round = (value: number) => Math.round(value * 100) / 100

function bytesOf({ tables }: Sizes, names: readonly string[]): number {
  return tables.reduce((sum, { table, bytes }) => sum + (names.includes(table) ? bytes : 0), 0)
}

function indexBytes({ columns }: Sizes, wanted: string): number {
  return columns.reduce(
    (sum, { table, column, bytes }) => sum + (table === wanted && column.startsWith('index ') ? bytes : 0),
    0,
  )
}

function checkRows({ tables }: Sizes, name: string, wanted: number): void {
  const rows = tables.find(({ table }) => table === name)?.rows ?? 0
  if (rows !== wanted) throw new BenchFailure(`${name} holds ${rows} rows, ${wanted} spans were sent.`)
}
