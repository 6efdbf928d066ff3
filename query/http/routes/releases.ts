// Release events, as they were received.

import { releaseEvents } from '../../reports/release-events.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { rangeOf } from '../errors.ts'
import { Problem, ReleaseEventsQuery, ReleaseEventsReply } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function releaseRoutes(app: TypedApp, { store, clock }: ApiParts): void {
  app.get(
    '/api/v1/releases/events',
    {
      schema: {
        summary: 'Release events of a range, newest first',
        tags: ['releases'],
        querystring: ReleaseEventsQuery,
        response: { 200: ReleaseEventsReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const range = rangeOf(query, clock)
      const items = await releaseEvents(store, range, query.service ?? '', query.limit)
      return { from: iso(range.fromMs), to: iso(range.toMs), items }
    },
  )
}
