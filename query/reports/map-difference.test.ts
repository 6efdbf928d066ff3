import { describe, expect, test } from 'vitest'
import type { MapEdge, MapNode } from '../http/schemas.ts'
import { changesOf, mapDifference, THRESHOLDS } from './map-difference.ts'

const figures = (requests: number, errorRatio: number | null = 0, callerP95Ms: number | null = 10) => ({
  requests,
  ratePerSecond: requests / 900,
  errorRatio,
  callerP95Ms,
})

describe('what is changed', () => {
  test.each([
    { name: 'nothing', was: figures(100), is: figures(100), want: [] },
    { name: 'the rate by less than twice', was: figures(100), is: figures(199), want: [] },
    { name: 'the rate by twice', was: figures(100), is: figures(200), want: ['rate'] },
    { name: 'the rate to half', was: figures(100), is: figures(50), want: ['rate'] },
    { name: 'the rate to none', was: figures(100), is: figures(0, null, null), want: ['rate'] },
    { name: 'the rate of what is used too seldom to tell', was: figures(3), is: figures(19), want: [] },
    { name: 'errors by less than a percent', was: figures(1000), is: figures(1000, 0.0099), want: [] },
    { name: 'errors by a percent', was: figures(1000), is: figures(1000, 0.01), want: ['errorRatio'] },
    { name: 'errors of too few', was: figures(19), is: figures(19, 1), want: [] },
    { name: 'latency by half as much', was: figures(100, 0, 10), is: figures(100, 0, 15), want: ['latency'] },
    { name: 'latency by a fifth', was: figures(100, 0, 100), is: figures(100, 0, 120), want: [] },
    { name: 'latency by too little time', was: figures(100, 0, 1), is: figures(100, 0, 5), want: [] },
    {
      name: 'latency that one side does not know',
      was: figures(100, 0, null),
      is: figures(100, 0, 99),
      want: [],
    },
    {
      name: 'all of it',
      was: figures(100, 0.5, 90),
      is: figures(1000, 0, 10),
      want: ['rate', 'errorRatio', 'latency'],
    },
  ])('$name', ({ was, is, want }) => {
    expect(changesOf(was, is, THRESHOLDS)).toEqual(want)
  })
})

const node = (name: string, requests = 100): MapNode => ({
  kind: 'service',
  name,
  requests,
  ratePerSecond: 1,
  errorRatio: 0,
})
const edge = (caller: string, callee: string, requests = 100): MapEdge => ({
  caller,
  callee,
  calleeKind: 'service',
  requests,
  ratePerSecond: 1,
  errorRatio: 0,
  calleeErrorRatio: 0,
  callerP95Ms: 1,
  calleeP95Ms: 1,
})
const map = (nodes: MapNode[], edges: MapEdge[], more = {}) => ({
  nodes,
  edges,
  isComplete: true,
  derivedMinutes: 15,
  ...more,
})
const said = (before: ReturnType<typeof map>, after: ReturnType<typeof map>) =>
  mapDifference(before, after).items.map((item) => [
    item.change,
    item.of === 'node' ? item.name : `${item.caller} → ${item.callee}`,
    item.isRare,
  ])

describe('what is new or gone', () => {
  const before = map([node('a'), node('b'), node('old')], [edge('a', 'b'), edge('a', 'old', 19)])
  const after = map([node('a'), node('b'), node('new')], [edge('a', 'b'), edge('a', 'new')])

  test('is told before what changed, nodes first, and whether chance may be behind it', () => {
    expect(said(before, after)).toEqual([
      ['new', 'new', false],
      ['new', 'a → new', false],
      ['gone', 'old', false],
      ['gone', 'a → old', true],
    ])
    expect(mapDifference(before, after)).toMatchObject({
      isComparable: true,
      unchanged: { nodes: 2, edges: 1 },
    })
  })

  test('is not told where one side knows nothing, or is cut short there', () => {
    expect(mapDifference(map([], [], { derivedMinutes: 0 }), after)).toMatchObject({
      items: [],
      isComparable: false,
    })
    expect(said({ ...before, isComplete: false }, after).map(([change]) => change)).toEqual(['gone', 'gone'])
    expect(said(before, { ...after, isComplete: false }).map(([change]) => change)).toEqual(['new', 'new'])
  })
})
