// The map: services, what they call, and how it answers; over a range, as of a time, and where two times differ.

import { z } from 'zod'
import { mapDifference, THRESHOLDS } from '../../reports/map-difference.ts'
import { serviceMap } from '../../reports/map.ts'
import { durationMs, floorTo, parseInstant, toSecond, type TimeRange } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { InvalidRequest, rangeOf } from '../errors.ts'
import { MapDifferenceQuery, MapDifferenceReply } from '../map-schemas.ts'
import { readCursor } from '../pages.ts'
import { MapQuery, MapReply, Problem, type MapReply as MapAnswer } from '../schemas.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import type { TypedApp } from './typed.ts'

const MINUTE_MS = 60_000
const WINDOW_MS_MAX = 7 * 1440 * MINUTE_MS
/** Services, and edges, that are compared. */
const COMPARED_MAX = 20_000
const Place = z.object({ beforeMs: z.number(), afterMs: z.number(), offset: z.number().int() })

export function mapRoutes(app: TypedApp, { store, clock, cursors }: ApiParts): void {
  const shared = buildSharedAnswers<MapAnswer>()
  const mapOf = (within: TimeRange, traffic: string, limit?: number) =>
    shared(JSON.stringify([within, traffic, limit]), () => serviceMap(store, within, traffic, limit))

  /** The end of the last whole minute. @throws InvalidRequest */
  function minuteAt(place: string, text: string): number {
    const nowMs = clock.now()
    const ms = parseInstant(text, nowMs)
    if (ms === undefined) throw new InvalidRequest(place, 'is not a date that exists')
    if (ms > nowMs + MINUTE_MS) throw new InvalidRequest(place, 'lies ahead of now')
    if (ms < WINDOW_MS_MAX) throw new InvalidRequest(place, 'lies before anything that is kept')
    return floorTo(ms, MINUTE_MS)
  }

  app.get(
    '/api/v1/map',
    {
      schema: {
        summary: 'Who calls whom: services and peers with rate and errors, calls with latency on both sides',
        description: 'Over a range (from, to), or as of a time (at, window).',
        tags: ['services'],
        querystring: MapQuery,
        response: { 200: MapReply, 400: Problem, 503: Problem },
      },
    },
    ({ query }) => {
      const { from, to, at, window, traffic } = query
      if (at === undefined) {
        if (window !== undefined)
          throw new InvalidRequest('window', 'goes with `at`; without it give from and to')
        return mapOf(toSecond(rangeOf({ from: from ?? '-15m', to: to ?? 'now' }, clock)), traffic)
      }
      if (from !== undefined || to !== undefined)
        throw new InvalidRequest('at', 'is given instead of from and to; give `window` with it')
      const toMs = minuteAt('at', at)
      return mapOf({ fromMs: toMs - windowMs(window ?? '15m'), toMs }, traffic)
    },
  )

  app.get(
    '/api/v1/map/difference',
    {
      schema: {
        summary:
          'Where the map differs between two times: what is new, gone, or changed in rate, errors, latency',
        tags: ['services'],
        querystring: MapDifferenceQuery,
        response: { 200: MapDifferenceReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => {
      const { before, after, window, traffic, limit, cursor } = query
      const lengthMs = windowMs(window)
      const listing = { of: 'map difference', before, after, window, traffic }
      const place = readCursor(cursors, listing, cursor, Place) ?? {
        beforeMs: minuteAt('before', before),
        afterMs: minuteAt('after', after),
        offset: 0,
      }
      const { beforeMs, afterMs, offset } = place
      if (beforeMs > afterMs - lengthMs)
        throw new InvalidRequest(
          'before',
          `must lie at least ${window} before after, so that the windows do not overlap`,
        )
      const sides = await Promise.all(
        [beforeMs, afterMs].map((toMs) => mapOf({ fromMs: toMs - lengthMs, toMs }, traffic, COMPARED_MAX)),
      )
      const [old, now] = sides as [MapAnswer, MapAnswer]
      const { items, isComparable, unchanged } = mapDifference(old, now)
      const end = offset + limit
      const side = ({ from, to, derivedMinutes, isComplete }: MapAnswer) => ({
        from,
        to,
        minutes: lengthMs / MINUTE_MS,
        derivedMinutes,
        isComplete,
      })
      return {
        before: side(old),
        after: side(now),
        thresholds: THRESHOLDS,
        isComparable,
        unchanged,
        items: items.slice(offset, end),
        next:
          items.length > end
            ? cursors.make(listing, JSON.stringify({ beforeMs, afterMs, offset: end }))
            : null,
      }
    },
  )
}

/** @throws InvalidRequest */
function windowMs(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined || ms < MINUTE_MS || ms > WINDOW_MS_MAX || ms % MINUTE_MS !== 0)
    throw new InvalidRequest('window', 'must be whole minutes, from 1m to 7d')
  return ms
}
