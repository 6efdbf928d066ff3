// The thirteen classes of incidents: who did it, what goes wrong and where it shows.

import { ancestors, signatureOf, type Circumstances, type Effect, type EffectOutcome } from './effects.ts'
import type { Random } from './random.ts'
import { makeRelease, MINUTE_MS, stageAt, takenBack, type SimRelease, type Style } from './rollouts.ts'
import type { Scenario } from './scenario.ts'
import type { IncidentClass, World } from './world.ts'

/** An incident without what surrounds it. */
export type Made = Omit<Scenario, 'name' | 'seed' | 'truth' | 'releases'> & {
  readonly culprits: readonly SimRelease[]
  /** Services near which innocents may be. */
  readonly path: readonly number[]
}

const NONE = { traffic: [], rejects: [], events: [] }

/** A variant by its traffic, and a place in its path. */
function pathOf(world: World, random: Random) {
  const variant =
    world.variants[
      random.weighted(
        world.variants.map(({ entry, share }) => share * Math.sqrt(world.file.entries[entry]?.share ?? 0)),
      )
    ]
  if (variant === undefined) throw new RangeError('The world has no entries.')
  return { variant, at: random.whole(variant.path.length) }
}

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
  return {
    outcome: hit.outcome,
    startMs: hit.startMs,
    endMs: Infinity,
    rampMinutes: hit.rampMinutes ?? 0,
    needs: hit.releases.map(({ key }) => key),
    strength: (of) => (hit.releases.every((release) => serves(release, of)) ? hit.strength : 0),
    origin: (of) => ({
      service: hit.shows?.(of) ?? first.service,
      node: -1,
      signature: hit.signature,
      peer: hit.peer ?? -1,
    }),
  }
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

type Maker = (world: World, random: Random, onsetMs: number) => Made

const immediate =
  (outcome: (random: Random) => EffectOutcome): Maker =>
  (world, random, onsetMs) => {
    const { variant, at } = pathOf(world, random)
    const service = variant.path[at] ?? 0
    const culprit = canaryOf(world, random, service, onsetMs)
    return {
      ...NONE,
      culprits: [culprit],
      path: variant.path,
      effects: [
        hitting({
          outcome: outcome(random),
          startMs: onsetMs,
          releases: [culprit],
          strength: strengthOf(world, random),
          signature: signatureOfFault(world, random, service, culprit),
        }),
      ],
    }
  }

const silent: Maker = (world, random, onsetMs) => {
  for (;;) {
    const { variant, at } = pathOf(world, random)
    const service = variant.path[at] ?? 0
    // Its answer is taken for good and breaks one that is served with it, up to three calls away.
    const above = ancestors(variant, at).slice(1, 4)
    const siblings = variant.path.flatMap((_, place) =>
      place !== at && variant.parents[place] === variant.parents[at] ? [place] : [],
    )
    const shown = [...above, ...siblings]
    if (shown.length === 0) continue
    const showing = variant.path[random.pick(shown)] ?? 0
    const culprit = canaryOf(world, random, service, onsetMs)
    return {
      ...NONE,
      culprits: [culprit],
      path: variant.path,
      effects: [
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
      ],
    }
  }
}

const delayed: Maker = (world, random, onsetMs) => {
  const { variant, at } = pathOf(world, random)
  const service = variant.path[at] ?? 0
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
  return {
    ...NONE,
    culprits: [culprit],
    path: variant.path,
    effects: [
      hitting({
        outcome: random.pick(['system', 'system', 'slow', 'business'] as const),
        startMs: onsetMs,
        rampMinutes: random.chance(0.5) ? random.between(5, 30) : 0,
        releases: [culprit],
        strength: random.logBetween(0.06, 0.6),
        signature: signatureOfFault(world, random, service, culprit),
      }),
    ],
  }
}

const tiny: Maker = (world, random, onsetMs) => {
  const { variant, at } = pathOf(world, random)
  const service = variant.path[at] ?? 0
  const culprit = makeRelease(world, random, {
    service,
    style: 'teller',
    readyMs: onsetMs,
    stagesMax: 1,
    place: random.whole(world.places.length),
  })
  return {
    ...NONE,
    culprits: [culprit],
    path: variant.path,
    effects: [
      hitting({
        outcome: random.pick(['system', 'business'] as const),
        startMs: onsetMs,
        releases: [culprit],
        strength: random.logBetween(0.15, 0.8),
        signature: signatureOfFault(world, random, service, culprit),
      }),
    ],
  }
}

const pushed =
  (styles: readonly Style[], canSlow: boolean): Maker =>
  (world, random, onsetMs) => {
    const { variant, at } = pathOf(world, random)
    const service = variant.path[at] ?? 0
    const culprit = makeRelease(world, random, {
      service,
      style: random.pick(styles),
      readyMs: onsetMs,
      stagesMax: 1,
    })
    return {
      ...NONE,
      culprits: [culprit],
      path: variant.path,
      effects: [
        hitting({
          outcome: canSlow && random.chance(0.25) ? 'slow' : random.chance(0.7) ? 'system' : 'business',
          startMs: onsetMs,
          releases: [culprit],
          strength: random.logBetween(0.05, 0.6),
          signature: signatureOfFault(world, random, service, culprit),
        }),
      ],
    }
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
    return {
      ...NONE,
      culprits: [second, first],
      path: variant.path,
      effects: [
        hitting({
          outcome: 'system',
          startMs: onsetMs,
          releases: [second, first],
          strength: random.logBetween(0.1, 0.6),
          signature: signatureOfFault(world, random, two, second),
        }),
      ],
    }
  }
}

const broken: Maker = (world, random, onsetMs) => {
  const zones = [...new Set(world.nodes.map(({ zone }) => zone))]
  const zone = random.pick(zones)
  const isZone = random.chance(0.5)
  const all = world.nodes.flatMap((node, index) => (node.zone === zone ? [index] : []))
  const nodes = isZone ? all : [random.pick(all)]
  const chance = isZone ? random.logBetween(0.05, 0.6) : random.logBetween(0.15, 0.9)
  const shareAt = (of: Circumstances, at: number): number =>
    nodes.reduce((sum, node) => sum + of.nodeShare(at, node), 0) * chance
  const { variant } = pathOf(world, random)
  const name = isZone ? zone : (world.nodes[nodes[0] ?? 0]?.name ?? '')
  return {
    ...NONE,
    culprits: [],
    path: variant.path,
    events: random.chance(0.5)
      ? [
          {
            atMs: onsetMs + random.between(0, 60_000),
            kind: 'NodeNotReady',
            name,
            service: '',
            zone,
            node: isZone ? '' : name,
          },
        ]
      : [],
    effects: [
      {
        outcome: 'system',
        startMs: onsetMs,
        endMs: Infinity,
        rampMinutes: 0,
        needs: [],
        strength: (of) => 1 - of.variant.path.reduce((product, _, at) => product * (1 - shareAt(of, at)), 1),
        origin: (of, draw) => {
          const at = draw.weighted(of.variant.path.map((_, place) => shareAt(of, place)))
          const service = of.variant.path[at] ?? 0
          const node = nodes[draw.weighted(nodes.map((candidate) => of.nodeShare(at, candidate)))] ?? 0
          return { service, node, signature: signatureOf(world, service, draw), peer: -1 }
        },
      },
    ],
  }
}

/** A far side fails or is slow, for all of its callers. */
const farSide =
  (kinds: readonly string[], slowShare: number): Maker =>
  (world, random, onsetMs) => {
    const used = world.peers.flatMap((peer, index) =>
      kinds.includes(peer.kind) &&
      world.variants.some(({ path }) =>
        path.some((service) => world.services[service]?.peers.includes(index)),
      )
        ? [index]
        : [],
    )
    const peer = random.pick(used)
    const callers = world.services.filter(({ peers }) => peers.includes(peer)).map(({ index }) => index)
    const hit = world.variants.filter(({ path }) => path.some((service) => callers.includes(service)))
    const chance = random.logBetween(0.05, 0.7)
    const through = (of: Circumstances): number =>
      callers.find((service) => (of.variant.placeOf[service] ?? -1) >= 0) ?? -1
    const effect = (outcome: EffectOutcome, share: number): Effect => ({
      outcome,
      startMs: onsetMs,
      endMs: Infinity,
      rampMinutes: random.chance(0.5) ? 0 : random.between(1, 8),
      needs: [],
      strength: (of) => (through(of) >= 0 ? chance * share : 0),
      origin: (of) => {
        const service = Math.max(0, through(of))
        return { service, node: -1, signature: `${world.services[service]?.name ?? ''}:SocketTimeout`, peer }
      },
    })
    return {
      ...NONE,
      culprits: [],
      path: random.pick(hit).path,
      effects: [effect('slow', slowShare), effect('system', 1 - slowShare)],
    }
  }

const loaded: Maker = (world, random, onsetMs) => {
  const { variant, at } = pathOf(world, random)
  const bottleneck = variant.path[at] ?? 0
  const factor = random.between(1.8, 5)
  const { entry } = variant
  const isAll = random.chance(0.3)
  const chance = Math.min(0.6, 0.12 * (factor - 1)) * random.between(0.5, 1.5)
  const touches = (of: Circumstances) => (of.variant.placeOf[bottleneck] ?? -1) >= 0
  const effect = (outcome: EffectOutcome, share: number): Effect => ({
    outcome,
    startMs: onsetMs,
    endMs: Infinity,
    rampMinutes: 2,
    needs: [],
    strength: (of) => (touches(of) ? chance * share : 0),
    origin: () => ({
      service: bottleneck,
      node: -1,
      signature: `${world.services[bottleneck]?.name ?? ''}:PoolExhausted`,
      peer: -1,
    }),
  })
  return {
    ...NONE,
    culprits: [],
    path: variant.path,
    traffic: [
      {
        startMs: onsetMs - MINUTE_MS,
        endMs: Infinity,
        factor: (number) => (isAll || number === entry ? factor : 1),
      },
    ],
    effects: [effect('slow', 0.5), effect(random.pick(['shed', 'system'] as const), 0.5)],
  }
}

const expired: Maker = (world, random, onsetMs) => {
  const { variant, at } = pathOf(world, random)
  const service = variant.path[at] ?? 0
  const isCertificate = random.chance(0.6)
  const chance = isCertificate ? random.between(0.5, 1) : random.logBetween(0.05, 0.6)
  const name = world.services[service]?.name ?? ''
  return {
    ...NONE,
    culprits: [],
    path: variant.path,
    events: random.chance(0.5)
      ? [
          {
            atMs: onsetMs,
            kind: isCertificate ? 'CertificateExpired' : 'JobStarted',
            name: isCertificate ? `${name}-tls` : 'end-of-day',
            service: name,
            zone: '',
            node: '',
          },
        ]
      : [],
    effects: [
      {
        outcome: isCertificate ? 'system' : random.pick(['slow', 'system'] as const),
        startMs: onsetMs,
        endMs: Infinity,
        rampMinutes: 0,
        needs: [],
        strength: (of) => ((of.variant.placeOf[service] ?? -1) >= 0 ? chance : 0),
        origin: () => ({
          service,
          node: -1,
          signature: isCertificate ? `${name}:CertificateExpired` : `${name}:LockTimeout`,
          peer: -1,
        }),
      },
    ],
  }
}

export const MAKERS: Readonly<Record<IncidentClass, Maker>> = {
  R1: immediate((random) => (random.chance(0.75) ? 'system' : 'business')),
  R2: silent,
  R3: immediate(() => 'slow'),
  R4: delayed,
  R5: tiny,
  R6: pushed(['config', 'config-region', 'config-region', 'flag'], true),
  R7: pushed(['full'], true),
  R8: together,
  F1: broken,
  F2: farSide(['external'], 0.3),
  F3: loaded,
  F4: farSide(['database'], 0.7),
  F5: expired,
}
