// Incidents that no release made: a place breaks, a far side, the load, what expires.

import { signatureOf, type Circumstances, type Effect, type EffectOutcome } from './effects.ts'
import { byNobody, pathOf, unending, type Maker } from './making.ts'
import { MINUTE_MS } from './rollouts.ts'

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
  return byNobody({
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
      unending({
        outcome: 'system',
        startMs: onsetMs,
        strength: (of) => 1 - of.variant.path.reduce((product, _, at) => product * (1 - shareAt(of, at)), 1),
        origin: (of, draw) => {
          const at = draw.weighted(of.variant.path.map((_, place) => shareAt(of, place)))
          const service = of.variant.path[at] ?? 0
          const node = nodes[draw.weighted(nodes.map((candidate) => of.nodeShare(at, candidate)))] ?? 0
          return { service, node, signature: signatureOf(world, service, draw), peer: -1 }
        },
      }),
    ],
  })
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
    const effect = (outcome: EffectOutcome, share: number): Effect =>
      unending({
        outcome,
        startMs: onsetMs,
        rampMinutes: random.chance(0.5) ? 0 : random.between(1, 8),
        strength: (of) => (through(of) >= 0 ? chance * share : 0),
        origin: (of) => {
          const service = Math.max(0, through(of))
          return {
            service,
            node: -1,
            signature: `${world.services[service]?.name ?? ''}:SocketTimeout`,
            peer,
          }
        },
      })
    return byNobody({
      path: random.pick(hit).path,
      effects: [effect('slow', slowShare), effect('system', 1 - slowShare)],
    })
  }

const loaded: Maker = (world, random, onsetMs) => {
  const { variant, service: bottleneck } = pathOf(world, random)
  const factor = random.between(1.8, 5)
  const { entry } = variant
  const isAll = random.chance(0.3)
  const chance = Math.min(0.6, 0.12 * (factor - 1)) * random.between(0.5, 1.5)
  const touches = (of: Circumstances) => (of.variant.placeOf[bottleneck] ?? -1) >= 0
  const effect = (outcome: EffectOutcome, share: number): Effect =>
    unending({
      outcome,
      startMs: onsetMs,
      rampMinutes: 2,
      strength: (of) => (touches(of) ? chance * share : 0),
      origin: () => ({
        service: bottleneck,
        node: -1,
        signature: `${world.services[bottleneck]?.name ?? ''}:PoolExhausted`,
        peer: -1,
      }),
    })
  return byNobody({
    path: variant.path,
    traffic: [
      {
        startMs: onsetMs - MINUTE_MS,
        endMs: Infinity,
        factor: (number) => (isAll || number === entry ? factor : 1),
      },
    ],
    effects: [effect('slow', 0.5), effect(random.pick(['shed', 'system'] as const), 0.5)],
  })
}

const expired: Maker = (world, random, onsetMs) => {
  const { variant, service } = pathOf(world, random)
  const isCertificate = random.chance(0.6)
  const chance = isCertificate ? random.between(0.5, 1) : random.logBetween(0.05, 0.6)
  const name = world.services[service]?.name ?? ''
  return byNobody({
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
      unending({
        outcome: isCertificate ? 'system' : random.pick(['slow', 'system'] as const),
        startMs: onsetMs,
        strength: (of) => ((of.variant.placeOf[service] ?? -1) >= 0 ? chance : 0),
        origin: () => ({
          service,
          node: -1,
          signature: isCertificate ? `${name}:CertificateExpired` : `${name}:LockTimeout`,
          peer: -1,
        }),
      }),
    ],
  })
}

export const OTHER_MAKERS = {
  F1: broken,
  F2: farSide(['external'], 0.3),
  F3: loaded,
  F4: farSide(['database'], 0.7),
  F5: expired,
} as const
