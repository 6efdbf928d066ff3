// A world, as its file describes it: services, who calls whom, where requests come from, how many and how well. Loaded and laid out
// in arrays here; what happens in it (releases, incidents) is made elsewhere.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { Cell, Entry, PeerRow } from '../../query/blame/case.ts'
import { Random, seedOf } from './random.ts'

export const INCIDENT_CLASSES = [
  'R1',
  'R2',
  'R3',
  'R4',
  'R5',
  'R6',
  'R7',
  'R8',
  'F1',
  'F2',
  'F3',
  'F4',
  'F5',
] as const
export type IncidentClass = (typeof INCIDENT_CLASSES)[number]

const ratio = z.number().min(0).max(1)
const pair = z.tuple([z.number(), z.number()])
const WorldFile = z.strictObject({
  name: z.string(),
  seed: z.int(),
  timeZoneHours: z.number(),
  sites: z
    .array(
      z.strictObject({
        name: z.string(),
        cluster: z.string(),
        zones: z.array(z.string()).min(1),
        nodesPerZone: z.int().min(1),
      }),
    )
    .min(1),
  regions: z
    .array(
      z.strictObject({
        name: z.string(),
        site: z.string(),
        share: z.number().positive(),
        branches: z.int().min(1),
      }),
    )
    .min(1),
  tellerGroups: z.int().min(1),
  volume: z.strictObject({
    requestsPerMinute: z.number().positive(),
    cellSigma: z.number().min(0),
    dayNightRatio: z.number().min(1),
    weekend: z.number().positive(),
    monthEnd: z.number().positive(),
    minuteSigma: z.number().min(0),
  }),
  errors: z.strictObject({
    low: ratio,
    high: ratio,
    minuteSigma: z.number().min(0),
    /** Places have more or fewer of them. */
    placeSigma: z.number().min(0),
    burstRatio: ratio,
    burstFactor: z.number().min(1),
  }),
  latency: z.strictObject({ slowRatio: ratio, minuteSigma: z.number().min(0), ownSlowRatio: ratio }),
  rejects: z.strictObject({ low: ratio, high: ratio }),
  peers: z.array(z.strictObject({ name: z.string(), kind: z.enum(['database', 'external', 'queue']) })),
  services: z
    .array(
      z.strictObject({
        name: z.string(),
        system: z.string(),
        instances: z.int().min(1),
        peers: z.array(z.string()).default([]),
      }),
    )
    .min(1),
  entries: z
    .array(
      z.strictObject({
        service: z.string(),
        operation: z.string(),
        txnCode: z.string(),
        channel: z.string(),
        share: z.number().positive(),
        variants: z
          .array(z.strictObject({ share: z.number().positive(), calls: z.array(z.string()) }))
          .min(1),
      }),
    )
    .min(1),
  retries: z.array(z.strictObject({ edge: z.string(), share: ratio })),
  timeoutRatio: ratio,
  circuitBreaker: z.strictObject({ failing: ratio, requests: z.number(), shed: ratio }),
  clients: z.array(
    z.strictObject({
      channel: z.string(),
      kind: z.enum(['client_version', 'caller']),
      names: z.array(z.string()),
      shares: z.array(z.number()),
    }),
  ),
  releases: z.strictObject({
    perDay: pair,
    skewSeconds: z.number(),
    lateRatio: ratio,
    lateMinutes: z.number(),
    duplicateRatio: ratio,
    missingRatio: ratio,
    aliasRatio: ratio,
    orderSizes: pair,
    blipRatio: ratio,
  }),
  incidents: z.strictObject({
    perSeed: z.int().min(1),
    classes: z.record(z.enum(INCIDENT_CLASSES), ratio),
    innocents: pair,
    nearOnsetRatio: ratio,
    samePathRatio: ratio,
    sameServiceRatio: ratio,
    /** Of innocents near the onset: those that go out for the same people as the culprit. */
    sameOrderRatio: ratio,
    strength: pair,
  }),
})
export type WorldFile = z.infer<typeof WorldFile>

export type WorldNode = {
  readonly name: string
  readonly site: number
  readonly zone: string
  readonly cluster: string
}

export type WorldService = {
  readonly index: number
  readonly name: string
  readonly system: string
  /** Nodes by site, one per instance. */
  readonly nodes: readonly (readonly number[])[]
  readonly peers: readonly number[]
  readonly signatures: readonly string[]
}

/** One way that requests of an entry take. */
export type Variant = {
  readonly index: number
  readonly entry: number
  readonly share: number
  /** Services in the order they are called, the entry's own first. */
  readonly path: readonly number[]
  /** Place in `path` of the caller; −1 for the first. */
  readonly parents: readonly number[]
  /** Place of a service in `path`, by service; −1 when it is not called. */
  readonly placeOf: Int32Array
  /** Share of the entry's own errors by place. */
  readonly errorWeights: Float64Array
  /** Chance that a failed call is tried again, by place of the callee. */
  readonly retries: Float64Array
}

export type WorldEntry = Entry & {
  readonly channel: string
  /** Index of its first cell; `places` follow. */
  readonly cellBase: number
  readonly errorRatio: number
  readonly rejectRatio: number
  readonly usualMs: number
  readonly variants: readonly number[]
  /** Requests a minute by place, on an average minute. */
  readonly rates: Float64Array
  /** Times the entry's share of errors, by place; weighed by rates 1 on average. */
  readonly errorFactors: Float64Array
}

export type World = {
  readonly file: WorldFile
  readonly nodes: readonly WorldNode[]
  readonly sites: readonly string[]
  readonly services: readonly WorldService[]
  readonly serviceOf: ReadonlyMap<string, number>
  readonly peers: readonly { readonly name: string; readonly kind: PeerRow['kind'] }[]
  readonly entries: readonly WorldEntry[]
  readonly variants: readonly Variant[]
  /** Region × branch × teller group, without the channel. */
  readonly places: readonly {
    readonly region: string
    readonly branch: string
    readonly teller: string
    readonly site: number
  }[]
  /** Channel × place. */
  readonly cells: readonly Cell[]
  readonly calls: readonly (readonly [string, string])[]
  readonly systems: Readonly<Record<string, string>>
}

const TYPES = [
  'SocketTimeout',
  'NullPointer',
  'ConnectionReset',
  'IllegalState',
  'SqlTransient',
  'PoolExhausted',
]

/** @throws Error naming the file and the place in it when it does not describe a world */
export function loadWorld(file: URL | string): World {
  const read = WorldFile.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!read.success)
    throw new Error(`${String(file)} is no description of a world:\n${z.prettifyError(read.error)}`)
  return buildWorld(read.data)
}

export function buildWorld(file: WorldFile): World {
  const random = new Random(file.seed, 1)
  const sites = file.sites.map(({ name }) => name)
  const nodes = file.sites.flatMap((site, index) =>
    site.zones.flatMap((zone) =>
      Array.from({ length: site.nodesPerZone }, (_, node) => ({
        name: `${zone}-n${String(node + 1)}`,
        site: index,
        zone,
        cluster: site.cluster,
      })),
    ),
  )
  const peerOf = new Map(file.peers.map(({ name }, index) => [name, index]))
  const serviceOf = new Map(file.services.map(({ name }, index) => [name, index]))
  const need = (map: ReadonlyMap<string, number>, name: string, what: string): number => {
    const found = map.get(name)
    if (found === undefined) throw new Error(`World «${file.name}»: there is no ${what} «${name}».`)
    return found
  }
  const services = file.services.map((service, index): WorldService => {
    const draw = new Random(file.seed, seedOf(service.name))
    return {
      index,
      name: service.name,
      system: service.system,
      nodes: sites.map((_, site) => {
        const mine = draw.shuffled(nodes.flatMap((node, number) => (node.site === site ? [number] : [])))
        const count = Math.max(1, Math.round(service.instances / sites.length))
        return Array.from({ length: count }, (__, number) => mine[number % mine.length] ?? 0)
      }),
      peers: service.peers.map((name) => need(peerOf, name, 'peer')),
      signatures: draw
        .shuffled(TYPES)
        .slice(0, 3)
        .map((type) => `${service.name}:${type}`),
    }
  })
  const places = file.regions.flatMap((region) =>
    Array.from({ length: region.branches }, (_, branch) => branch).flatMap((branch) =>
      Array.from({ length: file.tellerGroups }, (_, teller) => ({
        region: region.name,
        branch: `${region.name}-${String(branch + 1).padStart(2, '0')}`,
        teller: `T${String(teller + 1)}`,
        site: need(new Map(sites.map((name, index) => [name, index])), region.site, 'site'),
      })),
    ),
  )
  const channels = [...new Set(file.entries.map(({ channel }) => channel))]
  const cells = channels.flatMap((channel) =>
    places.map((place) => ({
      channel,
      site: sites[place.site] ?? '',
      region: place.region,
      branch: place.branch,
      teller: place.teller,
    })),
  )
  const regionShare = new Map(
    file.regions.map(({ name, share, branches }) => [name, share / branches / file.tellerGroups]),
  )
  const retries = new Map(file.retries.map(({ edge, share }) => [edge, share]))
  const variants: Variant[] = []
  const entries = file.entries.map((entry, index): WorldEntry => {
    const numbers = entry.variants.map((variant) => {
      const path = [need(serviceOf, entry.service, 'service')]
      const parents = [-1]
      const again = [0]
      for (const call of variant.calls) {
        const [from = '', to = ''] = call.split('>')
        const parent = path.indexOf(need(serviceOf, from, 'service'))
        if (parent < 0)
          throw new Error(
            `World «${file.name}», entry «${entry.operation}»: «${call}» comes before its caller.`,
          )
        path.push(need(serviceOf, to, 'service'))
        parents.push(parent)
        again.push(retries.get(call) ?? 0)
      }
      const placeOf = new Int32Array(services.length).fill(-1)
      path.forEach((service, place) => (placeOf[service] = place))
      const number = variants.length
      variants.push({
        index: number,
        entry: index,
        share: variant.share,
        path,
        parents,
        placeOf,
        errorWeights: Float64Array.from(path, () => random.logNormal(1, 1)),
        retries: Float64Array.from(again),
      })
      return number
    })
    const weights = places.map(
      ({ region }) => (regionShare.get(region) ?? 0) * random.logNormal(1, file.volume.cellSigma),
    )
    const sum = weights.reduce((total, weight) => total + weight, 0)
    const factors = places.map(() => random.logNormal(1, file.errors.placeSigma))
    const average = factors.reduce(
      (total, factor, place) => total + factor * ((weights[place] ?? 0) / sum),
      0,
    )
    return {
      service: entry.service,
      operation: entry.operation,
      txnCode: entry.txnCode,
      channel: entry.channel,
      cellBase: channels.indexOf(entry.channel) * places.length,
      errorRatio: random.logBetween(file.errors.low, file.errors.high),
      rejectRatio: random.logBetween(file.rejects.low, file.rejects.high),
      errorFactors: Float64Array.from(factors, (factor) => factor / average),
      usualMs: Math.round(random.logBetween(40, 400)),
      variants: numbers,
      rates: Float64Array.from(
        weights,
        (weight) => (weight / sum) * entry.share * file.volume.requestsPerMinute,
      ),
    }
  })
  const edges = new Map<string, readonly [string, string]>()
  for (const { path, parents } of variants)
    path.forEach((callee, place) => {
      const caller = path[parents[place] ?? -1]
      if (caller === undefined) return
      const edge = [services[caller]?.name ?? '', services[callee]?.name ?? ''] as const
      edges.set(edge.join('>'), edge)
    })
  return {
    file,
    nodes,
    sites,
    services,
    serviceOf,
    peers: file.peers,
    entries,
    variants,
    places,
    cells,
    calls: [...edges.values()],
    systems: Object.fromEntries(services.map(({ name, system }) => [name, system])),
  }
}

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** How many times the average the whole world's traffic is at an instant: hour of day, weekend, month end. */
export function trafficFactor(world: World, atMs: number): number {
  const { volume, timeZoneHours } = world.file
  const local = new Date(atMs + timeZoneHours * HOUR_MS)
  const hour = local.getUTCHours() + local.getUTCMinutes() / 60
  const swing = Math.log(volume.dayNightRatio) / 2
  const day = local.getUTCDay()
  const isWeekend = day === 0 || day === 6
  const isMonthEnd = new Date(local.getTime() + 2 * DAY_MS).getUTCMonth() !== local.getUTCMonth()
  return (
    0.86 *
    Math.exp(swing * Math.cos((2 * Math.PI * (hour - 14)) / 24)) *
    (isWeekend ? volume.weekend : 1) *
    (isMonthEnd ? volume.monthEnd : 1)
  )
}
