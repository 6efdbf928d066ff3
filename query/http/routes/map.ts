// The map: services, what they call, and how it answers.

import { serviceMap } from '../../reports/map.ts'
import type { ApiParts } from '../api.ts'
import { rangeOf } from '../errors.ts'
import { MapQuery, MapReply, Problem, type MapReply as MapAnswer } from '../schemas.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import { toSecond } from '../../time-range.ts'
import type { TypedApp } from './typed.ts'

export function mapRoutes(app: TypedApp, { store, clock }: ApiParts): void {
  const shared = buildSharedAnswers<MapAnswer>()
  app.get(
    '/api/v1/map',
    {
      schema: {
        summary: 'Who calls whom: services and peers with rate and errors, calls with latency on both sides',
        tags: ['services'],
        querystring: MapQuery,
        response: { 200: MapReply, 400: Problem, 503: Problem },
      },
    },
    ({ query }) => {
      const within = toSecond(rangeOf(query, clock))
      return shared(JSON.stringify([within, query.traffic]), () => serviceMap(store, within, query.traffic))
    },
  )
}
