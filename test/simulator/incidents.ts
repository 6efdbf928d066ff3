// Incidents of the thirteen classes, with innocent releases around each, and days without any.

import { expectedZ } from './expected-z.ts'
import type { Maker } from './making.ts'
import { OTHER_MAKERS } from './other-classes.ts'
import { Random } from './random.ts'
import { DAY_MS, HOUR_MS, makeRelease, MINUTE_MS, readyMsOf, resetNumbers, stageAt } from './rollouts.ts'
import { ROLLOUT_MAKERS } from './rollout-classes.ts'
import type { Scenario } from './scenario.ts'
import { anyStyle, backgroundOf, blipsOf, innocentsOf } from './surroundings.ts'
import { INCIDENT_CLASSES, trafficFactor, type IncidentClass, type World } from './world.ts'

const MAKERS: Readonly<Record<IncidentClass, Maker>> = { ...ROLLOUT_MAKERS, ...OTHER_MAKERS }
const GOLDEN = 0.618_033_988_749_895
const FIRST_DAY = Date.UTC(2026, 2, 2)

/** Classes of a seed's incidents: over all seeds every class has its share. */
export function classesOf(world: World, seed: number): IncidentClass[] {
  const { perSeed, classes } = world.file.incidents
  return Array.from({ length: perSeed }, (_, index) => {
    let rest = (((seed - 1) * perSeed + index + 1) * GOLDEN) % 1
    for (const name of INCIDENT_CLASSES) {
      rest -= classes[name]
      if (rest < 0) return name
    }
    return 'R1'
  })
}

export function makeIncident(world: World, seed: number, index: number, kind: IncidentClass): Scenario {
  resetNumbers()
  const random = new Random(world.file.seed, seed, index, 11)
  const onsetMs = onsetOf(world, random, kind)
  const made = MAKERS[kind](world, random, onsetMs)
  const innocents = innocentsOf(world, random, kind, onsetMs, made)
  const background = backgroundOf(world, random, onsetMs, [...made.culprits, ...innocents])
  return {
    name: `${kind} seed ${String(seed)} #${String(index)}`,
    seed: [world.file.seed, seed, index],
    releases: [...background, ...innocents, ...made.culprits].toSorted((a, b) => readyMsOf(a) - readyMsOf(b)),
    effects: [...made.effects, ...blipsOf(world, random, innocents)],
    traffic: made.traffic,
    rejects: made.rejects,
    events: made.events,
    truth: {
      kind,
      culprits: made.culprits.map(({ key }) => key),
      onsetMs,
      hasControl:
        made.culprits.length > 0 &&
        made.culprits.some((culprit) => {
          const stage = stageAt(culprit, onsetMs + MINUTE_MS)
          return stage !== undefined && (stage.weight < 1 || stage.mask !== undefined)
        }),
      expectedZ: kind === 'R5' ? expectedZ(world, made) : Infinity,
    },
  }
}

/** A day on which nothing is wrong, with everything that may look so. */
export function makeDay(world: World, seed: number, index: number): Scenario {
  resetNumbers()
  const random = new Random(world.file.seed, seed, index, 13)
  const start = FIRST_DAY + random.whole(300) * DAY_MS
  const perDay = random.logBetween(world.file.releases.perDay[0], world.file.releases.perDay[1])
  const releases = backgroundOf(world, random, start - 2 * HOUR_MS, [])
  for (let left = random.poisson(perDay); left > 0;) {
    const size = Math.min(left, Math.round(random.logBetween(...world.file.releases.orderSizes)))
    const at = start + random.next() * DAY_MS
    for (let one = 0; one < size; one += 1)
      releases.push(
        makeRelease(world, random, {
          service: random.whole(world.services.length),
          style: anyStyle(random),
          readyMs: at + random.between(0, 30) * MINUTE_MS,
          orderId: `FB${String(Math.floor(at / MINUTE_MS))}`,
        }),
      )
    left -= size
  }
  const moved = random.whole(world.file.regions.length)
  const movedFrom = start + random.between(2, 20) * HOUR_MS
  const region = world.file.regions[moved]?.name
  const entry = random.whole(world.entries.length)
  const planned = start + random.between(2, 20) * HOUR_MS
  return {
    name: `fault-free seed ${String(seed)} #${String(index)}`,
    seed: [world.file.seed, seed, index, 3],
    releases: releases.toSorted((a, b) => readyMsOf(a) - readyMsOf(b)),
    effects: blipsOf(world, random, releases),
    traffic: random.chance(0.5)
      ? [
          {
            startMs: movedFrom,
            endMs: movedFrom + random.between(0.5, 4) * HOUR_MS,
            factor: (_, place) => (world.places[place]?.region === region ? 1.5 : 0.85),
          },
        ]
      : [],
    rejects: random.chance(0.5)
      ? [
          {
            entry,
            startMs: planned,
            endMs: planned + random.between(1, 8) * HOUR_MS,
            factor: random.between(1.5, 4),
          },
        ]
      : [],
    events: [],
    truth: { kind: 'fault-free', culprits: [], onsetMs: start, hasControl: false, expectedZ: Infinity },
  }
}
function onsetOf(world: World, random: Random, kind: IncidentClass): number {
  const day = FIRST_DAY + random.whole(300) * DAY_MS
  const zone = world.file.timeZoneHours * HOUR_MS
  // Faults are found when there is somebody to hit; windows of work are in the evening.
  for (;;) {
    const at = day + random.next() * DAY_MS - zone
    if (random.next() * 2.3 > trafficFactor(world, at)) continue
    if (kind !== 'F5') return Math.floor(at)
    return Math.floor(at / (5 * MINUTE_MS)) * 5 * MINUTE_MS
  }
}
