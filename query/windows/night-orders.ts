// What release orders of a night planned and did not see, and what went out that none of them planned. Pure.

import { itemName } from '../registry/kinds/release-order.ts'
import type { OrderStanding } from '../releases/orders.ts'
import type { TimeRange } from '../time-range.ts'
import { releaseName } from '../verdicts/release-verdict.ts'

export type NightItem = {
  /** Name of the order. */
  readonly order: string
  /** Empty: it belongs to none. */
  readonly system: string
  readonly name: string
}

export type NightOrders = {
  /** Planned, and not seen though the order's window is over. */
  readonly missing: readonly NightItem[]
  /** Seen in an order's window, of its systems, and planned by none. */
  readonly extra: readonly (NightItem & { readonly release: string })[]
}

/** @param standings  of any time: those whose window touches the night count */
export function nightOrders(standings: readonly OrderStanding[], night: TimeRange): NightOrders {
  const own = standings.filter(
    ({ progress: { window } }) => window.fromMs < night.toMs && window.toMs > night.fromMs,
  )
  const isOfNight = (atMs: number) => atMs >= night.fromMs && atMs < night.toMs
  return {
    missing: own.flatMap(({ order, progress, systems }) =>
      progress.items.flatMap(({ state, item }, place) =>
        state === 'missing'
          ? [
              {
                order: order.name,
                system: systems[place] ?? '',
                name: [itemName(item), item.version ?? ''].filter((text) => text !== '').join(' '),
              },
            ]
          : [],
      ),
    ),
    extra: own.flatMap(({ order, progress }) =>
      progress.extra
        .filter(({ readyAtMs, startedAtMs }) => isOfNight(readyAtMs ?? startedAtMs))
        .map((release) => ({
          order: order.name,
          system: release.system,
          name: releaseName(release),
          release: release.id,
        })),
    ),
  }
}

/** What of it may be read. */
export const nightWithin = (
  { missing, extra }: NightOrders,
  mayRead: (system: string | undefined) => boolean,
): NightOrders => ({
  missing: missing.filter(({ system }) => mayRead(system === '' ? undefined : system)),
  extra: extra.filter(({ system }) => mayRead(system === '' ? undefined : system)),
})

export const NO_ORDERS: NightOrders = { missing: [], extra: [] }
