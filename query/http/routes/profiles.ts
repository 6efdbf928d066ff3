// Systems and services as wholes.

import { z } from 'zod'
import type { Landscape } from '../../profiles/landscape.ts'
import type { Seen } from '../../profiles/live.ts'
import { serviceProfile, systemItems, systemProfile, type ProfileParts } from '../../profiles/profiles.ts'
import { serviceItems } from '../../reports/services.ts'
import { iso, toSecond } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { notFound, rangeOf } from '../errors.ts'
import { readCursor } from '../pages.ts'
import {
  ProfileQuery,
  ServiceProfile,
  SystemParams,
  SystemProfile,
  SystemsQuery,
  SystemsReply,
} from '../profile-schemas.ts'
import { Problem, ServiceParams } from '../schemas.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import type { TypedApp } from './typed.ts'

export function profileRoutes(
  app: TypedApp,
  { store, clock, registry, cursors, retentionMinutesDays }: ApiParts,
  landscapeNow: () => Promise<Landscape>,
): void {
  const shared = buildSharedAnswers<Seen>()
  function seenIn(query: { from: string; to: string; traffic: string }): Promise<Seen> {
    const within = toSecond(rangeOf(query, clock))
    const scope = { site: '', channel: '', region: '', traffic: query.traffic }
    const horizon = { nowMs: clock.now(), minutesDays: retentionMinutesDays }
    return shared(JSON.stringify([within, query.traffic]), async () => {
      const { range, items } = await serviceItems(store, within, scope, horizon)
      return { ...range, items }
    })
  }
  async function partsOf(
    query: { from: string; to: string; traffic: string },
    reads: ProfileParts['reads'],
  ): Promise<ProfileParts> {
    const [seen, landscape] = await Promise.all([seenIn(query), landscapeNow()])
    return { store, registry, landscape, seen, reads, traffic: query.traffic, nowMs: clock.now() }
  }

  app.get(
    '/api/v1/systems',
    {
      schema: {
        summary: 'Systems, registered or seen: tier, owner, sites; rate and errors over a range',
        tags: ['systems'],
        querystring: SystemsQuery,
        response: { 200: SystemsReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { limit, cursor, ...query } = call.query
      const listing = { of: 'systems', ...query }
      const after = readCursor(cursors, listing, cursor, z.string())
      const parts = await partsOf(query, principalOf(call).scope)
      const items = systemItems(parts)
      const begin = after === undefined ? 0 : items.findIndex(({ name }) => isBeyond(name, after))
      const page = begin < 0 ? [] : items.slice(begin, begin + limit)
      const last = page.at(-1)
      const isMore = begin >= 0 && begin + limit < items.length
      return {
        from: iso(parts.seen.fromMs),
        to: iso(parts.seen.toMs),
        items: page,
        next: isMore && last !== undefined ? cursors.make(listing, JSON.stringify(last.name)) : null,
      }
    },
  )

  app.get(
    '/api/v1/systems/:name',
    {
      schema: {
        summary: 'One system: what is defined of it, its services, versions, SLOs, and whom it calls',
        tags: ['systems'],
        params: SystemParams,
        querystring: ProfileQuery,
        response: { 200: SystemProfile, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { name } = call.params
      const profile = await systemProfile(await partsOf(call.query, principalOf(call).scope), name)
      return (
        profile ??
        notFound(
          reply,
          `The registry knows no system «${name}», and none of that name took a request in the range.`,
        )
      )
    },
  )

  app.get(
    '/api/v1/services/:service',
    {
      schema: {
        summary: 'One service: its system, owner, versions, SLOs, and whom it calls',
        tags: ['services'],
        params: ServiceParams,
        querystring: ProfileQuery,
        response: { 200: ServiceProfile, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { service } = call.params
      const profile = await serviceProfile(await partsOf(call.query, principalOf(call).scope), service)
      return (
        profile ??
        notFound(reply, `The registry knows no service «${service}», and none of that name took a request.`)
      )
    },
  )
}

const isBeyond = (name: string, after: string) => Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0
