// Synthetic bank traffic as OTLP bytes, in the shape that the ingest figures are quoted for: 60 services, 300
// routes, 13 span and 9 resource attributes, 512 spans a request, about 448 bytes a span. Seeded.

import { field, random, randomBytes, spanBytes, traceRequest, varint, type SpanInput } from './otlp.ts'

/** A key of SURETY_SEARCH_KEYS. */
export const CUSTOMER_KEY = 'customer.id'
const CHANNELS = ['mobile', 'counter', 'atm', 'web', 'openapi']
const REGIONS = ['east', 'north', 'south', 'west']
const SITES = ['sh-a', 'sh-b', 'bj-a']

export type BankSpansOptions = {
  readonly seed: number
  /** Requests (Kafka values) to make. */
  readonly requests: number
  readonly spansPerRequest?: number
  /** Start of the first span, ns since epoch. */
  readonly startNs: bigint
  /** Spans start within this many milliseconds after `startNs`. */
  readonly spreadMs?: number
  /** Entry spans carry `customer.id`: C and six digits. */
  readonly customers?: boolean
}

/** @returns one `ExportTraceServiceRequest` per request, each with spans of one service instance */
export function bankRequests(options: BankSpansOptions): Buffer[] {
  const next = random(options.seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T
  const spansPerRequest = options.spansPerRequest ?? 512
  const spreadNs = (options.spreadMs ?? 10_000) * 1e6
  return Array.from({ length: options.requests }, () => {
    const service = Math.floor(next() * 60)
    const site = pick(SITES)
    const spans: SpanInput[] = []
    while (spans.length < spansPerRequest) {
      const traceId = randomBytes(next, 16)
      // The bank's own serial number of the transaction: day, system, sequence; one for all spans of a trace.
      const txnId = `20260115${String(service % 12).padStart(4, '0')}${digits(next())}${digits(next())}`
      let parentSpanId: Buffer | undefined
      for (let depth = 0; depth < 8 && spans.length < spansPerRequest; depth += 1) {
        const spanId = randomBytes(next, 8)
        const startNs = options.startNs + BigInt(Math.floor(next() * spreadNs))
        const durationNs = BigInt(Math.floor(Math.exp(13 + next() * 5)))
        const failed = next() < 0.004
        const rejected = !failed && next() < 0.02
        const route = `/api/v1/route-${(service * 5 + Math.floor(next() * 5)) % 300}`
        const kind = depth % 2 === 0 ? 2 : 3
        spans.push({
          traceId,
          spanId,
          ...(parentSpanId === undefined ? {} : { parentSpanId }),
          name: `POST ${route}`,
          kind,
          startNs,
          endNs: startNs + durationNs,
          attributes: {
            'http.request.method': 'POST',
            'http.route': route,
            'http.response.status_code': failed ? 500 : rejected ? 422 : 200,
            'server.address': `svc-${service}.bank`,
            'server.port': 8080,
            'bank.channel': pick(CHANNELS),
            'bank.region': pick(REGIONS),
            'bank.branch': `0${Math.floor(next() * 900)}-${Math.floor(next() * 9)}`,
            'bank.txn.code': `txn.${service % 20}`,
            'bank.txn.id': txnId,
            'bank.return.code': failed ? 'SYS9999' : rejected ? 'LIM0021' : 'PAY0000',
            'thread.id': Math.floor(next() * 64),
            'user.group': `g${Math.floor(next() * 50)}`,
            ...(options.customers === true && depth === 0 ? { [CUSTOMER_KEY]: `C${digits(next())}` } : {}),
          },
          ...(failed ? { statusCode: 2, statusMessage: 'upstream timed out' } : {}),
        })
        parentSpanId = spanId
      }
    }
    return traceRequest([
      {
        attributes: {
          'service.name': `service-${service}`,
          'service.namespace': `system-${service % 12}`,
          'service.version': `2.${service % 7}.${next() < 0.2 ? 1 : 0}`,
          'service.instance.id': `pod-${Math.floor(next() * 10)}`,
          'deployment.environment.name': 'prod',
          'bank.site': site,
          'cloud.availability_zone': `${site}-1`,
          'k8s.cluster.name': `${site}-0${1 + Math.floor(next() * 3)}`,
          'telemetry.sdk.language': 'java',
        },
        spans,
      },
    ])
  })
}

function digits(fraction: number): string {
  return String(Math.floor(fraction * 1e6)).padStart(6, '0')
}

export { field, spanBytes, varint }
