// Traces by id, spans by what they carry.

import { searchSpans } from '../../reports/search.ts'
import { traceById } from '../../reports/trace.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { InvalidRequest, notFound, rangeOf } from '../errors.ts'
import { Problem, TraceParams, TraceReply, TraceSearchQuery, TraceSearchReply } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const SEARCH_DAYS_MAX = 31
const DAY_MS = 86_400_000

export function traceRoutes(app: TypedApp, { store, clock, retentionSpansDays, searchKeys }: ApiParts): void {
  app.get(
    '/api/v1/traces',
    {
      schema: {
        summary: 'Spans by service, operation, outcome, duration and attributes, newest first',
        tags: ['traces'],
        querystring: TraceSearchQuery,
        response: { 200: TraceSearchReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const range = rangeOf(query, clock)
      if (range.toMs - range.fromMs > SEARCH_DAYS_MAX * DAY_MS)
        throw new InvalidRequest('from', `must lie at most ${SEARCH_DAYS_MAX} days before to`)
      const { attribute = [], limit, ...rest } = query
      const attributes = (typeof attribute === 'string' ? [attribute] : attribute).map((text) => {
        const at = text.indexOf('=')
        return { key: text.slice(0, at), value: text.slice(at + 1) }
      })
      const wanted = { ...rest, attributes }
      const items = await searchSpans(store, range, wanted, limit, searchKeys, () => clock.now())
      return { from: iso(range.fromMs), to: iso(range.toMs), items, isComplete: items.length < limit }
    },
  )
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
