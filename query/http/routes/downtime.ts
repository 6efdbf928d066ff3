// How much of its yearly allowance each system has used.

import { isTimeZone } from '../../calendar/zoned-time.ts'
import type { Board } from '../../promises/board.ts'
import { buildAskDown } from '../../promises/down-slices.ts'
import { downtimeOf } from '../../promises/downtime.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest } from '../errors.ts'
import { DowntimeQuery, DowntimeReply } from '../report-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function downtimeRoutes(app: TypedApp, { store, clock, registry }: ApiParts, board: Board): void {
  const askDown = buildAskDown(store, () => clock.now())
  app.get(
    '/api/v1/systems/downtime',
    {
      schema: {
        summary: 'Unplanned and planned downtime of systems in a year, beside what their tiers allow',
        description:
          'Down is a slice in which at least half of the events of an availability SLO or a journey of the system failed, of at least 20; planned is what is excluded.',
        tags: ['SLOs'],
        querystring: DowntimeQuery,
        response: { 200: DowntimeReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { year, timeZone } = call.query
      if (!isTimeZone(timeZone))
        throw new InvalidRequest('timeZone', 'is no zone that is known here; write it as Asia/Shanghai')
      const parts = { askDown, registry, nowMs: clock.now() }
      return downtimeOf(parts, await board.slos(), principalOf(call).scope, year, timeZone)
    },
  )
}
