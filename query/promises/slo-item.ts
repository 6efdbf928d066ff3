// How one SLO stands, as the API tells it.

import type { SloItem, SloSide } from '../http/slo-schemas.ts'
import { sloSentence } from '../slo/sentence.ts'
import type { CalendarWindow, SloWindow } from '../slo/slo-window.ts'
import type { SloStatus, Side, WindowStatus } from '../slo/slo-status.ts'
import { stateAtStart } from '../slo/slo-state.ts'
import type { SloDefinition } from '../slo/model.ts'
import { iso } from '../time-range.ts'
import type { Standing } from './board.ts'

export function toSloItem({ slo, judged, group, row }: Standing, nowMs: number, timeZone: string): SloItem {
  const { definition } = slo
  const { policy } = judged.compiled
  const status = row?.status ?? notJudgedYet(judged.compiled.policy.objective, nowMs)
  const told = row?.status
  return {
    slo: slo.name,
    objective: judged.objective,
    objectiveName: judged.displayName,
    group: groupOf(definition, group),
    groupKey: group,
    displayName: definition.displayName,
    description: definition.description,
    service: definition.service,
    system: slo.system ?? null,
    tier: slo.tier ?? null,
    owner: slo.owner ?? null,
    target: policy.objective,
    budgetingMethod: policy.budgeting.method,
    sliKinds: sliKinds(definition),
    isComposite: judged.isComposite,
    windowText: windowText(policy.window),
    stepSeconds: slo.stepMs / 1000,
    generation: slo.generation,
    condition: status.condition,
    since: iso(status.sinceMs),
    isFrozen: status.isFrozen,
    sentences: {
      en: sloSentence(judged.compiled, status, 'en', { nowMs, timeZone }),
      'zh-CN': sloSentence(judged.compiled, status, 'zh-CN', { nowMs, timeZone }),
    },
    window: status.window === undefined ? null : windowOf(status.window),
    budget: status.budget ?? null,
    budgetGross: status.budgetGross ?? null,
    burnRates: status.burns.map(({ windowMs, status: one }) => ({
      windowSeconds: windowMs / 1000,
      net: one === undefined ? null : sideOf(one.net),
      gross: one === undefined ? null : sideOf(one.gross),
    })),
    pairs: status.pairs.map(({ pair, phase, sinceMs, hold, by, longBurnRate, shortBurnRate }) => ({
      id: pair.id,
      severity: pair.severity,
      factor: pair.factor,
      longWindowSeconds: pair.longWindowMs / 1000,
      shortWindowSeconds: pair.shortWindowMs / 1000,
      phase,
      since: iso(sinceMs),
      hold,
      by,
      longBurnRate: longBurnRate ?? null,
      shortBurnRate: shortBurnRate ?? null,
    })),
    pace:
      status.pace === undefined
        ? null
        : {
            windowSeconds: status.pace.windowMs / 1000,
            burnRate: status.pace.burnRate,
            exhaustedInSeconds:
              status.pace.exhaustedInMs === 'never' ? null : status.pace.exhaustedInMs / 1000,
          },
    outage: { phase: status.outage.phase, since: iso(status.outage.sinceMs) },
    silence: { phase: status.silence.phase, since: iso(status.silence.sinceMs) },
    failures: {
      count: status.failures.count,
      since: iso(status.failures.sinceMs),
      message: told?.failure ?? null,
    },
    lastGood:
      status.lastGood === undefined
        ? null
        : {
            at: iso(status.lastGood.atMs),
            sliRatio: 1 - status.lastGood.errorRatio,
            remainingRatio: status.lastGood.remainingRatio,
          },
    knownFrom: told?.knownFromMs === undefined ? null : iso(told.knownFromMs),
    backfill:
      told?.backfill === undefined
        ? null
        : { reachesTo: iso(told.backfill.reachesToMs), doneRatio: told.backfill.doneRatio },
    isMissing: told?.isMissing ?? false,
    hint:
      told === undefined
        ? 'waiting'
        : told.tooManyGroups !== undefined
          ? 'too-many-groups'
          : told.isUnmatched
            ? 'unmatched'
            : null,
    groups: told?.tooManyGroups ?? null,
    judgedAt: status.judgedAtMs === undefined ? null : iso(status.judgedAtMs),
    toldAt: row === undefined ? null : iso(row.judgedAtMs),
  }
}

/** What is told until the loop has judged it. */
function notJudgedYet(objective: number, nowMs: number): SloStatus {
  const state = stateAtStart(1, nowMs)
  return {
    objective,
    condition: state.condition,
    sinceMs: state.conditionSinceMs,
    isFrozen: false,
    window: undefined,
    budget: undefined,
    budgetGross: undefined,
    burns: [],
    pairs: [],
    pace: undefined,
    outage: state.outage,
    silence: state.silence,
    failures: state.failures,
    lastGood: undefined,
    judgedAtMs: undefined,
  }
}

const windowOf = ({ fromMs, toMs, endMs, net, gross }: WindowStatus) => ({
  from: iso(fromMs),
  to: iso(toMs),
  end: iso(endMs),
  net: sideOf(net),
  gross: sideOf(gross),
})

const sideOf = ({ sliRatio, burnRate, coverage, kind, counts }: Side): SloSide => ({
  sliRatio: sliRatio ?? null,
  burnRate: burnRate ?? null,
  coverage: coverage ?? null,
  kind,
  good: counts.good,
  total: counts.total,
})

/** Values of a group by the names of their subjects. */
export function groupOf(definition: SloDefinition, group: string): Record<string, string> | null {
  if (group === '') return null
  const values = JSON.parse(group) as string[]
  const indicator = definition.indicators.find((one) => one.kind === 'requests' && one.groupBy.length > 0)
  if (indicator?.kind !== 'requests') return null
  return Object.fromEntries(
    indicator.groupBy.map((subject, place) => [
      subject.kind === 'dimension' ? subject.name : subject.key,
      values[place] ?? '',
    ]),
  )
}

export function sliKinds({ indicators }: SloDefinition): string[] {
  return [
    ...new Set(
      indicators.map((indicator) => {
        if (indicator.kind !== 'requests') return indicator.kind
        if (indicator.isEntry) return 'journey'
        if (indicator.good.withinMs !== undefined) return 'latency'
        return indicator.good.returnCodes === undefined ? 'availability' : 'return-code'
      }),
    ),
  ]
}

export function windowText(window: SloWindow): string {
  return window.kind === 'rolling' ? rollingText(window.durationMs) : calendarText(window)
}

function rollingText(ms: number): string {
  for (const [unit, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
  ] as const)
    if (ms % length === 0) return `${ms / length}${unit}`
  return `${ms / 1000}s`
}

const calendarText = ({ unit, count, timeZone }: CalendarWindow) => `${count} ${unit} ${timeZone}`
