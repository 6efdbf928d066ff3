// A release order (发布单): what is to go out in one night, in which order, and what is done when it fails. What happened is compared
// with it later (query/releases/order-progress.ts). It may name systems and services that nobody registered: it is kept, and says so.

import { z } from 'zod'
import { CHANGE_TYPES } from '../../../ingest/records/release-step.ts'
import { date, description, instant, line, name, timeZone } from './words.ts'

const ITEMS_MAX = 500
const text = (max: number) =>
  z
    .string()
    .min(1, 'is empty; leave it out')
    .max(max, `has more than ${max} characters`)
    .refine((said) => !said.includes('\0'), 'holds a zero character')
const day = 366

const Scope = z.strictObject({
  selectors: z
    .array(
      z.strictObject({
        /** site, region, branch, teller, channel, zone, cluster, or the key of an attribute. */
        attribute: text(256),
        match: z.enum(['exact', 'prefix', 'regex']).default('exact'),
        values: z.array(text(256)).min(1, 'names nobody; leave the selector out for everybody').max(1000),
      }),
    )
    .max(20)
    .default([]),
  weightPercent: z.number().min(0).max(100).optional(),
})

const Item = z.strictObject({
  /** `service.name`, or a name of the registry; empty for changes of something else, which `target` names. */
  service: text(256).optional(),
  target: text(256).optional(),
  system: text(128).optional(),
  environment: text(256).optional(),
  /** What goes out: `service.version`, a configuration's hash. Left out: any. */
  version: text(256).optional(),
  changeType: z.enum(CHANGE_TYPES).default('code'),
  /** Parallel group: items of one group go out together. */
  group: z.number().int().min(1).max(1000).default(1),
  /** Place within its group; items of the same place go out together. */
  order: z.number().int().min(1).max(1000).default(1),
  /** Services (or targets) of this order that go out before. */
  after: z.array(text(256)).max(ITEMS_MAX).default([]),
  /** Whom it serves in the end; left out: everybody. */
  scope: Scope.optional(),
  /** Gray steps, each wider than the one before. */
  steps: z
    .array(z.strictObject({ date: date.optional(), at: instant.optional(), scope: Scope }))
    .max(50)
    .default([]),
})

export const ReleaseOrderSpec = z
  .strictObject({
    title: line.optional(),
    description: description.optional(),
    /** The team that runs it. */
    team: name.optional(),
    window: z.strictObject({ from: instant, to: instant }).optional(),
    /** Days instead of a window. */
    dates: z.array(date).min(1).max(day).optional(),
    timeZone: timeZone.default('Asia/Shanghai'),
    /** Systems that the order is about, beside those of its items. */
    systems: z.array(text(128)).max(ITEMS_MAX).default([]),
    items: z.array(Item).min(1, 'has no item; an order releases something').max(ITEMS_MAX),
    /** Whether a group waits for the one before it. */
    groups: z.enum(['serial', 'parallel']).default('serial'),
    approver: line.optional(),
    ticket: line.optional(),
    rollbackPlan: description.optional(),
    /** All or nothing: when one item is taken back, all have to be. */
    transactional: z.boolean().default(false),
    /** A gray scope that is open for longer is marked. */
    grayMaxDays: z.number().int().min(1).max(day).optional(),
  })
  .superRefine((spec, context) => {
    const say = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    const { window, dates, items } = spec
    if ((window === undefined) === (dates === undefined))
      say(['window'], 'is required, or dates; give one of the two')
    if (window !== undefined && Date.parse(window.from) >= Date.parse(window.to))
      say(['window', 'to'], 'must be later than from')
    items.forEach((item, at) => {
      if ((item.service === undefined) === (item.target === undefined))
        say(['items', at, 'service'], 'is required, or target for what is no service; give one of the two')
    })
    for (const { path, message } of [...duplicates(items), ...strangers(items), ...cycles(spec)])
      say(path, message)
  })
export type ReleaseOrderSpec = z.output<typeof ReleaseOrderSpec>
export type OrderItem = ReleaseOrderSpec['items'][number]

type Fault = { readonly path: (string | number)[]; readonly message: string }

export const itemName = ({ service, target }: Pick<OrderItem, 'service' | 'target'>): string =>
  service ?? target ?? ''

function duplicates(items: readonly OrderItem[]): Fault[] {
  const first = new Map<string, number>()
  return items.flatMap((item, at) => {
    const key = JSON.stringify([item.service, item.target, item.environment, item.changeType])
    const before = first.get(key)
    if (before === undefined) first.set(key, at)
    const own = duplicateSteps(item, at)
    if (before === undefined) return own
    const message = `is the same step as items[${before}] («${itemName(item)}»); leave one out, or give them different environments`
    return [{ path: ['items', at], message }, ...own]
  })
}

function duplicateSteps({ steps }: OrderItem, item: number): Fault[] {
  const first = new Map<string, number>()
  return steps.flatMap(({ scope, date: on, at }, index): Fault[] => {
    const path = ['items', item, 'steps', index]
    const key = JSON.stringify(scope)
    const before = first.get(key)
    first.set(key, before ?? index)
    const both: Fault[] =
      (on === undefined) === (at === undefined)
        ? [{ path, message: 'needs date or at, one of the two; say when the scope is widened' }]
        : []
    if (before === undefined) return both
    return [
      ...both,
      { path, message: `is the same step as steps[${before}]; widen the scope, or leave it out` },
    ]
  })
}

/** What `after` names must be in the order. */
function strangers(items: readonly OrderItem[]): Fault[] {
  const named = new Set(items.map(itemName))
  return items.flatMap(({ after }, item) =>
    after.flatMap((other, at): Fault[] =>
      named.has(other)
        ? []
        : [
            {
              path: ['items', item, 'after', at],
              message: `names «${other}», which is no item of this order; add it, or leave it out`,
            },
          ],
    ),
  )
}

/** For each item the items that must go out before it: by group and place, and by `after`. */
export function itemsBefore(
  spec: Pick<ReleaseOrderSpec, 'items' | 'groups'>,
): readonly (readonly number[])[] {
  const { items, groups } = spec
  return items.map((item) =>
    items.flatMap((other, at) => {
      const isGroupBefore = groups === 'serial' && other.group < item.group
      const isPlaceBefore = other.group === item.group && other.order < item.order
      return isGroupBefore || isPlaceBefore || item.after.includes(itemName(other)) ? [at] : []
    }),
  )
}

/** An item that waits for itself, told once for each circle. */
function cycles(spec: Pick<ReleaseOrderSpec, 'items' | 'groups'>): Fault[] {
  const before = itemsBefore(spec)
  const state = new Map<number, 'under way' | 'done'>()
  const faults: Fault[] = []
  const names = (list: readonly number[]) =>
    list.map((at) => `«${itemName(spec.items[at] ?? { service: '', target: '' })}»`).join(' → ')
  const visit = (item: number, path: readonly number[]): void => {
    if (state.get(item) === 'done') return
    if (state.get(item) === 'under way') {
      const circle = [...path.slice(path.indexOf(item)), item]
      faults.push({
        path: ['items', path.at(-1) ?? item, 'after'],
        message: `makes a circle: ${names(circle)}; take one of these out of after, or change its group or order`,
      })
      return
    }
    state.set(item, 'under way')
    for (const other of before[item] ?? []) visit(other, [...path, item])
    state.set(item, 'done')
  }
  spec.items.forEach((_, item) => visit(item, []))
  return faults
}
