// Surety's own spans by the OpenTelemetry SDK. Loaded on demand alone: it costs most of a second at
// start.

import { readFileSync } from 'node:fs'
import {
  context,
  diag,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SamplingDecision,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Sampler,
  type Span,
} from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { OWN_SERVICE, type OwnSpan, type SpanSink, type SpanSinkOptions } from './own-traces.ts'

const SHUTDOWN_MS = 5000

/** Sends spans in batches as OTEL_BSP_… say; a token for the door comes by OTEL_EXPORTER_OTLP_HEADERS. */
export function openSpanSink({ url, ratio, logger }: SpanSinkOptions): SpanSink {
  diag.setLogger(
    {
      error: (message) => logger.warn({ url, reason: message.slice(0, 500) }, 'own spans are not taken'),
      warn: (message) => logger.debug({ reason: message }, 'own spans'),
      info: () => undefined,
      debug: () => undefined,
      verbose: () => undefined,
    },
    { suppressOverrideMessage: true },
  )
  const sdk = new NodeSDK({
    // Detectors would add host, process and user names.
    autoDetectResources: false,
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': OWN_SERVICE,
        'service.version': ownVersion(),
        'bank.system': OWN_SERVICE,
      }),
    ),
    traceExporter: new OTLPTraceExporter({ url }),
    sampler: keepShare(ratio),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  })
  sdk.start()
  const tracer = trace.getTracer(OWN_SERVICE)

  return {
    run: (name, facts, work) =>
      tracer.startActiveSpan(name, { attributes: facts }, async (span) => {
        try {
          return await work()
        } catch (error) {
          fail(span, error instanceof Error ? error.message : String(error))
          throw error
        } finally {
          span.end()
        }
      }),
    isWithin: () => trace.getActiveSpan() !== undefined,
    request(name, facts, headers): OwnSpan {
      const parent = propagation.extract(ROOT_CONTEXT, headers)
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes: facts }, parent)
      return {
        set: (more) => void span.setAttributes(more),
        fail: (reason) => fail(span, reason),
        end: () => span.end(),
      }
    },
    async close() {
      const overdue = new Promise((resolve) => setTimeout(resolve, SHUTDOWN_MS).unref())
      await Promise.race([sdk.shutdown().catch(() => undefined), overdue])
      trace.disable()
      context.disable()
      propagation.disable()
      diag.disable()
    },
  }
}

function fail(span: Span, message: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, 500) })
}

/** As its parent, and of those without one a share by trace id. What is left out is told, so that counts hold. */
export function keepShare(ratio: number): Sampler {
  const facts = ratio < 1 ? { 'sampling.probability': ratio } : {}
  const kept = { decision: SamplingDecision.RECORD_AND_SAMPLED }
  const dropped = { decision: SamplingDecision.NOT_RECORD }
  return {
    shouldSample(parent: Context, traceId: string) {
      const caller = trace.getSpanContext(parent)
      if (caller !== undefined && isSpanContextValid(caller))
        return (caller.traceFlags & 1) === 1 ? kept : dropped
      // The last seven bytes of a trace id are random (W3C Trace Context, level 2); 52 bits of them are enough.
      const share = Number.parseInt(traceId.slice(-13), 16) / 2 ** 52
      return share < ratio ? { ...kept, attributes: facts } : dropped
    },
    toString: () => `a share of ${ratio}`,
  }
}

function ownVersion(): string {
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
