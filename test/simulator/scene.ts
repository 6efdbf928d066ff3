// A scenario in motion: its traffic, the same minutes a day before, what tools tell of it; and judges who look at a fault until they decide.

import type { Fault, FaultCase, PlatformEvent } from '../../query/blame/case.ts'
import type { Release } from '../../query/releases/release.ts'
import { buildCase, LOOK_BACK_MINUTES } from './fault-case.ts'
import type { Scenario } from './scenario.ts'
import type { Judge, Judgement } from './judge.ts'
import { MINUTE_MS } from './rollouts.ts'
import { Stream, type StreamOptions } from './stream.ts'
import { releasesAt, simulatedOf, tell, type Telling, type TellingOptions } from './told.ts'
import type { World } from './world.ts'

export type RunOptions = TellingOptions & {
  readonly sampledRatio?: number
  /** Minutes after the alarm at which the judges look; default as below. */
  readonly looks?: readonly number[]
}

export type Answer = {
  readonly judge: string
  readonly judgement: Judgement
  /** Keys of the releases as ranked; an empty one for a release of the reconciliation's own making. */
  readonly ranked: readonly string[]
  readonly set: readonly string[]
  readonly rollback: readonly string[] | undefined
  /** Minutes after the alarm. */
  readonly afterMinutes: number
  readonly judgeMs: number
  /** Share of the incident's bad requests that are gone when what it suggests is taken back, by a replay; undefined without a suggestion. */
  readonly relief: number | undefined
}

/** Each minute at first, then as often as what is new may change something. */
const LOOKS = [0, 1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 180]
/** Before the first minute looked at, so that the detector has a past. */
const EARLIER_MINUTES = LOOK_BACK_MINUTES + 2

export type Scene = {
  readonly world: World
  readonly scenario: Scenario
  readonly telling: Telling
  /** What its streams have in common. */
  readonly parts: Omit<StreamOptions, 'seed' | 'fromMinute'>
  readonly looks: readonly number[]
  /** The traffic from a while before its truth's instant. */
  readonly stream: Stream
  /** Minute of that instant. */
  readonly startMinute: number
}

export function openScene(world: World, scenario: Scenario, options: RunOptions): Scene {
  const startMinute = Math.floor(scenario.truth.onsetMs / MINUTE_MS)
  const { releases, effects, traffic, rejects } = scenario
  const parts = { world, releases, effects, traffic, rejects, sampledRatio: options.sampledRatio ?? 1 }
  return {
    world,
    scenario,
    telling: tell(world, releases, scenario.seed, options),
    parts,
    looks: options.looks ?? LOOKS,
    stream: new Stream({ ...parts, seed: [...scenario.seed, 1], fromMinute: startMinute - EARLIER_MINUTES }),
    startMinute,
  }
}

/** The day before, from where a look at a fault of this minute reaches back to. */
export const dayBeforeOf = ({ parts, scenario }: Scene, minute: number, ...seed: readonly number[]): Stream =>
  new Stream({
    ...parts,
    seed: [...scenario.seed, 2, ...seed],
    fromMinute: minute - EARLIER_MINUTES - 1440,
  })

export type Asked = {
  /** Of each judge, the decision, or what it said last. */
  readonly answers: readonly Answer[]
  readonly candidates: number
  /** Whether all culprits were among them. */
  readonly isCulpritKnown: boolean
}

/** All judges look at the same cases, each until it decides. */
export function ask(
  { world, scenario, telling, looks, stream }: Scene,
  fault: Fault,
  dayBefore: Stream,
  events: readonly PlatformEvent[],
  judges: readonly Judge[],
): Asked {
  const alarm = Math.floor(fault.alarmAtMs / MINUTE_MS)
  const answers = new Map<string, Answer>()
  const decided = new Set<string>()
  let candidates = 0
  let isCulpritKnown = false
  for (const look of looks) {
    stream.drawUntil(alarm + look)
    dayBefore.drawUntil(alarm + look - 1440)
    const nowMs = fault.alarmAtMs + look * MINUTE_MS
    const seen = buildCase({ stream, dayBefore, events }, fault, releasesAt(stream, telling, nowMs), nowMs)
    const keyOf = keysOf(
      world,
      scenario,
      seen.candidates.map(({ release }) => release),
    )
    candidates = seen.candidates.length
    isCulpritKnown = scenario.truth.culprits.every((key) => [...keyOf.values()].includes(key))
    for (const judge of judges) {
      if (decided.has(judge.name)) continue
      const answer = answerOf(judge, seen, keyOf, look)
      answers.set(judge.name, answer)
      if (answer.judgement.verdict === 'blamed' || answer.judgement.verdict === 'not-a-rollout')
        decided.add(judge.name)
    }
    if (decided.size === judges.length) break
  }
  return { answers: [...answers.values()], candidates, isCulpritKnown }
}

function keysOf(world: World, scenario: Scenario, releases: readonly Release[]): ReadonlyMap<string, string> {
  return new Map(
    releases.map((release) => [
      release.id,
      scenario.releases[simulatedOf(world, scenario.releases, release)]?.key ?? '',
    ]),
  )
}

function answerOf(judge: Judge, seen: FaultCase, keyOf: ReadonlyMap<string, string>, look: number): Answer {
  const started = performance.now()
  const judgement = judge.judge(seen)
  const judgeMs = performance.now() - started
  const keys = (ids: readonly string[]) => ids.map((id) => keyOf.get(id) ?? '')
  return {
    judge: judge.name,
    judgement,
    ranked: keys(judgement.ranked.map(({ release }) => release)),
    set: keys(judgement.set),
    rollback: judgement.rollback === undefined ? undefined : keys(judgement.rollback),
    afterMinutes: look,
    judgeMs,
    relief: undefined,
  }
}
