// One incident, from its first minute to the judges' answers: traffic is drawn, an alarm is waited for, the judges look every minute until
// they decide.

import type { Fault } from '../../query/blame/case.ts'
import { Detector } from './detector.ts'
import type { Scenario, Truth } from './scenario.ts'
import type { Judge } from './judge.ts'
import { Random } from './random.ts'
import { MINUTE_MS, takenBack, type SimRelease } from './rollouts.ts'
import { ask, dayBeforeOf, openScene, type Answer, type RunOptions } from './scene.ts'
import { Stream, type StreamOptions } from './stream.ts'
import type { World } from './world.ts'

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

const WAIT_MINUTES = 60

export function runIncident(
  world: World,
  scenario: Scenario,
  judges: readonly Judge[],
  options: RunOptions = {},
): Outcome {
  const scene = openScene(world, scenario, options)
  const fault = alarmOf(scene.stream, scenario, scene.startMinute)
  const outcome = { name: scenario.name, seed: scenario.seed[1] ?? 0, truth: scenario.truth, fault }
  if (fault === undefined) return { ...outcome, answers: [], candidates: 0, isCulpritKnown: false }
  const alarm = Math.floor(fault.alarmAtMs / MINUTE_MS)
  const dayBefore = dayBeforeOf(scene, scene.startMinute)
  const { answers, ...asked } = ask(scene, fault, dayBefore, scenario.events, judges)
  const relieved = answers.map((answer) => ({
    ...answer,
    relief:
      answer.judgement.verdict === 'blamed' && answer.rollback !== undefined
        ? reliefOf(scene.parts, scenario, alarm + answer.afterMinutes, answer.rollback)
        : undefined,
  }))
  return { ...outcome, ...asked, answers: relieved }
}

const REPLAY_MINUTES = 6

/** The minutes after the decision once more, with and without the suggested releases. */
function reliefOf(
  parts: Omit<StreamOptions, 'seed' | 'fromMinute'>,
  scenario: Scenario,
  minute: number,
  rollback: readonly string[],
): number {
  const hitWith = (releases: readonly SimRelease[]): number => {
    const stream = new Stream({ ...parts, releases, seed: [...scenario.seed, 5], fromMinute: minute })
    stream.drawUntil(minute + REPLAY_MINUTES)
    return stream.bad.filter(({ isOfEffect, isTrace }) => isOfEffect && isTrace).length
  }
  const before = hitWith(scenario.releases)
  const after = hitWith(
    scenario.releases.map((release) =>
      rollback.includes(release.key) ? takenBack(release, minute * MINUTE_MS - 1) : release,
    ),
  )
  return before === 0 ? 1 : 1 - after / before
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
