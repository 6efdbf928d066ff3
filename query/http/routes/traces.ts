// Traces by id.

import { traceById } from '../../reports/trace.ts'
import type { ApiParts } from '../api.ts'
import { notFound } from '../errors.ts'
import { Problem, TraceParams, TraceReply } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function traceRoutes(app: TypedApp, { store, clock, retentionSpansDays }: ApiParts): void {
  app.get(
    '/api/v1/traces/:traceId',
    {
      schema: {
        summary: 'One trace: its spans in order of start',
        tags: ['traces'],
        params: TraceParams,
        response: { 200: TraceReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async ({ params }, reply) => {
      const trace = await traceById(store, params.traceId, clock.now(), retentionSpansDays)
      return (
        trace ??
        notFound(
          reply,
          `No span of trace ${params.traceId} is stored. Spans are kept for ${retentionSpansDays} days.`,
        )
      )
    },
  )
}
