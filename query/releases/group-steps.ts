// Which steps belong to one release: those that share a tool's own key, and those that say the same service, environment, version
// and kind of change without a long pause. Pure; the order in which steps are given does not matter.

import type { ReleaseStep, StepKind } from '../../ingest/records/release-step.ts'
import { isSameEnvironment } from './environment-class.ts'

/** A step whose service is called as telemetry calls it. */
export type NamedStep = ReleaseStep & { readonly toldService: string }

export type StepGroup = {
  /** In the order in which they happened, by their senders. */
  readonly steps: readonly NamedStep[]
  readonly hasDuplicates: boolean
}

const HOUR_MS = 3_600_000
/** A new beginning this long after the last step is another release. */
const PAUSE_MS = 6 * HOUR_MS
/** Steps of an open gray release may be weeks apart. */
const OPEN_MS = 30 * 24 * HOUR_MS
/** Tools that tell of one release disagree about when by so much. */
const DISORDER_MS = 10 * 60_000
/** The release that a rollback by itself takes back is not older. */
const TAKEN_BACK_MS = 72 * HOUR_MS

const BEGINNINGS: ReadonlySet<StepKind> = new Set(['requested', 'started'])
const ENDS: ReadonlySet<StepKind> = new Set(['completed', 'aborted', 'failed', 'rolled_back', 'removed'])
const RETREATS: ReadonlySet<StepKind> = new Set(['rolled_back', 'removed'])

export function groupSteps(given: readonly NamedStep[]): readonly StepGroup[] {
  const { steps, repeated } = withoutRepeats(given)
  const keyed = Map.groupBy(
    steps.filter(({ releaseKey }) => releaseKey !== ''),
    ({ tool, releaseKey, service, target }) => JSON.stringify([tool, releaseKey, service, target]),
  )
  const unkeyed = Map.groupBy(
    steps.filter(({ releaseKey }) => releaseKey === ''),
    subjectOf,
  )
  const lists = [
    ...[...keyed.values()].flatMap(byEnvironment),
    ...[...unkeyed.values()].flatMap(byEnvironment).flatMap(byWhat).flatMap(byPause),
  ]
  return withRetreats(mergeTools(lists)).map((list) => ({
    steps: list,
    hasDuplicates: list.some((step) => repeated.has(identityOf(step))) || saysTwice(list),
  }))
}

export const identityOf = ({ source, eventId }: Pick<ReleaseStep, 'source' | 'eventId'>): string =>
  JSON.stringify([source, eventId])

/** What is released, without its version: the version, the configuration or the commit of it is `whatOf`. */
const subjectOf = ({ service, target, changeType }: NamedStep) =>
  JSON.stringify([service, target, changeType])
const whatOf = ({ versionTo, configHash, vcsRevision }: NamedStep) => versionTo || configHash || vcsRevision

const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Told order, told the same for every order of arrival. */
export const compareSteps = (a: ReleaseStep, b: ReleaseStep): number =>
  a.at - b.at ||
  a.receivedAt - b.receivedAt ||
  compareText(a.source, b.source) ||
  compareText(a.eventId, b.eventId) ||
  compareText(JSON.stringify(a), JSON.stringify(b))

function withoutRepeats(given: readonly NamedStep[]) {
  const kept = new Map<string, NamedStep>()
  const repeated = new Set<string>()
  // A step's changes of several services may share one event.
  const keyOf = (step: NamedStep) => JSON.stringify([step.source, step.eventId, step.service, step.target])
  for (const step of given.toSorted((a, b) => a.receivedAt - b.receivedAt || compareSteps(a, b))) {
    const key = keyOf(step)
    if (kept.has(key)) repeated.add(identityOf(step))
    else kept.set(key, step)
  }
  return { steps: [...kept.values()].toSorted(compareSteps), repeated }
}

/** The same said by two events: a sender that tries again under another id. */
function saysTwice(steps: readonly NamedStep[]): boolean {
  const said = steps.map((step) => JSON.stringify({ ...step, eventId: '', receivedAt: 0 }))
  return new Set(said).size < said.length
}

/** Steps that name no environment belong to the one whose steps are nearest. */
function byEnvironment(steps: readonly NamedStep[]): NamedStep[][] {
  const named = Map.groupBy(
    steps.filter(({ environment }) => environment !== ''),
    ({ environment }) => environment,
  )
  const lists = [...named.values()]
  const [first] = lists
  if (first === undefined) return steps.length === 0 ? [] : [[...steps]]
  const awayFrom = (step: NamedStep, list: readonly NamedStep[]) =>
    Math.min(...list.map(({ at }) => Math.abs(at - step.at)))
  const own = lists.map((list) => [...list])
  for (const step of steps.filter(({ environment }) => environment === '')) {
    const distances = lists.map((list) => awayFrom(step, list))
    own[distances.indexOf(Math.min(...distances))]?.push(step)
  }
  return own.map((list) => list.toSorted(compareSteps))
}

/** Steps that name no version belong to the version whose steps are nearest before them, else after. */
function byWhat(steps: readonly NamedStep[]): NamedStep[][] {
  const lists = new Map<string, NamedStep[]>()
  for (const step of steps.filter((one) => whatOf(one) !== '' && !RETREATS.has(one.kind)))
    lists.set(whatOf(step), [...(lists.get(whatOf(step)) ?? []), step])
  const nameless: NamedStep[] = []
  for (const step of steps.filter((one) => whatOf(one) === '' || RETREATS.has(one.kind))) {
    // A retreat may name what it goes back to: then it stands alone here and is put where it belongs below.
    if (whatOf(step) !== '') {
      const own = lists.get(whatOf(step))
      const isOfNewest = own !== undefined && newestBefore(lists, step) === own
      if (isOfNewest) own.push(step)
      else nameless.push(step)
    } else (newestBefore(lists, step) ?? nameless).push(step)
  }
  const rest = [...Map.groupBy(nameless, whatOf).values()]
  return [...lists.values(), ...rest].map((list) => list.toSorted(compareSteps))
}

function newestBefore(lists: ReadonlyMap<string, NamedStep[]>, { at }: NamedStep): NamedStep[] | undefined {
  const begun = [...lists.values()]
    .map((list) => ({ list, last: Math.max(...list.filter((one) => one.at <= at).map((one) => one.at)) }))
    .filter(({ last }) => at - last <= PAUSE_MS)
  return begun.toSorted((a, b) => b.last - a.last)[0]?.list
}

function byPause(steps: readonly NamedStep[]): NamedStep[][] {
  const groups: NamedStep[][] = []
  let current: NamedStep[] = []
  for (const step of steps) {
    if (current.length > 0 && isAnother(current, step)) {
      groups.push(current)
      current = []
    }
    current.push(step)
  }
  return current.length === 0 ? groups : [...groups, current]
}

function isAnother(before: readonly NamedStep[], step: NamedStep): boolean {
  const last = before.at(-1)
  if (last === undefined) return false
  const pauseMs = step.at - last.at
  const isEnded = before.some(({ kind }) => ENDS.has(kind))
  if (BEGINNINGS.has(step.kind)) return isEnded ? pauseMs > DISORDER_MS : pauseMs > PAUSE_MS
  if (RETREATS.has(step.kind)) return pauseMs > OPEN_MS
  return pauseMs > (isEnded ? PAUSE_MS : OPEN_MS)
}

/** Several tools that tell of the same version in the same environment at the same time tell of one release. */
function mergeTools(lists: readonly NamedStep[][]): NamedStep[][] {
  const merged: NamedStep[][] = []
  const sorted = lists.toSorted((a, b) => compareSteps(firstOf(a), firstOf(b)))
  const bySubject = new Map<string, NamedStep[][]>()
  for (const list of sorted) {
    const what = whatOfGroup(list)
    const subject = JSON.stringify([subjectOf(firstOf(list)), what])
    const others = what === '' ? [] : (bySubject.get(subject) ?? [])
    const same = others.find((other) => isOneRelease(other, list))
    if (same === undefined) {
      const own = [...list]
      merged.push(own)
      bySubject.set(subject, [...others, own])
    } else same.push(...list)
  }
  return merged.map((list) => list.toSorted(compareSteps))
}

function isOneRelease(a: readonly NamedStep[], b: readonly NamedStep[]): boolean {
  const [environmentOfA, environmentOfB] = [a, b].map(
    (list) => list.find(({ environment }) => environment !== '')?.environment ?? '',
  )
  if (!isSameEnvironment(environmentOfA ?? '', environmentOfB ?? '')) return false
  const begun = firstOf(b).at
  const ended = a.filter(({ kind, at }) => ENDS.has(kind) && at < begun - DISORDER_MS)
  if (ended.some(({ kind }) => kind !== 'completed')) return false
  const lastAt = Math.max(...a.map(({ at }) => at))
  return begun - lastAt <= (ended.length > 0 ? DISORDER_MS : PAUSE_MS)
}

const firstOf = (list: readonly NamedStep[]): NamedStep => {
  const [first] = list
  if (first === undefined) throw new Error('a group has at least one step')
  return first
}

export const whatOfGroup = (steps: readonly NamedStep[]): string =>
  whatOf(steps.find((step) => !RETREATS.has(step.kind) && whatOf(step) !== '') ?? firstOf(steps))

/** A rollback told by itself is the end of what was released before; drops what only notes something. */
function withRetreats(lists: readonly NamedStep[][]): NamedStep[][] {
  const isRetreat = (list: readonly NamedStep[]) =>
    list.every(({ kind }) => RETREATS.has(kind) || kind === 'noted')
  const releases = lists.filter((list) => !isRetreat(list)).map((list) => [...list])
  const alone: NamedStep[][] = []
  for (const list of lists.filter(isRetreat)) {
    const first = list.find(({ kind }) => kind !== 'noted')
    if (first === undefined) continue
    const before = releases
      .filter((other) => {
        const one = firstOf(other)
        return (
          subjectOf(one) === subjectOf(first) &&
          isSameEnvironment(one.environment, first.environment) &&
          one.at <= first.at &&
          first.at - one.at <= TAKEN_BACK_MS
        )
      })
      .toSorted((a, b) => compareSteps(firstOf(b), firstOf(a)))
    const taken = before[0]
    if (taken === undefined) alone.push(list)
    else taken.push(...list)
  }
  return [...releases, ...alone].map((list) => list.toSorted(compareSteps))
}
