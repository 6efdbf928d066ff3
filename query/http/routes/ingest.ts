// How ingest is doing.

import { ingestStatus } from '../../reports/ingest-status.ts'
import type { ApiParts } from '../api.ts'
import { IngestStatusReply, Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function ingestRoutes(app: TypedApp, { store, clock, kafkaStatus }: ApiParts): void {
  app.get(
    '/api/v1/ingest/status',
    {
      schema: {
        summary: 'Lag, rows per second, dead letters, parts',
        tags: ['ingest'],
        response: { 200: IngestStatusReply, 503: Problem },
      },
    },
    () => ingestStatus(store, clock.now(), kafkaStatus()),
  )
}
