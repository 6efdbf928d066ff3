// A quarter of an hour of a small bank as it would have been sent: customers' requests as traces through five services, releases as
// CDEvents, and a fault. Seeded; the newest request is a few seconds old.

import { buildReleaseEvent, type CloudEvent, type Release } from '../../deploy/demo/release-events.ts'
import { random, randomBytes, traceRequest, type ResourceInput, type SpanInput } from './otlp.ts'

const MINUTE = 60_000
export const STORY_MINUTES = 16
const PER_MINUTE = 80
const BRANCHES = ['0531-01', '0531-02', '0531-03', '0531-04', '0451-01', '0451-02', '0755-01', '0755-02']
const GRAY_BRANCHES = ['0531-01', '0531-02']
const SITES = ['sh-a', 'sh-b'] as const

const SYSTEMS = {
  'counter-bff': 'channel-counter',
  gateway: 'service-gateway',
  transfer: 'core-payment',
  limit: 'core-payment',
  ledger: 'core-ledger',
} as const
type Service = keyof typeof SYSTEMS
const SERVICES = Object.keys(SYSTEMS) as Service[]

const BASE: Readonly<Record<Service, string>> = {
  'counter-bff': '5.6.2',
  gateway: '4.8.1',
  transfer: '2.13.4',
  limit: '1.9.0',
  ledger: '6.2.3',
}

type Served = {
  readonly site: string
  readonly branch: string
  readonly version: (service: Service) => string
}

/** Which service of a request fails by itself, if any; callers above it pass the failure on. */
type Failing = (atMs: number, served: Served, draw: number) => Service | undefined

export type Story = {
  readonly traces: readonly Buffer[]
  readonly events: readonly CloudEvent[]
  /** What else tools tell: tickets, approvals. */
  readonly notes: readonly object[]
  readonly alarmAtMs: number
  /** What nobody may be told, however early. */
  readonly wrong: 'blamed' | 'not-a-rollout'
}

/** Two innocent releases by weight, and limit 1.10.0 at two branches, whose answers ledger refuses. */
export function faultyRelease(nowMs: number): Story {
  const limitAtMs = nowMs - 6 * MINUTE
  const releases = [
    innocent('transfer', '2.14.0', 30, nowMs - 9 * MINUTE),
    innocent('gateway', '4.9.0', 50, nowMs - 8 * MINUTE),
    release('limit', '1.10.0', { kind: 'branch', branches: [...GRAY_BRANCHES] }, limitAtMs),
  ]
  return {
    events: releases.map((one) => buildReleaseEvent(one)),
    notes: [approval('limit', limitAtMs - 10 * MINUTE)],
    traces: tracesOf(nowMs, releases, (atMs, served) =>
      atMs > limitAtMs && served.version('limit') === '1.10.0' ? 'ledger' : undefined,
    ),
    alarmAtMs: nowMs - 4 * MINUTE,
    wrong: 'not-a-rollout',
  }
}

/** An innocent release by weight while sh-a fails in three services, whatever version they run. */
export function siteFailure(nowMs: number): Story {
  const failsAtMs = nowMs - 5 * MINUTE
  const releases = [innocent('transfer', '2.14.0', 30, nowMs - 7 * MINUTE)]
  const struck = ['transfer', 'limit', 'ledger'] as const
  return {
    events: releases.map((one) => buildReleaseEvent(one)),
    notes: [],
    traces: tracesOf(nowMs, releases, (atMs, { site }, draw) =>
      atMs > failsAtMs && site === 'sh-a' && draw < 0.6 ? struck[Math.floor(draw * 5)] : undefined,
    ),
    alarmAtMs: nowMs - 4 * MINUTE,
    wrong: 'blamed',
  }
}

function release(service: Service, version: string, scope: Release['scope'], at: number): Release {
  return { action: 'deployed', service, version, previousVersion: BASE[service], scope, at }
}

function approval(service: Service, at: number): object {
  const type = 'dev.cdeventsx.itsm-approval.accepted.0.1.0'
  const timestamp = new Date(at).toISOString()
  const context = { specversion: '0.5.1', id: `approval of ${service}`, source: '/itsm', type, timestamp }
  const content = { approver: 'wang', service: { id: service } }
  return {
    specversion: '1.0',
    id: context.id,
    source: context.source,
    type,
    time: timestamp,
    datacontenttype: 'application/json',
    data: { context, subject: { id: 'CHG-1043', content } },
  }
}

const innocent = (service: Service, version: string, percent: number, at: number) =>
  release(service, version, { kind: 'weight', percent }, at)

function tracesOf(nowMs: number, releases: readonly Release[], failing: Failing): Buffer[] {
  const next = random(1)
  const requests: Buffer[] = []
  for (let minute = STORY_MINUTES; minute > 0; minute -= 1) {
    const spans = new Map<string, SpanInput[]>()
    for (let request = 0; request < PER_MINUTE; request += 1) {
      const atMs = nowMs - minute * MINUTE + (request * (MINUTE - 5000)) / PER_MINUTE
      for (const [seat, span] of oneTrace(atMs, releases, failing, next))
        spans.set(seat, [...(spans.get(seat) ?? []), span])
    }
    const resources: ResourceInput[] = [...spans].map(([seat, list]) => {
      const [service = '', version = '', site = ''] = seat.split(' ')
      return {
        attributes: {
          'service.name': service,
          'service.version': version,
          'service.instance.id': `${service}-${version}-${site}`,
          'deployment.environment.name': 'demo',
          'bank.system': SYSTEMS[service as Service],
          'bank.site': site,
          'k8s.cluster.name': `${site}-01`,
        },
        spans: list,
      }
    })
    requests.push(traceRequest(resources))
  }
  return requests
}

function oneTrace(
  atMs: number,
  releases: readonly Release[],
  failing: Failing,
  next: () => number,
): [string, SpanInput][] {
  const branch = BRANCHES[Math.floor(next() * BRANCHES.length)] ?? ''
  const site = SITES[Math.floor(next() * SITES.length)] ?? ''
  const versions = Object.fromEntries(
    SERVICES.map((service) => [service, versionFor(service, branch, atMs, releases, next())]),
  ) as Record<Service, string>
  const origin = failing(atMs, { site, branch, version: (service) => versions[service] }, next())
  const traceId = randomBytes(next, 16)
  let parentSpanId: Buffer | undefined
  return SERVICES.flatMap((service, depth): [string, SpanInput][] => {
    const isBad = origin !== undefined && depth <= SERVICES.indexOf(origin)
    const seatOf = (name: Service) => `${name} ${versions[name]} ${site}`
    const startNs = BigInt(Math.round(atMs + depth * 2)) * 1_000_000n
    const endNs = startNs + BigInt(Math.round((60 - depth * 10 + next() * 5) * 1e6))
    const span = (kind: number, extra: SpanInput['attributes']): SpanInput => {
      const spanId = randomBytes(next, 8)
      const made: SpanInput = {
        traceId,
        spanId,
        ...(parentSpanId === undefined ? {} : { parentSpanId }),
        name: 'POST /transfers',
        kind,
        startNs,
        endNs,
        attributes: {
          'http.request.method': 'POST',
          'http.response.status_code': isBad ? 500 : 200,
          ...extra,
        },
        statusCode: isBad ? 2 : 0,
      }
      parentSpanId = spanId
      return made
    }
    const caller = SERVICES[depth - 1]
    // Whoever calls says so, as instrumented clients do: else nobody knows that a failure was passed on.
    const call: [string, SpanInput][] =
      caller === undefined ? [] : [[seatOf(caller), span(3, { 'server.address': service })]]
    const served = span(2, {
      'http.route': '/transfers',
      'bank.channel': 'counter',
      'bank.branch': branch,
      'bank.region': branch.slice(0, 4),
      'bank.txn.code': 'TRF01',
    })
    return [...call, [seatOf(service), served]]
  })
}

function versionFor(
  service: Service,
  branch: string,
  atMs: number,
  releases: readonly Release[],
  draw: number,
): string {
  for (const one of releases) {
    if (one.service !== service || atMs < one.at) continue
    const { scope } = one
    if (scope.kind === 'branch' && scope.branches.includes(branch)) return one.version
    if (scope.kind === 'weight' && draw * 100 < scope.percent) return one.version
  }
  return BASE[service]
}
