// What nodes and containers use, as Collectors send it: the demo's own machines, requests and limits that come from
// another receiver, figures that are too old, containers that ended.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { machineRequest } from '../../deploy/demo/machine-metrics.ts'
import type { UtilisationReply } from '../../query/http/schemas.ts'
import { metricRequest } from '../support/otlp-metrics.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

let surety: TestSurety
beforeAll(async () => {
  surety = await startSurety()
})
afterAll(() => surety.stop())

const ask = () => surety.get<UtilisationReply>('/api/v1/metrics/utilisation')
const nanos = (agoMs: number) => BigInt(Date.now() - agoMs) * 1_000_000n

test('nothing was sent: nothing is said', async () => {
  expect(await ask()).toMatchObject({ nodes: [], containers: [], nodeCount: 0, containerCount: 0 })
})

test('the demo bank’s machines: newest figures, fullest first', async () => {
  const instance = (requestsPerSecond: number) =>
    ({ instanceId: 'ledger-1', service: 'ledger', site: 'sh-a', requestsPerSecond, upSeconds: 3600 }) as const
  for (const [agoMs, rate] of [
    [20_000, 2],
    [10_000, 10],
  ] as const) {
    const reply = await fetch(`${surety.otlpHttpUrl}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(machineRequest([instance(rate)], Date.now() - agoMs)),
    })
    expect(reply.status).toBe(200)
  }
  const reply = await ask()
  expect(reply.nodes).toHaveLength(4)
  expect(reply.nodes[0]).toMatchObject({
    site: 'sh-a',
    cluster: 'sh-a-01',
    capacity: { cpu: 4, memory: 8 * 2 ** 30 },
  })
  expect(reply.containers).toEqual([
    expect.objectContaining({
      container: 'ledger',
      pod: 'ledger-1',
      namespace: 'core-ledger',
      usage: { cpu: 0.52, memory: expect.any(Number) as number },
      request: { cpu: 0.5, memory: 2 ** 30 },
      limit: { cpu: 1, memory: 2 ** 31 },
    }),
  ])
})

test('limits of another receiver are joined by pod; what ended or is too old is left out', async () => {
  const of = { 'k8s.cluster.name': 'c', 'k8s.namespace.name': 'n', 'k8s.container.name': 'app' }
  const gauge = (name: string, value: number, agoMs = 30_000) => ({
    name,
    gauge: [{ atNs: nanos(agoMs), value }],
  })
  const send = async (resource: Record<string, string>, metrics: ReturnType<typeof gauge>[]) =>
    expect((await surety.sendMetrics(metricRequest({ ...of, ...resource }, metrics))).status).toBe(200)
  await send({ 'k8s.pod.name': 'p1', 'k8s.node.name': 'node-9' }, [gauge('container.cpu.usage', 0.4)])
  await send({ 'k8s.pod.name': 'p1' }, [gauge('k8s.container.cpu.limit', 0.5)])
  await send({ 'k8s.pod.name': 'ended' }, [gauge('k8s.container.cpu.limit', 0.5)])
  await send({ 'k8s.pod.name': 'old' }, [gauge('container.cpu.usage', 0.4, 6 * 60_000)])
  const { containers, containerCount } = await ask()
  expect(containerCount).toBe(2)
  expect(containers[0]).toMatchObject({
    pod: 'p1',
    node: 'node-9',
    usage: { cpu: 0.4, memory: null },
    request: { cpu: null, memory: null },
    limit: { cpu: 0.5, memory: null },
  })
})
