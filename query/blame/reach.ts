// Who is hit, and along which calls: blast radius and call chain of a fault.

import type { z } from 'zod'
import type { BlastRadius, Explanation } from '../http/fault-schemas.ts'
import type { FaultCase } from './case.ts'
import { at } from './case-columns.ts'
import type { ContrastFrame } from './contrast.ts'
import { rounded } from './evidence.ts'
import { entryOf, order } from './place-causes.ts'

const HITS_MAX = 20

export function blastRadius(frame: ContrastFrame): z.infer<typeof BlastRadius> {
  const { rows, cells, entries } = frame.columns.case
  const groups = {
    channels: new Map<string, Sum>(),
    regions: new Map<string, Sum>(),
    branches: new Map<string, Sum>(),
    transactions: new Map<string, Sum>(),
  }
  let [badRequests, excess] = [0, 0]
  for (let index = 0; index < frame.rows.length; index++) {
    const row = at(frame.rows, index)
    const [n, k, usual] = [at(rows.requests, row), at(frame.columns.bad, row), at(frame.weight, index)]
    badRequests += k
    excess += k - usual
    const cell = cells[at(rows.cell, row)]
    const entry = entries[at(rows.entry, row)]
    if (cell === undefined || entry === undefined) continue
    add(groups.channels, cell.channel, n, k, usual)
    add(groups.regions, cell.region, n, k, usual)
    add(groups.branches, cell.branch, n, k, usual)
    add(groups.transactions, entry.txnCode || entry.operation, n, k, usual)
  }
  return {
    badRequests: rounded(badRequests),
    excessRequests: rounded(Math.max(0, excess)),
    channels: hits(groups.channels),
    regions: hits(groups.regions),
    branches: hits(groups.branches),
    transactions: hits(groups.transactions),
  }
}

type Sum = { requests: number; bad: number; usual: number }

function add(group: Map<string, Sum>, name: string, requests: number, bad: number, usual: number): void {
  if (name === '') return
  const sum = entryOf(group, name, () => ({ requests: 0, bad: 0, usual: 0 }))
  sum.requests += requests
  sum.bad += bad
  sum.usual += usual
}

/** Those with at least one bad request in excess and twice what was usual, worst first. */
const hits = (group: ReadonlyMap<string, Sum>): z.infer<typeof BlastRadius>['channels'] =>
  [...group]
    .filter(([, { bad, usual }]) => bad - usual >= 1 && bad >= 2 * usual)
    .sort((a, b) => b[1].bad - b[1].usual - (a[1].bad - a[1].usual) || order(a[0], b[0]))
    .slice(0, HITS_MAX)
    .map(([name, { requests, bad }]) => ({ name, requests: rounded(requests), bad: rounded(bad) }))

/** From where requests come in, through the release's service if there is a way, to where failures begin. */
export function callChain(
  faultCase: FaultCase,
  frame: ContrastFrame,
  byService: ReadonlyMap<string, number>,
  through: string,
): z.infer<typeof Explanation>['callChain'] {
  const byEntry = new Map<string, number>()
  for (let index = 0; index < frame.rows.length; index++) {
    const row = at(frame.rows, index)
    const service = faultCase.entries[at(faultCase.rows.entry, row)]?.service ?? ''
    byEntry.set(service, (byEntry.get(service) ?? 0) + at(frame.columns.bad, row) - at(frame.weight, index))
  }
  const top = (sums: ReadonlyMap<string, number>): string | undefined =>
    [...sums].filter(([, sum]) => sum > 0).sort((a, b) => b[1] - a[1] || order(a[0], b[0]))[0]?.[0]
  const entry = top(byEntry)
  if (entry === undefined) return []
  const origin = top(byService) ?? entry
  const first = through === '' ? undefined : path(faultCase.calls, entry, through)
  const second = first === undefined ? undefined : path(faultCase.calls, through, origin)
  const direct = path(faultCase.calls, entry, origin) ?? [entry, ...(origin === entry ? [] : [origin])]
  const chain = first === undefined ? direct : [...first, ...(second ?? []).slice(1)]
  return [...new Set(chain.includes(origin) ? chain : [...chain, origin])].map((service) => ({
    service,
    system: faultCase.systems[service] ?? '',
    bad: rounded(byService.get(service) ?? 0),
    isOrigin: service === origin,
  }))
}

/** Shortest way along calls; of equals the first by name. */
function path(calls: readonly (readonly [string, string])[], from: string, to: string): string[] | undefined {
  const sorted = calls.toSorted((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
  const cameFrom = new Map<string, string>([[from, '']])
  let front = [from]
  while (front.length > 0 && !cameFrom.has(to)) {
    const next: string[] = []
    for (const service of front)
      for (const [caller, callee] of sorted)
        if (caller === service && !cameFrom.has(callee)) {
          cameFrom.set(callee, service)
          next.push(callee)
        }
    front = next
  }
  if (!cameFrom.has(to)) return undefined
  const out: string[] = []
  for (let service = to; service !== ''; service = cameFrom.get(service) ?? '') out.unshift(service)
  return out
}
