// How SLOs stand, for Prometheus and whatever scrapes like it.

import { z } from 'zod'
import { METRICS_PAGE_TYPE, metricsPage } from '../../promises/metrics-page.ts'
import type { Board } from '../../promises/board.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const SloMetricsQuery = z.object({
  system: z.string().max(512).optional().describe('only SLOs of this system'),
  service: z.string().max(512).optional().describe('only SLOs of this service'),
})

export function sloMetricsRoutes(app: TypedApp, { clock }: ApiParts, board: Board): void {
  app.get(
    '/metrics/slo',
    {
      schema: {
        summary: 'SLOs for Prometheus: conditions, budgets, burn rates and request rates in its text format',
        description:
          'Names of Sloth where they fit (slo:objective:ratio, slo:period_error_budget_remaining:ratio, slo:sli_error:ratio_rate5m …), else surety_slo_…. What is not known has no line.',
        tags: ['slos'],
        produces: ['text/plain'],
        querystring: SloMetricsQuery,
        response: { 200: z.string().describe('the page'), 400: Problem, 503: Problem },
      },
    },
    async (request, reply) => {
      const { system, service } = request.query
      const standings = await board.standings(principalOf(request).scope)
      const wanted = standings.filter(
        ({ slo }) =>
          (system === undefined || slo.system === system) &&
          (service === undefined || slo.definition.service === service),
      )
      return reply
        .type(METRICS_PAGE_TYPE)
        .header('cache-control', 'no-store')
        .send(await metricsPage(wanted, clock.now()))
    },
  )
}
