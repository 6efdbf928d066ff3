import { expect, test } from 'vitest'
import { walkTraces } from '../../ingest/pipeline/walk.ts'
import { buildSpanPool, identityOf, restamp } from './span-pool.ts'

const pool = buildSpanPool({ seed: 1, requests: 8, spreadMs: 10_000 })
const ids = (bytes: Buffer, request: (typeof pool)[number]) =>
  request.places.map(({ spanId }) => bytes.toString('hex', spanId, spanId + 8))

test('a span has the size that ingest figures are quoted for', () => {
  const bytes = pool.reduce((sum, request) => sum + request.bytes.length, 0)
  const spans = pool.reduce((sum, request) => sum + request.spans, 0)
  expect(Math.abs(bytes / spans - 448)).toBeLessThan(5)
})

test('copies are well formed, have the length of the original and ids of their own', () => {
  const seen = new Set<string>()
  const now = Date.now()
  for (let copy = 0; copy < 16; copy += 1) {
    const request = pool[copy % pool.length] as (typeof pool)[number]
    const bytes = restamp(request, copy, now)
    expect(bytes.length).toBe(request.bytes.length)
    const walked = walkTraces(bytes, { fromMs: now, toMs: now + 10_000 })
    expect(walked).toMatchObject({ kind: 'walked', spans: 512, outOfRange: 0 })
    for (const id of ids(bytes, request)) seen.add(id)
  }
  expect(seen.size).toBe(16 * 512)
})

test('children keep their parents, and a trace its transaction number', () => {
  const [request] = pool
  if (request === undefined) throw new Error('the pool is empty')
  const bytes = restamp(request, 3, 1_700_000_000_000)
  const known = new Set(ids(bytes, request))
  const txnOfTrace = new Map<string, string>()
  for (const { traceId, parentId, txnSequence } of request.places) {
    if (parentId >= 0) expect(known).toContain(bytes.toString('hex', parentId, parentId + 8))
    const trace = bytes.toString('hex', traceId, traceId + 16)
    const txn = bytes.toString('latin1', txnSequence, txnSequence + 12)
    expect(txn).toMatch(/^\d{12}$/)
    expect(txnOfTrace.get(trace) ?? txn).toBe(txn)
    txnOfTrace.set(trace, txn)
  }
  expect(txnOfTrace.size).toBe(64)
})

test('times are shifted across the 32-bit border, each by up to a millisecond more, and durations drawn anew', () => {
  const [request] = pool
  if (request === undefined) throw new Error('the pool is empty')
  const bytes = restamp(request, 0, 1_700_000_000_123)
  const durations = new Set<bigint>()
  for (const { startAt, endAt } of request.places) {
    const shifted = request.bytes.readBigUInt64LE(startAt) + 1_700_000_000_123n * 1_000_000n
    const startNs = bytes.readBigUInt64LE(startAt)
    expect(startNs >= shifted && startNs < shifted + 1_000_000n).toBe(true)
    const durationNs = bytes.readBigUInt64LE(endAt) - startNs
    expect(durationNs > 400_000n && durationNs < 66_000_000n).toBe(true)
    durations.add(durationNs)
  }
  expect(durations.size).toBeGreaterThan(500)
})

test('two copies share no identity, and what they are found by is what they hold', () => {
  const [request] = buildSpanPool({ seed: 1, requests: 1, spreadMs: 10_000, customers: true })
  if (request === undefined) throw new Error('the pool is empty')
  const [one, other] = [restamp(request, 0, 0), restamp(request, 1, 0)]
  const found = request.places.map((place) => [identityOf(one, place), identityOf(other, place)] as const)
  for (const [a, b] of found) {
    expect(a.traceId).not.toBe(b.traceId)
    expect(a.txnId).not.toBe(b.txnId)
    expect(one.includes(a.txnId)).toBe(true)
    expect(a.txnId).toMatch(/^20260115\d{16}$/)
  }
  const customers = found.flatMap(([{ customerId }]) => customerId ?? [])
  expect(customers.length).toBe(64)
  for (const customer of customers) {
    expect(customer).toMatch(/^C\d{6}$/)
    expect(one.includes(customer)).toBe(true)
  }
})

test('attribute values are drawn anew', () => {
  const [request] = pool
  if (request === undefined) throw new Error('the pool is empty')
  const [one, other] = [restamp(request, 0, 0), restamp(request, 1, 0)]
  const places = request.places.flatMap(({ digits, threadId }) => [...digits, threadId])
  const differing = places.filter((at) => one[at] !== other[at])
  expect(differing.length).toBeGreaterThan(places.length * 0.8)
})
