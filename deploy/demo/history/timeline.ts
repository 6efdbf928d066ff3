// The past of a world on the calendar: which versions served when, and what was wrong. Pure.

import type { Scope } from '../routing.ts'
import { DAY_MS, shanghaiMidnight } from './shape.ts'
import type { Moment, PastIncident, World } from './world.ts'

/** Who serves from an instant on, until the next phase of the service. */
export type Phase = {
  readonly fromMs: number
  readonly base: string
  readonly gray: { readonly version: string; readonly scope: Exclude<Scope, { kind: 'whole' }> } | undefined
}

export type Change = {
  readonly atMs: number
  readonly action: 'deployed' | 'upgraded' | 'rolledback'
  readonly service: string
  readonly version: string
  readonly previousVersion: string
  readonly scope: Scope
}

export type Trouble = Omit<PastIncident, 'from' | 'to'> & { readonly fromMs: number; readonly toMs: number }

export type Timeline = {
  /** By service, oldest first; the first phase has always been. */
  readonly phases: ReadonlyMap<string, readonly Phase[]>
  readonly troubles: readonly Trouble[]
  /** Oldest first. */
  readonly changes: readonly Change[]
}

/** @param endMs the end of the history; what a world says of later is left out */
export function timelineOf(world: World, endMs: number): Timeline {
  const lastMidnight = shanghaiMidnight(endMs)
  const at = ({ daysAgo, hour }: Moment) => lastMidnight - daysAgo * DAY_MS + hour * 3_600_000
  const changes = world.rollouts.flatMap((rollout): Change[] => {
    const { service, from, to, rolledBack } = rollout
    const stages = rollout.stages.map((stage, index): Change => ({
      atMs: at(stage),
      action: index > 0 || stage.scope.kind === 'whole' ? 'upgraded' : 'deployed',
      service,
      version: to,
      previousVersion: from,
      scope: stage.scope,
    }))
    if (rolledBack === undefined) return stages
    return [
      ...stages,
      {
        atMs: at(rolledBack),
        action: 'rolledback',
        service,
        version: from,
        previousVersion: to,
        scope: { kind: 'whole' },
      },
    ]
  })
  const past = changes.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
  const phases = world.services.map(({ name, version }): [string, Phase[]] => {
    const own = past.filter(({ service }) => service === name)
    const first: Phase = {
      fromMs: Number.NEGATIVE_INFINITY,
      base: own[0]?.previousVersion ?? version,
      gray: undefined,
    }
    const list = [first]
    for (const change of own) {
      const base = list.at(-1)?.base ?? version
      const { scope } = change
      list.push(
        scope.kind === 'whole'
          ? { fromMs: change.atMs, base: change.version, gray: undefined }
          : { fromMs: change.atMs, base, gray: { version: change.version, scope } },
      )
    }
    return [name, list]
  })
  return {
    phases: new Map(phases),
    troubles: world.incidents.map(({ from, to, ...rest }) => ({ ...rest, fromMs: at(from), toMs: at(to) })),
    changes: past,
  }
}

/** @throws RangeError for a service that the world does not have */
export function phaseAt({ phases }: Timeline, service: string, atMs: number): Phase {
  const phase = phases.get(service)?.findLast(({ fromMs }) => fromMs <= atMs)
  if (phase === undefined) throw new RangeError(`the world has no service «${service}»`)
  return phase
}

/** Every version of a service that served at some time. */
export function versionsOf({ phases }: Timeline, service: string): string[] {
  const versions = (phases.get(service) ?? []).flatMap(({ base, gray }) =>
    gray === undefined ? [base] : [base, gray.version],
  )
  return [...new Set(versions)]
}
