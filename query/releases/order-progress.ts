// A release order beside what happened: what is done, under way or missing, and what is not as it was planned. Pure.

import {
  itemName,
  itemsBefore,
  type OrderItem,
  type ReleaseOrderSpec,
} from '../registry/kinds/release-order.ts'
import type { TimeRange } from '../time-range.ts'
import { covers, grayPlan, scopeOf, type GrayStep } from './gray-plan.ts'
import { beganAt, isPlannedVersion, isTakenBack, matchItems, windowOf, type Order } from './order-items.ts'
import type { Release } from './release.ts'
import { isLimited } from './scope-width.ts'
import { isSameVersion } from './version-match.ts'

export type { Order }

export const ITEM_STATES = ['planned', 'running', 'done', 'missing', 'taken-back'] as const
export type ItemState = (typeof ITEM_STATES)[number]

export const ITEM_FLAGS = [
  /** Served after the window, or not yet though it is over. */
  'late',
  'wrong-version',
  /** Served before something that was to serve before it. */
  'out-of-order',
  'unknown-system',
  /** A gray step was not made in time, or left out. */
  'gray-not-as-planned',
  /** Serves more people than were planned in the end. */
  'wider-than-planned',
  /** Gray for longer than the order allows. */
  'left-open',
] as const
export type ItemFlag = (typeof ITEM_FLAGS)[number]

export const ORDER_FLAGS = [
  /** All or nothing, and some of it was taken back while the rest serves. */
  'half-rolled-back',
  /** All or nothing, its window is over, and some of it never went out. */
  'half-done',
  'missing',
  'extra-release',
  ...ITEM_FLAGS,
] as const
export type OrderFlag = (typeof ORDER_FLAGS)[number]

export type ItemProgress = {
  readonly item: OrderItem
  readonly state: ItemState
  readonly flags: readonly ItemFlag[]
  readonly release: Release | undefined
  /** Items that were to serve before it and did not. */
  readonly overtook: readonly OrderItem[]
  readonly steps: readonly GrayStep[]
}

export type OrderProgress = {
  readonly name: string
  readonly window: TimeRange
  readonly state: 'planned' | 'running' | 'done' | 'not-done' | 'taken-back'
  readonly items: readonly ItemProgress[]
  readonly flags: readonly OrderFlag[]
  readonly unknownSystems: readonly string[]
  /** In the window, of the order's systems, and named by no order. */
  readonly extra: readonly Release[]
}

export type OrderContext = {
  readonly nowMs: number
  /** Names of registered systems. */
  readonly systems: ReadonlySet<string>
  /** What telemetry may call a service of the registry. */
  readonly namesOf: (service: string) => readonly string[]
}

/** Orders are looked at together: what another order names is not extra. */
export function orderProgress(
  orders: readonly Order[],
  releases: readonly Release[],
  context: OrderContext,
): readonly OrderProgress[] {
  const matches = orders.map((order) => matchItems(order, releases, context.namesOf))
  const named = new Set(matches.flatMap((found) => [...found.values()]))
  return orders.map((order, at) => progressOf(order, matches[at] ?? new Map(), named, releases, context))
}

function progressOf(
  { name, spec }: Order,
  matched: ReadonlyMap<number, Release>,
  named: ReadonlySet<Release>,
  releases: readonly Release[],
  context: OrderContext,
): OrderProgress {
  const window = windowOf(spec)
  const before = itemsBefore(spec)
  const items = spec.items.map((item, at): ItemProgress => {
    const release = matched.get(at)
    const overtook = (before[at] ?? [])
      .filter((other) => isOvertaken(matched.get(other), release))
      .flatMap((other) => spec.items[other] ?? [])
    const steps = grayPlan(item, release, spec.timeZone, context.nowMs)
    const state = stateOf(item, release, window, context.nowMs)
    const flags = flagsOf({ item, release, overtook, steps, state }, spec, window, context)
    return { item, state, flags, release, overtook, steps }
  })
  const extra = extraOf({ name, spec }, items, named, releases, window)
  const found = new Set<OrderFlag>(items.flatMap(({ flags }) => flags))
  const unknownSystems = systemsOf(spec).filter((system) => !context.systems.has(system))
  if (unknownSystems.length > 0) found.add('unknown-system')
  if (items.some(({ state }) => state === 'missing')) found.add('missing')
  if (extra.length > 0) found.add('extra-release')
  if (spec.transactional) for (const flag of transactionFlags(items)) found.add(flag)
  return {
    name,
    window,
    state: orderState(items),
    items,
    flags: ORDER_FLAGS.filter((flag) => found.has(flag)),
    unknownSystems,
    extra,
  }
}

const systemsOf = ({ systems, items }: ReleaseOrderSpec): readonly string[] => [
  ...new Set([...systems, ...items.flatMap(({ system }) => system ?? [])]),
]

const serves = (release: Release | undefined): release is Release =>
  release !== undefined && release.readyAtMs !== undefined && !isTakenBack(release)

/** What was taken back before may be followed; what never served, or served later, was overtaken. */
function isOvertaken(earlier: Release | undefined, later: Release | undefined): boolean {
  if (!serves(later)) return false
  return earlier?.readyAtMs === undefined || earlier.readyAtMs > (later.readyAtMs ?? Infinity)
}

function stateOf(
  item: OrderItem,
  release: Release | undefined,
  { toMs }: TimeRange,
  nowMs: number,
): ItemState {
  if (release === undefined) return nowMs > toMs ? 'missing' : 'planned'
  if (isTakenBack(release)) return 'taken-back'
  if (release.state === 'completed') return 'done'
  const isAsWideAsPlanned =
    item.scope !== undefined && isLimited(scopeOf(item.scope)) && covers(release.scope, scopeOf(item.scope))
  const isUnseen = release.readyFrom === 'event'
  return release.readyAtMs !== undefined && (isAsWideAsPlanned || isUnseen) ? 'done' : 'running'
}

function flagsOf(
  { item, release, overtook, steps, state }: Omit<ItemProgress, 'flags'>,
  spec: ReleaseOrderSpec,
  { toMs }: TimeRange,
  { nowMs, systems }: OrderContext,
): ItemFlag[] {
  const found = new Set<ItemFlag>()
  if (item.system !== undefined && !systems.has(item.system)) found.add('unknown-system')
  if (release === undefined) return ITEM_FLAGS.filter((flag) => found.has(flag))
  if (state !== 'taken-back' && (release.readyAtMs ?? nowMs) > toMs) found.add('late')
  if (isPlannedVersion(item, release) === false) found.add('wrong-version')
  if (overtook.length > 0) found.add('out-of-order')
  if (steps.some((step) => step.state === 'late' || step.state === 'skipped'))
    found.add('gray-not-as-planned')
  const planned = scopeOf(item.scope)
  const isWider = isLimited(planned) && release.readyAtMs !== undefined && !isWithin(release, planned)
  if (isWider && state !== 'taken-back') found.add('wider-than-planned')
  const days = spec.grayMaxDays ?? Infinity
  if (state === 'running' && nowMs - beganAt(release) > days * 86_400_000) found.add('left-open')
  return ITEM_FLAGS.filter((flag) => found.has(flag))
}

/** What tells no scope is not held against it until it is complete. */
const isWithin = ({ scope, state }: Release, planned: ReturnType<typeof scopeOf>) =>
  isLimited(scope) ? covers(planned, scope) : state !== 'completed'

function transactionFlags(items: readonly ItemProgress[]): OrderFlag[] {
  const serving = items.some(({ release }) => serves(release))
  if (!serving) return []
  const states = new Set(items.map(({ state }) => state))
  return [
    ...(states.has('taken-back') ? (['half-rolled-back'] as const) : []),
    ...(states.has('missing') ? (['half-done'] as const) : []),
  ]
}

function orderState(items: readonly ItemProgress[]): OrderProgress['state'] {
  const states = new Set(items.map(({ state }) => state))
  const is = (...only: ItemState[]) => [...states].every((state) => only.includes(state))
  if (is('done')) return 'done'
  if (is('taken-back')) return 'taken-back'
  if (is('planned')) return 'planned'
  return is('done', 'taken-back', 'missing') ? 'not-done' : 'running'
}

function extraOf(
  { name, spec }: Order,
  items: readonly ItemProgress[],
  named: ReadonlySet<Release>,
  releases: readonly Release[],
  { fromMs, toMs }: TimeRange,
): readonly Release[] {
  const own = new Set([...systemsOf(spec), ...items.flatMap(({ release }) => release?.system ?? [])])
  own.delete('')
  return releases.filter((release) => {
    const isOfOrder = release.orderId === name
    const isInWindow = beganAt(release) >= fromMs && beganAt(release) < toMs
    if (named.has(release) || !(isOfOrder || (isInWindow && own.has(release.system)))) return false
    return !items.some((one) => isSameTry(one, release))
  })
}

/** An earlier try of an item, or its rollback, which traffic shows as a release of its own. */
function isSameTry({ item, release }: ItemProgress, other: Release): boolean {
  if (release === undefined || release.service !== other.service || itemName(item) === '') return false
  const isBack = other.versionTo === release.versionFrom && other.versionFrom === release.versionTo
  return isBack || (isTakenBack(other) && isSameVersion(release.versionTo, other.versionTo))
}
