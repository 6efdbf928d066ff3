import { expect, test } from 'vitest'
import { traceRequest, type SpanInput } from '../../test/support/otlp.ts'
import { splitByTime } from './time-split.ts'
import { walkTraces } from './walk.ts'

const NOW_MS = Date.UTC(2026, 10, 20)
const RANGE = { fromMs: NOW_MS - 1000, toMs: NOW_MS + 1000 }

function span(name: string, startMs: number): SpanInput {
  return {
    traceId: Buffer.alloc(16, 1),
    spanId: Buffer.alloc(8, 2),
    name,
    startNs: BigInt(startMs) * 1_000_000n,
    endNs: 0n,
  }
}

const request = traceRequest([
  {
    attributes: { 'service.name': 'mixed' },
    spans: [span('good-1', NOW_MS), span('bad-1', 5), span('good-2', NOW_MS)],
  },
  { attributes: { 'service.name': 'only-good' }, spans: [span('good-3', NOW_MS)] },
  { attributes: { 'service.name': 'only-bad' }, spans: [span('bad-2', NOW_MS + 5000)] },
])

test('both halves are valid requests that keep their resources', () => {
  const split = splitByTime(request, RANGE)
  expect(split).toMatchObject({ keptSpans: 3, removedSpans: 2, removedFromMs: 5, removedToMs: NOW_MS + 5000 })
  expect(walkTraces(split.kept, RANGE)).toMatchObject({ spans: 3, outOfRange: 0 })
  expect(walkTraces(split.removed, RANGE)).toMatchObject({ spans: 2, outOfRange: 2 })
  for (const text of ['good-1', 'good-2', 'good-3', 'mixed', 'only-good'])
    expect(split.kept.includes(text)).toBe(true)
  for (const text of ['bad-1', 'bad-2', 'only-bad']) expect(split.kept.includes(text)).toBe(false)
  for (const text of ['bad-1', 'bad-2', 'mixed', 'only-bad']) expect(split.removed.includes(text)).toBe(true)
  expect(split.removed.includes('good-1')).toBe(false)
})

test('a message with nothing to remove comes back byte for byte', () => {
  const whole = splitByTime(request, { fromMs: 0, toMs: NOW_MS * 2 })
  expect(whole.kept.equals(request)).toBe(true)
  expect(whole.removed.length).toBe(0)
})
