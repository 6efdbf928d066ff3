// Services: all of them over a range, one over time.

import { serviceErrors } from '../../reports/service-errors.ts'
import { serviceSeries } from '../../reports/service-series.ts'
import { serviceItems } from '../../reports/services.ts'
import type { Scope } from '../../reports/latency.ts'
import { mayRead } from '../../people/read-scope.ts'
import { systemOf, type Landscape } from '../../profiles/landscape.ts'
import { iso, toSecond } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { rangeOf } from '../errors.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import {
  Problem,
  ServiceErrorsQuery,
  ServiceErrorsReply,
  ServiceParams,
  ServiceSeriesQuery,
  ServiceSeriesReply,
  ServicesQuery,
  ServicesReply,
} from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function serviceRoutes(
  app: TypedApp,
  { store, clock, retentionMinutesDays }: ApiParts,
  landscape: () => Promise<Landscape>,
): void {
  const horizon = () => ({ nowMs: clock.now(), minutesDays: retentionMinutesDays })
  const shared = buildSharedAnswers<Awaited<ReturnType<typeof serviceItems>>>()
  app.get(
    '/api/v1/services',
    {
      schema: {
        summary: 'Services by version: rate, errors, latency over a range',
        tags: ['services'],
        querystring: ServicesQuery,
        response: { 200: ServicesReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { query } = call
      const reads = principalOf(call).scope
      const [within, scope] = [toSecond(rangeOf(query, clock)), scopeOf(query)]
      const { range, items } = await shared(JSON.stringify([within, scope]), () =>
        serviceItems(store, within, scope, horizon()),
      )
      // What is defined goes before what telemetry says; what belongs to no system is for everybody.
      const known = await landscape()
      const readable = items.filter(({ service, system }) => mayRead(reads, systemOf(known, service, system)))
      return { from: iso(range.fromMs), to: iso(range.toMs), items: readable }
    },
  )
  app.get(
    '/api/v1/services/:service/series',
    {
      schema: {
        summary: 'One service over time, by version',
        tags: ['services'],
        params: ServiceParams,
        querystring: ServiceSeriesQuery,
        response: { 200: ServiceSeriesReply, 400: Problem, 503: Problem },
      },
    },
    ({ params, query }) =>
      serviceSeries(
        store,
        params.service,
        rangeOf(query, clock),
        query.stepSeconds,
        scopeOf(query),
        horizon(),
      ),
  )
  app.get(
    '/api/v1/services/:service/errors',
    {
      schema: {
        summary: 'Error signatures of one service: how often, since which version',
        tags: ['services'],
        params: ServiceParams,
        querystring: ServiceErrorsQuery,
        response: { 200: ServiceErrorsReply, 400: Problem, 503: Problem },
      },
    },
    async ({ params: { service }, query }) => {
      const range = rangeOf(query, clock)
      const items = await serviceErrors(store, service, range, query.traffic, query.limit)
      return { service, from: iso(range.fromMs), to: iso(range.toMs), items }
    },
  )
}

function scopeOf(query: {
  site?: string | undefined
  channel?: string | undefined
  region?: string | undefined
  traffic: string
}): Scope {
  return {
    site: query.site ?? '',
    channel: query.channel ?? '',
    region: query.region ?? '',
    traffic: query.traffic,
  }
}
