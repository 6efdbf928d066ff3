// The query API as one Fastify plugin: the OpenAPI document, validation by the zod contract, the routes.
// Builds, never listens.

import fastifyCompress from '@fastify/compress'
import fastifyEtag from '@fastify/etag'
import fastifySwagger from '@fastify/swagger'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { Clock } from '../../ingest/runtime/clock.ts'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import type { Logger } from '../../ingest/runtime/logger.ts'
import type { Metrics } from '../../ingest/runtime/metrics.ts'
import type { OwnSpan, OwnTraces } from '../../ingest/runtime/own-traces.ts'
import type { Store } from '../../ingest/store/store.ts'
import type { KafkaStatus } from '../reports/ingest-status.ts'
import type { People } from '../people/people.ts'
import type { DocumentParser } from '../registry/bundle.ts'
import type { Cursors } from '../registry/cursors.ts'
import type { Database } from '../registry/database.ts'
import type { Registry } from '../registry/registry.ts'
import type { VerdictsOf } from '../releases/release-items.ts'
import { buildBoard } from '../promises/board.ts'
import type { WindowPlan } from '../windows/release-window.ts'
import { buildLandscape } from '../profiles/landscape.ts'
import { refuseInWords } from './refusals.ts'
import { attributeRoutes } from './routes/attributes.ts'
import { auditRoutes } from './routes/audit.ts'
import { bundleRoutes } from './routes/bundles.ts'
import { calendarRoutes } from './routes/calendar.ts'
import { correctionRoutes } from './routes/slo-corrections.ts'
import { definitionRoutes } from './routes/definitions.ts'
import { downtimeRoutes } from './routes/downtime.ts'
import { eventRoutes } from './routes/events.ts'
import { faultRoutes } from './routes/faults.ts'
import { gateRoutes } from './routes/gate.ts'
import { ingestRoutes } from './routes/ingest.ts'
import { journeyRoutes } from './routes/journeys.ts'
import { mapRoutes } from './routes/map.ts'
import { metricRoutes } from './routes/metrics.ts'
import { peopleRoutes } from './routes/people.ts'
import { profileRoutes } from './routes/profiles.ts'
import { releaseRoutes } from './routes/releases.ts'
import { releaseOrderRoutes } from './routes/release-orders.ts'
import { serviceRoutes } from './routes/services.ts'
import { sloMetricsRoutes } from './routes/slo-metrics.ts'
import { sloReportRoutes } from './routes/slo-reports.ts'
import { sloBudgetRoutes } from './routes/slo-budgets.ts'
import { sloStreamRoutes } from './routes/slo-stream.ts'
import { sloRoutes } from './routes/slos.ts'
import { traceRoutes } from './routes/traces.ts'
import { changeRoutes } from './routes/changes.ts'
import { verdictRoutes } from './routes/verdicts.ts'
import { windowRoutes } from './routes/windows.ts'

export type ApiParts = {
  readonly store: Store
  readonly clock: Clock
  readonly logger: Logger
  /** What routes keep open is closed before the registry. */
  readonly lifecycle: Pick<Lifecycle, 'add'>
  readonly metrics: Metrics
  readonly retentionSpansDays: number
  readonly retentionMinutesDays: number
  /** Attribute keys that the store has filters for (SURETY_SEARCH_KEYS). */
  readonly searchKeys: readonly string[]
  /** SURETY_GRAY_OPEN_DAYS */
  readonly grayOpenDays: number
  /** Newest verdicts by release, a person's before ours; without it none are told. */
  readonly verdictsOf?: VerdictsOf
  /** What the ingest role in this process knows of its partitions; null when there is none. */
  readonly kafkaStatus: () => KafkaStatus | null
  readonly traces: OwnTraces
  readonly registry: Registry
  readonly database: Database
  readonly people: People
  readonly cursors: Cursors
  /** Of documents that are not our own. */
  readonly parsers: readonly DocumentParser[]
  readonly windowPlan: WindowPlan
  /** How browsers reach us: by TLS, through a proxy. */
  readonly browsers: { readonly isSecure: boolean; readonly isProxied: boolean }
}

// Less fits into one packet anyway.
const COMPRESSED_FROM_BYTES = 1400

/** To be called on the application itself, before other routes, so that the document holds them all. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Surety',
        version: '1',
        description:
          'Observability and SLO analytics for banking workloads. Times are RFC 3339 in UTC; errors are problem+json.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      // The empty one: on loopback visitors may read.
      security: [{ token: [] }, { session: [] }, {}],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              'of a user (POST /api/v1/tokens), or of the file (made by «surety token create»; scope read)',
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'surety_session',
            description: 'POST /api/v1/session',
          },
        },
      },
    },
    transform: jsonSchemaTransform,
  })
  app.get('/api/v1/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

export async function api(app: FastifyInstance, parts: ApiParts): Promise<void> {
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  // Weak: what is compressed and what is not are the same answer.
  await app.register(fastifyEtag, { weak: true })
  await app.register(fastifyCompress, { encodings: ['gzip', 'identity'], threshold: COMPRESSED_FROM_BYTES })
  traceRequests(app, parts.traces)
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    parts.metrics.queries.observe({ route, status: reply.statusCode }, reply.elapsedTime / 1000)
  })
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const landscape = buildLandscape(parts.registry)
  serviceRoutes(typed, parts, landscape)
  profileRoutes(typed, parts, landscape)
  journeyRoutes(typed, parts, landscape)
  calendarRoutes(typed, parts)
  mapRoutes(typed, parts)
  traceRoutes(typed, parts)
  attributeRoutes(typed, parts)
  releaseRoutes(typed, parts)
  gateRoutes(typed, parts)
  releaseOrderRoutes(typed, parts)
  metricRoutes(typed, parts)
  eventRoutes(typed, parts)
  ingestRoutes(typed, parts)
  const board = buildBoard(parts.store, parts.registry)
  sloStreamRoutes(typed, parts, board)
  sloRoutes(typed, parts, board)
  sloBudgetRoutes(typed, parts, board, landscape)
  sloMetricsRoutes(typed, parts, board)
  sloReportRoutes(typed, parts, board)
  downtimeRoutes(typed, parts, board)
  windowRoutes(typed, parts, parts.windowPlan)
  changeRoutes(typed, parts)
  await app.register((inner, _, done) => {
    refuseInWords(inner)
    const within = inner.withTypeProvider<ZodTypeProvider>()
    definitionRoutes(within, parts)
    correctionRoutes(within, parts, board)
    bundleRoutes(within, parts)
    peopleRoutes(within, parts)
    auditRoutes(within, parts)
    verdictRoutes(within, parts)
    faultRoutes(within, parts, landscape)
    done()
  })
}

/** A server span for each request, named by its route. */
function traceRequests(app: FastifyInstance, traces: OwnTraces): void {
  const spans = new WeakMap<FastifyRequest, OwnSpan>()
  app.addHook('onRequest', (request, _, done) => {
    const { method, url, headers } = request
    const route = request.routeOptions.url ?? 'none'
    const facts = { 'http.request.method': method, 'http.route': route, 'url.path': url.split('?')[0] ?? '' }
    const span = traces.request(`${method} ${route}`, facts, headers)
    if (span !== undefined) spans.set(request, span)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request)
    span?.set({ 'http.response.status_code': reply.statusCode })
    if (reply.statusCode >= 500) span?.fail(`answered ${reply.statusCode}`)
    span?.end()
    done()
  })
}
