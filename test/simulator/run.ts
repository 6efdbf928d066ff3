// `node test/simulator/run.ts --seeds 1-60 --classes R2,F1 --misses`: incidents of some seeds and classes, and what was missed.

import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { BASELINES } from './baselines/baselines.ts'
import { loadEngine } from './engine.ts'
import { classesOf, makeIncident } from './incidents.ts'
import { runIncident, type Outcome } from './run-incident.ts'
import { isRight } from './score.ts'
import { loadWorld, INCIDENT_CLASSES } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1-5' },
    classes: { type: 'string' },
    misses: { type: 'boolean' },
    baselines: { type: 'boolean' },
    world: { type: 'string', default: new URL('worlds/bank.json', import.meta.url).pathname },
    looks: { type: 'string' },
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
const outcomes: Outcome[] = []
const started = performance.now()
for (let seed = first; seed <= last; seed += 1)
  for (const [index, kind] of classesOf(world, seed).entries()) {
    if (!wanted.includes(kind)) continue
    const outcome = runIncident(world, makeIncident(world, seed, index, kind), judges, {
      ...(values.looks === undefined ? {} : { looks: values.looks.split(',').map(Number) }),
    })
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
              ({ kind, name, posterior, llr }) =>
                `${kind} ${name} p=${posterior.toFixed(3)} llr=${llr.toFixed(1)}`,
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
