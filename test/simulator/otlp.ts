// The same draws as real OTLP: every request of a stream as a trace of SERVER and CLIENT spans, an ExportTraceServiceRequest a minute.
// For worlds of moderate size: a trace here is a trace, not a count.

import { traceRequest, type Attributes, type ResourceInput, type SpanInput } from '../support/otlp.ts'
import { callOf, nodeCounts, operationOf } from './fault-case.ts'
import { Random } from './random.ts'
import { MINUTE_MS } from './rollouts.ts'
import type { BadRequest, RequestGroup, Stream } from './stream.ts'

const NS_PER_MS = 1_000_000
const OWN_SHARE = 0.1
/** Slow requests take so many times the entry's usual time longer. */
const SLOW_TIMES = 6
const PEER_MS = 2

type Deck = Map<number, number[]>

/** @returns the request of each minute, in order; groups are those that the stream told of */
export function* otlpOf(
  stream: Stream,
  groups: readonly RequestGroup[],
): Generator<{ readonly minute: number; readonly bytes: Buffer }> {
  const byMinute = Map.groupBy(groups, ({ minute }) => minute)
  for (const [minute, list] of byMinute) {
    const writer = new MinuteWriter(stream, minute)
    for (const group of list) writer.add(group)
    yield { minute, bytes: traceRequest(writer.resources()) }
  }
}

class MinuteWriter {
  readonly #stream: Stream
  readonly #minute: number
  readonly #random: Random
  /** Nodes that are left to serve, by version × site. */
  readonly #deck: Deck
  readonly #spans = new Map<string, { readonly attributes: Attributes; readonly spans: SpanInput[] }>()
  #ids = 0

  constructor(stream: Stream, minute: number) {
    this.#stream = stream
    this.#minute = minute
    this.#random = new Random(stream.world.file.seed, minute, 23)
    this.#deck = deckOf(stream, minute)
  }

  add(group: RequestGroup): void {
    const bad = this.#stream.bad.slice(group.badFrom, group.badTo)
    const traces = bad.filter(({ isTrace }) => isTrace)
    for (const request of traces) this.#trace(group, request, false)
    for (let left = group.count - traces.length, rejects = group.rejects; left > 0; left -= 1, rejects -= 1)
      this.#trace(group, undefined, rejects > 0)
  }

  resources(): ResourceInput[] {
    return [...this.#spans.values()]
  }

  #trace(group: RequestGroup, bad: BadRequest | undefined, isReject: boolean): void {
    const { world } = this.#stream
    const variant = world.variants[group.variant]
    const entry = world.entries[variant?.entry ?? 0]
    if (variant === undefined || entry === undefined) return
    const site = world.places[group.place]?.site ?? 0
    const random = this.#random
    const traceId = this.#id(16)
    const startMs = this.#minute * MINUTE_MS + random.between(500, 50_000)
    const originAt = bad === undefined ? -1 : Math.max(0, variant.placeOf[bad.service] ?? 0)
    const isFailed = bad !== undefined && bad.outcome !== 'slow'
    const isSlow = bad !== undefined && (bad.outcome === 'slow' || bad.isAlsoSlow)
    const failing = new Set<number>()
    if (isFailed) for (let at = originAt; at >= 0; at = variant.parents[at] ?? -1) failing.add(at)
    const nodes = variant.path.map((_, at) => {
      const slot = (group.versions[at] ?? 0) * world.sites.length + site
      return at === originAt && bad !== undefined ? bad.node : (this.#deck.get(slot)?.pop() ?? 0)
    })
    const children = variant.path.map((_, at) =>
      variant.parents.flatMap((parent, child) => (parent === at ? [child] : [])),
    )
    const write = (at: number, beginMs: number, parentId: Buffer | undefined): number => {
      const spanId = this.#id(8)
      const service = variant.path[at] ?? 0
      let clock = beginMs + entry.usualMs * OWN_SHARE * random.between(0.4, 0.6)
      for (const peer of world.services[service]?.peers ?? []) {
        const isHit = at === originAt && bad?.peer === peer
        const tookMs = PEER_MS + (isHit && isSlow ? entry.usualMs * SLOW_TIMES : 0)
        this.#span(nodes[at] ?? 0, group.versions[at] ?? 0, {
          traceId,
          spanId: this.#id(8),
          parentSpanId: spanId,
          name: callOf(world, peer),
          kind: 3,
          startNs: ns(clock),
          endNs: ns(clock + tookMs),
          attributes: peerAttributes(world.peers[peer]),
          ...(isHit && isFailed
            ? { statusCode: 2, statusMessage: 'no answer', events: exceptionOf(bad, clock + tookMs) }
            : {}),
        })
        clock += tookMs
      }
      if (at === originAt && isSlow && bad?.peer === -1) clock += entry.usualMs * SLOW_TIMES
      for (const child of children[at] ?? []) {
        const callId = this.#id(8)
        const endMs = write(child, clock + 0.1, callId)
        this.#span(nodes[at] ?? 0, group.versions[at] ?? 0, {
          traceId,
          spanId: callId,
          parentSpanId: spanId,
          name: 'POST',
          kind: 3,
          startNs: ns(clock),
          endNs: ns(endMs + 0.1),
          attributes: {
            'http.request.method': 'POST',
            'server.address': world.services[variant.path[child] ?? 0]?.name ?? '',
            'http.response.status_code': failing.has(child) ? 500 : 200,
          },
          ...(failing.has(child) ? { statusCode: 2 } : {}),
        })
        clock = endMs + 0.2
      }
      const endMs = clock + entry.usualMs * OWN_SHARE * random.between(0.4, 0.6)
      const code = failing.has(at)
        ? bad?.outcome === 'shed' && at === originAt
          ? 429
          : 500
        : at === 0 && isReject
          ? 422
          : 200
      const place = world.places[group.place]
      this.#span(nodes[at] ?? 0, group.versions[at] ?? 0, {
        traceId,
        spanId,
        ...(parentId === undefined ? {} : { parentSpanId: parentId }),
        name: operationOf(world, { entry: variant.entry, service }),
        kind: 2,
        startNs: ns(beginMs),
        endNs: ns(endMs),
        attributes: {
          'http.request.method': 'POST',
          'http.response.status_code': code,
          'bank.channel': entry.channel,
          'bank.region': place?.region ?? '',
          'bank.branch': place?.branch ?? '',
          'bank.teller': place?.teller ?? '',
          ...(at === 0 ? { 'bank.txn.code': entry.txnCode } : {}),
          ...(failing.has(at) && bad?.outcome === 'business' ? { 'bank.return.code': 'BUS9001' } : {}),
        },
        ...(failing.has(at) ? { statusCode: 2 } : {}),
        ...(at === originAt && isFailed && bad?.peer === -1 ? { events: exceptionOf(bad, endMs) } : {}),
      })
      return endMs
    }
    write(0, startMs, undefined)
  }

  #span(node: number, version: number, span: SpanInput): void {
    const key = `${String(version)}|${String(node)}`
    const known = this.#spans.get(key)
    if (known !== undefined) {
      known.spans.push(span)
      return
    }
    const { world, versions } = this.#stream
    const { service = 0, name = '' } = versions[version] ?? {}
    const { name: nodeName = '', zone = '', cluster = '', site = 0 } = world.nodes[node] ?? {}
    this.#spans.set(key, {
      attributes: {
        'service.name': world.services[service]?.name ?? '',
        'service.version': name,
        'service.instance.id': `${world.services[service]?.name ?? ''}-${nodeName}`,
        'bank.system': world.services[service]?.system ?? '',
        'bank.site': world.sites[site] ?? '',
        'cloud.availability_zone': zone,
        'k8s.cluster.name': cluster,
        'k8s.node.name': nodeName,
      },
      spans: [span],
    })
  }

  #id(length: number): Buffer {
    this.#ids += 1
    const id = Buffer.alloc(length, 0x5a)
    id.writeUInt32BE(this.#minute % 2 ** 32, 0)
    id.writeUInt32BE(this.#ids, length - 4)
    // The first bytes sort ids by time; the lowest must differ as hashes do.
    id.writeUInt8((this.#ids * 151) % 256, length - 5 >= 4 ? length - 5 : 3)
    return id
  }
}

/** As the service tells it, a tenth of a millisecond before its span ends. */
function exceptionOf({ signature }: BadRequest, endMs: number): NonNullable<SpanInput['events']> {
  const [service = '', type = ''] = signature.split(':')
  return [
    {
      atNs: ns(endMs - 0.1),
      name: 'exception',
      attributes: { 'exception.type': `${type}Exception`, 'exception.message': `${type} in ${service}` },
    },
  ]
}

const ns = (ms: number): bigint => BigInt(Math.round(ms * NS_PER_MS))

function peerAttributes(peer: { readonly name: string; readonly kind: string } | undefined): Attributes {
  const name = peer?.name ?? ''
  if (peer?.kind === 'database')
    return { 'db.system.name': 'postgresql', 'db.namespace': name, 'server.address': name }
  if (peer?.kind === 'queue')
    return { 'messaging.system': 'kafka', 'messaging.destination.name': name, 'server.address': name }
  return { 'http.request.method': 'POST', 'server.address': name, 'peer.service': name }
}

/** Nodes in any order, each as often as it serves, without those that the bad requests are on already. */
function deckOf(stream: Stream, minute: number): Deck {
  const { world } = stream
  const deck: Deck = new Map()
  const random = new Random(world.file.seed, minute, 29)
  const taken = new Map<string, number>()
  for (const { version, node, isTrace } of stream.badOf(minute, minute + 1)) {
    if (!isTrace) continue
    const key = `${String(version)}|${String(node)}`
    taken.set(key, (taken.get(key) ?? 0) + 1)
  }
  for (const [slot, nodes] of nodeCounts(stream, minute)) {
    const version = Math.floor(slot / world.sites.length)
    const list = [...nodes].flatMap(([node, { requests }]) =>
      Array.from({ length: requests - (taken.get(`${String(version)}|${String(node)}`) ?? 0) }, () => node),
    )
    deck.set(slot, random.shuffled(list))
  }
  return deck
}
