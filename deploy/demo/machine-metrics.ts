// Sends what the bank's machines use, as a Collector on each node would: OTLP/JSON over HTTP, names as its receivers
// have them (hostmetrics, kubeletstats, k8s_cluster; opentelemetry-collector-contrib). What is not taken is not sent
// again: the next figures are seconds away.

import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import { containers, nodeUsage, NODES, type Amount, type Running } from './machines.ts'
import { CLOUD_REGION, ENVIRONMENT, SERVICE_FACTS, clusterOf, type Site } from './topology.ts'

const EVERY_MS = 10_000
const SEND_TIMEOUT_MS = 5000

export interface MachineMetrics {
  close(): Promise<void>
}

export type MachineMetricsParts = {
  /** OTLP over HTTP, with `/v1/metrics` */
  readonly metricsUrl: string
  readonly running: () => readonly Running[]
  /** Machines of a site that is down say nothing. */
  readonly isUp: (site: Site) => boolean
  readonly clock: Clock
  readonly logger: Logger
}

export function openMachineMetrics({
  metricsUrl,
  running,
  isUp,
  clock,
  logger,
}: MachineMetricsParts): MachineMetrics {
  let isAway = false
  let underWay: Promise<void> = Promise.resolve()

  async function send(): Promise<void> {
    try {
      const reply = await fetch(metricsUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(machineRequest(running(), clock.now(), isUp)),
        signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
      })
      if (!reply.ok) throw new Error(`HTTP ${reply.status}: ${(await reply.text()).slice(0, 200)}`)
      isAway = false
    } catch (error) {
      if (!isAway)
        logger.warn({ err: error, metricsUrl }, 'metrics of the demo bank’s machines are not taken')
      isAway = true
    }
  }

  const timer = setInterval(() => {
    underWay = underWay.then(send)
  }, EVERY_MS)
  underWay = send()
  return {
    async close() {
      clearInterval(timer)
      await underWay
    },
  }
}

/** One ExportMetricsServiceRequest, as JSON, of all nodes and containers at an instant. */
export function machineRequest(
  running: readonly Running[],
  atMs: number,
  isUp: (site: Site) => boolean = () => true,
) {
  const timeUnixNano = `${Math.floor(atMs)}000000`
  const all = containers(running)
  const gauge = (
    name: string,
    unit: string,
    number: { asDouble: number } | { asInt: string },
    more = {},
  ) => ({
    name,
    unit,
    gauge: { dataPoints: [{ timeUnixNano, ...number, attributes: attributes(more) }] },
  })
  const cores = (name: string, { cpu }: Amount) => gauge(name, '{cpu}', { asDouble: round(cpu) })
  const bytes = (name: string, { memory }: Amount) => gauge(name, 'By', { asInt: String(Math.round(memory)) })
  const nodes = NODES.filter(({ site }) => isUp(site)).map((node) => {
    const usage = nodeUsage(node, all)
    const { allocatable } = node
    return resource({ ...place(node.site), 'k8s.node.name': node.name, 'host.name': node.name }, [
      cores('k8s.node.cpu.usage', usage),
      bytes('k8s.node.memory.working_set', usage),
      cores('k8s.node.allocatable_cpu', allocatable),
      bytes('k8s.node.allocatable_memory', allocatable),
      gauge(
        'system.cpu.utilization',
        '1',
        { asDouble: round(usage.cpu / allocatable.cpu) },
        { 'cpu.mode': 'user' },
      ),
      gauge(
        'system.memory.utilization',
        '1',
        { asDouble: round(usage.memory / allocatable.memory) },
        { 'system.memory.state': 'used' },
      ),
    ])
  })
  const pods = all.map(({ pod, service, site, node, usage, request, limit }) => {
    const { system } = SERVICE_FACTS[service]
    const of = {
      ...place(site),
      'k8s.node.name': node,
      'k8s.namespace.name': system,
      'k8s.deployment.name': service,
      'k8s.pod.name': pod,
      'k8s.container.name': service,
      'bank.system': system,
    }
    return resource(of, [
      cores('container.cpu.usage', usage),
      bytes('container.memory.working_set', usage),
      cores('k8s.container.cpu_request', request),
      cores('k8s.container.cpu_limit', limit),
      bytes('k8s.container.memory_request', request),
      bytes('k8s.container.memory_limit', limit),
    ])
  })
  return { resourceMetrics: [...nodes, ...pods] }
}

const place = (site: Site) => ({
  'deployment.environment.name': ENVIRONMENT,
  'bank.site': site,
  'cloud.region': CLOUD_REGION,
  'cloud.availability_zone': site,
  'k8s.cluster.name': clusterOf(site),
})

const attributes = (of: Readonly<Record<string, string>>) =>
  Object.entries(of).map(([key, stringValue]) => ({ key, value: { stringValue } }))

const resource = (of: Readonly<Record<string, string>>, metrics: readonly unknown[]) => ({
  resource: { attributes: attributes(of) },
  scopeMetrics: [{ scope: { name: 'demo-bank/machines' }, metrics }],
})

/** Thousandths are as exact as any of it is. */
const round = (value: number) => Math.round(value * 1000) / 1000
