// SLOs over a calendar period, to be read by people, spreadsheets and programs.

import { z } from 'zod'
import { PERIOD_FORMS, reportPeriod } from '../../calendar/report-period.ts'
import { isTimeZone } from '../../calendar/zoned-time.ts'
import { mayRead } from '../../people/read-scope.ts'
import type { Board } from '../../promises/board.ts'
import { reportCsv } from '../../promises/report-csv.ts'
import { reportHtml } from '../../promises/report-html.ts'
import { sloReport } from '../../promises/slo-report.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest } from '../errors.ts'
import { SloReportQuery, SloReportReply } from '../report-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

/** SLOs in one report; a page of thousands is read by nobody. */
const SLOS_MAX = { json: 5000, csv: 5000, html: 1000 } as const
/** It holds its own style and nothing else. */
const HTML_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function sloReportRoutes(app: TypedApp, { store, clock, database }: ApiParts, board: Board): void {
  app.get(
    '/api/v1/reports/slos',
    {
      schema: {
        summary:
          'SLOs over a month, quarter, year or week: with and without exclusions, budgets, coverage, what was asked',
        description:
          'As json, as one page of html that can be printed, or as csv with a byte order mark. Counts come from slices as they are known now.',
        tags: ['SLOs'],
        querystring: SloReportQuery,
        response: { 200: z.union([SloReportReply, z.string()]), 400: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { period: name, timeZone, lang, format, system, service } = call.query
      if (!isTimeZone(timeZone))
        throw new InvalidRequest('timeZone', 'is no zone that is known here; write it as Asia/Shanghai')
      const period = reportPeriod(name, timeZone)
      if (period === undefined) throw new InvalidRequest('period', PERIOD_FORMS)
      const { scope } = principalOf(call)
      const { slos, unmeasured } = await board.slos()
      const wanted = [...slos.values()]
        .filter(
          (slo) =>
            mayRead(scope, slo.system) &&
            (system === undefined || slo.system === system) &&
            (service === undefined || slo.definition.service === service),
        )
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      if (wanted.length > SLOS_MAX[format])
        throw new InvalidRequest(
          'system',
          `must narrow the report: ${wanted.length} SLOs fit, and ${format} holds ${SLOS_MAX[format]}; name a system or a service`,
        )
      const others = unmeasured
        .filter((one) => mayRead(scope, one.system) && (system === undefined || one.system === system))
        .map(({ slo, reasons }) => ({ slo, reasons: [...reasons] }))
      const parts = { store, database, nowMs: clock.now() }
      const report = await sloReport(parts, wanted, service === undefined ? others : [], period)
      void reply.header('cache-control', 'no-store')
      if (format === 'json') return report
      const file = `slo-report-${name}.${format}`
      if (format === 'csv')
        return reply
          .type('text/csv; charset=utf-8')
          .header('content-disposition', `attachment; filename="${file}"`)
          .send(reportCsv(report, lang))
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', HTML_POLICY)
        .header('x-content-type-options', 'nosniff')
        .header('content-disposition', `inline; filename="${file}"`)
        .send(reportHtml(report, lang))
    },
  )
}
