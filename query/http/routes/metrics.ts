// Metrics: which there are, their series, one over time, its exemplars, what is over the bound.

import {
  metricExemplars,
  metricItems,
  metricOverflow,
  metricSeries,
  type Labels,
} from '../../reports/metrics.ts'
import { metricQuery, SERIES_MAX } from '../../reports/metric-query.ts'
import { utilisation } from '../../reports/utilisation.ts'
import { floorTo } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { InvalidRequest, rangeOf } from '../errors.ts'
import {
  MetricExemplarsQuery,
  MetricExemplarsReply,
  MetricParams,
  MetricQueryQuery,
  MetricQueryReply,
  MetricSeriesQuery,
  MetricSeriesReply,
  MetricsQuery,
  MetricsReply,
  MetricsStatusReply,
  Problem,
  UtilisationReply,
} from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const DAY_MS = 86_400_000

export function metricRoutes(app: TypedApp, { store, clock }: ApiParts): void {
  app.get(
    '/api/v1/metrics',
    {
      schema: {
        summary: 'Metrics by name: kind, unit, number of series',
        tags: ['metrics'],
        querystring: MetricsQuery,
        response: { 200: MetricsReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const { fromMs } = rangeOf({ from: query.from, to: 'now' }, clock)
      return { items: await metricItems(store, query.prefix, fromMs, query.limit) }
    },
  )
  app.get(
    '/api/v1/metrics/query',
    {
      schema: {
        summary: 'One metric over time, by labels: values, rates with resets, quantiles',
        tags: ['metrics'],
        querystring: MetricQueryQuery,
        response: { 200: MetricQueryReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const stepMs = query.stepSeconds * 1000
      const { fromMs, toMs } = rangeOf(query, clock)
      const answer = await metricQuery(store, {
        metric: query.metric,
        range: { fromMs: floorTo(fromMs, stepMs), toMs },
        stepMs,
        labels: labelsOf(query.label),
        by: query.by,
        fn: query.function,
      })
      if ('place' in answer) throw new InvalidRequest(answer.place, answer.message)
      return answer
    },
  )
  app.get(
    '/api/v1/metrics/utilisation',
    {
      schema: {
        summary: 'What nodes and containers use now, against what they have, asked for and may use',
        description:
          'From the newest samples of the last five minutes, under the names of the Collector’s kubeletstats and k8s_cluster receivers.',
        tags: ['metrics'],
        response: { 200: UtilisationReply, 503: Problem },
      },
    },
    () => utilisation(store, clock.now()),
  )
  app.get(
    '/api/v1/metrics/status',
    {
      schema: {
        summary: 'Metrics beyond the bound on series',
        tags: ['metrics'],
        response: { 200: MetricsStatusReply, 503: Problem },
      },
    },
    async () => ({ overflow: await metricOverflow(store, floorTo(clock.now(), DAY_MS)) }),
  )
  app.get(
    '/api/v1/metrics/:name/series',
    {
      schema: {
        summary: 'Series of one metric, by labels',
        tags: ['metrics'],
        params: MetricParams,
        querystring: MetricSeriesQuery,
        response: { 200: MetricSeriesReply, 400: Problem, 503: Problem },
      },
    },
    async ({ params, query }) => {
      const { fromMs } = rangeOf({ from: query.from, to: 'now' }, clock)
      const items = await metricSeries(store, params.name, labelsOf(query.label), fromMs, query.limit)
      return { metric: params.name, items }
    },
  )
  app.get(
    '/api/v1/metrics/:name/exemplars',
    {
      schema: {
        summary: 'Exemplars of one metric, newest first, with their traces',
        tags: ['metrics'],
        params: MetricParams,
        querystring: MetricExemplarsQuery,
        response: { 200: MetricExemplarsReply, 400: Problem, 503: Problem },
      },
    },
    async ({ params, query }) => {
      const range = rangeOf(query, clock)
      const series = await metricSeries(store, params.name, labelsOf(query.label), range.fromMs, SERIES_MAX)
      const ids = series.map(({ id }) => id)
      return {
        metric: params.name,
        items: await metricExemplars(store, params.name, ids, range, query.limit),
      }
    },
  )
}

function labelsOf(filters: readonly string[]): Labels {
  return Object.fromEntries(
    filters.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  )
}
