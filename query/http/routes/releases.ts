// The release ledger, and release events as they were received.

import { z } from 'zod'
import { mayRead } from '../../people/read-scope.ts'
import { releaseEvents } from '../../reports/release-events.ts'
import { findRelease, loadReleases } from '../../releases/ledger.ts'
import { NO_VERDICTS, releaseItem, releaseReply } from '../../releases/release-items.ts'
import type { Release } from '../../releases/release.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { notFound, rangeOf } from '../errors.ts'
import { ReleaseReply, ReleasesQuery, ReleasesReply } from '../release-schemas.ts'
import { Problem, ReleaseEventsQuery, ReleaseEventsReply } from '../schemas.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import type { TypedApp } from './typed.ts'

const ReleaseParams = z.object({ id: z.string().min(1).max(256) })

export function releaseRoutes(app: TypedApp, parts: ApiParts): void {
  const { store, clock, verdictsOf = NO_VERDICTS } = parts
  const shared = buildSharedAnswers<readonly Release[]>()

  app.get(
    '/api/v1/releases',
    {
      schema: {
        summary: 'Releases that were under way in a range, told or seen in traffic alone, newest first',
        tags: ['releases'],
        querystring: ReleasesQuery,
        response: { 200: ReleasesReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { service, system, order, limit, ...query } = call.query
      const range = rangeOf(query, clock)
      const releases = await shared(JSON.stringify(range), () =>
        loadReleases(parts, { ...range, nowMs: clock.now() }),
      )
      const reads = principalOf(call).scope
      const found = releases
        .filter(
          (release) =>
            mayRead(reads, release.system || undefined) &&
            (service === undefined || release.service === service || release.toldService === service) &&
            (system === undefined || release.system === system) &&
            (order === undefined || release.orderId === order),
        )
        .toReversed()
        .slice(0, limit)
      const verdicts = await verdictsOf(found.map(({ id }) => id))
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        items: found.map((release) => releaseItem(release, verdicts.get(release.id))),
      }
    },
  )

  app.get(
    '/api/v1/releases/:id',
    {
      schema: {
        summary: 'One release with its steps, its parameters and what it differs in',
        tags: ['releases'],
        params: ReleaseParams,
        response: { 200: ReleaseReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { id } = call.params
      const release = await findRelease(parts, id, clock.now())
      if (release === undefined || !mayRead(principalOf(call).scope, release.system || undefined))
        return notFound(
          reply,
          `There is no release «${id}» in the last 90 days; GET /api/v1/releases lists them with their ids.`,
        )
      const verdicts = await verdictsOf([id])
      return releaseReply(release, verdicts.get(id))
    },
  )

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
