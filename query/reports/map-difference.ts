// Where two maps differ: what is new, gone, or changed by more than chance and rounding make. Pure.

import type { EdgeChange, NodeChange, Thresholds } from '../http/map-schemas.ts'
import type { MapEdge, MapNode, MapReply } from '../http/schemas.ts'

/** Told in every answer. p95 has steps of under one percent, so its factor stands far off. */
export const THRESHOLDS: Thresholds = {
  rateFactor: 2,
  errorRatioDelta: 0.01,
  latencyFactor: 1.5,
  latencyDeltaMs: 5,
  minRequests: 20,
}

type Compared = Pick<MapReply, 'nodes' | 'edges' | 'isComplete' | 'derivedMinutes'>
export type Difference = {
  readonly items: (NodeChange | EdgeChange)[]
  readonly isComparable: boolean
  readonly unchanged: { nodes: number; edges: number }
}

type Figures = {
  readonly requests: number
  readonly ratePerSecond: number
  readonly errorRatio: number | null
  readonly callerP95Ms?: number | null
}
type Change = {
  readonly change: NodeChange['change']
  readonly what: NodeChange['what']
  readonly isRare: boolean
}

/** @param before,after  over windows of the same length */
export function mapDifference(before: Compared, after: Compared, thresholds = THRESHOLDS): Difference {
  const isComparable = before.derivedMinutes > 0 && after.derivedMinutes > 0
  // What is not told may be among what was left out, or what nobody knows yet.
  const isKnown = { new: isComparable && before.isComplete, gone: isComparable && after.isComplete }
  const nodes = matched(before.nodes, after.nodes, ({ kind, name }) => [kind, name])
  const edges = matched(before.edges, after.edges, ({ caller, callee, calleeKind }) => [
    caller,
    callee,
    calleeKind,
  ])
  const judge = (pair: Pair<Figures>) => judgePair(pair, isKnown, thresholds)
  const items = [
    ...nodes.flatMap((pair): NodeChange[] => {
      const change = judge(pair)
      if (change === undefined) return []
      const { kind, name } = pair.any
      return [
        { of: 'node', kind, name, ...change, before: nodeFigures(pair.was), after: nodeFigures(pair.is) },
      ]
    }),
    ...edges.flatMap((pair): EdgeChange[] => {
      const change = judge(pair)
      if (change === undefined) return []
      const { caller, callee, calleeKind } = pair.any
      const figures = { before: edgeFigures(pair.was), after: edgeFigures(pair.is) }
      return [{ of: 'edge', caller, callee, calleeKind, ...change, ...figures }]
    }),
  ]
  return {
    items: items.toSorted(byWeight),
    isComparable,
    unchanged: { nodes: sameIn(nodes, judge), edges: sameIn(edges, judge) },
  }
}

/** One part of the map on both sides; undefined: not there. */
type Pair<Part> = { readonly was: Part | undefined; readonly is: Part | undefined; readonly any: Part }

function matched<Part>(
  olds: readonly Part[],
  news: readonly Part[],
  keyOf: (part: Part) => unknown,
): Pair<Part>[] {
  const key = (part: Part) => JSON.stringify(keyOf(part))
  const now = new Map(news.map((part) => [key(part), part]))
  const old = new Set(olds.map(key))
  return [
    ...olds.map((was) => ({ was, is: now.get(key(was)), any: was })),
    ...news.filter((is) => !old.has(key(is))).map((is) => ({ was: undefined, is, any: is })),
  ]
}

/** @returns undefined when nothing is to be told */
function judgePair(
  { was, is, any }: Pair<Figures>,
  isKnown: { readonly new: boolean; readonly gone: boolean },
  thresholds: Thresholds,
): Change | undefined {
  if (was !== undefined && is !== undefined) {
    const what = changesOf(was, is, thresholds)
    return what.length === 0 ? undefined : { change: 'changed', what, isRare: false }
  }
  const change = was === undefined ? 'new' : 'gone'
  return isKnown[change] ? { change, what: [], isRare: any.requests < thresholds.minRequests } : undefined
}

const sameIn = (pairs: readonly Pair<Figures>[], judge: (pair: Pair<Figures>) => Change | undefined) =>
  pairs.filter((pair) => pair.was !== undefined && pair.is !== undefined && judge(pair) === undefined).length

/** What differs by more than the thresholds. */
export function changesOf(was: Figures, is: Figures, thresholds: Thresholds): NodeChange['what'] {
  const { rateFactor, errorRatioDelta, latencyFactor, latencyDeltaMs, minRequests } = thresholds
  const isTold = Math.min(was.requests, is.requests) >= minRequests
  const isOften = Math.max(was.requests, is.requests) >= minRequests
  const isTimes = (a: number, b: number, factor: number) =>
    Math.max(a, b) >= factor * Math.min(a, b) && a !== b
  const [oldErrors, newErrors] = [was.errorRatio, is.errorRatio]
  const [oldP95, newP95] = [was.callerP95Ms ?? null, is.callerP95Ms ?? null]
  const what: NodeChange['what'] = []
  if (isOften && isTimes(was.ratePerSecond, is.ratePerSecond, rateFactor)) what.push('rate')
  if (
    isTold &&
    oldErrors !== null &&
    newErrors !== null &&
    Math.abs(oldErrors - newErrors) >= errorRatioDelta
  )
    what.push('errorRatio')
  if (
    isTold &&
    oldP95 !== null &&
    newP95 !== null &&
    isTimes(oldP95, newP95, latencyFactor) &&
    Math.abs(oldP95 - newP95) >= latencyDeltaMs
  )
    what.push('latency')
  return what
}

const CHANGE_ORDER = ['new', 'gone', 'changed'] as const

function byWeight(a: NodeChange | EdgeChange, b: NodeChange | EdgeChange): number {
  const size = (item: NodeChange | EdgeChange) =>
    Math.max(item.before?.requests ?? 0, item.after?.requests ?? 0)
  const name = (item: NodeChange | EdgeChange) =>
    item.of === 'node' ? JSON.stringify([item.kind, item.name]) : JSON.stringify([item.caller, item.callee])
  return (
    CHANGE_ORDER.indexOf(a.change) - CHANGE_ORDER.indexOf(b.change) ||
    Number(a.of === 'edge') - Number(b.of === 'edge') ||
    size(b) - size(a) ||
    (name(a) < name(b) ? -1 : 1)
  )
}

function nodeFigures(node: MapNode | undefined): NodeChange['before'] {
  if (node === undefined) return null
  const { requests, ratePerSecond, errorRatio } = node
  return { requests, ratePerSecond, errorRatio }
}

function edgeFigures(edge: MapEdge | undefined): EdgeChange['before'] {
  if (edge === undefined) return null
  const { caller: _, callee: __, calleeKind: ___, ...figures } = edge
  return figures
}
