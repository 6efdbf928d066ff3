// The change effect ledger, to be read by programs and spreadsheets.

import { z } from 'zod'
import { changeCsv } from '../../changes/change-csv.ts'
import { changeItem, changeTotals, daysOf, DEFINITIONS } from '../../changes/change-report.ts'
import { mayRead } from '../../people/read-scope.ts'
import { releaseEffects } from '../../reports/release-effects.ts'
import { iso } from '../../time-range.ts'
import { readVerdicts } from '../../verdicts/verdict-store.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { ChangesQuery, ChangesReply } from '../change-schemas.ts'
import { rangeOf } from '../errors.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

const RELEASES_MAX = 20_000
/** On each side of ready. */
const MINUTES = 60

export function changeRoutes(app: TypedApp, { store, database, clock }: ApiParts): void {
  app.get(
    '/api/v1/reports/changes',
    {
      schema: {
        summary:
          'What each release cost, and deployment frequency, lead time, change failure rate and time to restore by team, system and vendor',
        description:
          'Measured from effect: each figure against its counterfactual, with its definition and of how many releases it is. As json or as csv.',
        tags: ['releases'],
        querystring: ChangesQuery,
        response: { 200: z.union([ChangesReply, z.string()]), 400: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const range = rangeOf(call.query, clock)
      const { system, team, format, lang } = call.query
      const { scope } = principalOf(call)
      const read = await readVerdicts(database, range, RELEASES_MAX + 1)
      const kept = read
        .slice(0, RELEASES_MAX)
        .filter(
          (one) =>
            mayRead(scope, one.system) &&
            (system === undefined || one.system === system) &&
            (team === undefined || one.team === team),
        )
      const effects = await releaseEffects(
        store,
        kept.map(({ release }) => ({
          service: release.service,
          readyAtMs: release.readyAtMs ?? release.startedAtMs,
        })),
        MINUTES,
      )
      const items = kept.map((one, place) => changeItem({ kept: one, effects: effects[place] }))
      void reply.header('cache-control', 'no-store')
      if (format === 'csv')
        return reply
          .type('text/csv; charset=utf-8')
          .header(
            'content-disposition',
            `attachment; filename="changes-${iso(range.fromMs).slice(0, 10)}.csv"`,
          )
          .send(changeCsv(items, lang))
      const days = daysOf(range.fromMs, range.toMs)
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        days,
        isComplete: read.length <= RELEASES_MAX,
        totals: changeTotals(items, days),
        definitions: [...DEFINITIONS],
        items,
      }
    },
  )
}
