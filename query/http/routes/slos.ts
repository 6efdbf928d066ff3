// SLOs: how they stand, how they stood, what burns, who spent the budget.

import { isTimeZone } from '../../calendar/zoned-time.ts'
import { familiesOf, familySql, type RequestQuestion } from '../../measure/families.ts'
import { mayRead } from '../../people/read-scope.ts'
import type { Board, Standing } from '../../promises/board.ts'
import { burnChart, ChartRefused } from '../../promises/burn-chart.ts'
import { ledgerOf } from '../../promises/ledger.ts'
import { toSloItem } from '../../promises/slo-item.ts'
import { readFigures } from '../../promises/status-store.ts'
import { transitionsOf, type KeptTransition } from '../../promises/transitions.ts'
import type { Slo } from '../../promises/slos.ts'
import { expandExclusions } from '../../slo/exclusion.ts'
import { windowAt } from '../../slo/slo-window.ts'
import { iso, parseRange } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest, notFound, rangeOf } from '../errors.ts'
import { Problem } from '../schemas.ts'
import {
  SloBurnQuery,
  SloBurnReply,
  SloHistoryQuery,
  SloHistoryReply,
  SloLedgerQuery,
  SloLedgerReply,
  SloParams,
  SloQuery,
  SloReply,
  SlosQuery,
  SlosReply,
  type SloItem,
  type TransitionItem,
} from '../slo-schemas.ts'
import type { TypedApp } from './typed.ts'

const TRANSITIONS_MAX = 1000
const AHEAD_MS = 2 * 86_400_000
const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

export function sloRoutes(app: TypedApp, { store, clock, database, cursors }: ApiParts, board: Board): void {
  const tags = ['SLOs']
  const zoneOf = (timeZone: string) => {
    if (!isTimeZone(timeZone))
      throw new InvalidRequest('timeZone', `is no zone that is known here; write it as Asia/Shanghai`)
    return timeZone
  }

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
      const after = cursor === undefined ? '' : cursors.read(filter, cursor)
      if (after === undefined)
        throw new InvalidRequest('cursor', 'was not made for this list; begin again without it')
      const zone = zoneOf(timeZone)
      const nowMs = clock.now()
      const { scope } = principalOf(call)
      const standings = await board.standings(scope)
      const { unmeasured } = await board.slos()
      const fitting = standings.filter((one) => fits(one, filter))
      const counts: Partial<Record<SloItem['condition'], number>> = {}
      for (const { row } of fitting) {
        const condition = row?.status.condition ?? 'no-data'
        counts[condition] = (counts[condition] ?? 0) + 1
      }
      const later = fitting.filter((one) => keyOf(one) > after)
      const page = later.slice(0, limit)
      const last = page.at(-1)
      return {
        items: page.map((one) => toSloItem(one, nowMs, zone)),
        counts,
        unmeasured: unmeasured
          .filter(({ system }) => mayRead(scope, system))
          .map(({ slo, reasons }) => ({ slo, reasons: [...reasons] })),
        next: later.length > limit && last !== undefined ? cursors.make(filter, keyOf(last)) : null,
      }
    },
  )

  /** @returns undefined when there is none that the caller may read */
  async function found(call: Parameters<typeof principalOf>[0], name: string): Promise<Slo | undefined> {
    const slo = (await board.slos()).slos.get(name)
    return slo !== undefined && mayRead(principalOf(call).scope, slo.system) ? slo : undefined
  }
  const none = (name: string) =>
    `There is no SLO «${name}» that is measured; GET /api/v1/registry/slos lists what is defined.`

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
      const zone = zoneOf(call.query.timeZone)
      const slo = await found(call, name)
      if (slo === undefined) return notFound(reply, none(name))
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
      const range = rangeOf(call.query, clock)
      if ((await found(call, name)) === undefined) return notFound(reply, none(name))
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

  app.get(
    '/api/v1/slos/:slo/burn',
    {
      schema: {
        summary: 'Burn rates over time, from slices as they are known now',
        tags,
        params: SloParams,
        querystring: SloBurnQuery,
        response: { 200: SloBurnReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { objective, group, windows, points } = call.query
      const range = rangeOf(call.query, clock)
      const slo = await found(call, call.params.slo)
      const judged = slo?.judged.find((one) => one.objective === objective)
      if (slo === undefined || judged === undefined) return notFound(reply, none(call.params.slo))
      const windowsMs = windows
        .split(',')
        .map((text) => Number.parseInt(text, 10) * (UNIT_MS[text.slice(-1)] ?? 0))
      if (windowsMs.includes(0)) throw new InvalidRequest('windows', 'must be longer than nothing')
      try {
        return await burnChart(store, slo, judged, group, range, windowsMs, points)
      } catch (error) {
        if (error instanceof ChartRefused) throw new InvalidRequest('windows', error.message)
        throw error
      }
    },
  )

  app.get(
    '/api/v1/slos/:slo/ledger',
    {
      schema: {
        summary: 'Who spent the budget: service, operation, version, minutes',
        tags,
        params: SloParams,
        querystring: SloLedgerQuery,
        response: { 200: SloLedgerReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { objective, group, from, to, limit } = call.query
      const nowMs = clock.now()
      const slo = await found(call, call.params.slo)
      const judged = slo?.judged.find((one) => one.objective === objective)
      if (slo === undefined || judged === undefined) return notFound(reply, none(call.params.slo))
      const question = slo.questions.find(({ series }) => series === judged.parts[0]?.series)
      if (question?.indicator.kind !== 'requests')
        throw new InvalidRequest('slo', 'counts no requests, so nobody is known who failed them')
      const range =
        from === undefined
          ? { fromMs: windowAt(judged.compiled.policy.window, nowMs - 1).fromMs, toMs: nowMs }
          : parseRange(from, to, nowMs)
      if ('place' in range) throw new InvalidRequest(range.place, range.message)
      const { stretches } = expandExclusions(slo.exclusions, range.fromMs, range.toMs)
      const values = groupValues(group)
      const ledger = await ledgerOf(store, question.indicator, values, range, stretches, limit)
      const standing = (await board.standings(principalOf(call).scope, [slo.name])).find(
        (one) => one.judged.objective === objective && one.group === group,
      )
      const budget = standing?.row?.status.budget
      const allowed = budget?.unit === 'events' && budget.allowed > 0 ? budget.allowed : undefined
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        spent: ledger.bad,
        spentRatio: allowed === undefined ? null : ledger.bad / allowed,
        badMinutes: ledger.badMinutes,
        items: ledger.rows.map((row) => ({
          ...row,
          dependency: '',
          share: ledger.bad === 0 ? 0 : row.bad / ledger.bad,
          budgetShare: allowed === undefined ? null : row.bad / allowed,
        })),
      }
    },
  )
}

const keyOf = ({ slo, judged, group }: Standing) =>
  JSON.stringify([slo.name, String(judged.objective).padStart(4, '0'), group])

function fits(
  { slo, row }: Standing,
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
    (condition === undefined || (row?.status.condition ?? 'no-data') === condition) &&
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

/** @throws InvalidRequest */
function groupValues(group: string): string[] {
  if (group === '') return []
  try {
    const values: unknown = JSON.parse(group)
    if (Array.isArray(values) && values.every((value) => typeof value === 'string')) return values
  } catch {
    // Told below.
  }
  throw new InvalidRequest('group', 'must be the groupKey of an item')
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
