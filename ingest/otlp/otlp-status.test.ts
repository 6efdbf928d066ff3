import { describe, expect, test } from 'vitest'
import { protobufReader } from '../../test/support/protobuf.ts'
import { exportResponse, exportResponseJson, rpcStatus, rpcStatusJson } from './otlp-status.ts'

// As documented: google/rpc/status.proto, google/rpc/error_details.proto; opentelemetry/proto/collector/trace/v1/trace_service.proto.
const DOCUMENTED = `
  syntax = "proto3";
  message Any { string type_url = 1; bytes value = 2; }
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
  message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
  message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
`
const decode = protobufReader(DOCUMENTED)

describe('a refusal is a google.rpc.Status', () => {
  test.each([
    { name: 'with an English sentence', code: 3, message: 'The body is not protobuf' },
    { name: 'with text beyond ASCII', code: 14, message: '存储忙 «later» …' },
    { name: 'with a text longer than one byte of length says', code: 8, message: 'x'.repeat(20_000) },
  ])('$name', ({ code, message }) => {
    expect(decode('Status', rpcStatus(code, message))).toEqual({ code, message })
  })

  test('without a text it still has its code', () => {
    expect(decode('Status', rpcStatus(13, ''))).toMatchObject({ code: 13 })
  })
})

describe('a refusal may say when to come again', () => {
  test.each([
    { retryAfterMs: 2000, want: { seconds: '2' } },
    { retryAfterMs: 90_500, want: { seconds: '90', nanos: 500_000_000 } },
  ])('$retryAfterMs ms', ({ retryAfterMs, want }) => {
    const { details } = decode('Status', rpcStatus(14, 'busy', retryAfterMs)) as {
      readonly details: readonly { readonly typeUrl: string; readonly value: Uint8Array }[]
    }
    const [any] = details
    expect(any?.typeUrl).toBe('type.googleapis.com/google.rpc.RetryInfo')
    expect(decode('RetryInfo', any?.value ?? Buffer.alloc(0))).toEqual({ retryDelay: want })
  })

  test('in JSON too', () => {
    expect(JSON.parse(rpcStatusJson(14, 'busy', 2000))).toEqual({
      code: 14,
      message: 'busy',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }],
    })
    expect(JSON.parse(rpcStatusJson(3, 'bad'))).toEqual({ code: 3, message: 'bad' })
  })
})

test('the answer in JSON says 64-bit numbers as text', () => {
  expect(exportResponseJson(0, '', 'traces')).toBe('{}')
  expect(JSON.parse(exportResponseJson(2, 'old', 'traces'))).toEqual({
    partialSuccess: { rejectedSpans: '2', errorMessage: 'old' },
  })
})

describe('the answer to a trace request is an ExportTraceServiceResponse', () => {
  test('full success leaves partial_success unset, as the specification asks', () => {
    expect(exportResponse(0, '')).toHaveLength(0)
    expect(decode('ExportTraceServiceResponse', exportResponse(0, ''))).toEqual({})
  })

  test.each([
    { rejected: 1, message: '1 span starts in 1970' },
    { rejected: 127, message: 'the last number of one byte' },
    { rejected: 128, message: 'the first number of two bytes' },
    { rejected: 200_000, message: '时间 '.repeat(500) },
  ])('$rejected rejected spans are told with the reason', ({ rejected, message }) => {
    expect(decode('ExportTraceServiceResponse', exportResponse(rejected, message))).toEqual({
      partialSuccess: { rejectedSpans: String(rejected), errorMessage: message },
    })
  })

  test('a warning without a rejected span leaves rejected_spans at zero', () => {
    expect(decode('ExportTraceServiceResponse', exportResponse(0, 'be careful'))).toEqual({
      partialSuccess: { errorMessage: 'be careful' },
    })
  })
})
