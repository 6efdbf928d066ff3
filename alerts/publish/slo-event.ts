// A change of an SLO's state as a CloudEvent: what other platforms of a bank build on. Pure; the shapes are a promise, so a change
// that breaks a reader gets a new version of the type.

import { groupOf } from '../../query/promises/slo-item.ts'
import type { FigurePoint } from '../../query/promises/status-store.ts'
import type { Slo } from '../../query/promises/slos.ts'
import { iso } from '../../query/time-range.ts'
import type { Transition } from '../../query/slo/slo-state.ts'
import type { CloudEvent } from './event-feed.ts'
import type { ToldTransition } from './transition-feed.ts'

/** By what changed. */
export const EVENT_TYPES: Readonly<Record<Transition['subject'], string>> = {
  condition: 'io.surety.slo.condition.changed.v1',
  pair: 'io.surety.slo.burn.changed.v1',
  outage: 'io.surety.slo.outage.changed.v1',
  silence: 'io.surety.slo.silence.changed.v1',
  measuring: 'io.surety.slo.measuring.changed.v1',
  budget: 'io.surety.slo.budget.changed.v1',
}

/** Its subject is `SLO/OBJECTIVE`, with `/GROUP` where there are groups; its time the instant it is true for, however late it was judged. */
export type SloEvent = CloudEvent & { readonly data: SloEventData }

export type SloEventData = {
  readonly slo: string
  readonly objective: number
  readonly objectiveName: string | null
  readonly group: Readonly<Record<string, string>> | null
  readonly groupKey: string
  readonly displayName: string | null
  readonly service: string | null
  readonly system: string | null
  readonly owner: string | null
  readonly tier: string | null
  readonly target: number | null
  readonly generation: number
  readonly from: string
  readonly to: string
  /** The condition that holds after it; null before the first. */
  readonly condition: string | null
  /** Burn alerts: which pair of windows, and what they showed. */
  readonly pair: string | null
  readonly evidence: unknown
  /** As they were told last before it was judged; null when none were for five minutes. */
  readonly figures: {
    readonly toldAt: string
    readonly sliRatio: number | null
    readonly sliRatioGross: number | null
    readonly budgetRemainingRatio: number | null
    readonly burnRate: number | null
    readonly coverage: number | null
  } | null
  readonly judgedAt: string
}

/**
 * @param slo      as it is defined now; undefined when it is gone
 * @param figures  of its group at the time, where they are known
 */
export function sloEvent(
  kept: ToldTransition,
  slo: Slo | undefined,
  figures: FigurePoint | undefined,
): SloEvent {
  const { id, transition, objective, group, judgedAtMs } = kept
  const judged = slo?.judged.find((one) => one.objective === objective)
  return {
    specversion: '1.0',
    id: `transition-${id}`,
    source: `/surety/slo/${encodeURIComponent(kept.slo)}`,
    type: EVENT_TYPES[transition.subject],
    subject: `${kept.slo}/${objective}${group === '' ? '' : `/${group}`}`,
    time: iso(transition.atMs),
    datacontenttype: 'application/json',
    data: {
      slo: kept.slo,
      objective,
      objectiveName: judged?.displayName ?? null,
      group: slo === undefined ? null : groupOf(slo.definition, group),
      groupKey: group,
      displayName: slo?.definition.displayName ?? null,
      service: slo?.definition.service ?? null,
      system: kept.system ?? null,
      owner: slo?.owner ?? null,
      tier: slo?.tier ?? null,
      target: judged?.compiled.policy.objective ?? null,
      generation: kept.generation,
      from: transition.from,
      to: transition.to,
      condition: transition.subject === 'condition' ? transition.to : (kept.condition ?? null),
      pair: transition.subject === 'pair' ? transition.id : null,
      evidence: transition.subject === 'pair' ? (transition.evidence ?? null) : null,
      figures:
        figures === undefined
          ? null
          : {
              toldAt: iso(figures.atMs),
              sliRatio: figures.sliRatio,
              sliRatioGross: figures.sliRatioGross,
              budgetRemainingRatio: figures.remainingRatio,
              burnRate: figures.burnRate,
              coverage: figures.coverage,
            },
      judgedAt: iso(judgedAtMs),
    },
  }
}
