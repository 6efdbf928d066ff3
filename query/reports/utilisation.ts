// What nodes and containers use, against what they have, asked for and may use. From the newest sample of each series,
// under the names that the Collector's receivers give (kubeletstats, k8s_cluster), older and newer spellings alike.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { UtilisationReply } from '../http/schemas.ts'
import { iso } from '../time-range.ts'

type Amounts = { cpu: number | null; memory: number | null }

// Metric → of what, which figure of it, in which dimension.
const NODE = 'node'
const CONTAINER = 'container'
type Meaning = readonly [
  of: typeof NODE | typeof CONTAINER,
  figure: 'usage' | 'capacity' | 'request' | 'limit',
  dimension: keyof Amounts,
]
export const METRICS: Readonly<Record<string, Meaning>> = {
  'k8s.node.cpu.usage': [NODE, 'usage', 'cpu'],
  'k8s.node.memory.working_set': [NODE, 'usage', 'memory'],
  'k8s.node.allocatable_cpu': [NODE, 'capacity', 'cpu'],
  'k8s.node.cpu.allocatable': [NODE, 'capacity', 'cpu'],
  'k8s.node.allocatable_memory': [NODE, 'capacity', 'memory'],
  'k8s.node.memory.allocatable': [NODE, 'capacity', 'memory'],
  'container.cpu.usage': [CONTAINER, 'usage', 'cpu'],
  'container.memory.working_set': [CONTAINER, 'usage', 'memory'],
  'k8s.container.cpu_request': [CONTAINER, 'request', 'cpu'],
  'k8s.container.cpu.request': [CONTAINER, 'request', 'cpu'],
  'k8s.container.cpu_limit': [CONTAINER, 'limit', 'cpu'],
  'k8s.container.cpu.limit': [CONTAINER, 'limit', 'cpu'],
  'k8s.container.memory_request': [CONTAINER, 'request', 'memory'],
  'k8s.container.memory.request': [CONTAINER, 'request', 'memory'],
  'k8s.container.memory_limit': [CONTAINER, 'limit', 'memory'],
  'k8s.container.memory.limit': [CONTAINER, 'limit', 'memory'],
}

/** A figure older than this is not now. */
const NOW_MS = 5 * 60_000
const ROWS_MAX = 500

const count = z.coerce.number()
const newest = statement(
  new URL('./metric-utilisation.sql', import.meta.url),
  z.object({ from: z.number().int(), to: z.number().int(), metrics: z.array(z.string()) }),
  z.object({
    metric: z.string(),
    value: count,
    at: count,
    site: z.string(),
    zone: z.string(),
    cluster: z.string(),
    node: z.string(),
    host: z.string(),
    namespace: z.string(),
    pod: z.string(),
    container: z.string(),
  }),
)

type Place = { site: string; zone: string; cluster: string; node: string; at: string }
type NodeItem = UtilisationReply['nodes'][number]
type ContainerItem = UtilisationReply['containers'][number]

export async function utilisation(store: Store, nowMs: number): Promise<UtilisationReply> {
  const range = { from: nowMs - NOW_MS, to: nowMs }
  const rows = await store.ask(newest, { ...range, metrics: Object.keys(METRICS) })
  const nodes = new Map<string, NodeItem>()
  const containers = new Map<string, ContainerItem>()
  for (const row of rows) {
    const meaning = METRICS[row.metric]
    if (meaning === undefined) continue
    const [of, figure, dimension] = meaning
    const node = row.node === '' ? row.host : row.node
    const place: Place = { site: row.site, zone: row.zone, cluster: row.cluster, node, at: iso(row.at) }
    if (of === NODE) {
      if (node === '') continue
      const item = entry(nodes, `${row.cluster}\n${node}`, () => ({
        ...place,
        usage: none(),
        capacity: none(),
      }))
      if (figure === 'usage' || figure === 'capacity') item[figure][dimension] = row.value
    } else {
      if (row.pod === '' && row.container === '') continue
      const item = entry(containers, [row.cluster, row.namespace, row.pod, row.container].join('\n'), () => ({
        ...place,
        namespace: row.namespace,
        pod: row.pod,
        container: row.container,
        usage: none(),
        request: none(),
        limit: none(),
      }))
      // Requests and limits come from another receiver, which may not know the node.
      if (item.node === '') item.node = node
      if (figure !== 'capacity') item[figure][dimension] = row.value
    }
  }
  // Requests of a container that ended stay a while; without usage it is not there.
  const used = [...containers.values()].filter(({ usage }) => usage.cpu !== null || usage.memory !== null)
  const fullest = (of: Amounts, against: Amounts) =>
    Math.max(share(of.cpu, against.cpu) ?? 0, share(of.memory, against.memory) ?? 0)
  return {
    at: iso(nowMs),
    nodes: [...nodes.values()]
      .sort((a, b) => fullest(b.usage, b.capacity) - fullest(a.usage, a.capacity))
      .slice(0, ROWS_MAX),
    containers: used.sort((a, b) => fullest(b.usage, b.limit) - fullest(a.usage, a.limit)).slice(0, ROWS_MAX),
    nodeCount: nodes.size,
    containerCount: used.length,
  }
}

const none = (): Amounts => ({ cpu: null, memory: null })

function entry<Item>(items: Map<string, Item>, key: string, build: () => Item): Item {
  const known = items.get(key)
  if (known !== undefined) return known
  const item = build()
  items.set(key, item)
  return item
}

function share(used: number | null, of: number | null): number | null {
  return used === null || of === null || of <= 0 ? null : used / of
}
