// What surrounds an incident and fills a day: releases that did nothing, near the onset and long before it, and the half minute of errors while
// instances start.

import type { Effect } from './effects.ts'
import type { Made } from './making.ts'
import type { Random } from './random.ts'
import { DAY_MS, HOUR_MS, makeRelease, MINUTE_MS, stageAt, type SimRelease, type Style } from './rollouts.ts'
import type { IncidentClass, World } from './world.ts'

export const anyStyle = (random: Random): Style => {
  const styles = [
    'weight',
    'region',
    'branches',
    'teller',
    'full',
    'config',
    'config-region',
    'flag',
    'schema',
  ] as const
  return styles[random.weighted([30, 15, 12, 8, 12, 10, 5, 5, 3])] ?? 'weight'
}

export function innocentsOf(
  world: World,
  random: Random,
  kind: IncidentClass,
  onsetMs: number,
  made: Made,
): SimRelease[] {
  const { innocents, nearOnsetRatio, samePathRatio, sameServiceRatio } = world.file.incidents
  const count = innocents[0] + random.whole(innocents[1] - innocents[0] + 1)
  const order = `FB${String(Math.floor(onsetMs / MINUTE_MS))}`
  const found: SimRelease[] = []
  const culprit = made.culprits[0]
  for (let index = 0; index < Math.max(count, kind === 'F5' ? 1 : 0); index += 1) {
    const isOnTheMinute = kind === 'F5' && index === 0
    const readyMs = isOnTheMinute
      ? onsetMs + random.between(0, MINUTE_MS)
      : random.chance(nearOnsetRatio)
        ? onsetMs + random.between(-5, 5) * MINUTE_MS
        : onsetMs - random.logBetween(5, 72 * 60) * MINUTE_MS
    const draw = random.next()
    const shared = culprit?.stages[0]
    if (
      culprit !== undefined &&
      shared?.mask !== undefined &&
      Math.abs(readyMs - onsetMs) <= 5 * MINUTE_MS &&
      random.chance(world.file.incidents.sameOrderRatio)
    ) {
      // The same order for the same people: only calls and errors tell them apart.
      const others = made.path.filter((other) => made.culprits.every((one) => one.service !== other))
      const release = makeRelease(world, random, {
        service: random.pick(
          random.chance(0.5) ? others : world.services.map(({ index: service }) => service),
        ),
        style: 'region',
        readyMs,
        stagesMax: 1,
        orderId: order,
      })
      if (made.culprits.every((one) => one.service !== release.service))
        found.push({
          ...release,
          stages: release.stages.map((stage) => ({ ...stage, mask: shared.mask, scope: shared.scope })),
        })
      continue
    }
    if (culprit !== undefined && culprit.hasVersion && draw < sameServiceRatio) {
      // The same service for somebody else: a hotfix over a canary.
      const taken = stageAt(culprit, onsetMs + HOUR_MS)?.mask
      const free = world.places.flatMap((_, place) =>
        taken === undefined || taken[place] !== 1 ? [place] : [],
      )
      if (free.length > 0)
        found.push(
          makeRelease(world, random, {
            service: culprit.service,
            style: random.pick(['teller', 'branches', 'region']),
            readyMs,
            place: random.pick(free),
            stagesMax: 1,
            orderId: order,
          }),
        )
      continue
    }
    const isNear = isOnTheMinute || draw < sameServiceRatio + samePathRatio
    const others = isNear ? made.path : world.services.map(({ index: service }) => service)
    const service = random.pick(others.filter((other) => !made.culprits.some((one) => one.service === other)))
    found.push(
      makeRelease(world, random, {
        service,
        style: anyStyle(random),
        readyMs,
        orderId: random.chance(0.5) ? order : '',
      }),
    )
  }
  return found
}

/** The last release of every other service, as dense as the world's days are. */
export function backgroundOf(
  world: World,
  random: Random,
  beforeMs: number,
  near: readonly SimRelease[],
): SimRelease[] {
  const perDay = random.logBetween(world.file.releases.perDay[0], world.file.releases.perDay[1])
  const taken = new Set(near.map(({ service }) => service))
  const found: SimRelease[] = []
  for (const { index } of world.services) {
    if (taken.has(index)) continue
    const lag = random.exponential((world.services.length / perDay) * DAY_MS) + 10 * MINUTE_MS
    if (lag > 3 * DAY_MS) continue
    found.push(
      makeRelease(world, random, { service: index, style: anyStyle(random), readyMs: beforeMs - lag }),
    )
  }
  return found
}

/** Instances that are not ready yet: half a minute of errors when a stage begins. */
export function blipsOf(world: World, random: Random, releases: readonly SimRelease[]): Effect[] {
  return releases.flatMap((release) =>
    !release.hasVersion
      ? []
      : release.stages
          .filter(({ weight }) => weight > 0 && random.chance(world.file.releases.blipRatio))
          .map((stage): Effect => {
            const name = world.services[release.service]?.name ?? ''
            const chance = random.logBetween(0.02, 0.3)
            return {
              outcome: 'system',
              startMs: stage.atMs,
              endMs: stage.atMs + random.between(30_000, 60_000),
              rampMinutes: 0,
              needs: [release.key],
              strength: (of) => (of.versionOf(release.service) === release.versionTo ? chance : 0),
              origin: () => ({
                service: release.service,
                node: -1,
                signature: `${name}:ConnectionRefused`,
                peer: -1,
              }),
            }
          }),
  )
}
