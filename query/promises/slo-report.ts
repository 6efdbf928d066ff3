// SLOs over a calendar period: counts with and without what is excluded, budgets, what is known, what happened, and what was asked.
// Counted from stored slices by the arithmetic that judges; written out by report-html.ts and report-csv.ts.

import type { Store } from '../../ingest/store/store.ts'
import type { ReportPeriod } from '../calendar/report-period.ts'
import type { ReportFigures, ReportItem, ReportSlo, SloReport } from '../http/report-schemas.ts'
import { familiesOf, familySql, type RequestQuestion } from '../measure/families.ts'
import { EVENT_SCALE, type SliceQuestion } from '../measure/question.ts'
import type { Queries } from '../registry/database.ts'
import { compositeWindow } from '../slo/composite.ts'
import { budgetFigures } from '../slo/error-budget.ts'
import { expandExclusions, type ExcludedStretch } from '../slo/exclusion.ts'
import { judgeWindow, type JudgedWindow } from '../slo/judge-window.ts'
import { coverageRatio, type Counts } from '../slo/window-figures.ts'
import { iso } from '../time-range.ts'
import { alike, periodBadMinutes, periodFigures, type PartFigures, type Span } from './report-counts.ts'
import { generationChanges, reportTransitions } from './report-history.ts'
import { groupOf, windowText } from './slo-item.ts'
import type { Judged, Slo } from './slos.ts'

/** Slices that ended so lately are not all measured yet. */
const SETTLED_MS = 15_000
const TRANSITIONS_MAX = 20_000
/** Slices of a minute are the longest; what is counted ends with one. */
const COUNTED_MS = 60_000

export type ReportParts = {
  readonly store: Pick<Store, 'ask'>
  readonly database: Queries
  readonly nowMs: number
}

/** @param slos  those that the reader may read, in order of name @throws StoreError, RegistryError */
export async function sloReport(
  { store, database, nowMs }: ReportParts,
  slos: readonly Slo[],
  unmeasured: SloReport['unmeasured'],
  period: ReportPeriod,
): Promise<SloReport> {
  const settledMs = Math.floor((nowMs - SETTLED_MS) / COUNTED_MS) * COUNTED_MS
  const span: Span = {
    fromMs: period.fromMs,
    countedToMs: Math.max(period.fromMs, Math.min(period.toMs, settledMs)),
    endMs: period.toMs,
  }
  const stretches = new Map(
    slos.map((slo) => [slo, expandExclusions(slo.exclusions, span.fromMs, span.endMs)] as const),
  )
  const items = new Map<Slo, ReportItem[]>()
  for (const together of alike(slos, (slo) => stretches.get(slo)?.stretches ?? [])) {
    const figures = await periodFigures(store, together, span)
    const minutes = await periodBadMinutes(store, together, span)
    for (const slo of together.slos)
      items.set(
        slo,
        slo.judged.flatMap((judged) =>
          [...(figures.get(judged) ?? [])].map(([group, parts]) => {
            const bad = minutes(judged, group)
            return {
              ...itemOf(slo, judged, group, parts, span),
              badMinutes: bad.net,
              badMinutesWithoutExclusions: bad.all,
            }
          }),
        ),
      )
  }
  const names = slos.map(({ name }) => name)
  const transitions = await reportTransitions(database, names, period, TRANSITIONS_MAX + 1)
  const byTrack = Map.groupBy(transitions.slice(0, TRANSITIONS_MAX), ({ slo, objective, group }) =>
    JSON.stringify([slo, objective, group]),
  )
  const generations = Map.groupBy(await generationChanges(database, names, period), ({ slo }) => slo)
  return {
    period: period.name,
    timeZone: period.timeZone,
    from: iso(period.fromMs),
    to: iso(period.toMs),
    countedTo: iso(span.countedToMs),
    isOver: span.countedToMs >= period.toMs,
    madeAt: iso(nowMs),
    slos: slos.map((slo) => ({
      ...headOf(slo, span),
      generationChanges: (generations.get(slo.name) ?? []).map(({ atMs, from, to, actor, reason }) => ({
        at: iso(atMs),
        from: from ?? null,
        to,
        actor,
        reason,
      })),
      exclusions: exclusionsOf(slo, stretches.get(slo)?.stretches ?? [], stretches.get(slo)?.cut ?? []),
      items: (items.get(slo) ?? []).map((item) => ({
        ...item,
        transitions: (byTrack.get(JSON.stringify([slo.name, item.objective, item.groupKey])) ?? []).map(
          ({ atMs, transition }) => ({
            at: iso(atMs),
            subject: transition.subject as 'outage' | 'budget',
            from: transition.from,
            to: transition.to,
          }),
        ),
      })),
    })),
    unmeasured,
    areTransitionsCut: transitions.length > TRANSITIONS_MAX,
  }
}

function headOf(slo: Slo, span: Span): Omit<ReportSlo, 'generationChanges' | 'exclusions' | 'items'> {
  const { definition } = slo
  return {
    slo: slo.name,
    displayName: definition.displayName,
    description: definition.description,
    service: definition.service,
    system: slo.system ?? null,
    owner: slo.owner ?? null,
    tier: slo.tier ?? null,
    windowText: windowText(definition.window),
    missingData: definition.missingData,
    coverageFloor: definition.coverageFloor,
    generation: slo.generation,
    definition,
    questions: [...new Map(slo.questions.map((question) => [question.series, question])).values()].map(
      (question) => ({
        series: question.series,
        text: questionText(question, span),
      }),
    ),
  }
}

/** The statement that counts its slices; of metrics what is asked of which. */
function questionText(question: SliceQuestion, { fromMs, endMs }: Span): string {
  if (question.indicator.kind !== 'requests') return JSON.stringify(question.indicator, null, 2)
  const [family] = familiesOf([question as RequestQuestion])
  return family === undefined ? '' : familySql(family, fromMs / 1000, endMs / 1000)
}

function exclusionsOf(
  { exclusions }: Slo,
  stretches: readonly ExcludedStretch[],
  cut: readonly string[],
): ReportSlo['exclusions'] {
  const byId = Map.groupBy(stretches, ({ id }) => id)
  return exclusions.flatMap(({ id, reason, approver, ticket, enteredAtMs }) => {
    const own = byId.get(id)
    if (own === undefined) return []
    return [
      {
        name: id,
        reason,
        approver,
        ticket,
        enteredAt: iso(enteredAtMs),
        stretches: own.map(({ fromMs, toMs }) => ({
          from: iso(fromMs),
          to: iso(toMs),
          isRetroactive: fromMs < enteredAtMs,
        })),
        isCut: cut.includes(id),
      },
    ]
  })
}

function itemOf(
  slo: Slo,
  judged: Judged,
  group: string,
  parts: readonly PartFigures[],
  span: Span,
): Omit<ReportItem, 'badMinutes' | 'badMinutesWithoutExclusions'> {
  const { policy } = judged.compiled
  const firsts = parts.flatMap(({ firstSecond }) => (firstSecond === undefined ? [] : [firstSecond]))
  return {
    objective: judged.objective,
    objectiveName: judged.displayName,
    group: groupOf(slo.definition, group),
    groupKey: group,
    isComposite: judged.isComposite,
    target: policy.objective,
    budgetingMethod: policy.budgeting.method,
    unit: policy.budgeting.method === 'Occurrences' ? 'events' : 'slices',
    withExclusions: sideOf(judged, parts, span, 'net'),
    withoutExclusions: sideOf(judged, parts, span, 'gross'),
    knownFrom: firsts.length === 0 ? null : iso(Math.min(...firsts) * 1000),
    transitions: [],
  }
}

function sideOf(
  judged: Judged,
  parts: readonly PartFigures[],
  span: Span,
  side: 'net' | 'gross',
): ReportFigures {
  const { policy, budgetRatio } = judged.compiled
  const counts = parts.map(({ figures }) => figures[side])
  const windows = counts.map((one) => judgeWindow(one, policy.missingData, policy.coverageFloor))
  const [first = { kind: 'no-data', coverage: 0 } as const] = windows
  const isBefore = span.countedToMs <= span.fromMs || parts.every(({ figures }) => figures.gross.known === 0)
  const window: JudgedWindow = isBefore
    ? { kind: 'no-data', coverage: 0 }
    : judged.isComposite && policy.budgeting.method !== 'Timeslices'
      ? compositeWindow(
          judged.parts.map(({ weight, budgetRatio: own }, place) => ({
            weight,
            budgetRatio: own,
            judged: windows[place] ?? first,
          })),
          budgetRatio,
          policy.budgeting.method,
        )
      : first
  const isByEvents = policy.budgeting.method === 'Occurrences'
  const scale = isByEvents ? EVENT_SCALE : 1
  const whole = added(counts)
  const elapsed = (span.countedToMs - span.fromMs) / (span.endMs - span.fromMs)
  const budget =
    elapsed > 0
      ? budgetFigures(
          window,
          policy.objective,
          elapsed,
          isByEvents ? undefined : (parts[0]?.figures.wholeUnits ?? 0),
        )
      : undefined
  return {
    kind: window.kind,
    sliRatio: window.kind === 'known' ? 1 - window.errorRatio : null,
    good: whole.good / scale,
    total: whole.total / scale,
    bad: (whole.total - whole.good) / scale,
    // Before anything is known not even what missing data counts as is said.
    coverage: isBefore ? 0 : (coverageRatio(whole) ?? null),
    budget:
      budget === undefined
        ? null
        : {
            ...budget,
            allowed: budget.allowed / scale,
            spent: budget.spent / scale,
            remaining: budget.remaining / scale,
          },
  }
}

function added(counts: readonly Counts[]): Counts {
  const sum = (part: keyof Counts) => counts.reduce((all, one) => all + one[part], 0)
  return {
    good: sum('good'),
    total: sum('total'),
    known: sum('known'),
    empty: sum('empty'),
    expected: sum('expected'),
  }
}
