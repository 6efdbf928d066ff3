// Corrections of the settled past: listed for whoever reads the SLO, decided by whoever may change it.

import { NotAllowed } from '../../people/write-rules.ts'
import { may } from '../../people/principal.ts'
import { correctionsOf, decideCorrection, type Correction } from '../../promises/corrections.ts'
import type { Board } from '../../promises/board.ts'
import { EVENT_SCALE } from '../../measure/question.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { authorOfRequest, principalOf } from '../authors.ts'
import { notFound } from '../errors.ts'
import { ApiRefusal } from '../refusals.ts'
import { Problem } from '../schemas.ts'
import {
  CorrectionDecision,
  CorrectionItem,
  CorrectionParams,
  CorrectionsQuery,
  CorrectionsReply,
  SloParams,
} from '../slo-schemas.ts'
import { noSlo, readableSlo } from './slo-lookup.ts'
import type { TypedApp } from './typed.ts'

export function correctionRoutes(app: TypedApp, { database, clock }: ApiParts, board: Board): void {
  const tags = ['SLOs']

  app.get(
    '/api/v1/slos/:slo/corrections',
    {
      schema: {
        summary: 'Slices of the settled past that turned out different, newest first',
        description: 'Telemetry that comes later than an hour changes nothing by itself.',
        tags,
        params: SloParams,
        querystring: CorrectionsQuery,
        response: { 200: CorrectionsReply, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const slo = await readableSlo(board, call, call.params.slo)
      if (slo === undefined) return notFound(reply, noSlo(call.params.slo))
      const series = slo.questions.map((question) => question.series)
      const { limit, before } = call.query
      return { items: (await correctionsOf(database, series, limit, before)).map(toItem) }
    },
  )

  app.post(
    '/api/v1/slos/:slo/corrections/:id',
    {
      config: { access: { door: 'api', scope: 'operate' } },
      schema: {
        summary: 'Approve or reject a correction',
        description: 'An approved one becomes the slice’s newest revision; figures follow within seconds.',
        tags,
        params: CorrectionParams,
        body: CorrectionDecision,
        response: {
          200: CorrectionItem,
          400: Problem,
          403: Problem,
          404: Problem,
          409: Problem,
          503: Problem,
        },
      },
    },
    async (call, reply) => {
      const { slo: name, id } = call.params
      const slo = await readableSlo(board, call, name)
      const series = slo?.questions.map((question) => question.series) ?? []
      const open = (await correctionsOf(database, series, 1, id + 1)).find((one) => one.id === id)
      if (slo === undefined || open === undefined)
        return notFound(reply, `There is no correction ${id} of an SLO «${name}».`)
      const principal = principalOf(call)
      if (!may(principal, 'administer') && (slo.owner === undefined || !principal.teams.includes(slo.owner)))
        throw new NotAllowed(`The SLO «${name}» belongs to the team ${slo.owner ?? '–'}; you are not in it`)
      const { decision, reason } = call.body
      const author = authorOfRequest(call, reason)
      const decided = await decideCorrection(database, series, id, decision, author, new Date(clock.now()))
      if (decided === undefined)
        throw new ApiRefusal(
          409,
          'SURETY_DECIDED',
          `Correction ${id} was ${open.decision} by ${open.decidedBy ?? 'somebody'} already.`,
        )
      return toItem(decided)
    },
  )
}

const events = ({ good, total }: { readonly good: number; readonly total: number }) => ({
  good: good / EVENT_SCALE,
  total: total / EVENT_SCALE,
})

const toItem = (one: Correction): CorrectionItem => ({
  id: one.id,
  group: one.group,
  start: iso(one.startSecond * 1000),
  stepSeconds: one.stepSeconds,
  before: events(one.before),
  after: events(one.after),
  noticedAt: iso(one.noticedAtMs),
  decision: one.decision,
  decidedBy: one.decidedBy ?? null,
  decidedAt: one.decidedAtMs === undefined ? null : iso(one.decidedAtMs),
  isApplied: one.isApplied,
})
