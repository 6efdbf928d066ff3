// Release orders (发布单): planned beside observed. They are made and changed as definitions (/api/v1/registry/release-orders).

import type { z } from 'zod'
import { mayRead, type ReadScope } from '../../people/read-scope.ts'
import { scopeOf } from '../../releases/gray-plan.ts'
import { itemName } from '../../registry/kinds/release-order.ts'
import { orderHeadline, orderSentences } from '../../releases/order-words.ts'
import { ITEM_STATES, type ItemProgress, type OrderFlag } from '../../releases/order-progress.ts'
import { orderNamed, ordersOf, type OrderStanding } from '../../releases/orders.ts'
import { NO_VERDICTS, releaseItem, scopeItem, type VerdictOfItem } from '../../releases/release-items.ts'
import { iso, parseInstant } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest, notFound } from '../errors.ts'
import { NameParams } from '../registry-schemas.ts'
import {
  ReleaseOrderReply,
  ReleaseOrdersQuery,
  ReleaseOrdersReply,
  type OrderedItem,
  type ReleaseOrderItem,
} from '../release-order-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

type Verdicts = ReadonlyMap<string, VerdictOfItem>

export function releaseOrderRoutes(app: TypedApp, parts: ApiParts): void {
  const { clock, verdictsOf = NO_VERDICTS } = parts

  app.get(
    '/api/v1/release-orders',
    {
      schema: {
        summary: 'Release orders beside what happened, the latest window first',
        tags: ['releases'],
        querystring: ReleaseOrdersQuery,
        response: { 200: ReleaseOrdersReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const nowMs = clock.now()
      const range = {
        fromMs: instantOf('from', call.query.from, nowMs),
        toMs: call.query.to === undefined ? Infinity : instantOf('to', call.query.to, nowMs),
      }
      const orders = await ordersOf(parts, range, nowMs)
      const reads = principalOf(call).scope
      return {
        items: orders.filter((one) => concerns(one, reads)).map((one) => summaryOf(within(one, reads))),
      }
    },
  )

  app.get(
    '/api/v1/release-orders/:name',
    {
      schema: {
        summary: 'One release order: each item as planned and as observed, and what is not as planned',
        tags: ['releases'],
        params: NameParams,
        response: { 200: ReleaseOrderReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const reads = principalOf(call).scope
      const found = await orderNamed(parts, call.params.name, clock.now())
      if (found === undefined || !concerns(found, reads))
        return notFound(
          reply,
          `There is no release order «${call.params.name}»; PUT /api/v1/registry/release-orders/{name} makes one.`,
        )
      const visible = within(found, reads)
      const { items, extra } = visible.progress
      const ids = [...items.flatMap(({ release }) => release?.id ?? []), ...extra.map(({ id }) => id)]
      return wholeOf(visible, await verdictsOf(ids))
    },
  )
}

/** @throws InvalidRequest */
function instantOf(place: string, text: string, nowMs: number): number {
  const ms = parseInstant(text, nowMs)
  if (ms === undefined) throw new InvalidRequest(place, 'is not a date that exists')
  return ms
}

const systemOf = ({ item, release }: ItemProgress) => release?.system || item.system

/** Whether any of it may be read. */
const concerns = ({ progress }: OrderStanding, reads: ReadScope) =>
  progress.items.some((item) => mayRead(reads, systemOf(item)))

/** Without what is not the caller's to read, and without what is to be said of it. */
function within(standing: OrderStanding, reads: ReadScope): OrderStanding {
  if (reads === 'everything') return standing
  const { order, progress } = standing
  const isRead = (item: ItemProgress) => mayRead(reads, systemOf(item))
  const items = progress.items.filter(isRead)
  const names = new Set(items.map(({ item }) => itemName(item)))
  const extra = progress.extra.filter(({ system }) => mayRead(reads, system || undefined))
  const isOfOwn = (flag: OrderFlag) =>
    (flag === 'extra-release' && extra.length > 0) ||
    (flag === 'missing' && items.some(({ state }) => state === 'missing')) ||
    flag === 'half-rolled-back' ||
    flag === 'half-done' ||
    items.some(({ flags }) => flags.some((one) => one === flag))
  return {
    order,
    systems: standing.systems.filter((_, place) => progress.items.slice(place, place + 1).some(isRead)),
    progress: {
      ...progress,
      items: items.map((one) => ({
        ...one,
        item: { ...one.item, after: one.item.after.filter((name) => names.has(name)) },
        overtook: one.overtook.filter((other) => names.has(itemName(other))),
      })),
      extra,
      unknownSystems: progress.unknownSystems.filter((system) => mayRead(reads, system)),
      flags: progress.flags.filter(isOfOwn),
    },
  }
}

function summaryOf({ order: { name, spec }, progress }: OrderStanding): z.infer<typeof ReleaseOrderItem> {
  const count = (state: ItemProgress['state']) => progress.items.filter((item) => item.state === state).length
  return {
    name,
    title: spec.title ?? name,
    window: { from: iso(progress.window.fromMs), to: iso(progress.window.toMs) },
    state: progress.state,
    approver: spec.approver ?? '',
    ticket: spec.ticket ?? '',
    transactional: spec.transactional,
    counts: Object.fromEntries(ITEM_STATES.map((state) => [state, count(state)])) as Record<
      ItemProgress['state'],
      number
    >,
    flags: [...progress.flags],
    headline: orderHeadline(progress),
  }
}

function wholeOf(standing: OrderStanding, verdicts: Verdicts): ReleaseOrderReply {
  const { order, progress } = standing
  const { spec } = order
  return {
    ...summaryOf(standing),
    description: spec.description ?? '',
    rollbackPlan: spec.rollbackPlan ?? '',
    groups: spec.groups,
    items: progress.items.map((item) => itemOf(item, verdicts)),
    extra: progress.extra.map((release) => releaseItem(release, verdicts.get(release.id))),
    unknownSystems: [...progress.unknownSystems],
    sentences: orderSentences(progress).map(({ flag, text }) => ({ flag, text })),
  }
}

function itemOf(
  { item, state, flags, release, overtook, steps }: ItemProgress,
  verdicts: Verdicts,
): z.infer<typeof OrderedItem> {
  return {
    service: item.service ?? '',
    target: item.target ?? '',
    system: release?.system || (item.system ?? ''),
    changeType: item.changeType,
    plannedVersion: item.version ?? '',
    plannedScope: scopeItem(scopeOf(item.scope)),
    group: item.group,
    order: item.order,
    after: [...item.after],
    state,
    flags: [...flags],
    overtook: overtook.map(itemName),
    release: release === undefined ? null : releaseItem(release, verdicts.get(release.id)),
    steps: steps.map(({ scope, byMs, state: stepState, observedAtMs }) => ({
      scope: scopeItem(scope),
      by: iso(byMs),
      state: stepState,
      observedAt: observedAtMs === undefined ? null : iso(observedAtMs),
    })),
  }
}
