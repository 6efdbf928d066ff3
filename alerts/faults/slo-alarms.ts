// Transitions of SLOs as alarms: what pages a person begins a fault, and its return ends it. Pure.

import { ANYWHERE, type Alarm } from '../../query/faults/alarm.ts'
import type { FaultPlace } from '../../query/blame/case.ts'
import type { RequestIndicator } from '../../query/slo/model.ts'
import { groupOf } from '../../query/promises/slo-item.ts'
import type { Slo } from '../../query/promises/slos.ts'
import type { KeptTransition } from '../../query/promises/transitions.ts'

export type SloAlarm =
  | { readonly kind: 'begin'; readonly alarm: Alarm }
  | { readonly kind: 'end'; readonly series: string; readonly atMs: number }

/** Of everything that an SLO rings. */
export const seriesPrefix = (slo: string) => `slo/${JSON.stringify(slo)}/`
export const SLO_SERIES = 'slo/'

/**
 * @param slo  as it is defined now; undefined when it is gone: then it only ends
 * @returns undefined for what neither begins nor ends a fault
 */
export function sloAlarm(kept: KeptTransition, slo: Slo | undefined): SloAlarm | undefined {
  const { transition, objective, group, atMs } = kept
  const what = transition.subject === 'pair' ? `pair/${transition.id}` : transition.subject
  const series = `${seriesPrefix(kept.slo)}${objective}/${JSON.stringify(group)}/${what}`
  if (isOver(transition)) return { kind: 'end', series, atMs }
  if (slo === undefined || !begins(kept, slo)) return undefined
  const indicator = slo.definition.indicators.find((one) => one.kind === 'requests')
  return {
    kind: 'begin',
    alarm: {
      key: `transition/${kept.id}`,
      series,
      origin: 'slo',
      name: kept.slo,
      measure: indicator?.good.withinMs === undefined ? 'errors' : 'latency',
      place: placeOf(slo, indicator, group),
      system: kept.system,
      atMs,
    },
  }
}

function isOver({ subject, to }: KeptTransition['transition']): boolean {
  if (subject === 'budget') return to === 'left'
  return (subject === 'pair' || subject === 'outage') && to === 'inactive'
}

/** A pair that only writes a ticket is no fault yet. */
function begins({ transition, objective }: KeptTransition, slo: Slo): boolean {
  const { subject } = transition
  if (subject === 'outage') return transition.to === 'firing'
  if (subject === 'budget') return transition.to === 'exhausted'
  if (subject !== 'pair') return false
  const judged = slo.judged.find((one) => one.objective === objective)
  const pair = judged?.compiled.policy.burn.pairs.find(({ id }) => id === transition.id)
  return transition.to === 'firing' && transition.from !== 'frozen' && pair?.severity === 'page'
}

const PLACES = ['service', 'operation', 'txnCode', 'channel', 'site', 'region', 'branch'] as const

/** What its question narrows to one value, and its group. */
function placeOf(slo: Slo, indicator: RequestIndicator | undefined, group: string): FaultPlace {
  const place: Record<string, string> = { ...ANYWHERE, service: slo.definition.service }
  for (const { subject, isExcluded, values } of indicator?.where ?? []) {
    const [value] = values
    if (subject.kind === 'dimension' && !isExcluded && values.length === 1 && value !== undefined)
      place[subject.name] = value
  }
  Object.assign(place, groupOf(slo.definition, group) ?? {})
  return Object.fromEntries(PLACES.map((name) => [name, place[name] ?? ''])) as FaultPlace
}
