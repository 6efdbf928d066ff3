// `npm run bench`: lists the benches; with a name, runs one. Readable lines first, one JSON object as the last.

import { parseArgs } from 'node:util'
import { buildLifecycle, untilSignal } from '../../ingest/runtime/lifecycle.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import { api } from './api.ts'
import { blame } from './blame.ts'
import { BenchFailure, UsageError, type Bench } from './bench-definition.ts'
import { blameQuery } from './blame-query.ts'
import { exactlyOnce } from './exactly-once.ts'
import { freshness } from './freshness.ts'
import { ingestMetrics } from './ingest-metrics.ts'
import { fuzz } from './fuzz.ts'
import { ingestSpans } from './ingest-spans.ts'
import { ledger } from './ledger.ts'
import { describeMachine } from './machine.ts'
import { poison } from './poison.ts'
import { sloBackfill } from './slo-backfill.ts'
import { sloCycle } from './slo-cycle.ts'
import { sloMeasure } from './slo-measure.ts'
import { soak } from './soak.ts'
import { storage } from './storage.ts'
import { alignColumns } from './table.ts'
import { traceQueries } from './trace-queries.ts'
import { verdict } from './verdict.ts'

const BENCHES: readonly Bench[] = [
  ingestSpans,
  ingestMetrics,
  exactlyOnce,
  storage,
  traceQueries,
  freshness,
  soak,
  poison,
  fuzz,
  sloCycle,
  sloMeasure,
  sloBackfill,
  api,
  blame,
  ledger,
  blameQuery,
  verdict,
]

const STOP_TIMEOUT_MS = 60_000
const USAGE_ERROR = 2
const INTERRUPTED = 130

const USAGE = `npm run bench -- NAME [options]

${alignColumns(BENCHES.map(({ name, summary }) => ['', name, summary])).join('\n')}

«npm run bench -- NAME --help» says more. The last line of a run is one JSON object.`

export async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(USAGE)
    return 0
  }
  const bench = BENCHES.find((candidate) => candidate.name === name)
  if (bench === undefined) {
    console.error(`There is no bench «${name}».\n\n${USAGE}`)
    return USAGE_ERROR
  }
  const lifecycle = buildLifecycle(buildLogger('error', 'bench'), STOP_TIMEOUT_MS)
  const say = (text: string) => console.error(`[bench] ${text}`)
  try {
    const { values } = parseArgs({
      args: rest,
      options: { ...bench.options, help: { type: 'boolean', short: 'h' } },
    })
    if (values['help'] === true) {
      console.log(bench.help)
      return 0
    }
    const outcome = await Promise.race([bench.run(values, { lifecycle, say }), untilSignal()])
    if (typeof outcome === 'string') {
      say(`${outcome}: stopping what was started`)
      return INTERRUPTED
    }
    const machine = { ...describeMachine(), ...outcome.versions }
    console.log(`${bench.name}: ${bench.summary}\n`)
    for (const line of alignColumns(outcome.table)) console.log(line)
    console.log(`\n${outcome.notes.join('\n')}\n`)
    for (const [key, value] of Object.entries(machine)) console.log(`${key.padEnd(12)}${value}`)
    console.log(JSON.stringify({ bench: bench.name, ...outcome.result, machine }))
    return 0
  } catch (error) {
    if (error instanceof UsageError || isParseArgsError(error)) {
      console.error(`${error.message}\n\n${bench.help}`)
      return USAGE_ERROR
    }
    if (error instanceof BenchFailure) {
      console.error(`The bench failed. ${error.message}`)
      return 1
    }
    throw error
  } finally {
    await lifecycle.stop()
  }
}

function isParseArgsError(error: unknown): error is Error {
  return (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
