// Wires the role `query`: the API and the pages, on the application that the process serves.

import type { FastifyInstance } from 'fastify'
import type { Clock } from '../ingest/runtime/clock.ts'
import type { Health } from '../ingest/runtime/health.ts'
import type { Metrics } from '../ingest/runtime/metrics.ts'
import type { Store } from '../ingest/store/store.ts'
import type { QueryConfig } from './config.ts'
import { api } from './http/api.ts'
import { pages } from './http/routes/pages.ts'
import type { KafkaStatus } from './reports/ingest-status.ts'

export type QueryParts = {
  readonly store: Store
  /** The application on SURETY_HTTP_PORT, not yet listening, with the OpenAPI document registered. */
  readonly app: FastifyInstance
  readonly health: Health
  readonly metrics: Metrics
  readonly clock: Clock
  readonly kafkaStatus: () => KafkaStatus | null
  /** What the page of an empty store tells people to send traces to. */
  readonly otlpTracesUrl?: string
}

export async function start(
  config: QueryConfig,
  { store, app, health, metrics, clock, kafkaStatus, otlpTracesUrl }: QueryParts,
): Promise<void> {
  health.register('store', async () => {
    await store.rows('SELECT 1')
    return undefined
  })
  await app.register(api, {
    store,
    clock,
    metrics,
    kafkaStatus,
    retentionSpansDays: config.SURETY_RETENTION_SPANS_DAYS,
  })
  await app.register(pages, otlpTracesUrl === undefined ? {} : { otlpTracesUrl })
}
