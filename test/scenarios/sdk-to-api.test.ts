// The main path with the real OpenTelemetry SDK: a program instruments itself, its exporter speaks OTLP/HTTP with
// gzip, and a person asks the API.

import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { expect, test } from 'vitest'
import type { ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import { eventually, startSurety } from '../support/surety.ts'

test('spans of the real SDK are answered per version, with their trace', async () => {
  const surety = await startSurety()
  process.env['OTEL_EXPORTER_OTLP_COMPRESSION'] = 'gzip'
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes({
      'service.name': 'ledger',
      'service.version': '3.1.4',
      'bank.site': 'sh-a',
    }),
    traceExporter: new OTLPTraceExporter({ url: `${surety.otlpHttpUrl}/v1/traces` }),
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  try {
    const tracer = trace.getTracer('bank', '1.0')
    const traceIds: string[] = []
    for (let index = 0; index < 20; index += 1) {
      const parent = tracer.startSpan('POST /postings', {
        kind: SpanKind.SERVER,
        attributes: { 'bank.channel': 'counter' },
      })
      const child = tracer.startSpan(
        'INSERT',
        { kind: SpanKind.CLIENT },
        trace.setSpan(context.active(), parent),
      )
      child.end()
      if (index % 4 === 0) {
        parent.recordException(new Error('no such account'))
        parent.setStatus({ code: SpanStatusCode.ERROR, message: 'no such account' })
      }
      parent.end()
      traceIds.push(parent.spanContext().traceId)
    }
    await sdk.shutdown()
    const { items } = await eventually(
      () => surety.get<ServicesReply>('/api/v1/services?from=-5m'),
      (reply) => (reply.items[0]?.requests ?? 0) === 20,
    )
    expect(items).toEqual([
      expect.objectContaining({
        service: 'ledger',
        version: '3.1.4',
        requests: 20,
        errorRatio: 0.25,
        outcomes: { ok: 15, business_reject: 0, business_error: 0, shed: 0, system_error: 5 },
      }),
    ])
    const reply = await surety.get<TraceReply>(`/api/v1/traces/${traceIds[0]}`)
    const server = reply.spans.find(({ kind }) => kind === 'SERVER')
    expect(server).toMatchObject({
      statusMessage: 'no such account',
      events: [{ name: 'exception' }],
      resource: { 'bank.site': 'sh-a' },
    })
    expect(reply.spans.find(({ kind }) => kind === 'CLIENT')?.parentSpanId).toBe(server?.spanId)
  } finally {
    await surety.stop()
  }
})
