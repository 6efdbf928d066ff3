// Incidents that releases made: which, when it shows, and where.

import { ancestors, signatureOf, type Circumstances, type Effect, type EffectOutcome } from './effects.ts'
import { byReleases, pathOf, unending, type Maker } from './making.ts'
import type { Random } from './random.ts'
import { makeRelease, MINUTE_MS, stageAt, takenBack, type SimRelease, type Style } from './rollouts.ts'
import type { World } from './world.ts'

type Hit = {
  readonly outcome: EffectOutcome
  readonly startMs: number
  readonly rampMinutes?: number
  readonly releases: readonly SimRelease[]
  readonly strength: number
  readonly signature: string
  /** Where it shows; default where the (first) release is. */
  readonly shows?: (of: Circumstances) => number
  readonly peer?: number
}

/** Requests that all of the releases served go bad. */
function hitting(hit: Hit): Effect {
  const [first] = hit.releases
  if (first === undefined) throw new RangeError('An effect of releases needs one.')
  return unending({
    outcome: hit.outcome,
    startMs: hit.startMs,
    rampMinutes: hit.rampMinutes ?? 0,
    needs: hit.releases.map(({ key }) => key),
    strength: (of) => (hit.releases.every((release) => serves(release, of)) ? hit.strength : 0),
    origin: (of) => ({
      service: hit.shows?.(of) ?? first.service,
      node: -1,
      signature: hit.signature,
      peer: hit.peer ?? -1,
    }),
  })
}

function serves(release: SimRelease, of: Circumstances): boolean {
  if ((of.variant.placeOf[release.service] ?? -1) < 0) return false
  if (release.hasVersion) return of.versionOf(release.service) === release.versionTo
  const stage = stageAt(of.releaseOf(release.key) ?? release, of.atMs)
  return stage !== undefined && stage.weight > 0 && (stage.mask === undefined || stage.mask[of.place] === 1)
}

function strengthOf(world: World, random: Random): number {
  return random.logBetween(world.file.incidents.strength[0], world.file.incidents.strength[1])
}

/** Of new code mostly new; else one that the service had before. */
function signatureOfFault(world: World, random: Random, service: number, release: SimRelease): string {
  return random.chance(0.6)
    ? `${world.services[service]?.name ?? ''}:New${release.versionTo}`
    : signatureOf(world, service, random)
}

const CANARY: readonly Style[] = ['weight', 'weight', 'region', 'branches', 'teller']

function canaryOf(
  world: World,
  random: Random,
  service: number,
  readyMs: number,
  styles = CANARY,
): SimRelease {
  const release = makeRelease(world, random, { service, style: random.pick(styles), readyMs })
  return random.chance(0.08) ? takenBack(release, readyMs + random.between(6, 20) * MINUTE_MS) : release
}

const immediate =
  (outcome: (random: Random) => EffectOutcome): Maker =>
  (world, random, onsetMs) => {
    const { variant, service } = pathOf(world, random)
    const culprit = canaryOf(world, random, service, onsetMs)
    return byReleases(
      variant.path,
      [culprit],
      hitting({
        outcome: outcome(random),
        startMs: onsetMs,
        releases: [culprit],
        strength: strengthOf(world, random),
        signature: signatureOfFault(world, random, service, culprit),
      }),
    )
  }

const silent: Maker = (world, random, onsetMs) => {
  for (;;) {
    const { variant, at, service } = pathOf(world, random)
    // Its answer is taken for good and breaks one that is served with it, up to three calls away.
    const above = ancestors(variant, at).slice(1, 4)
    const siblings = variant.path.flatMap((_, place) =>
      place !== at && variant.parents[place] === variant.parents[at] ? [place] : [],
    )
    const shown = [...above, ...siblings]
    if (shown.length === 0) continue
    const showing = variant.path[random.pick(shown)] ?? 0
    const culprit = canaryOf(world, random, service, onsetMs)
    return byReleases(
      variant.path,
      [culprit],
      hitting({
        outcome: random.chance(0.6) ? 'system' : 'business',
        startMs: onsetMs,
        releases: [culprit],
        strength: strengthOf(world, random),
        signature: signatureOf(world, showing, random),
        shows: (of) =>
          (of.variant.placeOf[showing] ?? -1) >= 0
            ? showing
            : (of.variant.path[Math.max(0, of.variant.parents[of.variant.placeOf[service] ?? 0] ?? 0)] ??
              service),
      }),
    )
  }
}

const delayed: Maker = (world, random, onsetMs) => {
  const { variant, service } = pathOf(world, random)
  const delayMs = random.logBetween(10, 48 * 60) * MINUTE_MS
  const isHeld = random.chance(0.75)
  const culprit = makeRelease(world, random, {
    service,
    style: random.pick(CANARY),
    readyMs: onsetMs - delayMs,
    stepMinutes: isHeld ? 60 : Math.max(2, (delayMs / MINUTE_MS) * random.between(0.05, 0.25)),
    stagesMax: isHeld ? 1 : 9,
    firstWeight: random.pick([0.05, 0.1, 0.2, 0.5]),
  })
  return byReleases(
    variant.path,
    [culprit],
    hitting({
      outcome: random.pick(['system', 'system', 'slow', 'business'] as const),
      startMs: onsetMs,
      rampMinutes: random.chance(0.5) ? random.between(5, 30) : 0,
      releases: [culprit],
      strength: random.logBetween(0.06, 0.6),
      signature: signatureOfFault(world, random, service, culprit),
    }),
  )
}

const tiny: Maker = (world, random, onsetMs) => {
  const { variant, service } = pathOf(world, random)
  const culprit = makeRelease(world, random, {
    service,
    style: 'teller',
    readyMs: onsetMs,
    stagesMax: 1,
    place: random.whole(world.places.length),
  })
  return byReleases(
    variant.path,
    [culprit],
    hitting({
      outcome: random.pick(['system', 'business'] as const),
      startMs: onsetMs,
      releases: [culprit],
      strength: random.logBetween(0.15, 0.8),
      signature: signatureOfFault(world, random, service, culprit),
    }),
  )
}

const pushed =
  (styles: readonly Style[], canSlow: boolean): Maker =>
  (world, random, onsetMs) => {
    const { variant, service } = pathOf(world, random)
    const culprit = makeRelease(world, random, {
      service,
      style: random.pick(styles),
      readyMs: onsetMs,
      stagesMax: 1,
    })
    return byReleases(
      variant.path,
      [culprit],
      hitting({
        outcome: canSlow && random.chance(0.25) ? 'slow' : random.chance(0.7) ? 'system' : 'business',
        startMs: onsetMs,
        releases: [culprit],
        strength: random.logBetween(0.05, 0.6),
        signature: signatureOfFault(world, random, service, culprit),
      }),
    )
  }

const together: Maker = (world, random, onsetMs) => {
  for (;;) {
    const { variant } = pathOf(world, random)
    if (variant.path.length < 4) continue
    const [one = 0, two = 0] = random.shuffled(variant.path)
    const first = makeRelease(world, random, {
      service: one,
      style: random.pick(['weight', 'region', 'full']),
      readyMs: onsetMs - random.logBetween(3, 600) * MINUTE_MS,
      stagesMax: 1,
      firstWeight: 0.5,
    })
    const second = canaryOf(world, random, two, onsetMs, ['weight', 'region', 'branches'])
    return byReleases(
      variant.path,
      [second, first],
      hitting({
        outcome: 'system',
        startMs: onsetMs,
        releases: [second, first],
        strength: random.logBetween(0.1, 0.6),
        signature: signatureOfFault(world, random, two, second),
      }),
    )
  }
}

export const ROLLOUT_MAKERS = {
  R1: immediate((random) => (random.chance(0.75) ? 'system' : 'business')),
  R2: silent,
  R3: immediate(() => 'slow'),
  R4: delayed,
  R5: tiny,
  R6: pushed(['config', 'config-region', 'config-region', 'flag'], true),
  R7: pushed(['full'], true),
  R8: together,
} as const
