// A day without a fault: whenever the detector thinks otherwise, the judges are asked, once for each fault that its alarms make.

import type { Scenario } from './scenario.ts'
import type { Judge } from './judge.ts'
import { Ringing } from './ringing.ts'
import { DAY_MS, MINUTE_MS } from './rollouts.ts'
import { ask, dayBeforeOf, openScene, type Answer, type RunOptions } from './scene.ts'
import type { World } from './world.ts'

export type DayOutcome = {
  readonly name: string
  readonly seed: number
  /** Series that began to ring, each place of each entry by itself. */
  readonly alarms: number
  /** What people would look at: alarms that belong together are one. */
  readonly faults: number
  /** Of each fault, that of each judge. */
  readonly answers: readonly Answer[]
}

export function runDay(
  world: World,
  scenario: Scenario,
  judges: readonly Judge[],
  options: RunOptions = {},
): DayOutcome {
  const scene = openScene(world, scenario, options)
  const { stream, startMinute } = scene
  const ringing = new Ringing(stream)
  const answers: Answer[] = []
  let faults = 0
  for (let minute = startMinute + 1; minute <= startMinute + DAY_MS / MINUTE_MS; minute += 1) {
    stream.drawUntil(minute)
    for (const fault of ringing.look(minute)) {
      faults += 1
      answers.push(...ask(scene, fault, dayBeforeOf(scene, minute, minute), [], judges).answers)
    }
  }
  return { name: scenario.name, seed: scenario.seed[1] ?? 0, alarms: ringing.alarms, faults, answers }
}
