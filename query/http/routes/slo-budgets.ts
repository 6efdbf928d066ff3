// What burns the budgets of SLOs and who spent them.

import { StoreError } from '../../../ingest/store/store.ts'
import { mayRead } from '../../people/read-scope.ts'
import { systemOf, type Landscape } from '../../profiles/landscape.ts'
import type { Board } from '../../promises/board.ts'
import { burnChart, ChartRefused } from '../../promises/burn-chart.ts'
import { dependenciesOf, NOTHING_LOOKED_AT, type Dependencies } from '../../promises/ledger-dependencies.ts'
import { ledgerOf } from '../../promises/ledger.ts'
import type { Judged, Slo } from '../../promises/slos.ts'
import type { Culprit } from '../../reports/culprits.ts'
import { excludedSlices, expandExclusions } from '../../slo/exclusion.ts'
import { windowAt } from '../../slo/slo-window.ts'
import type { RequestIndicator } from '../../slo/model.ts'
import { durationMs, iso, parseInstant, parseRange, type TimeRange } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest, notFound, rangeOf } from '../errors.ts'
import { Problem } from '../schemas.ts'
import { SloBurnQuery, SloBurnReply, SloLedgerQuery, SloLedgerReply, SloParams } from '../slo-schemas.ts'
import { groupValues, keptRange, noSlo, objectiveOf, readableSlo } from './slo-lookup.ts'
import type { TypedApp } from './typed.ts'

const DAY_MS = 86_400_000

export function sloBudgetRoutes(
  app: TypedApp,
  { store, clock, logger, retentionSpansDays }: ApiParts,
  board: Board,
  landscape: () => Promise<Landscape>,
): void {
  const tags = ['SLOs']
  const standingOf = async (slo: Slo, objective: number, group: string) =>
    (await board.standings('everything', [slo.name])).find(
      (one) => one.judged.objective === objective && one.group === group,
    )

  /** The ledger is worth telling without what requests failed at, which asks more of the store. */
  function withoutThem(error: unknown): Dependencies {
    if (!(error instanceof StoreError)) throw error
    logger.warn({ err: error }, 'a ledger is told without dependencies')
    return NOTHING_LOOKED_AT
  }

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
      const asked = rangeOf(call.query, clock)
      groupValues(group)
      const slo = await readableSlo(board, call, call.params.slo)
      if (slo === undefined) return notFound(reply, noSlo(call.params.slo))
      const judged = objectiveOf(slo, objective)
      const windowsMs = windows.split(',').map((text) => durationMs(text) ?? 0)
      if (windowsMs.includes(0)) throw new InvalidRequest('windows', 'must be longer than nothing')
      const judgedAtMs = (await standingOf(slo, objective, group))?.row?.status.judgedAtMs
      const range = keptRange(asked, Math.min(clock.now(), judgedAtMs ?? Number.POSITIVE_INFINITY))
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
        summary: 'Who spent the budget: service, operation, version, what they failed at, minutes',
        tags,
        params: SloParams,
        querystring: SloLedgerQuery,
        response: { 200: SloLedgerReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const { objective, group, limit } = call.query
      const nowMs = clock.now()
      const { scope } = principalOf(call)
      const slo = await readableSlo(board, call, call.params.slo)
      if (slo === undefined) return notFound(reply, noSlo(call.params.slo))
      const judged = objectiveOf(slo, objective)
      const indicator = requestsOf(slo, judged)
      const range = ledgerRange(call.query, judged, nowMs)
      const values = groupValues(group)
      if (values !== undefined && values.length !== indicator.groupBy.length)
        throw new InvalidRequest('group', 'must be the groupKey of an item of this SLO')
      const stretches = expandExclusions(slo.exclusions, range.fromMs, range.toMs).stretches
      const excluded = excludedSlices(stretches, slo.stepMs).map(({ from, to }) => ({
        fromMs: from * slo.stepMs,
        toMs: to * slo.stepMs,
      }))
      const requests = { indicator, values, range, excluded }
      const ledger = await ledgerOf(store, requests, limit)
      const known = await landscape()
      const mayTell = ({ service, system }: Culprit) => mayRead(scope, systemOf(known, service, system))
      const keptFromMs = nowMs - retentionSpansDays * DAY_MS
      const dependencies =
        ledger.within === undefined
          ? NOTHING_LOOKED_AT
          : await dependenciesOf(store, requests, ledger.within, keptFromMs, mayTell).catch(withoutThem)
      const budget = (await standingOf(slo, objective, group))?.row?.status.budget
      const allowed = budget?.unit === 'events' && budget.allowed > 0 ? budget.allowed : undefined
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        spent: ledger.bad,
        spentRatio: allowed === undefined ? null : ledger.bad / allowed,
        badMinutes: ledger.badMinutes,
        attributedRatio: ledger.bad === 0 ? null : Math.min(1, dependencies.bad / ledger.bad),
        items: ledger.rows.map((row) => {
          const { name, ratio } = dependencies.of(row) ?? { name: '', ratio: 0 }
          return {
            ...row,
            dependency: name,
            dependencyRatio: name === '' ? null : ratio,
            share: ledger.bad === 0 ? 0 : row.bad / ledger.bad,
            budgetShare: allowed === undefined ? null : row.bad / allowed,
          }
        }),
      }
    },
  )
}

/** @throws InvalidRequest */
function requestsOf(slo: Slo, { parts, isComposite }: Judged): RequestIndicator {
  if (isComposite) throw new InvalidRequest('slo', 'is a composite; ask for the SLOs it is made of')
  const question = slo.questions.find(({ series }) => series === parts[0]?.series)
  if (question?.indicator.kind !== 'requests')
    throw new InvalidRequest('slo', 'counts no requests, so nobody is known who failed them')
  return question.indicator
}

/** Without `from` the SLO window that `to` lies in. @throws InvalidRequest */
function ledgerRange(
  { from, to }: { readonly from?: string | undefined; readonly to: string },
  { compiled }: Judged,
  nowMs: number,
): TimeRange {
  if (from === undefined) {
    const atMs = parseInstant(to, nowMs)
    if (atMs === undefined) throw new InvalidRequest('to', 'is not a date that exists')
    const { toMs } = keptRange({ fromMs: atMs, toMs: atMs }, nowMs)
    const { window } = compiled.policy
    const fromMs = window.kind === 'rolling' ? toMs - window.durationMs : windowAt(window, toMs - 1).fromMs
    return keptRange({ fromMs, toMs }, nowMs)
  }
  const range = parseRange(from, to, nowMs)
  if ('place' in range) throw new InvalidRequest(range.place, range.message)
  return keptRange(range, nowMs)
}
