// Three real minutes of Train-Ticket with rollouts laid over them.

import { expect, test } from 'vitest'
import { readNezha } from '../support/nezha.ts'
import type { ResourceInput } from '../support/otlp.ts'
import { HISTORY_MINUTES, overlay, overlays, readNezhaCases, type NezhaCase } from './nezha.ts'

const onsetMs = Date.UTC(2023, 0, 29, 8, 43, 4)
const read = readNezha()
// A trace on the edge of two minutes stands in both of their files.
const spans = [...new Map(read.map((span) => [`${span.traceId}/${span.spanId}`, span])).values()]
const usual = spans.filter(({ startNs }) => Number(startNs / 1_000_000n) < onsetMs)
const made: NezhaCase = {
  name: 'f1',
  kind: 'return',
  service: 'ts-contacts-service',
  onsetMs,
  spans: read,
  usual,
}

/** As much as a test of many draws needs. */
const some = (list: typeof spans) => {
  const [first] = list
  return list.filter(({ traceId }) => traceId === first?.traceId)
}
const small = { ...made, spans: some(spans), usual: some(usual) }
const hex = (id: Uint8Array | undefined) => Buffer.from(id ?? []).toString('hex')
const spansOf = (message: readonly ResourceInput[]) =>
  message.flatMap(({ attributes, spans: own }) =>
    own.map(({ traceId, spanId, parentSpanId, kind, startNs, statusCode }) => ({
      traceId: hex(traceId),
      spanId: hex(spanId),
      parentId: hex(parentSpanId),
      service: attributes['service.name'],
      version: attributes['service.version'],
      kind,
      startMs: Number(startNs / 1_000_000n),
      isError: statusCode === 2,
    })),
  )

test('the faulted service changes its version a little before the onset, others too, and a third of the cases has others alone', () => {
  const drawn = Array.from({ length: 30 }, (_, place) => overlay(small, place, 1))
  expect(drawn.filter(({ culprit }) => culprit === undefined)).toHaveLength(10)
  for (const [place, { culprit, releases }] of drawn.entries()) {
    const shifted = onsetMs + place * 4 * 86_400_000
    const others = releases.filter((one) => one !== culprit)
    expect(others.length).toBeLessThanOrEqual(5)
    expect(others.map(({ service }) => service)).not.toContain('ts-contacts-service')
    if (culprit === undefined) continue
    expect(culprit.service).toBe('ts-contacts-service')
    expect(shifted - culprit.atMs).toBeGreaterThanOrEqual(30_000)
    expect(shifted - culprit.atMs).toBeLessThanOrEqual(600_000)
  }
})

test('every span is there, once, on the version that its service had then', () => {
  const { messages, releases, culprit } = overlay(made, 1, 1)
  expect(culprit).toBeDefined()
  expect(messages).toHaveLength(1 + HISTORY_MINUTES)
  expect(spansOf(messages.at(-1) ?? [])).toHaveLength(spans.length)
  const all = messages.flatMap(spansOf)
  const ids = all.map(({ traceId, spanId }) => `${traceId}/${spanId}`)
  expect(new Set(ids).size).toBe(ids.length)
  for (const { service, version, startMs } of all) {
    const released = releases.find((one) => one.service === service)
    const isNew = released !== undefined && startMs >= released.atMs
    expect(version).toBe(isNew ? released.version : '1.0.0')
  }
})

test('each trace has one entry; a request is where the service changes; what failed below has failed above', () => {
  const last = overlay(made, 1, 1).messages.at(-1)
  if (last === undefined) throw new Error('there are messages')
  const traces = Map.groupBy(spansOf(last), ({ traceId }) => traceId)
  let failed = 0
  for (const trace of traces.values()) {
    const byId = new Map(trace.map((span) => [span.spanId, span]))
    expect(trace.filter(({ parentId, kind }) => parentId === '' && kind === 2)).toHaveLength(1)
    for (const { parentId, service, kind, isError } of trace) {
      const parent = byId.get(parentId)
      if (parent === undefined) continue
      expect(kind === 2).toBe(parent.service !== service)
      if (isError) expect(parent.isError).toBe(true)
    }
    failed += trace.some(({ parentId, isError }) => parentId === '' && isError) ? 1 : 0
  }
  const errors = new Set(spans.filter(({ isError }) => isError).map(({ traceId }) => traceId))
  expect(failed).toBe(errors.size)
})

test('the same seed makes the same bytes; what one case released serves in the next', () => {
  const [first, second] = overlays([small, small], 1)
  const [again] = overlays([small, small], 1)
  expect(again?.messages).toEqual(first?.messages)
  const known = new Map(first?.releases.map(({ service, version }) => [service, version]))
  for (const { service, before } of second?.releases ?? []) expect(before).toBe(known.get(service) ?? '1.0.0')
})

test('a directory without cases is refused by name', () => {
  expect(() => readNezhaCases('/nowhere')).toThrow(/\/nowhere.*cases\.csv/)
})
