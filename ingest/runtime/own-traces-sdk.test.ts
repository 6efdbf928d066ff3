import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { keepShare } from './own-traces-sdk.ts'

test('a share of traces is kept by trace id; a caller decides for its own', () => {
  const sampler = keepShare(0.25)
  const sampled = (traceId: string, parent = ROOT_CONTEXT) =>
    sampler.shouldSample(parent, traceId, 'x', SpanKind.INTERNAL, {}, [])
  const low = `${'a'.repeat(19)}${'3'.padEnd(13, 'f')}`
  const high = `${'a'.repeat(19)}${'4'.padEnd(13, '0')}`
  expect(sampled(low)).toEqual({ decision: 2, attributes: { 'sampling.probability': 0.25 } })
  expect(sampled(high)).toEqual({ decision: 0 })
  const caller = (traceFlags: number) =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId: high, spanId: 'b'.repeat(16), traceFlags, isRemote: true })
  expect(sampled(high, caller(1))).toEqual({ decision: 2 })
  expect(sampled(low, caller(0))).toEqual({ decision: 0 })
})
