// Competing causes that are places: a site, cluster, zone or node whose services fail by themselves more than the same services
// elsewhere, whatever their version.

import { countZ } from '../statistics/counts.ts'
import type { FaultCase, PlaceRow } from './case.ts'
import { concentration, type Strata } from './concentration.ts'

export const PLACE_KINDS = ['site', 'cluster', 'zone', 'node'] as const
export type PlaceKind = (typeof PLACE_KINDS)[number]

/** What «failed by itself», with requests, is called here for both errors and slowness. */
export type PlaceCause = {
  readonly kind: PlaceKind
  readonly name: string
  /** Log-likelihood ratio against «like the same services elsewhere», less what looking at many places costs. */
  readonly gain: number
  /** The same among requests of one service and version: what a version that runs only there cannot fake. */
  readonly gainWithinVersion: number
  /** Excess inside ÷ all excess of requests that failed by themselves. */
  readonly share: number
  /** Services that fail more inside than usual, and those that have traffic there. */
  readonly servicesHit: readonly string[]
  readonly servicesThere: number
  readonly bad: number
  readonly requests: number
  /** Wider places that served the very same requests, as the only cluster of a site: they are this one under another name. */
  readonly sameAs: readonly { readonly kind: PlaceKind; readonly name: string }[]
}

/** Own failures by service since the onset, in excess of what was usual. */
export type OwnFailures = {
  readonly causes: readonly PlaceCause[]
  readonly excess: number
  readonly byService: ReadonlyMap<
    string,
    { readonly bad: number; readonly usual: number; readonly requests: number }
  >
  /** How well «this version of this service» describes own failures in the same strata; 0 when it says nothing. */
  readonly gainOfVersion: (service: string, version: string) => number
}

type Marked = { readonly row: PlaceRow; readonly bad: number; readonly usual: number }

export function ownFailures(faultCase: FaultCase, from: number, to: number, phi: number): OwnFailures {
  const isSlow = faultCase.fault.measure === 'latency'
  const before = new Map<string, { bad: number; requests: number }>()
  for (const row of faultCase.places) {
    if (row.minute >= from) continue
    const sum = entryOf(before, row.service, () => ({ bad: 0, requests: 0 }))
    sum.bad += isSlow ? row.slow : row.bad
    sum.requests += row.requests
  }
  const marked: Marked[] = []
  const byService = new Map<string, { bad: number; usual: number; requests: number }>()
  for (const row of faultCase.places) {
    if (row.minute < from || row.minute >= to) continue
    const past = before.get(row.service)
    const ratio = ((past?.bad ?? 0) + 0.5) / ((past?.requests ?? 0) + 500)
    const item = { row, bad: isSlow ? row.slow : row.bad, usual: row.requests * Math.min(0.9, ratio) }
    marked.push(item)
    const sum = entryOf(byService, row.service, () => ({ bad: 0, usual: 0, requests: 0 }))
    sum.bad += item.bad
    sum.usual += item.usual
    sum.requests += row.requests
  }
  const excess = [...byService.values()].reduce((sum, { bad, usual }) => sum + Math.max(0, bad - usual), 0)
  const byMinute = numbering(marked, ({ row }) => `${row.minute} ${row.service}`)
  const byVersion = numbering(marked, ({ row }) => `${row.minute} ${row.service} ${row.version}`)
  const found = PLACE_KINDS.flatMap((kind) => placeCauses(kind, marked, { byMinute, byVersion, excess, phi }))
  const causes = withoutTwins(found, marked).sort(
    (a, b) => b.gain - a.gain || order(`${a.kind} ${a.name}`, `${b.kind} ${b.name}`),
  )
  return {
    causes,
    excess,
    byService,
    gainOfVersion: (service, version) =>
      concentration(
        strataOf(marked, byMinute, ({ row }) => row.service === service && row.version === version),
        phi,
      ).gain,
  }
}

function placeCauses(
  kind: PlaceKind,
  marked: readonly Marked[],
  frame: { byMinute: Numbers; byVersion: Numbers; excess: number; phi: number },
): PlaceCause[] {
  const sums = new Map<
    string,
    {
      bad: number
      usual: number
      requests: number
      services: Map<string, { bad: number; usual: number; requests: number }>
    }
  >()
  for (const { row, bad, usual } of marked) {
    const name = row[kind]
    if (name === '') continue
    const sum = entryOf(sums, name, () => ({ bad: 0, usual: 0, requests: 0, services: new Map() }))
    const service = entryOf(sum.services, row.service, () => ({ bad: 0, usual: 0, requests: 0 }))
    for (const part of [sum, service]) {
      part.bad += bad
      part.usual += usual
      part.requests += row.requests
    }
  }
  if (sums.size < 2) return []
  // The few that have most in excess: the others cannot be the answer.
  const worst = [...sums]
    .filter(([, sum]) => sum.bad - sum.usual > 0.05 * frame.excess)
    .sort((a, b) => b[1].bad - b[1].usual - (a[1].bad - a[1].usual) || order(a[0], b[0]))
    .slice(0, 4)
  return worst.map(([name, sum]) => {
    const inside = (item: Marked): boolean => item.row[kind] === name
    const cost = Math.log(sums.size)
    const gain = concentration(strataOf(marked, frame.byMinute, inside), frame.phi).gain
    const within = concentration(strataOf(marked, frame.byVersion, inside), frame.phi).gain
    const services = [...sum.services]
    return {
      kind,
      name,
      gain: Math.max(0, gain - cost),
      gainWithinVersion: Math.max(0, within - cost),
      share: frame.excess > 0 ? Math.min(1, Math.max(0, (sum.bad - sum.usual) / frame.excess)) : 0,
      servicesHit: services
        .filter(([, part]) => countZ(part.bad, part.usual, frame.phi) >= 3)
        .map(([service]) => service)
        .sort(order),
      servicesThere: services.filter(([, part]) => part.requests >= 20).length,
      bad: sum.bad,
      requests: sum.requests,
      sameAs: [],
    }
  })
}

/** Places with the same rows are one cause, the narrowest: the data cannot tell them apart, and they must not share its posterior. */
function withoutTwins(causes: readonly PlaceCause[], marked: readonly Marked[]): PlaceCause[] {
  const isTwin = (a: PlaceCause, b: PlaceCause) =>
    a.kind !== b.kind &&
    a.requests === b.requests &&
    marked.every(({ row }) => (row[a.kind] === a.name) === (row[b.kind] === b.name))
  return causes.flatMap((cause, index) => {
    // Kinds come from the widest to the narrowest.
    if (causes.slice(index + 1).some((narrower) => isTwin(cause, narrower))) return []
    const sameAs = causes.slice(0, index).filter((wider) => isTwin(cause, wider))
    return [{ ...cause, sameAs: sameAs.map(({ kind, name }) => ({ kind, name })) }]
  })
}

type Numbers = { readonly of: Int32Array; readonly count: number }

function numbering<T>(items: readonly T[], key: (item: T) => string): Numbers {
  const numbers = new Map<string, number>()
  const of = new Int32Array(items.length)
  items.forEach((item, index) => {
    const text = key(item)
    let number = numbers.get(text)
    if (number === undefined) numbers.set(text, (number = numbers.size))
    of[index] = number
  })
  return { of, count: numbers.size }
}

function strataOf(marked: readonly Marked[], numbers: Numbers, inside: (item: Marked) => boolean): Strata {
  const strata = {
    groupWeight: new Float64Array(numbers.count),
    groupBad: new Float64Array(numbers.count),
    allWeight: new Float64Array(numbers.count),
    allBad: new Float64Array(numbers.count),
  }
  marked.forEach((item, index) => {
    const s = numbers.of[index] ?? 0
    strata.allWeight[s] = (strata.allWeight[s] ?? 0) + item.usual
    strata.allBad[s] = (strata.allBad[s] ?? 0) + item.bad
    if (!inside(item)) return
    strata.groupWeight[s] = (strata.groupWeight[s] ?? 0) + item.usual
    strata.groupBad[s] = (strata.groupBad[s] ?? 0) + item.bad
  })
  return strata
}

/** Text order by code unit: the same on every machine. */
export const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) map.set(key, (value = make()))
  return value
}
