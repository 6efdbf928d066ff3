// One release as tools told it, with what traffic showed of it. Pure.

import { instantOfStep } from './clock-skew.ts'
import { identityOf, whatOfGroup, type NamedStep, type StepGroup } from './group-steps.ts'
import { anchorOf } from './match-traffic.ts'
import {
  beforeServed,
  idOf,
  idOfAppearance,
  MINUTE_MS,
  servedBy,
  systemSeen,
  VERSIONED,
  type Draft,
  type View,
} from './reconcile-view.ts'
import { lifeOf } from './release-life.ts'
import type { Release, ReleaseStage } from './release.ts'
import { widestScope } from './scope-width.ts'
import type { Appearance } from './traffic-changes.ts'
import { isSameVersion } from './version-match.ts'
import { PAUSE_MS } from './version-sighting.ts'

const minuteOf = (ms: number) => Math.floor(ms / MINUTE_MS)

export function toldRelease(group: StepGroup, appearance: Appearance | undefined, view: View): Draft {
  const { steps } = group
  const stages = steps
    .map((step): ReleaseStage => {
      const { kind, scope, source, eventId, actor, description } = step
      return {
        kind,
        atMs: instantOfStep(step, view.skews),
        scope,
        source,
        eventId,
        ...(actor === '' ? {} : { actor }),
        ...(description === '' ? {} : { description }),
      }
    })
    .toSorted((a, b) => a.atMs - b.atMs)
  const first = steps[0]
  if (first === undefined) throw new Error('a group has at least one step')
  const { service, target, changeType } = first
  const environment = appearance?.environment || last(steps, 'environment')
  const versionTo = versionOf(group, appearance)
  const ready = readyOf(group, appearance, stages, view)
  const versionFrom = appearance?.versionFrom || last(steps, 'versionFrom')
  const served = appearance === undefined ? undefined : servedBy({ ...appearance, versionFrom }, view)
  const life = lifeOf(stages, ready.atMs, served)
  const earliest = steps.toSorted(
    (a, b) => a.receivedAt - b.receivedAt || (identityOf(a) < identityOf(b) ? -1 : 1),
  )[0]
  const receivedAtMs = earliest?.receivedAt
  // By the minute, which stays when seconds are no longer kept.
  const isToldAfter = appearance !== undefined && minuteOf(receivedAtMs ?? 0) > minuteOf(appearance.atMs)
  const scopes = stages.filter(({ kind }) => kind !== 'noted').map(({ scope }) => scope)
  return {
    group,
    beforeServedMs: beforeServed({ service, environment, versionFrom }, ready.atMs, view),
    release: {
      // Who looked before it was told saw an implicit release: it is the same one.
      id: isToldAfter
        ? idOfAppearance(appearance)
        : idOf(['told', earliest?.source, earliest?.eventId, service, target]),
      changeType,
      service,
      target,
      toldService: steps.find((step) => step.toldService !== service)?.toldService ?? '',
      system:
        view.systems.get(service) ??
        (appearance?.system || last(steps, 'system') || systemSeen(service, view)),
      environment,
      versionFrom,
      versionTo,
      ...life,
      isImplicit: false,
      startedAtMs: stages.find(({ kind }) => kind !== 'noted')?.atMs ?? anchorOf(group),
      receivedAtMs,
      readyAtMs: ready.atMs,
      readyFrom: ready.from,
      scope: widestScope(scopes, life.state === 'completed'),
      stages,
      orderId: last(steps, 'orderId'),
      vcsRevision: last(steps, 'vcsRevision'),
      artifact: last(steps, 'artifact'),
      configHash: last(steps, 'configHash'),
      pipeline: last(steps, 'pipeline'),
      actor: last(steps, 'actor'),
      ticket: last(steps, 'ticket'),
      description: last(steps, 'description'),
      isReversible: steps.every(({ isReversible }) => isReversible),
    },
  }
}

type TextField =
  | 'environment'
  | 'versionFrom'
  | 'system'
  | 'orderId'
  | 'vcsRevision'
  | 'artifact'
  | 'configHash'
  | 'pipeline'
  | 'actor'
  | 'ticket'
  | 'description'

/**
 * What was told last of a field. The end aside: it may speak of what is gone back to; and what is noted after all others, because it
 * speaks of the release and not for it, such as who let it pass a gate.
 */
function last(steps: readonly NamedStep[], field: TextField): string {
  const told = steps.filter((step) => step[field] !== '')
  const going = told.filter(({ kind }) => kind !== 'rolled_back' && kind !== 'removed')
  const own = going.findLast(({ kind }) => kind !== 'noted')
  return (own ?? going.at(-1) ?? told.at(-1))?.[field] ?? ''
}

function versionOf(group: StepGroup, appearance: Appearance | undefined): string {
  if (appearance !== undefined) return appearance.version
  const told = group.steps.find(({ kind, versionTo }) => versionTo !== '' && kind !== 'rolled_back')
  return told?.versionTo ?? group.steps.find(({ versionTo }) => versionTo !== '')?.versionTo ?? ''
}

type Ready = { readonly atMs: number | undefined; readonly from: Release['readyFrom'] }

function readyOf(
  group: StepGroup,
  appearance: Appearance | undefined,
  stages: readonly ReleaseStage[],
  view: View,
): Ready {
  const [first] = group.steps
  if (appearance !== undefined) return { atMs: appearance.atMs, from: 'traffic' }
  const toldMs = (
    stages.find(({ kind }) => SERVES.has(kind)) ?? stages.find(({ kind }) => kind === 'started')
  )?.atMs
  if (first === undefined || !VERSIONED.has(first.changeType)) return { atMs: toldMs, from: 'event' }
  const what = whatOfGroup(group.steps)
  const seen = (view.sightingsOf.get(first.changeType === 'client' ? '' : first.service) ?? []).filter(
    ({ version }) => isSameVersion(what, version) || isSameVersion(`${first.target}-${what}`, version),
  )
  if (first.changeType === 'client') {
    const atMs = seen.flatMap(({ stretches }) => stretches.map(({ fromMs }) => fromMs))
    return { atMs: atMs.length === 0 ? undefined : Math.min(...atMs), from: 'traffic' }
  }
  // The same version once more: traffic does not show it.
  const anchor = anchorOf(group)
  const isServing = seen.some(({ stretches }) =>
    stretches.some(({ fromMs, toMs }) => fromMs < anchor && toMs > anchor - PAUSE_MS),
  )
  return isServing ? { atMs: toldMs, from: 'event' } : { atMs: undefined, from: 'traffic' }
}

const SERVES: ReadonlySet<ReleaseStage['kind']> = new Set(['ready', 'step', 'completed'])
