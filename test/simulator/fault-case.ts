// A fault's case straight from a stream, as `gatherCase` would read it from the store. Proved equal to it on a sample by
// test/contracts/simulator.test.ts.

import {
  type CallerRow,
  type FailureRow,
  type Fault,
  type FaultCase,
  type PeerRow,
  type PlaceRow,
  type PlatformEvent,
  type SignaturePast,
  type SignatureRow,
  type Touch,
  type TraceRows,
} from '../../query/blame/case.ts'
import { candidateReleases, candidatesOf } from '../../query/blame/candidate-releases.ts'
import type { Release } from '../../query/releases/release.ts'
import { Random, seedOf } from './random.ts'
import { MINUTE_MS } from './rollouts.ts'
import type { BadRequest, Stream } from './stream.ts'
import { simulatedOf } from './told.ts'
import type { World } from './world.ts'

export const LOOK_BACK_MINUTES = 90
const SLOW_FACTOR = 1.5

export type CaseParts = {
  readonly stream: Stream
  /** The same minutes a day earlier, of a stream of its own with the same releases; undefined: nothing is kept of it. */
  readonly dayBefore: Stream | undefined
  readonly events: readonly PlatformEvent[]
}

export function buildCase(
  parts: CaseParts,
  fault: Fault,
  releases: readonly Release[],
  nowMs: number,
): FaultCase {
  const { stream, dayBefore } = parts
  const { world } = stream
  const fromMinute = Math.floor(fault.alarmAtMs / MINUTE_MS) - LOOK_BACK_MINUTES
  // The minute of the decision has begun; nothing of it is kept yet, nor of those to come, however far the stream is drawn.
  const passed = Math.floor(nowMs / MINUTE_MS)
  const toMinute = passed + 1
  const isAffected = world.entries.map(
    ({ service, operation }) =>
      (fault.place.service === '' || fault.place.service === service) &&
      (fault.place.operation === '' || fault.place.operation === operation),
  )
  const reached = new Set(
    world.variants.filter(({ entry }) => isAffected[entry] === true).flatMap(({ path }) => path),
  )
  const { kept: releasesKept } = candidateReleases(
    releases,
    fault,
    new Set([...reached].map((service) => world.services[service]?.name ?? '')),
    nowMs,
  )
  const known = releasesKept.map((release) => simulatedOf(world, stream.releases, release))
  const [from, to] = stream.rowsOf(fromMinute, passed)
  const rows = stream.rows.view(from, to)
  const earlier = dayBefore?.rowsOf(fromMinute - 1440, passed - 1440)
  const projected = project(stream, dayBefore, known)
  const touchOf = (row: TraceRows, map: Int32Array): TraceRows => ({
    ...row,
    touch: row.touch.map((touch) => map[touch] ?? 0),
  })
  const mine = touchOf(rows, projected.own)
  const bad = stream.badOf(fromMinute, passed)
  const stands = 1 / stream.sampledRatio
  const kept = keptOf(stream)
  const places = eachMinute(kept.places, fromMinute, passed, (minute) => placesOf(stream, minute, stands))
  return {
    fault,
    nowMs,
    fromMinute,
    toMinute,
    clockSlackMs: MINUTE_MS,
    sampledRatio: stream.sampledRatio,
    entries: world.entries.map(({ service, operation, txnCode }) => ({ service, operation, txnCode })),
    slowMs: world.entries.map(({ usualMs }) => usualMs * SLOW_FACTOR),
    cells: world.cells,
    candidates: candidatesOf(releasesKept, {
      cells: world.cells,
      touches: projected.touches,
      rows: mine,
      places,
      fromMinute,
      toMinute,
      nowMs,
    }),
    touches: projected.touches,
    rows: mine,
    dayBefore:
      dayBefore === undefined || earlier === undefined
        ? undefined
        : touchOf(dayBefore.rows.view(...earlier), projected.before),
    failures: eachMinute(kept.failing, fromMinute, passed, (minute) =>
      failuresOf(world, stream, stream.badOf(minute, minute + 1), stands),
    ),
    places,
    peers: eachMinute(kept.peers, fromMinute, passed, (minute) =>
      peersOf(stream, stream.badOf(minute, minute + 1), minute, minute + 1, stands),
    ),
    callers: callersOf(stream, bad, fromMinute, passed, stands),
    signatures: eachMinute(kept.signatures, fromMinute, passed, (minute) =>
      signaturesOf(stream, stream.badOf(minute, minute + 1), stands),
    ),
    signaturePasts: pastsOf(stream, bad),
    events: parts.events.filter(({ atMs }) => atMs <= nowMs && atMs >= fromMinute * MINUTE_MS),
    calls: world.calls,
    systems: world.systems,
    isAffected,
  }
}

type Kept = {
  readonly failing: Map<number, FailureRow[]>
  readonly places: Map<number, PlaceRow[]>
  readonly peers: Map<number, PeerRow[]>
  readonly signatures: Map<number, SignatureRow[]>
}

// A minute that is over stays as it is: every look at a fault takes the same rows. One that is not over must not be kept.
const keptBy = new WeakMap<Stream, Kept>()

function keptOf(stream: Stream): Kept {
  const known = keptBy.get(stream) ?? {
    failing: new Map<number, FailureRow[]>(),
    places: new Map<number, PlaceRow[]>(),
    peers: new Map<number, PeerRow[]>(),
    signatures: new Map<number, SignatureRow[]>(),
  }
  keptBy.set(stream, known)
  return known
}

function eachMinute<Row>(
  kept: Map<number, Row[]>,
  fromMinute: number,
  toMinute: number,
  make: (minute: number) => Row[],
): Row[] {
  const all: Row[] = []
  for (let minute = fromMinute; minute < toMinute; minute += 1) {
    let rows = kept.get(minute)
    if (rows === undefined) {
      rows = make(minute)
      kept.set(minute, rows)
    }
    for (const row of rows) all.push(row)
  }
  return all
}

/** Touches of the chosen releases only, and by each stream's touch its place among them. */
function project(stream: Stream, dayBefore: Stream | undefined, chosen: readonly number[]) {
  const found = new Map<string, number>()
  const touches: Touch[][] = []
  const of = (list: readonly Uint8Array[]): Int32Array =>
    Int32Array.from(list, (codes) => {
      const mine = chosen.map((index) => (codes[index] ?? 0) as Touch)
      const key = mine.join('')
      const known = found.get(key)
      if (known !== undefined) return known
      found.set(key, touches.length)
      touches.push(mine)
      return touches.length - 1
    })
  return { touches, own: of(stream.touches), before: of(dayBefore?.touches ?? []) }
}

/** Name of the span of a call to a peer. */
export const callOf = (world: World, peer: number): string => `call ${world.peers[peer]?.name ?? ''}`

export const operationOf = (world: World, request: Pick<BadRequest, 'entry' | 'service'>): string => {
  const entry = world.entries[request.entry]
  const name = world.services[request.service]?.name ?? ''
  return entry?.service === name ? entry.operation : `${name}/handle`
}

function failuresOf(world: World, stream: Stream, bad: readonly BadRequest[], stands: number): FailureRow[] {
  const found = new Map<string, { -readonly [Key in keyof FailureRow]: FailureRow[Key] }>()
  for (const request of bad) {
    if (!request.isTrace || request.outcome === 'slow') continue
    const { minute, entry, cell, service, version, node, peer, signature } = request
    const key = `${String(minute)}|${String(entry)}|${String(cell)}|${String(version)}|${String(node)}|${String(peer)}|${signature}`
    const known = found.get(key)
    if (known !== undefined) {
      known.count += stands
      continue
    }
    const { name = '', zone = '', cluster = '', site = 0 } = world.nodes[node] ?? {}
    found.set(key, {
      minute,
      entry,
      cell,
      service: world.services[service]?.name ?? '',
      version: stream.versions[version]?.name ?? '',
      operation: peer < 0 ? operationOf(world, request) : callOf(world, peer),
      peer: peer < 0 ? '' : (world.peers[peer]?.name ?? ''),
      site: world.sites[site] ?? '',
      zone,
      cluster,
      node: name,
      signature,
      count: stands,
    })
  }
  return [...found.values()]
}

type NodeCounts = { requests: number; bad: number; slow: number }

/** Requests of a minute by version × site and node: those that went wrong where they did, the others dealt out. */
export function nodeCounts(
  stream: Stream,
  minute: number,
): ReadonlyMap<number, ReadonlyMap<number, NodeCounts>> {
  const { world } = stream
  const sites = world.sites.length
  const calls = stream.callsOf(minute)
  const found = new Map<number, Map<number, NodeCounts>>()
  const countsOf = (slot: number, node: number): NodeCounts => {
    const nodes = found.get(slot) ?? new Map<number, NodeCounts>()
    found.set(slot, nodes)
    const counts = nodes.get(node) ?? { requests: 0, bad: 0, slow: 0 }
    nodes.set(node, counts)
    return counts
  }
  const placed = new Map<number, number>()
  for (const { version, node, outcome, isAlsoSlow, isTrace, peer } of stream.badOf(minute, minute + 1)) {
    const slot = version * sites + (world.nodes[node]?.site ?? 0)
    const counts = countsOf(slot, node)
    // A first try is a request more.
    if (isTrace) placed.set(slot, (placed.get(slot) ?? 0) + 1)
    counts.requests += 1
    // What a peer did not answer has failed below.
    if (peer < 0 && outcome !== 'slow' && outcome !== 'shed') counts.bad += 1
    if (peer < 0 && (outcome === 'slow' || isAlsoSlow)) counts.slow += 1
  }
  // Its own draws: the same whenever it is asked.
  const random = new Random(world.file.seed, minute, seedOf('places'))
  for (let slot = 0; slot < calls.length; slot += 1) {
    const all = calls[slot] ?? 0
    if (all === 0) continue
    const version = Math.floor(slot / sites)
    // Where those that failed were put as well: else instances would have failures and no requests.
    const nodes = stream.nodesOf(version, slot % sites, stream.shareBefore(version, minute))
    let left = Math.max(0, Math.round(all * stream.sampledRatio) - (placed.get(slot) ?? 0))
    nodes.forEach((node, index) => {
      const draw = index === nodes.length - 1 ? left : random.binomial(left, 1 / (nodes.length - index))
      left -= draw
      if (draw === 0) return
      const counts = countsOf(slot, node)
      counts.requests += draw
      counts.slow += Math.min(draw, random.poisson(draw * world.file.latency.ownSlowRatio))
    })
  }
  return found
}

function placesOf(stream: Stream, minute: number, stands: number): PlaceRow[] {
  const { world } = stream
  const sites = world.sites.length
  const rows: PlaceRow[] = []
  for (const [slot, nodes] of nodeCounts(stream, minute)) {
    const { service = 0, name = '' } = stream.versions[Math.floor(slot / sites)] ?? {}
    for (const [node, { requests, bad, slow }] of nodes) {
      const { name: nodeName = '', zone = '', cluster = '', site = 0 } = world.nodes[node] ?? {}
      rows.push({
        minute,
        service: world.services[service]?.name ?? '',
        version: name,
        site: world.sites[site] ?? '',
        zone,
        cluster,
        node: nodeName,
        requests: requests * stands,
        bad: bad * stands,
        slow: slow * stands,
      })
    }
  }
  return rows
}

function peersOf(
  stream: Stream,
  bad: readonly BadRequest[],
  fromMinute: number,
  toMinute: number,
  stands: number,
): PeerRow[] {
  const { world } = stream
  const counts = new Map<string, { bad: number; slow: number }>()
  for (const { minute, version, peer, outcome, isAlsoSlow } of bad) {
    if (peer < 0) continue
    const key = `${String(minute)}|${String(version)}|${String(peer)}`
    const known = counts.get(key) ?? { bad: 0, slow: 0 }
    counts.set(key, known)
    if (outcome !== 'slow') known.bad += stands
    if (outcome === 'slow' || isAlsoSlow) known.slow += stands
  }
  const rows: PeerRow[] = []
  const sites = world.sites.length
  for (let minute = fromMinute; minute < toMinute; minute += 1) {
    const calls = stream.callsOf(minute)
    for (let version = 0; version * sites < calls.length; version += 1) {
      const { service = 0, name = '' } = stream.versions[version] ?? {}
      const own = world.services[service]
      if (own === undefined || own.peers.length === 0) continue
      let all = 0
      for (let site = 0; site < sites; site += 1) all += calls[version * sites + site] ?? 0
      if (all === 0) continue
      for (const peer of own.peers) {
        const { name: peerName = '', kind = 'external' } = world.peers[peer] ?? {}
        const seen = counts.get(`${String(minute)}|${String(version)}|${String(peer)}`)
        rows.push({
          minute,
          caller: own.name,
          callerVersion: name,
          peer: peerName,
          kind,
          calls: all,
          bad: Math.min(all, seen?.bad ?? 0),
          slow: Math.min(all, seen?.slow ?? 0),
        })
      }
    }
  }
  return rows
}

function callersOf(
  stream: Stream,
  bad: readonly BadRequest[],
  fromMinute: number,
  toMinute: number,
  stands: number,
): CallerRow[] {
  const { world } = stream
  const minutes = toMinute - fromMinute
  const found: CallerRow[] = []
  for (const { channel, kind, names, shares } of world.file.clients) {
    const entries = world.entries.flatMap((entry, index) => (entry.channel === channel ? [index] : []))
    const random = new Random(world.file.seed, seedOf(channel), fromMinute)
    const counts = names.map(() => ({
      bad: new Float64Array(minutes),
      slow: new Float64Array(minutes),
    }))
    for (const { minute, entry, outcome, isAlsoSlow, isTrace } of bad) {
      if (!isTrace || !entries.includes(entry)) continue
      const mine = counts[random.weighted(shares)]
      const at = minute - fromMinute
      if (mine === undefined) continue
      if (outcome !== 'slow') mine.bad[at] = (mine.bad[at] ?? 0) + stands
      if (outcome === 'slow' || isAlsoSlow) mine.slow[at] = (mine.slow[at] ?? 0) + stands
    }
    for (let at = 0; at < minutes; at += 1) {
      const all = entries.reduce(
        (sum, entry) => sum + (stream.entryRequestsOf(fromMinute + at)[entry] ?? 0),
        0,
      )
      names.forEach((name, index) => {
        const requests = Math.max(random.poisson(all * (shares[index] ?? 0)), counts[index]?.bad[at] ?? 0)
        if (requests === 0) return
        found.push({
          minute: fromMinute + at,
          kind,
          name,
          requests,
          bad: counts[index]?.bad[at] ?? 0,
          slow: counts[index]?.slow[at] ?? 0,
        })
      })
    }
  }
  return found
}

function signaturesOf(stream: Stream, bad: readonly BadRequest[], stands: number): SignatureRow[] {
  const found = new Map<string, { -readonly [Key in keyof SignatureRow]: SignatureRow[Key] }>()
  for (const { minute, version, signature, outcome } of bad) {
    if (signature === '' || outcome === 'slow') continue
    const key = `${String(minute)}|${String(version)}|${signature}`
    const known = found.get(key)
    if (known !== undefined) {
      known.count += stands
      continue
    }
    const { service = 0, name = '' } = stream.versions[version] ?? {}
    const type = signature.slice(signature.indexOf(':') + 1)
    found.set(key, {
      minute,
      service: stream.world.services[service]?.name ?? '',
      version: name,
      signature,
      type: `${type}Exception`,
      message: `${type} in ${stream.world.services[service]?.name ?? ''}`,
      count: stands,
    })
  }
  return [...found.values()]
}

/** What the week before had of each signature: it is what its kind is. */
function pastsOf(stream: Stream, bad: readonly BadRequest[]): SignaturePast[] {
  const found = new Map<string, SignaturePast>()
  for (const { service, signature, outcome } of bad) {
    if (signature === '' || outcome === 'slow' || found.has(signature)) continue
    const type = signature.slice(signature.indexOf(':') + 1)
    const isNew = type.startsWith('New') || type === 'CertificateExpired' || type === 'LockTimeout'
    const isRare = type.startsWith('Rare')
    const isBlip = type === 'ConnectionRefused'
    const random = new Random(stream.world.file.seed, seedOf(signature))
    found.set(signature, {
      service: stream.world.services[service]?.name ?? '',
      signature,
      earlierVersions: isNew ? 0 : isRare ? random.whole(2) : 3,
      atReleases: isBlip ? 9 : isNew ? 0 : random.whole(3),
      releases: 10,
    })
  }
  return [...found.values()]
}
