// The machines of the demo bank: two nodes per site, one container per instance with what it asks for and may use. What a
// container uses follows the requests it really answers; each stands for many customers, so that two dozen requests a
// second load a bank's machines. Pure.

import { placeOf } from './random.ts'
import { SITES, clusterOf, type ServiceName, type Site } from './topology.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

/** Cores, and bytes. */
export type Amount = { readonly cpu: number; readonly memory: number }

export type Node = { readonly name: string; readonly site: Site; readonly allocatable: Amount }

export type Container = {
  readonly pod: string
  readonly service: ServiceName
  readonly site: Site
  readonly node: string
  readonly usage: Amount
  readonly request: Amount
  readonly limit: Amount
}

/** An instance as the bank knows it. */
export type Running = {
  readonly instanceId: string
  readonly service: ServiceName
  readonly site: Site
  /** Requests it answered per second, lately. */
  readonly requestsPerSecond: number
  readonly upSeconds: number
}

const NODES_PER_SITE = 2
const ALLOCATABLE: Amount = { cpu: 4, memory: 8 * GIB }
/** What a node needs for itself. */
export const SYSTEM: Amount = { cpu: 0.15, memory: 1.2 * GIB }

export const NODES: readonly Node[] = SITES.flatMap((site) =>
  Array.from({ length: NODES_PER_SITE }, (_, index) => ({
    name: `${clusterOf(site)}-node-${index + 1}`,
    site,
    allocatable: ALLOCATABLE,
  })),
)

export type Costs = { readonly secondsPerRequest: number; readonly memory: number; readonly request: Amount }
const ask = (cpu: number, mebibytes: number): Amount => ({ cpu, memory: mebibytes * MIB })
export const COSTS: Readonly<Record<ServiceName, Costs>> = {
  'mobile-bff': { secondsPerRequest: 0.02, memory: 310 * MIB, request: ask(0.5, 512) },
  'counter-bff': { secondsPerRequest: 0.02, memory: 280 * MIB, request: ask(0.5, 512) },
  gateway: { secondsPerRequest: 0.03, memory: 420 * MIB, request: ask(0.5, 512) },
  account: { secondsPerRequest: 0.025, memory: 610 * MIB, request: ask(0.5, 768) },
  transfer: { secondsPerRequest: 0.045, memory: 690 * MIB, request: ask(0.5, 768) },
  limit: { secondsPerRequest: 0.015, memory: 240 * MIB, request: ask(1, 1024) },
  ledger: { secondsPerRequest: 0.05, memory: 820 * MIB, request: ask(0.5, 1024) },
  'core-adapter': { secondsPerRequest: 0.04, memory: 380 * MIB, request: ask(0.25, 512) },
}
const LIMIT_OF_REQUEST = 2
const IDLE_CORES = 0.02
/** Memory fills up over this time after a start, as caches do. */
const WARM_UP_SECONDS = 600

export const limitOf = (request: Amount): Amount => ({
  cpu: request.cpu * LIMIT_OF_REQUEST,
  memory: request.memory * LIMIT_OF_REQUEST,
})

export function usageOf(
  { secondsPerRequest, memory, request }: Costs,
  requestsPerSecond: number,
  upSeconds: number,
) {
  const limit = limitOf(request)
  const warm = 0.6 + 0.4 * Math.min(1, upSeconds / WARM_UP_SECONDS)
  return {
    // A container at its limit is throttled: it never uses more.
    cpu: Math.min(limit.cpu, IDLE_CORES + requestsPerSecond * secondsPerRequest),
    memory: Math.min(limit.memory, Math.round(memory * warm + requestsPerSecond * 2 * MIB)),
  }
}

export function containers(running: readonly Running[]): Container[] {
  return running.map(({ instanceId, service, site, requestsPerSecond, upSeconds }) => {
    const { request } = COSTS[service]
    const index = Math.floor(placeOf(instanceId) * NODES_PER_SITE)
    return {
      pod: instanceId,
      service,
      site,
      node: `${clusterOf(site)}-node-${index + 1}`,
      usage: usageOf(COSTS[service], requestsPerSecond, upSeconds),
      request,
      limit: limitOf(request),
    }
  })
}

export function nodeUsage(node: Node, all: readonly Container[]): Amount {
  return all
    .filter((container) => container.node === node.name)
    .reduce((sum, { usage }) => ({ cpu: sum.cpu + usage.cpu, memory: sum.memory + usage.memory }), SYSTEM)
}
