// From what tools told and what traffic showed to releases. Pure and deterministic: the order in which steps and sightings are
// given does not matter, and a release keeps its id when more is told of it.

import { clockSkews } from './clock-skew.ts'
import { isSameEnvironment } from './environment-class.ts'
import { groupSteps, type NamedStep } from './group-steps.ts'
import { implicitRelease } from './implicit-release.ts'
import { matchAppearances } from './match-traffic.ts'
import { parameterChanges } from './parameter-changes.ts'
import { MINUTE_MS, VERSIONED, type Draft, type ReconcileInput, type View } from './reconcile-view.ts'
import type { Release } from './release.ts'
import { remarksOf, withSameMinute } from './release-remarks.ts'
import { buildServiceNames } from './service-names.ts'
import { toldRelease } from './told-release.ts'
import { bridged, findAppearances, type Appearance } from './traffic-changes.ts'
import { isSameVersion } from './version-match.ts'
import { PAUSE_MS } from './version-sighting.ts'

export type { ReconcileInput }

/** What serves again around a rollback is the rollback. */
const TAKEN_BACK_MS = 30 * MINUTE_MS

/** @returns releases by when they began, oldest first */
export function reconcile(input: ReconcileInput): readonly Release[] {
  const { steps, nowMs, knownFromMs } = input
  const sightings = input.sightings.map((one) => ({ ...one, stretches: bridged(one.stretches) }))
  const nameOf = buildServiceNames(sightings, input.names, steps)
  const named = steps
    .filter(({ service, target }) => service !== '' || target !== '')
    .map((step): NamedStep => ({ ...step, service: nameOf(step), toldService: step.service }))
  const groups = groupSteps(named)
  const appearances = findAppearances(sightings, knownFromMs, PAUSE_MS)
  const matched = matchAppearances(
    groups.filter(({ steps: [first] }) => first?.changeType === 'code'),
    appearances,
  )
  const measured = [...matched].map(([group, { atMs }]) => ({ steps: group.steps, readyAtMs: atMs }))
  const skews = clockSkews(measured, named)
  const view = {
    ...input,
    sightingsOf: Map.groupBy(sightings, ({ service }) => service),
    appearancesOf: Map.groupBy(appearances, ({ service }) => service),
    skews,
  }
  const told = groups.map((group) => toldRelease(group, matched.get(group), view))
  const retreats = told.flatMap(({ release }) =>
    release.stages
      .filter(({ kind }) => kind === 'rolled_back' || kind === 'aborted' || kind === 'removed')
      .map(({ atMs }) => ({ ...release, atMs })),
  )
  const taken = new Set(matched.values())
  const implicit = appearances
    .filter((one) => !taken.has(one) && !one.isFirstOfService && !isRetreatOf(one, retreats))
    .map((one) => implicitRelease(one, view))
  const drafts = [...told, ...implicit].toSorted(
    (a, b) => a.release.startedAtMs - b.release.startedAtMs || (a.release.id < b.release.id ? -1 : 1),
  )
  return withSameMinute(withRemarks(withParameters(drafts), view, nowMs))
}

function isRetreatOf(
  { service, environment, versionFrom, isReturn, atMs }: Appearance,
  retreats: readonly { service: string; environment: string; versionTo: string; atMs: number }[],
): boolean {
  return (
    isReturn &&
    retreats.some(
      (one) =>
        one.service === service &&
        isSameEnvironment(one.environment, environment) &&
        isSameVersion(one.versionTo, versionFrom) &&
        Math.abs(one.atMs - atMs) <= TAKEN_BACK_MS,
    )
  )
}

function toldRelease(group: StepGroup, appearance: Appearance | undefined, view: View): Draft {
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
  const isToldAfter = appearance !== undefined && (receivedAtMs ?? 0) > appearance.atMs
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
function versionOf(group: StepGroup, appearance: Appearance | undefined): string {
  if (appearance !== undefined) return appearance.version
  const told = group.steps.find(({ kind, versionTo }) => versionTo !== '' && kind !== 'rolled_back')
  return told?.versionTo ?? group.steps.find(({ versionTo }) => versionTo !== '')?.versionTo ?? ''
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
  // The same version once more: traffic does not show it.
  const anchor = anchorOf(group)
  const isServing = seen.some(({ stretches }) =>
    stretches.some(({ fromMs, toMs }) => fromMs < anchor && toMs > anchor - PAUSE_MS),
  return isServing ? { atMs: toldMs, from: 'event' } : { atMs: undefined, from: 'traffic' }
const SERVES: ReadonlySet<ReleaseStage['kind']> = new Set(['ready', 'step', 'completed'])
function implicitRelease(appearance: Appearance, view: View): Draft {
  const { service, environment, version, versionFrom, atMs, system } = appearance
  const life = lifeOf([], atMs, servedBy(appearance, view))
    group: undefined,
    beforeServedMs: beforeServed(appearance, atMs, view),
      id: idOfAppearance(appearance),
      changeType: 'code',
      target: '',
      toldService: '',
      system: view.systems.get(service) ?? system,
      versionTo: version,
      isImplicit: true,
      startedAtMs: atMs,
      receivedAtMs: undefined,
      readyAtMs: atMs,
      readyFrom: 'traffic',
      scope: EVERYBODY,
      stages: [],
      orderId: '',
      vcsRevision: '',
      artifact: '',
      configHash: '',
      pipeline: '',
      actor: '',
      ticket: '',
      description: '',
      isReversible: true,
const placeOf = (service: string, environment: string, { sightingsOf }: View) =>
  (sightingsOf.get(service) ?? []).filter((one) => one.environment === environment)
function servedBy({ service, environment, version, versionFrom, atMs }: Appearance, view: View): Served {
  const nextReturn = (name: string, afterMs: number) =>
    view.appearancesOf
      .get(service)
      ?.find((one) => one.environment === environment && one.version === name && one.atMs > afterMs)?.atMs ??
    Infinity
  return servedOf(placeOf(service, environment, view), version, versionFrom, atMs, nextReturn)
function beforeServed(
  { service, environment, versionFrom }: { service: string; environment: string; versionFrom: string },
  readyAtMs: number | undefined,
): number | undefined {
  if (readyAtMs === undefined || versionFrom === '' || service === '') return undefined
  const ends = placeOf(service, environment, view)
    .filter(({ version }) => version === versionFrom)
    .flatMap(({ stretches }) => stretches.map(({ toMs }) => toMs))
  const end = Math.max(...ends)
  return end > readyAtMs ? end : undefined
const systemSeen = (service: string, { sightingsOf }: View) =>
  sightingsOf.get(service)?.find(({ system }) => system !== '')?.system ?? ''
const idOf = (parts: readonly unknown[]) =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 20)
const idOfAppearance = ({ service, environment, version, atMs }: Appearance) =>
  idOf(['seen', service, environment, version, Math.floor(atMs / MINUTE_MS)])
type WithParameters = Draft & { readonly changes: Release['parameterChanges'] }

function withParameters(drafts: readonly Draft[]): readonly WithParameters[] {
  const changes = new Map<Draft, Release['parameterChanges']>()
  const places = Map.groupBy(drafts, ({ release: { service, target, environment } }) =>
    JSON.stringify([service, target, environment]),
  )
  for (const list of places.values()) {
    const inOrder = list.toSorted(
      (a, b) => servesAt(a) - servesAt(b) || (a.release.id < b.release.id ? -1 : 1),
    )
    const found = parameterChanges(
      inOrder.map(({ release, group }) => ({
        parameters: Object.assign({}, ...(group?.steps.map(({ parameters }) => parameters) ?? [])),
        isTakenBack: release.state === 'rolled_back' || release.state === 'aborted',
      })),
    )
    inOrder.forEach((draft, at) => changes.set(draft, found[at] ?? []))
  }
  return drafts.map((draft) => ({ ...draft, changes: changes.get(draft) ?? [] }))
}

const servesAt = ({ release }: Draft) => release.readyAtMs ?? release.startedAtMs

function withRemarks(drafts: readonly WithParameters[], view: View, nowMs: number): readonly Release[] {
  return drafts.map(({ release, group, changes, beforeServedMs }) => {
    const whole = { ...release, parameterChanges: changes }
    const remarks = remarksOf(whole, group, {
      nowMs,
      grayOpenDays: view.grayOpenDays,
      skews: view.skews,
      isVersioned: VERSIONED.has(release.changeType),
      hasReported: view.sightingsOf.has(release.service),
      beforeServedMs,
    })
    return { ...whole, remarks }
  })
}
