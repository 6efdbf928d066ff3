// Named events over every door: what is stored, what is told of plain log records, what answers say.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { EventItem, EventsReply, IngestStatusReply } from '../../query/http/schemas.ts'
import { openGrpcClient, type GrpcClient } from '../support/grpc.ts'
import { logRequest, type LogInput } from '../support/otlp-logs.ts'
import { field, keyValue } from '../support/otlp.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const EXPORT_LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const atNs = BigInt(Date.now() - 60_000) * 1_000_000n
const CARD = '4111111111111111'

const dataDir = mkdtempSync(join(tmpdir(), 'surety-events-'))
let surety: TestSurety
let grpc: GrpcClient
beforeAll(async () => {
  surety = await startSurety({ SURETY_DATA_DIR: dataDir })
  grpc = openGrpcClient(surety.otlpGrpcUrl)
})
afterAll(async () => {
  grpc.close()
  await surety.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function send(body: Uint8Array | string) {
  const isJson = typeof body === 'string'
  const reply = await fetch(`${surety.otlpHttpUrl}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' },
    body: isJson ? body : (body as Uint8Array<ArrayBuffer>),
  })
  return { status: reply.status, text: await reply.text() }
}
const of = (service: string, records: readonly LogInput[]) =>
  logRequest({ 'service.name': service, 'bank.site': 'sh-a', 'k8s.cluster.name': 'c1' }, records)
const ask = async (query: string): Promise<EventItem[]> =>
  (await surety.get<EventsReply>(`/api/v1/events?${query}`)).items

test('an event comes back as it was sent', async () => {
  const traceId = Buffer.alloc(16, 0x1a)
  const spanId = Buffer.alloc(8, 0x2b)
  const record = {
    atNs,
    eventName: 'circuit_break',
    severity: 13,
    body: 'ledger → limit opened',
    traceId,
    spanId,
  }
  expect(await send(of('whole', [{ ...record, attributes: { peer: 'limit', failures: 7 } }]))).toEqual({
    status: 200,
    text: '',
  })
  expect(await ask('service=whole')).toEqual([
    expect.objectContaining({
      name: 'circuit_break',
      kind: 'circuit_break',
      severity: 13,
      body: 'ledger → limit opened',
      service: 'whole',
      site: 'sh-a',
      cluster: 'c1',
      traceId: traceId.toString('hex'),
      spanId: spanId.toString('hex'),
      attributes: { peer: 'limit', failures: '7' },
    }),
  ])
})

test('Kubernetes events as the Collector’s receiver sends them', async () => {
  const event = (reason: string, pod: string): LogInput => ({
    atNs,
    severity: 13,
    body: `pod ${pod}: ${reason}`,
    attributes: {
      'k8s.event.reason': reason,
      'k8s.namespace.name': 'core',
      'k8s.pod.name': pod,
      'k8s.event.count': 3,
    },
  })
  const reasons = ['Evicted', 'BackOff', 'ScalingReplicaSet', 'OOMKilling', 'Scheduled']
  expect(
    (
      await send(
        of(
          'k8s',
          reasons.map((reason) => event(reason, `p-${reason}`)),
        ),
      )
    ).status,
  ).toBe(200)
  const items = await ask('service=k8s')
  expect(Object.fromEntries(items.map(({ name, kind }) => [name, kind]))).toEqual({
    Evicted: 'eviction',
    BackOff: 'restart',
    ScalingReplicaSet: 'scaling',
    OOMKilling: 'restart',
    Scheduled: 'other',
  })
  expect(items.find(({ name }) => name === 'Evicted')).toMatchObject({ namespace: 'core', pod: 'p-Evicted' })
  expect(await ask('service=k8s&kind=eviction')).toHaveLength(1)
  expect(await ask('name=BackOff')).toHaveLength(1)
})

test('plain log records are refused with the reason, events beside them stored; over every door', async () => {
  const mixed = of('mixed', [
    { atNs, body: 'a line' },
    { atNs, eventName: 'degradation' },
    { atNs, body: 'more' },
  ])
  const told = /2 log records are not events .* Surety is no log store/
  expect((await send(mixed)).text).toMatch(told)
  const answer = await grpc.call(
    of('mixed', [
      { atNs, body: 'x' },
      { atNs, body: 'y' },
    ]),
    EXPORT_LOGS,
  )
  expect(answer.code).toBe('OK')
  expect(answer.bytes?.toString()).toMatch(told)
  const record = { timeUnixNano: String(atNs), body: { stringValue: 'a line' } }
  const reply = await send(
    JSON.stringify({
      resourceLogs: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'mixed' } }] },
          scopeLogs: [{ logRecords: [record, { ...record, eventName: 'rate_limit' }, record] }],
        },
      ],
    }),
  )
  expect(JSON.parse(reply.text)).toEqual({
    partialSuccess: { rejectedLogRecords: '2', errorMessage: expect.stringMatching(told) as string },
  })
  expect((await ask('service=mixed')).map(({ kind }) => kind).sort()).toEqual(['degradation', 'rate_limit'])
  const metrics = await (await fetch(`${surety.url}/metrics`)).text()
  expect(metrics).toContain('surety_ingest_plain_log_records_total{door="otlp"} 6')
})

test('bodies and values of every kind become texts', async () => {
  const map = field(6, field(1, keyValue('reason', 'full')))
  const list = field(5, field(1, field(1, Buffer.from('x'))))
  const number = Buffer.from([0x18, 0x2a])
  const records = [map, list, number].map((bodyBytes, index) => ({
    atNs,
    eventName: `body-${index}`,
    bodyBytes,
  }))
  expect((await send(of('bodies', [...records, { atNs, eventName: 'body-3' }]))).status).toBe(200)
  const bodies = Object.fromEntries((await ask('service=bodies')).map(({ name, body }) => [name, body]))
  expect(bodies).toEqual({ 'body-0': '{"reason":"full"}', 'body-1': '["x"]', 'body-2': '42', 'body-3': '' })
})

test('what is no request is refused with its place; a repeated request is stored once', async () => {
  const [bad, good] = await Promise.all([
    send(Buffer.from('\n\nDROP TABLE events;\n\n')),
    send(of('beside', [{ atNs, eventName: 'a' }])),
  ])
  expect(bad.status).toBe(400)
  expect(bad.text).toMatch(/is not an ExportLogsServiceRequest: byte \d+/)
  expect(good.status).toBe(200)
  expect((await send(of('beside', [{ atNs, eventName: 'a' }]))).status).toBe(200)
  expect(await ask('service=beside')).toHaveLength(1)
  const { deadLetters } = await surety.get<IngestStatusReply>('/api/v1/ingest/status')
  expect(deadLetters.total).toBe(1)
})

test('sensitive numbers are masked in bodies, attributes and resources, and reach no file', async () => {
  const request = logRequest({ 'service.name': 'masked', holder: CARD }, [
    { atNs, eventName: 'payment.refused', body: `card ${CARD} refused`, attributes: { pan: CARD } },
    { atNs, eventName: 'account.locked', attributes: { 'bank.account.number': '0123987654321' } },
  ])
  expect((await send(request)).status).toBe(200)
  const items = await ask('service=masked')
  expect(items.find(({ name }) => name === 'payment.refused')).toMatchObject({
    body: 'card **** 1111 refused',
    attributes: { pan: '**** 1111' },
  })
  expect(items.find(({ name }) => name === 'account.locked')?.attributes).toEqual({
    'bank.account.number': '**** 4321',
  })
  const files = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((name) => join(dataDir, name))
  const holding = files.filter((path) => statSync(path).isFile() && readFileSync(path).includes(CARD))
  expect(holding).toEqual([])
})
