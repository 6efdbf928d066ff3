// SLOs: how they stand and how they stood.

import { familiesOf, familySql, type RequestQuestion } from '../../measure/families.ts'
import { mayRead } from '../../people/read-scope.ts'
import type { Board, Standing } from '../../promises/board.ts'
import { toSloItem } from '../../promises/slo-item.ts'
import type { Slo } from '../../promises/slos.ts'
import { byPlace, Place, placeOf } from '../../promises/standing-place.ts'
import { readFigures, type ConditionRow } from '../../promises/status-store.ts'
import { transitionsOf, type KeptTransition } from '../../promises/transitions.ts'
import { expandExclusions } from '../../slo/exclusion.ts'
import { windowAt } from '../../slo/slo-window.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { notFound, rangeOf } from '../errors.ts'
import { readCursor } from '../pages.ts'
import { Problem } from '../schemas.ts'
import {
  SloHistoryQuery,
  SloHistoryReply,
  SloParams,
  SloQuery,
  SloReply,
  SlosQuery,
  SlosReply,
  type SloItem,
  type TransitionItem,
} from '../slo-schemas.ts'
import { groupValues, keptRange, knownZone, noSlo, readableSlo } from './slo-lookup.ts'
import type { TypedApp } from './typed.ts'

const TRANSITIONS_MAX = 1000
const AHEAD_MS = 2 * 86_400_000

export function sloRoutes(app: TypedApp, { store, clock, database, cursors }: ApiParts, board: Board): void {
  const tags = ['SLOs']

  app.get(
    '/api/v1/slos',
    {
      schema: {
        summary: 'How SLOs stand: condition, budget, burn rates, coverage, a plain sentence',
        tags,
        querystring: SlosQuery,
        response: { 200: SlosReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { limit, cursor, timeZone, ...filter } = call.query
      const listing = { of: 'slos', ...filter }
      const after = readCursor(cursors, listing, cursor, Place)
      const zone = knownZone(timeZone)
      const nowMs = clock.now()
      const { scope } = principalOf(call)
      const standings = await board.conditions(scope)
      const { unmeasured } = await board.slos()
      const fitting = standings.filter((one) => fits(one, filter))
      const counts: Partial<Record<SloItem['condition'], number>> = {}
      for (const { row } of fitting) {
        const condition = row?.condition ?? 'no-data'
        counts[condition] = (counts[condition] ?? 0) + 1
      }
      const later = after === undefined ? fitting : fitting.filter((one) => byPlace(placeOf(one), after) > 0)
      const page = later.slice(0, limit)
      const last = page.at(-1)
      // Everything is told of one page only.
      const names = [...new Set(page.map(({ slo }) => slo.name))]
      const whole = new Map((await board.standings(scope, names)).map((one) => [JSON.stringify(placeOf(one)), one]))
      return {
        items: page.flatMap((one) => {
          const told = whole.get(JSON.stringify(placeOf(one)))
          return told === undefined ? [] : [toSloItem(told, nowMs, zone)]
        }),
        counts,
        unmeasured: unmeasured
          .filter(({ system }) => mayRead(scope, system))
          .map(({ slo, reasons }) => ({ slo, reasons: [...reasons] })),
        next:
          later.length > limit && last !== undefined
            ? cursors.make(listing, JSON.stringify(placeOf(last)))
            : null,
      }
    },
  )

  app.get(
    '/api/v1/slos/:slo',
    {
      schema: {
        summary: 'One SLO with its objectives and groups, its exclusions and what it asks',
        tags,
        params: SloParams,
        querystring: SloQuery,
        response: { 200: SloReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { slo: name } = call.params
      const zone = knownZone(call.query.timeZone)
      const slo = await readableSlo(board, call, name)
      if (slo === undefined) return notFound(reply, noSlo(name))
      const nowMs = clock.now()
      const standings = await board.standings(principalOf(call).scope, [name])
      const [judged] = slo.judged
      const fromMs = judged === undefined ? nowMs : windowAt(judged.compiled.policy.window, nowMs - 1).fromMs
      return {
        items: standings.map((one) => toSloItem(one, nowMs, zone)),
        exclusions: slo.exclusions.map((exclusion) => ({
          name: exclusion.id,
          reason: exclusion.reason,
          approver: exclusion.approver,
          ticket: exclusion.ticket,
          enteredAt: iso(exclusion.enteredAtMs),
          isRetroactive: exclusion.kind === 'once' && exclusion.fromMs < exclusion.enteredAtMs,
          stretches: expandExclusions([exclusion], fromMs, nowMs + AHEAD_MS).stretches.map((one) => ({
            from: iso(one.fromMs),
            to: iso(one.toMs),
          })),
        })),
        definition: slo.definition,
        questions: slo.questions.map((question) => ({
          series: question.series,
          sql: sqlOf(question, nowMs),
          text: JSON.stringify(question.indicator),
        })),
        burnProfile:
          judged === undefined
            ? null
            : { name: judged.compiled.policy.burn.name, source: judged.compiled.policy.burn.source },
      }
    },
  )

  app.get(
    '/api/v1/slos/:slo/history',
    {
      schema: {
        summary: 'What was said of an SLO over time, and its transitions',
        description: 'As it was judged at the time; late data and corrections do not change it.',
        tags,
        params: SloParams,
        querystring: SloHistoryQuery,
        response: { 200: SloHistoryReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { objective, group, points } = call.query
      const { slo: name } = call.params
      const range = keptRange(rangeOf(call.query, clock), clock.now())
      groupValues(group)
      if ((await readableSlo(board, call, name)) === undefined) return notFound(reply, noSlo(name))
      const which = { slo: name, objective, group }
      const stepMs = Math.max(60_000, Math.ceil((range.toMs - range.fromMs) / points / 60_000) * 60_000)
      const figures = await readFigures(store, which, { ...range, stepMs })
      const transitions = await transitionsOf(database, which, range, TRANSITIONS_MAX + 1)
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        points: figures.map(({ atMs, ...point }) => ({ at: iso(atMs), ...point })),
        transitions: transitions.slice(0, TRANSITIONS_MAX).map(toTransitionItem),
        isCut: transitions.length > TRANSITIONS_MAX,
      }
    },
  )
}

function fits(
  { slo, row }: Pick<Standing, 'slo'> & { readonly row: ConditionRow | undefined },
  {
    service,
    system,
    condition,
    text,
  }: {
    readonly service?: string | undefined
    readonly system?: string | undefined
    readonly condition?: string | undefined
    readonly text?: string | undefined
  },
): boolean {
  const wanted = text?.toLowerCase()
  return (
    (service === undefined || slo.definition.service === service) &&
    (system === undefined || slo.system === system) &&
    (condition === undefined || (row?.condition ?? 'no-data') === condition) &&
    (wanted === undefined ||
      slo.name.toLowerCase().includes(wanted) ||
      slo.definition.displayName.toLowerCase().includes(wanted))
  )
}

/** The statement that counts its slices, over the newest hour. */
function sqlOf(question: Slo['questions'][number], nowMs: number): string | null {
  if (question.indicator.kind !== 'requests') return null
  const to = Math.floor(nowMs / 3_600_000) * 3600
  const [family] = familiesOf([question as RequestQuestion])
  return family === undefined ? null : familySql(family, to - 3600, to)
}

export function toTransitionItem({ id, atMs, judgedAtMs, transition }: KeptTransition): TransitionItem {
  return {
    id,
    at: iso(atMs),
    judgedAt: iso(judgedAtMs),
    subject: transition.subject,
    pair: transition.subject === 'pair' ? transition.id : null,
    from: transition.from,
    to: transition.to,
  }
}
