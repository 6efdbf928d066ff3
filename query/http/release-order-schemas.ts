// The API contract of release orders beside what happened. Shapes only.

import { z } from 'zod'
import { GRAY_STEP_STATES } from '../releases/gray-plan.ts'
import { ITEM_FLAGS, ITEM_STATES, ORDER_FLAGS } from '../releases/order-progress.ts'
import { Told } from './fault-schemas.ts'
import { ReleaseItem, ScopeItem } from './release-schemas.ts'
import { Instant } from './schemas.ts'

const instant = z.string().describe('RFC 3339 in UTC')

export const ReleaseOrderItem = z.object({
  name: z.string(),
  title: z.string(),
  window: z.object({ from: instant, to: instant }),
  state: z.enum(['planned', 'running', 'done', 'not-done', 'taken-back']),
  approver: z.string(),
  ticket: z.string(),
  transactional: z.boolean(),
  counts: z.record(z.enum(ITEM_STATES), z.number().int()),
  flags: z.array(z.enum(ORDER_FLAGS)).describe('the worst first'),
  headline: Told,
})

export const OrderedItem = z.object({
  service: z.string(),
  target: z.string(),
  system: z.string(),
  changeType: z.string(),
  plannedVersion: z.string().describe('empty: any'),
  plannedScope: ScopeItem,
  group: z.number().int(),
  order: z.number().int(),
  after: z.array(z.string()),
  state: z.enum(ITEM_STATES),
  flags: z.array(z.enum(ITEM_FLAGS)),
  overtook: z.array(z.string()).describe('items that were to serve before it'),
  release: ReleaseItem.nullable().describe('what was observed of it'),
  steps: z.array(
    z.object({
      scope: ScopeItem,
      by: instant,
      state: z.enum(GRAY_STEP_STATES),
      observedAt: instant.nullable(),
    }),
  ),
})

export const ReleaseOrdersQuery = z.object({
  from: Instant.default('-7d').describe('orders whose window ends after'),
  to: Instant.optional().describe('orders whose window begins before; by default those to come, too'),
})
export const ReleaseOrdersReply = z.object({ items: z.array(ReleaseOrderItem) })
export type ReleaseOrdersReply = z.infer<typeof ReleaseOrdersReply>

export const ReleaseOrderReply = ReleaseOrderItem.extend({
  description: z.string(),
  rollbackPlan: z.string(),
  groups: z.enum(['serial', 'parallel']),
  items: z.array(OrderedItem),
  extra: z.array(ReleaseItem).describe('in the window, of its systems, and named by no order'),
  unknownSystems: z.array(z.string()),
  sentences: z.array(z.object({ flag: z.enum(ORDER_FLAGS), text: Told })),
})
export type ReleaseOrderReply = z.infer<typeof ReleaseOrderReply>
