// Many seeds of a world, all judges on the same cases, and what they were right about.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BASELINES } from './baselines/baselines.ts'
import { loadEngine } from './engine.ts'
import { classesOf, makeDay, makeIncident } from './incidents.ts'
import type { Judge } from './judge.ts'
import { calibrationTable, classTable, daysTable, judgesTable, targetsTable } from './report.ts'
import { runDay, type DayOutcome } from './run-day.ts'
import { runIncident, type Outcome } from './run-incident.ts'
import type { RunOptions } from './scene.ts'
import { isRight, paired, scoreJudge, type JudgeScore } from './score.ts'
import { loadWorld, type World } from './world.ts'

export const WORLDS = new URL('worlds/', import.meta.url)
/** Those that the engine was developed with; the others are reported apart. */
const DEVELOPED_UNTIL = 60
/** Seeds. */
const TOLD_EVERY = 5

export type SimulateOptions = {
  /** A file, or the name of one of those in `worlds/`. */
  readonly world: string
  readonly seeds: readonly number[]
  /** Fault-free days of each seed. */
  readonly daysPerSeed: number
  readonly hasBaselines: boolean
  readonly hasDegradations: boolean
  readonly say: (text: string) => void
  /** Told what is known so far, now and then: a run that is cut off has its tables. */
  readonly keep?: (simulation: Simulation) => void
}

export type Simulation = {
  readonly world: string
  readonly seeds: readonly number[]
  readonly outcomes: readonly Outcome[]
  readonly days: readonly DayOutcome[]
  readonly scores: readonly JudgeScore[]
  readonly apart: readonly { readonly name: string; readonly score: JudgeScore }[]
  readonly degraded: readonly { readonly name: string; readonly score: JudgeScore }[]
  readonly pairs: readonly ({ readonly other: string } & ReturnType<typeof paired>)[]
  readonly seconds: number
}

const DEGRADATIONS: readonly (readonly [string, RunOptions])[] = [
  ['10 % of the traces', { sampledRatio: 0.1 }],
  ['clocks off by up to 30 s', { skewMs: 30_000 }],
  ['clocks off by up to 60 s', { skewMs: 60_000 }],
  ['3 % of the events missing', { missingRatio: 0.03 }],
  ['nothing skewed or missing', { skewMs: 0, missingRatio: 0 }],
]

/** @throws Error when the world cannot be read */
export async function simulate(options: SimulateOptions): Promise<Simulation> {
  const { say } = options
  const started = performance.now()
  const world = loadWorld(
    /^[\w-]+$/.test(options.world) ? new URL(`${options.world}.json`, WORLDS) : options.world,
  )
  const engine = await loadEngine()
  const judges = [engine, ...(options.hasBaselines ? BASELINES : [])]
  const seconds = () => (performance.now() - started) / 1000
  const sofar = (
    outcomes: readonly Outcome[],
    days: readonly DayOutcome[],
    degraded: Simulation['degraded'],
  ) => summary({ world, options, judges, outcomes, days, degraded, seconds: seconds() })
  const keep = (...parts: Parameters<typeof sofar>): void => options.keep?.(sofar(...parts))
  const outcomes = incidentsOf(world, options, judges, {}, 'as it is', (known) => keep(known, [], []))
  const days: DayOutcome[] = []
  for (const seed of options.seeds) {
    for (let index = 0; index < options.daysPerSeed; index += 1)
      days.push(runDay(world, makeDay(world, seed, index), judges))
    if (seed % TOLD_EVERY !== 0 || options.daysPerSeed === 0) continue
    say(`fault-free days until seed ${String(seed)} are done`)
    keep(outcomes, days, [])
  }
  const degraded: Simulation['degraded'][number][] = []
  for (const [name, run] of options.hasDegradations ? DEGRADATIONS : []) {
    const found = incidentsOf(world, options, [engine], run, name)
    degraded.push({ name, score: scoreJudge(engine.name, found, []) })
    keep(outcomes, days, degraded)
  }
  return sofar(outcomes, days, degraded)
}

function summary({
  world,
  options,
  judges,
  outcomes,
  days,
  degraded,
  seconds,
}: {
  readonly world: World
  readonly options: SimulateOptions
  readonly judges: readonly Judge[]
  readonly outcomes: readonly Outcome[]
  readonly days: readonly DayOutcome[]
  readonly degraded: Simulation['degraded']
  readonly seconds: number
}): Simulation {
  const [engine] = judges
  const scoreOf = (name: string, test: (seed: number) => boolean) =>
    scoreJudge(
      name,
      outcomes.filter(({ seed }) => test(seed)),
      days.filter(({ seed }) => test(seed)),
    )
  const isApart = (seed: number) => seed > DEVELOPED_UNTIL
  const seeds = [...new Set(outcomes.map(({ seed }) => seed))]
  const hasBoth = seeds.some(isApart) && !seeds.every(isApart)
  const own = engine?.name ?? ''
  return {
    world: world.file.name,
    seeds: options.seeds,
    outcomes,
    days,
    scores: judges.map(({ name }) => scoreOf(name, () => true)),
    apart: hasBoth
      ? [
          {
            name: `seeds until ${String(DEVELOPED_UNTIL)}`,
            score: scoreOf(own, (seed) => !isApart(seed)),
          },
          { name: `seeds after ${String(DEVELOPED_UNTIL)}`, score: scoreOf(own, isApart) },
        ]
      : [],
    degraded,
    pairs: judges.slice(1).map(({ name }) => ({ other: name, ...paired(outcomes, own, name) })),
    seconds,
  }
}

function incidentsOf(
  world: World,
  { seeds, say }: SimulateOptions,
  judges: readonly Judge[],
  run: RunOptions,
  name: string,
  keep?: (known: readonly Outcome[]) => void,
): Outcome[] {
  const found: Outcome[] = []
  for (const seed of seeds) {
    for (const [index, kind] of classesOf(world, seed).entries())
      found.push(runIncident(world, makeIncident(world, seed, index, kind), judges, run))
    if (seed % TOLD_EVERY !== 0) continue
    say(`incidents until seed ${String(seed)}, ${name}, are done`)
    keep?.(found)
  }
  return found
}

/** Writes `report.md` and `report.json`. */
export function writeReport(folder: string, simulation: Simulation): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.md'), markdownOf(simulation))
  const { outcomes, days, ...rest } = simulation
  writeFileSync(
    join(folder, 'report.json'),
    `${JSON.stringify({ ...rest, incidents: outcomes.map(shortOf), days: days.map(shortDay) }, null, 1)}\n`,
  )
}

const shortDay = ({ name, alarms, faults, answers }: DayOutcome) => ({
  name,
  alarms,
  faults,
  answers: answers.map(({ judge, judgement, ranked, rollback, afterMinutes }) => ({
    judge,
    verdict: judgement.verdict,
    posterior: judgement.ranked[0]?.posterior ?? null,
    ranked: ranked.slice(0, 3),
    rollback: rollback ?? null,
    afterMinutes,
  })),
})

const shortOf = ({ name, truth, fault, answers }: Outcome) => ({
  name,
  truth,
  alarmAtMs: fault?.alarmAtMs ?? null,
  answers: answers.map(({ judge, judgement, ranked, set, rollback, afterMinutes }) => ({
    judge,
    verdict: judgement.verdict,
    posterior: judgement.ranked[0]?.posterior ?? null,
    ranked: ranked.slice(0, 3),
    set,
    rollback: rollback ?? null,
    afterMinutes,
  })),
})

export function markdownOf(simulation: Simulation): string {
  const { scores, apart, degraded, pairs, outcomes, days, seconds } = simulation
  const [own] = scores
  if (own === undefined) return ''
  const missed = outcomes.flatMap((outcome) => {
    const answer = outcome.answers.find(({ judge }) => judge === own.judge)
    if (answer !== undefined && isRight(outcome, answer)) return []
    const first = answer?.judgement.ranked[0]
    return [
      `- ${outcome.name}: ${answer === undefined ? 'never noticed' : `${answer.judgement.verdict} after ${String(answer.afterMinutes)} min, first ${answer.ranked[0] ?? 'nobody'} (${(first?.posterior ?? 0).toFixed(2)})`}; did it: ${outcome.truth.culprits.join(' and ') || 'no rollout'}`,
    ]
  })
  return [
    `# World «${simulation.world}», seeds ${String(simulation.seeds[0])}–${String(simulation.seeds.at(-1))}`,
    `${String(outcomes.length)} incidents and ${String(days.length)} fault-free days in ${seconds.toFixed(0)} s. Shares in percent with 95 % intervals (Wilson).`,
    '## By class',
    classTable(own),
    '## Against the targets',
    targetsTable(own),
    ...(days.length > 0 ? ['## Fault-free days', daysTable(scores)] : []),
    ...(scores.length > 1 ? ['## Beside others, on the same cases', judgesTable(scores)] : []),
    ...pairs.map(
      ({ other, onlyOne, onlyOther, difference, p }) =>
        `Against ${other}: first right only here ${String(onlyOne)} times, only there ${String(onlyOther)} times; AC@1 ${difference >= 0 ? '+' : ''}${(difference * 100).toFixed(1)} points, McNemar p ${p.toPrecision(2)}.`,
    ),
    ...apart.flatMap(({ name, score }) => [
      `## ${name[0]?.toUpperCase() ?? ''}${name.slice(1)}`,
      targetsTable(score),
    ]),
    ...(degraded.length > 0
      ? ['## With less to go by', judgesTable(degraded.map(({ name, score }) => ({ ...score, judge: name })))]
      : []),
    '## Calibration',
    calibrationTable(own),
    '## Not right',
    missed.join('\n'),
    '',
  ].join('\n\n')
}
