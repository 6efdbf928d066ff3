// Release orders of the registry beside the ledger.

import { buildLandscape, systemOf, telemetryNames } from '../profiles/landscape.ts'
import { itemName, type ReleaseOrderSpec } from '../registry/kinds/release-order.ts'
import type { TimeRange } from '../time-range.ts'
import { loadReleases, type LedgerParts } from './ledger.ts'
import { windowOf } from './order-items.ts'
import { orderProgress, type Order, type OrderProgress } from './order-progress.ts'

const DAY_MS = 24 * 3_600_000
const RANGE_MS_MAX = 90 * DAY_MS

export type OrderStanding = {
  readonly order: Order
  readonly progress: OrderProgress
  /** Of its items, by place: the one that it names, else the one that its service belongs to; empty: none is known. */
  readonly systems: readonly string[]
}

/** @returns those whose window touches the range, the latest window first @throws StoreError */
export async function ordersOf(
  parts: LedgerParts,
  { fromMs, toMs }: TimeRange,
  nowMs: number,
): Promise<readonly OrderStanding[]> {
  const objects = await parts.registry.all(['release-order'])
  const orders = objects
    .map(({ name, spec }): Order => ({ name, spec: spec as ReleaseOrderSpec }))
    .filter(({ spec }) => {
      const window = windowOf(spec)
      return window.toMs >= fromMs && window.fromMs < toMs
    })
    .toSorted((a, b) => windowOf(b.spec).fromMs - windowOf(a.spec).fromMs || (a.name < b.name ? -1 : 1))
  if (orders.length === 0) return []
  const landscape = await buildLandscape(parts.registry)()
  const earliest = Math.min(...orders.map(({ spec }) => windowOf(spec).fromMs)) - DAY_MS
  const since = Math.max(Math.min(earliest, nowMs - DAY_MS), nowMs - RANGE_MS_MAX)
  const releases = await loadReleases(parts, { fromMs: since, toMs: nowMs + DAY_MS, nowMs })
  const found = orderProgress(orders, releases, {
    nowMs,
    systems: new Set(landscape.systems.keys()),
    namesOf: (service) => {
      const known = landscape.services.get(service)
      return known === undefined ? [] : telemetryNames(known)
    },
  })
  return orders.flatMap((order, at) => {
    const progress = found[at]
    const systems = order.spec.items.map(
      (item) => item.system ?? systemOf(landscape, itemName(item), '') ?? '',
    )
    return progress === undefined ? [] : [{ order, progress, systems }]
  })
}

/** One order, looked at with those whose windows touch its own. @throws StoreError */
export async function orderNamed(
  parts: LedgerParts,
  name: string,
  nowMs: number,
): Promise<OrderStanding | undefined> {
  const object = (await parts.registry.all(['release-order'])).find((one) => one.name === name)
  if (object === undefined) return undefined
  const window = windowOf(object.spec as ReleaseOrderSpec)
  return (await ordersOf(parts, window, nowMs)).find(({ order }) => order.name === name)
}
