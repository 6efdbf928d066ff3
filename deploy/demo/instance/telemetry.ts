// Tracing of one instance: the OpenTelemetry SDK as any Node service sets it up, with the instance's own
// resource. Nothing here knows Surety; the spans go wherever OTLP is pointed.

import { createRequire } from 'node:module'
import { IncomingMessage, ClientRequest, type RequestOptions } from 'node:http'
import { context, createContextKey, type Context } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { CLOUD_REGION, ENVIRONMENT, SERVICE_FACTS, clusterOf } from '../topology.ts'
import { TXN_ID, bankAttributes } from './headers.ts'
import type { InstanceSeat } from './messages.ts'

const ROUTE = createContextKey('demo bank: route of an outgoing call')

/** Names the client spans begun within this context: `POST /transfers` instead of `POST`. */
export const withRoute = (route: string): Context => context.active().setValue(ROUTE, route)

/** Starts tracing; must run before the instance opens its server. */
export function startTelemetry(seat: InstanceSeat): NodeSDK {
  const { system } = SERVICE_FACTS[seat.service]
  const sdk = new NodeSDK({
    // Detectors would add host, process and user names that mean nothing in a bank of worker threads.
    autoDetectResources: false,
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.name': seat.service,
        'service.namespace': system,
        'service.version': seat.version,
        'service.instance.id': seat.instanceId,
        'deployment.environment.name': ENVIRONMENT,
        'bank.system': system,
        'bank.site': seat.site,
        'cloud.region': CLOUD_REGION,
        'cloud.availability_zone': seat.site,
        'k8s.cluster.name': clusterOf(seat.site),
      }),
    ),
    traceExporter: new OTLPTraceExporter({ url: seat.tracesUrl }),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request) => request.headers[TXN_ID] === undefined,
        startIncomingSpanHook: (request) => bankAttributes(request.headers),
        startOutgoingSpanHook: (options: RequestOptions) => routeAttributes(options),
        requestHook: (span, request) => {
          const route = context.active().getValue(ROUTE)
          if (request instanceof ClientRequest && typeof route === 'string') {
            span.updateName(`${request.method} ${route}`)
          } else if (request instanceof IncomingMessage) {
            // Replaced by the route once it is known; a request to nowhere keeps its method alone.
            span.updateName(request.method ?? 'HTTP')
          }
        },
      }),
    ],
  })
  sdk.start()
  // The instrumentation patches `http` when it is next required; an import alone would not ask it.
  createRequire(import.meta.url)('node:http')
  return sdk
}

function routeAttributes(options: RequestOptions): Record<string, string> {
  const route = context.active().getValue(ROUTE)
  return typeof route === 'string' ? { 'url.template': route, 'peer.service': String(options.hostname) } : {}
}
