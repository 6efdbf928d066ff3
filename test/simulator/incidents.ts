// Incidents of the thirteen classes, with innocent releases around each, and days without any. The truth is in `truth`, which no
// judge is given.

import type { PlatformEvent } from '../../query/blame/case.ts'
import {
  ancestors,
  signatureOf,
  type Circumstances,
  type Effect,
  type EffectOutcome,
  type RejectChange,
  type TrafficChange,
} from './effects.ts'
import { Random } from './random.ts'
import {
  DAY_MS,
  HOUR_MS,
  makeRelease,
  MINUTE_MS,
  readyMsOf,
  stageAt,
  resetNumbers,
  takenBack,
  type SimRelease,
  type Style,
} from './rollouts.ts'
import { INCIDENT_CLASSES, trafficFactor, type IncidentClass, type World } from './world.ts'

export type Truth = {
  readonly kind: IncidentClass | 'fault-free'
  /** Keys of the releases that did it, together; empty when none did. */
  readonly culprits: readonly string[]
  readonly onsetMs: number
  /** Whether requests that the change does not serve went on beside it at onset. */
  readonly hasControl: boolean
  /** Of a contrast over 24 h, by the world's average rates; Infinity where it is no question. */
  readonly expectedZ: number
}

export type Scenario = {
  readonly name: string
  readonly seed: readonly number[]
  readonly releases: readonly SimRelease[]
  readonly effects: readonly Effect[]
  readonly traffic: readonly TrafficChange[]
  readonly rejects: readonly RejectChange[]
  readonly events: readonly PlatformEvent[]
  readonly truth: Truth
}

type Made = Omit<Scenario, 'name' | 'seed' | 'truth' | 'releases'> & {
  readonly culprits: readonly SimRelease[]
  /** Services near which innocents may be. */
  readonly path: readonly number[]
}

const NONE = { traffic: [], rejects: [], events: [] }
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

const anyStyle = (random: Random): Style => {
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
  const stage = stageAt(release, of.atMs)
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

const MAKERS: Readonly<Record<IncidentClass, Maker>> = {
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

function innocentsOf(
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
function backgroundOf(
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
function blipsOf(world: World, random: Random, releases: readonly SimRelease[]): Effect[] {
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

/** z of the contrast that a day of traffic is expected to give: ln odds ÷ its standard error. */
function expectedZ(world: World, { culprits: [culprit], effects: [effect] }: Made): number {
  const mask = culprit?.stages[0]?.mask
  if (culprit === undefined || effect === undefined || mask === undefined) return Infinity
  let requests = 0
  for (const { entry, share, placeOf } of world.variants) {
    if ((placeOf[culprit.service] ?? -1) < 0) continue
    world.entries[entry]?.rates.forEach((rate, place) => {
      if (mask[place] === 1) requests += rate * share * 1440
    })
  }
  const usual = 0.002
  const bad = requests * hitShare(culprit, effect)
  const odds = Math.log(((bad + 0.5) * (1 - usual)) / ((requests - bad + 0.5) * usual))
  return odds / Math.sqrt(1 / (bad + 0.5) + 1 / (requests - bad + 0.5))
}

const hitShare = ({ service, versionTo }: SimRelease, effect: Effect): number => {
  const placeOf = new Int32Array(service + 1).fill(-1)
  placeOf[service] = 0
  return effect.strength({
    variant: {
      index: 0,
      entry: 0,
      share: 1,
      path: [service],
      parents: [-1],
      placeOf,
      errorWeights: new Float64Array(1),
      retries: new Float64Array(1),
    },
    atMs: effect.startMs,
    versions: [0],
    place: 0,
    versionOf: () => versionTo,
    nodeShare: () => 0,
  })
}
