import { expect, test } from 'vitest'
import { walkTraces } from '../../ingest/pipeline/walk.ts'
import { buildSpanPool, restamp } from './span-pool.ts'

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

test('times are shifted to the nanosecond across the 32-bit border', () => {
  const [request] = pool
  if (request === undefined) throw new Error('the pool is empty')
  const bytes = restamp(request, 0, 1_700_000_000_123)
  for (const { startAt, endAt } of request.places) {
    const shift = 1_700_000_000_123n * 1_000_000n
    expect(bytes.readBigUInt64LE(startAt)).toBe(request.bytes.readBigUInt64LE(startAt) + shift)
    expect(bytes.readBigUInt64LE(endAt)).toBe(request.bytes.readBigUInt64LE(endAt) + shift)
  }
})
