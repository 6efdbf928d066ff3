// The map of a range: services and peers as nodes, calls as edges. Calls are derived a minute after they happened
// (ingest/derived/), so the newest minute or two are missing.

import { z } from 'zod'
import { statement, type Store } from '../../ingest/store/store.ts'
import type { MapEdge, MapNode, MapReply } from '../http/schemas.ts'
import { floorTo, iso, sqlSecond, type TimeRange } from '../time-range.ts'

const range = z.object({ from: z.string(), to: z.string() })
const inTraffic = range.extend({ traffic: z.string(), limit: z.number().int() })
const count = z.coerce.number()
const EdgeRow = z.object({
  caller: z.string(),
  callee: z.string(),
  peer: z.string(),
  calls: count,
  failed: count,
  callee_failed: count,
  caller_p95: z.number().nullable(),
  callee_p95: z.number().nullable(),
})
export type EdgeRow = z.infer<typeof EdgeRow>
const NodeRow = z.object({ service: z.string(), requests: count, failed: count })
export type NodeRow = z.infer<typeof NodeRow>
const edges = statement(new URL('./map-edges.sql', import.meta.url), inTraffic, EdgeRow)
const nodes = statement(new URL('./map-nodes.sql', import.meta.url), inTraffic, NodeRow)
const derived = statement(
  new URL('./map-derived.sql', import.meta.url),
  range,
  z.object({ until: count, minutes: count }),
)

const MINUTE_MS = 60_000

const LIMIT = 2000

/**
 * @param within  the whole minutes that it touches are shown
 * @param limit   services, and edges, at most
 */
export async function serviceMap(
  store: Pick<Store, 'ask'>,
  within: TimeRange,
  traffic: string,
  limit = LIMIT,
): Promise<MapReply> {
  const fromMs = floorTo(within.fromMs, MINUTE_MS)
  const asked = { from: sqlSecond(fromMs), to: sqlSecond(within.toMs) }
  const [edgeRows, nodeRows, [known]] = await Promise.all([
    store.ask(edges, { ...asked, traffic, limit }, { lane: 'heavy' }),
    store.ask(nodes, { ...asked, traffic, limit }, { lane: 'heavy' }),
    store.ask(derived, asked),
  ])
  const until = known?.until ?? 0
  return {
    from: iso(fromMs),
    to: iso(within.toMs),
    derivedUntil: until === 0 ? null : iso(until * 1000),
    derivedMinutes: known?.minutes ?? 0,
    isComplete: edgeRows.length < limit && nodeRows.length < limit,
    ...drawMap(edgeRows, nodeRows, (within.toMs - fromMs) / 1000),
  }
}

/**
 * @param seconds  length of the range
 * @returns nodes for every service and peer, edges between them
 */
export function drawMap(
  edgeRows: readonly EdgeRow[],
  nodeRows: readonly NodeRow[],
  seconds: number,
): { nodes: MapNode[]; edges: MapEdge[] } {
  const services = new Map(
    nodeRows.map(({ service, requests, failed }) => [service, { weighted: requests, failed }]),
  )
  const peers = new Map<string, { weighted: number; failed: number }>()
  for (const { caller, callee, peer, calls, failed } of edgeRows) {
    // Who only calls has no requests of its own and is there all the same.
    for (const name of callee === '' ? [caller] : [caller, callee])
      if (!services.has(name)) services.set(name, { weighted: 0, failed: 0 })
    if (callee !== '') continue
    const known = peers.get(peer) ?? { weighted: 0, failed: 0 }
    peers.set(peer, { weighted: known.weighted + calls, failed: known.failed + failed })
  }
  const node =
    (kind: MapNode['kind']) =>
    ([name, { weighted, failed }]: [string, { weighted: number; failed: number }]): MapNode => ({
      kind,
      name,
      requests: Math.round(weighted / 1000),
      ratePerSecond: weighted / 1000 / seconds,
      errorRatio: ratio(failed, weighted),
    })
  return {
    nodes: [...[...services].map(node('service')), ...[...peers].map(node('peer'))],
    edges: edgeRows.map((row) => {
      const isPeer = row.callee === ''
      return {
        caller: row.caller,
        callee: isPeer ? row.peer : row.callee,
        calleeKind: isPeer ? 'peer' : 'service',
        requests: Math.round(row.calls / 1000),
        ratePerSecond: row.calls / 1000 / seconds,
        errorRatio: ratio(row.failed, row.calls),
        calleeErrorRatio: isPeer ? null : ratio(row.callee_failed, row.calls),
        callerP95Ms: milliseconds(row.caller_p95),
        calleeP95Ms: isPeer ? null : milliseconds(row.callee_p95),
      }
    }),
  }
}

const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole)
const milliseconds = (ns: number | null) => (ns === null ? null : ns / 1e6)
