// How soon a fault has an answer: minutes of simulated time from the alarm to the first decided verdict, and the time that the questions
// and the judging of one case take at 10M spans an hour.

import { join } from 'node:path'
import { openEmbeddedStore } from '../../ingest/store/store.ts'
import { explain } from '../../query/blame/explain.ts'
import { gatherCase } from '../../query/blame/gather.ts'
import { caseDigest } from '../../query/faults/case-digest.ts'
import { simulate } from '../simulator/simulate.ts'
import {
  BenchFailure,
  UsageError,
  wholeNumber,
  type Bench,
  type BenchContext,
  type BenchReport,
  type OptionValues,
} from './bench-definition.ts'
import { fillForBlame } from './blame-fill.ts'
import { openBenchFolder } from './surety-side.ts'
import { figure } from './table.ts'

const BUDGET_SECONDS = 90
const BUDGET_MS = 3000
const DECIDED = ['blamed', 'not-a-rollout']

export const verdict: Bench = {
  name: 'verdict',
  summary: 'alarm to first decided verdict in simulated time; time of one explanation at 10M spans an hour',
  help: `npm run bench -- verdict [--seeds 61-64] [--releases N] [--rounds N]

  --seeds     first-last of the simulator, default 61-64; eleven incidents each
  --releases  candidates of the case that is timed, default 20
  --rounds    how often it is explained, default 20

value and p95AlarmToVerdictS are of those that were decided (blamed, or not a rollout): the simulator looks at the alarm and
at whole minutes after it, so that 60 means within a minute; Surety looks every 15 s. Others are counted apart. p95QueryMs is
gathering and judging one case, start to end, on a store with 90 minutes of derived traces as 10M spans an hour leave them.`,
  options: { seeds: { type: 'string' }, releases: { type: 'string' }, rounds: { type: 'string' } },
  run,
}

async function run(values: OptionValues, context: BenchContext): Promise<BenchReport> {
  const words = typeof values['seeds'] === 'string' ? values['seeds'] : '61-64'
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(words)
  const [first, last] = [Number(match?.[1]), Number(match?.[2])]
  if (!(first >= 1 && last >= first)) throw new UsageError(`--seeds ${words}: must be «first-last»`)
  const releases = wholeNumber(values, 'releases', 20, 1, 64)
  const rounds = wholeNumber(values, 'rounds', 20, 3, 1000)
  const queryMs = await explanationTimes(releases, rounds, context)
  const { outcomes } = await simulate({
    world: 'bank',
    seeds: Array.from({ length: last - first + 1 }, (_, index) => first + index),
    daysPerSeed: 0,
    hasBaselines: false,
    hasDegradations: false,
    say: context.say,
  })
  const noticed = outcomes.filter(({ fault }) => fault !== undefined)
  const answers = noticed.flatMap((outcome) => outcome.answers.slice(0, 1))
  const decided = answers.filter(({ judgement }) => DECIDED.includes(judgement.verdict))
  if (decided.length === 0) throw new BenchFailure('no incident was decided')
  const seconds = decided.map(({ afterMinutes }) => afterMinutes * 60).toSorted((a, b) => a - b)
  const within = seconds.filter((one) => one <= BUDGET_SECONDS).length
  const count = (verdictOf: string) =>
    answers.filter(({ judgement }) => judgement.verdict === verdictOf).length
  return {
    versions: {},
    table: [
      ['', 'p50', 'p95', 'budget'],
      [
        'alarm to decided verdict, s',
        figure(at(seconds, 0.5)),
        figure(at(seconds, 0.95)),
        String(BUDGET_SECONDS),
      ],
      ['one explanation, ms', figure(at(queryMs, 0.5)), figure(at(queryMs, 0.95)), String(BUDGET_MS)],
    ],
    notes: [
      `${outcomes.length} incidents, ${noticed.length} noticed, ${decided.length} decided (${within} of them within ${BUDGET_SECONDS} s), ${count('suspect')} suspect, ${count('inconclusive')} inconclusive.`,
    ],
    result: {
      value: at(seconds, 0.95),
      unit: 's',
      p95AlarmToVerdictS: at(seconds, 0.95),
      p50AlarmToVerdictS: at(seconds, 0.5),
      p95QueryMs: Math.round(at(queryMs, 0.95)),
      p50QueryMs: Math.round(at(queryMs, 0.5)),
      incidents: outcomes.length,
      noticed: noticed.length,
      decided: decided.length,
      decidedInBudget: within,
      suspect: count('suspect'),
      inconclusive: count('inconclusive'),
    },
  }
}

/** @returns ms, sorted */
async function explanationTimes(
  releases: number,
  rounds: number,
  { lifecycle, say }: BenchContext,
): Promise<number[]> {
  const store = await openEmbeddedStore(join(openBenchFolder(lifecycle), 'surety'))
  lifecycle.add('store', () => store.close())
  const scene = await fillForBlame(store, Date.now(), { releases, say })
  const took: number[] = []
  let known: string | undefined
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now()
    const seen = await gatherCase({ store }, scene.fault, scene.releases, scene.nowMs)
    const text = JSON.stringify(explain(seen))
    took.push(performance.now() - startedMs)
    say(`round ${round + 1}: ${Math.round(took.at(-1) ?? 0)} ms, ${seen.rows.length} rows`)
    if (seen.candidates.length !== releases) throw new BenchFailure('not every release is a candidate')
    const same = `${caseDigest(seen)} ${text}`
    if (known !== undefined && known !== same)
      throw new BenchFailure('the same case was not explained the same')
    known = same
  }
  return took.toSorted((a, b) => a - b)
}

const at = (sorted: readonly number[], share: number) =>
  sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1))] ?? 0
