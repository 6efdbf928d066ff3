import { expect, test } from 'vitest'
import { drawMap, type EdgeRow } from './map.ts'

const edge = (overrides: Partial<EdgeRow>): EdgeRow => ({
  caller: 'a',
  callee: '',
  peer: '',
  calls: 2000,
  failed: 1000,
  callee_failed: 0,
  caller_p95: 1e6,
  callee_p95: null,
  ...overrides,
})

test('every end of an edge is a node, once', () => {
  const { nodes, edges } = drawMap(
    [
      edge({ callee: 'b' }),
      edge({ peer: 'db' }),
      edge({ caller: 'b', peer: 'db' }),
      edge({ caller: 'b', peer: 'b' }),
    ],
    [{ service: 'b', requests: 10_000, failed: 0 }],
    10,
  )
  expect(nodes).toEqual([
    { kind: 'service', name: 'b', requests: 10, ratePerSecond: 1, errorRatio: 0 },
    { kind: 'service', name: 'a', requests: 0, ratePerSecond: 0, errorRatio: null },
    { kind: 'peer', name: 'db', requests: 4, ratePerSecond: 0.4, errorRatio: 0.5 },
    { kind: 'peer', name: 'b', requests: 2, ratePerSecond: 0.2, errorRatio: 0.5 },
  ])
  expect(
    edges.map(({ callee, calleeKind, calleeErrorRatio }) => [callee, calleeKind, calleeErrorRatio]),
  ).toEqual([
    ['b', 'service', 0],
    ['db', 'peer', null],
    ['db', 'peer', null],
    ['b', 'peer', null],
  ])
})

test('no telemetry is an empty map', () => {
  expect(drawMap([], [], 60)).toEqual({ nodes: [], edges: [] })
})
