// What the world's machines used, one value a minute, as an OTLP request: names and resources as ../machine-metrics.ts
// sends them, usage by the same rule from the requests that a bank of this shape answers.

import { placeOf } from '../random.ts'
import { limitOf, SYSTEM, usageOf } from '../machines.ts'
import type { Cast, CastResource, CastStep } from './cast.ts'
import { clusterOf, instanceId, placeAttributes } from './place.ts'
import { noise } from './random.ts'
import { isOpen, trafficShare } from './shape.ts'
import { phaseAt } from './timeline.ts'
import { attribute, attributes, Bytes, field } from './wire.ts'

export type MetricRequest = { readonly bytes: Buffer; readonly points: number }

const MINUTE_MS = 60_000
const POINT_BYTES_MAX = 256
/** Usage differs from minute to minute by up to this share. */
const UNREST = 0.08

/** @returns a function of a stretch of minutes since 1970, the last one not included */
export function buildMetricWriter(
  cast: Cast,
  seed: number,
): (fromMinute: number, toMinute: number) => MetricRequest {
  const { world, timeline } = cast
  const visits = visitsOf(cast)
  const nodes = world.sites.flatMap((site) =>
    Array.from({ length: world.nodes.perSite }, (_, index) => {
      const name = `${clusterOf(site)}-node-${index + 1}`
      const of = { ...placeAttributes(world, site), 'k8s.node.name': name, 'host.name': name }
      return { name, board: buildBoard(attributes(1, of)) }
    }),
  )
  const containers = cast.resources.map((resource) => {
    const node = `${clusterOf(resource.site)}-node-${1 + Math.floor(placeOf(instanceId(resource)) * world.nodes.perSite)}`
    const of = {
      ...placeAttributes(world, resource.site),
      'k8s.node.name': node,
      'k8s.namespace.name': resource.system,
      'k8s.deployment.name': resource.service,
      'k8s.pod.name': instanceId(resource),
      'k8s.container.name': resource.service,
      'bank.system': resource.system,
    }
    const place = world.services.findIndex(({ name }) => name === resource.service)
    return { resource, place, node, board: buildBoard(attributes(1, of)) }
  })
  const boards = [...nodes, ...containers].map(({ board }) => board)

  function minute(at: number): void {
    const atMs = at * MINUTE_MS
    const perSecond = world.peakPerSecond * trafficShare(atMs)
    const open = isOpen(atMs)
    const used = new Map<string, { cpu: number; memory: number }>()
    for (const [index, { resource, place, node, board }] of containers.entries()) {
      const service = world.services[place]
      const share = shareOf(resource, atMs)
      if (service === undefined || share === undefined) continue
      const rate = perSecond * (visits[place]?.[open ? 'open' : 'shut'] ?? 0) * share.requests
      const unrest = 1 + UNREST * (noise(seed, at, index) - 0.5)
      const usage = usageOf(service.machine, (rate / world.sites.length) * unrest, share.upSeconds)
      const limit = limitOf(service.machine.request)
      board.double('container.cpu.usage', '{cpu}', atMs, thousandths(usage.cpu))
      board.whole('container.memory.working_set', 'By', atMs, Math.round(usage.memory))
      board.double('k8s.container.cpu_request', '{cpu}', atMs, service.machine.request.cpu)
      board.double('k8s.container.cpu_limit', '{cpu}', atMs, limit.cpu)
      board.whole('k8s.container.memory_request', 'By', atMs, service.machine.request.memory)
      board.whole('k8s.container.memory_limit', 'By', atMs, limit.memory)
      const sum = used.get(node) ?? SYSTEM
      used.set(node, { cpu: sum.cpu + usage.cpu, memory: sum.memory + usage.memory })
    }
    const { allocatable } = world.nodes
    for (const { name, board } of nodes) {
      const { cpu, memory } = used.get(name) ?? SYSTEM
      board.double('k8s.node.cpu.usage', '{cpu}', atMs, thousandths(cpu))
      board.whole('k8s.node.memory.working_set', 'By', atMs, Math.round(memory))
      board.double('k8s.node.allocatable_cpu', '{cpu}', atMs, allocatable.cpu)
      board.whole('k8s.node.allocatable_memory', 'By', atMs, allocatable.memory)
      board.double('system.cpu.utilization', '1', atMs, thousandths(cpu / allocatable.cpu), CPU_USER)
      board.double(
        'system.memory.utilization',
        '1',
        atMs,
        thousandths(memory / allocatable.memory),
        MEMORY_USED,
      )
    }
  }

  /** Share of the service's requests that this version answers; undefined while it does not run. */
  function shareOf({ service, version }: CastResource, atMs: number) {
    const { base, gray, fromMs } = phaseAt(timeline, service, atMs)
    const upSeconds = (atMs - fromMs) / 1000
    const grayShare =
      gray === undefined
        ? 0
        : gray.scope.kind === 'weight'
          ? gray.scope.percent / 100
          : gray.scope.branches.length / world.branches.length / 2
    if (version === gray?.version) return { requests: grayShare, upSeconds }
    return version === base ? { requests: 1 - grayShare, upSeconds } : undefined
  }

  return (fromMinute, toMinute) => {
    for (const board of boards) board.clear()
    for (let at = fromMinute; at < toMinute; at += 1) minute(at)
    const bytes = Buffer.concat(boards.flatMap((board) => board.request()))
    return { bytes, points: boards.reduce((sum, board) => sum + board.points(), 0) }
  }
}

const CPU_USER = attribute(7, 'cpu.mode', 'user')
const MEMORY_USED = attribute(7, 'system.memory.state', 'used')
const NOTHING = Buffer.alloc(0)
const thousandths = (value: number) => Math.round(value * 1000) / 1000

/** How often a request that enters the bank comes to each service, while counters are open and while not. */
function visitsOf(cast: Cast): { open: number; shut: number }[] {
  const visits = cast.world.services.map(() => ({ open: 0, shut: 0 }))
  for (const { openShare, shutShare, journeys } of cast.channels) {
    let before = 0
    for (const { entry, below } of journeys) {
      const share = below - before
      before = below
      const count = (step: CastStep): void => {
        const visit = visits[step.service]
        if (visit !== undefined) {
          visit.open += openShare * share
          visit.shut += shutShare * share
        }
        step.calls.forEach(count)
      }
      count(entry)
    }
  }
  return visits
}

/** The gauges of one resource. */
function buildBoard(resourceAttributes: Buffer) {
  const resource = field(1, resourceAttributes)
  const scope = field(1, field(1, 'demo-bank/machines'))
  const gauges = new Map<string, { readonly unit: string; readonly points: Bytes }>()
  let points = 0

  function point(name: string, unit: string, atMs: number, more: Uint8Array): Bytes {
    const gauge = gauges.get(name) ?? { unit, points: new Bytes() }
    gauges.set(name, gauge)
    const bytes = gauge.points
    bytes.reserve(POINT_BYTES_MAX)
    bytes.byte(0x0a)
    bytes.byte(more.length + 18)
    bytes.put(more)
    bytes.origin(atMs)
    bytes.byte(0x19)
    bytes.instant(0)
    points += 1
    return bytes
  }

  return {
    points: () => points,
    clear() {
      points = 0
      for (const gauge of gauges.values()) gauge.points.clear()
    },
    /** @param more attributes, as bytes */
    double(name: string, unit: string, atMs: number, value: number, more: Uint8Array = NOTHING) {
      const bytes = point(name, unit, atMs, more)
      bytes.byte(0x21)
      bytes.double(value)
    },
    whole(name: string, unit: string, atMs: number, value: number) {
      const bytes = point(name, unit, atMs, NOTHING)
      bytes.byte(0x31)
      bytes.whole(value)
    },
    request(): Buffer[] {
      const metrics = [...gauges].flatMap(([name, gauge]) =>
        gauge.points.length === 0
          ? []
          : [field(2, Buffer.concat([field(1, name), field(3, gauge.unit), field(5, gauge.points.view())]))],
      )
      return metrics.length === 0
        ? []
        : [field(1, Buffer.concat([resource, field(2, Buffer.concat([scope, ...metrics]))]))]
    },
  }
}
