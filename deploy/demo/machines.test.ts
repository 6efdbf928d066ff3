import { expect, test } from 'vitest'
import { metricsFromJson } from '../../ingest/pipeline/json-to-proto.ts'
import { walkMetrics } from '../../ingest/pipeline/walk-metrics.ts'
import { machineRequest } from './machine-metrics.ts'
import { containers, nodeUsage, NODES, type Running } from './machines.ts'

const instance = (over: Partial<Running> = {}): Running => ({
  instanceId: 'ledger-6.2.3-sh-a-abcdef',
  service: 'ledger',
  site: 'sh-a',
  requestsPerSecond: 0,
  upSeconds: 3600,
  ...over,
})

test('what a container uses follows the requests it answers, up to its limit', () => {
  const [idle, busy, drowned] = containers([
    instance(),
    instance({ requestsPerSecond: 10 }),
    instance({ requestsPerSecond: 1000 }),
  ])
  expect(idle?.usage.cpu).toBeCloseTo(0.02)
  expect(busy?.usage.cpu).toBeCloseTo(0.52)
  expect(drowned?.usage.cpu).toBe(drowned?.limit.cpu)
  expect(busy?.usage.memory).toBeGreaterThan(idle?.usage.memory ?? Number.NaN)
})

test('memory fills up after a start', () => {
  const [cold, warm] = containers([instance({ upSeconds: 0 }), instance()])
  expect(cold?.usage.memory).toBeLessThan(warm?.usage.memory ?? Number.NaN)
})

test('a node uses what its containers use, and what it needs itself', () => {
  const all = containers([instance({ requestsPerSecond: 10 })])
  const home = NODES.find(({ name }) => name === all[0]?.node)
  const other = NODES.find(({ site }) => site === 'sh-b')
  if (home === undefined || other === undefined) throw new Error('every container has a node')
  expect(nodeUsage(home, all).cpu - nodeUsage(other, all).cpu).toBeCloseTo(0.52)
})

test('the request is OTLP: every point of every node and container', () => {
  const atMs = Date.now()
  const transcoded = metricsFromJson(Buffer.from(JSON.stringify(machineRequest([instance()], atMs))))
  if (transcoded.kind === 'refused') throw new Error(transcoded.reason)
  const walked = walkMetrics(transcoded.bytes, { fromMs: atMs - 1, toMs: atMs + 1 })
  expect(walked).toMatchObject({ kind: 'walked', points: NODES.length * 6 + 6, outOfRange: 0 })
})
