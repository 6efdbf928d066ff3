// One incident (or day), from its first minute to the judges' answers: traffic is drawn, an alarm is waited for, the judges look
// every minute until they decide.

import type { Fault, FaultCase } from '../../query/blame/case.ts'
import type { Release } from '../../query/releases/release.ts'
import { Detector } from './detector.ts'
import { buildCase, LOOK_BACK_MINUTES } from './fault-case.ts'
import type { Scenario, Truth } from './incidents.ts'
import type { Judge, Judgement } from './judge.ts'
import { Random } from './random.ts'
import { MINUTE_MS } from './rollouts.ts'
import { Stream } from './stream.ts'
import { releasesAt, simulatedOf, tell, type TellingOptions } from './told.ts'
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
}

export type Outcome = {
  readonly name: string
  readonly seed: number
  readonly truth: Truth
  readonly fault: Fault | undefined
  readonly answers: readonly Answer[]
  readonly candidates: number
  /** Whether all culprits were among them. */
  readonly isCulpritKnown: boolean
}

/** Each minute at first, then as often as what is new may change something. */
const LOOKS = [0, 1, 2, 3, 4, 5, 7, 10, 15, 30, 60, 180]
const WAIT_MINUTES = 60

export function runIncident(
  world: World,
  scenario: Scenario,
  judges: readonly Judge[],
  options: RunOptions = {},
): Outcome {
  const telling = tell(world, scenario.releases, scenario.seed, options)
  const onset = Math.floor(scenario.truth.onsetMs / MINUTE_MS)
  const parts = {
    world,
    releases: scenario.releases,
    effects: scenario.effects,
    traffic: scenario.traffic,
    rejects: scenario.rejects,
    sampledRatio: options.sampledRatio ?? 1,
  }
  const stream = new Stream({
    ...parts,
    seed: [...scenario.seed, 1],
    fromMinute: onset - LOOK_BACK_MINUTES - 2,
  })
  const dayBefore = new Stream({
    ...parts,
    seed: [...scenario.seed, 2],
    fromMinute: onset - LOOK_BACK_MINUTES - 2 - 1440,
  })
  const fault = alarmOf(stream, scenario, onset)
  const outcome = { name: scenario.name, seed: scenario.seed[1] ?? 0, truth: scenario.truth, fault }
  if (fault === undefined) return { ...outcome, answers: [], candidates: 0, isCulpritKnown: false }
  const alarm = Math.floor(fault.alarmAtMs / MINUTE_MS)
  const answers = new Map<string, Answer>()
  const decided = new Set<string>()
  let candidates = 0
  let isCulpritKnown = false
  for (const look of options.looks ?? LOOKS) {
    stream.drawUntil(alarm + look)
    dayBefore.drawUntil(alarm + look - 1440)
    const nowMs = fault.alarmAtMs + look * MINUTE_MS
    const releases = releasesAt(stream, telling, nowMs)
    const seen = buildCase({ stream, dayBefore, events: scenario.events }, fault, releases, nowMs)
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
  return { ...outcome, answers: [...answers.values()], candidates, isCulpritKnown }
}

export function keysOf(
  world: World,
  scenario: Scenario,
  releases: readonly Release[],
): ReadonlyMap<string, string> {
  return new Map(
    releases.map((release) => [
      release.id,
      scenario.releases[simulatedOf(world, scenario.releases, release)]?.key ?? '',
    ]),
  )
}

export function answerOf(
  judge: Judge,
  seen: FaultCase,
  keyOf: ReadonlyMap<string, string>,
  look: number,
): Answer {
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
  }
}

/** The detector's alarm; failing that, somebody calls. */
function alarmOf(stream: Stream, scenario: Scenario, onset: number): Fault | undefined {
  const detector = new Detector(stream)
  for (let minute = onset + 1; minute <= onset + WAIT_MINUTES; minute += 1) {
    stream.drawUntil(minute)
    const found = detector.look(minute).find((fault) => isOf(stream, fault, onset))
    if (found !== undefined) return found
  }
  return calledIn(stream, scenario, onset)
}

const HIT_LEAST = 3
const HIT_MINUTES = 15

/** Whether an alarm is about the incident and not about something of every day (truth). */
function isOf(stream: Stream, { place, measure, alarmAtMs }: Fault, onset: number): boolean {
  const { world } = stream
  const until = alarmAtMs / MINUTE_MS
  return (
    stream.badOf(Math.max(onset, until - HIT_MINUTES), until).filter((request) => {
      const entry = world.entries[request.entry]
      const cell = world.cells[request.cell]
      return (
        request.isOfEffect &&
        request.isTrace &&
        entry?.operation === place.operation &&
        (place.region === '' || place.region === cell?.region) &&
        (place.branch === '' || place.branch === cell?.branch) &&
        (measure === 'latency'
          ? request.outcome === 'slow' || request.isAlsoSlow
          : request.outcome !== 'slow')
      )
    }).length >= HIT_LEAST
  )
}

function calledIn(stream: Stream, scenario: Scenario, onset: number): Fault | undefined {
  const random = new Random(...scenario.seed, 19)
  const hit = stream.badOf(onset, stream.minute).filter(({ isTrace, isOfEffect }) => isTrace && isOfEffect)
  if (hit.length === 0) return undefined
  const one = random.pick(hit)
  const { world } = stream
  const { service = '', operation = '', txnCode = '', channel = '' } = world.entries[one.entry] ?? {}
  const { region = '', branch = '' } = world.cells[one.cell] ?? {}
  return {
    id: `fault-${String(stream.minute)}`,
    origin: 'external',
    name: 'called in by the branch',
    measure: one.outcome === 'slow' ? 'latency' : 'errors',
    place: { service, operation, txnCode, channel, site: '', region, branch },
    alarmAtMs: stream.minute * MINUTE_MS,
    endedAtMs: undefined,
  }
}
