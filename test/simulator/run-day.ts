// A day without a fault: whenever the detector thinks otherwise, the judges are asked.

import { Detector } from './detector.ts'
import { buildCase, LOOK_BACK_MINUTES } from './fault-case.ts'
import type { Scenario } from './incidents.ts'
import type { Judge } from './judge.ts'
import { DAY_MS, MINUTE_MS } from './rollouts.ts'
import { answerOf, keysOf, type Answer, type RunOptions } from './run-incident.ts'
import { Stream } from './stream.ts'
import { releasesAt, tell } from './told.ts'
import type { World } from './world.ts'

export type DayOutcome = {
  readonly name: string
  readonly seed: number
  readonly alarms: number
  readonly answers: readonly Answer[]
}

const LOOKS = [0, 1, 2, 3, 5, 10, 20, 40, 60]
/** An entry that has alarmed is not alarmed about again for so long. */
const QUIET_MINUTES = 60

export function runDay(
  world: World,
  scenario: Scenario,
  judges: readonly Judge[],
  options: RunOptions = {},
): DayOutcome {
  const telling = tell(world, scenario.releases, scenario.seed, options)
  const start = Math.floor(scenario.truth.onsetMs / MINUTE_MS)
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
    fromMinute: start - LOOK_BACK_MINUTES - 2,
  })
  const detector = new Detector(stream)
  const quietUntil = new Map<number, number>()
  const answers: Answer[] = []
  let alarms = 0
  for (let minute = start + 1; minute <= start + DAY_MS / MINUTE_MS; minute += 1) {
    stream.drawUntil(minute)
    const ignored = new Set([...quietUntil].flatMap(([entry, until]) => (until > minute ? [entry] : [])))
    const [fault] = detector.look(minute, ignored)
    if (fault === undefined) continue
    alarms += 1
    const entry = world.entries.findIndex(
      ({ service, operation }) => service === fault.place.service && operation === fault.place.operation,
    )
    quietUntil.set(entry, minute + QUIET_MINUTES)
    const dayBefore = new Stream({
      ...parts,
      seed: [...scenario.seed, 2, minute],
      fromMinute: minute - LOOK_BACK_MINUTES - 1440,
    })
    const decided = new Map<string, Answer>()
    for (const look of LOOKS) {
      stream.drawUntil(minute + look)
      dayBefore.drawUntil(minute + look - 1440)
      const nowMs = (minute + look) * MINUTE_MS
      const seen = buildCase(
        { stream, dayBefore, events: [] },
        fault,
        releasesAt(stream, telling, nowMs),
        nowMs,
      )
      const keyOf = keysOf(
        world,
        scenario,
        seen.candidates.map(({ release }) => release),
      )
      for (const judge of judges) {
        if (decided.has(judge.name)) continue
        const answer = answerOf(judge, seen, keyOf, look)
        if (answer.judgement.verdict === 'blamed' || answer.judgement.verdict === 'not-a-rollout')
          decided.set(judge.name, answer)
      }
      if (decided.size === judges.length) break
    }
    answers.push(...decided.values())
  }
  return { name: scenario.name, seed: scenario.seed[1] ?? 0, alarms, answers }
}
