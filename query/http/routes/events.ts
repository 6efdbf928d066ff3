// Named events: restarts, evictions, scaling, rate limits, circuit breaks, degradation, self-healing.

import { namedEvents } from '../../reports/events.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { rangeOf } from '../errors.ts'
import { EventsQuery, EventsReply, Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function eventRoutes(app: TypedApp, { store, clock }: ApiParts): void {
  app.get(
    '/api/v1/events',
    {
      schema: {
        summary: 'Named events of a range, newest first',
        tags: ['events'],
        querystring: EventsQuery,
        response: { 200: EventsReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const range = rangeOf(query, clock)
      const { service = '', kind = '', name = '', limit } = query
      const items = await namedEvents(store, range, { service, kind, name, limit })
      return { from: iso(range.fromMs), to: iso(range.toMs), items }
    },
  )
}
