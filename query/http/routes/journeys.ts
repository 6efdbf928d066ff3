// Business transactions: which are lost, and to whom.

import { z } from 'zod'
import { lossesFor } from '../../profiles/journey-owners.ts'
import { entryScope, type Landscape } from '../../profiles/landscape.ts'
import { journeyLosses, type JourneyLosses } from '../../reports/journey-losses.ts'
import { journeys } from '../../reports/journeys.ts'
import { iso, toSecond, type TimeRange } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest, rangeOf } from '../errors.ts'
import {
  JourneyParams,
  JourneyQuery,
  JourneyReply,
  JourneysQuery,
  JourneysReply,
} from '../journey-schemas.ts'
import { readCursor } from '../pages.ts'
import { Problem } from '../schemas.ts'
import { buildSharedAnswers } from '../shared-answers.ts'
import type { TypedApp } from './typed.ts'

const DAYS_MAX = 31
const DAY_MS = 86_400_000
const Place = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  lost: z.number(),
  requests: z.number(),
  code: z.string(),
})

export function journeyRoutes(
  app: TypedApp,
  { store, clock, cursors, retentionSpansDays }: ApiParts,
  landscape: () => Promise<Landscape>,
): void {
  const shared = buildSharedAnswers<JourneyLosses>()
  /** As far as spans are kept. */
  function keptRange(query: { from: string; to: string }): TimeRange {
    const { fromMs, toMs } = toSecond(rangeOf(query, clock))
    if (toMs - fromMs > DAYS_MAX * DAY_MS)
      throw new InvalidRequest('from', `must lie at most ${DAYS_MAX} days before to`)
    const oldestMs = Math.floor((clock.now() - (retentionSpansDays + 1) * DAY_MS) / 1000) * 1000
    return { fromMs: Math.max(fromMs, oldestMs), toMs: Math.max(toMs, oldestMs) }
  }

  app.get(
    '/api/v1/journeys',
    {
      schema: {
        summary: 'Business transactions by bank.txn.code: requests, lost ones, latency; most lost first',
        tags: ['journeys'],
        querystring: JourneysQuery,
        response: { 200: JourneysReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { from, to, traffic, limit, cursor } = call.query
      const entries = entryScope(await landscape(), principalOf(call).scope)
      const listing = { of: 'journeys', from, to, traffic, systems: entries?.systems ?? null }
      const place = readCursor(cursors, listing, cursor, Place)
      const range = place ?? keptRange(call.query)
      const found = await journeys(store, range, { traffic, entries }, limit + 1, place)
      const page = found.slice(0, limit)
      const last = page.at(-1)
      const next =
        found.length > limit && last !== undefined
          ? cursors.make(listing, JSON.stringify({ fromMs: range.fromMs, toMs: range.toMs, ...last.place }))
          : null
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        items: page.map(({ item }) => item),
        next,
      }
    },
  )

  app.get(
    '/api/v1/journeys/:txnCode',
    {
      schema: {
        summary: 'One business transaction: whose lost requests they are, to the deepest span that failed',
        description:
          'Failures are followed from the entry span down. What failed below a call that was served was absorbed, unless a return code tells it. The items add up to `attributed`.',
        tags: ['journeys'],
        params: JourneyParams,
        querystring: JourneyQuery,
        response: { 200: JourneyReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { txnCode } = call.params
      const { traffic } = call.query
      const reads = principalOf(call).scope
      const range = keptRange(call.query)
      const known = await landscape()
      const entered = entryScope(known, reads)
      const found = await shared(JSON.stringify([txnCode, range, traffic, entered]), () =>
        journeyLosses(store, txnCode, range, { traffic, entries: entered }),
      )
      const { requests, lost, p95Ns, lostEntries, entries, attributed } = found
      return {
        txnCode,
        from: iso(range.fromMs),
        to: iso(range.toMs),
        requests: requests / 1000,
        lost: lost / 1000,
        lossRatio: requests === 0 ? null : lost / requests,
        p95Ms: p95Ns === undefined ? null : p95Ns / 1e6,
        lostEntries,
        entries,
        attributed: attributed / 1000,
        attributedRatio: lost === 0 ? null : attributed / lost,
        ...lossesFor(found, known, reads),
      }
    },
  )
}
