import { describe, expect, test } from 'vitest'
import { logRequest } from '../../test/support/otlp-logs.ts'
import { prepareLogs } from './prepare-logs.ts'
import { walkLogs } from './walk-logs.ts'

const DAY_MS = 86_400_000
const NOW_MS = Date.UTC(2026, 10, 21)
const BOUNDS = { retentionMs: 90 * DAY_MS, aheadMs: DAY_MS }
const ns = (offsetMs: number) => BigInt(NOW_MS + offsetMs) * 1_000_000n
const atNs = ns(-1000)
const resource = { 'service.name': 'ledger' }
const prepare = (bytes: Uint8Array) => prepareLogs(bytes, 'test', NOW_MS, BOUNDS)

describe('what is an event', () => {
  test.each([
    { name: 'event_name', record: { eventName: 'circuit_break' }, isEvent: true },
    { name: 'event.name', record: { attributes: { 'event.name': 'scaled' } }, isEvent: true },
    { name: 'a Kubernetes reason', record: { attributes: { 'k8s.event.reason': 'Evicted' } }, isEvent: true },
    { name: 'an empty name', record: { eventName: '', attributes: { 'event.name': '' } }, isEvent: false },
    { name: 'a line of a log', record: { body: 'event.name', severity: 9 }, isEvent: false },
    { name: 'a key that only begins so', record: { attributes: { 'event.names': 'x' } }, isEvent: false },
  ])('$name: $isEvent', ({ record, isEvent }) => {
    const walked = walkLogs(logRequest(resource, [{ atNs, ...record }]))
    expect(walked).toMatchObject({ kind: 'walked', records: [{ isEvent, timeMs: NOW_MS - 1000 }] })
  })
})

test('plain records are left out and told; events keep their bytes', () => {
  const events = logRequest(resource, [{ atNs, eventName: 'a' }])
  expect(prepare(events)).toMatchObject({ bytes: events, rows: 1, rejectedRows: 0, rejection: '' })
  const mixed = logRequest(resource, [
    { atNs, body: 'x' },
    { atNs, eventName: 'a' },
    { atNs, body: 'y' },
  ])
  const prepared = prepare(mixed)
  expect(Buffer.from(prepared.bytes)).toEqual(events)
  expect(prepared).toMatchObject({ rows: 1, plainRecords: 2, rejectedRows: 2, deadLetters: [] })
  expect(prepared.rejection).toMatch(/^2 log records are not events .*Surety is no log store/)
  expect(prepare(logRequest(resource, [{ atNs, body: 'x' }]))).toMatchObject({ rows: 0, rejectedRows: 1 })
})

test('times: observed where there is none, expired told, impossible set aside, ahead counted', () => {
  const prepared = prepare(
    logRequest(resource, [
      { observedNs: ns(-5000), eventName: 'observed' },
      { atNs: ns(-91 * DAY_MS), eventName: 'expired' },
      { atNs: 5n, eventName: 'impossible' },
      { atNs: ns(600_000), eventName: 'ahead' },
    ]),
  )
  expect(prepared).toMatchObject({
    rows: 2,
    earliestMs: NOW_MS - 5000,
    latestMs: NOW_MS + 600_000,
    expiredRows: 1,
    aheadRows: 1,
    rejectedRows: 2,
    deadLetters: [{ reason: 'time-out-of-range', format: 'otlp_proto logs' }],
  })
})

test('what is cut short is malformed and names the byte', () => {
  const bytes = logRequest(resource, [{ atNs, eventName: 'a', body: 'text' }])
  for (let length = 1; length < bytes.length; length += 1) {
    const prepared = prepare(bytes.subarray(0, length))
    expect(prepared.rows).toBe(0)
    expect(prepared.rejection).toMatch(/^byte \d+: /)
    expect(prepared.deadLetters).toHaveLength(1)
  }
})
