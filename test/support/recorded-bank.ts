// Half an hour of two small systems, the same in every run. In one, a version that serves one branch fails while two innocent releases go
// on; in the other, a zone fails in the middle of a release. As requests by minute, and as files of a recording.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { random, randomBytes, traceRequest, varint, type ResourceInput } from './otlp.ts'
import { traceTree, type TreeNode } from './trace-tree.ts'

export const MINUTES = 30
const PER_MINUTE = 160
const STEP_MS = 60_000 / PER_MINUTE
/** Minutes after the beginning. */
const LIMIT_AT = 18
const LEDGER_AT = 20
const NOTIFY_AT = 21
const CARDS_AT = 19
const ZONE_AT = 21
export const ALARM_AT = 23

/** What calls what; the far side runs in its own resource. */
const call = (name: string, http: number, callee: TreeNode): TreeNode => ({
  service: callee.service,
  name,
  kind: 3,
  http,
  calls: [callee],
})
const status = (isBad: boolean) => (isBad ? 500 : 200)

/** @returns one `ExportTraceServiceRequest` a minute, with the last failing ones of the fault still in it */
export function recordedMinutes(beginMs: number): Buffer[] {
  const next = random(11)
  return Array.from({ length: MINUTES }, (_, minute) => {
    const resources: ResourceInput[] = []
    for (let place = 0; place < PER_MINUTE; place += 1) {
      const atMs = Math.floor(beginMs + minute * 60_000 + place * STEP_MS)
      resources.push(...traceTree(atMs, transfer(minute, next), randomBytes(next, 16)).resources)
      resources.push(...traceTree(atMs, payment(minute, next), randomBytes(next, 16)).resources)
    }
    return traceRequest(resources)
  })
}

function transfer(minute: number, next: () => number): TreeNode {
  const branch = `b${Math.floor(next() * 5)}`
  const attributes = { 'bank.channel': 'counter', 'bank.region': 'east', 'bank.branch': branch }
  const isNew = minute >= LEDGER_AT && branch === 'b3'
  const isBad = next() < (isNew ? 0.5 : 0.01)
  const http = status(isBad)
  const of = { system: 'core-payment', attributes }
  return {
    ...of,
    service: 'gateway',
    name: 'POST /transfer',
    http,
    durationMs: 30,
    calls: [
      {
        ...call('call ledger', http, {
          ...of,
          service: 'ledger',
          name: 'book',
          version: isNew ? '6.2.3' : '6.2.2',
          http,
        }),
        service: 'gateway',
      },
      {
        ...call('call limit', 200, {
          ...of,
          service: 'limit',
          name: 'check',
          version: minute >= LIMIT_AT ? '2.0' : '1.9',
        }),
        service: 'gateway',
      },
      {
        ...call('call notify', 200, {
          ...of,
          service: 'notify',
          name: 'send',
          version: minute >= NOTIFY_AT && next() < 0.5 ? '4.1' : '4.0',
        }),
        service: 'gateway',
      },
    ],
  }
}

function payment(minute: number, next: () => number): TreeNode {
  const zone = next() < 0.5 ? 'z1' : 'z2'
  const attributes = { 'bank.channel': 'mobile', 'bank.region': 'north' }
  const isNew = minute >= CARDS_AT && next() < 0.5
  const isBad = next() < (minute >= ZONE_AT && zone === 'z2' ? 0.6 : 0.01)
  const http = status(isBad)
  const of = { system: 'cards', attributes, resource: { 'cloud.availability_zone': zone } }
  return {
    ...of,
    service: 'web',
    name: 'POST /pay',
    http,
    durationMs: 30,
    calls: [
      {
        ...call('call cards', http, {
          ...of,
          service: 'cards',
          name: 'charge',
          version: isNew ? '3.1' : '3.0',
          http,
        }),
        service: 'web',
      },
    ],
  }
}

/** CloudEvents with the CDEvents that pipelines sent. */
export function recordedEvents(beginMs: number): string[] {
  const deployed = (id: string, minute: number, service: string, version: string) => {
    const type = 'dev.cdevents.service.deployed.0.3.0'
    const time = new Date(beginMs + minute * 60_000).toISOString()
    const context = { specversion: '0.5.1', id, source: '/ci', type, timestamp: time }
    const content = { environment: { id: 'prod' }, artifactId: `pkg:oci/${service}@${version}` }
    const data = { context, subject: { id: service, content } }
    const envelope = { specversion: '1.0', id, source: '/ci', type, time, subject: service }
    return JSON.stringify({ ...envelope, datacontenttype: 'application/json', data })
  }
  return [
    deployed('e1', LIMIT_AT, 'limit', '2.0'),
    deployed('e2', LEDGER_AT, 'ledger', '6.2.3'),
    deployed('e3', NOTIFY_AT, 'notify', '4.1'),
    deployed('e4', CARDS_AT, 'cards', '3.1'),
  ]
}

/** Writes it as `surety replay` reads it. */
export function writeRecording(directory: string, beginMs: number, withFaults: boolean): void {
  mkdirSync(directory, { recursive: true })
  const minutes = recordedMinutes(beginMs)
  writeFileSync(
    join(directory, 'spans.otlp.pb'),
    Buffer.concat(minutes.flatMap((body) => [varint(body.length), body])),
  )
  writeFileSync(join(directory, 'events.jsonl'), `${recordedEvents(beginMs).join('\n')}\n`)
  if (!withFaults) return
  const at = new Date(beginMs + ALARM_AT * 60_000).toISOString()
  const alarms = [
    { at, service: 'gateway', operation: 'POST /transfer' },
    { at, service: 'web' },
  ]
  writeFileSync(join(directory, 'faults.jsonl'), alarms.map((alarm) => `${JSON.stringify(alarm)}\n`).join(''))
}
