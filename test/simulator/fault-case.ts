// A fault's case straight from a stream, as `gatherCase` would read it from the store. Proved equal to it on a sample by
// test/contracts/simulator.test.ts.

import {
  type CallerRow,
  type Candidate,
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
import type { Release } from '../../query/releases/release.ts'
import { Random, seedOf } from './random.ts'
import { DAY_MS, MINUTE_MS, stageAt } from './rollouts.ts'
import type { BadRequest, Stream } from './stream.ts'
import { simulatedOf } from './told.ts'
import type { World } from './world.ts'

export const LOOK_BACK_MINUTES = 90
const CANDIDATE_MS = 3 * DAY_MS
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
  const toMinute = Math.min(stream.minute, Math.floor(nowMs / MINUTE_MS))
  const isAffected = world.entries.map(
    ({ service, operation }) =>
      (fault.place.service === '' || fault.place.service === service) &&
      (fault.place.operation === '' || fault.place.operation === operation),
  )
  const reached = new Set(
    world.variants.filter(({ entry }) => isAffected[entry] === true).flatMap(({ path }) => path),
  )
  const known = releases
    .map((release) => ({ release, index: simulatedOf(world, stream.releases, release) }))
    .filter(
      ({ release, index }) =>
        index >= 0 &&
        reached.has(stream.releases[index]?.service ?? -1) &&
        release.readyAtMs !== undefined &&
        release.readyAtMs <= nowMs &&
        release.readyAtMs >= fault.alarmAtMs - CANDIDATE_MS,
    )
  const [from, to] = stream.rowsOf(fromMinute, toMinute)
  const rows = stream.rows.view(from, to)
  const earlier = dayBefore?.rowsOf(fromMinute - 1440, toMinute - 1440)
  const projected = project(
    stream,
    dayBefore,
    known.map(({ index }) => index),
  )
  const touchOf = (row: TraceRows, map: Int32Array): TraceRows => ({
    ...row,
    touch: row.touch.map((touch) => map[touch] ?? 0),
  })
  const mine = touchOf(rows, projected.own)
  const exposures = exposureOf(mine, projected.touches, known.length, fromMinute, toMinute)
  const bad = stream.badOf(fromMinute, toMinute)
  const stands = 1 / stream.sampledRatio
  const isLatency = fault.measure === 'latency'
  const kept = keptOf(stream)
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
    candidates: known.map(({ release, index }, number): Candidate => {
      const simulated = stream.releases[index]
      const stage = simulated === undefined ? undefined : stageAt(simulated, nowMs)
      const isVisible = simulated?.hasVersion === true || stage?.mask !== undefined
      return {
        release,
        isVisible,
        scopeCells: stage?.mask === undefined ? undefined : cellsOf(world, stage.mask),
        exposure: isVisible ? (exposures[number] ?? []) : [],
        isBeingRolledBack:
          !release.isReversible || release.state === 'rolled_back' || release.state === 'aborted',
      }
    }),
    touches: projected.touches,
    rows: mine,
    dayBefore:
      dayBefore === undefined || earlier === undefined
        ? undefined
        : touchOf(dayBefore.rows.view(...earlier), projected.before),
    failures: eachMinute(isLatency ? kept.slow : kept.failing, fromMinute, toMinute, (minute) =>
      failuresOf(world, stream, stream.badOf(minute, minute + 1), isLatency, stands),
    ),
    places: eachMinute(kept.places, fromMinute, toMinute, (minute) =>
      placesOf(stream, stream.badOf(minute, minute + 1), minute, minute + 1, stands),
    ),
    peers: eachMinute(kept.peers, fromMinute, toMinute, (minute) =>
      peersOf(stream, stream.badOf(minute, minute + 1), minute, minute + 1, stands),
    ),
    callers: callersOf(stream, bad, fromMinute, toMinute, stands),
    signatures: eachMinute(kept.signatures, fromMinute, toMinute, (minute) =>
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
  readonly slow: Map<number, FailureRow[]>
  readonly places: Map<number, PlaceRow[]>
  readonly peers: Map<number, PeerRow[]>
  readonly signatures: Map<number, SignatureRow[]>
}

// A minute that is over stays as it is: every look at a fault takes the same rows.
const keptBy = new WeakMap<Stream, Kept>()

function keptOf(stream: Stream): Kept {
  const known = keptBy.get(stream) ?? {
    failing: new Map<number, FailureRow[]>(),
    slow: new Map<number, FailureRow[]>(),
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

const cellsOf = (world: World, mask: Uint8Array): number[] =>
  world.cells.flatMap((_, cell) => (mask[cell % world.places.length] === 1 ? [cell] : []))

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

function exposureOf(
  rows: TraceRows,
  touches: readonly (readonly Touch[])[],
  candidates: number,
  fromMinute: number,
  toMinute: number,
): number[][] {
  const minutes = toMinute - fromMinute
  const byTouch = new Float64Array(minutes * touches.length)
  for (let row = 0; row < rows.length; row += 1) {
    const slot = ((rows.minute[row] ?? 0) - fromMinute) * touches.length + (rows.touch[row] ?? 0)
    byTouch[slot] = (byTouch[slot] ?? 0) + (rows.requests[row] ?? 0)
  }
  return Array.from({ length: candidates }, (_, candidate) =>
    Array.from({ length: minutes }, (__, minute) => {
      let fresh = 0
      let all = 0
      for (let touch = 0; touch < touches.length; touch += 1) {
        const code = touches[touch]?.[candidate] ?? 0
        if (code === 0) continue
        const count = byTouch[minute * touches.length + touch] ?? 0
        all += count
        if (code === 2) fresh += count
      }
      return all === 0 ? 0 : fresh / all
    }),
  )
}

const operationOf = (world: World, request: BadRequest): string => {
  const entry = world.entries[request.entry]
  const name = world.services[request.service]?.name ?? ''
  return entry?.service === name ? entry.operation : `${name}/handle`
}

function failuresOf(
  world: World,
  stream: Stream,
  bad: readonly BadRequest[],
  isLatency: boolean,
  stands: number,
): FailureRow[] {
  const found = new Map<string, { -readonly [Key in keyof FailureRow]: FailureRow[Key] }>()
  for (const request of bad) {
    if (!request.isTrace || (request.outcome === 'slow' || request.isAlsoSlow) !== isLatency) {
      if (!(request.isTrace && request.isAlsoSlow)) continue
    }
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
      operation: operationOf(world, request),
      peer: peer < 0 ? '' : (world.peers[peer]?.name ?? ''),
      site: world.sites[site] ?? '',
      zone,
      cluster,
      node: name,
      signature: isLatency ? '' : signature,
      count: stands,
    })
  }
  return [...found.values()]
}

function placesOf(
  stream: Stream,
  bad: readonly BadRequest[],
  fromMinute: number,
  toMinute: number,
  stands: number,
): PlaceRow[] {
  const { world } = stream
  const counts = new Map<number, { bad: number; slow: number }>()
  for (const { minute, version, node, outcome, isAlsoSlow, peer } of bad) {
    const key = (minute - fromMinute) * 1e8 + version * 1e4 + node
    const known = counts.get(key) ?? { bad: 0, slow: 0 }
    counts.set(key, known)
    // What a peer did not answer has failed below.
    if (peer < 0 && outcome !== 'slow' && outcome !== 'shed') known.bad += stands
    if (peer < 0 && (outcome === 'slow' || isAlsoSlow)) known.slow += stands
  }
  const rows: PlaceRow[] = []
  const sites = world.sites.length
  for (let minute = fromMinute; minute < toMinute; minute += 1) {
    const calls = stream.callsOf(minute)
    // Its own draws: the same whenever it is asked.
    const random = new Random(world.file.seed, minute, seedOf('places'))
    const totals = new Map<number, number>()
    for (let slot = 0; slot < calls.length; slot += 1) {
      const service = stream.versions[Math.floor(slot / sites)]?.service ?? 0
      totals.set(service, (totals.get(service) ?? 0) + (calls[slot] ?? 0))
    }
    for (let slot = 0; slot < calls.length; slot += 1) {
      const all = calls[slot] ?? 0
      if (all === 0) continue
      const version = Math.floor(slot / sites)
      const { service = 0, name = '' } = stream.versions[version] ?? {}
      const nodes = stream.nodesOf(version, slot % sites, all / Math.max(1, totals.get(service) ?? 1))
      let left = Math.round(all / stands)
      nodes.forEach((node, index) => {
        const { name: nodeName = '', zone = '', cluster = '', site = 0 } = world.nodes[node] ?? {}
        const draw = index === nodes.length - 1 ? left : random.binomial(left, 1 / (nodes.length - index))
        left -= draw
        const seen = counts.get((minute - fromMinute) * 1e8 + version * 1e4 + node)
        const requests = Math.max(draw * stands, (seen?.bad ?? 0) + (seen?.slow ?? 0))
        if (requests === 0) return
        rows.push({
          minute,
          service: world.services[service]?.name ?? '',
          version: name,
          site: world.sites[site] ?? '',
          zone,
          cluster,
          node: nodeName,
          requests,
          bad: seen?.bad ?? 0,
          slow: Math.min(
            requests,
            (seen?.slow ?? 0) + random.poisson(draw * world.file.latency.ownSlowRatio) * stands,
          ),
        })
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
