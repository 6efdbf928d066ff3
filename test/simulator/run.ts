// `node test/simulator/run.ts --seeds 1-60 --classes R2,F1 --misses`: incidents of some seeds and classes, and what was missed.
// `… --seeds 1-60 --days 3`: days without a fault instead, told one by one, so that a run that is cut off has its figures.

import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BASELINES } from './baselines/baselines.ts'
import { loadEngine } from './engine.ts'
import { classesOf, makeDay, makeIncident } from './incidents.ts'
import { daysTable } from './report.ts'
import { runDay, type DayOutcome } from './run-day.ts'
import { runIncident, type Outcome } from './run-incident.ts'
import { isRight, scoreJudge } from './score.ts'
import { loadWorld, INCIDENT_CLASSES } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-5' },
    classes: { type: 'string' },
    misses: { type: 'boolean' },
    baselines: { type: 'boolean' },
    world: { type: 'string', default: new URL('worlds/bank.json', import.meta.url).pathname },
    looks: { type: 'string' },
    days: { type: 'string' },
  },
})
const [first = 1, last = first] = values.seeds.split('-').map(Number)
const wanted = values.classes?.split(',') ?? INCIDENT_CLASSES
const world = loadWorld(values.world)
const hasEngine = existsSync(new URL('../../query/blame/explain.ts', import.meta.url))
const judges = [
  ...(hasEngine ? [await loadEngine()] : []),
  ...(values.baselines === true || !hasEngine ? BASELINES : []),
]
if (values.days !== undefined) {
  runDays(Number(values.days))
  process.exit()
}
const outcomes: Outcome[] = []
const options = values.looks === undefined ? {} : { looks: values.looks.split(',').map(Number) }
const started = performance.now()
for (let seed = first; seed <= last; seed += 1)
  for (const [index, kind] of classesOf(world, seed).entries()) {
    if (!wanted.includes(kind)) continue
    const outcome = runIncident(world, makeIncident(world, seed, index, kind), judges, options)
    outcomes.push(outcome)
    if (values.misses !== true) continue
    const answer = outcome.answers[0]
    if (answer !== undefined && isRight(outcome, answer)) continue
    const e = answer?.judgement.explanation
    console.log(
      `\n${outcome.name}  culprits ${outcome.truth.culprits.join(' + ') || 'none'}  control ${String(outcome.truth.hasControl)}  known ${String(outcome.isCulpritKnown)}  onset ${new Date(outcome.truth.onsetMs).toISOString()}`,
    )
    if (answer === undefined) console.log('  never noticed')
    else {
      console.log(
        `  ${answer.judgement.verdict} after ${String(answer.afterMinutes)} min, alarm ${outcome.fault?.origin ?? ''} ${outcome.fault?.measure ?? ''} at ${new Date(outcome.fault?.alarmAtMs ?? 0).toISOString()} on ${outcome.fault?.place.operation ?? ''}, ${String(outcome.candidates)} candidates`,
      )
      if (e !== undefined) {
        console.log(`  ${e.headline.en}  onset ${e.onset?.at ?? 'none'}`)
        for (const [rank, cause] of e.ranked.slice(0, 3).entries())
          console.log(
            `   ${answer.ranked[rank] ?? ''} p=${cause.posterior.toFixed(3)} ${cause.evidence.map(({ term, llr }) => `${term}=${llr.toFixed(1)}`).join(' ')}  ${cause.contrast === null ? '' : `${cause.contrast.method} ${cause.contrast.exposed.bad.toFixed(0)}/${cause.contrast.exposed.requests.toFixed(0)} vs ${cause.contrast.control.bad.toFixed(0)}/${cause.contrast.control.requests.toFixed(0)} z=${cause.contrast.z.toFixed(1)}`}`,
          )
        for (const key of outcome.truth.culprits) {
          const rank = answer.ranked.indexOf(key)
          const cause = e.ranked[rank]
          if (rank > 2 && cause !== undefined)
            console.log(
              `   culprit at ${String(rank + 1)}: p=${cause.posterior.toFixed(3)} ${cause.evidence.map(({ term, llr }) => `${term}=${llr.toFixed(1)}`).join(' ')}`,
            )
        }
        console.log(
          `   against: ${e.competing
            .slice(0, 3)
            .map(
              ({ kind: what, name, posterior, llr }) =>
                `${what} ${name} p=${posterior.toFixed(3)} llr=${llr.toFixed(1)}`,
            )
            .join(' · ')}`,
        )
      }
    }
  }
const seconds = (performance.now() - started) / 1000
for (const judge of judges) {
  console.log(`\n${judge.name}`)
  for (const kind of INCIDENT_CLASSES) {
    const mine = outcomes.filter(({ truth }) => truth.kind === kind)
    if (mine.length === 0) continue
    const answers = mine.map((outcome) => ({
      outcome,
      answer: outcome.answers.find((one) => one.judge === judge.name),
    }))
    const right = answers.filter(
      ({ outcome, answer }) => answer !== undefined && isRight(outcome, answer),
    ).length
    const verdicts = Map.groupBy(answers, ({ answer }) => answer?.judgement.verdict ?? 'not noticed')
    console.log(
      `  ${kind} ${String(right)}/${String(mine.length)} right · ${[...verdicts].map(([verdict, list]) => `${verdict} ${String(list.length)}`).join(', ')}`,
    )
  }
}
console.log(
  `\n${String(outcomes.length)} incidents in ${seconds.toFixed(1)} s (${(seconds / Math.max(1, outcomes.length)).toFixed(2)} s each); judging ${(outcomes.flatMap(({ answers }) => answers).reduce((sum, { judgeMs }) => sum + judgeMs, 0) / 1000).toFixed(1)} s`,
)

function runDays(perSeed: number): void {
  const known: DayOutcome[] = []
  for (let index = 0; index < perSeed; index += 1)
    for (let seed = first; seed <= last; seed += 1) {
      const day = runDay(world, makeDay(world, seed, index), judges)
      known.push(day)
      const said = day.answers
        .filter(({ judge }) => judge === judges[0]?.name)
        .map(
          ({ judgement, ranked, afterMinutes }) =>
            `${judgement.verdict}${judgement.verdict === 'blamed' ? ` ${ranked[0] ?? ''}` : ''} after ${String(afterMinutes)} min`,
        )
      console.log(
        `${day.name}: ${String(day.alarms)} alarms, ${String(day.faults)} faults${said.length > 0 ? `: ${said.join(', ')}` : ''}`,
      )
    }
  console.log(`\n${daysTable(judges.map(({ name }) => scoreJudge(name, [], known)))}`)
}
