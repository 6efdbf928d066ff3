// From what tools told and what traffic showed to releases. Pure and deterministic: the order in which steps and sightings are
// given does not matter, and a release keeps its id when more is told of it.

import type { ReleaseStep } from '../../ingest/records/release-step.ts'
import { clockSkews } from './clock-skew.ts'
import { isSameEnvironment } from './environment-class.ts'
import { groupSteps, type NamedStep } from './group-steps.ts'
import { implicitRelease } from './implicit-release.ts'
import { matchAppearances } from './match-traffic.ts'
import { parameterChanges } from './parameter-changes.ts'
import { MINUTE_MS, VERSIONED, type Draft, type ReconcileInput, type View } from './reconcile-view.ts'
import type { Release } from './release.ts'
import { withNotes } from './release-notes.ts'
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
  const isOfSomething = ({ service, target }: ReleaseStep) => service !== '' || target !== ''
  const named = steps
    .filter(isOfSomething)
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
  // A ticket or the run of a pipeline names no service: it is its release's by what it points to.
  const pointing = steps.filter((step) => !isOfSomething(step)).map((step) => ({ ...step, toldService: '' }))
  const withAll = withNotes(drafts, [...named, ...pointing], skews)
  return withSameMinute(withRemarks(withParameters(withAll), view, nowMs))
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
